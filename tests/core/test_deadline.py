"""Deadlines: two dates, counted as the policy says, with the test vectors of the research behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core import calendars
from suppress.core.deadline import Calendar, Deadline, day_of, due
from suppress.core.policy import EVERY_DAY, Days, DayZero, Policy, Trigger, Unit, choose, policies

(CAN_SPAM,) = choose("us.can-spam").versions
SATURDAY, SUNDAY = 5, 6

# Statutory dates (5 U.S.C. 6103) of late 2026, and the days on which they are observed.
STATUTORY = {date(2026, 7, 4), date(2026, 11, 26), date(2026, 12, 25), date(2027, 1, 1)}
OBSERVED = {date(2026, 7, 3), date(2026, 11, 26), date(2026, 12, 25), date(2027, 1, 1)}


@pytest.mark.parametrize(
    ("received", "strict", "statutory", "lenient", "calendar"),
    [
        (date(2026, 11, 20), date(2026, 12, 2), date(2026, 12, 3), date(2026, 12, 7), date(2026, 11, 30)),
        (date(2026, 12, 18), date(2026, 12, 30), date(2026, 12, 31), date(2027, 1, 5), date(2026, 12, 28)),
        (date(2026, 6, 26), date(2026, 7, 8), date(2026, 7, 9), date(2026, 7, 13), date(2026, 7, 6)),
    ],
)
def test_ten_days_over_thanksgiving_christmas_and_independence_day(
    received: date, strict: date, statutory: date, lenient: date, calendar: date
) -> None:
    """The four ways to count ten days from three Fridays; CAN-SPAM's dates are the first and the third."""
    assert Calendar(frozenset({SUNDAY})).after(received, 10) == strict
    assert Calendar(frozenset({SUNDAY}), STATUTORY).after(received, 10) == statutory
    assert Calendar(frozenset({SATURDAY, SUNDAY}), OBSERVED).after(received, 10) == lenient
    assert Calendar().after(received, 10) == calendar
    assert due(CAN_SPAM, received, OBSERVED) == Deadline(strict, lenient)
    assert calendars.due(CAN_SPAM, received) == Deadline(strict, lenient)


def test_day_one_is_the_first_counting_day_after_receipt() -> None:
    """Received on a Saturday: the strict count begins on Monday, and so does the lenient one."""
    assert due(CAN_SPAM, date(2026, 3, 7)) == Deadline(date(2026, 3, 19), date(2026, 3, 20))


def test_a_one_click_request_is_due_in_two_days_whatever_they_are() -> None:
    """48 hours of the mailbox providers run over weekends and holidays."""
    assert calendars.due(choose("mbp.google-yahoo").versions[0], date(2026, 12, 24)) == Deadline(
        date(2026, 12, 26), date(2026, 12, 26)
    )


def test_an_objection_under_the_gdpr_is_due_at_once() -> None:
    """No day passes: the due date is the day itself."""
    assert calendars.due(choose("eu.gdpr").versions[0], date(2026, 12, 24)) == Deadline(
        date(2026, 12, 24), date(2026, 12, 24)
    )


days = st.dates(date(2004, 1, 1), date(2060, 12, 31))
holidays = st.frozensets(days, max_size=40)
near = st.integers(0, 40).map(timedelta)
every_policy = st.sampled_from([each for versions in policies().values() for each in versions])


@settings(max_examples=300)
@given(every_policy, days, st.frozensets(near, max_size=40))
def test_the_strict_date_is_never_after_the_lenient_one(
    rule: Policy, received: date, offsets: frozenset[timedelta]
) -> None:
    """Under every shipped policy, whatever days are holidays."""
    found = due(rule, received, {received + offset for offset in offsets})

    assert received <= found.strict <= found.lenient


@settings(max_examples=200)
@given(every_policy, days, st.frozensets(near, max_size=20), st.frozensets(near, max_size=20))
def test_more_holidays_never_bring_a_deadline_forward(
    rule: Policy, received: date, some: frozenset[timedelta], more: frozenset[timedelta]
) -> None:
    """They can only put the lenient date off, and never touch the strict one."""
    few = due(rule, received, {received + offset for offset in some})
    many = due(rule, received, {received + offset for offset in some | more})

    assert few.strict == many.strict
    assert few.lenient <= many.lenient


@settings(max_examples=200)
@given(every_policy, days, near, st.frozensets(near, max_size=20))
def test_a_later_receipt_is_never_due_earlier(
    rule: Policy, received: date, later: timedelta, offsets: frozenset[timedelta]
) -> None:
    """Deadlines keep the order of requests."""
    kept = {received + offset for offset in offsets}
    one, other = due(rule, received, kept), due(rule, received + later, kept)

    assert one.strict <= other.strict
    assert one.lenient <= other.lenient


@settings(max_examples=200)
@given(days, st.integers(0, 30), holidays)
def test_as_many_days_count_as_the_policy_says(received: date, n: int, kept: frozenset[date]) -> None:
    """Between receipt and deadline lie n counting days, and the deadline is one of them."""
    calendar = Calendar(frozenset({SATURDAY, SUNDAY}), kept)
    last = calendar.after(received, n)
    between = [received + timedelta(many) for many in range(1, (last - received).days + 1)]

    assert sum(calendar.counts(day) for day in between) == n
    assert n == 0 or calendar.counts(last)


@settings(max_examples=200)
@given(every_policy, days, st.integers(0, 30), near)
def test_days_used_are_the_days_that_the_policy_counts(
    rule: Policy, received: date, n: int, later: timedelta
) -> None:
    """On the lenient date all of them are used, before it fewer, and a later day never uses fewer."""
    asked = replace(rule, n=n)
    last = calendars.due(asked, received).lenient

    assert calendars.used(asked, received, last) == n
    assert n == 0 or calendars.used(asked, received, last - timedelta(1)) < n
    assert calendars.used(asked, received, last + later) >= n
    assert calendars.used(asked, received, received - later) == 0


@settings(max_examples=150)
@given(
    every_policy,
    days,
    st.sampled_from(DayZero),
    st.frozensets(near, max_size=20),
    st.frozensets(near, max_size=20),
)
def test_wherever_the_count_begins_more_holidays_bring_nothing_forward(
    rule: Policy, received: date, zero: DayZero, some: frozenset[timedelta], more: frozenset[timedelta]
) -> None:
    """And what is put off to a counting day is never due earlier than what is not."""
    asked, kept = replace(rule, day_zero=zero), {received + offset for offset in some}
    few, many = due(asked, received, kept), due(asked, received, kept | {received + each for each in more})

    assert few.strict <= few.lenient <= many.lenient
    assert due(rule, received, kept).lenient <= few.lenient


def test_a_policy_whose_strict_days_are_fewer_still_alarms_first() -> None:
    """A mistake in a policy cannot put the alarm behind the breach."""
    odd = Policy(
        "test.odd", 1, "", "", Trigger.RECEIVED, 5, Unit.BUSINESS_DAYS, "", date(2026, 1, 1),
        strict=Days(frozenset({SATURDAY, SUNDAY})), lenient=EVERY_DAY,
    )  # fmt: skip

    assert due(odd, date(2026, 3, 6)) == Deadline(date(2026, 3, 11), date(2026, 3, 11))


def test_a_calendar_without_counting_days_is_refused() -> None:
    """It would count for ever."""
    with pytest.raises(ValueError, match="no day counts"):
        Calendar(frozenset(range(7)))


@pytest.mark.parametrize("received", [date.max, date(9999, 12, 20), date(9998, 12, 31), date.min])
def test_an_absurd_date_of_receipt_has_a_deadline(received: date) -> None:
    """Platforms report such dates; a report must not fail over one."""
    found = calendars.due(CAN_SPAM, received)

    assert received <= found.strict <= found.lenient <= date.max


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-11-20T04:59:59Z", date(2026, 11, 19)),
        ("2026-11-20T05:00:00Z", date(2026, 11, 20)),
        ("2026-03-08T06:59:59Z", date(2026, 3, 8)),  # clocks go forward on this day
        ("2026-11-01T03:59:59Z", date(2026, 10, 31)),  # and back on this one, later in the night
        ("2026-11-02T04:59:59Z", date(2026, 11, 1)),
    ],
)
def test_a_day_is_a_day_of_the_sender(moment: str, day: date) -> None:
    """Midnight in New York, in winter, and on both days on which clocks change."""
    assert day_of(datetime.fromisoformat(moment), ZoneInfo("America/New_York")) == day


def test_an_instant_without_a_zone_has_no_day() -> None:
    """The machine's own zone is never guessed with."""
    with pytest.raises(ValueError, match="time zone"):
        day_of(datetime(2026, 11, 20), UTC)


# --- Holidays --------------------------------------------------------------------------------------------


def test_federal_holidays_are_taken_as_observed() -> None:
    """5 U.S.C. 6103: Saturday's holiday on Friday, Sunday's on Monday, New Year's in the old year."""
    assert date(2026, 7, 3) in calendars.observed("US", 2026)
    assert date(2027, 12, 31) in calendars.observed("US", 2027)
    assert date(2023, 1, 2) in calendars.observed("US", 2023)
    assert date(2020, 6, 19) not in calendars.observed("US", 2020)
    assert date(2021, 6, 18) in calendars.observed("US", 2021)
    assert date(2025, 1, 9) not in calendars.observed("US", 2025)  # a closure by order, not by law


@pytest.mark.parametrize("year", range(2015, 2036))
def test_every_year_has_the_federal_holidays_that_the_law_names(year: int) -> None:
    """Counted from 5 U.S.C. 6103 itself, without the library."""
    named = [date(year, *day) for day in ((7, 4), (11, 11), (12, 25))]
    named += [date(year, 1, 1), date(year + 1, 1, 1), *([date(year, 6, 19)] if year >= 2021 else [])]
    moved = {day + timedelta({5: -1, 6: 1}.get(day.weekday(), 0)) for day in named}
    counted = {
        nth(year, 1, 0, 3), nth(year, 2, 0, 3), last_monday_of_may(year), nth(year, 9, 0, 1),
        nth(year, 10, 0, 2), nth(year, 11, 3, 4),
    }  # fmt: skip

    expected = {day for day in moved | counted if day.year == year and day.weekday() < SATURDAY}
    assert {day for day in calendars.observed("US", year) if day.weekday() < SATURDAY} == expected


def nth(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta((weekday - first.weekday()) % 7 + 7 * (n - 1))


def last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(last.weekday())


def test_the_edition_of_the_holidays_is_named() -> None:
    """A report prints which calendar it counted with."""
    assert calendars.edition().startswith("holidays 0.")
