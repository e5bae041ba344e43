"""One pass over the entries, and the facts of a period: each entry is handed to the parts that want it.

A correction may strike out an entry that was counted long before: a run, an export, a change of destination.
That is rare, and then there is a second pass, which knows of it from the start.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from datetime import date
from typing import TypeAlias

from suppress.core.canonical import moment, timestamp
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
    PatrolDone,
    SyncDone,
)
from suppress.core.suppression import EVERYTHING, Scope
from suppress.report.activity import Diary
from suppress.report.census import Counting, Population
from suppress.report.coverage import Coverage, Reading, brought, destination_coverage
from suppress.report.deadlines import Deadlines
from suppress.report.destinations import Destination, Destinations
from suppress.report.drift import Drifting, Incident
from suppress.report.exceptions import exceptions
from suppress.report.exposure import Exposure, exposure
from suppress.report.facts import Asked, Facts, Manifest, Quoted
from suppress.report.integrity import Integrity
from suppress.report.limits import Known, limits
from suppress.report.outages import Watching
from suppress.report.people import People
from suppress.report.policies import annex, rules
from suppress.report.register import register
from suppress.report.rollforward import Carried
from suppress.report.rows import Item, Passed, Row
from suppress.report.sampling import Prover, Sample, sampled
from suppress.report.timeliness import Court, Span, timeliness
from suppress.report.verdict import verdict
from suppress.report.what_if import replayed

Registrar: TypeAlias = Callable[[Iterator[bytes]], object]
CAN_SPAM = "us.can-spam"
"""The policy whose penalty `exposure` knows."""
VERIFY = "suppress verify --anchor FILE, where FILE holds the checkpoint of this report"


def gather(
    read: Callable[[], Iterable[Item]],
    asked: Asked,
    ledger: Callable[[int], Quoted],
    integrity: Integrity,
    *,
    prover: Prover | None = None,
    address_of: Callable[[int], str | None] | None = None,
    registrar: Registrar | None = None,
) -> Facts:
    """The facts of a period. With `address_of` (entry to address, None if erased) the full variant.

    `read` begins to read the entries, `ledger` says what is quoted of a ledger of so many entries, and
    `prover` shows entries of it with their proofs. `registrar` takes the register, piece by piece.
    """
    gathering = _Gathering(asked, frozenset())
    gathering.run(read())
    if gathering.struck_out:
        gathering = _Gathering(asked, gathering.struck_out)
        gathering.run(read())
    return gathering.facts(ledger, integrity, prover, address_of, registrar)


class _Gathering:
    """One pass over the entries."""

    def __init__(self, asked: Asked, annulled: Set[int]) -> None:
        self._asked = asked
        self._annulled = annulled
        self._period = asked.period
        target = EVERYTHING if asked.sender is None else Scope(asked.sender)
        self._people = People(asked.zone, target)
        self._carried = Carried()
        self._destinations = Destinations(self._people, asked.zone)
        self._reading = Reading()
        self._counting = Counting(asked.period)
        self._drifting = Drifting()
        self._watching = Watching(asked.period, asked.zone)
        self._diary = Diary(asked.period, asked.destinations)
        self._runs: set[int] = set()
        """Entries that a correction would strike out of what was counted already."""
        self._origin: str | None = None
        self._size = 0
        self._first: str | None = None
        self._last: str | None = None
        self._first_seq: int | None = None
        self._last_seq: int | None = None
        self._within = 0
        self._opened_at: int | None = None
        self._closed_at: int | None = None
        self._ahead = 0

    def run(self, items: Iterable[Item]) -> None:
        """All entries; with `cut`, those up to the instant of the report."""
        start, end = self._period.start, self._period.end
        opens = "" if start is None else timestamp(start)
        closes, as_of = timestamp(end), timestamp(self._asked.as_of)
        actors = self._diary.actors
        at = ""
        for item in items:
            now = timestamp(item.at) if isinstance(item, Entry) else item.at
            if now != at:
                at = now
                if self._asked.cut and at > as_of:
                    break
                self._first = self._first or at
                self._last = at
                self._pass_bounds(opened=at >= opens, closed=at >= closes)
            self._size += 1
            self._ahead += at > as_of
            if self._moving:
                self._first_seq = item.seq if self._first_seq is None else self._first_seq
                self._last_seq = item.seq
                self._within += 1
                actors[item.actor] += 1
            if isinstance(item, Row):
                self._opted_out(item)
            elif not isinstance(item, Passed):
                self._take(item)

    @property
    def struck_out(self) -> frozenset[int]:
        """Runs, exports and changes of destinations that were counted, and are struck out by a correction."""
        return frozenset(self._people.annulled & self._runs)

    def _take(self, entry: Entry) -> None:
        self._diary.add(entry)
        match entry.body:
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
            case SyncDone() | DestinationChanged() | Honoured() | PatrolDone() if entry.seq in self._annulled:
                pass
            case SyncDone() as body:
                self._runs.add(entry.seq)
                self._watching.ran(entry, body)
                self._reading.synced(entry, body)
                self._counting.synced(entry, body)
                self._drifting.synced(entry, body)
            case DestinationChanged() as body:
                self._runs.add(entry.seq)
                self._destinations.changed(entry, body)
            case PatrolDone() as body:
                self._runs.add(entry.seq)
                self._watching.ran(entry, body)
                self._drifting.patrolled(entry, body)
            case Honoured() as body:
                self._runs.add(entry.seq)
                self._watching.ran(entry, body)
                self._destinations.honoured(entry, body)
            case LogOpened() as body:
                self._origin = body.origin

    def facts(
        self,
        ledger: Callable[[int], Quoted],
        integrity: Integrity,
        prover: Prover | None,
        address_of: Callable[[int], str | None] | None,
        registrar: Registrar | None,
    ) -> Facts:
        """All that was gathered, judged at the instant *as of*."""
        first, stop = self._closed()
        asked, people = self._asked, self._people
        today = asked.zone.day(asked.as_of)
        quoted = ledger(self._size)
        coverage = self._coverage()
        population = self._counting.population(people, first, stop)
        roll = self._carried.result({name: each.sender for name, each in asked.settings.sources.items()})
        places = self._places()
        span = Span(first, stop, self._period.since, today)
        court = Court(people, places, rules(asked.policies), span, self._reading.watched(asked.zone))
        judged = array("i")
        deadlines = timeliness(court, judged)
        if registrar is not None:
            registrar(register(court, full=address_of is not None))
        drift = self._drifting.incidents(self._period)
        availability = self._watching.availability(self._others())
        wrong = exceptions(deadlines.missed, drift, availability.outages, asked.settings, asked.zone.day)
        activity = self._diary.activity()
        return Facts(
            manifest=self._manifest(quoted, "redacted" if address_of is None else "full"),
            verdict=verdict(coverage, population, roll, deadlines, drift, integrity),
            coverage=coverage,
            population=population,
            roll_forward=roll,
            deadlines=deadlines,
            drift=drift,
            availability=availability,
            exceptions=wrong,
            activity=activity,
            integrity=integrity,
            policies=annex(asked.policies),
            exposure=_exposure(deadlines, today),
            sample=(sample := self._sample(court, judged, quoted, prover, address_of)),
            what_if=tuple(replayed(each, court, deadlines, activity, population) for each in asked.what_if),
            limits=limits(coverage, deadlines, self._known(), full=address_of is not None),
            addresses=_addresses(address_of, population, deadlines, drift, sample),
        )

    def _coverage(self) -> Coverage:
        asked, people, settings = self._asked, self._people, self._asked.settings
        sources = {
            name: each
            for name, each in settings.sources.items()
            if asked.sender is None or each.sender in (None, asked.sender)
        }
        others = settings.sources.keys() - sources.keys()
        told = destination_coverage(settings.destinations, self._destinations, people)
        read = self._reading.coverage(sources, people, asked.as_of, told=[each.name for each in told])
        return Coverage(
            tuple(each for each in read if each.name not in others),
            brought(people, [each.name for each in read]),
            tuple(each for each in told if self._wanted(each.name)),
        )

    def _others(self) -> frozenset[str]:
        """Systems that the report is not about."""
        sources, sender = self._asked.settings.sources, self._asked.sender
        foreign = {name for name, each in sources.items() if sender and each.sender not in (None, sender)}
        return frozenset(foreign | {name for name in self._destinations.by_name if not self._wanted(name)})

    def _wanted(self, name: str) -> bool:
        """Whether a destination is one that the report is about."""
        asked = self._asked
        settings = asked.settings.destinations.get(name)
        mine = asked.sender is None or settings is None or settings.sender in (None, asked.sender)
        return mine and (not asked.destinations or name in asked.destinations)

    def _places(self) -> list[Destination]:
        known = self._destinations.by_name
        return [known[name] for name in sorted(known) if known[name].stretches and self._wanted(name)]

    def _sample(
        self,
        court: Court,
        judged: Sequence[int],
        quoted: Quoted,
        prover: Prover | None,
        address_of: Callable[[int], str | None] | None,
    ) -> Sample:
        asked = self._asked
        seed = quoted.root if asked.seed is None else asked.seed
        chosen = "the ledger's root" if asked.seed is None else "given"
        return sampled(court, judged, asked.sample, seed, chosen, quoted.size, prover, address_of is not None)

    def _known(self) -> Known:
        asked = self._asked
        return Known(self._ahead, self._people.not_binding, asked.sender, asked.destinations, cut=asked.cut)

    def _manifest(self, ledger: Quoted, audience: str) -> Manifest:
        asked, settings = self._asked, self._asked.settings
        senders = {each.sender for each in settings.sources.values()}
        senders |= {each.sender for each in settings.destinations.values()}
        return Manifest(
            organisation=settings.organisation,
            senders=tuple(sorted(sender for sender in senders if sender is not None)),
            period=self._period,
            as_of=asked.as_of,
            audience=audience,
            only_sender=asked.sender,
            only_destinations=asked.destinations,
            ledger=ledger,
            origin=self._origin,
            first_entry=None if self._first is None else moment(self._first),
            last_entry=None if self._last is None else moment(self._last),
            entries_in_period=self._within,
            first_seq=self._first_seq,
            last_seq=self._last_seq,
            tool=asked.tool,
            verify_command=VERIFY,
        )

    def _pass_bounds(self, *, opened: bool, closed: bool) -> None:
        if self._opened_at is None and opened:
            self._open()
        if self._closed_at is None and closed:
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

    def _opted_out(self, row: Row) -> None:
        change = self._people.opted_out(row)
        if change is not None and self._moving:
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
    address_of: Callable[[int], str | None] | None,
    population: Population,
    deadlines: Deadlines,
    drift: Sequence[Incident],
    sample: Sample,
) -> Mapping[int, str]:
    if address_of is None:
        return {}
    named = {each.seq for each in population.hidden}
    named |= {each.seq for each in deadlines.missed}
    named |= {each.seq for each in drift}
    named |= {each.seq for each in sample.items}
    return {seq: address_of(seq) or "(erased)" for seq in sorted(named)}
