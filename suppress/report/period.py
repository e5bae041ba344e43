"""The days that a report covers, in the sender's time zone.

Rules kept here:

* A day is a day of the sender's calendar. An instant is turned into a day in one place, `Zone.day`.
* A period counts entries by when the ledger learned of them (`at`), which nobody can choose. The ledger never
  lets `at` go back, so a period is an unbroken run of entries.
* What is still open is judged at the report's own instant, *as of*, whatever the period.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from suppress.errors import BadUsage, ConfigWrong


@dataclass(frozen=True, slots=True)
class Zone:
    """The sender's time zone."""

    name: str
    rules: tzinfo

    @classmethod
    def named(cls, name: str) -> Zone:
        """The zone of an IANA name. Raises `ConfigWrong` for an unknown one."""
        # UTC needs no time zone database, which slim systems do not have.
        if name == "UTC":
            return cls(name, UTC)
        try:
            return cls(name, ZoneInfo(name))
        except (ValueError, OSError, KeyError) as unknown:
            raise ConfigWrong(f"timezone = {name!r} is not a time zone that this system knows") from unknown

    def day(self, moment: datetime) -> date:
        """The sender's calendar day at this instant."""
        return moment.astimezone(self.rules).date()

    def midnight(self, day: date) -> datetime:
        """The instant at which this day begins, in UTC."""
        return datetime.combine(day, time(), self.rules).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day to the last, both included; `since` is None for "from the ledger's first entry"."""

    since: date | None
    until: date
    timezone: str
    start: datetime | None
    end: datetime
    """The first instant after the period."""

    @classmethod
    def between(cls, since: date | None, until: date | None, *, as_of: datetime, zone: Zone) -> Period:
        """The period of these days; without `until` it ends with the day of `as_of`.

        Raises:
            BadUsage: The period ends before it begins.
        """
        last = zone.day(as_of) if until is None else until
        if since is not None and since > last:
            raise BadUsage(f"the period ends on {last} before it begins on {since}")
        return cls(
            since=since,
            until=last,
            timezone=zone.name,
            start=None if since is None else zone.midnight(since),
            end=zone.midnight(last + timedelta(days=1)),
        )

    def holds(self, moment: datetime) -> bool:
        """Whether this instant lies in the period."""
        return (self.start is None or self.start <= moment) and moment < self.end
