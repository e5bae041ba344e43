"""Bundles made by somebody who has a signing key and signs whatever they like."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from suppress.bundle import layout
from suppress.bundle.layout import Payload
from suppress.bundle.whole import Page, Tiles
from suppress.core.checkpoint import Checkpoint, Key, Note
from suppress.core.entry import Body
from suppress.core.harvest import Harvest
from suppress.core.leaf import encode
from suppress.core.merkle import Frontier, leaf_hash
from suppress.ledger.keys import public_pem
from tests.bundle.books import summed

AT = datetime(2026, 3, 1, tzinfo=UTC)
NAME = "suppress/forged"


@dataclass(frozen=True, slots=True)
class Forger:
    """A key, and what it signs."""

    private: Ed25519PrivateKey

    @classmethod
    def new(cls) -> Forger:
        return cls(Ed25519PrivateKey.generate())

    @property
    def key(self) -> Key:
        return Key(NAME, self.private.public_key().public_bytes_raw())

    def signs(self, leaves: Sequence[bytes], *others: Forger) -> str:
        """The checkpoint of a tree over these leaves, perhaps signed by others too."""
        tree = Frontier()
        for leaf in leaves:
            tree.push(leaf_hash(leaf))
        checkpoint = Checkpoint(NAME, tree.size, tree.root())
        notes = [Note.parse(checkpoint.signed(each.key, each.private.sign)) for each in (self, *others)]
        return str(Note(checkpoint.text, tuple(line for note in notes for line in note.signatures)))


def leaf(number: int, body: Body) -> bytes:
    """The leaf of an entry, each a second after the one before."""
    return encode(id_=f"{number:032x}", at=AT.replace(second=number), actor="forger", body=body)


def forged(
    folder: Path,
    leaves: Sequence[bytes],
    note: str,
    key: Key,
    payloads: Sequence[Payload] | None = None,
) -> Path:
    """A bundle that holds all these entries, in every other way as it should be."""
    folder.mkdir()
    checkpoint = Checkpoint.parse(Note.parse(note).text)
    facts: dict[str, object] = {
        "schema": layout.SCHEMA,
        "grade": "whole" if payloads is None else "open",
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "checkpoint": note,
        "entries": None,
        "openings": len(payloads or ()),
        "erased": [],
        "previous": None,
    }
    files = {
        layout.CHECKPOINT: note.encode(),
        layout.MANIFEST: json.dumps(facts).encode(),
        layout.ENTRIES: b"".join(each + b"\n" for each in leaves),
        layout.VKEY: f"{key}\n".encode(),
        layout.PEM: public_pem(key),
    }
    if payloads is not None:
        files[layout.PAYLOADS] = b"".join(each.line() + b"\n" for each in payloads)

    def keep(name: str, content: bytes) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    for name, content in files.items():
        keep(name, content)
    hashes = [leaf_hash(each) for each in leaves]
    tiles = Tiles(keep)
    tiles.add(Page(leaves, hashes, Harvest(len(leaves)).add(hashes)))
    tiles.close()
    summed(folder)
    return folder
