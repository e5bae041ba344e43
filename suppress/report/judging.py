"""One request at one destination: met, late, open, at risk, overdue, or inherited. Pure, and only days.

Rules kept here:

* Honoured by the strict date is met; by the lenient date is met too, and said. After it, it is late.
* Not yet honoured is open until the strict date, at risk until the lenient date, overdue after it. Both dates
  are the last days that still count: on the date itself all is well.
* *Inherited*: the lenient date had already passed when the ledger learned of the request, or when the
  destination first appeared. That is shown, never hidden, and is no miss of ours, unless it was ours to know:

  - a person gave the request to us, and it was recorded late, or nobody at all was told in time;
  - the source was already being read when the person acted, so a sync was left out.

  Being told late is no leave to wait: an inherited request must be honoured within the policy's time from the
  day we knew, or it is overdue like any other.
* A request that ended unhonoured (a consent, a person forgotten, a destination removed) is a miss if its time
  had run out by then, and otherwise owed to nobody.

`docs/explanation/deadlines.md` tells the same to people, with examples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from suppress.core.suppression import Origin


class State(StrEnum):
    """What became of a request at a destination, from no concern to the most urgent."""

    ENDED = "ended"
    MET = "met"
    MET_AFTER_STRICT = "met_after_strict"
    INHERITED = "inherited"
    INHERITED_OPEN = "inherited_open"
    OPEN = "open"
    AT_RISK = "at_risk"
    LATE = "late"
    OVERDUE = "overdue"

    @property
    def urgency(self) -> int:
        """Higher is worse; a request counts as its worst destination does."""
        return _URGENCY[self]


_URGENCY = {state: urgency for urgency, state in enumerate(State)}


@dataclass(frozen=True, slots=True)
class Owed:
    """What judging one request at one destination needs to know."""

    strict: date
    lenient: date
    learned: date
    """When the ledger recorded it."""
    origin: Origin
    watched: bool
    """Its source was already being read when the person acted."""
    told_someone: bool
    """Some destination was active between the recording and the lenient date."""
    joined: date | None
    """When the destination became active; None when there is no destination at all."""
    honoured: date | None
    left: date | None
    """When the request or the destination ended, if it did before being honoured."""


def judge(owed: Owed, today: date, lenient_from: Callable[[date], date]) -> State:
    """The state of one request at one destination on the day `today`.

    `lenient_from` gives the policy's lenient date for a clock that starts on another day.
    """
    if owed.honoured is not None and owed.honoured <= owed.lenient:
        return State.MET if owed.honoured <= owed.strict else State.MET_AFTER_STRICT
    inherited = _inherited(owed)
    limit = last_day(owed, lenient_from)
    reached = owed.honoured or owed.left
    if reached is not None and limit is not None and reached > limit:
        return State.LATE
    if owed.honoured is not None:
        return State.INHERITED
    if owed.left is not None:
        return State.ENDED
    if limit is not None and today > limit:
        return State.OVERDUE
    if inherited:
        return State.INHERITED_OPEN
    return State.AT_RISK if today > owed.strict else State.OPEN


def last_day(owed: Owed, lenient_from: Callable[[date], date]) -> date | None:
    """The last day on which this is no miss; None when nothing is owed to anyone.

    Without any destination an inherited request is only kept: there is nobody to tell.
    """
    if not _inherited(owed):
        return owed.lenient
    if owed.joined is None:
        return None
    return lenient_from(max(owed.learned, owed.joined))


def _inherited(owed: Owed) -> bool:
    """Whether its time was up before this process could know, or had this destination to tell."""
    if owed.learned > owed.lenient:
        return owed.origin is not Origin.PERSON and not owed.watched
    if owed.joined is None or owed.joined <= owed.lenient:
        return False
    return owed.origin is Origin.PLATFORM or owed.told_someone
