"""Verification, the part that reads: is what stands in the tables what was signed? (see `suppress.audit`)

Four passes over one ledger of `size` entries, each in pages and in constant memory:

1. `tree`: every leaf is hashed in order; at each stored or outside checkpoint and at the head the roots
   must agree. From here on every leaf is known to be the one that was signed.
2. `replay`: every leaf is read strictly, times do not go back, references point back, ids are unique;
   payloads open their commitments, and what is missing was erased on record; index rows are exactly those.
3. `people`: every subject row opens the commitment of its entry, and none is missing or too many.
4. `standings`: the entries of each person, folded anew, give exactly the rows that a check consults.

Pass 2 is in `replaying`, 3 and 4 in `people`: of a long ledger, those are done in a process of their own. A
ledger grows while it is verified: pages are short transactions, and
everything is judged as of the head at the start. Should a page look wrong while the head has moved on, all
of it is judged again in one transaction, so that a writer at work never looks like tampering.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TypeAlias

from sqlalchemy import Connection, select

from suppress.core.checkpoint import BadNote, Checkpoint, Key, open_checkpoint
from suppress.core.entry import Restored
from suppress.core.keychain import KeyChain
from suppress.core.merkle import Frontier, leaf_hash
from suppress.errors import LedgerDamaged
from suppress.ledger import guards, people, replaying, shape, tables
from suppress.ledger.beside import LONG, Beside
from suppress.ledger.engine import tuples
from suppress.ledger.heads import Tip, read_tip
from suppress.ledger.keyring import read_history
from suppress.ledger.people import Crowd
from suppress.ledger.sealing import IndexKey, mark
from suppress.ledger.values import AHEAD, FOREIGN, FORKED, HOLDS, Bad

PAGE = 1024
"""Entries in one short transaction: a whole subtree, which is hashed in one go."""

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
class Anchor:
    """An outside checkpoint while it is compared."""

    name: str
    size: int | None = None
    root: bytes = b""
    result: str | None = None


@dataclass(slots=True)
class _Climb:
    """What the pass over the tree knows on its way up."""

    good: int = 0
    """The largest size so far at which some checkpoint fits."""
    good_outside: int = 0
    """The same of those that were kept outside."""
    stored: set[int] = field(default_factory=set)
    forked: Bad | None = None


@dataclass(slots=True)
class Facts:
    """What the passes learn on their way."""

    signed: bool = False
    """Whether the head is signed as it should be; only then its size and root mean something."""
    size: int = 0
    root: bytes = b""
    entries: int = 0
    """Entries whose leaf was read and hashed."""
    erased: int = 0
    """Payloads that were erased on record."""
    restored: list[tuple[int, Restored]] = field(default_factory=list)
    """Where the ledger went on from a backup."""
    subjects: int = 0
    """People who were added and not forgotten."""
    abouts: int = 0
    topics: int = 0
    anchors: list[Anchor] = field(default_factory=list)
    """The outside checkpoints, with what came of each."""


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
    elsewhere: Callable[[int], Crowd] | None = None
    """Makes passes 3 and 4 as of a size, in whatever process it is called; pickled for a long ledger."""
    facts: Facts = field(default_factory=Facts)
    _chain: KeyChain | None = None
    """The signing keys that the entries name; None when those entries cannot be read."""
    _unreadable: Bad | None = None

    def first_bad(self) -> Bad | None:
        """The first thing that is wrong; None when everything is as it was signed."""
        try:
            unsigned = self._head()
            self.facts.signed = unsigned is None
            if unsigned is not None and not self._may_be_ours:
                return unsigned
            with self._looking() as crowd:
                # Where the right key did not sign the head, the entry that was changed says more.
                return (
                    self._tree()
                    or replaying.first_bad(self)
                    or people.first_bad(self, crowd.result())
                    or unsigned
                    or self._unreadable
                )
        except LedgerDamaged as damaged:
            return Bad(None, damaged.message)

    def _looking(self) -> Beside[Crowd]:
        """Passes 3 and 4: begun already in another process, or made here when their turn comes."""
        if self.elsewhere is None or self.facts.size < LONG:
            return Beside(partial(people.looked_at, self), apart=False)
        return Beside(partial(self.elsewhere, self.facts.size), apart=True)

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
            try:
                self._chain = read_history(connection).chain
            except LedgerDamaged as damaged:  # the passes say of an entry more than that it cannot be read
                self._unreadable = Bad(None, damaged.message)
        if problem is not None:
            raise LedgerDamaged(problem)
        self.facts.size, self.facts.root = tip.size, tip.tree.root()
        try:
            signed = self._open(tip.note)
        except BadNote as wrong:
            return Bad(None, f"the head is not signed with the pinned key: {wrong}")
        if (signed.size, signed.root) != (tip.size, tip.tree.root()):
            raise LedgerDamaged("the head row does not match its own signed note")
        if self._chain is not None and not self._may_be_ours:
            return Bad(0, "the ledger was opened with another public key than the pinned one")
        return None

    @property
    def _may_be_ours(self) -> bool:
        """Whether the pinned key is one that the ledger names, as far as it can be read."""
        return self._chain is None or any(key in self._chain.keys for key in self.keys)

    def _open(self, note: str | bytes) -> Checkpoint:
        """A checkpoint of this ledger: signed by the key of its size, if the pinned one leads there."""
        if self._chain is None or not self._may_be_ours:
            return open_checkpoint(note, self.keys)
        return self._chain.open(note)

    # --- The tree --------------------------------------------------------------------------------------

    def _tree(self) -> Bad | None:
        size = self.facts.size
        outside = _by_size(self._opened_outside())
        tree, climb = Frontier(), _Climb()
        for first in range(0, size, PAGE):
            end = min(first + PAGE, size)
            with self.view() as connection:
                leaves = leaves_between(connection, first, end)
                notes = _notes_between(connection, first, end)
            stored = self._stored(notes)
            whole = end if len(leaves) == end - first else min(set(range(first, end)) - leaves.keys())
            hashes = list(map(leaf_hash, islice(leaves.values(), whole - first)))
            marked = {each for each in (*outside, *stored) if first < each <= whole}
            for stop in sorted({*marked, whole}):
                tree.extend(hashes[tree.size - first : stop - first])
                if stop in marked:
                    bad = self._compared(tree, climb, outside.get(stop, ()), stored.get(stop))
                    if bad is not None:
                        return bad
            if whole < end:
                return Bad(whole, f"entry {whole} is missing")
            self.facts.entries = end
            self.progress("tree", end, size)
        if tree.root() != self.facts.root:
            return climb.forked or self._changed(climb.good, size, "the head")
        return climb.forked or self._handed_over(climb) or self._ahead() or self._beyond()

    def _compared(
        self, tree: Frontier, climb: _Climb, outside: Sequence[Anchor], stored: Checkpoint | None
    ) -> Bad | None:
        """Hold the tree so far against the checkpoints of its size. A fork is remembered, not yet final."""
        root, size = tree.root(), tree.size
        for anchor in outside:
            anchor.result = HOLDS if anchor.root == root else FORKED
            if anchor.result == HOLDS:
                climb.good_outside = size
            elif climb.forked is None:
                # What is stored inside may be as forged as the entries; what was kept outside is a bound.
                bad = self._changed(climb.good_outside, size, anchor.name)
                if bad.seq is not None:
                    return bad
                climb.forked = Bad(
                    None,
                    f"{anchor.name} does not fit: the ledger was forked or written anew, and signed, "
                    f"within its first {size} entries",
                    (climb.good_outside, size),
                )
        if stored is not None:
            climb.stored.add(size)
            if stored.root != root:
                name = f"the stored checkpoint of size {size}"
                return climb.forked or self._changed(climb.good, size, name)
        climb.good = size
        return None

    def _opened_outside(self) -> list[Anchor]:
        for each in self.outside:
            anchor = Anchor(each.name)
            self.facts.anchors.append(anchor)
            try:
                checkpoint = self._open(each.note)
            except BadNote as wrong:
                if self._chain is None:
                    continue
                anchor.result = FOREIGN
                raise LedgerDamaged(
                    f"{each.name} is not signed with the pinned key: {wrong}; it is of another ledger, "
                    "or this one is a copy from before its key was changed"
                ) from wrong
            anchor.size, anchor.root = checkpoint.size, checkpoint.root
            if checkpoint.size > self.facts.size:
                anchor.result = AHEAD
            elif checkpoint.size == 0:
                anchor.result = HOLDS
        return self.facts.anchors

    def _ahead(self) -> Bad | None:
        """The ledger is shorter than something that was signed."""
        ahead = [anchor for anchor in self.facts.anchors if anchor.result == AHEAD]
        for anchor in sorted(ahead, key=lambda each: each.size or 0):
            return Bad(
                self.facts.size,
                f"{anchor.name} covers {anchor.size} entries and the ledger has {self.facts.size}: "
                "it was cut short, or an older copy was put back",
            )
        return None

    def _handed_over(self, climb: _Climb) -> Bad | None:
        """A rotation of the signing key without the checkpoint in which the old key signed it."""
        for size in self._chain.handovers if self._chain is not None else ():
            if size not in climb.stored:
                return Bad(
                    size - 1, f"entry {size - 1} rotates the key, and no checkpoint of the old key has it"
                )
        return None

    def _stored(self, notes: dict[int, bytes]) -> dict[int, Checkpoint]:
        found = {}
        for size, note in notes.items():
            try:
                checkpoint = self._open(note)
            except BadNote as wrong:
                if self._chain is None:
                    continue
                raise LedgerDamaged(
                    f"the stored checkpoint of size {size} is not signed with the pinned key: {wrong}"
                ) from wrong
            if checkpoint.size != size:
                raise LedgerDamaged(f"the stored checkpoint of size {size} is one of size {checkpoint.size}")
            found[size] = checkpoint
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
                (tables.standing, tables.standing.c.person),
                (tables.lift, tables.lift.c.person),
                (tables.alias, tables.alias.c.person),
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
        leaves = leaves_between(connection, first, min(first + PAGE, tip.size))
        tree.extend(list(map(leaf_hash, leaves.values())))
    if (tree.size, tree.root()) != (tip.size, tip.tree.root()):
        raise LedgerDamaged("the leaves do not have the root that the head names")


def guard_problem(connection: Connection) -> str | None:
    """Why the append-only guards, or the tables under them, are not exactly ours; None when they are."""
    if connection.dialect.name == "postgresql":
        return guards.problem(connection)
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
    found: dict[str, str] = {row[0]: row[1] for row in rows}
    for name, sql in tables.GUARDS.items():
        if name not in found:
            return f"the guard {name} is missing"
        if found.pop(name) != sql:
            return f"the guard {name} was changed"
    for name in found:
        return f"there is a trigger that is not ours: {name}"
    return shape.problem(connection)


def leaves_between(connection: Connection, first: int, end: int) -> dict[int, bytes]:
    """The leaves from `first` up to, not including, `end`. Raises `LedgerDamaged`."""
    found: dict[int, bytes] = dict(
        tuples(connection, "SELECT seq, leaf FROM ledger WHERE seq >= ? AND seq < ? ORDER BY seq", first, end)
    )
    for seq, leaf in found.items():
        if type(leaf) is not bytes:
            blob(leaf, f"entry {seq}")
    return found


def blob(value: object, what: str) -> bytes:
    """`value`, which the schema says is bytes. Raises `LedgerDamaged`: a changed file may say otherwise."""
    if type(value) is not bytes:
        raise LedgerDamaged(f"{what} is not kept as bytes")
    return value


def _by_size(anchors: Iterable[Anchor]) -> dict[int, list[Anchor]]:
    found: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        if anchor.size is not None:
            found.setdefault(anchor.size, []).append(anchor)
    return found


def _notes_between(connection: Connection, first: int, end: int) -> dict[int, bytes]:
    size = tables.checkpoint.c.size
    rows = connection.execute(
        select(size, tables.checkpoint.c.note).where(size > first, size <= end).order_by(size)
    )
    return {size: blob(note, f"the stored checkpoint of size {size}") for size, note in rows}


def _marks(connection: Connection, first: int, end: int) -> Iterator[tuple[int, int, int | None]]:
    """For each entry: the mark of the leaf that is there, and the mark that was kept when it was signed."""
    question = (
        select(tables.ledger.c.seq, tables.ledger.c.leaf, tables.event.c.mark)
        .outerjoin(tables.event, tables.event.c.seq == tables.ledger.c.seq)
        .where(tables.ledger.c.seq >= first, tables.ledger.c.seq < end)
        .order_by(tables.ledger.c.seq)
        .execution_options(yield_per=PAGE)
    )
    with connection.execute(question) as rows:
        for seq, leaf, marked in rows:
            yield seq, mark(leaf_hash(blob(leaf, f"entry {seq}"))), marked
