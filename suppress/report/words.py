"""How the report's words read to a person: one name for each state, reason and kind, in every format."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from suppress.core.suppression import Channel, Origin, Reason
from suppress.report.drift import Closing
from suppress.report.judging import State
from suppress.report.people import Clock

_WORDS: Mapping[StrEnum, str] = {
    State.ENDED: "no longer owed",
    State.MET: "met",
    State.MET_AFTER_STRICT: "met after the strict date",
    State.INHERITED: "inherited, honoured since",
    State.INHERITED_OPEN: "inherited, open",
    State.OPEN: "open",
    State.AT_RISK: "at risk",
    State.LATE: "late",
    State.OVERDUE: "overdue",
    Reason.COMPLAINT: "spam complaint",
    Reason.UNSUBSCRIBED: "unsubscribed",
    Reason.REQUESTED: "asked us",
    Reason.ACCOUNT: "marked by staff or upload",
    Reason.UNKNOWN: "unknown",
    Reason.BOUNCED: "bounced",
    Channel.EMAIL: "e-mail",
    Channel.SMS: "SMS",
    Origin.PLATFORM: "platform",
    Origin.PERSON: "person",
    Origin.FILE: "file",
    Clock.RECEIVED: "receipt",
    Clock.ACTED: "the person's act",
    Clock.LEARNED: "the ledger's entry",
    Closing.CENSUS: "a census no longer found it",
    Closing.PATROL: "a patrol no longer found it",
    Closing.CONSENT: "a later consent",
    Closing.CORRECTED: "struck out as wrong",
    Closing.FORGOTTEN: "the person was forgotten",
}


def word(value: StrEnum | None) -> str:
    """The word for a value; empty for None."""
    return "" if value is None else _WORDS[value]


def number(count: int, one: str, many: str) -> str:
    """A count with its noun: `number(1, "entry", "entries")`."""
    return f"{count:,} {one if count == 1 else many}"


def harmless(text: str) -> str:
    """Text that cannot act unseen: control characters and direction marks are escapes."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode()
        for each in text
    )


_COUNTS: Mapping[str, str] = {
    "contacts": "Contacts seen, deleted ones included",
    "opted_out": "Opted out",
    "opted_out_visible": "Opted out and visible (the usual query shows them)",
    "opted_out_deleted": "Opted out and deleted (the usual query hides them)",
    "deleted": "Deleted",
    "mailable": "Mailable",
    "without_address": "Without an e-mail address",
    "rounds": "Rounds of reading",
}


def count_name(name: str) -> str:
    """The words for a count that a source names in its census; its own name in plain form if unknown."""
    if name in _COUNTS:
        return _COUNTS[name]
    if name.startswith("status_"):
        status = name.removeprefix("status_")
        counted = status.removesuffix("_counted")
        return f"Platform's own count, status={counted}" if counted != status else f"Shown by status={status}"
    return name.replace("_", " ").capitalize()
