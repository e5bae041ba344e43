"""What is a spike of opt-outs: far more than this source ever brings, and nothing less."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suppress.alerts.spike import bar, spike

TODAY = date(2026, 11, 23)


def days(*counts: int, today: int = 0) -> dict[date, int]:
    """The counts of the days before today, the last one yesterday."""
    before = {TODAY - timedelta(days=index): count for index, count in enumerate(reversed(counts), start=1)}
    return before | {TODAY: today}


def test_a_new_source_has_no_spikes() -> None:
    """Thirteen days say nothing yet."""
    assert spike("main", days(*[5] * 13, today=10_000), TODAY) is None
    assert spike("main", days(*[5] * 14, today=10_000), TODAY) is not None


@pytest.mark.parametrize(
    ("before", "usual", "odd"),
    [
        ([0] * 56, 20, 21),
        ([10] * 56, 33, 60),
        ([1000] * 56, 1500, 2001),
        ([2, 0, 1, 0, 50, 3, 1] * 8, 100, 101),
        ([0] * 27 + [400] + [0] * 27 + [380], 760, 761),
    ],
    ids=["silent", "steady", "large", "weekly newsletter", "monthly newsletter"],
)
def test_it_is_measured_by_the_source_itself(before: list[int], usual: int, odd: int) -> None:
    """Fifty on the day after the newsletter are nothing; fifty where nobody ever left are much."""
    assert spike("main", days(*before, today=usual), TODAY) is None
    assert spike("main", days(*before, today=odd), TODAY) is not None


@given(before=st.lists(st.integers(0, 500), min_size=14, max_size=56), once=st.integers(0, 1_000_000))
def test_one_odd_day_does_not_hide_the_next(before: list[int], once: int) -> None:
    """However high a spike was, the bar stays within what the other days would make it."""
    with_it = bar(days(*before, once), TODAY)
    worst = bar(days(*before, max(before)), TODAY)

    assert with_it is not None
    assert worst is not None
    assert with_it <= max(worst, 2 * max(before) + 20) * 2


@given(st.lists(st.integers(0, 10_000), min_size=14, max_size=56), st.integers(0, 10_000))
def test_nothing_within_twice_the_second_highest_day_is_a_spike(before: list[int], today: int) -> None:
    """An alarm that goes off on ordinary days is switched off."""
    found = spike("main", days(*before, today=today), TODAY)

    assert found is None or today > max(20, 2 * sorted(before)[-2])
