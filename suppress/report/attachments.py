"""The files that come with a report, by their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from suppress.report.table import Listing, Table

SUMS = "SHA256SUMS"
"""The file of a folder that holds the digests of all others, as coreutils' `sha256sum -c` reads them."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file beside the report."""

    name: str
    bytes: int
    sha256: str


def attached(files: Mapping[str, bytes]) -> tuple[Attachment, ...]:
    """The files of a report, by name."""
    return tuple(
        Attachment(name, len(content), hashlib.sha256(content).hexdigest()) for name, content in files.items()
    )


def sums(files: Mapping[str, bytes]) -> bytes:
    """A line of digest and name for each file; names are ours and hold nothing that needs an escape."""
    lines = (f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    return "".join(lines).encode()


def listed(attachments: Sequence[Attachment]) -> Table:
    """The files as a table of the report."""
    return (
        Listing(attachments)
        .column("File", lambda each: each.name)
        .column("Bytes", lambda each: each.bytes)
        .column("SHA-256", lambda each: each.sha256)
        .table(
            "attachments",
            "Files that belong to this report",
            empty="this report was made as a single file. suppress report -o FOLDER writes the figures as "
            "CSV, JSON and a workbook beside it, and their digests here.",
        )
    )
