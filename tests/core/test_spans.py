"""Many sequence numbers in few."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suppress.core.spans import are_spans, gathered, spanned, spans, within


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


@given(st.lists(st.lists(st.integers(0, 400), max_size=30), max_size=6), st.integers(1, 12))
def test_gathered_pairs_hold_every_number_and_stay_few(batches: list[list[int]], most: int) -> None:
    """Whatever comes in whatever order: none is lost, and there are at most so many pairs, in order."""
    pairs: tuple[int, ...] = ()
    for batch in batches:
        pairs = gathered(pairs, batch, most)

    assert are_spans(pairs)
    assert len(pairs) <= 2 * most
    assert all(spanned(pairs, number) for batch in batches for number in batch)


@given(st.sets(st.integers(0, 60)))
def test_without_a_limit_only_single_gaps_are_closed(numbers: set[int]) -> None:
    """A number lies within the pairs exactly if it was given, or both of its neighbours were."""
    pairs = gathered((), numbers, 1_000)

    for number in range(62):
        assert spanned(pairs, number) == (number in numbers or {number - 1, number + 1} <= numbers)
