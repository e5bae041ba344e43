"""Dates of old lists: read in the documented forms, never guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suppress.errors import ConfigWrong
from suppress.files.dates import EARLIEST_YEAR, day_and_month, read_moment, zone_named

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-05", "2024-03-05T05:00:00"),
        ("2024-03-05T10:00:00Z", "2024-03-05T10:00:00"),
        ("2024-03-05T10:00:00.123456+01:00", "2024-03-05T09:00:00.123456"),
        ("2024-03-05T10:00:00-0500", "2024-03-05T15:00:00"),
        ("20240305", "2024-03-05T05:00:00"),
        ("2024-03-05 10:00:00", "2024-03-05T15:00:00"),
        ("2024-03-05 10:00:00 EST", "2024-03-05T15:00:00"),
        ("2024-03-05 10:00:00 EDT", "2024-03-05T14:00:00"),
        ("2024-03-05 10:00:00 (UTC)", "2024-03-05T10:00:00"),
        ("2024-03-05 10:00:00 UTC+2", "2024-03-05T08:00:00"),
        ("2024-03-05 10:00 America/Chicago", "2024-03-05T16:00:00"),
        ("2024/03/05 10:00", "2024-03-05T15:00:00"),
        ("3/5/2024", "2024-03-05T05:00:00"),
        ("12/25/2024 11:30 PM", "2024-12-26T04:30:00"),
        ("03/05/24 1:02:03 pm PST", "2024-03-05T21:02:03"),
        ("7/4/2024 12:00 AM", "2024-07-04T04:00:00"),
        ("7/4/2024 13:00 PM", "2024-07-04T17:00:00"),
        ("Mar 5, 2024", "2024-03-05T05:00:00"),
        ("March 5th, 2024 at 10:00 a.m.", "2024-03-05T15:00:00"),
        ("5 March 2024", "2024-03-05T05:00:00"),
        ("05-Mar-2024", "2024-03-05T05:00:00"),
        ("Tue, 05 Mar 2024 10:00:00 +0000", "2024-03-05T10:00:00"),
        ("  2024-03-05\u00a0 10:00:00 ", "2024-03-05T15:00:00"),
    ],
)
def test_a_date_is_read_in_the_forms_that_exports_use(text: str, expected: str) -> None:
    """ISO first, then with a zone's name, then American; without a zone, that of the sender."""
    assert f"{expected}+00:00" == (read_moment(text, NEW_YORK) or datetime.min).isoformat()


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "n/a", "45356", "13:00", "2024", "2024-13-01", "2024-02-30", "0000-00-00"),
        *("1900-01-01", "1970-01-01 00:00:00", "25/12/2024", "2024-03-05 25:00", "2024-03-05 10:61"),
        *("2024-03-05 13:00 AM", "2024-03-05 10:00 XYZ", "2024-03-05 10:00 Mars/Olympus", "5.3.2024.1"),
        *(
            "2024-03-05 10:00 +99:00",
            "2024-03-05; DROP TABLE",
            "2024-03-05 10:00 ../etc/passwd",
            "9999-12-31 23:59",
        ),
    ],
)
def test_what_cannot_be_read_is_no_date(text: str) -> None:
    """Unknown is an answer; a wrong date is false evidence."""
    assert read_moment(text, timezone(-timedelta(hours=5))) is None


def test_days_come_first_only_when_it_was_said() -> None:
    """3/4/2024 is March the fourth in an American export, and the third of April in a British one."""
    american, british = read_moment("3/4/2024", UTC), read_moment("3/4/2024", UTC, day_first=True)

    assert (datetime(2024, 3, 4, tzinfo=UTC), datetime(2024, 4, 3, tzinfo=UTC)) == (american, british)
    assert datetime(2024, 12, 25, tzinfo=UTC) == read_moment("25/12/2024", UTC, day_first=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("25/12/2024", (25, 12)),
        ("3.4.24 10:00", (3, 4)),
        ("2024-03-04", None),
        ("4 March 2024", None),
        ("x", None),
    ],
)
def test_only_dates_of_numbers_with_the_year_last_may_mean_two_days(
    text: str, expected: tuple[int, int] | None
) -> None:
    """Whoever reads a whole column decides by them."""
    assert expected == day_and_month(text)


@given(
    st.datetimes(min_value=datetime(EARLIEST_YEAR, 1, 2), max_value=datetime(2100, 1, 1)),
    st.sampled_from(
        ["%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f", "%m/%d/%Y %H:%M:%S.%f", "%d %B %Y %H:%M:%S.%f"]
    ),
    st.integers(-14 * 60, 14 * 60),
)
def test_what_was_written_is_read(moment: datetime, form: str, minutes: int) -> None:
    """Every moment, form and offset."""
    zone = timezone(timedelta(minutes=minutes))
    text = moment.strftime(form)

    assert moment.replace(tzinfo=zone) == read_moment(text, zone)


@given(st.text(alphabet="0123456789/-:.,TZapm+ ()UTCjanmarEST", max_size=30))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Cells hold anything; a moment that comes back is in UTC and in range."""
    moment = read_moment(text, NEW_YORK)

    assert moment is None or (moment.tzinfo is UTC and moment.year >= EARLIEST_YEAR - 1)


def test_a_zone_has_a_name() -> None:
    """UTC even on a machine without a zone database; anything unknown is said."""
    assert timedelta() == zone_named("UTC").utcoffset(None)
    assert "America/New_York" == str(zone_named("America/New_York"))
    with pytest.raises(ConfigWrong, match="there is no time zone 'Mars/Olympus'"):
        zone_named("Mars/Olympus")
