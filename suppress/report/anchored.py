"""When a checkpoint last left us: by `suppress anchor`, or quoted in a report or bundle.

A report or a bundle is an entry. Giving out an anchor is none, because it may be done by somebody who may
only read; the note that was given out is kept in the state folder, which may be lost: then it merely looks
as if no anchor had been given out.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from suppress.core.checkpoint import BadNote, Note
from suppress.core.entry import ReportIssued
from suppress.report.activity import Act

FILE = "last-anchor.note"


@dataclass(frozen=True, slots=True)
class Anchored:
    """The last checkpoint that left us."""

    at: datetime
    size: int
    by: str
    """`anchor`, or the kind of report or bundle that quoted it."""


def remember(state: Path, note: str) -> None:
    """Keep the note that was just given out. A folder that cannot be written is no error."""
    with contextlib.suppress(OSError):
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        begun = state / f"{FILE}.new"
        begun.write_text(note)
        begun.replace(state / FILE)


def last(state: Path, reports: tuple[Act[ReportIssued], ...]) -> Anchored | None:
    """The newest of what is remembered and what the ledger recorded."""
    found = [Anchored(each.at, each.body.size, each.body.audience) for each in reports]
    with contextlib.suppress(OSError, ValueError, BadNote):
        file = state / FILE
        size = int(Note.parse(file.read_text()).text.splitlines()[1])
        found.append(Anchored(datetime.fromtimestamp(file.stat().st_mtime, UTC), size, "anchor"))
    return max(found, key=lambda each: each.at, default=None)
