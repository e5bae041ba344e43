"""Judge every request of a period, at every destination and under every policy, and count the results.

Rules kept here:

* Requests are judged in groups: between two watermarks, those of one kind and the same days share everything
  that a judgement depends on. So the cost of a request is one look-up, whatever the number of policies and
  destinations; only who was lifted, erased or not taken is looked at one by one.
* A destination owes a request from the first stretch of activity that reached past its last day. One that was
  gone by then owes nothing; one that came after the request had ended owes nothing either.
* Only what a person must look at one by one, the misses, is kept one by one.

What the words mean is in `deadlines`, how one request is judged in `judging`, what is counted in `tallying`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeAlias

from suppress.core.deadline import Deadline
from suppress.core.suppression import Channel, Origin, Reason
from suppress.report.deadlines import NOBODY, Deadlines
from suppress.report.destinations import Destination, Told
from suppress.report.judging import Owed, State, judge
from suppress.report.people import Ending, Kind, People
from suppress.report.tallying import Tallying


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A policy as the report applies it."""

    id: str
    counts_from_receipt: bool
    """Whether the clock starts at receipt; otherwise when the person acted."""
    due: Callable[[date], Deadline | None]
    """The last days for a clock that starts on a day; None when no version was in force then."""
    used: Callable[[date, date], int]
    """How many of the policy's days had gone by from the day of the clock's start to another."""
    only: frozenset[Reason] | None = None
    """The reasons that the policy is about; None for all."""

    def lenient_from(self, day: date) -> date:
        """The lenient date of a clock that starts on this day; no end where no version is in force."""
        due = self.due(day)
        return date.max if due is None else due.lenient


@dataclass(frozen=True, slots=True)
class Span:
    """Which requests count: those before `stop`, new from `first` on, and the days that judge the others."""

    first: int
    stop: int
    since: date | None
    today: date


Honoured: TypeAlias = "tuple[Told | None, ...]"
"""For each destination the receipt by which it holds a request."""


@dataclass(frozen=True, slots=True)
class Group:
    """Requests that are judged alike, by index, in order."""

    kind: Kind
    received: date
    acted: date
    learned: date
    honoured: Honoured
    ended: date | None
    new: bool
    indexes: Sequence[int]

    def started(self, rule: Rule) -> date:
        """The day on which a rule's clock started."""
        return self.received if rule.counts_from_receipt else self.acted


@dataclass(frozen=True, slots=True)
class Obligation:
    """A group of requests at one destination under one policy."""

    rule: Rule
    place: Destination | None
    told: Told | None
    state: State
    due: Deadline
    owed: Owed | None
    """What was judged; None where the day of the receipt alone decided."""

    @property
    def name(self) -> str:
        """The destination's name."""
        return NOBODY if self.place is None else self.place.name

    @property
    def reached(self) -> date | None:
        """The day on which nothing was owed any more, or None."""
        if self.owed is None:
            return None if self.told is None else self.told.day
        return self.owed.honoured or self.owed.left


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of a group."""

    obligations: tuple[Obligation, ...]
    by_rule: tuple[tuple[Rule, Deadline, State], ...]
    """For each policy that applies: the last days, and the state at the worst destination."""


def timeliness(court: Court, judged: array[int] | None = None) -> Deadlines:
    """Judge every request of the span; those that were judged are put into `judged`, by index."""
    tallying = Tallying(court.people, court.rules, court.span)
    for group in court.groups():
        if (left_out := court.why_left_out(group)) is not None:
            tallying.leave_out(left_out, group)
            continue
        judgement = court.judged(group)
        if judgement is not None:
            tallying.add(group, judgement)
            if judged is not None:
                judged.extend(group.indexes)
    return tallying.result()


def _settled_before(since: date | None, obligations: Sequence[Obligation]) -> bool:
    """Whether nothing was owed for older requests any more when the period began."""
    return since is not None and all(
        (reached := each.reached) is not None and reached < since for each in obligations
    )


class Court:
    """Puts requests into groups, and judges them.

    `watched` says since when each source has been read completely.
    """

    def __init__(
        self,
        people: People,
        places: Sequence[Destination],
        rules: Sequence[Rule],
        span: Span,
        watched: Mapping[str, date],
    ) -> None:
        self.people = people
        self._requests = people.requests
        self.places = places
        self.rules = rules
        self.span = span
        self._watched = watched
        self._due: dict[tuple[str, date], Deadline | None] = {}

    def under(self, rules: Sequence[Rule]) -> Court:
        """The same requests, to be judged under other rules."""
        return Court(self.people, self.places, rules, self.span, self._watched)

    def groups(self) -> Iterator[Group]:
        """All requests of the span, grouped."""
        alone = self._alone()
        for first, stop, honoured in self._stretches():
            yield from self._grouped(first, stop, honoured, alone)
        for index in sorted(each for each in alone if each < self.span.stop):
            yield self.group_of(index)

    def stretches(self) -> Iterator[list[Group]]:
        """The same requests in the order of the ledger: groups that lie between two others each."""
        alone = self._alone()
        single = sorted(alone)
        for first, stop, honoured in self._stretches():
            within = single[bisect_left(single, first) : bisect_left(single, stop)]
            yield [*self._grouped(first, stop, honoured, alone), *map(self.group_of, within)]

    def _alone(self) -> set[int]:
        """Requests that are looked at one by one."""
        alone = set(self.people.ended)
        for place in self.places:
            alone |= place.pending
            alone.update(place.taken_later)
        return alone

    def group_of(self, index: int) -> Group:
        """One request, as a group of its own."""
        seq = self._requests.seq[index]
        honoured = tuple(place.honoured(index, seq) for place in self.places)
        return self._group(self._days(index), honoured, [index])

    def why_left_out(self, group: Group) -> str | None:
        """Why requests are not judged, or None."""
        if group.kind.channel is not Channel.EMAIL:
            return "channel"
        if group.kind.reason is Reason.BOUNCED:
            return "bounced"
        _, why = self.people.ended.get(group.indexes[0], (None, None))
        return "struck out" if why is Ending.CORRECTED else None

    def judged(self, group: Group) -> Judgement | None:
        """What becomes of a group, or None where nothing of it was owed any more when the period began."""
        judgement = self.judge(group)
        settled = not group.new and _settled_before(self.span.since, judgement.obligations)
        return None if settled else judgement

    def judge(self, group: Group) -> Judgement:
        """What becomes of a group, at every destination and under every policy that applies."""
        obligations: list[Obligation] = []
        by_rule: list[tuple[Rule, Deadline, State]] = []
        for rule in self.rules:
            due = self._due_of(rule, group.started(rule))
            if due is None or (rule.only is not None and group.kind.reason not in rule.only):
                continue
            owed = list(self._owed(rule, due, group))
            if group.kind.origin is Origin.PLATFORM:
                # The platform itself stopped when the person acted.
                states = [State.MET]
            else:
                owed = owed or [self._owed_by_nobody(rule, due, group)]
                states = []
            obligations += owed
            by_rule.append((rule, due, max([*states, *(each.state for each in owed)], key=_urgency)))
        return Judgement(tuple(obligations), tuple(by_rule))

    # --- Grouping ----------------------------------------------------------------------------------------

    def _stretches(self) -> Iterator[tuple[int, int, Honoured]]:
        """Neighbouring requests that the same receipts cover: their first, the end, and those receipts."""
        requests, span = self._requests, self.span
        marks = sorted({mark for place in self.places for mark in place.marks})
        ends = [*(requests.from_seq(mark + 1) for mark in marks), len(requests)]
        first = 0
        for end in ends:
            for stop in (min(end, span.first), min(end, span.stop)):
                if first < stop:
                    seq = requests.seq[first]
                    yield first, stop, tuple(place.covering(seq) for place in self.places)
                    first = stop

    def _grouped(self, first: int, stop: int, honoured: Honoured, alone: set[int]) -> Iterator[Group]:
        requests = self._requests
        rows = zip(
            requests.kind[first:stop],
            requests.received[first:stop],
            requests.acted[first:stop],
            requests.learned[first:stop],
            strict=True,
        )
        found: dict[tuple[int, int, int, int], array[int]] = {}
        for index, days in enumerate(rows, start=first):
            if index in alone:
                continue
            if days in found:
                found[days].append(index)
            else:
                found[days] = array("i", (index,))
        for days, indexes in found.items():
            yield self._group(days, honoured, indexes)

    def _days(self, index: int) -> tuple[int, int, int, int]:
        requests = self._requests
        return (
            requests.kind[index], requests.received[index], requests.acted[index], requests.learned[index]
        )  # fmt: skip

    def _group(self, days: tuple[int, int, int, int], honoured: Honoured, indexes: Sequence[int]) -> Group:
        kind, received, acted, learned = days
        ended, _ = self.people.ended.get(indexes[0], (None, None))
        return Group(
            self._requests.kinds[kind],
            date.fromordinal(received),
            date.fromordinal(acted),
            date.fromordinal(learned),
            honoured,
            ended,
            indexes[0] >= self.span.first,
            indexes,
        )

    # --- Judging -----------------------------------------------------------------------------------------

    def _owed(self, rule: Rule, due: Deadline, group: Group) -> Iterator[Obligation]:
        base: Owed | None = None
        for place, covering in zip(self.places, group.honoured, strict=True):
            told = _told_before(group.ended, covering)
            if told is not None and told.day <= due.lenient:
                state = State.MET if told.day <= due.strict else State.MET_AFTER_STRICT
                yield Obligation(rule, place, told, state, due, None)
                continue
            base = base or self._base(rule, due, group)
            owed = _at(place, base, None if told is None else told.day)
            if owed is not None:
                yield Obligation(rule, place, told, self._state(rule, owed), due, owed)

    def _owed_by_nobody(self, rule: Rule, due: Deadline, group: Group) -> Obligation:
        base = self._base(rule, due, group)
        return Obligation(rule, None, None, self._state(rule, base), due, base)

    def _state(self, rule: Rule, owed: Owed) -> State:
        return judge(owed, self.span.today, rule.lenient_from)

    def _base(self, rule: Rule, due: Deadline, group: Group) -> Owed:
        watched_since = self._watched.get(group.kind.source)
        return Owed(
            strict=due.strict,
            lenient=due.lenient,
            learned=group.learned,
            origin=group.kind.origin,
            watched=watched_since is not None and watched_since < group.started(rule),
            told_someone=self._told_someone(group.learned, due.lenient),
            joined=None,
            honoured=None,
            left=group.ended,
        )

    def _told_someone(self, learned: date, lenient: date) -> bool:
        return any(
            stretch.start <= lenient and (stretch.end is None or stretch.end >= learned)
            for place in self.places
            for stretch in place.stretches
        )

    def _due_of(self, rule: Rule, started: date) -> Deadline | None:
        key = (rule.id, started)
        if key not in self._due:
            self._due[key] = rule.due(started)
        return self._due[key]


def _told_before(ended: date | None, told: Told | None) -> Told | None:
    """A watermark passes over a lifted request without anyone having been told of it."""
    return None if told is not None and ended is not None and told.day > ended else told


def _at(place: Destination, base: Owed, honoured: date | None) -> Owed | None:
    """What this destination owes; None when its days and those of the request do not meet."""
    ended = base.left
    reaching = (
        stretch
        for stretch in place.stretches
        if stretch.end is None or (stretch.end >= base.learned and stretch.end > base.lenient)
    )
    stretch = next(reaching, None)
    if stretch is None:
        if honoured is None:
            return None
        stretch = place.stretches[0]
    if honoured is not None:
        return replace(base, joined=stretch.start, honoured=honoured, left=None)
    if ended is not None and stretch.start > ended:
        return None
    return replace(base, joined=stretch.start, left=min(filter(None, (ended, stretch.end)), default=None))


def _urgency(state: State) -> int:
    return state.urgency
