"""Rules of law as data: which request starts which clock, and what a late one may cost.

Rules kept here:

* A policy is a row of `data/policies.toml`, or of a file of the user's own (`policy_file`), with its source
  and the day it was verified. A rule that changes gets a new row with dates: `Chosen.on` answers with the
  one in force on a day, so history is not rewritten. `fingerprint` tells two texts of one version apart.
* Which days count is uncertain in nearly every regime. A policy therefore names two kinds of days: `strict`
  to act by, `lenient` after which it is a breach. `deadline` counts them.
* A penalty is the maximum for one message on the day of *assessment*; it is never a forecast.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from functools import cache
from hashlib import sha256
from typing import Any

from suppress.core.tables import content, table
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
    EACH_SEND = "each_send"
    """Nobody's request: a list has to be held against a register before messages are sent."""

    @property
    def at_receipt(self) -> bool:
        """Whether `received_at` decides; otherwise `occurred_at`, when the person acted."""
        return self in (Trigger.RECEIVED, Trigger.ONE_CLICK_POST)


class Unit(StrEnum):
    """What `n` counts."""

    BUSINESS_DAYS = "business_days"
    CALENDAR_DAYS = "calendar_days"


class DayZero(StrEnum):
    """From which day the count begins; day 1 is the first counting day after it."""

    TRIGGER_DAY = "trigger_day"
    """The day of the trigger, whatever day it is."""
    FIRST_COUNTING_DAY = "first_counting_day"
    """The first counting day from the trigger on: what comes on a Sunday counts as having come on Monday."""


WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Days:
    """Which days count: all but the weekend and the public holidays of a region."""

    weekend: frozenset[int] = frozenset()
    """As `date.weekday` numbers them: Monday is 0."""
    holidays: str | None = None
    """ISO 3166 code of the region; None where holidays count."""

    def __str__(self) -> str:
        open_days = [name[:3].capitalize() for day, name in enumerate(WEEK) if day not in self.weekend]
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
    day_zero: DayZero = DayZero.TRIGGER_DAY
    applies_to: str = "commercial e-mail"
    mechanism_days: int | None = None
    """How long an unsubscribe link must work after the message was sent."""
    record_retention: str | None = None
    ask_again_after: str | None = None
    """How long the person may not be asked to come back."""
    transfer_rule: str | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    """The last day in force."""

    def in_force(self, on: date) -> bool:
        """Whether the rule held on that day."""
        return (self.effective_from is None or self.effective_from <= on) and (
            self.effective_to is None or on <= self.effective_to
        )

    @property
    def applied(self) -> bool:
        """Whether requests about e-mail are judged by it."""
        return "e-mail" in self.applies_to and self.trigger is not Trigger.EACH_SEND

    @property
    def fingerprint(self) -> str:
        """The start of the SHA-256 of all that the row says: the same rule has the same one anywhere."""
        text = "\n".join(f"{each.name}={_written(getattr(self, each.name))}" for each in fields(self))
        return sha256(text.encode()).hexdigest()[:16]


def _written(value: object) -> str:
    match value:
        case Days():
            return f"{sorted(value.weekend)} {value.holidays}"
        case _:
            return str(value)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A policy as somebody chose it: its versions, oldest first, and where they are written."""

    id: str
    versions: tuple[Policy, ...]
    table: str
    """The shipped table, or the user's file."""
    digest: str
    """SHA-256 of that text, so that it is known again."""

    def on(self, day: date) -> Policy | None:
        """The version in force on a day, or None."""
        held = [each for each in self.versions if each.in_force(day)]
        return held[-1] if held else None


def choose(name: str) -> Chosen:
    """The shipped policy that `us.can-spam` names, or one version of it (`us.can-spam@1`).

    Raises:
        ConfigWrong: There is none; the message names those that exist.
    """
    id_, at, version = name.partition("@")
    versions = _versions(id_)
    if at:
        versions = tuple(each for each in versions if str(each.version) == version)
        if not versions:
            known = ", ".join(f"{id_}@{each.version}" for each in _versions(id_))
            raise ConfigWrong(f"there is no policy {name!r}; known are {known}")
    shipped = f"the shipped table, version {table_version()}"
    return Chosen(id_, versions, shipped, sha256(content("policies")).hexdigest())


def _versions(id_: str) -> tuple[Policy, ...]:
    versions = policies().get(id_, ())
    if not versions:
        raise ConfigWrong(f"there is no policy {id_!r}; known are {', '.join(sorted(policies()))}")
    return versions


@cache
def policies() -> Mapping[str, tuple[Policy, ...]]:
    """Every policy by id, oldest version first."""
    return by_id(policy_of(row) for row in table("policies")["policy"])


def table_version() -> int:
    """The version of the policy table, for reports."""
    version: int = table("policies")["version"]
    return version


def by_id(rows: Iterable[Policy]) -> dict[str, tuple[Policy, ...]]:
    """Policies by id, oldest version first."""
    found: dict[str, tuple[Policy, ...]] = {}
    for row in sorted(rows, key=lambda each: (each.id, each.version)):
        found[row.id] = (*found.get(row.id, ()), row)
    return found


def policy_of(row: Mapping[str, Any]) -> Policy:
    """A row of a table as a policy. The row has the right keys and kinds: `policy_file` sees to that."""
    days = {name: _days(row[name]) for name in ("strict", "lenient") if name in row}
    zero = {"day_zero": DayZero(row["day_zero"])} if "day_zero" in row else {}
    return Policy(**{**row, **days, **zero, "trigger": Trigger(row["trigger"]), "unit": Unit(row["unit"])})


def _days(row: Mapping[str, Any]) -> Days:
    return Days(frozenset(WEEK.index(day) for day in row["weekend"]), row.get("holidays"))


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
