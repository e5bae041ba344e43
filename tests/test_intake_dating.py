"""The dates of one file: what the whole column shows is said; what it does not show is never guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suppress.errors import BadUsage
from suppress.intake.dating import Dating

NEW_YORK = ZoneInfo("America/New_York")


def looked(*texts: str, order: str | None = None) -> Dating:
    """The dates of a file that has been read through."""
    dating = Dating(UTC, order, given=order is not None)
    for text in texts:
        dating.look(text)
    return dating


@pytest.mark.parametrize(
    ("texts", "documented", "order", "said"),
    [
        (["2024-03-04"], None, None, []),
        (["3/3/2024"], None, None, []),
        (["3/4/2024", "3/25/2024"], None, "mdy", ["the month before the day, as 1 of them"]),
        (["3/4/2024", "25/3/2024"], "mdy", "dmy", ["the day before the month, as 1 of them"]),
        (["3/4/2024"], "mdy", "mdy", ["such as 3/4/2024 are taken to write the month before the day"]),
        (["45356.5", "1709632800"], None, None, ["five digits", "ten or thirteen digits"]),
    ],
)
def test_the_whole_column_decides_and_it_is_said(
    texts: list[str], documented: str | None, order: str | None, said: list[str]
) -> None:
    """Evidence in the file comes before what a system documents."""
    dating = looked(*texts)
    found = dating.decide(documented)

    assert order == dating.order
    assert len(said) == len(found)
    assert all(each in text for each, text in zip(said, found, strict=True))


def test_where_both_orders_occur_dates_that_allow_both_have_none() -> None:
    """The others say themselves what they mean."""
    dating = looked("25/3/2024", "3/25/2024", "3/4/2024")
    (said,) = dating.decide("mdy")

    assert "1 that allow both are recorded without a date" in said
    assert [datetime(2024, 3, 25, tzinfo=UTC)] * 2 == [dating.read("25/3/2024"), dating.read("3/25/2024")]
    assert dating.read("3/4/2024") is None
    assert datetime(2024, 3, 3, tzinfo=UTC) == dating.read("3/3/2024")


def test_what_the_user_said_holds_whatever_the_file_shows() -> None:
    """A date that cannot be read so has none."""
    dating = looked("25/3/2024", "3/4/2024", order="mdy")

    assert () == dating.decide(None)
    assert (None, datetime(2024, 3, 4, tzinfo=UTC)) == (dating.read("25/3/2024"), dating.read("3/4/2024"))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("45356", datetime(2024, 3, 5, 5, tzinfo=UTC)),
        ("45356.5", datetime(2024, 3, 5, 17, tzinfo=UTC)),
        ("1709632800", datetime(2024, 3, 5, 10, tzinfo=UTC)),
        ("1709632800.25", datetime(2024, 3, 5, 10, 0, 0, 250_000, tzinfo=UTC)),
        ("1709632800000", datetime(2024, 3, 5, 10, tzinfo=UTC)),
        ("00000", None),
        ("0000000000", None),
        ("9999999999999", datetime(2286, 11, 20, 17, 46, 39, 999_000, tzinfo=UTC)),
        ("0", None),
        ("1970-01-01", None),
    ],
)
def test_numbers_are_what_spreadsheets_and_databases_write(text: str, moment: datetime | None) -> None:
    """A day number is of the file's zone; seconds since 1970 have one; zero means that there was no date."""
    assert moment == Dating(NEW_YORK).read(text)


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), min_size=1))
def test_days_and_months_are_never_guessed(pairs: list[tuple[int, int]]) -> None:
    """Without evidence, and unless all of them mean the same either way, the user is asked."""
    dating = looked(*(f"{one}/{other}/2024" for one, other in pairs))
    if all(one == other for one, other in pairs):
        assert () == dating.decide(None)
    else:
        with pytest.raises(BadUsage, match="the month or the day first"):
            dating.decide(None)
