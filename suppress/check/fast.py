"""The fast engine: it names the rows of which it is certain that nobody in them is suppressed.

All other rows, a few in a hundred, are decided as the readable engine decides them (`gate`), but for those
whose only address is plain and whose person's card opens: it says all that is known of them, and proves that
the match keys are equal. A row is *clear* here only if all of this holds; whatever is in doubt is not:

* It is regular (`scan`): its cells are certain, and there are as many as are usual.
* Its address cells are empty or *plain*: then the match key is the cell in lower case, it holds no second
  address, and no mail system refuses it. Or they are Latin names and domains that `core.latin` can read.
* Its key's hash is not among those of the `snapshot`, nor its alias key's, nor a domain rule's, nor, where
  people are known by nothing else, its blind index (`recognition`). The filter may join people, and so select
  too many; it tells no two spellings of one key apart, and so never selects too few.

A block of the file is cut, and its addresses are hashed, by `scan`; the hashes are looked for by `known` and
`filter`: loops over bytes and numbers, compiled to machine code. What lies between two rows that are taken
out goes to the kept file as it is: *bytes are copied*.

Tricks, by name:

* *Told by the card*: whoever is met by a plain cell, and has a card that opens, needs no second look.
* *Memory kept*: blocks are read into memory that the one before has used.
* *Cut but once*: of a regular row the scan says where its address cells are. It is decided by these, and is
  never cut into all its cells.

A loose row is cut by the readable engine. Where even that fails, as for a row longer than some blocks, the
rest of the file is the readable engine's.
"""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple, TypeGuard

import numpy as np

from suppress.check.hashing import Folding, Numbers
from suppress.check.recognition import Met, Recognition, Told
from suppress.check.scan import LOOSE, Cells, Scanned, Scanner, doubtful, shape
from suppress.core.mailing import Mailing
from suppress.errors import BadFile
from suppress.files.contacts import ContactFile
from suppress.files.delimited import DelimitedFile
from suppress.files.records import Record, records
from suppress.files.text import TextFile

PATIENCE = 8
"""Blocks that may pass without the end of a row."""

CODECS = frozenset({"utf-8", "ascii", "cp1252", "iso8859-1"})
"""Those in which an ASCII byte is that character, wherever it stands."""


def suits(contacts: ContactFile) -> TypeGuard[DelimitedFile]:
    """Whether the fast engine can read this file."""
    columns = contacts.columns.addresses
    return (
        isinstance(contacts, DelimitedFile)
        and contacts.encoding.codec in CODECS
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
    told: ToldRows | None = None
    """Rows that are decided."""
    regular: list[Regular] = field(default_factory=list)
    """Rows to decide by their address cells."""
    rows: list[Record] = field(default_factory=list)
    """Other rows to decide, blank lines among them."""
    spans: list[tuple[int, int]] = field(default_factory=list)
    """Where in `content` each of these others stands."""


class ToldRows(NamedTuple):
    """Rows whose only address is plain, and whose person's card opened; in order."""

    spans: Numbers
    """Of each: start and stop."""
    befores: Numbers
    """Of each: the lines before it."""
    cells: Cells
    """Their addresses."""
    told: Told


class Regular(NamedTuple):
    """A row of which the cells are certain."""

    start: int
    stop: int
    before: int
    """Lines."""
    cells: Sequence[str]
    """Its address cells."""


class _Piece(NamedTuple):
    """A row that the readable engine has to cut, or several at the end of the file."""

    start: int
    stop: int
    before: int
    """Physical lines ahead of it in the block."""


class Cutter(ABC):
    """Cuts a file of text into blocks of whole rows."""

    def __init__(self, contacts: TextFile, *, block: int) -> None:
        self._contacts = contacts
        self._size = block
        _keep_memory()

    @abstractmethod
    def start(self) -> tuple[int, int]:
        """Where the first row after the header starts, and how many physical lines stand before it."""

    @abstractmethod
    def cut(self, content: bytes, *, last: bool) -> Block:
        """The whole rows at the start of `content`, which starts with one."""

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


class Sieve(Cutter):
    """One pass over one CSV file."""

    _contacts: DelimitedFile

    def __init__(
        self,
        contacts: DelimitedFile,
        recognition: Recognition,
        folding: Folding,
        mailing: Mailing,
        *,
        block: int,
    ) -> None:
        super().__init__(contacts, block=block)
        self._recognition = recognition
        self._mailing = mailing
        self._columns = contacts.columns.addresses
        delimiter, sound = contacts.dialect.delimiter, contacts.encoding.sound
        self._shape = shape(delimiter, contacts.width, self._columns, sound=sound)
        self._scanner = Scanner(self._shape, folding.odd)
        # A file of one column has its cell written anew when others are added, so it is asked for.
        self._tells = len(self._columns) == 1 and bool(delimiter)

    def start(self) -> tuple[int, int]:
        """Where the first row after the header starts, and how many physical lines stand before it."""
        preamble = self._contacts.preamble()
        start = len(self._contacts.encoding.mark) + len(self._contacts.encoded(preamble))
        return start, len(physical(preamble))

    def cut(self, content: bytes, *, last: bool) -> Block:
        """The whole rows at the start of `content`."""
        found = self._scanner.scan(content)
        met = self._recognition.selects(found.plain)
        numbers, invalid = doubtful(found, met.cells, self._shape)
        end = len(content) if last else found.end
        block = Block(content[:end], found.lines, len(found.rows) - len(numbers), invalid)
        rows = found.rows[numbers]
        regular = rows[:, 3] != LOOSE
        if self._tells and met.cells.any():
            told, places = self._told(content, found, met, rows)
            block.told = told
            regular[places] = False
        pieces = [_Piece(*each) for each in rows[rows[:, 3] == LOOSE, :3].tolist()]
        self._regular(block, found, rows[regular])
        if found.end < end:
            # A last row without a line end, or a quote that nothing closes.
            pieces.append(_Piece(found.end, end, found.lines))
        self._read(block, pieces)
        return block

    def _told(self, content: bytes, found: Scanned, met: Met, rows: Numbers) -> tuple[ToldRows, Numbers]:
        """Those of some rows that are told by a card, and their places among them."""
        # There is one address cell in a row; where it is plain, and the row in doubt, it is met.
        regular = np.flatnonzero(rows[:, 3] != LOOSE)
        numbers = found.cells[rows[regular, 3], 2]
        plain = numbers >= 0
        regular, numbers = regular[plain], numbers[plain]
        cells = found.plain.some(numbers)
        told = self._recognition.told(content, cells, met.people[numbers], self._mailing)
        places = regular[told.which]
        spans = np.ascontiguousarray(rows[places, :2])
        return ToldRows(spans, rows[places, 2], cells.some(told.which), told), places

    def _regular(self, block: Block, found: Scanned, rows: Numbers) -> None:
        """Take up regular rows that are not told, but for those in which certainly is nobody."""
        codec, errors, content = self._contacts.encoding.codec, self._contacts.encoding.errors, block.content
        columns: list[list[str]] = []
        for place in range(len(self._columns)):
            texts = [
                content[begin:end].decode(codec, errors)
                for begin, end in found.cells[rows[:, 3] + place, :2].tolist()
            ]
            columns.append([each[1:-1].replace('""', '"') if each[:1] == '"' else each for each in texts])
        known = [self._nobodys(texts) for texts in columns]
        spans = rows[:, :3].tolist()
        cells = zip(*columns, strict=True)
        for (start, stop, before), own, sound in zip(spans, cells, zip(*known, strict=True), strict=True):
            if None in sound:
                block.regular.append(Regular(start, stop, before, own))
            else:
                block.clear += 1
                block.invalid += True not in sound

    def _nobodys(self, cells: Sequence[str]) -> list[bool | None]:
        """For each cell with nobody in it, whether its address is sound; None for others."""
        found = self._recognition.nobodys(cells)
        readings = self._contacts.readings
        return [
            (False if not cell or cell.isspace() else None)
            if sound is None
            else None
            if readings(cell)
            else sound
            for cell, sound in zip(cells, found, strict=True)
        ]

    def _read(self, block: Block, pieces: Sequence[_Piece]) -> None:
        """Cut the loose rows of a block, all in one go: each piece starts and ends with a row."""
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


def _keep_memory() -> None:
    """Let pieces of a block's size be made of memory that is there.

    The C library of Linux gives large pieces back to the system at once, which has to find and clear pages
    for the next block's. It stops doing so for pieces up to the size of one that it saw come back
    (mallopt(3), M_MMAP_THRESHOLD). Nothing is written to this one, so it takes no memory.
    """
    np.empty(16 << 20, np.uint8)


def physical(text: str) -> list[str]:
    """Lines as `suppress.files.records` counts them."""
    return io.StringIO(text, newline="").readlines()
