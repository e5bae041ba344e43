"""JSON lines by the fast engine: what is clear in a file of them, and the names that stand there.

The address cells of certain lines (`objects`) are looked at together (`brisk`). Where each is plain and
nobody's, the line is clear: it is in no doubt, and the readable engine would find the same cells. All other
lines, empty ones among them, are decided by a gate.

Which names are of addresses is known to Python alone. Those of the first lines are learned before the scan,
others when they turn up, and then their block is read anew.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TypeGuard

import numpy as np

from suppress.check.brisk import DOUBTED, NOBODYS, Glance
from suppress.check.fast import CODECS, Block, Cutter, physical
from suppress.check.objects import COLUMNS, LONGEST, NO_NAME, UNKNOWN, Lines, Names, scan
from suppress.files.contacts import SAMPLE, ContactFile
from suppress.files.jsonlines import JsonLinesFile, named, structure

_MOST = 256
"""Names that are learned."""
_TRIES = 4
"""How often a block is read because names in it were learned."""


def suits(contacts: ContactFile) -> TypeGuard[JsonLinesFile]:
    """Whether the lines of this file can be scanned."""
    return isinstance(contacts, JsonLinesFile) and contacts.encoding.codec in CODECS


class Vocabulary:
    """The names that are known so far."""

    def __init__(self, contacts: JsonLinesFile) -> None:
        self._contacts = contacts
        self._places: dict[tuple[str, ...], int] = {}
        self._columns: dict[str, int] = {}
        lengths, parents, columns = np.full((3, _MOST), NO_NAME, np.int64)
        self._names = Names(np.zeros((_MOST, LONGEST // 8), np.uint64), lengths, parents, columns)

    @property
    def names(self) -> Names:
        """Those that there are."""
        number = len(self._places)
        words, lengths, parents, columns = self._names
        return Names(words[:number], lengths[:number], parents[:number], columns[:number])

    def learn(self, lines: Iterable[str]) -> bool:
        """Learn the names in some lines; whether there was one to be learned."""
        before = len(self._places)
        for path in itertools.chain.from_iterable(map(structure, lines)):
            if path not in self._places and len(self._places) < _MOST:
                self._add(path)
        return len(self._places) > before

    def _add(self, path: tuple[str, ...]) -> None:
        content = self._contacts.encoded(path[-1])
        parent = self._places.get(path[:-1], NO_NAME)
        if len(content) > LONGEST or (len(path) > 1 and parent == NO_NAME):
            return
        column = NO_NAME
        if self._contacts.holds_address(name := named(path)):
            column = self._columns.setdefault(name, len(self._columns))
        if column >= COLUMNS:
            return
        number = self._places[path] = len(self._places)
        self._names.words[number] = np.frombuffer(content.ljust(LONGEST, b"\0"), "<u8")
        self._names.lengths[number] = len(content)
        self._names.parents[number] = parent
        self._names.columns[number] = column


class Sieve(Cutter):
    """One pass over one file of JSON lines."""

    _contacts: JsonLinesFile

    def __init__(self, contacts: JsonLinesFile, glance: Glance, *, block: int) -> None:
        super().__init__(contacts, block=block)
        self._glance = glance
        self._vocabulary = Vocabulary(contacts)
        batches = contacts.batches()
        self._vocabulary.learn(row.text for row in next(batches, [])[:SAMPLE])

    def start(self) -> tuple[int, int]:
        """Where the first line starts, and that none stands before it."""
        return len(self._contacts.encoding.mark), 0

    def cut(self, content: bytes, *, last: bool) -> Block:
        """The whole lines at the start of `content`."""
        size = content.rfind(b"\n") + 1
        found = self._learned(content, size)
        known = self._glance.at(found.cells).known
        doubted, worth = found.rows[:, 2] <= 0, np.zeros(len(found.rows), bool)
        doubted[found.owners[known == DOUBTED]] = True
        worth[found.owners[known == NOBODYS]] = True
        numbers = np.flatnonzero(doubted)
        spans = found.rows[numbers, :2].tolist()
        clear, invalid = len(doubted) - len(numbers), int(np.count_nonzero(~(doubted | worth)))
        block = Block(content if last else content[:size], len(doubted), clear, invalid)
        for number, (start, stop) in zip(numbers.tolist(), spans, strict=True):
            block.rows.append(self._contacts.record(number + 1, self._text(content, start, stop)))
            block.spans.append((start, stop))
        if last and size < len(content):
            self._rest(block, size)
        return block

    def _rest(self, block: Block, start: int) -> None:
        """Lines behind the last line feed of the file."""
        for text in physical(self._text(block.content, start, len(block.content))):
            stop = start + len(self._contacts.encoded(text))
            block.lines += 1
            block.rows.append(self._contacts.record(block.lines, text))
            block.spans.append((start, stop))
            start = stop

    def _text(self, content: bytes, start: int, stop: int) -> str:
        return content[start:stop].decode(self._contacts.encoding.codec, self._contacts.encoding.errors)

    def _learned(self, content: bytes, size: int) -> Lines:
        """The lines, with as many names known as can be learned from them."""
        for _ in range(_TRIES):
            found = scan(content, size, self._vocabulary.names, sound=self._contacts.encoding.sound)
            strange = found.rows[found.rows[:, 2] == UNKNOWN][:SAMPLE, :2].tolist()
            if not self._vocabulary.learn(self._text(content, start, stop) for start, stop in strange):
                break
        return found
