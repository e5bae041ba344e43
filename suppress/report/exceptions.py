"""What went wrong and what became of it: one line for each cause at each system, worst first.

Rules kept here:

* The root cause is what the entries tell (`tallying`), never a guess.
* What is over names the day on which the last of it was put right. What is not is due at once: its last day
  has passed, or somebody may be mailed who must not.
* The owner is whoever the settings name for the system (`owner`). The ledger does not know persons in charge,
  so none is invented: without that setting the report says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from suppress.config import Settings
from suppress.report.deadlines import Miss
from suppress.report.drift import Incident
from suppress.report.judging import State
from suppress.report.outages import Outage, Run

AT_ONCE = "at once"
_RUNS: Mapping[Run, str] = {
    Run.READ: "a source was not read completely",
    Run.TOLD: "a destination did not take every request",
    Run.PATROLLED: "a destination was not patrolled completely",
}


@dataclass(frozen=True, slots=True)
class Exceptional:
    """Occurrences of one kind, of one cause, at one system."""

    what: str
    system: str
    cause: str
    number: int
    first: int
    last: int
    """The first and last entry that shows it."""
    still: int
    """Of these, how many are not put right."""
    put_right: date | None
    """The day of the last that was."""
    due: str | None
    owner: str | None


@dataclass(frozen=True, slots=True)
class _Seen:
    what: str
    system: str
    cause: str
    seq: int
    last: int
    put_right: date | None


def exceptions(
    missed: Iterable[Miss],
    drift: Iterable[Incident],
    outages: Iterable[Outage],
    settings: Settings,
    day: Callable[[datetime], date],
) -> tuple[Exceptional, ...]:
    """All of them, those that are not put right first; `day` is the sender's day of an instant."""
    found: dict[tuple[str, str, str], list[_Seen]] = {}
    for each in (*_late(missed), *_strayed(drift, day), *_failed(outages, day)):
        found.setdefault((each.what, each.system, each.cause), []).append(each)
    owners = {name: each.owner for name, each in settings.sources.items()}
    owners |= {name: each.owner for name, each in settings.destinations.items()}
    made = [_exception(seen, owners.get(seen[0].system)) for seen in found.values()]
    return tuple(sorted(made, key=lambda each: (not each.still, -each.number, each.first)))


def _exception(seen: list[_Seen], owner: str | None) -> Exceptional:
    still = sum(each.put_right is None for each in seen)
    return Exceptional(
        what=seen[0].what,
        system=seen[0].system,
        cause=seen[0].cause,
        number=len(seen),
        first=min(each.seq for each in seen),
        last=max(each.last for each in seen),
        still=still,
        put_right=max((each.put_right for each in seen if each.put_right is not None), default=None),
        due=AT_ONCE if still else None,
        owner=owner,
    )


def _late(missed: Iterable[Miss]) -> Iterator[_Seen]:
    for each in missed:
        reached = each.last_day + timedelta(days=each.days_over)
        put_right = None if each.state is State.OVERDUE else reached
        yield _Seen("late or overdue request", each.destination, each.cause, each.seq, each.seq, put_right)


def _strayed(drift: Iterable[Incident], day: Callable[[datetime], date]) -> Iterator[_Seen]:
    for each in drift:
        put_right = None if each.closed is None else day(each.closed)
        yield _Seen(
            "suppressed person mailable again",
            each.source,
            f"reported there as {each.observed}",
            each.seq,
            each.seq,
            put_right,
        )


def _failed(outages: Iterable[Outage], day: Callable[[datetime], date]) -> Iterator[_Seen]:
    for each in outages:
        put_right = None if each.ended is None else day(each.ended)
        yield _Seen("outage", each.system, _RUNS[each.run], each.first, each.last, put_right)
