"""The files that come with a report, by their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from suppress.report.packed import Packed
from suppress.report.table import Listing, Table

SUMS = "SHA256SUMS"
"""The file of a folder that holds the digests of all others, as coreutils' `sha256sum -c` reads them."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file beside the report."""

    name: str
    bytes: int
    sha256: str


def attached(files: Mapping[str, bytes | Packed]) -> tuple[Attachment, ...]:
    """The files of a report, by name."""
    return tuple(Attachment(name, size_of(content), digest_of(content)) for name, content in files.items())


def sums(files: Mapping[str, bytes | Packed]) -> bytes:
    """A line of digest and name for each file; names are ours and hold nothing that needs an escape."""
    return "".join(f"{digest_of(content)}  {name}\n" for name, content in files.items()).encode()


def digest_of(content: bytes | Packed) -> str:
    """SHA-256 of a file."""
    return content.sha256 if isinstance(content, Packed) else hashlib.sha256(content).hexdigest()


def size_of(content: bytes | Packed) -> int:
    """The bytes of a file."""
    return content.size if isinstance(content, Packed) else len(content)


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
