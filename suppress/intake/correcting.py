"""Corrections: an entry that staff made and that was wrong is struck out, by a named approver. It stays.

What may be struck out is decided in `core.reversible`. Approver and reason are hashed into the entry and stay
for good; they are about whoever corrects, never about the person.
"""

from __future__ import annotations

from dataclasses import dataclass

from suppress.core.entry import Corrected, Entry
from suppress.core.lasting import problem_of
from suppress.core.reversible import objection
from suppress.errors import BadUsage
from suppress.intake.recording import record
from suppress.ledger import Event, Ledger


@dataclass(frozen=True, slots=True)
class Struck:
    """An entry that no longer counts."""

    entry: Entry
    """Which one."""
    seq: int | None
    """The correction; None in a dry run."""
    new: bool


def correct(
    ledger: Ledger, seq: int, *, approver: str, reason: str, actor: str, dry_run: bool = False
) -> Struck:
    """Strike out one entry. Striking out the same entry twice changes nothing.

    Raises:
        BadUsage: There is no such entry, it is none of staff, or approver or reason is missing.
        SuppressError: The ledger cannot be written.
    """
    require_lasting("--approver", approver)
    require_lasting("--reason", reason)
    entry = ledger.entry(seq)
    if entry is None:
        raise BadUsage(f"there is no entry {seq}", remedy="suppress show ADDRESS lists a person's entries")
    named = ledger.entry(entry.body.entry) if isinstance(entry.body, Corrected) else None
    against = objection(entry.body, ledger.payload(seq), None if named is None else named.body)
    if against is not None:
        why, instead = against
        raise BadUsage(f"entry {seq} is not struck out: {why}", remedy=instead)
    before = ledger.struck_out([seq]).get(seq)
    if before is not None or dry_run:
        return Struck(entry, before, new=before is None)
    event = Event(f"correct-{seq}", Corrected(seq, reason.strip(), approver.strip()))
    (receipt,) = record(ledger, [event], actor=actor)
    return Struck(entry, receipt.seq, receipt.new)


def require_lasting(option: str, text: str) -> None:
    """Refuse words that may not stay for good. Raises `BadUsage`."""
    wrong = problem_of(text)
    if wrong is not None:
        raise BadUsage(
            f"{option} {wrong}, and it stays in the ledger for good",
            remedy="say it in a few words, without an address",
        )
