"""The register: every request of a report one by one, as an annex that anyone can count again.

Rules kept here:

* A line for each request that is counted in the report, in the order of the ledger, and for those of the
  period that are not judged, with the reason. So the lines are as many as the report says.
* People are subject ids in both variants: a list of every address is an export, not a report.
* Lines are made group by group (`timeliness`), since nearly everything in them is the same for a group, and
  are given out piece by piece: a million of them fill some 300 MB.
"""

from __future__ import annotations

import csv
import heapq
import io
from collections.abc import Callable, Iterator, Sequence

from suppress.core.batches import batched
from suppress.report.judging import State
from suppress.report.redacting import masked
from suppress.report.table import Value, cell
from suppress.report.timeliness import Court, Group, Judgement, Obligation, Rule
from suppress.report.words import word

NAME = "requests"
PAGE = 1_000
"""Lines in one piece."""

_ABOUT = (
    "Entry", "Person", "Channel", "Scope", "Reason", "Source", "Brought by", "Clock of receipt",
    "Clock of the act", "Clocks by", "Recorded", "Ended", "Ended by",
)  # fmt: skip
_BY_POLICY = ("clock started", "strict date", "lenient date", "days used", "state")
_BY_DESTINATION = ("honoured", "receipt", "read back", "state")
_LEFT_OUT = {
    "channel": "not judged: not about e-mail",
    "bounced": "not judged: a bounce is no request",
    "struck out": "not judged: struck out",
}


def register(court: Court, *, full: bool) -> Iterator[bytes]:
    """The lines as CSV, piece by piece, the names of the columns first; masked unless `full`."""
    writer = _Writer((lambda text: text) if full else masked)
    yield writer.line(_header(court)).encode()
    for page in batched(_lines(court, writer), PAGE):
        yield "".join(page).encode("utf-8", "backslashreplace")


class _Writer:
    """Writes cells as the other annexes do."""

    def __init__(self, shown: Callable[[str], str]) -> None:
        self._shown = shown

    def line(self, cells: Sequence[Value]) -> str:
        """One line of CSV, with its end."""
        text = io.StringIO(newline="")
        csv.writer(text).writerow(
            [cell(self._shown(each) if isinstance(each, str) else each) for each in cells]
        )
        return text.getvalue()


def _header(court: Court) -> list[Value]:
    by_policy = [f"{rule.id}: {name}" for rule in court.rules for name in _BY_POLICY]
    by_destination = [f"{place.name}: {name}" for place in court.places for name in _BY_DESTINATION]
    return [*_ABOUT, "State", *by_policy, *by_destination]


def _lines(court: Court, writer: _Writer) -> Iterator[str]:
    people = court.people
    seqs, persons, subjects = people.requests.seq, people.requests.person, people.subjects
    for groups in court.stretches():
        shared = [_each(group, told) for group in groups if (told := _told(court, group, writer)) is not None]
        for index, told in heapq.merge(*shared):
            subject = subjects[persons[index]]
            named = subject if subject.isalnum() else writer.line([subject])[:-2]
            yield f"{seqs[index]},{named},{told}"


def _each(group: Group, told: str) -> Iterator[tuple[int, str]]:
    return ((index, told) for index in group.indexes)


def _told(court: Court, group: Group, writer: _Writer) -> str | None:
    """What the lines of a group have in common; None if they do not belong to the report."""
    left_out = court.why_left_out(group)
    if left_out is not None:
        if not group.new:
            return None
        rest: list[Value] = [_LEFT_OUT[left_out]]
        rest += [None] * (len(_BY_POLICY) * len(court.rules) + len(_BY_DESTINATION) * len(court.places))
    else:
        judgement = court.judged(group)
        if judgement is None:
            return None
        rest = _judged(court, group, judgement)
    kind = group.kind
    _, why = court.people.ended.get(group.indexes[0], (None, None))
    about: list[Value] = [
        word(kind.channel), str(kind.scope), word(kind.reason), kind.source, word(kind.origin),
        group.received, group.acted, word(kind.clock), group.learned, group.ended,
        None if why is None else why.value,
    ]  # fmt: skip
    return writer.line([*about, *rest])


def _judged(court: Court, group: Group, judgement: Judgement) -> list[Value]:
    states = [state for _, _, state in judgement.by_rule]
    found: list[Value] = [word(_worst(states, State.ENDED))]
    dues = {rule.id: (due, state) for rule, due, state in judgement.by_rule}
    for rule in court.rules:
        if rule.id not in dues:
            found += [None] * len(_BY_POLICY)
            continue
        due, state = dues[rule.id]
        own = [each for each in judgement.obligations if each.rule is rule]
        used = _used(court, group, rule, own)
        found += [group.started(rule), due.strict, due.lenient, used, word(state)]
    for place in court.places:
        there = [each for each in judgement.obligations if each.place is place]
        told = there[0].told if there else None
        state_there = word(_worst([each.state for each in there], State.ENDED)) if there else "not owed"
        if told is None:
            found += [None, None, None, state_there]
        else:
            found += [told.day, told.seq, told.verified, state_there]
    return found


def _used(court: Court, group: Group, rule: Rule, own: Sequence[Obligation]) -> int | None:
    """Days of the policy until the last destination held it, or until now where one does not."""
    if not own:
        return None
    return rule.used(group.started(rule), max(each.reached or court.span.today for each in own))


def _worst(states: Sequence[State], otherwise: State) -> State:
    return max(states, key=lambda state: state.urgency, default=otherwise)
