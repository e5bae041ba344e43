"""The vendor's dates, in and out.

In: the guide says UTC without an offset, live answers are whole seconds with `Z`, older samples carry offsets
and milliseconds, `deleted_at` is a date or a time stamp, and the SMS history writes `2023-01-23 06:09:23
-0800`. All of them are read; what cannot be read is None, never a guess, and the text itself is kept as
evidence.

Out: `YYYY-MM-DDTHH:MM:SS.sssZ`, as the technical overview shows.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_MOMENT = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,12}))?)?(?:\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?)?",
    re.ASCII | re.IGNORECASE,
)
_FIRST_YEAR = 1970
"""Dates before are placeholders such as `0001-01-01T00:00:00Z`, not something that happened."""


def moment(text: object) -> datetime | None:
    """When that was, in UTC; a date alone is the beginning of that UTC day. None when it is no date."""
    found = _MOMENT.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        # Clocks show :60 in a leap second; a datetime cannot.
        whole = datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            min(int(second or 0), 59),
            int((fraction or "0")[:6].ljust(6, "0")),
            tzinfo=_zone(offset),
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return whole if whole.year >= _FIRST_YEAR else None


def _zone(offset: str | None) -> timezone:
    if offset is None or offset[0] not in "+-":
        return UTC
    digits = offset[1:].replace(":", "").ljust(4, "0")
    distance = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(distance if offset[0] == "+" else -distance)


def to_query(at: datetime) -> str:
    """`at` as a query bound, cut to the millisecond."""
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def to_millisecond(at: datetime) -> datetime:
    """`at` as far as `to_query` can say it, so that what is recorded is what was asked."""
    utc = at.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)
