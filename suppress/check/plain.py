"""Plain address cells of a block, found and hashed all at once.

A cell is *plain* if it holds, perhaps within quotes or spaces, ASCII letters and digits joined by single `.`,
`_`, `+` or `-`, one `@`, a dot behind it and no `_` or `+` there, a letter at the end, and 56 bytes at most.
Of a plain cell the match key is the cell in lower case, it holds no second address, and no mail system
refuses it.

* *One look*: in the window of marks (`marks`) that starts with the cell, the lowest bit is its `@`, and the
  next one is where it ends. Both stay what they are, a single bit: minus one, it is the mask of all before.
* *What is wrong is a bit, too*: a joint beside another or beside a mark, and a dot or `_` or `+` behind the
  `@`, are looked for in windows under such a mask.
* *Bare first*: cells are tried as they stand. The few others are tried again without quotes and spaces.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from suppress.check.hashing import Folding, Hashes, Numbers
from suppress.check.marks import AT, LETTER, QUOTE, SPACE, WINDOW, Lines, Mask

LONGEST = WINDOW - 1
"""Bytes of a plain cell, so that its end is in its window. No part is then longer than mail systems allow."""

_ONE = np.uint64(1)


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

    def texts(self) -> list[str]:
        """What stands in them, without quotes and spaces around it."""
        content = self.lines.bytes.data
        spans = zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        return [str(content[start:end], "ascii") for start, end in spans]


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
    starts = lines.cells(rows, index)
    ats, ends, plain = _plain(lines, starts)
    plain &= lines.closes(ends, index)
    empty = np.zeros(len(rows), bool)
    rest = np.flatnonzero(~plain)
    if rest.size:
        bare, quoted = _bared(lines, starts[rest])
        again_at, again_end, again = _plain(lines, bare)
        starts[rest], ats[rest], ends[rest] = bare, again_at, again_end
        plain[rest] = again & _closed(lines, again_end, quoted, index)
        empty[rest] = _closed(lines, bare, quoted, index)
    places = np.flatnonzero(plain)
    if len(places) < len(plain):
        starts, ats, ends = starts[places], ats[places], ends[places]
    local = folding.hashed(lines.words, starts, ats - starts)
    domain = folding.hashed(lines.words, ats + 1, ends - ats - 1)
    return Column(empty, places, Cells(lines, starts, ats, ends, local, domain))


def _plain(lines: Lines, starts: Numbers) -> tuple[Numbers, Numbers, Mask]:
    """Where the first two marks from each place on are, and whether what lies before the second is plain."""
    marks = lines.marks.window(starts)
    at = marks & -marks
    marks ^= at
    end = marks & -marks
    # Without a second mark `end` is zero, and everything below looks at 64 bytes that are there, if only as
    # a pad; so it is left to the last condition.
    ats = starts + np.bitwise_count(at - _ONE)
    ends = starts + np.bitwise_count(end - _ONE)
    behind = end - (at << _ONE)
    fine: Mask = (
        (lines.kinds[ats] == AT)
        & (lines.kinds[ends - 1] == LETTER)
        & (lines.misjoined.window(starts) & (end - _ONE) == 0)
        & (lines.dots.window(starts) & behind != 0)
        & (lines.rare.window(starts) & behind == 0)
        & (at != _ONE)
        & (end != 0)
        & (end >> np.uint64(LONGEST + 1) == 0)
    )
    return ats, ends, fine


def _bared(lines: Lines, starts: Numbers) -> tuple[Numbers, Mask]:
    """The places behind a quote and then behind spaces, and where there is that quote."""
    quoted = lines.kinds[starts] == QUOTE
    return _over_spaces(lines, starts + quoted), quoted


def _over_spaces(lines: Lines, places: Numbers) -> Numbers:
    moved = places.copy()
    moving = np.flatnonzero(lines.kinds[moved] == SPACE)
    while moving.size:
        moved[moving] += 1
        moving = moving[lines.kinds[moved[moving]] == SPACE]
    return moved


def _closed(lines: Lines, places: Numbers, quoted: Mask, index: int) -> Mask:
    """Whether from there on only spaces and, where there was one at the start, a quote end the cell."""
    last = _over_spaces(lines, places)
    there = lines.kinds[last] == QUOTE
    found: Mask = (there == quoted) & lines.closes(last + quoted, index)
    return found
