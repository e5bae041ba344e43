"""Plain address cells of a block, found and hashed all at once.

A cell is *plain* if it holds, perhaps within quotes or spaces, ASCII letters and digits joined by single `.`,
`_`, `+` or `-`, one `@`, a dot behind it, a letter at the end, and 64 bytes at most. Of a plain cell the
match key is the cell in lower case, it holds no second address, and no mail system refuses it.

* *Three marks in a row*: a plain cell is a separator, an `@` and a separator, as `marks` finds them.
* *The dot from behind*: most domains have a dot in their last eight bytes, which are one word.
* *Oddities apart*: two joints in a row, and `_` or `+` behind the `@`, are rare. They are listed for the
  block, and each looks for its cell, instead of each cell for them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from suppress.check.hashing import PAD, Folding, Hashes, Numbers
from suppress.check.marks import ALNUM, AT, LETTER, RARE, Lines, Mask

LONGEST = 64
"""Bytes of a plain cell. No part of one is then longer than mail systems allow."""

_DOTS = np.uint64(0x2E2E2E2E2E2E2E2E)
_ONES, _HIGH = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_BEHIND = np.array([0, *(((1 << 8 * size) - 1) << 8 * (8 - size) for size in range(1, 9))], np.uint64)
"""The mask of so many last bytes of a word."""


class Cells(NamedTuple):
    """Plain cells: where they and their `@` are in `lines.bytes`, and the hashes of both halves."""

    lines: Lines
    starts: Numbers
    ats: Numbers
    ends: Numbers
    local: Hashes
    domain: Hashes

    def some(self, places: NDArray[np.intp]) -> Cells:
        """Those at these places."""
        lines, starts, ats, ends, local, domain = self
        return Cells(lines, starts[places], ats[places], ends[places], local[places], domain[places])


class Column(NamedTuple):
    """One column of some lines of a block."""

    empty: Mask
    """For each line, whether its cell has nothing in it, or only spaces."""
    places: NDArray[np.intp]
    """Which of the lines have a plain cell."""
    cells: Cells
    """Those."""


def column(lines: Lines, rows: Numbers, index: int, folding: Folding) -> Column:
    """The cells under one heading of these lines, all of which have the usual number of cells."""
    before, behind = lines.cell(rows, index)
    lines.bared(before, behind)
    marks = lines.marks
    inside = behind - before
    empty = (inside == 1) & (marks[behind] - marks[before] == 1)
    three = np.flatnonzero((inside == 2) & (lines.kind[before + 1] == AT))
    first = before[three]
    starts, ats, ends = marks[first] + 1, marks[first + 1], marks[first + 2]
    fine = _fine(lines, starts, ats, ends)
    starts, ats, ends = starts[fine], ats[fine], ends[fine]
    local = folding.hashed(lines.words, starts, ats - starts)
    domain = folding.hashed(lines.words, ats + 1, ends - ats - 1)
    return Column(empty, three[fine], Cells(lines, starts, ats, ends, local, domain))


def _fine(lines: Lines, starts: Numbers, ats: Numbers, ends: Numbers) -> Mask:
    kinds = lines.kinds
    fine: Mask = (
        (ends - starts <= LONGEST)
        & (kinds[starts] == ALNUM)
        & (kinds[ats - 1] == ALNUM)
        & (kinds[ats + 1] == ALNUM)
        & LETTER[lines.bytes[ends - 1]]
        & _dotted(lines, ats, ends)
    )
    odd = lines.oddities()
    whose = np.searchsorted(starts, odd, "right") - 1
    inside = (whose >= 0) & (odd < ends[whose]) if len(starts) else np.zeros(len(odd), bool)
    odd, whose = odd[inside], whose[inside]
    wrong = (kinds[odd] == RARE) & (odd > ats[whose])
    wrong |= (kinds[odd - 1] > ALNUM) & (kinds[odd - 1] <= RARE)
    fine[whose[wrong]] = False
    return fine


def _dotted(lines: Lines, ats: Numbers, ends: Numbers) -> Mask:
    """Whether there is a dot behind the `@`."""
    found = _dot_before(lines, ats, ends)
    rest = np.flatnonzero(~found)
    ends = ends[rest]
    while rest.size:
        ends = ends - 8
        more = ends > ats[rest] + 1
        rest, ends = rest[more], ends[more]
        found[rest] = _dot_before(lines, ats[rest], ends)
        rest, ends = rest[~found[rest]], ends[~found[rest]]
    return found


def _dot_before(lines: Lines, ats: Numbers, ends: Numbers) -> Mask:
    """Whether there is one among the last eight bytes before `ends`."""
    word = lines.words[np.maximum(ends, len(PAD)) - 8] ^ _DOTS
    # Bytes before the @ count as no dots.
    word |= ~_BEHIND.take(ends - ats - 1, mode="clip")
    found: Mask = ((word - _ONES) & ~word & _HIGH) != 0
    return found
