"""Everything that a report says, gathered from the ledger's entries in one pass.

Rules kept here:

* `Facts` is a value: every format renders it and nothing else, so all formats say the same.
* No clock is read. The instant *as of* comes in, and what is still open is judged at it. Same entries, same
  options, same instant: the same facts.
* Entries are streamed. What is kept of each request and person is a few numbers (`people`).
* No address is in the facts, but for those that `addresses` (the full variant) was asked to look up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime

from suppress.config import Settings
from suppress.core.entry import (
    Corrected,
    DestinationChanged,
    DriftFound,
    Entry,
    Erased,
    Forgotten,
    Honoured,
    LogOpened,
    OptInRecorded,
    OptOutRecorded,
    SyncDone,
)
from suppress.report.activity import Activity, Diary
from suppress.report.census import Counting, Population
from suppress.report.coverage import Coverage, Reading, brought, destination_coverage
from suppress.report.deadlines import Deadlines
from suppress.report.destinations import Destinations
from suppress.report.drift import Drifting, Incident
from suppress.report.exposure import Exposure, exposure
from suppress.report.integrity import Integrity
from suppress.report.limits import limits
from suppress.report.people import People
from suppress.report.period import Period, Zone
from suppress.report.policies import AppliedPolicy, rules
from suppress.report.rollforward import Carried, RollForward
from suppress.report.timeliness import Span, timeliness
from suppress.report.verdict import Verdict, verdict

CAN_SPAM = "us.can-spam"
"""The policy whose penalty `exposure` knows."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """The state of the ledger that a report is about."""

    size: int
    root: str
    checkpoint: str
    """The signed note, verbatim: a copy of it kept elsewhere is an anchor."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Who made this report of what, and how to check it."""

    organisation: str | None
    senders: tuple[str, ...]
    period: Period
    as_of: datetime
    audience: str
    """`redacted` (people are subject ids) or `full` (addresses where the report names a person)."""
    ledger: Quoted
    origin: str | None
    first_entry: datetime | None
    last_entry: datetime | None
    entries_in_period: int
    tool: str
    verify_command: str


@dataclass(frozen=True, slots=True)
class Facts:
    """A whole report."""

    manifest: Manifest
    verdict: Verdict
    coverage: Coverage
    population: Population
    roll_forward: RollForward
    deadlines: Deadlines
    drift: tuple[Incident, ...]
    activity: Activity
    integrity: Integrity
    policies: tuple[AppliedPolicy, ...]
    exposure: Exposure | None
    limits: tuple[str, ...]
    addresses: Mapping[int, str]
    """Addresses by the entry that recorded them, for the people named one by one; empty when redacted."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is asked for."""

    period: Period
    as_of: datetime
    zone: Zone
    settings: Settings
    policies: tuple[AppliedPolicy, ...]
    tool: str
    """Name and version of this program."""


def gather(
    entries: Iterable[Entry],
    asked: Asked,
    ledger: Quoted,
    integrity: Integrity,
    *,
    annulled: Set[int] = frozenset(),
    address_of: Callable[[int], str | None] | None = None,
) -> Facts:
    """The facts of a period. With `address_of` (entry to address, None if erased) the full variant.

    `annulled` are the entries that some correction strikes out. Those about people are struck out where the
    correction stands; a run, an export or a change of destination never counts at all.
    """
    gathering = _Gathering(asked, annulled)
    for entry in entries:
        gathering.take(entry)
    return gathering.facts(ledger, integrity, address_of)


class _Gathering:
    """One pass over the entries: each is handed to the parts that want it."""

    def __init__(self, asked: Asked, annulled: Set[int]) -> None:
        self._asked = asked
        self._annulled = annulled
        self._period = asked.period
        self._people = People(asked.zone)
        self._carried = Carried()
        self._destinations = Destinations(self._people, asked.zone)
        self._reading = Reading()
        self._counting = Counting(asked.period)
        self._drifting = Drifting()
        self._diary = Diary(asked.period)
        self._origin: str | None = None
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._within = 0
        self._opened_at: int | None = None
        self._closed_at: int | None = None
        self._ahead = 0

    def take(self, entry: Entry) -> None:
        """The next entry."""
        self._pass_bounds(entry.at)
        self._first = self._first or entry.at
        self._last = entry.at
        self._within += self._period.holds(entry.at)
        self._ahead += entry.at > self._asked.as_of
        self._diary.add(entry)
        match entry.body:
            case OptOutRecorded() as body:
                self._opted_out(entry, body)
            case OptInRecorded() as body:
                self._consented(entry, body)
            case Corrected() as body:
                self._corrected(entry, body)
            case Forgotten() as body:
                self._forgotten(entry, body)
            case Erased() as body:
                self._people.erased(entry, body.subject)
            case DriftFound() as body:
                self._drifting.found(entry, body)
            case SyncDone() | DestinationChanged() | Honoured() if entry.seq in self._annulled:
                pass
            case SyncDone() as body:
                self._reading.synced(entry, body)
                self._counting.synced(entry, body)
                self._drifting.synced(entry, body)
            case DestinationChanged() as body:
                self._destinations.changed(entry, body)
            case Honoured() as body:
                self._destinations.honoured(entry, body)
            case LogOpened() as body:
                self._origin = body.origin

    def facts(
        self, ledger: Quoted, integrity: Integrity, address_of: Callable[[int], str | None] | None
    ) -> Facts:
        """All that was gathered, judged at the instant *as of*."""
        first, stop = self._closed()
        asked, people = self._asked, self._people
        today = asked.zone.day(asked.as_of)
        coverage = Coverage(
            self._reading.coverage(asked.settings.sources, people, asked.as_of),
            brought(people),
            destination_coverage(asked.settings.destinations, self._destinations, people),
        )
        population = self._counting.population(people, first, stop)
        roll = self._carried.result()
        deadlines = timeliness(
            people,
            self._destinations,
            rules(asked.policies),
            Span(first, stop, self._period.since, today),
            self._reading.watched(asked.zone),
        )
        drift = self._drifting.incidents(self._period)
        activity = self._diary.activity()
        return Facts(
            manifest=self._manifest(ledger, "redacted" if address_of is None else "full"),
            verdict=verdict(coverage, population, roll, deadlines, drift, integrity),
            coverage=coverage,
            population=population,
            roll_forward=roll,
            deadlines=deadlines,
            drift=drift,
            activity=activity,
            integrity=integrity,
            policies=asked.policies,
            exposure=_exposure(deadlines, today),
            limits=limits(coverage, deadlines, self._ahead, full=address_of is not None),
            addresses={} if address_of is None else _addresses(address_of, population, deadlines, drift),
        )

    def _manifest(self, ledger: Quoted, audience: str) -> Manifest:
        settings = self._asked.settings
        senders = {each.sender for each in settings.sources.values()}
        senders |= {each.sender for each in settings.destinations.values()}
        return Manifest(
            organisation=settings.organisation,
            senders=tuple(sorted(sender for sender in senders if sender is not None)),
            period=self._period,
            as_of=self._asked.as_of,
            audience=audience,
            ledger=ledger,
            origin=self._origin,
            first_entry=self._first,
            last_entry=self._last,
            entries_in_period=self._within,
            tool=self._asked.tool,
            verify_command="suppress verify --anchor FILE, where FILE holds the checkpoint of this report",
        )

    def _pass_bounds(self, at: datetime) -> None:
        start, end = self._period.start, self._period.end
        if self._opened_at is None and (start is None or at >= start):
            self._open()
        if self._closed_at is None and at >= end:
            self._close()

    def _close(self) -> int:
        self._closed_at = len(self._people.requests)
        self._carried.closes(self._people)
        return self._closed_at

    def _open(self) -> int:
        self._opened_at = len(self._people.requests)
        self._carried.opens(self._people)
        return self._opened_at

    def _closed(self) -> tuple[int, int]:
        """The period's requests, by index; bounds that no entry has passed lie at the end."""
        first = self._open() if self._opened_at is None else self._opened_at
        return first, self._close() if self._closed_at is None else self._closed_at

    @property
    def _moving(self) -> bool:
        """Whether what happens now is a movement of the period."""
        return self._opened_at is not None and self._closed_at is None

    def _opted_out(self, entry: Entry, body: OptOutRecorded) -> None:
        change = self._people.opted_out(entry, body)
        if self._moving:
            self._carried.opted_out(change)

    def _consented(self, entry: Entry, body: OptInRecorded) -> None:
        change = self._people.consented(entry, body)
        if change.before is not None and change.after is None:
            self._drifting.consented(entry, body.subject, change.channel)
        if self._moving:
            self._carried.consented(change)

    def _corrected(self, entry: Entry, body: Corrected) -> None:
        correction = self._people.corrected(entry, body.entry)
        self._drifting.corrected(entry, correction.struck, correction.restored)
        if self._moving:
            for change in correction.changes:
                self._carried.corrected(change)

    def _forgotten(self, entry: Entry, body: Forgotten) -> None:
        changes = self._people.forgotten(entry, body.subject)
        self._drifting.forgotten(entry, body.subject)
        if self._moving:
            self._carried.forgotten(changes)


def _exposure(deadlines: Deadlines, today: date) -> Exposure | None:
    for tally in deadlines.policies:
        if tally.policy == CAN_SPAM:
            return exposure(tally.late + tally.overdue, today)
    return None


def _addresses(
    address_of: Callable[[int], str | None],
    population: Population,
    deadlines: Deadlines,
    drift: Sequence[Incident],
) -> dict[int, str]:
    named = {each.seq for each in population.hidden}
    named |= {each.seq for each in deadlines.missed}
    named |= {each.seq for each in drift}
    return {seq: address_of(seq) or "(erased)" for seq in sorted(named)}
