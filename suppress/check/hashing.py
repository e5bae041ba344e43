"""Hashes of many short texts at once: eight bytes of every text in each step, letters of either case alike.

    view = words(PAD + b"PAT" + PAD)
    Folding(secret).hashed(view, starts, lengths)      # 64 bits for each text

Tricks, by name:

* *Unaligned words*: a byte buffer is seen as a 64-bit number at each of its offsets, so that the n-th word of
  every text is one indexing away. The buffer ends in `PAD`, as the last word may reach beyond its text.
* *Masked tail*: of a text's last word only its own bytes count, and of a word behind its end none.
* *Folding by one bit*: `byte | 0x20` is the lower case of an ASCII letter. It joins other pairs of bytes too,
  and so may join two texts; it never tells apart two that differ in the case of ASCII letters.
* *One multiplier a word*: each word is multiplied by a number of its place, and the products are added. A
  word that is masked out adds nothing, so that short and long texts go through the same steps together.

The hash is quick, and keyed only so that nobody can make texts meet on purpose. It hides nothing: what is
made with it must be sealed before it is written anywhere (`snapshot`).
"""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int64]

PAD = bytes(72)
"""What stands at both ends of a buffer: steps may reach this far beyond a text."""

_FOLD = np.uint64(0x2020202020202020)
TAILS = np.array([(1 << 8 * size) - 1 for size in range(9)], np.uint64)
"""The mask of a word of which so many bytes count."""
_TOGETHER = 16
"""Bytes of each text that are hashed whether it has them or not; behind them only the longer ones go on."""
_PLACES = 64


def words(buffer: bytes) -> Hashes:
    """The 64-bit word at each offset of a buffer that ends in `PAD`."""
    return np.ndarray((len(buffer) - 7,), np.dtype("<u8"), buffer, strides=(1,))


class Folding:
    """A hash function, one of as many as there are secrets."""

    def __init__(self, secret: bytes) -> None:
        drawn = hashlib.shake_256(hmac.digest(secret, b"folding", "sha512")).digest(8 * (_PLACES + 3))
        # Multiplication by an odd number loses nothing.
        odd = np.frombuffer(drawn, np.dtype("<u8")) | np.uint64(1)
        self._places = odd[:_PLACES]
        self._length, self._joint, self._end = odd[_PLACES:]

    def joined(self, local: Hashes, domain: Hashes) -> Hashes:
        """One hash of two."""
        both: Hashes = (local * self._joint ^ domain) * self._end
        both ^= both >> np.uint64(32)
        return both

    def hashed(self, view: Hashes, starts: Numbers, lengths: Numbers) -> Hashes:
        """The hash of each text."""
        state: Hashes = lengths.astype(np.uint64) * self._length
        for offset in range(0, _TOGETHER, 8):
            state += self._added(view, starts, lengths, offset)
        longest = int(lengths.max(initial=0))
        for offset in range(_TOGETHER, longest, 8):
            live = np.flatnonzero(lengths > offset)
            state[live] += self._added(view, starts[live], lengths[live], offset)
        return state

    def of_words(self, texts: list[Hashes], lengths: Numbers) -> Hashes:
        """The same of texts that are given by their first words, their second ones, and so on."""
        state: Hashes = lengths.astype(np.uint64) * self._length
        for number, each in enumerate(texts):
            state += self._mixed(each, lengths, 8 * number)
        return state

    def _added(self, view: Hashes, starts: Numbers, lengths: Numbers, offset: int) -> Hashes:
        """What the word at this offset adds to each text's hash."""
        return self._mixed(view[starts + offset], lengths, offset)

    def _mixed(self, found: Hashes, lengths: Numbers, offset: int) -> Hashes:
        word: Hashes = found | _FOLD
        word &= TAILS.take(lengths - offset, mode="clip")
        word *= self._places[offset // 8 % _PLACES]
        word ^= word >> np.uint64(32)
        return word

    def of(self, texts: list[bytes]) -> Hashes:
        """The hash of each text in a list."""
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        view = words(b"".join(texts) + PAD)
        return self.hashed(view, np.cumsum(lengths) - lengths, lengths)

    def of_keys(self, keys: list[str]) -> tuple[Hashes, Hashes]:
        """Of each match key the hash, and that of its domain."""
        halves = [key.encode().rpartition(b"@")[::2] for key in keys]
        domain = self.of([each for _, each in halves])
        return self.joined(self.of([each for each, _ in halves]), domain), domain
