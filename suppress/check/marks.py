"""A block of a contact file cut into cells, with one bit for each byte in place of one number for each mark.

A *mark* is a byte that cannot be inside a plain address: all but letters, digits and joints (`.`, `-`, `_`,
`+`). So a plain address is what stands between a separator, an `@` and a separator, which are three marks in
a row, and nothing has to look at its bytes one by one.

Tricks, by name:

* *Kinds by translation*: what each byte is, mark or not, is looked up for the whole block in one go.
* *Bits for bytes*: each question about a byte is answered for the whole block by one array of bits, so that
  64 bytes are joined, shifted and counted by one operation; a thousand rows fit a processor's first cache.
* *Windows*: the bits from a place on are one unaligned word, shifted. An address is shorter than its window,
  so that one look finds its `@` and its end, and another whatever is wrong in it.
* *Cells by counting*: delimiters are counted up to each line end; only for a column that is not the first of
  its row their places are written out.
* *Quotes by parity*: of a line whose quotes all open a cell, close one, or are doubled, a byte is within
  quotes if an odd number of quotes stands before it; delimiters there separate nothing.

A line is *regular* if it can be cut on its own. Others, those with a quote out of place, a NUL byte or a lone
carriage return, are for the readable engine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from suppress.check.hashing import PAD, Hashes, Numbers, words

Mask = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

LETTER, DIGIT, JOINT = 0, 8, 1
"""What may be in a plain address. A dot and what is rare (`_` and `+`, before the `@` only) are joints."""
DOT, RARE = 2, 4
_MARK = 0x80
OTHER, AT, QUOTE, SPACE, RETURN, NUL, DELIMITER, FEED = range(_MARK, _MARK + 64, 8)

_KINDS = {
    LETTER: b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    DIGIT: b"0123456789",
    JOINT: b"-",
    JOINT | DOT: b".",
    JOINT | RARE: b"_+",
    AT: b"@",
    QUOTE: b'"',
    SPACE: b" ",
    RETURN: b"\r",
    NUL: b"\0",
}

WINDOW = 57
"""Bits from any place on that are in its window."""
_ONE, _ALL = np.uint64(1), np.uint64(0xFFFFFFFFFFFFFFFF)


def kinds_of_bytes(delimiter: bytes) -> bytes:
    """The table that translates a byte to its kind, in files with this delimiter (empty: one column)."""
    table = bytearray([OTHER]) * 256
    for kind, all_ in _KINDS.items():
        for each in all_:
            table[each] = kind
    for each in delimiter:
        table[each] = DELIMITER
    table[ord("\n")] = FEED
    return bytes(table)


class Bits:
    """One bit for each byte of a block: whether something holds of it."""

    def __init__(self, holds: NDArray[Any]) -> None:
        packed = np.packbits(holds, bitorder="little")
        # Room for the window of the last byte.
        room = np.zeros((len(packed) // 8 + 2) * 8, np.uint8)
        room[: len(packed)] = packed
        self._set(room.view("<u8"))

    def _set(self, found: Hashes) -> None:
        self.words = found
        self._windows = np.ndarray((8 * len(found) - 7,), np.dtype("<u8"), found, strides=(1,))

    @classmethod
    def of(cls, found: Hashes) -> Bits:
        """From words of which each bit stands for a byte."""
        made = cls.__new__(cls)
        made._set(found)
        return made

    def window(self, places: Numbers) -> Hashes:
        """The bits from each of these places on."""
        found: Hashes = self._windows[places >> 3] >> (places & 7).view(np.uint64)
        return found

    def places(self) -> Numbers:
        """Where it holds, in order."""
        which = np.flatnonzero(self.words)
        rest = self.words[which]
        found = []
        while which.size:
            lowest = rest & -rest
            found.append((which << 6) + np.bitwise_count(lowest - _ONE))
            rest = rest ^ lowest
            more = np.flatnonzero(rest)
            which, rest = which[more], rest[more]
        return np.sort(np.concatenate(found)) if found else np.empty(0, np.int64)

    def before(self, places: Numbers) -> Numbers:
        """How often it holds ahead of each of these places."""
        counts = np.bitwise_count(self.words)
        ahead = np.cumsum(counts, dtype=np.int64) - counts
        word = places >> 6
        here = self.words[word] & ((_ONE << (places & 63).view(np.uint64)) - _ONE)
        number: Numbers = ahead[word] + np.bitwise_count(here)
        return number


def _later(found: Hashes) -> Hashes:
    """Each bit one byte further on."""
    moved: Hashes = found << _ONE
    moved[1:] |= found[:-1] >> np.uint64(63)
    return moved


def _earlier(found: Hashes) -> Hashes:
    """Each bit one byte before."""
    moved: Hashes = found >> _ONE
    moved[:-1] |= found[1:] << np.uint64(63)
    return moved


def _odd(found: Hashes) -> Hashes:
    """The bits up to which, themselves included, an odd number is set."""
    parity = found.copy()
    for step in (1, 2, 4, 8, 16, 32):
        parity ^= parity << np.uint64(step)
    whole = np.bitwise_count(found)
    ahead = np.cumsum(whole, dtype=np.int64) - whole
    parity ^= np.where(ahead & 1, _ALL, np.uint64(0))
    return parity


class Lines:
    """The lines of a block: where they end, which are regular, and where their cells are.

    All positions are of `bytes`, in which the block starts behind a `PAD`.
    """

    def __init__(self, content: bytes, kinds: bytes, width: int) -> None:
        padded = PAD + content + PAD
        self.bytes: Bytes = np.frombuffer(padded, np.uint8)
        self.words: Hashes = words(padded)
        self.kinds: Bytes = np.frombuffer(padded.translate(kinds), np.uint8)
        self._width = width
        self.marks = Bits(self.kinds & _MARK)
        self.dots = Bits(self.kinds & DOT)
        self.joints = Bits(self.kinds & JOINT)
        self.rare = Bits(self.kinds & RARE)
        joints, marks = self.joints.words, self.marks.words
        self.misjoined = Bits.of(joints & (_later(joints | marks) | _earlier(marks)))
        """Joints that stand beside another one, or beside a mark."""
        feeds = Bits(self.kinds == FEED)
        self.ends = feeds.places()
        self.starts = np.concatenate(([len(PAD)], self.ends[:-1] + 1))[: len(self.ends)]
        self.regular: Mask = np.ones(len(self.ends), bool)
        self._delimiters = Bits(self.kinds == DELIMITER)
        if b'"' in content:
            self._unquote()
        self._spoil(content, feeds)
        self._number = self._delimiters.before(np.concatenate((self.starts[:1], self.ends)))
        self.counts: Numbers = np.diff(self._number) + 1
        """Cells of each line."""
        self._separators: Numbers | None = None

    def start(self, line: int) -> int:
        """Where a line starts in the block; for the one after the last, where the block ends."""
        return int(self.ends[line - 1]) + 1 - len(PAD) if line else 0

    def cells(self, lines: Numbers, column: int) -> Numbers:
        """Where a cell of each of these lines starts, which have the usual number of cells."""
        if not column:
            return self.starts[lines]
        if self._separators is None:
            self._separators = self._delimiters.places()
        found: Numbers = self._separators[self._number[lines] + (column - 1)] + 1
        return found

    def closes(self, places: Numbers, column: int) -> Mask:
        """Whether the cell ends there that started in this column without a delimiter or line end since."""
        kind = self.kinds[places]
        # Where a line is regular, a carriage return stands before its line feed only.
        last = column == self._width - 1
        found: Mask = (kind == FEED) | (kind == RETURN) if last else kind == DELIMITER
        return found

    def beyond_ascii(self) -> Numbers:
        """Where the bytes are that are not ASCII."""
        return Bits(self.bytes & 0x80).places()

    def _unquote(self) -> None:
        """Take out delimiters between quotes. Lines whose quotes are out of place are not regular."""
        found = Bits(self.kinds == QUOTE)
        quotes = found.places()
        line = np.searchsorted(self.ends, quotes)
        inside = line < len(self.ends)
        quotes, line = quotes[inside], line[inside]
        number = np.bincount(line, minlength=len(self.ends))
        opens = ((np.arange(len(quotes)) - (np.cumsum(number) - number)[line]) & 1) == 0
        edge = np.isin(np.arange(256), [DELIMITER, FEED, RETURN, QUOTE])
        # A line end stands before a quote also where the block begins. Behind a carriage return a quote is
        # within a line that is not regular anyway.
        first = quotes == len(PAD)
        placed = np.where(opens, edge[self.kinds[quotes - 1]] | first, edge[self.kinds[quotes + 1]])
        self.regular[line[~placed]] = False
        self.regular[number & 1 == 1] = False
        paired = self.regular[line]
        if not paired.all():
            own = np.zeros(len(self.kinds), bool)
            own[quotes[paired]] = True
            found = Bits(own)
        self._delimiters = Bits.of(self._delimiters.words & ~_odd(found.words))

    def _spoil(self, content: bytes, feeds: Bits) -> None:
        """Lines with a NUL byte, or a carriage return that ends a line without a line feed."""
        spots = []
        if b"\0" in content:
            spots.append(np.flatnonzero(self.kinds == NUL)[len(PAD) : -len(PAD)])
        if b"\r" in content:
            returns = Bits(self.kinds == RETURN).words
            spots.append(Bits.of(returns & ~_earlier(feeds.words)).places())
        for each in spots:
            line = np.searchsorted(self.ends, each)
            self.regular[line[line < len(self.ends)]] = False
