"""Sifting: the fast engine's pass over a file, by one process or by a crew, with the same results.

For each block of the file it says what became of its rows (`Sifted`): where those stand that are taken out,
and the very bytes that go to the other results. Whoever writes the results copies what lies between.

Tricks, by name:

* *Guessed starts*: a member of the crew takes the first line end behind a round number of bytes for the end
  of a row. It is one, unless it stands in quotes. The blocks are put together in order, and each says where
  its last row ends: where that is not where the next block was taken to start, that one is done again from
  there.
* *Nothing is sent twice*: members read the file themselves, and send only what was taken out of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter, itemgetter
from typing import NamedTuple, TypeAlias

import numpy as np

from suppress.check.annotation import COLUMNS, Finding, annotation
from suppress.check.cards import UNDATED, stamped
from suppress.check.crew import Crew
from suppress.check.fast import PATIENCE, Block, Cutter, Regular, ToldRows
from suppress.check.gate import KEEP, KEEP_INVALID, Decision, Gate
from suppress.check.recognition import Recognition, Told
from suppress.check.tally import AGES, Tally
from suppress.core.mailing import Mailing
from suppress.core.roles import is_role
from suppress.core.verdict import Ruling
from suppress.errors import BadFile
from suppress.files.records import Record
from suppress.files.text import TextFile

BATCH = 2_000
"""Rows decided at a time."""
_GLANCE = 4_096
"""Bytes among which a line end is looked for."""
_SOME_DAY = stamped(datetime(1, 2, 3, 4, 5, 6, 789, UTC))
"""A day that nothing else looks like."""


class _Late(NamedTuple):
    """A row whose annotation names its line, which is not known before the blocks are put together."""

    row: Record
    decision: Decision


class _Tail(NamedTuple):
    """What is written behind a row: all but the day, which comes between these two."""

    ruling: Ruling
    before: str
    behind: str


_Texts: TypeAlias = dict[Ruling, list[tuple[int, str | _Late]]]
"""Rows that are taken out, each with where it stands in its block."""


@dataclass(slots=True)
class Sifted:
    """What became of the rows of one block. Lines are counted from its start."""

    length: int
    """Bytes."""
    lines: int
    tally: Tally
    taken: list[tuple[int, int]] = field(default_factory=list)
    """Where in the block rows stand that are not kept."""
    texts: dict[Ruling, list[str | _Late]] = field(default_factory=dict)
    """Those rows, with their annotations."""
    findings: list[Finding] = field(default_factory=list)
    """Where they are asked for."""

    def kept(self, content: bytes) -> bytes:
        """The rows that are kept, of the block's bytes."""
        pieces, end = [], 0
        for start, stop in self.taken:
            pieces.append(content[end:start])
            end = stop
        pieces.append(content[end:])
        return b"".join(pieces)

    def text(self, ruling: Ruling, contacts: TextFile, before: int) -> bytes:
        """The rows of this ruling, if `before` lines stand before the block."""
        return contacts.encoded(
            "".join(
                contacts.extended(each.row, annotation(each.decision, each.row.line + before))
                if isinstance(each, _Late)
                else each
                for each in self.texts.get(ruling, ())
            )
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
        self._recognition = recognition
        self._mailing = mailing
        self._now = now
        self._explain = explain
        self._usual = [""] * contacts.width
        self._ages = np.array(sorted(stamped(now - longest) for _, longest in AGES), np.int64)
        self._tails: dict[tuple[int, bool], _Tail] = {}

    def sifted(self, block: Block) -> Sifted:
        """One block."""
        found = Sifted(len(block.content), block.lines, Tally(self._now))
        found.tally.clear(block.clear, block.invalid)
        texts: _Texts = {}
        if block.told is not None:
            self._tell(found, texts, block, block.told)
        rows, spans = block.rows, block.spans
        decided = self._gate.decide_cells([each.cells for each in block.regular])
        for row, decision in zip(block.regular, decided, strict=True):
            if decision is KEEP or decision is KEEP_INVALID:
                found.tally.clear(1, decision is KEEP_INVALID)
            elif decision is not None:
                self._take(found, texts, self._record(block, row), decision, (row.start, row.stop))
            else:
                rows.append(self._record(block, row))
                spans.append((row.start, row.stop))
        for start in range(0, len(rows), BATCH):
            some = slice(start, start + BATCH)
            self._decide(found, texts, rows[some], spans[some])
        # Three kinds of rows become one list, in their order in the file.
        found.taken.sort()
        found.findings.sort(key=attrgetter("line"))
        for ruling, pieces in texts.items():
            pieces.sort(key=itemgetter(0))
            found.texts[ruling] = list(_joined(text for _, text in pieces))
        return found

    def _tell(self, found: Sifted, texts: _Texts, block: Block, rows: ToldRows) -> None:
        """Rows that are told by a card: all at once, as there may be many."""
        said = rows.told.said
        rules, since = said["rule"].tolist(), said["since"]
        codec, errors = self._contacts.encoding.codec, self._contacts.encoding.errors
        days = np.datetime_as_string(since.astype("M8[us]")).tolist()
        known = (since != UNDATED).tolist()
        for (start, stop, _), rule, day, dated in zip(rows.rows, rules, days, known, strict=True):
            tail = self._tail(rule, dated)
            text = block.content[start:stop].decode(codec, errors)
            body = text.rstrip("\r\n")
            when = day.removesuffix(".000000") if dated else ""
            text = f"{body}{tail.before}{when}{tail.behind}{text[len(body) :]}"
            texts.setdefault(tail.ruling, []).append((start, text))
            found.taken.append((start, stop))
        ages = np.where(since == UNDATED, -1, np.searchsorted(self._ages, since, side="right")).tolist()
        roles = [is_role(each.lower()) for each in rows.told.texts]
        kinds = list(zip(rules, ages, roles, strict=True))
        some = dict(zip(kinds, range(len(kinds)), strict=True))
        for kind, number in Counter(kinds).items():
            found.tally.add(self._decision(rows.told, some[kind], role=kind[2]), number)
        if self._explain:
            for place, ((_, _, before), role) in enumerate(zip(rows.rows, roles, strict=True)):
                found.findings.append(Finding(before + 1, self._decision(rows.told, place, role=role)))

    def _decision(self, told: Told, place: int, *, role: bool) -> Decision:
        """What becomes of the row of one person who is told by a card."""
        since, rule, seq = told.said[place].tolist()
        verdict = self._recognition.verdict(rule, since, seq, self._mailing)
        return Decision(verdict.ruling, verdict, told.texts[place], role=role)

    def _tail(self, rule: int, dated: bool) -> _Tail:
        """What is said of everybody who opted out by one rule, with or without a day."""
        if (found := self._tails.get((rule, dated))) is None:
            verdict = self._recognition.verdict(rule, _SOME_DAY if dated else UNDATED, 0, self._mailing)
            cells = annotation(Decision(verdict.ruling, verdict), 0)
            day = cells[COLUMNS.index("suppress_since")].removesuffix("Z")
            whole = self._contacts.extended(Record(0, "\n", self._usual), cells).removesuffix("\n")
            before, _, behind = whole.partition(day) if dated else (whole, "", "")
            found = self._tails[(rule, dated)] = _Tail(verdict.ruling, before, behind)
        return found

    def _record(self, block: Block, row: Regular) -> Record:
        """A regular row as the gate decides about it: its other cells are not asked for."""
        encoding = self._contacts.encoding
        cells = self._usual.copy()
        for index, cell in zip(self._contacts.columns.addresses, row.cells, strict=True):
            cells[index] = cell
        text = block.content[row.start : row.stop].decode(encoding.codec, encoding.errors)
        return Record(row.before + 1, text, cells)

    def _decide(self, found: Sifted, texts: _Texts, rows: list[Record], spans: list[tuple[int, int]]) -> None:
        # An empty line is no row; it stays where it was among the kept ones.
        filled = [(row, span) for row, span in zip(rows, spans, strict=True) if not row.blank]
        decided = self._gate.decide([row for row, _ in filled])
        for (row, span), decision in zip(filled, decided, strict=True):
            self._take(found, texts, row, decision, span)

    def _take(
        self, found: Sifted, texts: _Texts, row: Record, decision: Decision, span: tuple[int, int]
    ) -> None:
        """Count one row, and take it out if it is not kept."""
        found.tally.add(decision)
        clear = decision.ruling is Ruling.CLEAR
        if self._explain and (not clear or decision.verdict.waiver is not None):
            found.findings.append(Finding(row.line, decision))
        if clear:
            return
        found.taken.append(span)
        said: str | _Late = _Late(row, decision)
        if decision.doubt is None:
            said = self._contacts.extended(row, annotation(decision, row.line))
        texts.setdefault(decision.ruling, []).append((span[0], said))


def _joined(pieces: Iterable[str | _Late]) -> Iterator[str | _Late]:
    """The same with texts in a row as one, which takes less to be sent."""
    texts: list[str] = []
    for each in pieces:
        if isinstance(each, str):
            texts.append(each)
            continue
        yield "".join(texts)
        yield each
        texts = []
    yield "".join(texts)


class _Piece(NamedTuple):
    """What a member of the crew says about its block."""

    start: int
    stop: int
    sifted: Sifted


Part: TypeAlias = tuple[bytes, Sifted, int] | list[Record]
"""A block, what became of it, and the lines before it; or rows that only the readable engine can decide."""


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
    ) -> None:
        self._contacts = contacts
        self._sieve = sieve
        self._sifting = sifting
        self._begin = begin
        self._block = block
        self._start, self._line = sieve.start()
        self._size = contacts.size or 0

    def alone(self) -> Iterator[Part]:
        """All rows after the header, in order, by this process."""
        line = self._line
        for block in self._sieve.blocks(self._start, line):
            if isinstance(block, list):
                yield block
            else:
                yield block.content, self._sifting.sifted(block), line
                line += block.lines

    def together(self, members: int) -> Iterator[Part]:
        """The same by a crew."""
        at, line = self._start, self._line
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
                    yield self._contacts.raw(at, sifted.length), sifted, line
                    at += sifted.length
                    line += sifted.lines
                    if not sifted.length:
                        break
                    sifted = None
                if at == self._size:
                    return

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
