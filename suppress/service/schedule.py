"""When the next run is due: every so often, or by a cron expression; and when to try again after a failure.

Rules kept here:

* Two clocks are asked. A span is over when either says so: the monotonic clock stands still while a machine
  sleeps, and the wall clock may be set back. A clock that was set forward costs one early run.
* Runs that were missed are not made up for one by one: one run reads everything since the last.
* After a failure the next try comes soon, and then later and later, up to an hour or the span, whichever is
  longer; a cron expression's own time is never passed over for it.

cron expressions are Debian's, in the time zone of the settings. One that names an hour runs once on the days
when clocks change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias, assert_never
from zoneinfo import ZoneInfo

FIRST_RETRY = timedelta(minutes=1)
LAST_RETRY = timedelta(hours=1)
RETRY_CENSUS = timedelta(days=1)
"""A census reads the whole account, so that one that failed is tried once a day."""
_SPAN = re.compile(r"([0-9]{1,6})\s*(s|m|min|h|d|w)")
_UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Instant(NamedTuple):
    """One moment by both clocks, in seconds."""

    monotonic: float
    epoch: float


@dataclass(frozen=True, slots=True)
class Every:
    """Again when so much time has passed since the last run began."""

    span: timedelta


@dataclass(frozen=True, slots=True)
class Cron:
    """At the times that a cron expression names."""

    expression: str
    zone: str

    def after(self, epoch: float) -> datetime:
        """The first time after a moment."""
        return self._next(epoch, reverse=False)

    def before(self, epoch: float) -> datetime:
        """The last time before a moment."""
        return self._next(epoch, reverse=True)

    def _next(self, epoch: float, *, reverse: bool) -> datetime:
        from cronsim import CronSim

        moment = datetime.fromtimestamp(epoch, ZoneInfo(self.zone))
        return next(CronSim(self.expression, moment, reverse=reverse)).astimezone(UTC)


Schedule: TypeAlias = Every | Cron


def schedule(text: str, zone: str) -> Schedule:
    """The schedule that somebody wrote: `1h`, `30m`, `7d`, or five fields of cron.

    Raises:
        ValueError: It is neither, or it never comes.
    """
    found = _SPAN.fullmatch(text.strip().lower())
    if found is not None:
        span = timedelta(**{_UNITS[found[2]]: int(found[1])})
        if not span:
            raise ValueError("a span must be longer than nothing")
        return Every(span)
    from cronsim import CronSimError

    if len(text.split()) != 5:
        raise ValueError("write a span such as 1h, or five fields of cron such as '15 2 * * *'")
    cron = Cron(" ".join(text.split()), zone)
    try:
        cron.after(0.0)
    except CronSimError as wrong:
        raise ValueError(f"no cron expression: {wrong}") from None
    except StopIteration:
        raise ValueError("this cron expression names no time that ever comes") from None
    return cron


def left(plan: Schedule, began: Instant, now: Instant, failures: int) -> float:
    """Seconds until the next run, counted from the beginning of the last; none left: nothing or less.

    `failures` says how many runs have failed in a row.
    """
    elapsed = max(now.monotonic - began.monotonic, now.epoch - began.epoch)
    pause = backoff(plan, failures).total_seconds() - elapsed
    match plan:
        case Every(span):
            return pause if failures else span.total_seconds() - elapsed
        case Cron():
            # A clock that was set back over the beginning of the run names the next time from where it is.
            tick = plan.after(min(began.epoch, now.epoch)).timestamp() - now.epoch
            return min(tick, pause) if failures else tick
        case _:
            assert_never(plan)


def backoff(plan: Schedule, failures: int) -> timedelta:
    """How long after the beginning of a failed run the next one begins."""
    if not failures:
        return timedelta()
    match plan:
        case Every(span):
            first, longest = min(FIRST_RETRY, span), max(LAST_RETRY, span)
        case Cron():
            first, longest = FIRST_RETRY, LAST_RETRY
        case _:
            assert_never(plan)
    return min(longest, first * (1 << min(failures - 1, 20)))


def overdue(plan: Schedule, last: datetime | None, now: datetime) -> bool:
    """Whether something that was last done at `last` should have been done again by now."""
    if last is None:
        return True
    match plan:
        case Every(span):
            return now - last >= span
        case Cron():
            return last < plan.before(now.timestamp())
        case _:
            assert_never(plan)


def census_due(plan: Schedule, complete: datetime | None, tried: datetime | None, now: datetime) -> bool:
    """Whether a census is due: the last complete one is too old, and a failed one is not fresh."""
    if not overdue(plan, complete, now):
        return False
    match plan:
        case Every(span):
            pause = min(RETRY_CENSUS, span)
        case Cron():
            pause = RETRY_CENSUS
        case _:
            assert_never(plan)
    return tried is None or now - tried >= pause
