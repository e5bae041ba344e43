"""Sifting: the fast engine's pass over a file, by one process or by a crew, with the same results.

For each block of the file it says what became of its rows (`Sifted`): where those stand that are taken out,
and the very bytes that go to the other results. Whoever writes the results copies what lies between.

Tricks, by name:

* *Guessed starts*: a member of the crew takes the first line end behind a round number of bytes for the end
  of a row. It is one, unless it stands in quotes. The blocks are put together in order, and each says where
  its last row ends: where that is not where the next block was taken to start, that one is done again from
  there.
* *Loaded but once*: some rows are sifted before there is a crew, and again by it: so the machine code for
  them is loaded once, and all members have it.
* *Nothing is sent twice*: members read the file themselves, and send only what was taken out of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple, TypeAlias

import numpy as np

from suppress.check.annotation import Finding, annotation
from suppress.check.crew import Crew
from suppress.check.fast import PATIENCE, Block, Cutter, Regular, ToldRows
from suppress.check.gate import KEEP, KEEP_INVALID, Decision, Gate
from suppress.check.recognition import Recognition
from suppress.check.tally import Counts, Tally
from suppress.check.telling import NOTHING, Telling, Written
from suppress.core.mailing import Mailing
from suppress.core.verdict import Ruling
from suppress.errors import BadFile
from suppress.files.records import Record
from suppress.files.text import TextFile

BATCH = 2_000
"""Rows decided at a time."""
_SUPPRESSED = str(Ruling.SUPPRESSED)
_GLANCE = 4_096
"""Bytes among which a line end is looked for."""


class _Late(NamedTuple):
    """A row whose annotation names its line, which is not known before the blocks are put together."""

    row: Record
    decision: Decision


class _Taken(NamedTuple):
    """A row that is taken out: where it stands in its block, and how it is written."""

    start: int
    stop: int
    ruling: str
    said: bytes | _Late


class _Found(NamedTuple):
    """What becomes of the rows of a block, as it is found out."""

    tally: Tally
    taken: list[_Taken]
    findings: list[Finding]


@dataclass(slots=True)
class Sifted:
    """What became of the rows of one block. Lines are counted from its start."""

    length: int
    """Bytes."""
    lines: int
    tally: Counts
    taken: bytes = b""
    """Where in the block rows start and stop that are not kept, as an array of numbers."""
    texts: dict[str, list[bytes | _Late]] = field(default_factory=dict)
    """Those rows by their ruling, with their annotations."""
    findings: list[Finding] = field(default_factory=list)
    """Where they are asked for."""

    def kept(self, content: memoryview) -> list[memoryview]:
        """The rows that are kept, of the block's bytes, without a copy."""
        bounds = [0, *np.frombuffer(self.taken, np.int64).tolist(), len(content)]
        return [content[start:stop] for start, stop in zip(bounds[::2], bounds[1::2], strict=True)]

    def text(self, ruling: Ruling, contacts: TextFile, before: int) -> bytes:
        """The rows of this ruling, if `before` lines stand before the block."""
        return b"".join(
            each
            if isinstance(each, bytes)
            else contacts.encoded(
                contacts.extended(each.row, annotation(each.decision, each.row.line + before))
            )
            for each in self.texts.get(ruling, ())
        )


class Sifting:
    """What is needed to sift blocks of one file."""

    def __init__(
        self,
        contacts: TextFile,
        gate: Gate,
        recognition: Recognition,
        mailing: Mailing,
        now: datetime,
        *,
        explain: bool,
    ) -> None:
        self._contacts = contacts
        self._gate = gate
        self._telling = Telling(contacts, recognition, mailing, now)
        self._now = now
        self._explain = explain
        self._usual = [""] * contacts.width

    def sifted(self, block: Block) -> Sifted:
        """One block."""
        tally = Tally(self._now)
        tally.clear(block.clear, block.invalid)
        found = _Found(tally, [], [])
        rows, spans = block.rows, block.spans
        decided = self._gate.decide_cells([each.cells for each in block.regular])
        for row, decision in zip(block.regular, decided, strict=True):
            if decision is KEEP or decision is KEEP_INVALID:
                tally.clear(1, decision is KEEP_INVALID)
            elif decision is not None:
                self._take(found, self._record(block, row), decision, (row.start, row.stop))
            else:
                rows.append(self._record(block, row))
                spans.append((row.start, row.stop))
        for start in range(0, len(rows), BATCH):
            some = slice(start, start + BATCH)
            self._decide(found, rows[some], spans[some])
        told = NOTHING if block.told is None else self._tell(found, block.told)
        taken, texts = _gathered(told, found.taken)
        found.findings.sort(key=attrgetter("line"))
        return Sifted(len(block.content), block.lines, tally, taken, texts, found.findings)

    def _tell(self, found: _Found, rows: ToldRows) -> Written:
        """Rows that are told by a card: all at once, as there may be many."""
        for decision, number in self._telling.counted(rows.told):
            found.tally.add(decision, number)
        if self._explain:
            befores = zip(rows.befores.tolist(), rows.cells.texts(), strict=True)
            for place, (before, address) in enumerate(befores):
                found.findings.append(Finding(before + 1, self._telling.decision(rows.told, place, address)))
        return self._telling.written(rows)

    def _record(self, block: Block, row: Regular) -> Record:
        """A regular row as the gate decides about it: its other cells are not asked for."""
        encoding = self._contacts.encoding
        cells = self._usual.copy()
        for index, cell in zip(self._contacts.columns.addresses, row.cells, strict=True):
            cells[index] = cell
        text = block.content[row.start : row.stop].decode(encoding.codec, encoding.errors)
        return Record(row.before + 1, text, cells)

    def _decide(self, found: _Found, rows: list[Record], spans: list[tuple[int, int]]) -> None:
        # An empty line is no row; it stays where it was among the kept ones.
        filled = [(row, span) for row, span in zip(rows, spans, strict=True) if not row.blank]
        decided = self._gate.decide([row for row, _ in filled])
        for (row, span), decision in zip(filled, decided, strict=True):
            self._take(found, row, decision, span)

    def _take(self, found: _Found, row: Record, decision: Decision, span: tuple[int, int]) -> None:
        """Count one row, and take it out if it is not kept."""
        found.tally.add(decision)
        clear = decision.ruling is Ruling.CLEAR
        if self._explain and (not clear or decision.verdict.waiver is not None):
            found.findings.append(Finding(row.line, decision))
        if clear:
            return
        said: bytes | _Late = _Late(row, decision)
        if decision.doubt is None:
            extended = self._contacts.extended(row, annotation(decision, row.line))
            said = self._contacts.encoded(extended)
        found.taken.append(_Taken(*span, str(decision.ruling), said))


def _gathered(told: Written, others: list[_Taken]) -> tuple[bytes, dict[str, list[bytes | _Late]]]:
    """Where all these rows stand, and how they are written, in order. Whoever is told is suppressed."""
    others.sort(key=attrgetter("start"))
    spans = told.spans
    ahead = np.searchsorted(spans[:, 0], [each.start for each in others])
    if others:
        spans = np.insert(spans, ahead, [(each.start, each.stop) for each in others], axis=0)
    texts: dict[str, list[bytes | _Late]] = {_SUPPRESSED: []}
    position = 0
    for each, place in zip(others, ahead.tolist(), strict=True):
        if each.ruling == _SUPPRESSED:
            end = int(told.ends[place - 1]) if place else 0
            texts[_SUPPRESSED].append(told.text[position:end])
            position = end
        texts.setdefault(each.ruling, []).append(each.said)
    texts[_SUPPRESSED].append(told.text[position:])
    return spans.tobytes(), {ruling: list(_joined(all_)) for ruling, all_ in texts.items()}


def _joined(pieces: Iterable[bytes | _Late]) -> Iterator[bytes | _Late]:
    """The same with bytes in a row as one, which takes less to be sent."""
    rows: list[bytes] = []
    for each in pieces:
        if isinstance(each, bytes):
            rows.append(each)
            continue
        yield b"".join(rows)
        yield each
        rows = []
    yield b"".join(rows)


class _Piece(NamedTuple):
    """What a member of the crew says about its block."""

    start: int
    stop: int
    sifted: Sifted


Part: TypeAlias = tuple[memoryview, Sifted, int] | list[Record]
"""A block, what became of it, and the lines before it; or rows that only the readable engine can decide.

The block is there until the next part is asked for, and may be empty where nothing is to be copied."""


class Pass:
    """One pass over one file."""

    def __init__(
        self,
        contacts: TextFile,
        sieve: Cutter,
        sifting: Sifting,
        begin: Callable[[], None],
        *,
        block: int,
        copied: bool = True,
    ) -> None:
        self._contacts = contacts
        self._sieve = sieve
        self._sifting = sifting
        self._begin = begin
        self._block = block
        self._copied = copied
        self._memory = memoryview(bytearray())
        self._start, self._line = sieve.start()
        self._size = contacts.size or 0

    def alone(self) -> Iterator[Part]:
        """All rows after the header, in order, by this process."""
        line = self._line
        for block in self._sieve.blocks(self._start, line):
            if isinstance(block, list):
                yield block
            else:
                yield memoryview(block.content), self._sifting.sifted(block), line
                line += block.lines

    def together(self, members: int) -> Iterator[Part]:
        """The same by a crew."""
        at, line = self._start, self._line
        self._again(at, min(at + _GLANCE, self._size))
        with Crew(self._begin, self._piece, members) as crew:
            for number, piece in enumerate(crew.results()):
                stop = piece.stop if isinstance(piece, _Piece) else self._bound(number + 1)
                sifted = piece.sifted if isinstance(piece, _Piece) and piece.start == at else None
                while at < stop:
                    if sifted is None:
                        # A row runs over the end of its block, or the piece was lost.
                        sifted = self._again(at, stop)
                    if sifted is None:
                        yield from self._contacts.rest(at, line)
                        return
                    yield self._content(at, sifted.length), sifted, line
                    at += sifted.length
                    line += sifted.lines
                    if not sifted.length:
                        break
                    sifted = None
                if at == self._size:
                    return

    def _content(self, at: int, length: int) -> memoryview:
        """A block, to be copied or at least to be hashed, in memory that the one before has used."""
        if not self._copied and self._contacts.hashed_elsewhere:
            self._contacts.skip_to(at + length)
            return memoryview(b"")
        if len(self._memory) < length:
            self._memory = memoryview(bytearray(length))
        return self._contacts.raw_into(self._memory[:length], at)

    def _again(self, at: int, stop: int) -> Sifted | None:
        """A block from where a row starts; None where only the readable engine can go on."""
        if stop - at > PATIENCE * self._block:
            return None
        try:
            block = self._sieve.cut(self._contacts.glance(at, stop - at), last=stop == self._size)
        except (BadFile, UnicodeDecodeError):
            return None
        return self._sifting.sifted(block)

    def _piece(self, number: int) -> _Piece | None:
        """One block, as if a row started where it does; None behind the end of the file."""
        start, stop = self._bound(number), self._bound(number + 1)
        if start == self._size:
            return None
        content = self._contacts.glance(start, stop - start)
        block = self._sieve.cut(content, last=stop == self._size)
        return _Piece(start, stop, self._sifting.sifted(block))

    def _bound(self, number: int) -> int:
        """Where the block of this number starts: behind the first line end from a round place on."""
        if not number:
            return self._start
        at = self._start + number * self._block - 1
        for place in range(at, min(at + PATIENCE * self._block, self._size), _GLANCE):
            found = self._contacts.glance(place, _GLANCE).find(b"\n")
            if found >= 0:
                return place + found + 1
        return min(at + PATIENCE * self._block, self._size)
