"""When a run is due: whatever the clocks do, none is lost and none is made twice for nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.service.schedule import (
    LAST_RETRY,
    Cron,
    Every,
    Instant,
    backoff,
    census_due,
    left,
    overdue,
    schedule,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SPANS = st.timedeltas(timedelta(seconds=1), timedelta(days=30))


def instant(moment: datetime, monotonic: float = 1000.0) -> Instant:
    """A moment by both clocks."""
    return Instant(monotonic, moment.timestamp())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2s", Every(timedelta(seconds=2))),
        (" 30M ", Every(timedelta(minutes=30))),
        ("1h", Every(timedelta(hours=1))),
        ("7d", Every(timedelta(days=7))),
        ("2w", Every(timedelta(weeks=2))),
        ("15  2 * * *", Cron("15 2 * * *", "UTC")),
    ],
)
def test_a_schedule_is_a_span_or_five_fields(text: str, found: Every | Cron) -> None:
    """As people write both."""
    assert found == schedule(text, "UTC")


@pytest.mark.parametrize(
    "text", ["", "0h", "often", "-1h", "1.5h", "61 * * * *", "* * * *", "* * * * * *", "0 0 31 2 *"]
)
def test_what_is_neither_is_refused(text: str) -> None:
    """Before a service runs that would never do anything."""
    with pytest.raises(ValueError, match=r"span|cron"):
        schedule(text, "UTC")


def test_a_cron_expression_is_in_the_time_zone_of_the_settings() -> None:
    """02:15 in New York, also on the day when 02:15 does not exist."""
    cron = Cron("15 2 * * *", "America/New_York")

    assert datetime(2026, 11, 24, 7, 15, tzinfo=UTC) == cron.after(NOON.timestamp())
    assert datetime(2026, 11, 23, 7, 15, tzinfo=UTC) == cron.before(NOON.timestamp())
    spring = datetime(2027, 3, 14, 5, tzinfo=UTC)
    assert datetime(2027, 3, 14, 7, 0, tzinfo=UTC) == cron.after(spring.timestamp())


@given(span=SPANS, passed=st.floats(0, 1e7), jump=st.floats(-1e9, 1e9))
def test_a_span_never_takes_longer_than_itself_whatever_the_wall_clock_does(
    span: timedelta, passed: float, jump: float
) -> None:
    """A clock that is set back must not stop the service for years."""
    began = instant(NOON)
    now = Instant(began.monotonic + passed, began.epoch + passed + jump)

    remaining = left(Every(span), began, now, 0)

    assert remaining <= span.total_seconds() - passed + 1e-6


def test_a_machine_that_slept_runs_when_it_wakes() -> None:
    """The monotonic clock stood still, the wall clock did not."""
    began = instant(NOON)

    assert left(Every(timedelta(hours=1)), began, instant(NOON + timedelta(hours=9), 1001.0), 0) <= 0
    cron = Cron("15 14 * * *", "UTC")
    assert left(cron, began, instant(NOON + timedelta(hours=9), 1001.0), 0) <= 0
    assert 2.25 * 3600 == left(cron, began, began, 0)


def test_a_clock_set_back_over_the_last_run_names_the_next_time_anew() -> None:
    """Otherwise a wrong clock that was mended would cost days."""
    cron = Cron("15 14 * * *", "UTC")
    wrong = instant(NOON + timedelta(days=300))

    assert 2.25 * 3600 == left(cron, wrong, instant(NOON), 0)


@settings(max_examples=60)
@given(span=SPANS, failures=st.integers(1, 10_000))
def test_tries_come_further_apart_and_stay_within_an_hour_or_the_span(span: timedelta, failures: int) -> None:
    """A platform that is down is neither hammered nor forgotten."""
    plan = Every(span)

    assert backoff(plan, failures) <= backoff(plan, failures + 1) <= max(LAST_RETRY, span)
    assert timedelta() < backoff(plan, failures)


def test_after_a_failure_the_next_try_is_soon() -> None:
    """A nightly run that failed is not left for a day; and cron's own time is not passed over."""
    began = instant(NOON)

    assert 60 == left(Cron("15 2 * * *", "UTC"), began, began, 1)
    assert 120 == left(Every(timedelta(hours=1)), began, began, 2)
    assert 600 == left(Cron("*/10 * * * *", "UTC"), began, began, 9)
    assert timedelta() == backoff(Every(timedelta(hours=1)), 0)


def test_what_was_never_done_is_overdue() -> None:
    """And what was done just now is not."""
    weekly, sundays = Every(timedelta(days=7)), Cron("0 3 * * 0", "UTC")

    assert overdue(weekly, None, NOON)
    assert not overdue(weekly, NOON - timedelta(days=6), NOON)
    assert overdue(weekly, NOON - timedelta(days=7), NOON)
    assert not overdue(sundays, datetime(2026, 11, 22, 3, 5, tzinfo=UTC), NOON)
    assert overdue(sundays, datetime(2026, 11, 22, 2, 55, tzinfo=UTC), NOON)


@pytest.mark.parametrize("plan", [Every(timedelta(days=7)), Cron("0 3 * * 0", "UTC")])
def test_a_census_that_fails_is_tried_once_a_day(plan: Every | Cron) -> None:
    """It reads the whole account: at every run, it would use up the day's requests."""
    old = NOON - timedelta(days=20)

    assert census_due(plan, old, None, NOON)
    assert not census_due(plan, old, NOON - timedelta(hours=23), NOON)
    assert census_due(plan, old, NOON - timedelta(hours=25), NOON)
    assert not census_due(plan, NOON - timedelta(hours=1), None, NOON)
