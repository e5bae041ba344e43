"""`suppress status`: one screen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Screen, emit, progress, written
from suppress.cli.options import AsJson, appearance, settings

if TYPE_CHECKING:
    from suppress.report.coverage import SourceCoverage
    from suppress.status import Status


Prometheus = Annotated[
    bool, typer.Option("--prometheus", help="Metrics in Prometheus' text format instead of a screen.")
]


def status(ctx: typer.Context, prometheus: Prometheus = False, as_json: AsJson = False) -> None:
    """Show how fresh everything is, what is due, what is overdue and who drifted.

    Exit code 1 if a request is overdue or a suppressed person is mailable again.

        suppress status
        suppress status --json
        suppress status --prometheus > suppress.prom
    """
    from suppress.errors import BadUsage
    from suppress.ledger import Ledger
    from suppress.report.json import plain
    from suppress.status import status as look

    if prometheus and as_json:
        raise BadUsage("--prometheus and --json exclude each other", remedy="suppress status --help")
    chosen = settings(ctx)
    with (
        Ledger.open(chosen.ledger, keys=chosen.keys, read_only=True) as ledger,
        progress("Reading", appearance=appearance(ctx), unit="entries") as advance,
    ):
        found = look(ledger, chosen, now=datetime.now(UTC), progress=advance)
    if prometheus:
        from suppress.cli.exposition import exposition

        written(exposition(found))
    else:
        emit("status", plain(found), as_json=as_json, human=lambda screen: _draw(screen, found))
    if found.findings:
        raise typer.Exit(1)


def _draw(screen: Screen, found: Status) -> None:
    waiting = found.waiting
    screen.heading(found.organisation or "Suppression ledger")
    screen.fields(
        [
            ("people suppressed", found.suppressed),
            ("ledger", f"{found.size:,} entries, root {found.root[:16]}…"),
            ("last entry", _ago(found.last_entry, found.as_of)),
            ("last anchor", _anchor(found)),
        ]
    )
    screen.line()
    if found.sources:
        rows = [
            (each.name, each.platform, _run(each, found.as_of), _census(each, found.as_of), each.requests)
            for each in found.sources
        ]
        screen.table(("source", "platform", "last complete run", "last census", "requests"), rows)
        screen.line()
    if found.destinations:
        told = [
            (
                each.name,
                each.platform,
                _ago(each.last_export, found.as_of),
                each.last_count,
                each.untold,
                found.overdue.get(each.name, 0),
            )
            for each in found.destinations
        ]
        screen.table(("destination", "platform", "last told", "people", "not yet told", "overdue"), told)
        screen.line()
    due = "" if waiting.next_strict is None else f", next strict date {waiting.next_strict}"
    screen.fields(
        [
            ("requests open", f"{waiting.open:,} ({waiting.due_soon:,} due within 3 days{due})"),
            ("at risk", waiting.at_risk),
            ("overdue", waiting.overdue),
            ("mailable again", sum(each.people for each in found.drift)),
        ]
    )
    _draw_points(screen, found)


def _draw_points(screen: Screen, found: Status) -> None:
    if not found.points:
        screen.line("✓ nothing calls for attention", style="green")
    for point in found.points:
        style = "bold red" if point.weight.value == "action" else "yellow"
        screen.line(f"{point.weight.value}: {point.says}", style=style)
        screen.line(f"  next: {point.next_step}")


def _anchor(found: Status) -> str:
    anchored = found.anchored
    if anchored is None:
        return "never"
    return f"{_ago(anchored.at, found.as_of)}, of {anchored.size:,} entries"


def _run(source: SourceCoverage, now: datetime) -> str:
    return _ago(source.last_complete, now) + (" (stale)" if source.run_is_stale else "")


def _census(source: SourceCoverage, now: datetime) -> str:
    return _ago(source.last_census, now) + (" (stale)" if source.census_is_stale else "")


def _ago(moment: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit that says enough."""
    if moment is None:
        return "never"
    minutes = max(int((now - moment).total_seconds()) // 60, 0)
    if minutes < 60:
        return f"{minutes} min ago"
    if minutes < 48 * 60:
        return f"{minutes // 60} h ago"
    return f"{minutes // (24 * 60)} days ago"
