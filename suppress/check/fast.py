"""The fast engine: it names the rows of which it is certain that nobody in them is suppressed.

All other rows, a few in a hundred, are decided as the readable engine decides them (`gate`), but for those
whose only address is plain and whose person's card opens: it says all that is known of them, and proves that
the match keys are equal. A row is *clear* here only if all of this holds; whatever is in doubt is not:

* It has as many cells as are usual, on one line, its quotes stand where quotes may, and it has no NUL byte.
* Its address cells are empty or *plain* (`plain`): then the match key is the cell in lower case, it holds no
  second address, and no mail system refuses it.
* Its key's hash is not among those of the `snapshot`, nor its alias key's, nor, where people are known by
  nothing else, its blind index (`recognition`). The filter may join people, and so select too many; it tells
  no two spellings of one key apart, and so never selects too few.

A block of the file is cut by `marks`, its addresses are found and hashed by `plain`, and the hashes looked
for by `filter`, each for all rows at once and each with its tricks named. What lies between two rows that are
taken out goes to the kept file as it is: *bytes are copied*.

Tricks, by name:

* *Told by the card*: whoever is met by a plain cell, and has a card that opens, needs no second look: their
  row is taken out as bytes, and never cut into cells.
* *Memory kept*: arrays of a block's size are made of memory that the block before has used.

A line that cannot be cut on its own is cut by the readable engine, together with those that belong to it.
Where even that fails, as for a row longer than some blocks, the rest of the file is the readable engine's.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple, TypeGuard

import numpy as np

from suppress.check.hashing import PAD, Folding
from suppress.check.marks import Lines, Mask, kinds_of_bytes
from suppress.check.plain import Cells, column
from suppress.check.recognition import Recognition
from suppress.core.mailing import Mailing
from suppress.core.verdict import Verdict
from suppress.errors import BadFile
from suppress.files.contacts import ContactFile
from suppress.files.delimited import DelimitedFile
from suppress.files.dialect import Cutting
from suppress.files.records import Record, records

PATIENCE = 8
"""Blocks that may pass without the end of a row."""

_CODECS = frozenset({"utf-8", "ascii", "cp1252", "iso8859-1"})
"""Those in which an ASCII byte is that character, wherever it stands."""


def suits(contacts: ContactFile) -> TypeGuard[DelimitedFile]:
    """Whether the fast engine can read this file."""
    columns = contacts.columns.addresses
    return (
        isinstance(contacts, DelimitedFile)
        and contacts.encoding.codec in _CODECS
        and contacts.dialect.delimiter.isascii()
        and bool(columns)
        and max(columns) < contacts.width
    )


@dataclass(slots=True)
class Block:
    """Some rows of the file: bytes, how many are clear, and those that are not; lines from its start."""

    content: bytes
    lines: int = 0
    """Physical lines."""
    clear: int = 0
    invalid: int = 0
    """Clear rows without any address."""
    rows: list[Record] = field(default_factory=list)
    """Those to decide, blank lines among them, in order."""
    spans: list[tuple[int, int]] = field(default_factory=list)
    """Where in `content` each of them stands."""
    told: list[Told] = field(default_factory=list)
    """Rows that are decided, in order."""


class Told(NamedTuple):
    """A row whose only address is plain, and its person's card opened."""

    line: int
    start: int
    stop: int
    address: str
    """As it stands in the file."""
    verdict: Verdict


class _Known(NamedTuple):
    """What is said of the only address of a line."""

    address: str
    verdict: Verdict


class _Found(NamedTuple):
    """What is known of the lines of a block at a glance."""

    clear: Mask
    invalid: Mask
    """Whether a clear line has no address at all."""
    told: dict[int, _Known]
    """Of whom the card opened, by line."""


class _Piece(NamedTuple):
    """Lines that the readable engine has to cut."""

    start: int
    stop: int
    before: int
    """Physical lines ahead of it in the block."""


class Sieve:
    """One pass over one file."""

    def __init__(
        self,
        contacts: DelimitedFile,
        recognition: Recognition,
        folding: Folding,
        mailing: Mailing,
        *,
        block: int,
    ) -> None:
        self._contacts = contacts
        self._recognition = recognition
        self._folding = folding
        self._mailing = mailing
        self._size = block
        self._columns = contacts.columns.addresses
        self._delimiter = contacts.dialect.delimiter
        self._kinds = kinds_of_bytes(self._delimiter.encode())
        _keep_memory()

    def start(self) -> tuple[int, int]:
        """Where the first row after the header starts, and how many physical lines stand before it."""
        preamble = self._contacts.preamble()
        start = len(self._contacts.encoding.mark) + len(self._contacts.encoded(preamble))
        return start, len(_physical(preamble))

    def blocks(self, start: int, line: int) -> Iterator[Block | list[Record]]:
        """All rows from there on, in order; as records alone where only the readable engine can go on."""
        rest = b""
        while True:
            fresh = self._contacts.raw(start + len(rest), self._size)
            content = rest + fresh
            if not content:
                return
            try:
                block = self.cut(content, last=not fresh)
            except (BadFile, UnicodeDecodeError):
                # An error of the file is told by the readable engine, once it has come to it.
                yield from self._contacts.rest(start, line)
                return
            if block.content:
                yield block
            start += len(block.content)
            line += block.lines
            rest = content[len(block.content) :]
            if len(rest) > PATIENCE * self._size:
                yield from self._contacts.rest(start, line)
                return

    def cut(self, content: bytes, *, last: bool) -> Block:
        """The whole rows at the start of `content`."""
        whole = content.rfind(b"\n") + 1
        table = Lines(content[:whole], self._kinds, self._contacts.width)
        found = self._found(table)
        doubtful = ~found.clear
        pieces, told, end, lines = self._pieces(content, table, doubtful, found.told)
        # Lines behind the last whole row are part of what follows, whatever they look like one by one.
        there = int(np.searchsorted(table.ends - len(PAD), end))
        if last:
            # A last row without a line end, or a quote that nothing closes.
            pieces.append(_Piece(end, len(content), lines))
            end = len(content)
        sure = ~doubtful[:there]
        invalid = sure & found.invalid[:there]
        block = Block(content[:end], lines, int(sure.sum()), int(invalid.sum()), told=told)
        self._read(block, [each for each in pieces if each.start < each.stop])
        return block

    def _pieces(
        self, content: bytes, table: Lines, doubtful: Mask, known: Mapping[int, _Known]
    ) -> tuple[list[_Piece], list[Told], int, int]:
        """Which lines must be read, which are told, where the last whole row ends, and the lines up to there.

        Those are physical lines. A line that is known is told only where it is a row of its own.
        """
        pieces: list[_Piece] = []
        told: list[Told] = []
        after, more = 0, 0
        for at in np.flatnonzero(doubtful).tolist():
            if at < after:
                continue
            start = table.start(at)
            if at in known:
                told.append(Told(at + more + 1, start, table.start(at + 1), *known[at]))
                continue
            if table.regular[at]:
                pieces.append(_Piece(start, table.start(at + 1), at + more))
                continue
            stop, returns = self._row_end(content, table, at)
            if stop is None:
                return pieces, told, start, at + more
            pieces.append(_Piece(start, table.start(stop), at + more))
            # What was clear among these lines, taken one by one, is part of a row that is not.
            doubtful[at:stop] = True
            more += returns
            after = stop
        return pieces, told, table.start(len(table.ends)), len(table.ends) + more

    def _row_end(self, content: bytes, table: Lines, at: int) -> tuple[int | None, int]:
        """The line behind the row that starts on line `at`, and how many lines end in a carriage return."""
        cutting: Cutting | None = None
        returns = 0
        for each in range(at, len(table.ends)):
            found = _physical(content[table.start(each) : table.start(each + 1)].decode("latin-1"))
            returns += len(found) - 1
            for text in found:
                if cutting is None and '"' in text:
                    cutting = Cutting(self._delimiter, [])
                if cutting is not None and cutting.feed(text, 1):
                    cutting = None
            if cutting is None:
                return each + 1, returns
        return None, 0

    def _read(self, block: Block, pieces: Sequence[_Piece]) -> None:
        """Cut the doubtful lines of a block, all in one go: each piece starts and ends with a row."""
        encoding = self._contacts.encoding
        text = b"".join(block.content[each.start : each.stop] for each in pieces)
        rows = records(
            [text.decode(encoding.codec, encoding.errors)], self._contacts.dialect, self._contacts.name
        )
        found = chain.from_iterable(rows)
        for piece in pieces:
            position, first = piece.start, None
            while position < piece.stop:
                row = next(found)
                first = row.line if first is None else first
                end = position + (len(row.text) if row.text.isascii() else len(encoding.encoded(row.text)))
                block.rows.append(row._replace(line=piece.before + row.line - first + 1))
                block.spans.append((position, end))
                position = end

    def _found(self, table: Lines) -> _Found:
        """Which lines are clear, which have no address at all, and whose card opened."""
        clear = table.regular & (table.counts == self._contacts.width)
        rows = np.flatnonzero(clear)
        some = np.zeros(len(rows), bool)
        fine = np.ones(len(rows), bool)
        told: dict[int, _Known] = {}
        for index in self._columns:
            empty, places, cells = column(table, rows, index, self._folding)
            selected = self._recognition.selects(cells)
            plain = np.zeros(len(rows), bool)
            plain[places] = ~selected
            fine &= empty | plain
            some |= plain
            if len(self._columns) == 1 and self._delimiter:
                met = np.flatnonzero(selected)
                whose = rows[places[met]].tolist()
                told = self._told(whose, cells.some(met))
        if self._contacts.width == 1:
            fine &= some  # an empty line is no row
        clear[rows] = fine
        if not self._contacts.encoding.sound:
            # Any byte beyond ASCII may be one of those that do not belong to the encoding.
            line = np.searchsorted(table.ends, table.beyond_ascii())
            line = line[line < len(clear)]
            clear[line] = False
            for at in line.tolist():
                told.pop(at, None)
        invalid = np.zeros(len(clear), bool)
        invalid[rows] = ~some
        return _Found(clear, invalid, told)

    def _told(self, lines: list[int], cells: Cells) -> dict[int, _Known]:
        """The lines of those of these cells whose card opened."""
        texts = cells.texts()
        verdicts = self._recognition.told(texts, cells, self._mailing)
        return {
            line: _Known(text, verdict)
            for line, text, verdict in zip(lines, texts, verdicts, strict=True)
            if verdict is not None
        }


def _keep_memory() -> None:
    """Let arrays of a block's size be made of memory that is there.

    The C library of Linux gives large pieces back to the system at once, which has to find and clear pages
    for the next block's. It stops doing so for pieces up to the size of one that it saw come back
    (mallopt(3), M_MMAP_THRESHOLD). Nothing is written to this one, so it takes no memory.
    """
    np.empty(16 << 20, np.uint8)


def _physical(text: str) -> list[str]:
    """Lines as `suppress.files.records` counts them."""
    return io.StringIO(text, newline="").readlines()
