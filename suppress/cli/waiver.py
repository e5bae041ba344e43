"""`suppress waiver …`: leave to mail one suppressed person for one purpose until a day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from suppress.cli.console import Screen, emit
from suppress.cli.options import AsJson, DryRun, actor, one_address, quoted, settings
from suppress.errors import BadUsage

if TYPE_CHECKING:
    from suppress.intake.waivers import Waived, WaiverState

waiver_app = typer.Typer(
    no_args_is_help=True, help="Leave to mail one suppressed person, for one purpose, until a day."
)

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="Whom it is about.")]
Purpose = Annotated[str, typer.Option(help="What for, as `suppress check --purpose` will name it.")]


@waiver_app.command("add")
def add(
    ctx: typer.Context,
    address: Address,
    until: Annotated[str, typer.Option(metavar="DATE", help="The last day, at most a year away.")],
    purpose: Purpose = "",
    reason: Annotated[str, typer.Option(help="Why it is right to mail them.")] = "",
    approver: Annotated[str, typer.Option(help="Who answers for it.")] = "",
    channel: Annotated[Literal["email", "sms"], typer.Option(help="Over which channel.")] = "email",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Let one person through for one purpose. Only a check for that purpose counts it, and says so.

    suppress waiver add pat@example.com --purpose recall --until 2026-12-31 --reason "safety" --approver Kim
    """
    from suppress.core.suppression import Channel
    from suppress.files.dates import zone_named
    from suppress.intake.waivers import waive
    from suppress.ledger import Ledger

    chosen = settings(ctx)
    who = one_address(address)
    with Ledger.open(chosen.ledger, keys=chosen.keys, read_only=dry_run) as ledger:
        made = waive(
            ledger,
            who,
            purpose=purpose,
            until=_day(until),
            reason=reason,
            approver=approver,
            channel=Channel(channel),
            zone=zone_named(chosen.timezone),
            now=datetime.now(UTC),
            actor=actor(),
            dry_run=dry_run,
        )
        head = ledger.head()
    facts = {
        "address": made.address.raw,
        "purpose": made.purpose,
        "until": made.until,
        "new": made.new,
        "seq": made.seq,
        "dry_run": dry_run,
        "ledger": quoted(head),
    }
    emit("waiver-add", facts, as_json=as_json, human=lambda screen: _draw_made(screen, made))


@waiver_app.command("end")
def end(
    ctx: typer.Context,
    address: Address,
    purpose: Purpose = "",
    reason: Annotated[str, typer.Option(help="Why it is taken back.")] = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take a waiver back before its day.

    suppress waiver end pat@example.com --purpose "recall notice" --reason "the recall is over"
    """
    from suppress.intake.waivers import end_waiver
    from suppress.ledger import Ledger

    chosen = settings(ctx)
    who = one_address(address)
    with Ledger.open(chosen.ledger, keys=chosen.keys, read_only=dry_run) as ledger:
        ended = end_waiver(
            ledger,
            who,
            purpose=purpose,
            reason=reason,
            now=datetime.now(UTC),
            actor=actor(),
            dry_run=dry_run,
        )
        head = ledger.head()
    facts = {"address": who.raw, "ended": list(ended), "dry_run": dry_run, "ledger": quoted(head)}
    emit(
        "waiver-end", facts, as_json=as_json, human=lambda screen: _draw_ended(screen, ended, dry_run=dry_run)
    )


@waiver_app.command("list")
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the waivers that were not taken back, newest first, each with reason, approver and end.

    suppress waiver list
    """
    from dataclasses import asdict

    from suppress.intake.waivers import waivers
    from suppress.ledger import Ledger

    chosen = settings(ctx)
    with Ledger.open(chosen.ledger, keys=chosen.keys, read_only=True) as ledger:
        found, head = tuple(waivers(ledger, datetime.now(UTC))), ledger.head()
    shown = [{name: value for name, value in asdict(each).items() if name != "subject"} for each in found]
    facts = {"waivers": shown, "ledger": quoted(head)}
    emit("waiver-list", facts, as_json=as_json, human=lambda screen: _draw_list(screen, found))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as wrong:
        raise BadUsage(f"--until {text!r} is no date", remedy="write it as 2026-12-31") from wrong


def _draw_made(screen: Screen, made: Waived) -> None:
    who = f"{made.address.raw} for “{made.purpose}” until {made.until:%Y-%m-%d %H:%M %Z}"
    if made.seq is None:
        screen.heading(f"{who}: would be let through (dry run: nothing was written)")
    elif made.new:
        screen.heading(f"{who}: entry {made.seq}")
    else:
        screen.heading(f"{who}: already recorded, as entry {made.seq}")
    screen.line(f'Next: suppress check FILE --purpose "{made.purpose}"')


def _draw_ended(screen: Screen, ended: tuple[int, ...], *, dry_run: bool) -> None:
    for seq in ended:
        screen.line(f"The waiver of entry {seq} {'would end' if dry_run else 'has ended'}")


def _draw_list(screen: Screen, found: tuple[WaiverState, ...]) -> None:
    if not found:
        screen.line("There are no waivers.")
        return
    rows = [
        (
            each.address,
            each.purpose,
            f"{each.until:%Y-%m-%d %H:%M}Z",
            each.state,
            each.approver,
            each.reason,
            each.seq,
        )
        for each in found
    ]
    screen.table(("address", "purpose", "until", "state", "approver", "reason", "entry"), rows)
