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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from suppress.errors import ExtraMissing
from suppress.report.attachments import SUMS, Attachment, attached, sums
from suppress.report.facts import Facts
from suppress.report.packed import Packed
from suppress.report.register import NAME
from suppress.report.target import Format, Target

Pieces: TypeAlias = Iterable[bytes]
_ALONE = "output"


@dataclass(frozen=True, slots=True)
class Rendered:
    """The files of a report by name, the last one standing for all; `left_out` says what is not there."""

    files: Mapping[str, bytes]
    left_out: tuple[str, ...] = ()
    long: Mapping[str, Packed] = field(default_factory=dict)
    """Further files, which are too long to hold."""

    @property
    def digest(self) -> str:
        """SHA-256 of the file that stands for all."""
        return hashlib.sha256(tuple(self.files.values())[-1]).hexdigest()

    @property
    def bytes(self) -> int:
        """How many bytes all files have."""
        return sum(map(len, self.files.values())) + sum(each.size for each in self.long.values())

    def written(self) -> Iterator[tuple[str, Pieces]]:
        """Each file with its content, piece by piece."""
        for name, packed in self.long.items():
            yield name, packed.pieces()
        for name, content in self.files.items():
            yield name, (content,)


def rendered(facts: Facts, target: Target, requests: Packed | None = None) -> Rendered:
    """The files of a report, a folder with the register of all requests. A single file is named `output`.

    Raises:
        ExtraMissing: The format needs an optional part that is not installed.
    """
    if target.format is Format.ALL:
        return folder(facts, requests=requests)
    if target.is_folder:
        from suppress.report import csv

        long = _long(requests)
        return Rendered(csv.folder(facts, long), long=long)
    return Rendered({_ALONE: _one(facts, target.format)})


def folder(
    facts: Facts, formats: Sequence[Format] = tuple(Format), *, requests: Packed | None = None
) -> Rendered:
    """The files of a folder of these formats; csv, the checkpoint and the sums are always there."""
    from suppress.report import csv

    long = _long(requests)
    files = {"checkpoint.txt": facts.manifest.ledger.checkpoint.encode()}
    files |= {f"csv/{name}": content for name, content in csv.folder(facts, long).items()}
    long = {f"csv/{name}": content for name, content in long.items()}
    left_out: list[str] = []
    for format_ in (each for each in (Format.JSON, Format.XLSX) if each in formats):
        _add(files, facts, format_, (), left_out)
    attachments = attached({**files, **long})
    for format_ in (each for each in (Format.PDF, Format.HTML) if each in formats):
        _add(files, facts, format_, attachments, left_out)
    files[SUMS] = sums({**files, **long})
    return Rendered(files, tuple(left_out), long)


def _long(requests: Packed | None) -> dict[str, Packed]:
    return {} if requests is None else {f"{NAME}.csv": requests}


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
