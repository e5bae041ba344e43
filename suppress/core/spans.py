"""Many sequence numbers in few: runs of neighbours as pairs of their first and last.

What one run appends stands together in the ledger, so that ten thousand numbers are a handful of pairs, and
an entry that names them stays far below its limit of 65,535 bytes.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
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


def gathered(pairs: Sequence[int], numbers: Iterable[int], most: int) -> tuple[int, ...]:
    """`pairs` with more numbers, in at most `most` pairs, which may span others besides.

    Numbers with one other between them are joined: an import adds a person, then their opt-out. Beyond
    `most`, the narrowest gaps are closed, down to half as many.
    """
    every = sorted([*zip(pairs[::2], pairs[1::2], strict=True), *((each, each) for each in numbers)])
    found: list[tuple[int, int]] = []
    for first, last in every:
        if found and first <= found[-1][1] + 2:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    if len(found) > most:
        gaps = sorted((found[each + 1][0] - found[each][1], each) for each in range(len(found) - 1))
        closed = {each for _, each in gaps[: len(found) - max(most // 2, 1)]}
        wide: list[tuple[int, int]] = []
        for place, (first, last) in enumerate(found):
            if place and place - 1 in closed:
                wide[-1] = (wide[-1][0], last)
            else:
                wide.append((first, last))
        found = wide
    return tuple(each for pair in found for each in pair)


def spanned(pairs: Sequence[int], number: int) -> bool:
    """Whether a number lies within some pair."""
    place = bisect_right(pairs, number)
    return place % 2 == 1 or (place > 0 and pairs[place - 1] == number)
