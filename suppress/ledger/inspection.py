"""Verification, the part that reads: is what stands in the tables what was signed? (see `suppress.audit`)

Four passes over one ledger of `size` entries, each in pages and in constant memory:

1. `tree`: every leaf is hashed in order; at each stored or outside checkpoint and at the head the roots
   must agree. From here on every leaf is known to be the one that was signed.
2. `replay`: every leaf is read strictly, times do not go back, references point back, ids are unique;
   payloads open their commitments, and what is missing was erased on record; index rows are exactly those.
3. `people`: every subject row opens the commitment of its entry, and none is missing or too many.
4. `standings`: the entries of each person, folded anew, give exactly the rows that a check consults.

Passes 2 to 4 are in `replaying`. A ledger grows while it is verified: pages are short transactions, and
everything is judged as of the head at the start. Should a page look wrong while the head has moved on, all
of it is judged again in one transaction, so that a writer at work never looks like tampering.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlalchemy import Connection, select

from suppress.core.checkpoint import BadNote, Checkpoint, Key, open_checkpoint
from suppress.core.merkle import Frontier, leaf_hash
from suppress.errors import LedgerDamaged
from suppress.ledger import replaying, tables
from suppress.ledger.heads import Tip, read_tip
from suppress.ledger.sealing import IndexKey, mark
from suppress.ledger.values import Bad

PAGE = 1000
"""Entries in one short transaction."""

View: TypeAlias = Callable[[], AbstractContextManager[Connection]]
"""Gives a connection inside a read transaction, for one page."""
Progress: TypeAlias = Callable[[str, int, int | None], None]
"""Called with (pass, entries or rows done, how many there are)."""


@dataclass(frozen=True, slots=True)
class Outside:
    """A checkpoint kept outside the database: an anchor, or the high-water mark."""

    name: str
    note: str


@dataclass(slots=True)
class Facts:
    """What the passes learn on their way."""

    size: int = 0
    root: bytes = b""
    entries: int = 0
    """Entries whose leaf was read and hashed."""
    erased: int = 0
    """Payloads that were erased on record."""
    subjects: int = 0
    """People who were added and not forgotten."""
    abouts: int = 0
    topics: int = 0


@dataclass(slots=True)
class Inspection:
    """One ledger under verification."""

    view: View
    keys: Sequence[Key]
    """Public keys pinned by whoever verifies."""
    outside: Sequence[Outside] = ()
    index: Sequence[IndexKey] = ()
    """Index keys, where there are any: they let indexes be held against addresses."""
    progress: Progress = lambda _step, _done, _total: None
    facts: Facts = field(default_factory=Facts)

    def first_bad(self) -> Bad | None:
        """The first thing that is wrong; None when everything is as it was signed."""
        try:
            return self._head() or self._tree() or replaying.first_bad(self)
        except LedgerDamaged as damaged:
            return Bad(None, damaged.message)

    def moved(self) -> bool:
        """Whether the ledger has grown since the inspection began."""
        try:
            with self.view() as connection:
                return read_tip(connection).size != self.facts.size
        except LedgerDamaged:
            return False

    # --- The head --------------------------------------------------------------------------------------

    def _head(self) -> Bad | None:
        with self.view() as connection:
            problem = guard_problem(connection)
            tip = read_tip(connection)
        if problem is not None:
            return Bad(None, problem)
        try:
            signed = open_checkpoint(tip.note, self.keys)
        except BadNote as wrong:
            return Bad(None, f"the head is not signed with the pinned key: {wrong}")
        if (signed.size, signed.root) != (tip.size, tip.tree.root()):
            return Bad(None, "the head row does not match its own signed note")
        self.facts.size, self.facts.root = signed.size, signed.root
        return None

    # --- The tree --------------------------------------------------------------------------------------

    def _tree(self) -> Bad | None:
        size = self.facts.size
        outside = self._opened_outside()
        if isinstance(outside, Bad):
            return outside
        tree, good = Frontier(), 0
        for first in range(0, size, PAGE):
            end = min(first + PAGE, size)
            with self.view() as connection:
                leaves = leaves_between(connection, first, end)
                notes = _notes_between(connection, first, end)
            expected = _by_size([*self._checkpoints(notes), *outside])
            for seq in range(first, end):
                if seq not in leaves:
                    return Bad(seq, f"entry {seq} is missing")
                tree.push(leaf_hash(leaves[seq]))
                for name, checkpoint in expected.get(tree.size, ()):
                    if checkpoint.root != tree.root():
                        return self._changed(good, tree.size, name)
                    good = tree.size
            self.facts.entries = end
            self.progress("tree", end, size)
        if tree.root() != self.facts.root:
            return self._changed(good, size, "the head")
        return self._beyond()

    def _opened_outside(self) -> list[tuple[str, Checkpoint]] | Bad:
        found = []
        for each in self.outside:
            try:
                checkpoint = open_checkpoint(each.note, self.keys)
            except BadNote as wrong:
                return Bad(None, f"{each.name} is not signed with the pinned key: {wrong}")
            if checkpoint.size > self.facts.size:
                return Bad(
                    self.facts.size,
                    f"{each.name} covers {checkpoint.size} entries and the ledger has {self.facts.size}: "
                    "it was cut short, or an older copy was put back",
                )
            found.append((each.name, checkpoint))
        return found

    def _checkpoints(self, notes: dict[int, bytes]) -> list[tuple[str, Checkpoint]]:
        found = []
        for size, note in notes.items():
            try:
                checkpoint = open_checkpoint(note, self.keys)
            except BadNote as wrong:
                raise LedgerDamaged(
                    f"the stored checkpoint of size {size} is not signed with the pinned key: {wrong}"
                ) from wrong
            if checkpoint.size != size:
                raise LedgerDamaged(f"the stored checkpoint of size {size} is one of size {checkpoint.size}")
            found.append((f"the stored checkpoint of size {size}", checkpoint))
        return found

    def _changed(self, good: int, size: int, name: str) -> Bad:
        """Which entry below `size` is not the one that was signed, as far as the marks can tell."""
        with self.view() as connection:
            for seq, stored, marked in _marks(connection, good, size):
                if stored != marked:
                    return Bad(seq, f"entry {seq} is not the one that was signed", (good, size))
        return Bad(None, f"entries {good} to {size - 1} do not have the root that {name} names", (good, size))

    def _beyond(self) -> Bad | None:
        """Rows past the head, which nothing has signed."""
        with self.view() as connection:
            if read_tip(connection).size != self.facts.size:
                return None  # a writer was at work: they are signed by a newer head
            for table, column in (
                (tables.ledger, tables.ledger.c.seq),
                (tables.payload, tables.payload.c.seq),
                (tables.event, tables.event.c.seq),
                (tables.about, tables.about.c.seq),
                (tables.topic, tables.topic.c.seq),
            ):
                stray = connection.execute(
                    select(column).where((column >= self.facts.size) | (column < 0)).limit(1)
                ).scalar_one_or_none()
                if stray is not None:
                    return Bad(stray, f"table {table.name} has a row for entry {stray}, which nothing signed")
            size = tables.checkpoint.c.size
            stray = connection.execute(
                select(size).where((size > self.facts.size) | (size < 1)).limit(1)
            ).scalar_one_or_none()
        if stray is not None:
            return Bad(None, f"there is a checkpoint of size {stray}, and the ledger has {self.facts.size}")
        return None


def require_whole(connection: Connection) -> None:
    """Raises `LedgerDamaged` unless the guards stand and the leaves have the head's root."""
    problem = guard_problem(connection)
    if problem is not None:
        raise LedgerDamaged(problem)
    tip: Tip = read_tip(connection)
    tree = Frontier()
    for first in range(0, tip.size, PAGE):
        for leaf in leaves_between(connection, first, min(first + PAGE, tip.size)).values():
            tree.push(leaf_hash(leaf))
    if (tree.size, tree.root()) != (tip.size, tip.tree.root()):
        raise LedgerDamaged("the leaves do not have the root that the head names")


def guard_problem(connection: Connection) -> str | None:
    """Why the append-only guards are not exactly ours; None when they are."""
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
    found: dict[str, str] = {row[0]: row[1] for row in rows}
    for name, sql in tables.GUARDS.items():
        if name not in found:
            return f"the guard {name} is missing"
        if found.pop(name) != sql:
            return f"the guard {name} was changed"
    for name in found:
        return f"there is a trigger that is not ours: {name}"
    return None


def leaves_between(connection: Connection, first: int, end: int) -> dict[int, bytes]:
    """The leaves from `first` up to, not including, `end`. Raises `LedgerDamaged`."""
    rows = connection.execute(
        select(tables.ledger.c.seq, tables.ledger.c.leaf)
        .where(tables.ledger.c.seq >= first, tables.ledger.c.seq < end)
        .order_by(tables.ledger.c.seq)
    )
    return {seq: blob(leaf, f"entry {seq}") for seq, leaf in rows}


def blob(value: object, what: str) -> bytes:
    """`value`, which the schema says is bytes. Raises `LedgerDamaged`: a changed file may say otherwise."""
    if type(value) is not bytes:
        raise LedgerDamaged(f"{what} is not kept as bytes")
    return value


def _by_size(named: Iterable[tuple[str, Checkpoint]]) -> dict[int, list[tuple[str, Checkpoint]]]:
    found: dict[int, list[tuple[str, Checkpoint]]] = {}
    for name, checkpoint in named:
        found.setdefault(checkpoint.size, []).append((name, checkpoint))
    return found


def _notes_between(connection: Connection, first: int, end: int) -> dict[int, bytes]:
    size = tables.checkpoint.c.size
    rows = connection.execute(
        select(size, tables.checkpoint.c.note).where(size > first, size <= end).order_by(size)
    )
    return {size: blob(note, f"the stored checkpoint of size {size}") for size, note in rows}


def _marks(connection: Connection, first: int, end: int) -> Iterator[tuple[int, int, int | None]]:
    """For each entry: the mark of the leaf that is there, and the mark that was kept when it was signed."""
    rows = connection.execute(
        select(tables.ledger.c.seq, tables.ledger.c.leaf, tables.event.c.mark)
        .outerjoin(tables.event, tables.event.c.seq == tables.ledger.c.seq)
        .where(tables.ledger.c.seq >= first, tables.ledger.c.seq < end)
        .order_by(tables.ledger.c.seq)
    )
    for seq, leaf, marked in rows:
        yield seq, mark(leaf_hash(blob(leaf, f"entry {seq}"))), marked
