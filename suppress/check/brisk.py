"""The brisk gate: of many rows it decides at once about those in which certainly nobody is suppressed.

It is for files that the fast engine does not cut itself: Parquet, workbooks, UTF-16. Nearly all of their
rows hold a plain address of nobody, and to find that out by a match key, a question and a decision for each
takes ten times as long as to do so for many rows together.

A row is *clear* by the definition in `fast`: its shape is not in doubt, each of its address cells is empty,
plain or Latin, and none of these is selected by `recognition`. All others go to the readable engine's `Gate`.

Trick: *a file of one column*. The address cells of a batch stand in one text, a line each, which the compiled
loops of `scan` read as they read any file. What would cut such a line in two, or join it to the next, is
replaced by a character that no plain address holds; so a line is a cell, whatever stands in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from suppress.check.gate import CELL_UP_TO, KEEP, KEEP_INVALID, Alias, Answers, Decision, Gate
from suppress.check.hashing import Folding
from suppress.check.recognition import Recognition, Told
from suppress.check.scan import EMPTY, LOOSE, UNREAD, Cells, Scanner, shape
from suppress.check.telling import Saying
from suppress.core.mailing import Mailing
from suppress.files.contacts import ContactFile
from suppress.files.parquet import ParquetFile, Rows
from suppress.files.records import Record

DOUBTED, BLANK, NOBODYS = range(3)
"""What is known of an address cell: nothing yet; that it holds no address, or only one that is nobody's and
that mail systems may refuse; that its only one is nobody's."""

_KNOWN = {None: DOUBTED, False: BLANK, True: NOBODYS}
"""The same by whether a Latin address that is nobody's is sound."""
BATCH = 2_000
"""Rows decided at a time."""
_ODD = "!"
"""A character that no plain address holds, in place of those that have a meaning in a file."""
_HARMLESS = bytes.maketrans(b'"\r\0', _ODD.encode() * 3)
_ROOM = 8 << 20
"""Characters of cells in one text; if there are more, long ones are looked at apart."""


class Seen(NamedTuple):
    """What a glance says of some address cells."""

    known: NDArray[np.int8]
    """Of each."""
    lines: NDArray[np.intp]
    """Which of the doubted ones are told by a card: that decides about a row with no other address."""
    told: Told
    cells: Cells
    """Their cells."""


class Glance:
    """Tells of many address cells at once what can be told without reading them closely."""

    def __init__(self, recognition: Recognition, folding: Folding, mailing: Mailing) -> None:
        self._recognition = recognition
        self._mailing = mailing
        self._scanner = Scanner(shape("", 1, (0,), sound=True), folding.odd)

    def at(self, cells: bytes) -> Seen:
        """What is known of these cells, each of which ends in a line feed and holds no other."""
        content = cells.translate(_HARMLESS)
        found = self._scanner.scan(content)
        # Of an empty line the scan says nothing.
        known = np.full(found.lines, BLANK, np.int8)
        known[found.rows[:, 2]] = DOUBTED
        rows = found.rows[found.rows[:, 3] != LOOSE]
        begins, ends, numbers = found.cells[rows[:, 3]].T
        short = ends - begins <= CELL_UP_TO
        known[rows[short & (numbers == EMPTY), 2]] = BLANK
        others = short & (numbers == UNREAD)
        spans = zip(begins[others].tolist(), ends[others].tolist(), strict=True)
        texts = [content[begin:end].decode(errors="replace") for begin, end in spans]
        known[rows[others, 2]] = [_KNOWN[sound] for sound in self._recognition.nobodys(texts)]
        plain = short & (numbers >= 0)
        lines, numbers = rows[plain, 2], numbers[plain]
        selected = self._recognition.selects(found.plain)
        met = selected.cells[numbers]
        known[lines[~met]] = NOBODYS
        people, own = selected.people[numbers[met]], found.plain.some(numbers[met])
        told = self._recognition.told(content, own, people, self._mailing)
        return Seen(known, lines[met][told.which], told, own.some(told.which))

    def at_texts(self, cells: Sequence[str]) -> Seen:
        """The same of cells that may hold anything."""
        text = "\n".join(cells)
        if len(text) > _ROOM:
            text = "\n".join(cells := [each if len(each) <= CELL_UP_TO else _ODD for each in cells])
        if text.count("\n") >= len(cells):
            text = "\n".join(each.replace("\n", _ODD) for each in cells)
        return self.at(f"{text}\n".encode(errors="surrogatepass") if cells else b"")


class Brisk(Gate):
    """The readable engine's gate behind a glance at all rows of a batch."""

    def __init__(
        self,
        contacts: ContactFile,
        lookup: Answers,
        alias: Alias,
        mailing: Mailing,
        glance: Glance,
        saying: Saying,
    ) -> None:
        super().__init__(contacts, lookup, alias, mailing)
        self._glance = glance
        self._saying = saying

    def decide(self, rows: Sequence[Record]) -> list[Decision]:
        """One decision a row, in order."""
        misshapen, addresses = self._contacts.misshapen, self._contacts.addresses
        cells = [[_ODD] if misshapen(row) is not None else addresses(row) for row in rows]
        known, lines, told, people = self._glance.at_texts([cell for own in cells for cell in own])
        owners = np.repeat(np.arange(len(rows)), np.fromiter(map(len, cells), np.int64, len(rows)))
        worth = np.zeros(len(rows), bool)
        worth[owners[known == NOBODYS]] = True
        decided = [KEEP if each else KEEP_INVALID for each in worth.tolist()]
        closer = dict.fromkeys(owners[known == DOUBTED].tolist())
        for place, (owner, address) in enumerate(zip(owners[lines].tolist(), people.texts(), strict=True)):
            if len(cells[owner]) == 1:
                decided[owner] = self._saying.decision(told, place, address)
                del closer[owner]
        answers = super().decide([rows[each] for each in closer])
        for owner, decision in zip(closer, answers, strict=True):
            decided[owner] = decision
        return decided


class Winnowed(NamedTuple):
    """Some rows of a Parquet file, and what becomes of them."""

    whole: Rows
    clear: int
    invalid: int
    """Clear rows without any address."""
    told: list[int]
    """Where rows stand that are withheld for what a card tells."""
    cells: list[tuple[str, ...]]
    """Their annotations."""
    counted: list[tuple[Decision, int]]
    """What becomes of them, and of how many the same is to be counted."""
    places: list[int]
    """Where the others stand."""
    rows: list[Record]
    decisions: list[Decision]


def winnowed(
    contacts: ParquetFile, gate: Gate, glance: Glance, saying: Saying, *, explain: bool
) -> Iterator[Winnowed]:
    """All rows of the file. They stay in their columns: those that are clear or told are never rows at all.

    Where each is to be explained, the gate decides about all that are not clear.
    """
    columns = contacts.columns.addresses
    tells = len(columns) == 1 and not explain
    for whole in contacts.tables():
        doubted, worth = np.zeros(len(whole), bool), np.zeros(len(whole), bool)
        people: list[int] = []
        cells: list[tuple[str, ...]] = []
        counted: list[tuple[Decision, int]] = []
        for column in columns:
            known, lines, told, _ = glance.at(whole.lines(column, odd=_ODD, longest=CELL_UP_TO))
            doubted |= known == DOUBTED
            worth |= known == NOBODYS
            if tells:
                people, cells, counted = lines.tolist(), saying.cells(told), list(saying.counted(told))
                doubted[lines] = False
        places: list[int] = np.flatnonzero(doubted).tolist()
        rows = whole.records(places)
        decisions = chain.from_iterable(
            gate.decide(rows[start : start + BATCH]) for start in range(0, len(rows), BATCH)
        )
        clear = len(whole) - len(people) - len(places)
        invalid = int(np.count_nonzero(~(doubted | worth))) - len(people)
        yield Winnowed(whole, clear, invalid, people, cells, counted, places, rows, list(decisions))
