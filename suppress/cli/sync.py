"""`suppress sync`: ask the sources, record what they know."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Screen, emit, note, progress
from suppress.cli.options import AsJson, DryRun, actor, appearance, quoted, settings
from suppress.errors import BadUsage, SignInNeeded, SourceFailed

if TYPE_CHECKING:
    from suppress.config import Settings
    from suppress.errors import SuppressError
    from suppress.plugin.contract import Source
    from suppress.plugin.registry import Registry
    from suppress.sync import SourceResult

Every = Annotated[
    str | None,
    typer.Option(metavar="SPAN|CRON", help="Stay and do it again: 1h, 30m, or '15 2 * * *' as cron has it."),
]
FullEvery = Annotated[
    str | None,
    typer.Option(metavar="SPAN|CRON", help="With --every: how often a census, or never. [default: 7d]"),
]
Metrics = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write metrics for Prometheus there after the run, whole."),
]
LogFormat = Annotated[
    str,
    typer.Option(envvar="SUPPRESS_LOG_FORMAT", help="With --every: lines of the log as text or as json."),
]


def sync(
    ctx: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Only these sources. [default: all]")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Take a census too: everything the source can show, counted.")
    ] = False,
    every: Every = None,
    full_every: FullEvery = None,
    metrics: Metrics = None,
    log_format: LogFormat = "text",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Ask the sources for every opt-out, deleted contacts included, and record what is new.

    Safe to kill and to repeat. Run it nightly, and with --full once a week; or let it stay, as a service that
    ends with 0 when it is told to:

        suppress sync
        suppress sync --full
        suppress sync --every 1h --metrics suppress.prom --log-format json
    """
    from suppress.ledger import Ledger
    from suppress.plugin.registry import Registry
    from suppress.sync import exit_code, unopened, utc_now
    from suppress.sync import sync as run

    chosen = settings(ctx)
    names = _names(tuple(chosen.sources), sources)
    if every is not None:
        alone = {"--full": full, "--dry-run": dry_run, "--json": as_json}
        raise typer.Exit(_stay(chosen, names, every, full_every, metrics, log_format, alone))
    if full_every is not None:
        raise BadUsage("--full-every goes with --every", remedy="suppress sync --full takes one census")
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger.open(chosen.ledger, keys=chosen.keys))
        registry = Registry.load()
        now = utc_now()
        opened, failures = _opened(stack, registry, chosen, names)
        advance = stack.enter_context(progress("Reading", appearance=appearance(ctx), unit="contacts"))
        results = run(
            ledger,
            opened,
            full=full,
            now=now,
            actor=actor(),
            dry_run=dry_run,
            progress=lambda _source, _step, done, total: advance(done, total),
            scopes={name: chosen.sources[name].scope for name in names},
        )
        refused = (
            unopened(name, chosen.sources[name].platform, failure, full=full, now=now)
            for name, failure in failures.items()
        )
        results = (*results, *refused)
        head = ledger.head()
        if metrics is not None and not dry_run:
            from suppress.cli.service import write_metrics

            write_metrics(ledger, chosen, utc_now(), metrics)
    facts = {
        "sources": [_facts(result) for result in results],
        "ledger": quoted(head),
        "dry_run": dry_run,
    }
    emit("sync", facts, as_json=as_json, human=lambda screen: _draw(screen, results, dry_run=dry_run))
    _say_failures(results)
    raise typer.Exit(exit_code(results))


def _opened(
    stack: ExitStack, registry: Registry, chosen: Settings, names: tuple[str, ...]
) -> tuple[list[Source], dict[str, SuppressError]]:
    """The sources that could be opened, closed with the stack; and by name why others could not."""
    opened: list[Source] = []
    failures: dict[str, SuppressError] = {}
    for name in names:
        try:
            source = registry.source(chosen.sources[name], state=chosen.state)
        except (SourceFailed, SignInNeeded) as failure:
            failures[name] = failure
        else:
            stack.callback(source.close)
            opened.append(source)
    return opened, failures


def _say_failures(results: tuple[SourceResult, ...]) -> None:
    for result in results:
        if result.failure is not None:
            note(f"suppress: {result.source}: {result.failure.message}")
            if result.failure.remedy is not None:
                note(f"  what to do: {result.failure.remedy}")


def _stay(
    chosen: Settings,
    names: tuple[str, ...],
    every: str,
    full_every: str | None,
    metrics: Path | None,
    log_format: str,
    alone: Mapping[str, bool],
) -> int:
    from suppress.cli.service import Asked, serve

    for option, given in alone.items():
        if given:
            raise BadUsage(f"--every and {option} exclude each other", remedy="suppress sync --help")
    if log_format not in ("text", "json"):
        raise BadUsage(f"--log-format {log_format!r} is neither text nor json", remedy="suppress sync --help")
    return serve(chosen, names, Asked(every, full_every or "7d", metrics, log_format))


def _names(configured: tuple[str, ...], asked: list[str] | None) -> tuple[str, ...]:
    from suppress.errors import ConfigWrong

    if not configured:
        raise ConfigWrong(
            "no source is configured",
            remedy="add [sources.main] to suppress.toml; suppress init writes an example",
        )
    for name in asked or ():
        if name not in configured:
            raise ConfigWrong(f"there is no source {name!r}; configured: {', '.join(configured)}")
    return tuple(dict.fromkeys(asked)) if asked else configured


def _facts(result: SourceResult) -> Mapping[str, object]:
    return {
        "source": result.source,
        "platform": result.platform,
        "mode": result.mode,
        "complete": result.complete,
        "requests": result.requests,
        "rows": result.rows,
        "window": {"after": result.window.after, "before": result.window.before},
        "opt_outs": {
            "observed": result.observed,
            "new": result.new,
            "known": result.known,
            "shared": result.shared,
            "deleted": result.deleted,
            "missed_by_naive_sync": result.missed_by_naive_sync,
            "without_address": result.without_address,
        },
        "sms": {
            "observed": result.sms,
            "new": result.sms_new,
            "without_address": result.sms_without_address,
        },
        "bounces": {"observed": result.bounced, "new": result.bounced_new},
        "notes": list(result.notes),
        "census": result.census,
        "drift": [{"seq": each.seq, "observed": each.observed, "since": each.since} for each in result.drift],
        "error": None if result.failure is None else result.failure.message,
    }


def _draw(screen: Screen, results: tuple[SourceResult, ...], *, dry_run: bool) -> None:
    from suppress.errors import Incomplete

    for result in results:
        if result.failure is not None and not result.requests:
            continue
        kind = "census" if result.mode == "census" else "window"
        would = " (dry run: nothing was written)" if dry_run else ""
        short = result.failure is not None and not isinstance(result.failure, Incomplete)
        cut = ", cut short" if short else ""
        screen.heading(f"{result.source} ({result.platform}), {kind}{cut}{would}")
        # A run that was cut short cannot know what a naive sync would have lost.
        compared = [
            ("  of deleted contacts", result.deleted),
            ("a status=unsubscribed sync would have lost", result.missed_by_naive_sync),
        ]
        screen.fields(
            [
                ("opt-outs seen", result.observed),
                ("  new", result.new),
                ("  known", result.known),
                *([("  of an address that is counted already", result.shared)] if result.shared else []),
                *([] if short else compared),
                ("requests", result.requests),
            ]
        )
        apart = [
            ("SMS opt-outs seen", result.sms, result.sms_new),
            ("bounces", result.bounced, result.bounced_new),
        ]
        screen.fields([(name, f"{seen} ({new} new)") for name, seen, new in apart if seen])
        if result.sms_without_address:
            screen.line(
                f"{result.sms_without_address} opted out of SMS and show no e-mail address, "
                "so nothing of them is recorded"
            )
        for said in result.notes:
            screen.line(f"note: {said}")
        if result.census is not None:
            census = result.census.items()
            screen.table(["census", "contacts"], [(name.replace("_", " "), count) for name, count in census])
        if result.drift:
            screen.line(
                f"DRIFT: {len(result.drift)} suppressed "
                f"{'person is' if len(result.drift) == 1 else 'people are'} mailable at {result.source}: "
                f"entries {', '.join(str(each.seq) for each in result.drift[:10])}"
                f"{' …' if len(result.drift) > 10 else ''}",
                style="red",
            )
        if result.first_run and result.mode == "window":
            screen.line("No census yet: opt-outs without a date are found by: suppress sync --full")
        screen.line("Next: suppress status")
