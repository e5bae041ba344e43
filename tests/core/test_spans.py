"""Many sequence numbers in few."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suppress.core.spans import spans, within


@given(st.sets(st.integers(0, 200)))
def test_the_pairs_hold_exactly_the_numbers(numbers: set[int]) -> None:
    """None more, none fewer, in order."""
    assert sorted(numbers) == list(within(spans(numbers)))


def test_neighbours_are_one_pair() -> None:
    """Ten thousand entries of one run are two numbers."""
    assert (7, 10_006) == spans(range(7, 10_007))
    assert (3, 5, 9, 9) == spans([9, 4, 3, 5, 4])


@pytest.mark.parametrize("wrong", [(1,), (2, 1), (1, 3, 2, 4)])
def test_what_are_no_pairs_is_refused(wrong: tuple[int, ...]) -> None:
    """A doctored entry must not pass as an empty list."""
    with pytest.raises(ValueError, match="pairs"):
        list(within(wrong))
