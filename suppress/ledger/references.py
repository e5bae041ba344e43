"""What an entry may say about other entries, held both when it is written and when it is verified. Pure."""

from __future__ import annotations

from suppress.core.entry import (
    Body,
    Corrected,
    DomainLifted,
    DriftFound,
    Erased,
    Forgotten,
    Honoured,
    ImportDone,
    IndexKeyRotated,
    KeyRotated,
    LogOpened,
    OptInRecorded,
    OptOutRecorded,
    PatrolDone,
    ReportIssued,
    Restored,
    SubjectAdded,
    SyncDone,
    WaiverRecorded,
)
from suppress.core.spans import are_spans

OURS = (
    LogOpened,
    SubjectAdded,
    OptOutRecorded,
    OptInRecorded,
    DriftFound,
    WaiverRecorded,
    Erased,
    Forgotten,
    KeyRotated,
    IndexKeyRotated,
    Restored,
)
"""Bodies that stand for a change elsewhere in the ledger, so that only the ledger itself writes them."""


def problem(body: Body, seq: int) -> str | None:
    """Why `body` cannot stand at position `seq`; None when it can.

    References point backwards, and counts add up.
    """
    for name, named in _named(body):
        if not 0 <= named < seq:
            return f"{name} {named} is not an earlier entry"
    match body:
        case ImportDone() if body.found is not None and not are_spans(body.found):
            return "found is not pairs of first and last in order"
        case ImportDone() if body.rows != body.accepted + body.duplicate + body.ignored + body.rejected:
            return "rows is not the sum of accepted, duplicate, ignored and rejected"
        case PatrolDone() if body.asked != body.held + body.mailable + body.unknown + body.unreadable:
            return "asked is not the sum of held, mailable, unknown and unreadable"
        case Honoured() if any(failed > body.upto for failed in (*body.failed, *(body.spans or ()))):
            return "a failed entry lies beyond upto"
        case Honoured() if body.spans is not None and (body.failed or not are_spans(body.spans)):
            return "spans are not pairs of first and last in order, or stand beside single entries"
        case ReportIssued() | Restored() if not 0 <= body.size <= seq:
            return f"size {body.size} is more than there was"
        case LogOpened() if seq != 0:
            return "a ledger is opened once"
        case _ if seq == 0 and not isinstance(body, LogOpened):
            return "a ledger begins with log.opened"
        case _:
            return None


def _named(body: Body) -> list[tuple[str, int]]:
    match body:
        case Corrected():
            batch = [] if body.batch is None else [("batch", body.batch)]
            return [("entry", body.entry), *batch]
        case DomainLifted():
            return [("rule", body.rule)]
        case Erased() | Forgotten():
            return [("entry", each) for each in body.entries]
        case Honoured():
            failed = (*body.failed, *(body.spans or ()))
            return [("upto", body.upto), *(("failed entry", each) for each in failed)]
        case SyncDone() | PatrolDone():
            return [("drift entry", each) for each in body.drift]
        case ImportDone():
            bounds = (("first", body.first), ("last", body.last))
            named = [(name, each) for name, each in bounds if each is not None]
            return [*named, *(("found entry", each) for each in body.found or ())]
        case _:
            return []
