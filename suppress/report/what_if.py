"""What if: the same period replayed under other policies, or as if deleted contacts had been missed.

Rules kept here:

* Nothing in the ledger changes, and no figure of the report does: a replay stands beside it.
* Under other policies the same requests are judged by the same receipts. A request that is missed there is
  one at which somebody could still be mailed after its last day; how many were, no ledger knows.
* *As if deleted contacts had been missed* leaves out everyone of whom the ledger knows only because a
  platform reported them as deleted, as a query for unsubscribed contacts would have. Exports would not have
  named those people. Which rows a check withheld is not on record, so of a check only the most is said that
  it could have let through: as many as it withheld, and no more than there were such people by then.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass

from suppress.core.policy import Chosen
from suppress.core.suppression import Channel, Origin, Visibility
from suppress.report.activity import Activity
from suppress.report.census import Population
from suppress.report.deadlines import Deadlines
from suppress.report.judging import State
from suppress.report.people import People
from suppress.report.policies import rules
from suppress.report.timeliness import Court, timeliness
from suppress.report.words import word

DELETED_MISSED = "deleted-missed"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What to replay: other policies, or, without any, deleted contacts missed."""

    name: str
    policies: tuple[Chosen, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure as it was and as it would have been."""

    says: str
    was: int
    would_be: int

    @property
    def difference(self) -> int:
        """How many more, or fewer if negative."""
        return self.would_be - self.was


@dataclass(frozen=True, slots=True)
class Replayed:
    """One scenario, and its figures."""

    scenario: str
    compared: tuple[Compared, ...]
    explained: tuple[str, ...]


def replayed(
    scenario: Scenario, court: Court, deadlines: Deadlines, activity: Activity, population: Population
) -> Replayed:
    """The figures of a scenario beside those of the report."""
    if scenario.policies:
        return _under(scenario, deadlines, timeliness(court.under(rules(scenario.policies))))
    return _without_deleted(scenario, court, activity, population)


def _under(scenario: Scenario, was: Deadlines, would_be: Deadlines) -> Replayed:
    states = [
        Compared(f"requests {word(state)}", was.overall.count(state), would_be.overall.count(state))
        for state in State
    ]
    return Replayed(
        scenario.name,
        (
            Compared("requests judged", was.overall.requests, would_be.overall.requests),
            *states,
            Compared("people who could be mailed after their last day", _people(was), _people(would_be)),
            Compared(
                "calendar days after a last day, over all of them", _days_over(was), _days_over(would_be)
            ),
        ),
        (
            f"Judged again under {', '.join(each.id for each in scenario.policies)}; requests, receipts and "
            "the moment of the report are the same.",
            "People who could be mailed are those of whom some destination was told after the last day, or "
            "is not told yet although it has passed.",
        ),
    )


def _people(deadlines: Deadlines) -> int:
    return len({each.subject for each in deadlines.missed})


def _days_over(deadlines: Deadlines) -> int:
    return sum(max(each.days_over, 0) for each in deadlines.missed)


def _without_deleted(
    scenario: Scenario, court: Court, activity: Activity, population: Population
) -> Replayed:
    hidden = only_deleted(court.people)
    seqs = sorted(court.people.requests.seq[index] for index in hidden.values())
    suppressed = sum(1 for channel, _, _ in court.people.suppressed() if channel is Channel.EMAIL)
    named: Counter[str] = Counter()
    for index in hidden.values():
        group = court.group_of(index)
        for place, told in zip(court.places, group.honoured, strict=True):
            named[place.name] += told is not None
    let_through = sum(min(each.body.withheld, bisect_left(seqs, each.seq)) for each in activity.checks)
    withheld = sum(each.body.withheld for each in activity.checks)
    return Replayed(
        scenario.name,
        (
            Compared("people suppressed, as of the report", suppressed, suppressed - len(hidden)),
            Compared("people who would look as if they could be mailed", 0, len(hidden)),
            Compared("deleted people found in the period", population.hidden_count, 0),
            *(
                Compared(f"of them, people whom exports named to {place.name}", named[place.name], 0)
                for place in court.places
            ),
            Compared("rows that checks of the period let through at most", 0, let_through),
        ),
        (
            "Left out is everyone whom the ledger knows only from deleted contacts; people who are known "
            "otherwise too would have been found anyway.",
            f"The checks of the period withheld {withheld:,} rows. Which people they were is not on record, "
            "so of each check as many are counted as it withheld, but no more than there were such people by "
            "then: the most that can have been, not the number that was.",
            "Whether a message was sent to any of them cannot be seen from here.",
        ),
    )


def only_deleted(people: People) -> dict[int, int]:
    """Person → first request, of those suppressed by e-mail of whom only deleted contacts tell."""
    requests = people.requests
    deleted = [
        each.origin is Origin.PLATFORM and each.visibility is Visibility.DELETED for each in requests.kinds
    ]
    email = [each.channel is Channel.EMAIL for each in requests.kinds]
    found: dict[int, int] = {}
    known: set[int] = set()
    for person, index, kind in zip(requests.person, range(len(requests)), requests.kind, strict=True):
        if not email[kind] or not people.counts(index):
            continue
        if deleted[kind]:
            found.setdefault(person, index)
        else:
            known.add(person)
    return {
        person: index
        for person, index in found.items()
        if person not in known and people.suppressed_by_email(person)
    }
