"""By which day a request must be honoured: the strict date to act by, the lenient date that makes a breach.

Rules kept here:

* "Business day" is defined neither in CAN-SPAM nor in its Rule, and other federal rules disagree. The strict
  date counts what counts under any reading (Monday to Saturday, holidays too, unless the policy says
  otherwise); the lenient date leaves out weekends and observed public holidays. Between the two lies doubt:
  alarm after the first, speak of a breach only after the second.
* Day 1 is the first counting day after the day of receipt, in the sender's time zone, unless the policy says
  that a day that does not count is put off to the next one that does (`day_zero`).
* Holidays come in as a value (`calendars` fetches them); strict is never after lenient whatever they are.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from suppress.core.policy import Days, DayZero, Policy, Unit

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

    def first(self, day: date) -> date:
        """The first counting day from `day` on; the last day there is for lack of days."""
        try:
            while not self.counts(day):
                day += _DAY
        except OverflowError:
            return date.max
        return day

    def between(self, day: date, last: date) -> int:
        """How many counting days lie after `day`, up to and including `last`; 0 if `last` is not later."""
        return sum(self.counts(day + _DAY * each) for each in range(1, (last - day).days + 1))


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last days of one clock: alarm after `strict`, breach after `lenient`."""

    strict: date
    lenient: date


def due(policy: Policy, received: date, holidays: Collection[date] = frozenset()) -> Deadline:
    """The deadline of a request whose clock started on the day `received`.

    `holidays` are the days that the policy's regions keep, as observed, at least to the deadline.
    """
    strict = _last(policy, policy.strict, received, holidays)
    lenient = _last(policy, policy.lenient, received, holidays)
    return Deadline(min(strict, lenient), lenient)


def used(policy: Policy, received: date, day: date, holidays: Collection[date] = frozenset()) -> int:
    """How many of the policy's days had gone by on `day`, as the lenient calendar counts them."""
    calendar = _calendar(policy, policy.lenient, holidays)
    return calendar.between(_zero(policy, calendar, received), day)


def _last(policy: Policy, days: Days, received: date, holidays: Collection[date]) -> date:
    calendar = _calendar(policy, days, holidays)
    return calendar.after(_zero(policy, calendar, received), policy.n)


def _zero(policy: Policy, calendar: Calendar, received: date) -> date:
    return calendar.first(received) if policy.day_zero is DayZero.FIRST_COUNTING_DAY else received


def day_of(moment: datetime, zone: tzinfo) -> date:
    """The calendar day of an instant where the sender is. Raises ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return moment.astimezone(zone).date()


def _calendar(policy: Policy, days: Days, holidays: Collection[date]) -> Calendar:
    if policy.unit is Unit.CALENDAR_DAYS:
        return Calendar()
    return Calendar(days.weekend, holidays if days.holidays else frozenset())
