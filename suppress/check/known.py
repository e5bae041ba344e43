"""Sets of hashes, and which of many hashes are in them.

Tricks, by name:

* *One look first*: each hash of the set has three bits in one word, and each word those of some four hashes.
  One look at a word tells of nearly all others that they are not in the set, from memory that a processor's
  cache holds (a blocked Bloom filter: Putze, Sanders and Singler, 2007).
* *Looked for in their place*: for the leading bits that a hash may have it is known where such hashes start,
  and there are some eight of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from suppress.check.compiled import compiled, inlined
from suppress.check.hashing import Hashes, Numbers

Mask = NDArray[np.bool_]

_ONE, _WORD = np.uint64(1), np.uint64(63)
_SIX, _TWELVE = np.uint64(6), np.uint64(12)


class Arrays(NamedTuple):
    """A set as compiled code asks it: `holds`, `place_of`."""

    hashes: Hashes
    words: Hashes
    """What is looked at first, by the leading bits of a hash."""
    words_shift: np.uint64
    starts: NDArray[np.uint32]
    """Where the hashes with the same leading bits start, and one more: where the last of them end."""
    starts_shift: np.uint64


class Known:
    """A set of hashes, in order; equal ones may stand side by side."""

    def __init__(self, hashes: Hashes) -> None:
        # One kind of array, so that one machine code serves for all.
        hashes = np.ascontiguousarray(hashes, np.uint64).view()
        hashes.flags.writeable = False
        bits = max(1, (len(hashes) // 4).bit_length())
        fewer = max(1, (len(hashes) // 8).bit_length())
        self.arrays = Arrays(
            hashes,
            np.zeros(1 << bits, np.uint64),
            np.uint64(64 - bits),
            np.empty((1 << fewer) + 1, np.uint32),
            np.uint64(64 - fewer),
        )
        _fill(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays.hashes)

    def mark(self, asked: Hashes, found: Mask) -> None:
        """Note for each hash that is in the set that it was found."""
        _mark(self.arrays, asked, found)

    def places(self, asked: Hashes) -> Numbers:
        """For each hash, the first place in the set where it stands; -1 if it is not there."""
        places = np.full(len(asked), -1)
        self.find(asked, places)
        return places

    def find(self, asked: Hashes, places: Numbers, start: int = 0) -> None:
        """Note that place for each hash that is in the set, counted from `start` on."""
        _find(self.arrays, asked, places, start)


def marked(sets: list[Known], asked: Hashes) -> Mask:
    """For each hash, whether it is in one of the sets."""
    found = np.zeros(len(asked), bool)
    for each in sets:
        each.mark(asked, found)
    return found


@compiled
def _fill(known: Arrays) -> None:
    behind = np.uint64(0)
    for place in range(len(known.hashes)):
        each = known.hashes[place]
        known.words[each >> known.words_shift] |= _bits(each)
        while behind <= each >> known.starts_shift:
            known.starts[behind] = place
            behind += _ONE
    while behind < len(known.starts):
        known.starts[behind] = len(known.hashes)
        behind += _ONE


@compiled
def _mark(known: Arrays, asked: Hashes, found: Mask) -> None:
    for number in range(len(asked)):
        if place_of(known, asked[number]) >= 0:
            found[number] = True


@compiled
def _find(known: Arrays, asked: Hashes, places: Numbers, start: int) -> None:
    for number in range(len(asked)):
        place = place_of(known, asked[number])
        if place >= 0:
            places[number] = start + place


@inlined
def place_of(known: Arrays, asked: np.uint64) -> int:
    """The first place in the set where a hash stands; -1 if it is not there."""
    bits = _bits(asked)
    if known.words[asked >> known.words_shift] & bits != bits:
        return -1
    low = np.uint64(known.starts[asked >> known.starts_shift])
    high = np.uint64(known.starts[(asked >> known.starts_shift) + _ONE])
    end = high
    while low < high:
        middle = (low + high) >> _ONE
        if known.hashes[middle] < asked:
            low = middle + _ONE
        else:
            high = middle
    return int(np.int64(low)) if low < end and known.hashes[low] == asked else -1


@inlined
def _bits(asked: np.uint64) -> np.uint64:
    """The three of a hash in its word."""
    return _ONE << (asked & _WORD) | _ONE << (asked >> _SIX & _WORD) | _ONE << (asked >> _TWELVE & _WORD)
