"""Lists of so many, taken as they are asked for."""

from __future__ import annotations

from itertools import chain, count

from hypothesis import given
from hypothesis import strategies as st

from suppress.core.batches import batched


@given(values=st.lists(st.integers(), max_size=30), size=st.integers(1, 9))
def test_nobody_is_lost_and_every_batch_but_the_last_is_full(values: list[int], size: int) -> None:
    batches = list(batched(values, size))

    assert list(chain.from_iterable(batches)) == values
    assert all(len(each) == size for each in batches[:-1])
    assert all(1 <= len(each) <= size for each in batches[-1:])


def test_no_more_is_taken_than_was_asked_for() -> None:
    """The entries come from the ledger, and there may be a million."""
    numbers = count()

    assert next(batched(numbers, 3)) == [0, 1, 2]
    assert next(numbers) == 3
