"""Several requests at once: everything comes back once, little is held, and nothing is sent after a stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.plugin.workers import AHEAD, concurrently, in_order

Worked = Callable[..., Iterator[int]]
BOTH = pytest.mark.parametrize("worked", [concurrently, in_order])


@given(st.lists(st.integers(), max_size=60), st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_each_item_comes_back_once(items: list[int], workers: int) -> None:
    """Of one worker and of many; in order where order was asked for."""
    expected = [item * 2 for item in items]

    assert expected == list(in_order(lambda item: item * 2, items, workers=workers))
    assert sorted(expected) == sorted(concurrently(lambda item: item * 2, items, workers=workers))


@BOTH
def test_as_many_run_at_once_as_there_are_workers(worked: Worked) -> None:
    """Three calls that each wait for the two others come to an end."""
    together = threading.Barrier(3, timeout=30)

    assert [0, 1, 2] == sorted(worked(lambda _item: together.wait(), range(3), workers=3))


def test_a_result_does_not_wait_for_a_slower_one() -> None:
    """The first item ends only after the result of the second was seen."""
    seen = threading.Event()
    results = concurrently(lambda item: item if item or seen.wait(30) else -1, [0, 1], workers=2)
    first = next(results)
    seen.set()

    assert (1, [0]) == (first, list(results))


@BOTH
def test_few_items_are_asked_for_ahead(worked: Worked) -> None:
    """A million people are never held: with 3 workers, the 6 ahead and what was taken."""
    asked: list[int] = []

    def items() -> Iterator[int]:
        for item in range(1_000):
            asked.append(item)
            yield item

    results = worked(lambda item: item, items(), workers=3)
    for _ in range(10):
        next(results)
    before_the_end = len(asked)
    results.close()  # type: ignore[attr-defined]  # both are generators

    assert before_the_end <= 10 + 3 * AHEAD


@BOTH
def test_items_are_asked_for_in_the_callers_thread(worked: Worked) -> None:
    """They come from the ledger, which no other thread may touch."""

    def items() -> Iterator[int]:
        for item in range(50):
            yield item if threading.current_thread() is threading.main_thread() else -1

    assert list(range(50)) == sorted(worked(lambda item: item, items(), workers=4))


def test_what_was_under_way_is_given_before_the_failure() -> None:
    """It took effect; nothing that had not begun is sent after it."""
    failed, sent = threading.Event(), []

    def work(item: int) -> int:
        sent.append(item)
        if item == 0:
            failed.set()
            raise ValueError("refused")
        failed.wait(30)
        return item

    got = []
    with pytest.raises(ValueError, match="refused"):
        for result in concurrently(work, range(1_000), workers=2):
            got.append(result)

    assert sorted(got) == sorted(set(sent) - {0})
    assert len(sent) <= 2 * AHEAD + 1


@BOTH
@pytest.mark.parametrize("workers", [1, 4])
def test_a_failure_is_raised_as_it_is(worked: Worked, workers: int) -> None:
    """The engine knows its errors by their class."""
    there: dict[str, int] = {}
    with pytest.raises(KeyError, match="gone"):
        list(worked(there.__getitem__, ["gone"] * 9, workers=workers))


@BOTH
def test_nothing_is_sent_once_the_caller_has_stopped(worked: Worked) -> None:
    """Ctrl-C means stop: what waits for a thread is dropped."""
    sent: list[int] = []

    def work(item: int) -> int:
        sent.append(item)
        return item

    results = worked(work, range(1_000), workers=2)
    next(results)
    results.close()  # type: ignore[attr-defined]  # both are generators
    at_the_stop = len(sent)

    assert at_the_stop <= 1 + 2 * AHEAD
    assert not [each for each in threading.enumerate() if each.name.startswith("suppress-destination")]
    assert at_the_stop == len(sent)


class _Broken(BaseException):
    """The process ends."""


@BOTH
def test_items_that_break_end_the_work(worked: Worked) -> None:
    """Also by what is no Exception; no thread is left behind."""

    def items() -> Iterable[int]:
        yield from range(7)
        raise _Broken

    with pytest.raises(_Broken):
        list(worked(lambda item: item, items(), workers=2))
    assert not [each for each in threading.enumerate() if each.name.startswith("suppress-destination")]
