"""`suppress sync --every …`: from options to a service that runs until it is told to stop."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from suppress.cli.options import actor
from suppress.errors import BadUsage

if TYPE_CHECKING:
    from suppress.config import Settings
    from suppress.ledger import Ledger
    from suppress.plugin.registry import Registry
    from suppress.service.log import Log
    from suppress.service.notify import Notify
    from suppress.service.run import Afterwards
    from suppress.service.schedule import Schedule
    from suppress.service.stopping import Stop

NEVER = "never"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options of `suppress sync` say about the service."""

    every: str
    full_every: str
    metrics: Path | None
    log_format: str


def serve(chosen: Settings, names: Sequence[str], asked: Asked) -> int:
    """Run until told to stop; returns the exit code.

    Raises:
        BadUsage: An option or a setting is wrong.
        LedgerLocked: Another service keeps this ledger in sync.
        SuppressError: The ledger is not there, or belongs to another version of this program.
    """
    from suppress.plugin.pace import Clock
    from suppress.plugin.registry import Registry
    from suppress.service.log import Event, Format, Log
    from suppress.service.loop import Loop
    from suppress.service.notify import Notify
    from suppress.service.one_instance import only_one
    from suppress.service.stopping import Stop, Stopped

    plan = planned("--every", asked.every, chosen.timezone)
    censuses = (
        None if asked.full_every == NEVER else planned("--full-every", asked.full_every, chosen.timezone)
    )
    clock, notify = Clock(), Notify(os.environ)
    log = Log(sys.stderr, Format(asked.log_format), clock.utc)
    registry = Registry.load()
    with ExitStack() as stack:
        stack.enter_context(only_one(chosen.ledger, chosen.keys, clock))
        _require(chosen, names, registry, asked.metrics)
        stop = stack.enter_context(Stop())
        log.say(Event.STARTED, sources=len(names), process=os.getpid())
        notify.ready()
        work = _run(chosen, names, registry, censuses, asked.metrics, stop=stop, notify=notify, log=log)
        try:
            Loop(plan, work, stop=stop, notify=notify, log=log, clock=clock).run()
        except Stopped:
            return stop.exit_code
        finally:
            notify.stopping()
            log.say(Event.STOPPED)


def planned(option: str, text: str, zone: str) -> Schedule:
    """The schedule that an option names. Raises `BadUsage`."""
    from suppress.service.schedule import schedule

    try:
        return schedule(text, zone)
    except ValueError as wrong:
        raise BadUsage(f"{option} {text!r}: {wrong}", remedy="suppress sync --help") from None


def write_metrics(ledger: Ledger, chosen: Settings, now: datetime, file: Path) -> None:
    """Put what `suppress status --prometheus` says into a file. Raises `OutputRefused`."""
    from suppress.cli.exposition import exposition
    from suppress.service.run import write_whole
    from suppress.status import status

    write_whole(file, exposition(status(ledger, chosen, now=now)))


def _require(chosen: Settings, names: Sequence[str], registry: Registry, metrics: Path | None) -> None:
    """Find out now what would be wrong at every run."""
    from suppress.errors import LedgerLocked, SourceFailed, StorageFailed
    from suppress.ledger import Ledger

    if metrics is not None and not os.access(metrics.resolve().parent, os.W_OK):
        raise BadUsage(
            f"--metrics {metrics}: its folder is not there, or not to be written to",
            remedy="name a folder that exists",
        )
    for way in chosen.alerts.values():
        registry.alert(way)
    for name in names:
        # One that cannot be opened just now may be by the next run; wrong settings stay wrong.
        try:
            registry.source(chosen.sources[name], state=chosen.state).close()
        except SourceFailed:
            continue
    try:
        Ledger.open(chosen.ledger, keys=chosen.keys).close()
    except (LedgerLocked, StorageFailed):
        # A busy ledger and a server that is still starting are what trying again is for.
        return


def _run(
    chosen: Settings,
    names: Sequence[str],
    registry: Registry,
    censuses: Schedule | None,
    metrics: Path | None,
    *,
    stop: Stop,
    notify: Notify,
    log: Log,
) -> Callable[[int], bool]:
    from suppress.service.run import Run
    from suppress.sync import utc_now

    def page(_source: str, _step: str, _done: int, _total: int | None) -> None:
        # A page is in the ledger: the one place where a run may stop.
        notify.alive()
        stop.check()

    run = Run(
        chosen,
        registry,
        names,
        censuses,
        _afterwards(chosen, registry, metrics, log),
        actor(),
        utc_now,
        page,
        log,
    )

    def watched(failures: int) -> bool:
        notify.alive()
        notify.status("reading the sources")
        return run(failures)

    return watched


def _afterwards(chosen: Settings, registry: Registry, metrics: Path | None, log: Log) -> list[Afterwards]:
    from suppress.alerts import sending
    from suppress.service.log import Event
    from suppress.service.run import Afterwards

    def alert(ledger: Ledger, now: datetime) -> None:
        found = sending.judged(ledger, chosen, registry, now)
        for each in sending.send(found, chosen, registry, tuple(chosen.alerts), now):
            if each.failure is not None:
                log.say(Event.ALERT_FAILED, name=each.name, error=each.failure)
            elif each.alerts:
                log.say(Event.ALERTED, name=each.name, alerts=len(each.alerts))

    done = [Afterwards(Event.ALERT_FAILED, alert)] if chosen.alerts else []
    if metrics is None:
        return done

    def measure(ledger: Ledger, now: datetime) -> None:
        write_metrics(ledger, chosen, now, metrics)

    return [Afterwards(Event.METRICS_FAILED, measure), *done]
