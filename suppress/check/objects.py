"""The scan of JSON lines: which of them are certainly objects, and the addresses in these; by machine code.

A line is *certain* if it is one object as `json` reads it, with names that are known, at most one text under
each name of addresses, nothing but texts and nulls there, none of them with an escape, and one at least that
is not empty.

Tricks, by name:

* *Names known by heart*: what may be a name of addresses is a question for Python, so it was asked before
  (`vocabulary`). A name is compared byte for byte with the one that stood behind the last one in earlier
  lines, then with all others.
* *Sixty-four bytes at a time*: so the end of a text is found (`lanes`).
* *A wall*: behind a block stand zeros, which end whatever the scan is in.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from suppress.check.compiled import compiled, inlined
from suppress.check.hashing import PAD, Bytes, Hashes, Numbers, words
from suppress.check.lanes import WIDE, equal, first, within

LONGEST = 64
"""Bytes of a name that can be known."""
COLUMNS = 60
"""How many names may be of addresses."""
NO_NAME = -1
"""Stands for a name that there is none, and for a column that a name is not."""
UNKNOWN = -1
"""Stands for the number of cells of a line where a name is not known."""

_WALL = bytes(2 * WIDE) + PAD
_DEEP = 16
"""Objects and lists within each other."""
_WORD, _WRONG = 8, -2
_OPEN, _CLOSE, _LIST, _END, _COMMA, _COLON = map(np.uint8, b"{}[],:")
_QUOTE, _ESCAPE, _FEED, _RETURN, _SPACE, _TAB = map(np.uint8, b'"\\\n\r \t')
_MINUS, _PLUS, _POINT, _ZERO, _U, _E, _A, _F = map(np.uint8, b"-+.0ueaf")
_CASE, _CONTROLS, _NOTHING, _HIGH = np.uint8(0x20), np.uint8(0x20), np.uint8(0), np.uint8(0x80)
_ESCAPED = np.zeros(256, bool)
_ESCAPED[list(b'"\\/bfnrt')] = True
_TRUE, _FALSE, _NULL = (np.uint64(int.from_bytes(each, "little")) for each in (b"true", b"false", b"null"))
_FOUR, _FIVE = np.uint64(0xFFFFFFFF), np.uint64(0xFFFFFFFFFF)
_ONE, _WIDE, _BYTE, _ALL = np.uint64(1), np.uint64(WIDE), np.uint64(8), np.uint64(0xFFFFFFFFFFFFFFFF)


class Names(NamedTuple):
    """The names that are known."""

    words: Hashes
    """Of each its bytes, zeros behind them."""
    lengths: Numbers
    parents: Numbers
    """Of each the name under which it stands, or none."""
    columns: Numbers
    """Of each which column of addresses it is, or none."""


class Lines(NamedTuple):
    """What is in a block of JSON lines."""

    rows: Numbers
    """Of each line: start, stop, and how many address cells it has; none if it is not certain."""
    cells: bytes
    """The address cells of certain lines, a line each."""
    owners: Numbers
    """Of each cell its line."""


def scan(content: bytes, size: int, names: Names, *, sound: bool) -> Lines:
    """The lines in the first bytes of `content`, as many as end in a line feed at `size`.

    If they are not `sound`, any byte beyond ASCII may be one that does not belong to the encoding.
    """
    buffer = content[:size] + _WALL
    # As many as there may be at most: the system gives memory for what is written to.
    rows = np.empty((size, 3), np.int64)
    # A cell stands between two quotes, and behind a quote and a colon.
    cells, owners = np.empty(size, np.uint8), np.empty(size // 4 + 1, np.int64)
    stack = np.empty((_DEEP + 1, 2), np.int64)
    strange = _NOTHING if sound else _HIGH
    row, filled, number = _scan(
        np.frombuffer(buffer, np.uint8), words(buffer), size, strange, *names, stack, rows, cells, owners
    )
    return Lines(rows[:row], cells[:filled].tobytes(), owners[:number])


@compiled
def _scan(
    text: Bytes,
    view: Hashes,
    size: int,
    strange: np.uint8,
    name_words: Hashes,
    lengths: Numbers,
    parents: Numbers,
    columns: Numbers,
    stack: Numbers,
    rows: Numbers,
    cells: Bytes,
    owners: Numbers,
) -> tuple[int, int, int]:
    """Fill in the last three; how many lines, bytes of cells and cells there are.

    `strange` is how many bytes beyond ASCII do not belong in a text.
    """
    at = row = filled = number = 0
    while at < size:
        start, before = at, number
        at, many, end = _object(
            text, view, at, strange, name_words, lengths, parents, columns, stack, cells, filled
        )
        rows[row, 2] = many
        if many > 0:
            filled = end
            number += many
            for cell in range(before, number):
                owners[cell] = row
        place = np.uint64(at)
        ends = equal(text, place, _FEED) | equal(text, place, _RETURN)
        while not ends:
            place += _WIDE
            ends = equal(text, place, _FEED) | equal(text, place, _RETURN)
        at = int(np.int64(place + first(ends)))
        at += 2 if text[at] == _RETURN and text[at + 1] == _FEED else 1
        rows[row, 0], rows[row, 1] = start, at
        row += 1
    return row, filled, number


@compiled
def _object(
    text: Bytes,
    view: Hashes,
    at: int,
    strange: np.uint8,
    name_words: Hashes,
    lengths: Numbers,
    parents: Numbers,
    columns: Numbers,
    stack: Numbers,
    cells: Bytes,
    filled: int,
) -> tuple[int, int, int]:
    """How far the object on this line was read, how many cells it has, and where they end among `cells`.

    It has none, or `UNKNOWN`, if it is not certain. `stack` is for the objects and lists that are open: for
    each whether it is a list, and under which name it stands.
    """
    at = _gap(text, at)
    fine = text[at] == _OPEN
    at += fine
    stack[0, 0], stack[0, 1] = 0, NO_NAME
    depth, state, last, seen, many = 1, _OPENED, NO_NAME, np.uint64(0), 0
    while fine and depth > 0:
        at = _gap(text, at)
        in_list, name = stack[depth - 1, 0] > 0, stack[depth - 1, 1]
        turn = _turn(text[at], state, in_list)
        if turn != _MEMBER:
            fine = turn != _MISPLACED
            at += fine
            depth -= turn == _CLOSED
            state = _BEHIND if turn == _CLOSED else _NEXT
            continue
        if not in_list:
            at, name = _name(text, view, at, strange, name, last, name_words, lengths, parents)
            if name < 0:
                return at, UNKNOWN if name == NO_NAME else 0, filled
            last = name
        state, is_address = _BEHIND, columns[name] >= 0
        if text[at] == _OPEN or text[at] == _LIST:
            fine = depth < _DEEP
            stack[depth, 0], stack[depth, 1] = text[at] == _LIST, name
            depth, state, at = depth + 1, _OPENED, at + 1
            continue
        end = _value_end(text, view, at, strange, is_address)
        fine = end >= 0
        if fine and is_address and text[at] == _QUOTE:
            bit = _ONE << np.uint64(columns[name])
            fine = not seen & bit
            seen |= bit
            if end - at > len('""'):
                filled = _copied(text, at + 1, end - 1, cells, filled)
                many += 1
        at = end if fine else at
    at = _gap(text, at)
    fine &= text[at] == _FEED or text[at] == _RETURN
    return at, many if fine else 0, filled


_OPENED, _NEXT, _BEHIND = range(3)
"""Where in an object or list the scan is: at its start, where a member has to come, behind one."""
_MEMBER, _COMES, _CLOSED, _MISPLACED = range(4)
"""What a byte is there: the first of a member, a comma, an end, or nothing that belongs there."""


@inlined
def _turn(byte: np.uint8, state: int, in_list: bool) -> int:
    """What the next byte is."""
    if state != _NEXT and byte == (_END if in_list else _CLOSE):
        found = _CLOSED
    elif state != _BEHIND:
        found = _MEMBER
    else:
        found = _COMES if byte == _COMMA else _MISPLACED
    return found


@inlined
def _copied(text: Bytes, start: int, stop: int, cells: Bytes, filled: int) -> int:
    """Where the cells end when this one was put behind them, as a line."""
    for place in range(start, stop):
        cells[filled] = text[place]
        filled += 1
    cells[filled] = _FEED
    return filled + 1


@inlined
def _gap(text: Bytes, at: int) -> int:
    """Where the next byte stands that is no space."""
    while text[at] == _SPACE or text[at] == _TAB:
        at += 1
    return at


@compiled
def _name(
    text: Bytes,
    view: Hashes,
    at: int,
    strange: np.uint8,
    parent: int,
    last: int,
    name_words: Hashes,
    lengths: Numbers,
    parents: Numbers,
) -> tuple[int, int]:
    """Where the value stands whose name starts here, and the name's number."""
    end, escaped = _text_end(text, at, strange)
    if end < 0 or escaped:
        return at, _WRONG
    number = _number_of(view, at + 1, end - 1, parent, last, name_words, lengths, parents)
    if number < 0:
        return at, NO_NAME
    at = _gap(text, end)
    return (_gap(text, at + 1), number) if text[at] == _COLON else (at, _WRONG)


@inlined
def _number_of(
    view: Hashes,
    start: int,
    stop: int,
    parent: int,
    last: int,
    name_words: Hashes,
    lengths: Numbers,
    parents: Numbers,
) -> int:
    """The number of the name that stands there, below its parent; NO_NAME if it is not known."""
    count, length, found = len(lengths), stop - start, NO_NAME
    number = last
    for _ in range(count):
        number = number + 1 if number + 1 < count else 0
        if lengths[number] == length and parents[number] == parent:
            same = True
            for place in range(0, length, _WORD):
                word = view[start + place]
                if length - place < _WORD:
                    word &= _ALL >> (_BYTE * np.uint64(_WORD - (length - place)))
                same &= word == name_words[number, place // _WORD]
            if same:
                found = number
                break
    return found


@compiled
def _text_end(text: Bytes, at: int, strange: np.uint8) -> tuple[int, bool]:
    """Where the text ends that starts here with a quote, -1 if it is none; whether it has an escape."""
    place, escaped = np.uint64(at), False
    if text[place] != _QUOTE:
        return -1, escaped
    place += _ONE
    while True:
        step = first(
            equal(text, place, _QUOTE)
            | equal(text, place, _ESCAPE)
            | within(text, place, _NOTHING, _CONTROLS, _NOTHING)
            | within(text, place, _HIGH, strange, _NOTHING)
        )
        place += step
        if step == _WIDE:
            continue
        if text[place] == _QUOTE:
            return int(np.int64(place + _ONE)), escaped
        if text[place] != _ESCAPE:
            return -1, escaped
        escaped = True
        place += _ONE
        if text[place] == _U:
            for _ in range(4):
                place += _ONE
                letter = text[place] | _CASE
                if not (np.uint8(text[place] - _ZERO) < 10 or _A <= letter <= _F):
                    return -1, escaped
        elif not _ESCAPED[text[place]]:
            return -1, escaped
        place += _ONE


@compiled
def _value_end(text: Bytes, view: Hashes, at: int, strange: np.uint8, is_address: bool) -> int:
    """Where a text, number, true, false or null ends; -1 if there is none, or none that an address may be."""
    if text[at] == _QUOTE:
        end, escaped = _text_end(text, at, strange)
        return -1 if escaped and is_address else end
    if view[at] & _FOUR == _NULL:
        return at + 4
    if is_address:
        return -1
    if view[at] & _FOUR == _TRUE:
        return at + 4
    return at + 5 if view[at] & _FIVE == _FALSE else _number_end(text, at)


@compiled
def _number_end(text: Bytes, at: int) -> int:
    """Where a number ends; -1 if there is none."""
    at += text[at] == _MINUS
    behind = _digits_end(text, at)
    if behind == at or (text[at] == _ZERO and behind > at + 1):
        return -1
    at = behind
    if text[at] == _POINT:
        behind = _digits_end(text, at + 1)
        if behind == at + 1:
            return -1
        at = behind
    if text[at] | _CASE == _E:
        at += 2 if text[at + 1] == _PLUS or text[at + 1] == _MINUS else 1
        behind = _digits_end(text, at)
        if behind == at:
            return -1
        at = behind
    return at


@inlined
def _digits_end(text: Bytes, at: int) -> int:
    """Where the digits end that start here."""
    while np.uint8(text[at] - _ZERO) < 10:
        at += 1
    return at
