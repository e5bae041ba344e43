"""A block of a contact file cut into cells by its *marks*: every byte that cannot be inside a plain address.

The bytes between two marks are letters, digits and single joints (`.`, `-`, `_`, `+`) only. So a plain
address is three marks in a row, a separator, an `@` and a separator, and nothing has to look at its bytes one
by one.

Tricks, by name:

* *Kinds by translation*: what each byte is, mark or not, is looked up for the whole block in one go.
* *Cells by counting*: a cell is reached by counting separators back from the end of its line.
* *Quotes in pairs*: of a line whose quotes all open a cell, close one, or are doubled, every other one opens;
  marks between the two of a pair separate nothing.
* *Eight at a time*: where few bytes of a block are wanted, words of eight without one are passed over.

A line is *regular* if it can be cut on its own. Others, those with a quote out of place, a NUL byte or a lone
carriage return, are for the readable engine.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from suppress.check.hashing import PAD, Hashes, Numbers, words

Mask = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

ALNUM, JOINT, RARE = 0, 1, 3
"""What may be in a plain address: letters and digits; `.` and `-`; and `_` and `+`, before the `@` only."""
_MARK = 0x80
OTHER, AT, QUOTE, SPACE, RETURN, NUL = range(_MARK, _MARK + 24, 4)
DELIMITER, FEED = 0xF8, 0xFC
"""Those that separate."""
# No mark has a bit of a joint, so that joints are found in words of eight kinds.
_EACH_JOINT, _EACH_RARE = np.uint64(0x0101010101010101), np.uint64(0x0202020202020202)

_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
LETTER: Mask = np.isin(np.arange(256), np.frombuffer(_LETTERS, np.uint8))
_KINDS = {
    ALNUM: _LETTERS + b"0123456789",
    JOINT: b".-",
    RARE: b"_+",
    AT: b"@",
    QUOTE: b'"',
    SPACE: b" ",
    RETURN: b"\r",
    NUL: b"\0",
}


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
        inside = self.kinds[len(PAD) : len(PAD) + len(content)]
        # The first mark is the line end before the block.
        start = [len(PAD) - 1]
        self.marks: Numbers = np.concatenate((start, np.flatnonzero(inside >= _MARK) + len(PAD)))
        self.kind: Bytes = self.kinds[self.marks]
        self.kind[0] = FEED
        feeds = np.flatnonzero(self.kind == FEED)
        self.ends: Numbers = self.marks[feeds[1:]]
        self.regular: Mask = np.ones(len(self.ends), bool)
        separates = self.kind >= DELIMITER
        self._returns = b"\r" in content
        if b'"' in content:
            self._unquote(separates, feeds[1:])
        self._spoil(content)
        self._separators = np.flatnonzero(separates)
        closing = np.flatnonzero(self.kind[self._separators] == FEED)
        self._closing = closing[1:]
        self.counts: Numbers = np.diff(closing)
        """Cells of each line."""

    def start(self, line: int) -> int:
        """Where a line starts in the block; for the one after the last, where the block ends."""
        return int(self.ends[line - 1]) + 1 - len(PAD) if line else 0

    def cell(self, lines: Numbers, column: int) -> tuple[Numbers, Numbers]:
        """The marks before and behind a cell of each of these lines, which have the usual number of cells."""
        place = self._closing[lines] - (self._width - 1) + column
        before, behind = self._separators[place - 1], self._separators[place]
        if self._returns and column == self._width - 1:
            behind = behind - (self.kind[behind - 1] == RETURN)
        return before, behind

    def bared(self, before: Numbers, behind: Numbers) -> None:
        """Move the marks around cells inwards over quotes, and then over spaces."""
        some = np.flatnonzero((behind - before > 2) | (self.kind[behind - 1] == SPACE))
        left, right = before[some], behind[some]
        quoted = self._next(left, right, QUOTE) & self._previous(left + 1, right, QUOTE)
        left, right = left + quoted, right - quoted
        moving = np.arange(len(some))
        while moving.size:
            one = self._next(left[moving], right[moving], SPACE)
            left[moving] += one
            other = self._previous(left[moving], right[moving], SPACE)
            right[moving] -= other
            moving = moving[one | other]
        before[some], behind[some] = left, right

    def _next(self, left: Numbers, right: Numbers, kind: int) -> Mask:
        """Whether the byte right behind the mark `left` is a mark of this kind, inside the cell."""
        near = self.marks[left + 1] == self.marks[left] + 1
        found: Mask = near & (self.kind[left + 1] == kind) & (left + 1 < right)
        return found

    def _previous(self, left: Numbers, right: Numbers, kind: int) -> Mask:
        near = self.marks[right - 1] == self.marks[right] - 1
        found: Mask = near & (self.kind[right - 1] == kind) & (left + 1 < right)
        return found

    def _unquote(self, separates: Mask, feeds: Numbers) -> None:
        """Take out separators between quotes. Lines whose quotes are out of place are not regular."""
        quotes = np.flatnonzero(self.kind == QUOTE)
        line = np.searchsorted(feeds, quotes)
        inside = line < len(feeds)
        quotes, line = quotes[inside], line[inside]
        number = np.bincount(line, minlength=len(feeds))
        opens = ((np.arange(len(quotes)) - (np.cumsum(number) - number)[line]) & 1) == 0
        at = self.marks[quotes]
        edge = np.isin(np.arange(256), [DELIMITER, FEED, RETURN, QUOTE])
        # A line end stands before a quote also where the block begins. Behind a carriage return a quote is
        # within a line that is not regular anyway.
        first = at == len(PAD)
        placed = np.where(opens, edge[self.kinds[at - 1]] | first, edge[self.kinds[at + 1]])
        self.regular[line[~placed]] = False
        self.regular[number & 1 == 1] = False
        fine = self.regular[line]
        one, other = quotes[fine & opens], quotes[fine & ~opens]
        counts = other - one - 1
        before = np.cumsum(counts) - counts
        separates[np.repeat(one + 1 - before, counts) + np.arange(int(counts.sum()))] = False

    def _spoil(self, content: bytes) -> None:
        """Lines with a NUL byte, or a carriage return that ends a line without a line feed."""
        spots = []
        if b"\0" in content:
            spots.append(self.marks[self.kind == NUL])
        if self._returns:
            returns = self.marks[self.kind == RETURN]
            spots.append(returns[self.bytes[returns + 1] != ord("\n")])
        for each in spots:
            line = np.searchsorted(self.ends, each)
            self.regular[line[line < len(self.ends)]] = False

    def oddities(self) -> Numbers:
        """Where two joints meet (the second of them), and where a `_` or `+` is."""
        count = (len(self.kinds) - 1) // 8  # what is cut off is `PAD`
        here, next_ = (np.frombuffer(self.kinds, "<u8", count, offset) for offset in (0, 1))
        eights = np.flatnonzero(here & next_ & _EACH_JOINT | here & _EACH_RARE)
        places = (eights[:, None] * 8 + np.arange(8)).ravel()
        kind = self.kinds[places]
        double = places[kind & self.kinds[places + 1] & JOINT != 0] + 1
        found: Numbers = np.concatenate((double, places[kind == RARE]))
        return found
