"""What the ledger shows to somebody outside: exact leaves, and the openings of their commitments.

`Exhibit` is the ledger as of one head, for `suppress.bundle`. Entries below that head never change; payloads
and subject rows may be erased while it is read, and are then not shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, select

from suppress.core.checkpoint import BadNote
from suppress.core.keychain import KeyChain
from suppress.errors import LedgerDamaged
from suppress.ledger import projections, tables
from suppress.ledger.engine import reading
from suppress.ledger.heads import read_tip
from suppress.ledger.keyring import read_history
from suppress.ledger.place import Place
from suppress.ledger.projections import chunks
from suppress.ledger.values import Head

PAGE = 256
"""Leaves read at a time: as many as one tile of a C2SP tlog-tiles log covers."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a leaf's commitment commits to: opens `pii` with a payload, or `sid` with a blind index."""

    salt: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class SubjectOpening:
    """What a `subject.added` commits to."""

    subject: str
    key_id: str
    blind_index: bytes
    salt: bytes


class Exhibit:
    """The ledger as of `head`."""

    def __init__(self, engine: Engine, place: Place) -> None:
        self._engine = engine
        self._place = place
        with reading(engine, place) as connection:
            self.head: Head = read_tip(connection).head
            history = read_history(connection)
        self.chain: KeyChain = history.chain
        """The signing keys, first to current, all of them recorded below the head."""
        try:
            signed = self.chain.open(self.head.note)
        except BadNote as wrong:
            raise LedgerDamaged(f"the ledger's head is not signed with its key: {wrong}") from wrong
        if (signed.size, signed.root) != (self.head.size, self.head.root):
            raise LedgerDamaged("the ledger's head does not match its own signed note")

    def leaves(self) -> Iterator[list[bytes]]:
        """Every leaf, in pages of `PAGE` but for the last, in constant memory. Raises `LedgerDamaged`."""
        leaf, seq = tables.ledger.c.leaf, tables.ledger.c.seq
        for first in range(0, self.head.size, PAGE):
            end = min(first + PAGE, self.head.size)
            with reading(self._engine, self._place) as connection:
                page = (
                    connection.execute(select(leaf).where(seq >= first, seq < end).order_by(seq))
                    .scalars()
                    .all()
                )
            if len(page) != end - first or any(type(each) is not bytes for each in page):
                raise LedgerDamaged(f"between entries {first} and {end - 1} one is missing, or is not bytes")
            yield list(page)

    def leaves_at(self, seqs: Iterable[int]) -> dict[int, bytes]:
        """The leaves of these entries."""
        found: dict[int, bytes] = {}
        column = tables.ledger.c
        with reading(self._engine, self._place) as connection:
            for chunk in chunks(seqs):
                rows = connection.execute(select(column.seq, column.leaf).where(column.seq.in_(chunk)))
                found.update((seq, _bytes(leaf, f"entry {seq}")) for seq, leaf in rows)
        return found

    def openings(self, seqs: Sequence[int]) -> dict[int, Opening]:
        """The payloads of these entries, as far as there are any."""
        found: dict[int, Opening] = {}
        column = tables.payload.c
        with reading(self._engine, self._place) as connection:
            for chunk in chunks(seqs):
                rows = connection.execute(
                    select(column.seq, column.salt, column.body).where(column.seq.in_(chunk))
                )
                for seq, salt, body in rows:
                    what = f"the payload of entry {seq}"
                    found[seq] = Opening(_bytes(salt, what), _bytes(body, what))
        return found

    def subjects(self, ids: Iterable[str]) -> dict[str, SubjectOpening]:
        """The rows of these people, as far as they were not forgotten. They are found by reading all rows."""
        found: dict[str, SubjectOpening] = {}
        column = tables.subject.c
        with reading(self._engine, self._place) as connection:
            for chunk in chunks(ids):
                rows = connection.execute(
                    select(column.id, column.key_id, column.blind_index, column.salt).where(
                        column.id.in_(chunk)
                    )
                )
                for id_, key_id, index, salt in rows:
                    what = f"the row of subject {id_}"
                    found[id_] = SubjectOpening(id_, key_id, _bytes(index, what), _bytes(salt, what))
        return found

    def about(self, type_: str, name: str) -> list[int]:
        """The entries of a type about a name, oldest first: the erasures of a person."""
        with reading(self._engine, self._place) as connection:
            return [
                seq for seq in reversed(projections.topics(connection, type_, name)) if seq < self.head.size
            ]

    def checkpoint(self, size: int) -> str | None:
        """The stored note of a checkpoint of this size."""
        with reading(self._engine, self._place) as connection:
            note = connection.execute(
                select(tables.checkpoint.c.note).where(tables.checkpoint.c.size == size)
            ).scalar_one_or_none()
        return None if note is None else _bytes(note, "a stored checkpoint").decode(errors="replace")


def _bytes(value: object, what: str) -> bytes:
    """A changed file may hold values of any type."""
    if type(value) is not bytes:
        raise LedgerDamaged(f"{what} is not kept as bytes")
    return value
