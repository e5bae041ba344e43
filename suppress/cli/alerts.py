"""`suppress alerts`: tell the people who run this what is wrong, or try whether that arrives."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Screen, emit, note
from suppress.cli.options import AsJson, DryRun, settings
from suppress.errors import ConfigWrong

if TYPE_CHECKING:
    from suppress.alerts.sending import Delivery
    from suppress.config import Settings

alerts_app = typer.Typer(
    help="Tell the people who run this when something is wrong.",
    no_args_is_help=True,
)
Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these [alerts.…] tables. [default: all]")
]


@alerts_app.command("send")
def send(ctx: typer.Context, names: Names = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Tell what is wrong: overdue, due soon, drift, incomplete, stale, spike, quota, sign-in.

    Each thing is told once, again when it gets worse or lasts a day, and once more when it is over. Exit
    code 5 if somebody could not be told.

        suppress alerts send
        suppress alerts send --dry-run
    """
    from suppress.alerts import sending
    from suppress.ledger import Ledger
    from suppress.plugin.registry import Registry

    chosen = settings(ctx)
    wanted, registry, now = _names(chosen, names), Registry.load(), datetime.now(UTC)
    with Ledger.open(chosen.ledger, keys=chosen.keys, read_only=True) as ledger:
        found = sending.judged(ledger, chosen, registry, now)
    deliveries = sending.send(found, chosen, registry, wanted, now, dry_run=dry_run)
    _say("alerts-send", deliveries, dry_run=dry_run, as_json=as_json)


@alerts_app.command("test")
def test(ctx: typer.Context, names: Names = None, as_json: AsJson = False) -> None:
    """Send a test message, to see whether it arrives. Nothing is remembered.

    suppress alerts test ops
    """
    from suppress.alerts import sending
    from suppress.plugin.registry import Registry

    chosen = settings(ctx)
    deliveries = sending.try_out(chosen, Registry.load(), _names(chosen, names), datetime.now(UTC))
    _say("alerts-test", deliveries, dry_run=False, as_json=as_json)


def _names(chosen: Settings, asked: list[str] | None) -> tuple[str, ...]:
    if not chosen.alerts:
        raise ConfigWrong("nobody is to be alerted", remedy="add [alerts.ops] to suppress.toml")
    for name in asked or ():
        if name not in chosen.alerts:
            raise ConfigWrong(f"there is no alert {name!r}; configured: {', '.join(chosen.alerts)}")
    return tuple(dict.fromkeys(asked or chosen.alerts))


def _say(command: str, deliveries: Sequence[Delivery], *, dry_run: bool, as_json: bool) -> None:
    facts = {"dry_run": dry_run, "deliveries": [_facts(each) for each in deliveries]}
    emit(command, facts, as_json=as_json, human=lambda screen: _draw(screen, deliveries, dry_run=dry_run))
    failures = [each for each in deliveries if each.failure is not None]
    for each in failures:
        assert each.failure is not None
        note(f"suppress: {each.failure.message}")
        if each.failure.remedy is not None:
            note(f"  what to do: {each.failure.remedy}")
    if failures:
        raise typer.Exit(5)


def _facts(delivery: Delivery) -> dict[str, object]:
    return {
        "name": delivery.name,
        "alerts": [
            {"id": each.id, "condition": each.condition, "change": each.change, "says": each.says}
            for each in delivery.alerts
        ],
        "error": None if delivery.failure is None else delivery.failure.message,
    }


def _draw(screen: Screen, deliveries: Sequence[Delivery], *, dry_run: bool) -> None:
    for each in deliveries:
        state = "would be told" if dry_run else "was told" if each.failure is None else "could not be told"
        if not each.alerts:
            screen.line(f"{each.name}: nothing new")
            continue
        screen.heading(f"{each.name} {state}")
        for alert in each.alerts:
            screen.line(f"  {alert.change}: {alert.says}")
            screen.line(f"    next: {alert.next_step}")
