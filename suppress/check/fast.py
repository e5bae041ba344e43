"""The fast engine: it names the rows of which it is certain that nobody in them is suppressed.

All other rows, a few in a hundred, are decided by the readable engine (`gate`), so that there is one place
that decides. A row is *clear* here only if all of this holds; whatever is in doubt is not:

* It has as many cells as are usual, on one line, its quotes stand where quotes may, and it has no NUL byte.
* Its address cells are empty or *plain*: ASCII letters and digits, joined by single `.`, `_`, `+` or `-`, one
  `@`, a dot in the domain, a letter at the end, 64 bytes at most, perhaps spaces or quotes around. Of a plain
  cell the match key is the cell in lower case, it holds no second address, and no mail system refuses it.
* Its key's hash is not among those of the `snapshot`, nor its alias key's, nor, where people are known by
  nothing else, its blind index; and no rule may concern its domain (`reach`). The filter may join people, and
  so select too many; it tells no two spellings of one key apart, and so never selects too few.

Tricks, by name (those of `hashing` beside them):

* *Ends by comparison*: all delimiters and line ends of a block are found by comparing it with a number.
* *Quotes in pairs*: of a line whose quotes all open a cell, close one, or are doubled, every other one opens.
* *Classes by translation*: what a byte may be in an address is looked up for eight bytes of all rows at once,
  and two joints in a row show when a word meets itself, shifted by a byte.
* *Bitmap first*: one bit for each of the leading bits that a hash may have clears most rows in one step; the
  rest look for the whole hash in the sorted list, in order, so that neighbours share a cache line.
* *Aliases by squeezing*: dots and tags are taken out of many local parts at once, by one mask over a table of
  their bytes.
* *Bytes are copied*: what lies between two rows that are taken out goes to the kept file as it is.

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
from numpy.typing import NDArray

from suppress.check.hashing import PAD, Folding, Hashes, Numbers, steps, words
from suppress.check.reach import Reach, below
from suppress.check.snapshot import Snapshot
from suppress.core.aliases import Provider, providers
from suppress.core.domains import DomainRules
from suppress.errors import BadFile
from suppress.files.contacts import ContactFile
from suppress.files.delimited import DelimitedFile
from suppress.files.dialect import Cutting
from suppress.files.records import Record, records
from suppress.ledger.roster import Roster

_PATIENCE = 8
"""Blocks that may pass without the end of a row."""

_CODECS = frozenset({"utf-8", "ascii", "cp1252", "iso8859-1"})
"""Those in which an ASCII byte is that character, wherever it stands."""

_LONGEST = 64
_JOINT, _DOT, _WRONG = 0x01, 0x02, 0x80

Mask = NDArray[np.bool_]
Bytes = NDArray[np.uint8]


def _classes(joints: bytes) -> bytes:
    table = bytearray([_WRONG]) * 256
    table[0] = 0  # what a masked word has behind the end of its text; rows with NUL bytes never get here
    for each in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789":
        table[each] = 0
    for each in joints:
        table[each] = _JOINT | (_DOT if each == ord(".") else 0)
    return bytes(table)


_IN_LOCAL, _IN_DOMAIN = _classes(b"._+-"), _classes(b".-")
_ALNUM = (np.frombuffer(_IN_LOCAL, np.uint8) == 0) & (np.arange(256) > 0)
_LETTER = _ALNUM & (np.arange(256) >= ord("A"))
_JOINTS, _DOTS, _WRONGS = (np.uint64(each * 0x0101010101010101) for each in (_JOINT, _DOT, _WRONG))


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
    """Some rows of the file: bytes, how many of them are clear, and the rows that are not."""

    content: bytes
    clear: int = 0
    invalid: int = 0
    """Clear rows without any address."""
    rows: list[Record] = field(default_factory=list)
    """Those to decide, blank lines among them, in order."""
    spans: list[tuple[int, int]] = field(default_factory=list)
    """Where in `content` each of them stands."""


class _Piece(NamedTuple):
    """Lines that the readable engine has to cut."""

    start: int
    stop: int
    before: int
    """Physical lines ahead of it in the file."""


class Sieve:
    """One pass over one file."""

    def __init__(
        self,
        contacts: DelimitedFile,
        snapshot: Snapshot,
        folding: Folding,
        roster: Roster,
        *,
        aliases: bool,
        block: int,
        domains: DomainRules | None = None,
    ) -> None:
        self._contacts = contacts
        reach = Reach(domains, folding) if domains else None
        self._filter = _Filter(snapshot, folding, roster, reach, aliases=aliases)
        self._folding = folding
        self._size = block
        self._columns = contacts.columns.addresses
        self._delimiter = contacts.dialect.delimiter

    def blocks(self) -> Iterator[Block | list[Record]]:
        """All rows after the header, in order; as records alone where only the readable engine can go on."""
        preamble = self._contacts.preamble()
        start = len(self._contacts.encoding.mark) + len(self._contacts.encoded(preamble))
        line = len(_physical(preamble))
        rest = b""
        while True:
            fresh = self._contacts.raw(start + len(rest), self._size)
            content = rest + fresh
            if not content:
                return
            try:
                block, lines = self._block(content, line, last=not fresh)
            except (BadFile, UnicodeDecodeError):
                # An error of the file is told by the readable engine, once it has come to it.
                yield from self._contacts.rest(start, line)
                return
            if block.content:
                yield block
            start += len(block.content)
            line += lines
            rest = content[len(block.content) :]
            if len(rest) > _PATIENCE * self._size:
                yield from self._contacts.rest(start, line)
                return

    def _block(self, content: bytes, line: int, *, last: bool) -> tuple[Block, int]:
        """The whole rows at the start of `content`, and how many physical lines they have."""
        whole = content.rfind(b"\n") + 1
        table = _Table(content[:whole], self._delimiter.encode(), self._contacts.width)
        clear, invalid = self._clear(table)
        doubtful = ~clear
        pieces, end, lines = self._pieces(table, doubtful, line)
        if last:
            # A last row without a line end, or a quote that nothing closes.
            pieces.append(_Piece(end, len(content), line + lines))
            end = len(content)
        there = int(np.searchsorted(table.ends, end))
        sure = ~doubtful[:there]
        block = Block(content[:end], int(sure.sum()), int((sure & invalid[:there]).sum()))
        self._read(block, [each for each in pieces if each.start < each.stop])
        return block, lines

    def _pieces(self, table: _Table, doubtful: Mask, line: int) -> tuple[list[_Piece], int, int]:
        """Which lines must be read, where the last whole row ends, and the physical lines up to there."""
        pieces: list[_Piece] = []
        after, more = 0, 0
        for at in np.flatnonzero(doubtful).tolist():
            if at < after:
                continue
            start = table.start(at)
            if table.regular[at]:
                pieces.append(_Piece(start, table.start(at + 1), line + at + more))
                continue
            stop, returns = self._row_end(table, at)
            if stop is None:
                return pieces, start, at + more
            pieces.append(_Piece(start, table.start(stop), line + at + more))
            # What was clear among these lines, taken one by one, is part of a row that is not.
            doubtful[at:stop] = True
            more += returns
            after = stop
        return pieces, len(table.content), len(table.ends) + more

    def _row_end(self, table: _Table, at: int) -> tuple[int | None, int]:
        """The line behind the row that starts on line `at`, and how many lines end in a carriage return."""
        cutting: Cutting | None = None
        returns = 0
        for each in range(at, len(table.ends)):
            found = _physical(table.content[table.start(each) : table.start(each + 1)].decode("latin-1"))
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
        codec = self._contacts.encoding.codec
        text = b"".join(block.content[each.start : each.stop] for each in pieces).decode(codec)
        found = chain.from_iterable(records([text], self._contacts.dialect, self._contacts.name))
        for piece in pieces:
            position, first = piece.start, None
            while position < piece.stop:
                row = next(found)
                first = row.line if first is None else first
                end = position + (len(row.text) if row.text.isascii() else len(row.text.encode(codec)))
                block.rows.append(row._replace(line=piece.before + row.line - first + 1))
                block.spans.append((position, end))
                position = end

    def _clear(self, table: _Table) -> tuple[Mask, Mask]:
        """Which lines are clear, and which have no address at all."""
        clear = table.regular & (table.counts == self._contacts.width)
        rows = np.flatnonzero(clear)
        some = np.zeros(len(rows), bool)
        fine = np.ones(len(rows), bool)
        for column in self._columns:
            starts, ends = table.cell(rows, column)
            empty, plain = self._column(table, starts, ends)
            fine &= empty | plain
            some |= plain
        if self._contacts.width == 1:
            fine &= some  # an empty line is no row
        clear[rows] = fine
        invalid = np.zeros(len(clear), bool)
        invalid[rows] = ~some
        return clear, invalid

    def _column(self, table: _Table, starts: Numbers, ends: Numbers) -> tuple[Mask, Mask]:
        """Of the cells of a column those that are empty, and those that are plain and nobody's."""
        starts, ends = table.stripped(starts, ends)
        plain = np.zeros(len(starts), bool)
        at = table.ats[np.searchsorted(table.ats, starts)]
        some = np.flatnonzero((at > starts) & (at + 1 < ends) & (ends - starts <= _LONGEST))
        first, at, end = starts[some], at[some], ends[some]
        byte = table.bytes
        fine = _ALNUM[byte[first]] & _ALNUM[byte[at - 1]] & _ALNUM[byte[at + 1]] & _LETTER[byte[end - 1]]
        local, local_is_fine, _ = self._half(table.words, first, at - first, _IN_LOCAL)
        domain, domain_is_fine, dots = self._half(table.words, at + 1, end - at - 1, _IN_DOMAIN)
        kept = np.flatnonzero(fine & local_is_fine & domain_is_fine & dots)
        cells = _Cells(table, first[kept], at[kept], end[kept], local[kept], domain[kept])
        plain[some[kept]] = ~self._filter.selects(cells)
        return starts == ends, plain

    def _half(
        self, view: Hashes, starts: Numbers, lengths: Numbers, classes: bytes
    ) -> tuple[Hashes, Mask, Mask]:
        """Of local parts or domains the hash, whether their bytes are plain, and whether there is a dot."""
        state = self._folding.begun(lengths)
        before = np.zeros(len(lengths), np.uint64)
        seen, doubled = before.copy(), before.copy()
        for live, found in steps(view, starts, lengths):
            state[live] = self._folding.mixed(state[live], found)
            kinds = np.frombuffer(found.tobytes().translate(classes), np.dtype("<u8"))
            seen[live] |= kinds
            doubled[live] |= kinds & (kinds << np.uint64(8) | before[live])
            before[live] = kinds >> np.uint64(56)
        return state, (seen & _WRONGS | doubled & _JOINTS) == 0, (seen & _DOTS) != 0


class _Table:
    """The lines of a block and their cells, as far as each line can be cut on its own."""

    def __init__(self, content: bytes, delimiter: bytes, width: int) -> None:
        self.content = content
        padded = content + PAD
        self.bytes: Bytes = np.frombuffer(padded, np.uint8)
        self.words = words(padded)
        self._width = width
        inside = self.bytes[: len(content)]
        self.ats = np.append(np.flatnonzero(inside == ord("@")), len(content))
        marks = inside == ord("\n")
        if delimiter:
            marks |= inside == ord(delimiter)
        separators = np.flatnonzero(marks)
        self.ends: Numbers = separators[inside[separators] == ord("\n")]
        self.regular: Mask = np.ones(len(self.ends), bool)
        if b'"' in content:
            separators = self._unquoted(inside, separators, delimiter)
        self._spoilt(inside)
        self._closing = np.flatnonzero(inside[separators] == ord("\n"))
        self.counts = np.diff(self._closing, prepend=-1)
        """Cells of each line."""
        self._separators = np.concatenate([np.array([-1]), separators])

    def start(self, line: int) -> int:
        """Where a line starts; for the one after the last, where the block ends."""
        return int(self.ends[line - 1]) + 1 if line else 0

    def cell(self, lines: Numbers, column: int) -> tuple[Numbers, Numbers]:
        """Where a cell of each of these lines starts and ends. All have the usual number of cells."""
        places = self._closing[lines] - (self._width - 1) + column
        starts, ends = self._separators[places] + 1, self._separators[places + 1]
        if column == self._width - 1:
            ends = ends - ((ends > starts) & (self.bytes[ends - 1] == ord("\r")))
        return starts, ends

    def stripped(self, starts: Numbers, ends: Numbers) -> tuple[Numbers, Numbers]:
        """The cells without the quotes and the spaces around what is in them."""
        quoted = (self.bytes[starts] == ord('"')) & (ends - starts > 1)
        starts, ends = starts + quoted, ends - quoted
        spaced = np.flatnonzero((self.bytes[starts] == ord(" ")) | (self.bytes[ends - 1] == ord(" ")))
        while spaced.size:
            some, end = starts[spaced], ends[spaced]
            some = some + ((self.bytes[some] == ord(" ")) & (some < end))
            end = end - ((self.bytes[end - 1] == ord(" ")) & (some < end))
            moved = (some > starts[spaced]) | (end < ends[spaced])
            starts[spaced], ends[spaced] = some, end
            spaced = spaced[moved]
        return starts, ends

    def _unquoted(self, inside: Bytes, separators: Numbers, delimiter: bytes) -> Numbers:
        """The separators that stand outside quotes. Lines whose quotes are out of place are not regular."""
        quotes = np.flatnonzero(inside == ord('"'))
        line = np.searchsorted(self.ends, quotes)
        number = np.bincount(line, minlength=len(self.ends))
        opens = ((np.arange(len(quotes)) - (np.cumsum(number) - number)[line]) & 1) == 0
        edge = np.zeros(256, bool)
        edge[[ord(each) for each in '\r\n"'] + list(delimiter)] = True
        before = self.bytes[quotes - 1]
        # A line end stands before a quote also where the block begins.
        placed = np.where(opens, edge[before] | (quotes == 0), edge[self.bytes[quotes + 1]])
        # Behind a carriage return a quote is within a line that is not regular anyway.
        self.regular[line[~placed]] = False
        self.regular[number & 1 == 1] = False
        fine = self.regular[line]
        first = np.searchsorted(separators, quotes[fine & opens])
        behind = np.searchsorted(separators, quotes[fine & ~opens])
        depth = np.bincount(first, minlength=len(separators) + 1)
        depth -= np.bincount(behind, minlength=len(separators) + 1)
        outside: Numbers = separators[np.cumsum(depth)[:-1] == 0]
        return outside

    def _spoilt(self, inside: Bytes) -> None:
        """Lines with a NUL byte, or a carriage return that ends a line without a line feed."""
        spots = []
        if b"\0" in self.content:
            spots.append(np.flatnonzero(inside == 0))
        if b"\r" in self.content:
            returns = np.flatnonzero(inside == ord("\r"))
            spots.append(returns[self.bytes[returns + 1] != ord("\n")])
        for each in spots:
            self.regular[np.searchsorted(self.ends, each)] = False


class _Cells(NamedTuple):
    """Plain cells: where they and their `@` are, and the hashes of both halves."""

    table: _Table
    starts: Numbers
    ats: Numbers
    ends: Numbers
    local: Hashes
    domain: Hashes

    def some(self, places: NDArray[np.intp]) -> _Cells:
        """Those at these places."""
        table, starts, ats, ends, local, domain = self
        return _Cells(table, starts[places], ats[places], ends[places], local[places], domain[places])


class _Filter:
    """Which plain cells may be somebody's. It may say so of too many, never of too few."""

    def __init__(
        self, snapshot: Snapshot, folding: Folding, roster: Roster, reach: Reach | None, *, aliases: bool
    ) -> None:
        self._reach = reach
        self._folding = folding
        self._roster = roster
        self._people = _Known(snapshot.hashes)
        self._aliases = _Aliases(_Known(snapshot.alias_hashes), folding) if aliases else None
        unheld: dict[str, set[bytes]] = {}
        for id_, index in snapshot.unheld.values():
            unheld.setdefault(id_, set()).add(index)
        self._unheld: Mapping[str, frozenset[bytes]] = {id_: frozenset(all_) for id_, all_ in unheld.items()}

    def selects(self, cells: _Cells) -> Mask:
        """For each cell."""
        found = self._people.has(self._folding.joined(cells.local, cells.domain))
        if self._aliases is not None:
            found |= self._aliases.has(cells)
        if self._reach is not None:
            found |= self._reach.has(cells.domain, cells.table.words, cells.ats, cells.ends)
        if self._unheld:
            rest = np.flatnonzero(~found)
            lower = cells.table.content.lower()
            spans = zip(cells.starts[rest].tolist(), cells.ends[rest].tolist(), strict=True)
            keys = [lower[start:end] for start, end in spans]
            found[rest[list(self._roster.recognised(keys, self._unheld))]] = True
        return found


class _Known:
    """A set of hashes, with a bitmap of their leading bits in front."""

    def __init__(self, hashes: Hashes) -> None:
        self._hashes = hashes
        bits = max(10, (16 * len(hashes)).bit_length())
        self._shift = np.uint64(64 - bits)
        places = hashes >> self._shift
        bitmap = np.zeros((1 << bits) // 8, np.uint8)
        # Eight rounds, one for each bit of a byte: assigning by index forgets all but one of equal indexes.
        for bit in range(8):
            bitmap[places[places & np.uint64(7) == bit] >> np.uint64(3)] |= np.uint8(1 << bit)
        self._bitmap = bitmap

    def has(self, asked: Hashes) -> Mask:
        """For each hash, whether it is in the set."""
        places = asked >> self._shift
        met: Mask = (
            self._bitmap[places >> np.uint64(3)] >> (places & np.uint64(7)).astype(np.uint8)
        ) & 1 == 1
        some = np.flatnonzero(met)
        if not len(some):
            return met
        some = some[np.argsort(asked[some])]
        found = np.minimum(np.searchsorted(self._hashes, asked[some]), len(self._hashes) - 1)
        met[some] = self._hashes[found] == asked[some]
        return met


class _Aliases:
    """The alias tier: the same answer as `suppress.core.aliases.alias_of`, for many plain cells at once."""

    def __init__(self, known: _Known, folding: Folding) -> None:
        self._known = known
        self._folding = folding
        table = providers()
        names = list(table)
        hashes = folding.of([name.encode() for name in names])
        order = np.argsort(hashes)
        self._domains = hashes[order]
        kinds = list(dict.fromkeys(each.name for each in table.values()))
        self._by_kind = {kinds.index(each.name): each for each in table.values()}
        own = dict(zip(names, hashes, strict=True))
        said = [own[each.domains[0]] if (each := table[name]).one_domain else own[name] for name in names]
        self._said = np.array(said, np.uint64)[order]
        self._kinds = np.array([kinds.index(table[name].name) for name in names])[order]
        self._above = [f".{name}".encode() for name, each in table.items() if each.subdomains]

    def has(self, cells: _Cells) -> Mask:
        """For each cell whether its alias key may be that of somebody in the ledger."""
        # Cells at a subdomain where names are aliases. They are few: all are selected that may be so.
        found = below(self._above, cells.table.words, cells.ats, cells.ends)
        place = np.minimum(np.searchsorted(self._domains, cells.domain), len(self._domains) - 1)
        here = np.flatnonzero(self._domains[place] == cells.domain)
        place = place[here]
        for kind, provider in self._by_kind.items():
            own = np.flatnonzero(self._kinds[place] == kind)
            if len(own):
                local = self._squeezed(cells.some(here[own]), provider)
                found[here[own]] = self._known.has(self._folding.joined(local, self._said[place[own]]))
        return found

    def _squeezed(self, cells: _Cells, provider: Provider) -> Hashes:
        """The hashes of the local parts without what the provider does not see."""
        lengths = cells.ats - cells.starts
        columns = np.arange(int(lengths.max()))
        texts = cells.table.bytes[np.minimum(cells.starts[:, None] + columns, len(cells.table.bytes) - 1)]
        kept = columns < lengths[:, None]
        if provider.tag:
            kept &= ~np.logical_or.accumulate(texts == ord(provider.tag), axis=1)
        for each in provider.ignored:
            kept &= texts != ord(each)
        rest = kept.sum(axis=1)
        return self._folding.hashed(words(texts[kept].tobytes() + PAD), np.cumsum(rest) - rest, rest)


def _physical(text: str) -> list[str]:
    """Lines as `suppress.files.records` counts them."""
    return io.StringIO(text, newline="").readlines()
