"""`suppress patrol`: read destinations back, and say who became mailable again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Screen, emit, note, progress
from suppress.cli.options import AsJson, DryRun, actor, appearance, settings

if TYPE_CHECKING:
    from suppress.config import Settings
    from suppress.errors import SuppressError
    from suppress.ledger import Ledger
    from suppress.patrol import PatrolResult, Progress, Strayed
    from suppress.plugin.registry import Registry

SHOWN = 20
"""People of whom a table says more than their number."""


def patrol(
    ctx: typer.Context,
    destinations: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DESTINATION]...", help="Only these destinations. [default: all]"),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Read destinations back: who became mailable again there, and which opt-outs only they know.

    It only reads there. Whoever is mailable is told to the destination first by the next export:

        suppress patrol
        suppress export newsletter
    """
    from suppress.ledger import Ledger
    from suppress.plugin.registry import Registry

    chosen = settings(ctx)
    names = _names(chosen, destinations)
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger.open(chosen.ledger, keys=chosen.keys, read_only=dry_run))
        advance = stack.enter_context(progress("Reading", appearance=appearance(ctx), unit="people"))
        registry = Registry.load()
        results = [_one(ledger, registry, chosen, name, advance, dry_run=dry_run) for name in names]
    emit(
        "patrol",
        {"dry_run": dry_run, "destinations": [_facts(result) for result in results]},
        as_json=as_json,
        human=lambda screen: _draw(screen, results, dry_run=dry_run),
    )
    failures = [result.failure for result in results if result.failure is not None]
    for result in results:
        if result.failure is not None:
            _said(result.destination, result.failure)
    if failures:
        # Sign-in is its own code only when nothing else went wrong.
        raise typer.Exit(max(failure.exit_code for failure in failures))
    if any(result.drift or result.weakened for result in results):
        raise typer.Exit(1)


def _names(chosen: Settings, asked: list[str] | None) -> tuple[str, ...]:
    from suppress.errors import ConfigWrong

    for name in asked or ():
        if name in chosen.nameless:
            raise ConfigWrong(chosen.lacks(name), remedy=f"add [destinations.{name}] to suppress.toml")
    configured = tuple(chosen.destinations)
    if not configured:
        raise ConfigWrong(
            "no destination is configured",
            remedy="add [destinations.NAME] to suppress.toml: suppress plugins",
        )
    for name in asked or ():
        if name not in configured:
            raise ConfigWrong(chosen.lacks(name), remedy=f"add [destinations.{name}] to suppress.toml")
    return tuple(dict.fromkeys(asked)) if asked else configured


def _one(
    ledger: Ledger, registry: Registry, chosen: Settings, name: str, advance: Progress, *, dry_run: bool
) -> PatrolResult:
    from suppress.errors import ConfigWrong, DestinationFailed, SignInNeeded
    from suppress.patrol import PatrolResult, utc_now
    from suppress.patrol import patrol as run

    told = chosen.destinations[name]
    try:
        exporter = registry.exporter(told, chosen.state)
    except (ConfigWrong, DestinationFailed, SignInNeeded) as failure:
        return PatrolResult(name, told.platform, failure=failure)
    with ExitStack() as stack:
        stack.callback(exporter.close)
        return run(
            ledger,
            exporter,
            told,
            state=chosen.state,
            now=utc_now(),
            actor=actor(),
            dry_run=dry_run,
            progress=advance,
        )


def _said(name: str, failure: SuppressError) -> None:
    note(f"suppress: {name}: {failure.message}")
    if failure.remedy is not None:
        note(f"  what to do: {failure.remedy}")


def _facts(result: PatrolResult) -> Mapping[str, object]:
    from suppress.patrol.judging import Finding

    return {
        "destination": result.destination,
        "platform": result.platform,
        "complete": result.complete,
        "readable": result.readable,
        "asked": result.asked,
        "findings": {each.value.replace(" ", "_"): result.findings[each] for each in Finding},
        "drift": [_person(each) for each in result.drift],
        "weakened": [_person(each) for each in result.weakened],
        "swept": result.swept,
        "learned": result.learned,
        "released": result.released,
        "bounced": result.bounced,
        "entries_expire": result.expires,
        "receipt": result.receipt,
        "next": _next(result),
        "error": None if result.failure is None else result.failure.message,
    }


def _person(each: Strayed) -> Mapping[str, object]:
    return {
        "seq": each.seq,
        "subject": each.subject,
        "finding": each.finding.value.replace(" ", "_"),
        "since": each.since,
        "by": each.by,
        "before": each.before,
    }


def _next(result: PatrolResult) -> str | None:
    from suppress.patrol.judging import Finding

    if result.drift or result.findings[Finding.NOT_TOLD] or result.findings[Finding.PENDING]:
        return f"suppress export {result.destination} --dry-run"
    return None


def _draw(screen: Screen, results: Sequence[PatrolResult], *, dry_run: bool) -> None:
    would = " (dry run: nothing was written)" if dry_run else ""
    for result in results:
        cut = "" if result.complete or not result.readable else ", cut short"
        screen.heading(f"{result.destination} ({result.platform}){cut}{would}")
        if not result.readable:
            screen.line("It shows nothing of what it holds, so nothing was read.")
            continue
        rows = [(f"  {each.value}", count) for each, count in sorted(result.findings.items()) if count]
        screen.fields([("suppressed people looked for", result.asked), *rows])
        if result.swept:
            others = [
                ("  consented since, and held there still", result.released),
                ("  bounces, which are no opt-outs", result.bounced),
            ]
            screen.fields(
                [
                    ("on its own list", result.swept),
                    ("  new to the ledger", result.learned),
                    *(each for each in others if each[1]),
                ]
            )
        _people(screen, "DRIFT: suppressed people who are mailable there", result.drift, "red")
        _people(screen, "Held for a weaker reason than before", result.weakened, "yellow")
        if result.expires is not None:
            screen.line(f"It drops suppressions by itself {result.expires}; keep patrolling.", style="yellow")
        if (following := _next(result)) is not None:
            screen.line(f"Next: {following}")


def _people(screen: Screen, heading: str, people: Sequence[Strayed], style: str) -> None:
    if not people:
        return
    screen.line(f"{heading}: {len(people):,}", style=style)
    screen.table(
        ["entry", "person", "found", "since", "by"],
        [
            (
                "" if each.seq is None else str(each.seq),
                each.subject,
                each.finding.value if each.before is None else f"{each.finding.value}, was {each.before}",
                "" if each.since is None else f"{each.since:%Y-%m-%d %H:%M}",
                each.by or "",
            )
            for each in people[:SHOWN]
        ],
    )
    if len(people) > SHOWN:
        screen.line(f"… and {len(people) - SHOWN:,} more: --json names them all")
