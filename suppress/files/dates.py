"""Dates as people and old exports write them. Pure.

Rules kept here:

* ISO 8601 is tried first, then `2024-03-05 10:00:00 EST`, then the forms of American exports, then months
  in words. A date without a zone is in the zone of the sender; a date without a time is the start of its day.
* What cannot be read is None. Nothing is guessed: two-digit years and days before months are read only in
  the one way that the caller said. So are years before 1990, which are what programs write for "no date".
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from suppress.errors import ConfigWrong

EARLIEST_YEAR = 1990
"""E-mail lists have no older opt-outs; 1900-01-01 and 1970-01-01 mean that a program had no date."""

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_MONTH = r"(?P<word>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
_TIME = (
    r"(?:(?:\s*,\s*|\s+at\s+|\s+|t)(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?"
    r"\s*(?P<half>[ap]\.?m\.?(?![a-z]))?\s*(?P<zone>\(?[a-z][a-z_/]*(?:[+-]\d\d?:?\d{0,2})?\)?|[+-]\d\d(?::?\d\d)?)?)?"
)
_FORMS = tuple(
    re.compile(_WEEKDAY + date + _TIME, re.IGNORECASE)
    for date in (
        r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)",
        r"(?P<first>\d{1,2})[/.-](?P<second_>\d{1,2})[/.-](?P<year>\d{4}|\d\d)",
        _MONTH + r"\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})",
        r"(?P<day>\d{1,2})(?:st|nd|rd|th)?[\s-]+" + _MONTH + r",?[\s-]+(?P<year>\d{4})",
    )
)
_ZONES = {
    **dict.fromkeys(("z", "utc", "gmt"), 0),
    **dict(zip(("edt", "cdt", "mdt", "pdt"), range(-4, -8, -1), strict=True)),
    **dict(zip(("est", "cst", "mst", "pst"), range(-5, -9, -1), strict=True)),
}
"""Hours of the abbreviations that RFC 5322 section 4.3 defines; any other is a name, or unreadable."""


def read_moment(text: str, zone: tzinfo, *, day_first: bool = False) -> datetime | None:
    """The moment that a text means, in UTC; None when it cannot be read."""
    text = " ".join(text.split())
    for form in _FORMS:
        found = form.fullmatch(text)
        if found is not None:
            return _moment(found.groupdict(), zone, day_first=day_first)
    return None


def day_and_month(text: str) -> tuple[int, int] | None:
    """The first two numbers of a date like `3/4/2024`, which may be day or month; None for any other form."""
    found = _FORMS[2].fullmatch(" ".join(text.split()))
    return None if found is None else (int(found["first"]), int(found["second_"]))


def zone_named(name: str) -> tzinfo:
    """A time zone by its IANA name. Raises `ConfigWrong` where the machine does not know it."""
    zone = _zone(name)
    if zone is None:
        raise ConfigWrong(f"there is no time zone {name!r}", remedy="an IANA name, such as America/New_York")
    return zone


def _moment(parts: dict[str, str | None], zone: tzinfo, *, day_first: bool) -> datetime | None:
    clock = _clock(parts)
    named = parts["zone"]
    at = _zone(named) if named else zone
    if clock is None or at is None:
        return None
    try:
        year, month, day = _day(parts, day_first=day_first)
        moment = datetime(year, month, day, *clock, tzinfo=at).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if year >= EARLIEST_YEAR else None


def _day(parts: dict[str, str | None], *, day_first: bool) -> tuple[int, int, int]:
    year = int(parts["year"] or 0)
    if year < 100:
        year += 2000
    if (word := parts.get("word")) is not None:
        return year, _MONTHS[word.lower()], int(parts["day"] or 0)
    if (first := parts.get("first")) is not None:
        month, day = int(first), int(parts["second_"] or 0)
        return (year, day, month) if day_first else (year, month, day)
    return year, int(parts["month"] or 0), int(parts["day"] or 0)


def _clock(parts: dict[str, str | None]) -> tuple[int, int, int, int] | None:
    if parts["hour"] is None:
        return 0, 0, 0, 0
    hour = int(parts["hour"])
    if parts["half"] is not None:
        afternoon = parts["half"][0].lower() == "p"
        if hour > 12 and not afternoon:
            return None
        # Some exports write 13:00 PM, which can mean one thing only.
        hour = hour if hour > 12 else hour % 12 + 12 * afternoon
    fraction = int((parts["fraction"] or "").ljust(6, "0")[:6] or 0)
    return hour, int(parts["minute"] or 0), int(parts["second"] or 0), fraction


@lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo | None:
    text = name.strip("()")
    prefix = re.match(r"[a-z]*", text, re.IGNORECASE)
    word = prefix.group().lower() if prefix else ""
    offset = re.fullmatch(r"([+-])(\d\d?):?(\d\d)?", text[len(word) :])
    if offset is not None and word in {"", "utc", "gmt"}:
        sign, hours, minutes = offset.groups()
        shift = timedelta(hours=int(hours), minutes=int(minutes or 0))
        return timezone(shift if sign == "+" else -shift) if shift < timedelta(hours=24) else None
    if text.lower() in _ZONES:
        return timezone(timedelta(hours=_ZONES[text.lower()]))
    try:
        return ZoneInfo(text) if "/" in text or text == "UTC" else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
