"""Rules of law as data: which request starts which clock, and what a late one may cost.

Rules kept here:

* A policy is a row of `data/policies.toml` with its source and the day it was verified. A rule that changes
  gets a new row with dates: `policy(id, on)` answers with the one in force then, so history is not rewritten.
* Which days count is uncertain in nearly every regime. A policy therefore names two kinds of days: `strict`
  to act by, `lenient` after which it is a breach. `deadline` counts them.
* A penalty is the maximum for one message on the day of *assessment*; it is never a forecast.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any

from suppress.core.tables import table
from suppress.errors import ConfigWrong


class Trigger(StrEnum):
    """What starts a clock."""

    RECEIVED = "received"
    """The request reached a system of ours, whenever it was recorded or synced."""
    SENT = "sent"
    """The person made the request."""
    USED = "used"
    """The person used the unsubscribe facility."""
    ONE_CLICK_POST = "one_click_post"
    """The mailbox provider posted the request for the person (RFC 8058)."""

    @property
    def at_receipt(self) -> bool:
        """Whether `received_at` decides; otherwise `occurred_at`, when the person acted."""
        return self in (Trigger.RECEIVED, Trigger.ONE_CLICK_POST)


class Unit(StrEnum):
    """What `n` counts."""

    BUSINESS_DAYS = "business_days"
    CALENDAR_DAYS = "calendar_days"


_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Days:
    """Which days count: all but the weekend and the public holidays of a region."""

    weekend: frozenset[int] = frozenset()
    """As `date.weekday` numbers them: Monday is 0."""
    holidays: str | None = None
    """ISO 3166 code of the region; None where holidays count."""

    def __str__(self) -> str:
        open_days = [name[:3].capitalize() for day, name in enumerate(_WEEK) if day not in self.weekend]
        kept = f"{self.holidays} public holidays do not" if self.holidays else "holidays too"
        return f"{open_days[0]}-{open_days[-1]} count, {kept}"


EVERY_DAY = Days()


@dataclass(frozen=True, slots=True)
class Policy:
    """One rule about how soon a request must be honoured."""

    id: str
    version: int
    title: str
    regime: str
    trigger: Trigger
    n: int
    unit: Unit
    source: str
    verified_on: date
    strict: Days = EVERY_DAY
    lenient: Days = EVERY_DAY
    applies_to: str = "commercial e-mail"
    mechanism_days: int | None = None
    """How long an unsubscribe link must work after the message was sent."""
    records: str | None = None
    ask_again_months: int | None = None
    transfer: str | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    """The last day in force."""

    def in_force(self, on: date) -> bool:
        """Whether the rule held on that day."""
        return (self.effective_from is None or self.effective_from <= on) and (
            self.effective_to is None or on <= self.effective_to
        )


def policy(id_: str, on: date | None = None) -> Policy:
    """The policy of this id in force on a day; the newest without a day.

    Raises:
        ConfigWrong: There is none; the message names those that exist.
    """
    versions = policies().get(id_, ())
    if not versions:
        raise ConfigWrong(f"there is no policy {id_!r}; known are {', '.join(sorted(policies()))}")
    held = [each for each in versions if on is None or each.in_force(on)]
    if not held:
        raise ConfigWrong(f"the policy {id_!r} was not in force on {on}")
    return held[-1]


@cache
def policies() -> Mapping[str, tuple[Policy, ...]]:
    """Every policy by id, oldest version first."""
    return _by_id(_policy(row) for row in table("policies")["policy"])


def table_version() -> int:
    """The version of the policy table, for reports."""
    version: int = table("policies")["version"]
    return version


def _by_id(rows: Iterable[Policy]) -> dict[str, tuple[Policy, ...]]:
    found: dict[str, tuple[Policy, ...]] = {}
    for row in sorted(rows, key=lambda each: (each.id, each.version)):
        found[row.id] = (*found.get(row.id, ()), row)
    return found


def _policy(row: Mapping[str, Any]) -> Policy:
    days = {name: _days(row[name]) for name in ("strict", "lenient") if name in row}
    return Policy(**{**row, **days, "trigger": Trigger(row["trigger"]), "unit": Unit(row["unit"])})


def _days(row: Mapping[str, Any]) -> Days:
    return Days(frozenset(_WEEK.index(day) for day in row["weekend"]), row.get("holidays"))


# --- Penalties -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Penalty:
    """The most that one violating message could cost, and where that is written."""

    assessed_from: date
    amount: int
    """US dollars."""
    source: str


def maximum_penalty(assessed_on: date) -> Penalty | None:
    """The maximum for a penalty assessed on that day under CAN-SPAM; None before the table begins.

    Assessments after an adjustment use the new amount even for older violations.
    """
    held = [each for each in penalties() if each.assessed_from <= assessed_on]
    return held[-1] if held else None


@cache
def penalties() -> tuple[Penalty, ...]:
    """Every maximum, oldest first."""
    rows = [Penalty(**row) for row in table("penalties")["maximum"]]
    return tuple(sorted(rows, key=lambda each: each.assessed_from))
