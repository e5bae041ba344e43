"""One run of the service: read every source, take the censuses that are due, write the metrics.

Rules kept here:

* One source's failure does not stop the others, and neither metrics nor alerts stop anything.
* A census is due by what the ledger holds, not by what this process remembers, so that a restart neither
  forgets nor repeats one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from suppress.config import Settings
from suppress.core.entry import SyncDone
from suppress.errors import ConfigWrong, OutputRefused, SignInNeeded, SourceFailed, SuppressError
from suppress.ledger import Ledger
from suppress.plugin.registry import Registry
from suppress.service.log import Event, Log
from suppress.service.schedule import Schedule, census_due
from suppress.sync import Progress, sync

LOOKED_BACK = 2_000
"""Runs that are looked at for the last census: two weeks of a run every ten minutes."""


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What is done after a run, with the open ledger; it may not fail."""

    event: Event
    """What is logged if it fails all the same."""
    do: Callable[[Ledger, datetime], None]


@dataclass(frozen=True, slots=True)
class Run:
    """What every run does."""

    settings: Settings
    registry: Registry
    names: Sequence[str]
    censuses: Schedule | None
    afterwards: Sequence[Afterwards]
    actor: str
    now: Callable[[], datetime]
    progress: Progress
    log: Log

    def __call__(self, failures: int) -> bool:
        """Do it, and say whether anything failed that another try may mend.

        Raises:
            BadUsage: The settings are wrong.
            SuppressError: The ledger cannot be used.
        """
        with Ledger.open(self.settings.ledger, keys=self.settings.keys) as ledger:
            failed = [name for name in self.names if not self._read(ledger, name)]
            self.log.say(
                Event.RUN,
                sources=len(self.names),
                failed=len(failed),
                failures=failures + 1 if failed else 0,
            )
            for each in self.afterwards:
                self._do(each, ledger)
        return bool(failed)

    def _read(self, ledger: Ledger, name: str) -> bool:
        """Whether the source was read to its end."""
        account = self.settings.sources[name]
        try:
            source = self.registry.source(account, state=self.settings.state)
        except ConfigWrong:
            raise
        except (SourceFailed, SignInNeeded) as failure:
            self.log.say(Event.SOURCE, name=name, error=failure, complete=False)
            return False
        with closing(source):
            (result,) = sync(
                ledger,
                [source],
                full=self._census_is_due(ledger, name),
                now=self.now(),
                actor=self.actor,
                progress=self.progress,
                scopes={name: account.scope},
            )
        self.log.say(
            Event.SOURCE,
            name=name,
            error=result.failure,
            complete=result.complete,
            census=result.mode == "census",
            requests=result.requests,
            rows=result.rows,
            observed=result.observed,
            new=result.new,
            drift=len(result.drift),
        )
        return result.failure is None

    def _census_is_due(self, ledger: Ledger, name: str) -> bool:
        if self.censuses is None:
            return False
        complete: datetime | None = None
        tried: datetime | None = None
        for entry in islice(ledger.about(SyncDone.type, name), LOOKED_BACK):
            if isinstance(entry.body, SyncDone) and entry.body.mode == "census":
                tried = tried or entry.at
                if entry.body.complete:
                    complete = entry.at
                    break
        return census_due(self.censuses, complete, tried, self.now())

    def _do(self, afterwards: Afterwards, ledger: Ledger) -> None:
        try:
            afterwards.do(ledger, self.now())
        except SuppressError as failure:
            self.log.say(afterwards.event, error=failure)
        except Exception as broken:
            self.log.say(afterwards.event, error=broken)


def write_whole(file: Path, text: str) -> None:
    """Put a file there whole: whoever reads it sees the old one or the new one, and may be anybody.

    Raises:
        OutputRefused: It cannot be written; the old one is left.
    """
    scratch = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.chmod(0o644)  # the collector that reads it runs as somebody else
        scratch.replace(file)
    except OSError as refused:
        scratch.unlink(missing_ok=True)
        why = refused.strerror or type(refused).__name__
        raise OutputRefused(f"{file} cannot be written: {why}") from None
