"""Counts what became of judged requests: by state, policy, destination, day, week and source.

A group of requests that are judged alike is counted at once. See `deadlines` for what the counts mean.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from suppress.core.deadline import Deadline
from suppress.core.suppression import Origin
from suppress.report.deadlines import Deadlines, Inherited, Miss, Outcome, Pending, Reach, Taken, Tally
from suppress.report.judging import State, last_day
from suppress.report.people import Clock, People

if TYPE_CHECKING:
    from suppress.report.timeliness import Group, Judgement, Obligation, Rule, Span

_WAITING = frozenset({State.OPEN, State.AT_RISK, State.OVERDUE})
_MISSED = frozenset({State.LATE, State.OVERDUE})
_INHERITED = frozenset({State.INHERITED, State.INHERITED_OPEN})


@dataclass(slots=True)
class _Count:
    """Requests by state, how many are unverifiable, and between which entries they lie."""

    states: Counter[State] = field(default_factory=Counter)
    unverifiable: int = 0
    first: int | None = None
    last: int | None = None

    def add(self, state: State, number: int, entries: tuple[int, int], *, unverifiable: bool) -> None:
        self.states[state] += number
        if unverifiable:
            self.unverifiable += number
        if self.first is None or entries[0] < self.first:
            self.first = entries[0]
        if self.last is None or entries[1] > self.last:
            self.last = entries[1]

    def tally(self, policy: str, destination: str | None) -> Tally:
        counted = {state.value: self.states[state] for state in State}
        return Tally(
            policy,
            destination,
            requests=self.states.total(),
            **counted,
            unverifiable=self.unverifiable,
            first_entry=self.first,
            last_entry=self.last,
        )


class Tallying:
    """Takes judged groups, and gives the result for a period."""

    def __init__(self, people: People, rules: Sequence[Rule], span: Span) -> None:
        self._people = people
        self._seqs = people.requests.seq
        self._rules = rules
        self._today = span.today
        self._tallies: dict[tuple[str, str | None], _Count] = defaultdict(_Count)
        self._clocks: Counter[Clock] = Counter()
        self._left_out: Counter[str] = Counter()
        self._not_judged: Counter[str] = Counter()
        self._binding: Counter[str] = Counter()
        self._missed: list[Miss] = []
        self._pending: dict[tuple[str, Deadline, State], _Count] = defaultdict(_Count)
        self._inherited: dict[tuple[str, str], _Count] = defaultdict(_Count)
        self._inherited_days: dict[tuple[str, str], set[date]] = defaultdict(set)
        self._taken: Counter[tuple[str, int, bool]] = Counter()
        self._reach: Counter[tuple[str, str, date, Outcome]] = Counter()

    def leave_out(self, why: str, group: Group) -> None:
        """Requests of the period that are not judged."""
        if group.new:
            self._left_out[why] += len(group.indexes)

    def add(self, group: Group, judgement: Judgement) -> None:
        """Requests that are."""
        number, entries = len(group.indexes), self._entries(group)
        self._clocks[group.kind.clock] += number
        judged = {rule.id for rule, _, _ in judgement.by_rule}
        for rule in self._rules:
            if rule.id not in judged:
                self._not_judged[rule.id] += number
        unproven: set[str] = set()
        for each in judgement.obligations:
            unverifiable = each.told is not None and not each.told.verified
            if unverifiable:
                unproven.add(each.rule.id)
            count = self._tallies[each.rule.id, each.name]
            count.add(each.state, number, entries, unverifiable=unverifiable)
        for rule, _, state in judgement.by_rule:
            count = self._tallies[rule.id, None]
            count.add(state, number, entries, unverifiable=rule.id in unproven)
        self._count_overall(judgement, number, entries, unverifiable=bool(unproven))
        for worst in _worst_by_destination(judgement.obligations):
            self._note(group, worst, number, entries)

    def result(self) -> Deadlines:
        """All that was counted."""
        order = {rule.id: place for place, rule in enumerate(self._rules)}
        tallies = {key: count.tally(*key) for key, count in self._tallies.items()}
        by_destination = sorted(
            (key for key in tallies if key[1] is not None), key=lambda key: (order[key[0]], key[1] or "")
        )
        return Deadlines(
            overall=tallies.get(("", None), _Count().tally("", None)),
            policies=tuple(tallies.get((id_, None), _Count().tally(id_, None)) for id_ in order),
            destinations=tuple(tallies[key] for key in by_destination),
            missed=tuple(sorted(self._missed, key=lambda miss: (-miss.state.urgency, miss.seq))),
            pending=tuple(
                _pending(*key, count)
                for key, count in sorted(
                    self._pending.items(),
                    key=lambda item: (item[0][1].lenient, order[item[0][0]], item[0][2]),
                )
            ),
            inherited=tuple(
                _inherited(*key, count, self._inherited_days[key])
                for key, count in sorted(self._inherited.items(), key=lambda item: item[0])
            ),
            taken=tuple(Taken(*key, number) for key, number in sorted(self._taken.items())),
            reach=tuple(Reach(*key, number) for key, number in sorted(self._reach.items())),
            binding={rule.id: self._binding[rule.id] for rule in self._rules},
            clocks={clock: self._clocks[clock] for clock in Clock},
            bounced=self._left_out["bounced"],
            other_channels=self._left_out["channel"],
            struck_out=self._left_out["struck out"],
            not_judged={rule.id: self._not_judged[rule.id] for rule in self._rules},
        )

    def _entries(self, group: Group) -> tuple[int, int]:
        return self._seqs[group.indexes[0]], self._seqs[group.indexes[-1]]

    def _count_overall(
        self, judgement: Judgement, number: int, entries: tuple[int, int], *, unverifiable: bool
    ) -> None:
        """The requests once, as the policy has it under which they stand worst."""
        overall = self._tallies["", None]
        if not judgement.by_rule:
            overall.add(State.ENDED, number, entries, unverifiable=False)
            return
        rule, due, worst = max(judgement.by_rule, key=lambda each: each[2].urgency)
        overall.add(worst, number, entries, unverifiable=unverifiable)
        earliest, _, _ = min(judgement.by_rule, key=lambda each: (each[1].lenient, each[1].strict))
        self._binding[earliest.id] += number
        if worst in _WAITING:
            self._pending[rule.id, due, worst].add(worst, number, entries, unverifiable=False)

    def _note(self, group: Group, worst: Obligation, number: int, entries: tuple[int, int]) -> None:
        """What is told of each destination, under the policy under which it stands worst there."""
        state, told = worst.state, worst.told
        place = (group.kind.source, worst.name)
        week = group.learned - timedelta(days=group.learned.weekday())
        self._reach[*place, week, _outcome(worst)] += number
        if state in _INHERITED:
            self._inherited[place].add(state, number, entries, unverifiable=False)
            if told is not None:
                self._inherited_days[place].add(told.day)
        if told is not None:
            days = max((told.day - group.received).days, 0)
            self._taken[worst.name, days, state in _INHERITED] += number
        if state in _MISSED:
            self._missed += (self._miss(index, group, worst) for index in group.indexes)

    def _miss(self, index: int, group: Group, worst: Obligation) -> Miss:
        owed, rule, kind = worst.owed, worst.rule, group.kind
        assert owed is not None
        reached = owed.honoured or owed.left or self._today
        last = last_day(owed, rule.lenient_from) or owed.lenient
        started = group.started(rule)
        return Miss(
            seq=self._seqs[index],
            subject=self._people.subjects[self._people.requests.person[index]],
            source=kind.source,
            origin=kind.origin,
            reason=kind.reason,
            clock=kind.clock,
            started=started,
            recorded=owed.learned,
            policy=rule.id,
            strict=owed.strict,
            lenient=owed.lenient,
            destination=worst.name,
            honoured=owed.honoured,
            state=worst.state,
            last_day=last,
            days_over=(reached - last).days,
            days_used=rule.used(started, reached),
            receipt=None if worst.told is None else worst.told.seq,
            cause=_cause(worst, index),
        )


def _worst_by_destination(obligations: Sequence[Obligation]) -> Iterator[Obligation]:
    """For each destination the judgement of the policy under which it stands worst, the first on a tie."""
    worst: dict[str, Obligation] = {}
    for each in obligations:
        known = worst.setdefault(each.name, each)
        if each.state.urgency > known.state.urgency:
            worst[each.name] = each
    yield from worst.values()


def _outcome(each: Obligation) -> Outcome:
    if each.told is not None:
        return Outcome.READ_BACK if each.told.verified else Outcome.ACCEPTED
    if each.state in _WAITING or each.state is State.INHERITED_OPEN:
        return Outcome.WAITING
    return Outcome.NEVER_TOLD


def _pending(policy: str, due: Deadline, state: State, count: _Count) -> Pending:
    first, last = count.first, count.last
    assert first is not None
    assert last is not None
    return Pending(policy, due.strict, due.lenient, count.states.total(), state, first, last)


def _inherited(source: str, destination: str, count: _Count, days: set[date]) -> Inherited:
    first, last = count.first, count.last
    assert first is not None
    assert last is not None
    return Inherited(
        source=source,
        destination=destination,
        requests=count.states.total(),
        still_open=count.states[State.INHERITED_OPEN],
        honoured_first=min(days, default=None),
        honoured_last=max(days, default=None),
        first_entry=first,
        last_entry=last,
    )


def _cause(missed: Obligation, index: int) -> str:
    """Why it was late, as far as the entries tell."""
    owed, place = missed.owed, missed.place
    assert owed is not None
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
