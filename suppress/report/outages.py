"""When something that belongs to the process did not work: runs that did not end whole, by system and week.

Rules kept here:

* Three kinds of run are on record: a source that is read (`sync.done`), a destination that is told
  (`honoured`), one that is patrolled (`patrol.done`). Whole is a reading that ended complete, and a receipt
  that leaves no request out.
* An outage begins with the first run that is not whole and lasts until the next one of its kind that is.
* A run that left no entry, because the program itself did not run, is seen only as a week without one. Links
  in messages and intake mailboxes are not probed, so nothing is said of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from suppress.core.entry import Entry, Honoured, PatrolDone, SyncDone
from suppress.report.period import Period, Zone


class Run(StrEnum):
    """What was tried."""

    READ = "read"
    TOLD = "told"
    PATROLLED = "patrolled"


@dataclass(frozen=True, slots=True)
class Outage:
    """Runs of one kind at one system, none of which was whole."""

    system: str
    run: Run
    began: datetime
    ended: datetime | None
    """When the next run was whole; None while none was."""
    runs: int
    first: int
    last: int
    """The first and last entry of those runs."""


@dataclass(frozen=True, slots=True)
class Week:
    """The runs of one kind at one system in one week, which begins on a Monday."""

    system: str
    run: Run
    week: date
    runs: int
    whole: int


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether what belongs to the process worked."""

    outages: tuple[Outage, ...]
    weeks: tuple[Week, ...]


class Watching:
    """Follows the runs, from the entries in order."""

    def __init__(self, period: Period, zone: Zone) -> None:
        self._period = period
        self._zone = zone
        self._open: dict[tuple[str, Run], Outage] = {}
        self._over: list[Outage] = []
        self._weeks: dict[tuple[str, Run, date], list[int]] = {}

    def ran(self, entry: Entry, body: SyncDone | Honoured | PatrolDone) -> None:
        """One run ended, whole or not."""
        match body:
            case SyncDone():
                self._note(entry, body.source, Run.READ, body.complete)
            case Honoured():
                self._note(entry, body.destination, Run.TOLD, not body.not_taken)
            case PatrolDone():
                self._note(entry, body.destination, Run.PATROLLED, body.complete)

    def availability(self, left_out: frozenset[str]) -> Availability:
        """The outages that reach into the period, and its weeks; without these systems."""
        return Availability(
            tuple(each for each in self._reaching() if each.system not in left_out),
            tuple(
                Week(*key, runs, whole)
                for key, (runs, whole) in sorted(self._weeks.items())
                if key[0] not in left_out
            ),
        )

    def _note(self, entry: Entry, system: str, run: Run, whole: bool) -> None:
        key = (system, run)
        known = self._open.get(key)
        if whole and known is not None:
            self._over.append(replace(self._open.pop(key), ended=entry.at))
        elif not whole:
            self._open[key] = (
                Outage(system, run, entry.at, None, 1, entry.seq, entry.seq)
                if known is None
                else replace(known, runs=known.runs + 1, last=entry.seq)
            )
        if self._period.holds(entry.at):
            day = self._zone.day(entry.at)
            counted = self._weeks.setdefault((*key, day - timedelta(days=day.weekday())), [0, 0])
            counted[0] += 1
            counted[1] += whole

    def _reaching(self) -> Iterator[Outage]:
        start, end = self._period.start, self._period.end
        for each in sorted((*self._over, *self._open.values()), key=lambda each: each.first):
            if each.began < end and (start is None or each.ended is None or each.ended >= start):
                yield each
