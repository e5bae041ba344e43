"""Constant Contact's dates: every form that was seen is read, nothing is invented."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.platforms.constant_contact.dates import moment, to_millisecond, to_query

EASTERN = timezone(-timedelta(hours=4))
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC))
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2024-10-30T18:56:35Z", datetime(2024, 10, 30, 18, 56, 35, tzinfo=UTC)),
        ("2024-10-30T18:56:35.120Z", datetime(2024, 10, 30, 18, 56, 35, 120_000, tzinfo=UTC)),
        ("2024-10-30T14:56:35-04:00", datetime(2024, 10, 30, 14, 56, 35, tzinfo=EASTERN)),
        ("2024-10-30T14:56:35.5-0400", datetime(2024, 10, 30, 14, 56, 35, 500_000, tzinfo=EASTERN)),
        ("2024-10-30T14:56:35-04", datetime(2024, 10, 30, 14, 56, 35, tzinfo=EASTERN)),
        ("2024-10-30T18:56:35", datetime(2024, 10, 30, 18, 56, 35, tzinfo=UTC)),
        ("2024-10-30t18:56:35z", datetime(2024, 10, 30, 18, 56, 35, tzinfo=UTC)),
        ("2024-10-30T18:56Z", datetime(2024, 10, 30, 18, 56, tzinfo=UTC)),
        ("2024-10-30T18:56:35,123456789Z", datetime(2024, 10, 30, 18, 56, 35, 123_456, tzinfo=UTC)),
        ("2023-01-23 06:09:23 -0800", datetime(2023, 1, 23, 14, 9, 23, tzinfo=UTC)),
        ("2023-01-23 06:09:23 UTC", datetime(2023, 1, 23, 6, 9, 23, tzinfo=UTC)),
        ("2016-07-08", datetime(2016, 7, 8, tzinfo=UTC)),
        ("2018-3-31", datetime(2018, 3, 31, tzinfo=UTC)),
        (" 2016-07-08 ", datetime(2016, 7, 8, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_every_form_that_was_seen_is_read(text: str, at: datetime) -> None:
    """`Z`, offsets, milliseconds, no offset, dates alone, and the odd ones."""
    assert at == moment(text)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "yesterday",
        "10/30/2024",
        "2024-13-01",
        "2024-02-30T00:00:00Z",
        "2024-10-30T25:00:00Z",
        "2024-10-30T18:56:35+99:99",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "٢٠٢٤-١٠-٣٠",
        "2024-10-30T18:56:35Z; DROP",
        1_700_000_000,
        True,
        ["2024-10-30"],
    ],
)
def test_what_is_no_date_is_none(value: object) -> None:
    """Never a guess; a placeholder in the year 1 did not happen."""
    assert moment(value) is None


@settings(deadline=None)
@given(MOMENTS, OFFSETS)
def test_any_offset_is_the_same_instant(at: datetime, zone: timezone) -> None:
    """ISO 8601 as any program writes it."""
    assert at == moment(at.astimezone(zone).isoformat())


@settings(deadline=None)
@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    """A moment in UTC, or None."""
    at = moment(text)

    assert at is None or at.tzinfo is UTC


@settings(deadline=None)
@given(MOMENTS)
def test_a_bound_is_what_is_recorded(at: datetime) -> None:
    """Cut to the millisecond both in the query and in the record."""
    assert to_millisecond(at) == moment(to_query(at))


def test_a_bound_is_written_as_the_guide_shows() -> None:
    """In UTC, with milliseconds and `Z`."""
    at = datetime(2026, 11, 23, 7, 5, 9, 87_999, tzinfo=EASTERN)

    assert "2026-11-23T11:05:09.087Z" == to_query(at)
