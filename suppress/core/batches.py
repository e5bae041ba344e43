"""Taking many of anything a list at a time, in memory that does not grow with their number.

`itertools.batched` does this from Python 3.12 on; the oldest that we run on is 3.11.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")


def batched(values: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """`values` in lists of `size`, the last of what is left; each is taken only when it is asked for."""
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch
