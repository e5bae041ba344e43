"""Sets of hashes, and which of many hashes are in them.

Tricks, by name:

* *Bitmap first*: one bit for each of the leading bits that a hash may have answers for most hashes, from
  memory that a processor's cache holds.
* *Looked for where it should be*: hashes are spread evenly, so that a hash tells how far down the list it
  stands, give or take some thousands of places. The search begins there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from suppress.check.compiled import compiled, inlined
from suppress.check.hashing import Bytes, Hashes, Numbers

Mask = NDArray[np.bool_]

_THREE, _SEVEN, _HALF = np.uint64(3), np.uint64(7), np.uint64(32)
_FEWEST = 10
"""Bits of which the bitmap of the smallest set has two to that power."""
_STEP = 256
"""Places by which a search widens at first."""


class Known:
    """A set of hashes, in order; equal ones may stand side by side."""

    def __init__(self, hashes: Hashes) -> None:
        # One kind of array, so that one machine code serves for all.
        self._hashes = np.ascontiguousarray(hashes, np.uint64).view()
        self._hashes.flags.writeable = False
        bits = max(_FEWEST, (16 * len(hashes)).bit_length())
        self._shift = np.uint64(64 - bits)
        self._bitmap: Bytes = np.zeros((1 << bits) // 8, np.uint8)
        _fill(self._bitmap, self._shift, self._hashes)

    @property
    def arrays(self) -> tuple[Hashes, Bytes, np.uint64]:
        """What `may_hold` and `place_of` are asked with: hashes, bitmap, shift."""
        return self._hashes, self._bitmap, self._shift

    def __len__(self) -> int:
        return len(self._hashes)

    def mark(self, asked: Hashes, found: Mask) -> None:
        """Note for each hash that is in the set that it was found."""
        if len(self._hashes):
            _mark(self._hashes, self._bitmap, self._shift, asked, found)

    def places(self, asked: Hashes) -> Numbers:
        """For each hash, the first place in the set where it stands; -1 if it is not there."""
        places = np.full(len(asked), -1)
        if len(self._hashes):
            _place(self._hashes, self._bitmap, self._shift, asked, places)
        return places


def marked(sets: list[Known], asked: Hashes) -> Mask:
    """For each hash, whether it is in one of the sets."""
    found = np.zeros(len(asked), bool)
    for each in sets:
        each.mark(asked, found)
    return found


@compiled
def _fill(bitmap: Bytes, shift: np.uint64, hashes: Hashes) -> None:
    for each in hashes:
        bit = each >> shift
        bitmap[bit >> _THREE] |= np.uint8(1) << np.uint8(bit & _SEVEN)


@compiled
def _mark(hashes: Hashes, bitmap: Bytes, shift: np.uint64, asked: Hashes, found: Mask) -> None:
    for number in range(len(asked)):
        if may_hold(bitmap, shift, asked[number]) and place_of(hashes, asked[number]) >= 0:
            found[number] = True


@compiled
def _place(hashes: Hashes, bitmap: Bytes, shift: np.uint64, asked: Hashes, places: Numbers) -> None:
    for number in range(len(asked)):
        if may_hold(bitmap, shift, asked[number]):
            places[number] = place_of(hashes, asked[number])


@inlined
def may_hold(bitmap: Bytes, shift: np.uint64, asked: np.uint64) -> bool:
    """Whether the bitmap has this hash's bit."""
    bit = asked >> shift
    return bool(bitmap[bit >> _THREE] >> np.uint8(bit & _SEVEN) & 1)


@inlined
def place_of(hashes: Hashes, asked: np.uint64) -> int:
    """The first place among these, of which there is one at least, where a hash stands; -1 if nowhere."""
    size = len(hashes)
    low = high = int(np.int64((asked >> _HALF) * np.uint64(size) >> _HALF))
    # Smaller ones stand below `low`, this one or larger ones from `high` on.
    step = _STEP
    while low > 0 and hashes[low - 1] >= asked:
        low = max(0, low - step)
        step *= 2
    step = _STEP
    while high < size and hashes[high] < asked:
        high = min(size, high + step)
        step *= 2
    while low < high:
        middle = (low + high) // 2
        if hashes[middle] < asked:
            low = middle + 1
        else:
            high = middle
    return low if low < size and hashes[low] == asked else -1
