"""Hashes of short texts, letters of either case alike: quick, keyed, and the same wherever they are made.

    Folding(secret).of([b"Pat", b"pat"])      # twice the same 64 bits

Tricks, by name:

* *Unaligned words*: a byte buffer is seen as a 64-bit number at each of its offsets, so that a text is hashed
  eight bytes at a time, wherever it stands. The buffer ends in `PAD`, as the last word may reach beyond it.
* *Masked tail*: of a text's last word only its own bytes count.
* *Folding by one bit*: `byte | 0x20` is the lower case of an ASCII letter. It joins other pairs of bytes too,
  and so may join two texts; it never tells apart two that differ in the case of ASCII letters.
* *One multiplier a word*: each word is multiplied by a number of its place, and the products are added, so
  that no step waits for the one before.

The hash is keyed only so that nobody can make texts meet on purpose. It hides nothing: what is made with it
must be sealed before it is written anywhere (`snapshot`).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from suppress.check.compiled import compiled, inlined

Bytes = NDArray[np.uint8]
Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int64]

PAD = bytes(8)
"""What stands at the end of a buffer: a word may reach this far beyond a text."""

FOLD = np.uint64(0x2020202020202020)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_PLACES = 64
_LENGTH, _JOINT, _END = range(_PLACES, _PLACES + 3)
"""Where among the multipliers those stand that are for no word."""
_HALF, _WORD, _BYTE = np.uint64(32), 8, np.uint64(8)
_SIGN = ord("@")


def words(buffer: bytes | bytearray) -> Hashes:
    """The 64-bit word at each offset of a buffer that ends in `PAD`."""
    return np.ndarray((len(buffer) - 7,), np.dtype("<u8"), buffer, strides=(1,))


@inlined
def mixed(word: np.uint64, place: int, odd: Hashes) -> np.uint64:
    """What the word at this place of a text adds to its hash."""
    product: np.uint64 = word * odd[place % _PLACES]
    product ^= product >> _HALF
    return product


@inlined
def length_hash(length: int, odd: Hashes) -> np.uint64:
    """What the length of a text adds to its hash."""
    found: np.uint64 = np.uint64(length) * odd[_LENGTH]
    return found


@inlined
def text_hash(view: Hashes, start: int, stop: int, odd: Hashes) -> np.uint64:
    """The hash of the bytes from `start` to `stop` of the buffer whose `words` these are."""
    state = length_hash(stop - start, odd)
    for at in range(start, stop, _WORD):
        word = view[at] | FOLD
        if stop - at < _WORD:
            word &= _ALL >> (_BYTE * np.uint64(_WORD - (stop - at)))
        state += mixed(word, (at - start) // _WORD, odd)
    return state


@inlined
def joined(local: np.uint64, domain: np.uint64, odd: Hashes) -> np.uint64:
    """One hash of those of the two halves of an address."""
    both: np.uint64 = (local * odd[_JOINT] ^ domain) * odd[_END]
    both ^= both >> _HALF
    return both


@compiled
def _all_of(view: Hashes, ends: Numbers, odd: Hashes, found: Hashes) -> None:
    """Put the hash of each text into `found`; they stand one behind another."""
    start = 0
    for number in range(len(ends)):
        found[number] = text_hash(view, start, ends[number], odd)
        start = ends[number]


@compiled
def _keys_of(
    text: Bytes, view: Hashes, ends: Numbers, odd: Hashes, signs: Numbers, found: Hashes, domains: Hashes
) -> None:
    """Of match keys that stand one behind another, fill in where the last `@` of each is, or would be if it
    had one; the hash of the key; the hash of what stands behind the `@`."""
    start = 0
    for number in range(len(ends)):
        host = stop = ends[number]
        while host > start and text[host - 1] != _SIGN:
            host -= 1
        signs[number] = host - 1
        domains[number] = text_hash(view, host, stop, odd)
        found[number] = joined(text_hash(view, start, max(start, host - 1), odd), domains[number], odd)
        start = stop


class Keys(NamedTuple):
    """Match keys one behind another, with their hashes."""

    buffer: bytes
    signs: Numbers
    """Where the last `@` of each is."""
    ends: Numbers
    hashes: Hashes
    domains: Hashes
    """Of what stands behind the `@`."""


class Folding:
    """A hash function, one of as many as there are secrets."""

    def __init__(self, secret: bytes) -> None:
        drawn = hashlib.shake_256(hmac.digest(secret, b"folding", "sha512")).digest(8 * (_PLACES + 3))
        # Multiplication by an odd number loses nothing.
        self.odd: Hashes = np.frombuffer(drawn, np.dtype("<u8")) | np.uint64(1)
        """What the functions above take as `odd`."""

    def of(self, texts: list[bytes]) -> Hashes:
        """The hash of each text in a list."""
        found = np.empty(len(texts), np.uint64)
        _all_of(words(b"".join(texts) + PAD), _ends(texts), self.odd, found)
        return found

    def of_keys(self, keys: Sequence[str]) -> Hashes:
        """The hash of each match key: of what stands before its last `@`, and behind it."""
        return self.keys(keys).hashes

    def keys(self, keys: Sequence[str]) -> Keys:
        """The same, with what it is made of."""
        each = [key.encode() for key in keys]
        buffer, ends = b"".join(each) + PAD, _ends(each)
        signs, found, domains = (
            np.empty_like(ends),
            np.empty(len(each), np.uint64),
            np.empty(len(each), np.uint64),
        )
        _keys_of(np.frombuffer(buffer, np.uint8), words(buffer), ends, self.odd, signs, found, domains)
        return Keys(buffer, signs, ends, found, domains)


def _ends(texts: list[bytes]) -> Numbers:
    """Where each of these texts ends when they stand one behind another."""
    return np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
