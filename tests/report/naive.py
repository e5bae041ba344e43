"""A naive program that judges requests from exported leaves: JSON, days counted one by one, nothing of ours.

It knows the ledger's format and the rules of `docs/explanation/deadlines.md`, for requests that nothing ended
and at destinations that were never removed and took whatever they were told.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Leaf = dict[str, Any]

FEDERAL = {
    2026: ("01-01", "01-19", "02-16", "05-25", "06-19", "07-03", "09-07", "10-12", "11-11", "11-26", "12-25"),
    2027: ("01-01", "01-18", "02-15", "05-31", "06-18", "07-05", "09-06", "10-11", "11-11", "11-25", "12-24"),
}
"""Observed holidays of the United States, from the calendar of the Office of Personnel Management."""


def strict(start: date) -> date:
    """The tenth day after `start` that is no Sunday."""
    return _tenth(start, lambda day: day.weekday() != 6)


def lenient(start: date) -> date:
    """The tenth day after `start` from Monday to Friday that is no federal holiday."""
    return _tenth(start, _is_business)


def used(start: date, end: date) -> int:
    """Business days after `start`, up to and with `end`."""
    days = (end - start).days
    return sum(_is_business(start + timedelta(days=each)) for each in range(1, days + 1))


def _is_business(day: date) -> bool:
    return day.weekday() < 5 and f"{day:%m-%d}" not in FEDERAL[day.year]


def _tenth(day: date, counts: Any) -> date:
    left = 10
    while left:
        day += timedelta(days=1)
        left -= counts(day)
    return day


@dataclass(frozen=True)
class Judged:
    """What the naive program says of one request at one destination."""

    seq: int
    started: date
    strict: date
    lenient: date
    honoured: date | None
    receipt: int | None
    used: int
    state: str


def judged(leaves: Sequence[bytes], place: str, zone: ZoneInfo, today: date) -> list[Judged]:
    """Every request of these leaves at one destination, under us.can-spam."""
    entries: list[Leaf] = [json.loads(leaf) for leaf in leaves]
    told = [
        (seq, _day(each["at"], zone), each["upto"])
        for seq, each in enumerate(entries)
        if each["type"] == "honoured" and each["destination"] == place
    ]
    return [
        _judged(seq, each, told, zone, today)
        for seq, each in enumerate(entries)
        if each["type"] == "optout.recorded"
    ]


def _judged(
    seq: int, leaf: Leaf, told: Sequence[tuple[int, date, int]], zone: ZoneInfo, today: date
) -> Judged:
    started = _day(leaf["received_at"] or leaf["occurred_at"] or leaf["at"], zone)
    recorded = _day(leaf["at"], zone)
    act_by, breach_after = strict(started), lenient(started)
    receipt, honoured = next(((at, day) for at, day, upto in told if upto >= seq), (None, None))
    inherited = recorded > breach_after and leaf["origin"] != "person"
    last = lenient(recorded) if inherited else breach_after
    if honoured is not None and honoured <= act_by:
        state = "met"
    elif honoured is not None and honoured <= breach_after:
        state = "met after the strict date"
    elif honoured is not None:
        state = "late" if honoured > last else "inherited, honoured since"
    elif today > last:
        state = "overdue"
    elif inherited:
        state = "inherited, open"
    else:
        state = "at risk" if today > act_by else "open"
    return Judged(
        seq, started, act_by, breach_after, honoured, receipt, used(started, honoured or today), state
    )


def _day(text: str, zone: ZoneInfo) -> date:
    return datetime.fromisoformat(text).astimezone(zone).date()
