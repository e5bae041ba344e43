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

* *Lanes*: what is asked of bytes is asked of 64 at a time, and answered in the bits of one number (`lanes`).
  An address is judged by a few operations on such numbers: where two joints stand side by side, a number and
  itself moved by one place have a bit in common. Of the cells behind it only the delimiters are counted.
* *In strides*: so a row is passed over, unless something in it needs a closer look: a line break in quotes, a
  NUL, too few cells. One that has it is read again from its start, cell by cell.
* *Parity*: a byte stands in quotes if an odd number of quotes precede it (Langdale and Lemire, 2019), where
  each that opens stands at the start of a cell and each that closes at its end, or behind one that closed.
* *Kinds in order*: there, what a byte is (a delimiter, a quote) is a small number, such that each loop goes
  on while the kind is below a bound.
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
from suppress.check.hashing import PAD, Bytes, Folding, Hashes, Numbers, joined, text_hash, words
from suppress.check.lanes import WIDE, equal, first, ones, within

Mask = NDArray[np.bool_]

LONGEST = 56
"""Bytes of a plain cell: no part is then longer than mail systems allow."""

OTHER, SPACE, DELIMITER, QUOTE, STRANGE, RETURN, FEED = range(7)
"""What a byte is. STRANGE is what spoils its row."""

PLAIN, EMPTY, UNREAD = 0, -1, -2
"""What an address cell is: plain, for which its number stands; nothing but spaces; or what cannot be read."""
LOOSE = -1
"""Stands for the first cell of a row of which the cells are not certain."""

_KINDS = {SPACE: b" ", QUOTE: b'"', STRANGE: b"\0", RETURN: b"\r"}
_WALL = b"\n" + bytes(2 * WIDE) + PAD
_NUL, _TWO_QUOTE, _FEED, _RETURN, _A, _ZERO = map(np.uint8, b'\0"\n\ra0')
_DOT, _HYPHEN, _UNDERSCORE, _PLUS, _SIGN = map(np.uint8, b".-_+@")
_LETTERS, _DIGITS, _CASE = np.uint8(26), np.uint8(10), np.uint8(0x20)
_NONE, _ONE, _LAST, _WIDE, _LONGEST = map(np.uint64, (0, 1, WIDE - 1, WIDE, LONGEST))


class Shape(NamedTuple):
    """How rows are made of cells."""

    kinds: Bytes
    """Of each byte."""
    addresses: Mask
    """Of each column, whether it holds addresses. There are as many as a row has cells."""
    gaps: Numbers
    """Delimiters before the first address cell, between each two, and behind the last."""
    delimiter: np.uint8
    """A line feed, which ends a cell too, where rows have but one."""
    strange: tuple[np.uint8, np.uint8]
    """The lowest of the STRANGE bytes, and how many there are from there on; behind 255 comes 0."""


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
    gaps = np.diff(np.flatnonzero(wanted), prepend=0, append=width - 1)
    separator = np.frombuffer(delimiter.encode() or b"\n", np.uint8)[0]
    strange = (_NUL, np.uint8(1)) if sound else (np.uint8(0x80), np.uint8(0x81))
    return Shape(kinds, wanted, gaps, separator, strange)


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

    @classmethod
    def of_keys(cls, keys: Sequence[str], folding: Folding) -> Cells:
        """Match keys as if they had been found so in a file."""
        buffer, signs, ends, hashes, domains = folding.keys(keys)
        text = np.frombuffer(buffer, np.uint8)
        starts = np.concatenate((np.zeros(1, np.int64), ends[:-1]))[: len(ends)]
        return cls(text, words(buffer), starts, signs, ends, hashes, domains)

    def some(self, places: NDArray[np.intp]) -> Cells:
        """Those at these places."""
        text, view, starts, signs, ends, hashes, domains = self
        return Cells(text, view, starts[places], signs[places], ends[places], hashes[places], domains[places])

    def texts(self) -> list[str]:
        """What stands in them."""
        content = self.text.data
        spans = zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        return [str(content[start:end], "utf-8") for start, end in spans]


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


class _Room(NamedTuple):
    """Where the scan writes what it finds; as `Scanned` and `Cells` have it."""

    rows: Numbers
    cells: Numbers
    plain: Numbers
    hashes: Hashes


class Scanner:
    """Scans one block after another of a file, in memory that is kept from one to the next."""

    def __init__(self, shape: Shape, odd: Hashes) -> None:
        self._shape = shape
        self._odd = odd
        self._make_room(0)

    def _make_room(self, size: int) -> None:
        """For the worst block of this size there is; the system gives memory for what is written to."""
        self._size = size
        self._room = _Room(
            np.empty((size // 2 + 1, 4), np.int64),
            np.empty((size + 1, 3), np.int64),
            np.empty((3, size // 6 + 1), np.int64),
            np.empty((2, size // 6 + 1), np.uint64),
        )

    def scan(self, content: bytes) -> Scanned:
        """All whole rows at the start of a block that starts with one, until the next is scanned.

        Only a quote that is not closed ends them before the last line end.
        """
        size = content.rfind(b"\n") + 1
        if size > self._size:
            self._make_room(size)
        buffer = content[:size] + _WALL
        text, view = np.frombuffer(buffer, np.uint8), words(buffer)
        end, lines, row, cell, many = _scan(text, view, size, self._shape, self._odd, self._room)
        rows, cells, plain, hashes = self._room
        return Scanned(
            end, lines, rows[:row], cells[:cell], Cells(text, view, *plain[:, :many], *hashes[:, :many])
        )


@compiled
def _scan(
    text: Bytes, view: Hashes, size: int, shape: Shape, odd: Hashes, room: _Room
) -> tuple[int, int, int, int, int]:
    """Fill the room; where it ends, the lines up to there, and how many rows, cells, plain ones it found."""
    at = lines = row = cell = many = 0
    while at < size:
        start, before, begun, known = at, lines, cell, many
        fine, at, cell, many = _in_strides(text, view, at, shape, odd, room, cell, many)
        if not fine:
            fine, at, lines, cell, many = _cell_by_cell(
                text, view, start, size, shape, odd, room, lines, begun, known
            )
            if at >= size:
                # A quote is open: the row goes on behind the block.
                return start, before, row, begun, known
        blank = at == start
        at += 2 if text[at] == _RETURN and text[at + 1] == _FEED else 1
        lines += 1
        if blank or not fine:
            cell, many = begun, known
        if not blank:
            rows = room.rows
            rows[row, 0], rows[row, 1], rows[row, 2] = start, at, before
            rows[row, 3] = begun if fine else LOOSE
            row += 1
    return at, lines, row, cell, many


@inlined
def _in_strides(
    text: Bytes, view: Hashes, at: int, shape: Shape, odd: Hashes, room: _Room, cell: int, many: int
) -> tuple[bool, int, int, int]:
    """Whether the row that starts here can be read so, and then: where its line ends, cells, plain ones."""
    fine, last = True, len(shape.gaps) - 1
    for place in range(last):
        if fine:
            fine, at = _over_cells(text, at, shape.gaps[place], shape)
        if fine:
            found, begin, sign, end, behind = _address(text, at, shape)
            if found == UNREAD:
                fine, behind = _cell_end(text, at, shape)
            many = _note(view, odd, found, at, begin, sign, end, behind, room, cell, many)
            cell += 1
            at = behind
    if fine:
        fine, at, delimiters = _line_end(text, at, shape)
        fine &= delimiters == shape.gaps[last]
    return fine, at, cell, many


@inlined
def _cell_by_cell(
    text: Bytes,
    view: Hashes,
    at: int,
    size: int,
    shape: Shape,
    odd: Hashes,
    room: _Room,
    lines: int,
    cell: int,
    many: int,
) -> tuple[bool, int, int, int, int]:
    """Whether the row that starts here is regular, where it ends, lines, cells, plain ones."""
    kinds, width = shape.kinds, len(shape.addresses)
    fine, column = True, 0
    while True:
        own = column < width and shape.addresses[column]
        found, begin, sign, end, behind = UNREAD, at, at, at, at
        if own:
            found, begin, sign, end, behind = _address(text, at, shape)
        if found == UNREAD:
            behind, sure, more = _over_cell(text, at, size, kinds)
            fine &= sure
            lines += more
        if own:
            many = _note(view, odd, found, at, begin, sign, end, behind, room, cell, many)
            cell += 1
        at = behind
        if at >= size or kinds[text[at]] != DELIMITER:
            return fine and column + 1 == width, at, lines, cell, many
        column += 1
        at += 1


@inlined
def _note(
    view: Hashes,
    odd: Hashes,
    found: int,
    at: int,
    begin: int,
    sign: int,
    end: int,
    behind: int,
    room: _Room,
    cell: int,
    many: int,
) -> int:
    """Write an address cell down, with its hashes if it is plain; how many of these there are then."""
    room.cells[cell, 0], room.cells[cell, 1], room.cells[cell, 2] = at, behind, found
    if found == PLAIN:
        room.cells[cell, 2] = many
        room.plain[0, many], room.plain[1, many], room.plain[2, many] = begin, sign, end
        host = text_hash(view, sign + 1, end, odd)
        room.hashes[1, many] = host
        room.hashes[0, many] = joined(text_hash(view, begin, sign, odd), host, odd)
        many += 1
    return many


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
def _over_cells(text: Bytes, at: int, gap: int, shape: Shape) -> tuple[bool, int]:
    """Whether there are that many delimiters before anything else that matters, and the place behind them."""
    place, left, fine = np.uint64(at), np.uint64(gap), True
    inside, closed, begins = _NONE, _NONE, _ONE
    while fine and left > 0:
        here, ends, wrong, inside, closed, begins = _stride(text, place, shape, inside, closed, begins)
        stop = first(ends | wrong)
        if stop != _WIDE:
            here &= (_ONE << stop) - _ONE
        if ones(here) < left:
            fine = stop == _WIDE
            left -= ones(here)
            place += _WIDE
        else:
            while left > _ONE:
                here &= here - _ONE  # without the first of them
                left -= _ONE
            place += first(here) + _ONE
            left -= _ONE
    return fine, int(np.int64(place))


@inlined
def _cell_end(text: Bytes, at: int, shape: Shape) -> tuple[bool, int]:
    """Whether a delimiter or a line end comes before anything that needs a closer look, and where it is."""
    place, inside, closed, begins = np.uint64(at), _NONE, _NONE, _ONE
    while True:
        delimiters, ends, wrong, inside, closed, begins = _stride(text, place, shape, inside, closed, begins)
        found = first(delimiters | ends | wrong)
        if found != _WIDE:
            break
        place += _WIDE
    return not wrong >> found & _ONE, int(np.int64(place + found))


@inlined
def _line_end(text: Bytes, at: int, shape: Shape) -> tuple[bool, int, int]:
    """Whether the line ends before anything that needs a closer look; where; after how many delimiters."""
    place, many, inside, closed, begins = np.uint64(at), _NONE, _NONE, _NONE, _ONE
    while True:
        delimiters, ends, wrong, inside, closed, begins = _stride(text, place, shape, inside, closed, begins)
        found = first(ends | wrong)
        if found != _WIDE:
            break
        many += ones(delimiters)
        place += _WIDE
    many += ones(delimiters & ((_ONE << found) - _ONE))
    return not wrong >> found & _ONE, int(np.int64(place + found)), int(np.int64(many))


@inlined
def _stride(
    text: Bytes, place: np.uint64, shape: Shape, inside: np.uint64, closed: np.uint64, begins: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64, np.uint64, np.uint64]:
    """Where delimiters are that end a cell, where line ends are, and what needs a closer look.

    The last three are, of this stride and then of the next: whether a quote is open, in all bits; whether the
    byte before was a quote that closed; whether a cell begins.
    """
    low, count = shape.strange
    delimiters = equal(text, place, shape.delimiter)
    ends = equal(text, place, _FEED) | equal(text, place, _RETURN)
    wrong = within(text, place, low, count, _NUL)
    quotes = equal(text, place, _TWO_QUOTE) & ~delimiters
    if quotes | inside | closed:
        is_open = inside ^ _parity(quotes)
        delimiters &= ~is_open
        closing = quotes & ~is_open
        behind = closing << _ONE | closed
        # A quote opens where a cell begins, or again behind one that closed: then it is part of the cell.
        wrong |= quotes & is_open & ~(delimiters << _ONE | begins | behind)
        wrong |= behind & ~(delimiters | ends | quotes) | ends & is_open
        inside, closed = _NONE - (is_open >> _LAST), closing >> _LAST
    return delimiters, ends, wrong, inside, closed, delimiters >> _LAST


@inlined
def _parity(bits: np.uint64) -> np.uint64:
    """For each place whether the bits up to it are odd in number."""
    for step in (1, 2, 4, 8, 16, 32):
        bits ^= bits << np.uint64(step)
    return bits


@inlined
def _address(text: Bytes, at: int, shape: Shape) -> tuple[int, int, int, int, int]:
    """What the cell is that starts here; where the address in it starts, its `@` and its end; where the cell
    ends. Of one that is EMPTY only the last counts, and of one that is UNREAD none."""
    kinds = shape.kinds
    quoted = kinds[text[at]] == QUOTE
    begin = at + 1 if quoted else at
    while kinds[text[begin]] == SPACE:
        begin += 1
    length, sign = _plain(text, np.uint64(begin), shape)
    found = PLAIN if length else EMPTY
    behind = begin + int(np.int64(length))
    end = behind
    while kinds[text[behind]] == SPACE:
        behind += 1
    if quoted:
        if kinds[text[behind]] != QUOTE:
            found = UNREAD
        behind += 1
    if kinds[text[behind]] != DELIMITER and kinds[text[behind]] < RETURN:
        found = UNREAD
    return found, begin, begin + int(np.int64(sign)), end, behind


@inlined
def _plain(text: Bytes, place: np.uint64, shape: Shape) -> tuple[np.uint64, np.uint64]:
    """How long the plain address is that starts here, and how far it is to its `@`; 0 if there is none."""
    letters = within(text, place, _A, _LETTERS, _CASE)
    dots, signs = equal(text, place, _DOT), equal(text, place, _SIGN)
    rare = equal(text, place, _UNDERSCORE) | equal(text, place, _PLUS)
    joints = dots | signs | rare | equal(text, place, _HYPHEN)
    own = letters | within(text, place, _ZERO, _DIGITS, _NUL) | joints
    length = first(~own | equal(text, place, shape.delimiter))
    sign = first(signs)
    if length > _LONGEST or sign >= length:
        return np.uint64(0), np.uint64(0)
    inside = (_ONE << length) - _ONE
    host = inside & ~((_ONE << sign + _ONE) - _ONE)
    wrong = joints & (joints << _ONE | _ONE) & inside | (signs | rare) & host
    if wrong or not dots & host or not letters >> length - _ONE & _ONE:
        return np.uint64(0), np.uint64(0)
    return length, sign
