"""Many sequence numbers in few: runs of neighbours as pairs of their first and last.

What one run appends stands together in the ledger, so that ten thousand numbers are a handful of pairs, and
an entry that names them stays far below its limit of 65,535 bytes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence


def spans(numbers: Iterable[int]) -> tuple[int, ...]:
    """The pairs, flat and in order: 3, 4, 5, 9 is (3, 5, 9, 9). Doubles count once."""
    found: list[int] = []
    for number in sorted(set(numbers)):
        if found and number == found[-1] + 1:
            found[-1] = number
        else:
            found += [number, number]
    return tuple(found)


def are_spans(pairs: Sequence[int]) -> bool:
    """Whether these are pairs as `spans` makes them."""
    return len(pairs) % 2 == 0 and all(one <= other for one, other in itertools.pairwise(pairs))


def within(pairs: Sequence[int]) -> Iterator[int]:
    """The numbers again. Raises ValueError when the pairs are not as `spans` makes them."""
    if not are_spans(pairs):
        raise ValueError("not pairs of first and last in order")
    for first, last in zip(pairs[::2], pairs[1::2], strict=True):
        yield from range(first, last + 1)
