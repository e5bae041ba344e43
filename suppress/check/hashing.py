"""Hashes of many short texts at once: eight bytes of every text in each step, letters of either case alike.

    view = words(b"PAT" + PAD)
    Folding(secret).hashed(view, starts, lengths)      # 64 bits for each text

Tricks, by name:

* *Unaligned words*: a byte buffer is seen as a 64-bit number at each of its offsets, so that the n-th word of
  every text is one indexing away. The buffer ends in `PAD`, as the last word may reach beyond its text.
* *Masked tail*: of a text's last word only its own bytes count.
* *Folding by one bit*: `byte | 0x20` is the lower case of an ASCII letter. It joins other pairs of bytes too,
  and so may join two texts; it never tells apart two that differ in the case of ASCII letters.

The hash is quick, and keyed only so that nobody can make texts meet on purpose. It hides nothing: what is
made with it must be sealed before it is written anywhere (`snapshot`).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int64]

PAD = bytes(8)

_FOLD = np.uint64(0x2020202020202020)
_TAILS = np.array([(1 << 8 * size) - 1 for size in range(9)], np.uint64)
"""The mask of a word of which so many bytes count."""


def words(buffer: bytes) -> Hashes:
    """The 64-bit word at each offset of a buffer that ends in `PAD`."""
    return np.ndarray((len(buffer) - 7,), np.dtype("<u8"), buffer, strides=(1,))


def steps(view: Hashes, starts: Numbers, lengths: Numbers) -> Iterator[tuple[NDArray[np.intp], Hashes]]:
    """Word after word of texts: the places of those that are long enough, and their masked words."""
    live = np.flatnonzero(lengths > 0)
    offset = 0
    while live.size:
        left = lengths[live] - offset
        found = view[starts[live] + offset]
        found &= _TAILS[np.minimum(left, 8)]
        yield live, found
        offset += 8
        live = live[left > 8]


class Folding:
    """A hash function, one of as many as there are secrets."""

    def __init__(self, secret: bytes) -> None:
        drawn = hmac.digest(secret, b"folding", "sha512")
        seed, step, end, joint = np.frombuffer(drawn[:32], np.dtype("<u8"))
        self._seed = seed
        # Multiplication by an odd number loses nothing.
        self._step, self._end, self._joint = (each | np.uint64(1) for each in (step, end, joint))

    def begun(self, lengths: Numbers) -> Hashes:
        """The state of each text before its first word."""
        state: Hashes = lengths.astype(np.uint64) * self._joint ^ self._seed
        return state

    def mixed(self, state: Hashes, word: Hashes) -> Hashes:
        """The state after one more word."""
        state = (state ^ (word | _FOLD)) * self._step
        state ^= state >> np.uint64(29)
        return state

    def joined(self, local: Hashes, domain: Hashes) -> Hashes:
        """One hash of two."""
        both: Hashes = (local * self._joint ^ domain) * self._end
        both ^= both >> np.uint64(32)
        return both

    def hashed(self, view: Hashes, starts: Numbers, lengths: Numbers) -> Hashes:
        """The hash of each text."""
        state = self.begun(lengths)
        for live, found in steps(view, starts, lengths):
            state[live] = self.mixed(state[live], found)
        return state

    def of(self, texts: list[bytes]) -> Hashes:
        """The hash of each text in a list."""
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        view = words(b"".join(texts) + PAD)
        return self.hashed(view, np.cumsum(lengths) - lengths, lengths)
