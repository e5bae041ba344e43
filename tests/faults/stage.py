"""The ledger that every attack is tried on: something of everything, and what its auditor has kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from suppress.audit import Verification, verify
from suppress.core.address import Address
from suppress.core.entry import Corrected
from suppress.core.leaf import decode, encode
from suppress.core.merkle import Frontier, leaf_hash
from suppress.core.suppression import Reason
from suppress.ledger import Event, Grounds, Keys, Ledger
from suppress.ledger.heads import Signer
from suppress.ledger.keyring import Keyring
from suppress.ledger.rebuilding import rebuild
from tests.faults.grip import Grip, grip_on
from tests.ledger.making import NOON, Place, consent, drift, opt_out, sync_done

PAT, SAM = 2, 4
"""The opt-outs of two people, in entries that a stored checkpoint covers."""
STORED = 6
"""The size of that checkpoint, which the first key signed; entry 6 hands over to the second."""
KIM = 10
"""An opt-out that only the second key has signed."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A ledger, the hand on its database, and what lies around it."""

    grip: Grip

    @property
    def place(self) -> Place:
        return self.grip.place

    # --- What the auditor has ----------------------------------------------------------------------------

    @property
    def vkey(self) -> str:
        """The public key, as it was given to the auditor when the ledger was opened."""
        return (self.place.folder / "pinned.vkey").read_text()

    @property
    def old_anchor(self) -> Path:
        """A checkpoint from when `old` was copied."""
        return self.place.folder / "old.note"

    @property
    def anchor(self) -> Path:
        """A checkpoint of the ledger as it was before the attack, newer than anything attacked."""
        return self.place.folder / "new.note"

    def verified(self, *anchors: Path) -> Verification:
        """What the auditor finds."""
        return verify(self.place.url, keys=self.place.keys, vkeys=[self.vkey], anchors=anchors)

    # --- What the operator has ---------------------------------------------------------------------------

    @property
    def old(self) -> Path:
        """The database from a while ago; its high-water mark is beside it."""
        return self.place.folder / "old.db"

    @property
    def stolen(self) -> Path:
        """The keys folder with the signing key that was retired."""
        return self.place.folder / "stolen.keys"

    @property
    def forgotten_subject(self) -> Path:
        """Key id, blind index and salt of the person of entry 13, from before they were forgotten."""
        return self.place.folder / "forgotten.subject"

    @property
    def erased_payload(self) -> Path:
        """Salt and body of entry 12, from before they were erased."""
        return self.place.folder / "erased.payload"

    @property
    def highwater(self) -> Path:
        return self.place.keys / "highwater"

    def run(self, *statements: str, **values: Any) -> None:
        """Change rows, in spite of the guards."""
        with self.grip.meddling() as connection:
            for statement in statements:
                connection.execute(text(statement).bindparams(**_named(statement, values)))

    def ask(self, statement: str, **values: Any) -> Sequence[Any]:
        """The rows of a question."""
        with self.grip.meddling() as connection:
            return connection.execute(text(statement).bindparams(**values)).all()

    def leaf(self, seq: int) -> bytes:
        ((leaf,),) = self.ask("SELECT leaf FROM ledger WHERE seq = :seq", seq=seq)
        return bytes(leaf)

    def forged(self, seq: int, *, at: datetime | None = None, **changes: Any) -> bytes:
        """A well-formed leaf that says something else than entry `seq`."""
        entry = decode(seq, self.leaf(seq))
        body = replace(entry.body, **changes)
        return encode(id_=entry.id, at=at or entry.at, actor=entry.actor, body=body)

    def put(self, seq: int, leaf: bytes) -> None:
        self.run("UPDATE ledger SET leaf = :leaf WHERE seq = :seq", seq=seq, leaf=leaf)

    def size(self) -> int:
        with self.place.open(read_only=True) as ledger:
            return ledger.head().size

    def signed_anew(self, *, keys: Path | None = None) -> None:
        """With the signing key: every table made to fit the leaves, one head over them, no trace inside."""
        with self.grip.meddling() as connection:
            loaded = Keys.load(self.place.keys)
            signer = Keyring.of(connection, loaded).signer() if keys is None else Signer.of(Keys.load(keys))
            tree = _tree(connection)
            self._head(connection, tree, signer.sign(tree).encode())
            connection.execute(text("DELETE FROM checkpoint WHERE size > :size"), {"size": STORED})
            handover = self.place.folder / "handover.note"
            connection.execute(
                text("INSERT INTO checkpoint VALUES (:size, :note)"),
                {"size": int(handover.read_text().split("\n")[1]), "note": handover.read_bytes()},
            )
            rebuild(connection, loaded)
        self.highwater.unlink(missing_ok=True)

    @staticmethod
    def _head(connection: Connection, tree: Frontier, note: bytes) -> None:
        leaf = connection.execute(text("SELECT leaf FROM ledger ORDER BY seq DESC LIMIT 1")).scalar_one()
        last = decode(tree.size - 1, bytes(leaf))
        at = last.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        connection.execute(
            text("UPDATE head SET size = :size, frontier = :frontier, last_at = :at, note = :note"),
            {"size": tree.size, "frontier": b"".join(tree.hashes), "at": at, "note": note},
        )

    def cut_back(self, size: int, note: bytes) -> None:
        """Make the ledger end at `size` under a note that was signed then: every table is made to fit."""
        with self.grip.meddling() as connection:
            for statement in (
                "DELETE FROM payload WHERE seq >= :size",
                "DELETE FROM subject WHERE id IN (SELECT id FROM event WHERE seq >= :size)",
                "DELETE FROM checkpoint WHERE size > :size",
                "DELETE FROM ledger WHERE seq >= :size",
            ):
                connection.execute(text(statement), {"size": size})
            self._head(connection, _tree(connection), note)
            rebuild(connection, Keys.load(self.place.keys))

    @contextmanager
    def ledger(self, **options: Any) -> Iterator[Ledger]:
        with self.place.open(**options) as ledger:
            yield ledger


def _tree(connection: Connection) -> Frontier:
    tree = Frontier()
    for (leaf,) in connection.execute(text("SELECT leaf FROM ledger ORDER BY seq")):
        tree.push(leaf_hash(bytes(leaf)))
    return tree


def _named(statement: str, values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if f":{name}" in statement}


def set_up(place: Place) -> Stage:
    """A ledger in a folder of its own, with old copy, stolen key and kept checkpoints around it."""
    stage = Stage(grip_on(place.create()))
    shutil.copy(place.keys / "log.vkey", place.folder / "pinned.vkey")
    place.record(
        opt_out("pat@example.com", evidence={"note": "please stop"}),
        opt_out("s.am@gmail.com", reason=Reason.COMPLAINT),
        sync_done("run-1"),
    )
    with place.open() as ledger:
        ledger.keep_checkpoint()
        shutil.copytree(place.keys, stage.stolen)
        ledger.rotate_signing_key(actor="test")
        (place.folder / "handover.note").write_text(ledger.head().note)
    place.record(
        drift("s.am@gmail.com"),
        consent("kim@example.com", at=NOON),
        opt_out("kim@example.com"),
        opt_out("gone@example.com", evidence={"note": "erase me"}),
        opt_out("forgotten@example.com"),
        Event("mistake", Corrected(SAM, "not a complaint")),
    )
    ((key_id, index, salt),) = stage.ask(
        "SELECT key_id, blind_index, salt FROM subject WHERE id IN (SELECT id FROM event WHERE seq = 13)"
    )
    stage.forgotten_subject.write_text(f"{key_id} {bytes(index).hex()} {bytes(salt).hex()}")
    ((salt, body),) = stage.ask("SELECT salt, body FROM payload WHERE seq = 12")
    stage.erased_payload.write_text(f"{bytes(salt).hex()} {bytes(body).hex()}")
    with place.open() as ledger:
        for address, remove in (("gone@example.com", ledger.erase), ("forgotten@example.com", ledger.forget)):
            who = Address.parse(address)
            seen = [each.entry.seq for each in ledger.history(who)]
            remove(who, Grounds("Art. 17 GDPR"), seen=seen, actor="test")
    stage.grip.copied(stage.old)
    shutil.copy(stage.highwater, place.folder / "old.highwater")
    _anchored(place, stage.old_anchor)
    place.record(opt_out("lee@example.com"), opt_out("s.am@gmail.com", facts=("again",)), sync_done("run-2"))
    _anchored(place, stage.anchor)
    return stage


def _anchored(place: Place, target: Path) -> None:
    with place.open(read_only=True) as ledger:
        target.write_text(ledger.head().note)


def copied(stage: Stage, folder: Path) -> Stage:
    """The same stage elsewhere. Of files: a server's database is not copied along."""
    shutil.copytree(stage.place.folder, folder)
    return Stage(grip_on(Place(folder)))
