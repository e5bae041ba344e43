"""Go on from a backup that was put back: say so in the ledger, and erase again whom it brought back.

An append is refused while the high-water mark, which lies outside the database, is ahead of it: two histories
under one key are what a fork is. Where the newer copy is lost there is no way around one, and this makes it
an open one. In one transaction:

1. The whole ledger is verified. Nothing is signed over damage.
2. A `restored` entry says how far the backup reached, and how far the history that is lost had been signed.
3. Everybody who was erased or forgotten since (`erasures`) is so again, under the id of the first record.
   Erased people who are not in the backup at all are added with the entries that suppress them, so that
   neither their opt-out is lost nor the next sync brings back their address.

Then the mark is put at the new head, and the note that it held is kept beside it as `highwater.SIZE`.

Whoever holds a checkpoint of the lost history will rightly be told by `verify` that it does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine

from suppress.core.checkpoint import BadNote, Checkpoint, Note
from suppress.core.entry import Erased, Forgotten, IndexKeyRotated, Restored
from suppress.errors import BadUsage, ConfigWrong, LedgerDamaged, StorageFailed
from suppress.ledger import erasures, projections, scrubbing, tables
from suppress.ledger.appending import Plain, append
from suppress.ledger.engine import insert_rows, writing
from suppress.ledger.erasing import held, take_out
from suppress.ledger.erasures import Gone
from suppress.ledger.heads import Tip, read_tip
from suppress.ledger.inspection import Inspection
from suppress.ledger.keyring import Keyring
from suppress.ledger.keys import Keys, read_highwater, replace_file
from suppress.ledger.place import Place
from suppress.ledger.values import Event


@dataclass(frozen=True, slots=True)
class Restoration:
    """What was done. `seq` is None when the ledger is no older copy, so that there was nothing to do."""

    size: int
    """Entries that the backup had."""
    signed: int
    """Entries of the history that is lost, as far as it is known."""
    seq: int | None = None
    """The `restored` entry."""
    new: bool = False
    """False when an earlier run had recorded it and was killed before it could move the mark."""
    erased: int = 0
    """People who were erased again."""
    forgotten: int = 0

    @property
    def lost(self) -> int:
        """Entries that had been signed and are in no copy any more."""
        return self.signed - self.size


def run(
    engine: Engine,
    place: Place,
    ring: Keyring,
    *,
    anchors: Sequence[str],
    records: Sequence[Path],
    actor: str,
    now: Callable[[], datetime],
) -> Restoration:
    """Go on from a backup. Raises what `Ledger.restored` says."""
    people = [gone for folder in (ring.folder / erasures.FOLDER, *records) for gone in erasures.load(folder)]
    mark = read_highwater(ring.highwater)
    with writing(engine, place) as connection:
        ring.follow(connection)
        tip = read_tip(connection)
        lost = _highest(tip, [mark, *anchors])
        if lost is None:
            return Restoration(tip.size, tip.size)
        _require_whole(connection, ring)
        plan = _Plan(connection, ring, tip.size)
        id_ = f"restored/{lost.size}/{lost.root.hex()}"
        seq = projections.entries_by_id(connection, [id_]).get(id_)
        if seq is None:
            plan.add(Event(id_, Restored(tip.size, tip.tree.root().hex(), lost.size)))
            plan.take_up(people)
            scrubbing.mark(connection, place, always=plan.forgotten > 0)
        receipts, note = append(
            connection,
            [Plain(event) for event in plan.events],
            keys=ring.index,
            actor=actor,
            now=now,
            signer=ring.signer(),
            highwater=None,
        )
        if mark is not None:
            _kept(ring.highwater.with_name(f"{ring.highwater.name}.{_parsed(mark).size}"), mark)
        unclean = scrubbing.is_marked(connection)
    _kept(ring.highwater, note)
    if unclean:
        scrubbing.write_anew(engine, place)
    if seq is not None:
        return Restoration(seq, lost.size, seq)
    return Restoration(tip.size, lost.size, receipts[0].seq, True, plan.erased, plan.forgotten)


def _highest(tip: Tip, notes: Sequence[str | None]) -> Checkpoint | None:
    """The largest head known to have been signed, if it is beyond this ledger.

    Signatures are not looked at: after a rotation of keys the lost history may have been signed with one that
    the backup does not know, and all that is concluded from a note is that something is lost.
    """
    found = [_parsed(note) for note in notes if note is not None]
    if any(each.origin != _parsed(tip.note).origin for each in found):
        raise BadUsage("a checkpoint is of another ledger", remedy="give only checkpoints of this one")
    highest = max(found, key=lambda each: each.size, default=None)
    if highest is None or highest.size < tip.size:
        return None
    if highest.size == tip.size:
        if highest.root == tip.tree.root():
            return None
        raise LedgerDamaged(
            f"another ledger of {tip.size:,} entries was already signed with this key, so that this one is "
            "no older copy of it",
            remedy="put the ledger that belongs to these keys back, or a backup from before they parted",
        )
    return highest


def _parsed(note: str) -> Checkpoint:
    try:
        return Checkpoint.parse(Note.parse(note).text)
    except BadNote as wrong:
        raise LedgerDamaged(f"a signed head cannot be read: {wrong}") from wrong


def _require_whole(connection: Connection, ring: Keyring) -> None:
    bad = Inspection(lambda: nullcontext(connection), ring.chain.keys, index=ring.index).first_bad()
    if bad is not None:
        raise LedgerDamaged(
            f"this copy does not verify, so that nothing is signed over it: {bad.what}",
            remedy="put another backup back: suppress verify says of each whether it is whole",
        )


def _kept(file: Path, note: str) -> None:
    try:
        replace_file(file, note.encode())
    except OSError as refused:
        raise StorageFailed(f"{file} cannot be written: {refused.strerror}") from refused


@dataclass(slots=True)
class _Plan:
    """The entries to append, numbered as they will be, and the rows that go with them."""

    connection: Connection
    ring: Keyring
    size: int
    events: list[Event] = field(default_factory=list)
    erased: int = 0
    forgotten: int = 0

    def add(self, event: Event) -> int:
        """The number that this entry will have."""
        self.events.append(event)
        return self.size + len(self.events) - 1

    def take_up(self, people: Sequence[Gone]) -> None:
        """Erase and forget again."""
        for event in self._index_keys(people):
            self.add(event)
        done: set[str] = set()
        for gone in people:
            if gone.record.id not in done:
                done.add(gone.record.id)
                self._take_up(gone)

    def _index_keys(self, people: Sequence[Gone]) -> Iterator[Event]:
        """The rotations that are lost, and under whose keys somebody is indexed."""
        recorded = self.ring.history.index
        needed = {gone.index[0] for gone in people if gone.index is not None} - recorded.keys()
        there = {key.id: key for key in Keys.load(self.ring.folder).index}
        if not needed <= there.keys():
            raise ConfigWrong(
                f"the keys in {self.ring.folder} lack index key {min(needed - there.keys())}, without which "
                "somebody who was erased cannot be recognised",
                remedy="restore it from your backup",
            )
        for key in (key for id_, key in there.items() if id_ in needed):
            yield Event(f"indexkey.rotated/{key.id}", IndexKeyRotated(key.id, key.commitment))

    def _take_up(self, gone: Gone) -> None:
        ids = [gone.record.id, gone.subject, *(entry.id for entry in gone.entries)]
        there = projections.entries_by_id(self.connection, ids)
        if gone.record.id in there:
            return
        person = there.get(gone.subject)
        forget = isinstance(gone.record.body, Forgotten)
        if person is None and forget:
            return
        seqs: list[int] = []
        if person is not None:
            seqs = held(self.connection, person)
            take_out(self.connection, gone.subject, person, seqs, forget=forget)
        else:
            assert gone.index is not None, "only of the forgotten it is not kept"
            columns = ("id", "key_id", "blind_index", "salt")
            insert_rows(self.connection, tables.subject, columns, [(gone.subject, *gone.index)])
        for entry in gone.entries:
            if entry.id not in there:
                seq = self.add(Event(entry.id, entry.body))
                seqs += [seq] if entry.id != gone.subject else []
        if seqs or forget:
            self._record(gone, seqs)

    def _record(self, gone: Gone, seqs: Sequence[int]) -> None:
        body = gone.record.body
        assert isinstance(body, (Erased, Forgotten))
        for event in erasures.records(body, seqs, gone.record.id):
            self.add(event)
        if isinstance(body, Forgotten):
            self.forgotten += 1
        else:
            self.erased += 1
