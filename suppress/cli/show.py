"""`suppress show`: what the ledger knows about one address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Cell, Screen, emit
from suppress.cli.options import AsJson, settings
from suppress.core.entry import Corrected, Erased, OptInRecorded
from suppress.core.verdict import Ruling, Verdict

if TYPE_CHECKING:
    from suppress.ledger import Recorded
    from suppress.show import Shown


def show(
    ctx: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="In any spelling.")],
    as_json: AsJson = False,
) -> None:
    """Show what holds for one address, everything that is recorded about it, and who obeys.

    suppress show pat@example.com
    """
    from suppress.core.address import Address
    from suppress.errors import BadUsage
    from suppress.ledger import Ledger
    from suppress.show import show as run

    try:
        parsed = Address.parse(address)
    except ValueError as nothing:
        raise BadUsage(f"{address!r} holds no address", remedy="suppress show ADDRESS") from nothing
    chosen = settings(ctx)
    with Ledger.open(chosen.ledger, keys=chosen.keys, read_only=True) as ledger:
        shown = run(ledger, parsed)
    facts = {
        "address": shown.address.raw,
        "standing": _standing(shown),
        "history": _history(shown.history, shown),
        "destinations": [
            {
                "destination": each.destination,
                "honoured_at": each.at,
                "verified": each.verified,
                "seq": each.seq,
            }
            for each in shown.destinations
        ],
        "digests": [
            {
                "algorithm": each.recipe.algorithm,
                "form": each.recipe.form,
                "rule": str(each.recipe),
                "trusted": each.trusted,
                "history": _history(each.history, shown),
            }
            for each in shown.digests
        ],
    }
    emit("show", facts, as_json=as_json, human=lambda screen: _draw(screen, shown))


def _standing(shown: Shown) -> Mapping[str, object]:
    verdict = shown.verdict
    return {
        "suppressed": verdict.ruling is Ruling.SUPPRESSED,
        "verdict": verdict.ruling,
        "tier": verdict.tier,
        "rule": verdict.rule,
        "since": verdict.since,
        "source": verdict.source,
        "reason": verdict.reason,
        "scope": None if verdict.scope is None else str(verdict.scope),
        "suppressions": [
            {
                "channel": each.channel,
                "scope": str(each.scope),
                "reason": each.reason,
                "since": each.since,
                "source": each.source,
                "seq": each.seq,
                "visibility": each.visibility,
            }
            for each in shown.standing.suppressions
        ],
        "lifts": [
            {"channel": each.channel, "scope": str(each.scope), "at": each.at, "seq": each.seq}
            for each in shown.standing.lifts
        ],
    }


_INNER = {"subject", "sid", "pii", "digest_of"}
"""Commitments and random ids: of use to `suppress verify`, not to a reader."""


def _history(history: Sequence[Recorded], shown: Shown) -> list[Mapping[str, object]]:
    return [{**_entry(each), "struck_out_by": shown.struck.get(each.entry.seq)} for each in history]


def _entry(recorded: Recorded) -> Mapping[str, object]:
    entry, payload = recorded.entry, recorded.payload
    body = {each.name: getattr(entry.body, each.name) for each in fields(entry.body)}
    return {
        "seq": entry.seq,
        "type": entry.body.type,
        "at": entry.at,
        "actor": entry.actor,
        **dict.fromkeys(("occurred_at", "received_at", "source", "reason")),
        **{name: value for name, value in body.items() if name not in _INNER},
        "address": None if payload is None else payload.get("address"),
        "evidence": None if payload is None else payload.get("evidence"),
    }


def _draw(screen: Screen, shown: Shown) -> None:
    screen.heading(f"{shown.address.raw}: {_in_words(shown.verdict)}")
    if not shown.history:
        why = "Nothing is recorded about this address"
        holds = "" if shown.verdict.seq is None else f" itself; entry {shown.verdict.seq} says so"
        screen.line(f"{why}{holds}.")
    _draw_history(screen, shown.history, shown)
    for digest in shown.digests:
        believed = "" if digest.trusted else "; a check does not look for digests of this kind"
        screen.line(f"In a list of digests, as {digest.recipe}{believed}:")
        _draw_history(screen, digest.history, shown)
    if shown.history and shown.destinations:
        screen.table(
            ["destination", "honoured", "read back"],
            [
                [each.destination, _day(each.at) or "not yet", "yes" if each.verified else "no"]
                for each in shown.destinations
            ],
        )


def _draw_history(screen: Screen, history: Sequence[Recorded], shown: Shown) -> None:
    rows = [_row(_entry(each)) for each in history if each.entry.body.type != "subject.added"]
    if rows:
        screen.table(["entry", "recorded", "what", "happened", "received", "source", "reason"], rows)
    for each in history:
        for line in (*_changes(each, shown.struck), *_evidence(each), *_erasure(each)):
            screen.line(line)


def _in_words(verdict: Verdict) -> str:
    if verdict.tier is None:
        return "not suppressed"
    since = _day(verdict.since) or "an unknown date"
    words = {
        Ruling.SUPPRESSED: f"suppressed ({verdict.rule})",
        Ruling.REVIEW: f"reaches the mailbox of a suppressed address ({verdict.rule}): review",
        Ruling.CLEAR: "not suppressed",
    }
    return f"{words[verdict.ruling]}, since {since}, source {verdict.source}, reason {verdict.reason}"


def _row(entry: Mapping[str, object]) -> list[Cell]:
    texts = (entry["type"], _day(entry["occurred_at"]), _day(entry["received_at"]))
    seq = entry["seq"]
    assert isinstance(seq, int)
    return [
        seq,
        _day(entry["at"]),
        *(str(each or "") for each in texts),
        str(entry["source"] or ""),
        str(entry["reason"] or ""),
    ]


def _day(moment: object) -> str:
    from datetime import datetime

    return f"{moment:%Y-%m-%d %H:%M}Z" if isinstance(moment, datetime) else ""


def _changes(recorded: Recorded, struck: Mapping[int, int]) -> Iterator[str]:
    """What an entry did to others, or another to it, and who answers for it."""
    seq, body = recorded.entry.seq, recorded.entry.body
    if seq in struck:
        yield f"entry {seq} is struck out by entry {struck[seq]} and no longer counts"
    if isinstance(body, Corrected):
        by = "" if body.approver is None else f", approved by {body.approver}"
        of = "" if body.batch is None else f", as all of the import of entry {body.batch}"
        yield f"entry {seq} strikes out entry {body.entry}{by}{of}"
    if isinstance(body, OptInRecorded):
        by = "" if body.approver is None else f", approved by {body.approver}"
        yield f"entry {seq}: a consent for {body.channel}, {body.scope}{by}"


def _erasure(recorded: Recorded) -> Iterator[str]:
    """What is no longer there, and why."""
    body = recorded.entry.body
    if isinstance(body, Erased):
        entries = ", ".join(str(seq) for seq in body.entries)
        yield f"entry {recorded.entry.seq}: address and evidence of {entries} are erased ({body.basis})"
        if body.override:
            yield f"  although {', '.join(body.untold)} had not honoured them: {body.override}"


def _evidence(recorded: Recorded) -> Iterator[str]:
    """One line for each piece of evidence. It is text from outside; `Screen` shows it and never obeys it."""
    if recorded.payload is None:
        return
    evidence = recorded.payload.get("evidence")
    if isinstance(evidence, Mapping):
        for name, value in evidence.items():
            yield f"entry {recorded.entry.seq}, {name}: {value}"
