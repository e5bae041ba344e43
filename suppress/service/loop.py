"""Run, wait, run again, until told to stop.

    with Stop() as stop:
        Loop(plan, work, stop=stop, notify=notify, log=log, clock=clock).run()

What a run does is handed in. It says whether it failed, or raises: settings that are wrong and a program that
is older than the ledger end the loop, and whatever else goes wrong is logged and tried again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NoReturn

from suppress.errors import BadUsage, MigrationNeeded, OutputRefused, SuppressError
from suppress.plugin.pace import Clock
from suppress.service.log import Event, Log
from suppress.service.notify import Notify
from suppress.service.schedule import Instant, Schedule, left
from suppress.service.stopping import Stop

SLICE = 15.0
"""Seconds of waiting after which the clocks are looked at again: a machine may have slept meanwhile."""
ENDS = (BadUsage, MigrationNeeded)
"""What another try cannot mend."""
PASSES = (OutputRefused,)
"""Usage that was right when the service began: a folder went away, as a disk does that is mounted late."""


class Loop:
    """The service's life."""

    def __init__(
        self,
        plan: Schedule,
        work: Callable[[int], bool],
        *,
        stop: Stop,
        notify: Notify,
        log: Log,
        clock: Clock,
    ) -> None:
        self._plan = plan
        self._work = work
        """Does one run, given how many failed before it, and says whether this one failed."""
        self._stop = stop
        self._notify = notify
        self._log = log
        self._clock = clock
        self._failures = 0

    def run(self) -> NoReturn:
        """Go on for ever.

        Raises:
            Stopped: A signal asked for it.
            BadUsage: The settings are wrong.
            MigrationNeeded: The ledger belongs to another version of this program.
        """
        while True:
            began = self._now()
            self._once()
            self._wait(began)

    def _once(self) -> None:
        self._stop.check()
        try:
            failed = self._work(self._failures)
        except SuppressError as failure:
            if isinstance(failure, ENDS) and not isinstance(failure, PASSES):
                raise
            self._log.say(Event.FAILED, error=failure)
            failed = True
        except Exception as broken:
            # A fault of ours or of a plugin must not end years of service; its type is logged, not its words.
            self._log.say(Event.FAILED, error=broken)
            failed = True
        self._failures = self._failures + 1 if failed else 0

    def _wait(self, began: Instant) -> None:
        first = self._left(began)
        due = datetime.fromtimestamp(self._clock.epoch() + max(0.0, first), UTC)
        self._log.say(Event.WAITING, at=due, failures=self._failures)
        trouble = f"; {self._failures} failed in a row" if self._failures else ""
        self._notify.status(f"next run at {due:%Y-%m-%d %H:%M:%S} UTC{trouble}")
        longest = SLICE if self._notify.watchdog is None else min(SLICE, self._notify.watchdog / 3)
        while (seconds := self._left(began)) > 0:
            self._notify.alive()
            self._stop.wait(min(seconds, longest))

    def _left(self, began: Instant) -> float:
        return left(self._plan, began, self._now(), self._failures)

    def _now(self) -> Instant:
        return Instant(self._clock.monotonic(), self._clock.epoch())
