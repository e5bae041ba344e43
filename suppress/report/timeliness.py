"""Judge every request of a period, at every destination and under every policy, and count the results.

Rules kept here:

* Requests that share their days share their judgement, which is remembered; so the cost of a request is a few
  look-ups, whatever the number of policies.
* A destination owes a request from the first stretch of activity that reached past its last day. One that was
  gone by then owes nothing; one that came after the request had ended owes nothing either.
* Only what a person must look at one by one, the misses, is kept one by one.

What the words mean is in `deadlines`, how one request is judged in `judging`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from suppress.core.deadline import Deadline
from suppress.core.suppression import Channel, Origin, Reason
from suppress.report.deadlines import NOBODY, Deadlines, Inherited, Miss, Pending, Taken, Tally
from suppress.report.destinations import Destination, Destinations
from suppress.report.judging import Owed, State, judge, last_day
from suppress.report.people import Clock, Ending, Kind, People


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A policy as the report applies it."""

    id: str
    counts_from_receipt: bool
    """Whether the clock starts at receipt; otherwise when the person acted."""
    due: Callable[[date], Deadline | None]
    """The last days for a clock that starts on a day; None when no version was in force then."""
    only: frozenset[Reason] | None = None
    """The reasons that the policy is about; None for all."""


@dataclass(frozen=True, slots=True)
class Span:
    """Which requests count: those before `stop`, new from `first` on, and the days that judge the others."""

    first: int
    stop: int
    since: date | None
    today: date


@dataclass(frozen=True, slots=True)
class _Obligation:
    """One request at one destination under one policy."""

    rule: Rule
    destination: Destination | None
    owed: Owed
    state: State

    @property
    def name(self) -> str:
        return NOBODY if self.destination is None else self.destination.name


@dataclass(frozen=True, slots=True)
class _Judgement:
    """What many requests of the same days have in common."""

    obligations: tuple[_Obligation, ...]
    by_rule: tuple[tuple[Rule, Deadline, State], ...]
    """For each policy that applies: the last days, and the state at the worst destination."""


def timeliness(
    people: People, destinations: Destinations, rules: Sequence[Rule], span: Span, watched: Mapping[str, date]
) -> Deadlines:
    """Judge every request of the span. `watched` says since when each source has been read completely."""
    return _Court(people, destinations, rules, span, watched).result()


class _Court:
    """Judges requests, remembering every judgement: most requests share their days with many others."""

    def __init__(
        self,
        people: People,
        destinations: Destinations,
        rules: Sequence[Rule],
        span: Span,
        watched: Mapping[str, date],
    ) -> None:
        self._people = people
        self._requests = people.requests
        self._places = [each for _, each in sorted(destinations.by_name.items()) if each.stretches]
        self._rules = rules
        self._span = span
        self._watched = watched
        self._due: dict[tuple[str, date], Deadline | None] = {}
        self._judged: dict[tuple[object, ...], _Judgement] = {}
        self._tallies: dict[tuple[str, str | None], Counter[State]] = defaultdict(Counter)
        self._clocks: Counter[Clock] = Counter()
        self._left_out: Counter[str] = Counter()
        self._not_judged: Counter[str] = Counter()
        self._missed: list[Miss] = []
        self._pending: Counter[tuple[str, Deadline, State]] = Counter()
        self._inherited: dict[tuple[str, str], Counter[date | None]] = defaultdict(Counter)
        self._taken: Counter[tuple[str, int, bool]] = Counter()

    def result(self) -> Deadlines:
        for index in range(self._span.stop):
            self._weigh(index)
        order = {rule.id: place for place, rule in enumerate(self._rules)}
        tallies = {key: _tally(*key, states) for key, states in self._tallies.items()}
        empty = Counter[State]()
        return Deadlines(
            overall=tallies.get(("", None), _tally("", None, empty)),
            policies=tuple(tallies.get((id_, None), _tally(id_, None, empty)) for id_ in order),
            destinations=tuple(
                tallies[key]
                for key in sorted(
                    (key for key in tallies if key[1] is not None),
                    key=lambda key: (order[key[0]], key[1] or ""),
                )
            ),
            missed=tuple(sorted(self._missed, key=lambda miss: (-miss.state.urgency, miss.seq))),
            pending=tuple(
                Pending(policy, due.strict, due.lenient, number, state)
                for (policy, due, state), number in sorted(
                    self._pending.items(),
                    key=lambda item: (item[0][1].lenient, order[item[0][0]], item[0][2]),
                )
            ),
            inherited=tuple(_inherited(*key, days) for key, days in sorted(self._inherited.items())),
            taken=tuple(Taken(*key[:2], key[2], number) for key, number in sorted(self._taken.items())),
            clocks={clock: self._clocks[clock] for clock in Clock},
            bounced=self._left_out["bounced"],
            other_channels=self._left_out["channel"],
            struck_out=self._left_out["struck out"],
            not_judged={rule.id: self._not_judged[rule.id] for rule in self._rules},
        )

    def _weigh(self, index: int) -> None:
        kind = self._requests.kind_of(index)
        new = index >= self._span.first
        left_out = self._why_left_out(index, kind)
        if left_out is not None:
            self._left_out[left_out] += new
            return
        judgement = self._judgement(index, kind)
        if not new and self._settled_before(judgement.obligations):
            return
        self._clocks[kind.clock] += 1
        self._count(index, kind, judgement)

    def _why_left_out(self, index: int, kind: Kind) -> str | None:
        if kind.channel is not Channel.EMAIL:
            return "channel"
        if kind.reason is Reason.BOUNCED:
            return "bounced"
        _, why = self._people.ended.get(index, (None, None))
        return "struck out" if why is Ending.CORRECTED else None

    def _settled_before(self, obligations: Sequence[_Obligation]) -> bool:
        """Whether nothing was owed for an older request any more when the period began."""
        since = self._span.since
        reached = [each.owed.honoured or each.owed.left for each in obligations]
        return since is not None and all(day is not None and day < since for day in reached)

    def _count(self, index: int, kind: Kind, judgement: _Judgement) -> None:
        for rule in self._rules:
            self._not_judged[rule.id] += 1
        for rule, _, worst in judgement.by_rule:
            self._not_judged[rule.id] -= 1
            self._tallies[rule.id, None][worst] += 1
        for each in judgement.obligations:
            self._tallies[each.rule.id, each.name][each.state] += 1
        self._count_overall(judgement)
        for each in _worst_by_destination(judgement.obligations):
            self._note(index, kind, each)

    def _count_overall(self, judgement: _Judgement) -> None:
        """The request once, as the policy has it under which it stands worst."""
        if not judgement.by_rule:
            self._tallies["", None][State.ENDED] += 1
            return
        rule, due, worst = max(judgement.by_rule, key=lambda each: each[2].urgency)
        self._tallies["", None][worst] += 1
        if worst in (State.OPEN, State.AT_RISK, State.OVERDUE):
            self._pending[rule.id, due, worst] += 1

    def _note(self, index: int, kind: Kind, worst: _Obligation) -> None:
        owed, state = worst.owed, worst.state
        inherited = state in (State.INHERITED, State.INHERITED_OPEN)
        if inherited:
            self._inherited[kind.source, worst.name][owed.honoured] += 1
        if owed.honoured is not None:
            days = owed.honoured.toordinal() - self._requests.received[index]
            self._taken[worst.name, max(days, 0), inherited] += 1
        if state in (State.LATE, State.OVERDUE):
            self._missed.append(self._miss(index, kind, worst))

    def _miss(self, index: int, kind: Kind, worst: _Obligation) -> Miss:
        owed = worst.owed
        reached = owed.honoured or owed.left or self._span.today
        last = last_day(owed, lambda day: self._lenient_from(worst.rule, day)) or owed.lenient
        return Miss(
            seq=self._requests.seq[index],
            subject=self._people.subjects[self._requests.person[index]],
            source=kind.source,
            origin=kind.origin,
            reason=kind.reason,
            clock=kind.clock,
            started=self._started(worst.rule, index),
            recorded=owed.learned,
            policy=worst.rule.id,
            strict=owed.strict,
            lenient=owed.lenient,
            destination=worst.name,
            honoured=owed.honoured,
            state=worst.state,
            last_day=last,
            days_over=(reached - last).days,
            cause=_cause(worst, index),
        )

    def _judgement(self, index: int, kind: Kind) -> _Judgement:
        requests = self._requests
        seq = requests.seq[index]
        honoured = tuple(place.honoured_on(index, seq) for place in self._places)
        ended, _ = self._people.ended.get(index, (None, None))
        key = (
            requests.kind[index], requests.received[index], requests.acted[index], requests.learned[index],
            honoured, ended,
        )  # fmt: skip
        if key not in self._judged:
            self._judged[key] = self._judged_anew(index, kind, honoured, ended)
        return self._judged[key]

    def _judged_anew(
        self, index: int, kind: Kind, honoured: Sequence[date | None], ended: date | None
    ) -> _Judgement:
        obligations: list[_Obligation] = []
        by_rule: list[tuple[Rule, Deadline, State]] = []
        for rule in self._rules:
            started = self._started(rule, index)
            due = self._due_of(rule, started)
            if due is None or (rule.only is not None and kind.reason not in rule.only):
                continue
            base = self._base(started, due, index, kind, ended)
            owed = [
                _Obligation(rule, place, found, self._state(rule, found))
                for place, day in zip(self._places, honoured, strict=True)
                if (found := _at(place, base, day)) is not None
            ]
            if kind.origin is Origin.PLATFORM:
                # The platform itself stopped when the person acted.
                states = [State.MET]
            else:
                owed = owed or [_Obligation(rule, None, base, self._state(rule, base))]
                states = []
            obligations += owed
            by_rule.append((rule, due, max([*states, *(each.state for each in owed)], key=_urgency)))
        return _Judgement(tuple(obligations), tuple(by_rule))

    def _state(self, rule: Rule, owed: Owed) -> State:
        return judge(owed, self._span.today, lambda day: self._lenient_from(rule, day))

    def _lenient_from(self, rule: Rule, day: date) -> date:
        due = self._due_of(rule, day)
        return date.max if due is None else due.lenient

    def _base(self, started: date, due: Deadline, index: int, kind: Kind, ended: date | None) -> Owed:
        learned = date.fromordinal(self._requests.learned[index])
        watched_since = self._watched.get(kind.source)
        return Owed(
            strict=due.strict,
            lenient=due.lenient,
            learned=learned,
            origin=kind.origin,
            watched=watched_since is not None and watched_since < started,
            told_someone=self._told_someone(learned, due.lenient),
            joined=None,
            honoured=None,
            left=ended,
        )

    def _told_someone(self, learned: date, lenient: date) -> bool:
        return any(
            stretch.start <= lenient and (stretch.end is None or stretch.end >= learned)
            for place in self._places
            for stretch in place.stretches
        )

    def _started(self, rule: Rule, index: int) -> date:
        column = self._requests.received if rule.counts_from_receipt else self._requests.acted
        return date.fromordinal(column[index])

    def _due_of(self, rule: Rule, started: date) -> Deadline | None:
        key = (rule.id, started)
        if key not in self._due:
            self._due[key] = rule.due(started)
        return self._due[key]


def _at(place: Destination, base: Owed, honoured: date | None) -> Owed | None:
    """What this destination owes; None when its days and those of the request do not meet."""
    ended = base.left
    if honoured is not None and ended is not None and honoured > ended:
        # A watermark passes over a lifted request without anyone having been told of it.
        honoured = None
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


def _worst_by_destination(obligations: Sequence[_Obligation]) -> Iterator[_Obligation]:
    """For each destination the judgement of the policy under which it stands worst, the first on a tie."""
    worst: dict[str, _Obligation] = {}
    for each in obligations:
        if each.name not in worst or each.state.urgency > worst[each.name].state.urgency:
            worst[each.name] = each
    yield from worst.values()


def _tally(policy: str, destination: str | None, states: Counter[State]) -> Tally:
    counted = {state.value: states[state] for state in State}
    return Tally(policy, destination, requests=states.total(), **counted)


def _inherited(source: str, destination: str, days: Counter[date | None]) -> Inherited:
    dated = [day for day in days if day is not None]
    return Inherited(
        source=source,
        destination=destination,
        requests=days.total(),
        still_open=days[None],
        honoured_first=min(dated, default=None),
        honoured_last=max(dated, default=None),
    )


def _cause(missed: _Obligation, index: int) -> str:
    """Why it was late, as far as the entries tell."""
    owed, place = missed.owed, missed.destination
    if owed.learned > owed.lenient and owed.origin is Origin.PERSON:
        return "recorded in the ledger after its last day"
    if place is None:
        return "no destination was there to be told"
    if index in place.pending or index in place.taken_later:
        return "the destination did not take it in time"
    if owed.learned > owed.lenient and owed.watched:
        return "the source was not read in time"
    if owed.learned > owed.lenient:
        return "found late, then not passed on within the policy's time"
    if owed.honoured is None and owed.left is not None:
        return "it ended before the destination was told"
    if owed.joined is not None and owed.joined > owed.lenient:
        return "no destination was told in time"
    return "not exported in time"
