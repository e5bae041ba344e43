"""By which day a request must be honoured: the strict date to act by, the lenient date that makes a breach.

Rules kept here:

* "Business day" is defined neither in CAN-SPAM nor in its Rule, and other federal rules disagree. The strict
  date counts what counts under any reading (Monday to Saturday, holidays too, unless the policy says
  otherwise); the lenient date leaves out weekends and observed public holidays. Between the two lies doubt:
  alarm after the first, speak of a breach only after the second.
* Day 1 is the first counting day after the day of receipt, in the sender's time zone.
* Holidays come in as a value (`calendars` fetches them); strict is never after lenient whatever they are.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from suppress.core.policy import Days, Policy, Unit

_DAY = timedelta(days=1)
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days count, as values."""

    weekend: frozenset[int] = frozenset()
    """As `date.weekday` numbers them: Monday is 0. Never all seven."""
    holidays: Collection[date] = frozenset()

    def __post_init__(self) -> None:
        if len(self.weekend) >= _WEEK:
            raise ValueError("a calendar in which no day counts has no deadlines")

    def counts(self, day: date) -> bool:
        """Whether this is a counting day."""
        return day.weekday() not in self.weekend and day not in self.holidays

    def after(self, day: date, n: int) -> date:
        """The n-th counting day after `day`; `day` itself for 0, the last day there is for lack of days."""
        try:
            for _ in range(n):
                day += _DAY
                while not self.counts(day):
                    day += _DAY
        except OverflowError:
            return date.max
        return day


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last days of one clock: alarm after `strict`, breach after `lenient`."""

    strict: date
    lenient: date


def due(policy: Policy, received: date, holidays: Collection[date] = frozenset()) -> Deadline:
    """The deadline of a request whose clock started on the day `received`.

    `holidays` are the days that the policy's regions keep, as observed, at least to the deadline.
    """
    strict = _calendar(policy, policy.strict, holidays).after(received, policy.n)
    lenient = _calendar(policy, policy.lenient, holidays).after(received, policy.n)
    return Deadline(min(strict, lenient), lenient)


def day_of(moment: datetime, zone: tzinfo) -> date:
    """The calendar day of an instant where the sender is. Raises ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return moment.astimezone(zone).date()


def _calendar(policy: Policy, days: Days, holidays: Collection[date]) -> Calendar:
    if policy.unit is Unit.CALENDAR_DAYS:
        return Calendar()
    return Calendar(days.weekend, holidays if days.holidays else frozenset())
