"""The files of a report, rendered from one set of facts.

Rules kept here:

* A folder of every format holds the data first (`csv/`, `report.json`, `report.xlsx`), then the page and the
  document, which print the SHA-256 of each of those files, then `SHA256SUMS` over everything else, so that
  `sha256sum -c SHA256SUMS` proves the folder and one digest stands for it.
* A format whose optional part is not installed is left out of a folder, and said. Asked for by itself it is
  an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from suppress.errors import ExtraMissing
from suppress.report.attachments import SUMS, Attachment, attached, sums
from suppress.report.facts import Facts
from suppress.report.target import Format, Target

_ALONE = "output"


@dataclass(frozen=True, slots=True)
class Rendered:
    """The files of a report by name, the last one standing for all; `left_out` says what is not there."""

    files: Mapping[str, bytes]
    left_out: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of the file that stands for all."""
        return hashlib.sha256(tuple(self.files.values())[-1]).hexdigest()

    @property
    def bytes(self) -> int:
        """How many bytes all files have."""
        return sum(map(len, self.files.values()))


def rendered(facts: Facts, target: Target) -> Rendered:
    """The files of a report. A single file is named `output`.

    Raises:
        ExtraMissing: The format needs an optional part that is not installed.
    """
    if target.format is Format.ALL:
        return folder(facts)
    if target.is_folder:
        from suppress.report import csv

        return Rendered(csv.folder(facts))
    return Rendered({_ALONE: _one(facts, target.format)})


def folder(facts: Facts, formats: Sequence[Format] = tuple(Format)) -> Rendered:
    """The files of a folder of these formats; csv, the checkpoint and the sums are always there."""
    from suppress.report import csv

    files = {"checkpoint.txt": facts.manifest.ledger.checkpoint.encode()}
    files |= {f"csv/{name}": content for name, content in csv.folder(facts).items()}
    left_out: list[str] = []
    for format_ in (each for each in (Format.JSON, Format.XLSX) if each in formats):
        _add(files, facts, format_, (), left_out)
    attachments = attached(files)
    for format_ in (each for each in (Format.PDF, Format.HTML) if each in formats):
        _add(files, facts, format_, attachments, left_out)
    files[SUMS] = sums(files)
    return Rendered(files, tuple(left_out))


def _add(
    files: dict[str, bytes],
    facts: Facts,
    format_: Format,
    attachments: tuple[Attachment, ...],
    left_out: list[str],
) -> None:
    name = f"report.{format_.value}"
    try:
        files[name] = _one(facts, format_, attachments)
    except ExtraMissing as missing:
        left_out.append(f"{name} is left out: {missing.message} ({missing.remedy})")


def _one(facts: Facts, format_: Format, attachments: tuple[Attachment, ...] = ()) -> bytes:
    match format_:
        case Format.HTML:
            from suppress.report import html

            return html.render(facts, attachments)
        case Format.PDF:
            from suppress.report import pdf

            return pdf.render(facts, attachments)
        case Format.XLSX:
            from suppress.report import xlsx

            return xlsx.render(facts)
        case Format.JSON:
            from suppress.report import json

            return json.render(facts)
        case _:
            from suppress.report import csv

            return csv.single(facts)
