"""The scan: a block of a contact file read byte by byte, once, by machine code.

It cuts the block into rows and cells as the readable engine does (`suppress.files.dialect`), and finds and
hashes the plain addresses in the address columns.

A row is *regular* if its cells are certain: as many as are usual, no line break or NUL byte in any of them,
nothing between a closing quote and the next delimiter. Others are *loose*: the readable engine cuts them.

A cell is *plain* if it holds, perhaps within quotes or spaces, ASCII letters and digits joined by single `.`,
`_`, `+` or `-`, one `@`, a dot behind it and no `_` or `+` there, a letter at the end, and `LONGEST` bytes at
most. Of a plain cell the match key is the cell in lower case, it holds no second address, and no mail system
refuses it.

Tricks, by name:

* *Kinds in order*: what a byte is (a letter, a joint, a delimiter) is a small number, such that each loop
  goes on while the kind is below a bound; and a bit of it says joint, so that two side by side share it.
* *Places without a sign*: those in the innermost loops, as compiled code looks at a sign each time.
* *A wall*: the block ends in a line end and some zeros that are not its own, so that no loop looks whether
  the block is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from suppress.check.compiled import compiled, inlined
from suppress.check.hashing import PAD, Bytes, Hashes, Numbers, joined, text_hash, words

Mask = NDArray[np.bool_]

LONGEST = 56
"""Bytes of a plain cell: no part is then longer than mail systems allow."""

LETTER, DIGIT, JOINT, DOT, RARE = 0, 1, 2, 3, 6
AT, SPACE, OTHER, DELIMITER, QUOTE, STRANGE, RETURN, FEED = range(8, 16)
"""What a byte is. RARE are `_` and `+`, which stand before the `@` only; STRANGE is what spoils its row."""

EMPTY, UNREAD = -1, -2
"""What an address cell is that is not plain: nothing but spaces, or something that the scan cannot read."""
LOOSE = -1
"""Stands for the first cell of a row of which the cells are not certain."""

_KINDS = {
    LETTER: b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    DIGIT: b"0123456789",
    JOINT: b"-",
    DOT: b".",
    RARE: b"_+",
    AT: b"@",
    SPACE: b" ",
    QUOTE: b'"',
    STRANGE: b"\0",
    RETURN: b"\r",
}
_WALL = b"\n" + PAD
_ONE, _JOINT = np.uint64(1), np.uint8(JOINT)


class Shape(NamedTuple):
    """How rows are made of cells."""

    kinds: Bytes
    """Of each byte."""
    addresses: Mask
    """Of each column, whether it holds addresses. There are as many as a row has cells."""


def shape(delimiter: str, width: int, addresses: Sequence[int], *, sound: bool) -> Shape:
    """Of files with this ASCII delimiter (empty: one column).

    If they are not `sound`, any byte beyond ASCII may be one that does not belong to the encoding.
    """
    kinds = np.full(256, OTHER, np.uint8)
    for kind, all_ in _KINDS.items():
        kinds[list(all_)] = kind
    if not sound:
        kinds[0x80:] = STRANGE
    kinds[list(delimiter.encode())] = DELIMITER
    kinds[ord("\n")] = FEED
    wanted = np.zeros(width, bool)
    wanted[list(addresses)] = True
    return Shape(kinds, wanted)


class Cells(NamedTuple):
    """Plain cells: where they and their `@` are in a text, without quotes and spaces, and their hashes."""

    text: Bytes
    words: Hashes
    """Of the text (`hashing`)."""
    starts: Numbers
    signs: Numbers
    ends: Numbers
    hashes: Hashes
    """Of the whole address, as of its match key."""
    domains: Hashes
    """Of what stands behind the `@`."""

    def some(self, places: NDArray[np.intp]) -> Cells:
        """Those at these places."""
        text, view, starts, signs, ends, hashes, domains = self
        return Cells(text, view, starts[places], signs[places], ends[places], hashes[places], domains[places])

    def texts(self) -> list[str]:
        """What stands in them."""
        content = self.text.data
        spans = zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        return [str(content[start:end], "ascii") for start, end in spans]


class Scanned(NamedTuple):
    """What is in a block. Positions are of bytes, and lines are counted from its start."""

    end: int
    """Where the last whole row ends."""
    lines: int
    """Physical lines up to there."""
    rows: Numbers
    """Of each row that is no empty line: start, stop, lines before it, its first address cell or LOOSE."""
    cells: Numbers
    """Of each address cell of regular rows: start, stop, its number among the plain ones or what it is."""
    plain: Cells


class Scanner:
    """Scans one block after another of a file, in memory that is kept from one to the next."""

    def __init__(self, shape: Shape, odd: Hashes) -> None:
        self._shape = shape
        self._odd = odd
        self._make_room(0)

    def _make_room(self, size: int) -> None:
        """For the worst block of this size there is; the system gives memory for what is written to."""
        self._room = size
        self._rows = np.empty((size // 2 + 1, 4), np.int64)
        self._cells = np.empty((size + 1, 3), np.int64)
        self._plain = np.empty((3, size // 6 + 1), np.int64)
        self._hashes = np.empty((2, size // 6 + 1), np.uint64)

    def scan(self, content: bytes) -> Scanned:
        """All whole rows at the start of a block that starts with one, until the next is scanned.

        Only a quote that is not closed ends them before the last line end.
        """
        size = content.rfind(b"\n") + 1
        if size > self._room:
            self._make_room(size)
        buffer = content[:size] + _WALL
        text, view = np.frombuffer(buffer, np.uint8), words(buffer)
        end, lines, row, cell, number = _scan(
            text, view, size, *self._shape, self._odd, self._rows, self._cells, self._plain, self._hashes
        )
        plain = Cells(text, view, *self._plain[:, :number], *self._hashes[:, :number])
        return Scanned(end, lines, self._rows[:row], self._cells[:cell], plain)


@compiled
def _scan(
    text: Bytes,
    view: Hashes,
    size: int,
    kinds: Bytes,
    addresses: Mask,
    odd: Hashes,
    rows: Numbers,
    cells: Numbers,
    plain: Numbers,
    hashes: Hashes,
) -> tuple[int, int, int, int, int]:
    """Fill in the last four; where it ends, the lines up to there, and how many of each there are."""
    width = len(addresses)
    at = lines = row = cell = number = 0
    while at < size:
        start, before, first, known = at, lines, cell, number
        column, fine = 0, True
        while True:
            found = UNREAD
            if column < width and addresses[column]:
                found, begin, sign, end, behind = _address(text, at, kinds)
                cells[cell, 0], cells[cell, 1], cells[cell, 2] = at, behind, found
                if found >= 0:
                    plain[0, number], plain[1, number], plain[2, number] = begin, sign, end
                    hashes[1, number] = text_hash(view, sign + 1, end, odd)
                    hashes[0, number] = joined(text_hash(view, begin, sign, odd), hashes[1, number], odd)
                    cells[cell, 2] = number
                    number += 1
                cell += 1
            if found == UNREAD:
                behind, sure, more = _over_cell(text, at, size, kinds)
                fine &= sure
                lines += more
                if column < width and addresses[column]:
                    cells[cell - 1, 1] = behind
            at = behind
            if at >= size:
                # A quote is open: the row goes on behind the block.
                return start, before, row, first, known
            if kinds[text[at]] != DELIMITER:
                break
            column += 1
            at += 1
        blank = at == start
        at += 2 if kinds[text[at]] == RETURN and kinds[text[at + 1]] == FEED else 1
        lines += 1
        if not fine or column + 1 != width:
            cell, number = first, known
        if not blank:
            rows[row, 0], rows[row, 1], rows[row, 2] = start, at, before
            rows[row, 3] = first if cell > first else LOOSE
            row += 1
    return at, lines, row, cell, number


def doubtful(found: Scanned, met: Mask, shape: Shape) -> tuple[Numbers, int]:
    """The rows that are not certain to be kept, if the plain cells that are `met` may be somebody's; and how
    many of all others have no address at all.

    A row of one column without an address is made LOOSE: where it is a line of spaces, it is no row.
    """
    numbers = np.empty(len(found.rows), np.int64)
    one = len(shape.addresses) == 1
    many, invalid = _doubtful(found.rows, found.cells, met, int(shape.addresses.sum()), one, numbers)
    return numbers[:many], invalid


@compiled
def _doubtful(
    rows: Numbers, cells: Numbers, met: Mask, columns: int, one: bool, numbers: Numbers
) -> tuple[int, int]:
    many = invalid = 0
    for row in range(len(rows)):
        first = rows[row, 3]
        doubt, some = first == LOOSE, False
        for cell in range(first, first + columns if first != LOOSE else first):
            number = cells[cell, 2]
            some |= number >= 0
            doubt |= number == UNREAD or (number >= 0 and met[number])
        if one and not some and not doubt:
            rows[row, 3], doubt = LOOSE, True
        if doubt:
            numbers[many] = row
            many += 1
        else:
            invalid += not some
    return many, invalid


@inlined
def _over_cell(text: Bytes, at: int, size: int, kinds: Bytes) -> tuple[int, bool, int]:
    """Where the cell ends that starts here, whether it is regular, and how many lines end in it.

    It ends at a delimiter or a line end; at the wall, or behind it, if its quote is not closed.
    """
    fine, lines, is_open = True, 0, kinds[text[at]] == QUOTE
    if is_open:
        at += 1
    while is_open:
        while kinds[text[at]] < QUOTE:
            at += 1
        kind = kinds[text[at]]
        if kind == QUOTE:
            at += 1
            if kinds[text[at]] != QUOTE:
                is_open = False
                fine &= kinds[text[at]] == DELIMITER or kinds[text[at]] >= RETURN
            else:
                at += 1
        elif at >= size:
            is_open = False
        else:
            fine = False
            # Of a carriage return and a line feed, the second ends the line.
            lines += kind == FEED or (kind == RETURN and kinds[text[at + 1]] != FEED)
            at += 1
    place = np.uint64(at)
    while kinds[text[place]] != DELIMITER and kinds[text[place]] < RETURN:
        fine &= kinds[text[place]] != STRANGE  # a quote within a cell is a character like any other
        place += _ONE
        while kinds[text[place]] < DELIMITER:
            place += _ONE
    return int(np.int64(place)), fine, lines


@inlined
def _address(text: Bytes, at: int, kinds: Bytes) -> tuple[int, int, int, int, int]:
    """What the cell is that starts here, 0 for plain; where the address in it starts, its `@` and its end;
    where the cell ends. Of one that is EMPTY only the last counts, and of one that is UNREAD none."""
    quoted = kinds[text[at]] == QUOTE
    begin = at + 1 if quoted else at
    while kinds[text[begin]] == SPACE:
        begin += 1
    sign, end = _plain(text, begin, kinds)
    found = 0 if end else EMPTY
    behind = end if end else begin
    while kinds[text[behind]] == SPACE:
        behind += 1
    if quoted:
        if kinds[text[behind]] != QUOTE:
            found = UNREAD
        behind += 1
    if kinds[text[behind]] != DELIMITER and kinds[text[behind]] < RETURN:
        found = UNREAD
    return found, begin, sign, end, behind


@inlined
def _plain(text: Bytes, start: int, kinds: Bytes) -> tuple[int, int]:
    """Where the `@` of the plain address is that starts here, and where it ends; 0 if there is none."""
    place, last, wrong, dots = np.uint64(start), np.uint8(JOINT), np.uint8(0), 0
    kind = kinds[text[place]]
    while kind <= RARE:
        wrong |= kind & last & _JOINT
        last = kind
        place += _ONE
        kind = kinds[text[place]]
    sign = int(np.int64(place))
    fine = kind == AT and not last & _JOINT
    last = _JOINT
    place += _ONE
    kind = kinds[text[place]]
    while kind <= DOT:
        wrong |= kind & last & _JOINT
        dots += kind == DOT
        last = kind
        place += _ONE
        kind = kinds[text[place]]
    end = int(np.int64(place))
    fine &= not wrong and last == LETTER and dots > 0 and end - start <= LONGEST
    return (sign, end) if fine else (0, 0)
