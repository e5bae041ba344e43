"""`suppress consent`: a later consent, the one thing that lifts an opt-out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from suppress.cli.console import Screen, emit
from suppress.cli.options import (
    AsJson,
    DryRun,
    actor,
    moment_given,
    one_address,
    quoted,
    scope_given,
    settings,
)

if TYPE_CHECKING:
    from suppress.intake.consenting import Consented


def consent(
    ctx: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Who may be mailed again.")],
    at: Annotated[str, typer.Option("--at", metavar="DATE", help="When they consented.")],
    evidence: Annotated[Path, typer.Option(metavar="FILE", help="A file that shows it; its digest is kept.")],
    approver: Annotated[str, typer.Option(metavar="NAME", help="Who answers for it.")],
    channel: Annotated[Literal["email", "sms"], typer.Option(help="For what.")] = "email",
    scope: Annotated[
        str | None, typer.Option(help="everything, sender:NAME or list:SENDER/NAME. [default: everything]")
    ] = None,
    sender: Annotated[str | None, typer.Option(help="Only mail of this sender.")] = None,
    list_: Annotated[str | None, typer.Option("--list", help="Only this list of that sender.")] = None,
    words: Annotated[str | None, typer.Option("--note", help="What was said, in a sentence.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Record a later consent. It lifts the older opt-outs in its scope; one that is not later is refused.

    suppress consent pat@example.com --at "2026-11-20 14:30" --evidence form.pdf --approver "Kim Lee"
    """
    from suppress.core.suppression import Channel
    from suppress.files.dates import zone_named
    from suppress.intake import Evidence
    from suppress.intake.consenting import consent as run
    from suppress.ledger import Ledger

    chosen = settings(ctx)
    zone = zone_named(chosen.timezone)
    who, when = one_address(address), moment_given("--at", at, zone)
    reach = scope_given(scope, sender, list_)
    shown = Evidence.of(evidence)
    with Ledger.open(chosen.ledger, keys=chosen.keys, read_only=dry_run) as ledger:
        done = run(
            ledger,
            who,
            at=when,
            evidence=shown,
            approver=approver,
            channel=Channel(channel),
            scope=reach,
            note=words,
            zone=zone,
            now=datetime.now(UTC),
            actor=actor(),
            dry_run=dry_run,
        )
        head = ledger.head()
    facts = {**_facts(done), "dry_run": dry_run, "ledger": quoted(head)}
    emit("consent", facts, as_json=as_json, human=lambda screen: _draw(screen, done))


def _facts(done: Consented) -> Mapping[str, object]:
    told, verdict = done.consent, done.verdict
    return {
        "address": told.address.raw,
        "new": done.new,
        "seq": done.seq,
        "occurred_at": told.occurred_at,
        "channel": told.channel,
        "scope": str(told.scope),
        "approver": told.approver,
        "evidence": dict(told.evidence),
        "lifted": [
            {"seq": each.seq, "scope": str(each.scope), "reason": each.reason, "latest": each.latest}
            for each in done.lifted
        ],
        "verdict": None if verdict is None else verdict.ruling,
        "withheld_by": None if verdict is None else verdict.rule,
    }


def _draw(screen: Screen, done: Consented) -> None:
    told = done.consent
    who = f"{told.address.raw}, {told.channel}, {told.scope}"
    if done.seq is None:
        screen.heading(f"{who}: the consent would lift this (dry run: nothing was written)")
    elif done.new:
        screen.heading(f"{who}: consent recorded as entry {done.seq}")
    else:
        screen.heading(f"{who}: this consent was already recorded, as entry {done.seq}")
    for each in done.lifted:
        screen.line(
            f"lifted: entry {each.seq} ({each.reason}, {each.scope}) of {each.latest:%Y-%m-%d %H:%M}Z"
        )
    if done.complained:
        screen.line("They had complained: platforms hold such addresses back by themselves, and may go on.")
    if done.verdict is not None and done.verdict.rule is not None:
        screen.line(f"Still withheld by {done.verdict.rule}; a consent does not lift that.", style="yellow")
    screen.line(f"Next: suppress show {told.address.raw}")
