"""`suppress add`: an opt-out that came by phone, reply or letter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from suppress.cli.console import Screen, emit, note
from suppress.cli.options import (
    AsJson,
    DryRun,
    actor,
    appearance,
    moment_given,
    one_address,
    quoted,
    scope_of,
    settings,
)

if TYPE_CHECKING:
    from suppress.intake import Added


def add(
    ctx: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Who must not be mailed.")],
    received: Annotated[
        str | None, typer.Option(metavar="DATE", help="When the request reached us. [default: now]")
    ] = None,
    occurred: Annotated[
        str | None, typer.Option(metavar="DATE", help="When the person made it, if known.")
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file that shows it; its digest is kept.")
    ] = None,
    words: Annotated[str | None, typer.Option("--note", help="What was said, in a sentence.")] = None,
    reason: Annotated[
        Literal["requested", "unsubscribed", "complaint", "account", "bounced", "unknown"],
        typer.Option(help="Why."),
    ] = "requested",
    channel: Annotated[Literal["email", "sms"], typer.Option(help="What must stop.")] = "email",
    sender: Annotated[str | None, typer.Option(help="Only mail of this sender. [default: all mail]")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Record an opt-out that came by phone, reply or letter, and say by when it must be honoured.

    suppress add pat@example.com --received 2026-11-20 --note "rang the office" --evidence letter.pdf
    """
    from suppress.core.suppression import Channel, Reason
    from suppress.files.dates import zone_named
    from suppress.intake import Evidence
    from suppress.intake import add as run
    from suppress.ledger import Ledger

    chosen = settings(ctx)
    zone, now = zone_named(chosen.timezone), datetime.now(UTC)
    who = one_address(address, remedy="suppress add ADDRESS --received DATE")
    for flaw in who.flaws:
        note(f"{address}: {flaw}; recorded all the same", appearance=appearance(ctx))
    with Ledger.open(chosen.ledger, keys=chosen.keys, read_only=dry_run) as ledger:
        added = run(
            ledger,
            who,
            received=_moment("received", received, zone) or now,
            occurred=_moment("occurred", occurred, zone),
            reason=Reason(reason),
            channel=Channel(channel),
            scope=scope_of(sender),
            evidence=Evidence.of(evidence) if evidence is not None else None,
            note=words,
            policies=chosen.policies,
            zone=zone,
            now=now,
            actor=actor(),
            dry_run=dry_run,
        )
        head = ledger.head()
    facts = {**_facts(added), "dry_run": dry_run, "ledger": quoted(head)}
    emit("add", facts, as_json=as_json, human=lambda screen: _draw(screen, added, zone))


def _moment(option: str, text: str | None, zone: tzinfo) -> datetime | None:
    return None if text is None else moment_given(f"--{option}", text, zone)


def _facts(added: Added) -> Mapping[str, object]:
    opt_out = added.opt_out
    return {
        "address": opt_out.address.raw,
        "new": added.new,
        "kept": added.kept,
        "seq": added.seq,
        "received_at": opt_out.received_at,
        "occurred_at": opt_out.occurred_at,
        "reason": opt_out.reason,
        "channel": opt_out.channel,
        "scope": str(opt_out.scope),
        "source": opt_out.source,
        "evidence": dict(opt_out.evidence),
        "deadlines": [
            {"policy": name, "act_by": due.strict, "breach_after": due.lenient}
            for name, due in added.deadlines.items()
        ],
    }


def _draw(screen: Screen, added: Added, zone: tzinfo) -> None:
    address = added.opt_out.address.raw
    if added.seq is None:
        screen.heading(f"{address} would be suppressed (dry run: nothing was written)")
    elif added.new:
        screen.heading(f"{address} is suppressed: entry {added.seq}")
    else:
        screen.heading(f"{address}: this request was already recorded, as entry {added.seq}")
    today = datetime.now(zone).date()
    for name, due in added.deadlines.items():
        missed = due.lenient < today
        when = f"act by {due.strict}; a breach after {due.lenient} ({zone})"
        screen.line(f"{name}: {when}{': OVERDUE' if missed else ''}", style="red" if missed else None)
    if added.kept:
        screen.line("Next: tell the other systems: suppress export DESTINATION")
    else:
        screen.line("They were erased and stay so: neither address nor evidence of this request is kept.")
        screen.line("Next: tell the other systems by hand, because no export can name them any more")
