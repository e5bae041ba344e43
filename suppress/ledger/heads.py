"""The head: how large the ledger is, its root, and the signed note that says so.

The head row holds the frontier of the tree (RFC 6962), from which the next root follows without reading the
ledger again. It is believed only as far as it hashes to the root in its own signed note.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from suppress.core.canonical import moment
from suppress.core.checkpoint import BadNote, Checkpoint, Key, Note, open_checkpoint, signed_note
from suppress.core.keychain import KeyChain
from suppress.core.merkle import HASH_SIZE, Frontier
from suppress.errors import ConfigWrong, LedgerDamaged
from suppress.ledger import tables
from suppress.ledger.engine import insert_rows
from suppress.ledger.keys import VKEY_FILE, Keys
from suppress.ledger.values import Head

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Tip:
    """The head row as it stands in the database."""

    size: int
    frontier: tuple[bytes, ...]
    last_at: datetime
    note: str

    @property
    def tree(self) -> Frontier:
        """The frontier, ready to be pushed on."""
        return Frontier.of(self.size, self.frontier)

    @property
    def head(self) -> Head:
        """The head as callers see it."""
        return Head(self.size, self.tree.root(), self.note, self.last_at)


def read_tip(connection: Connection) -> Tip:
    """The head row.

    Raises:
        LedgerDamaged: It is missing, or not what an append writes.
    """
    row = connection.execute(
        select(tables.head.c.size, tables.head.c.frontier, tables.head.c.last_at, tables.head.c.note)
    ).first()
    if row is None:
        raise LedgerDamaged("the ledger has no head")
    size, frontier, last_at, note = row
    try:
        hashes = tuple(frontier[start : start + HASH_SIZE] for start in range(0, len(frontier), HASH_SIZE))
        tip = Tip(size, hashes, moment(last_at), note.decode())
        tip.tree.root()
    except (ValueError, TypeError, AttributeError) as wrong:  # a changed file may hold any type
        raise LedgerDamaged(f"the ledger's head cannot be read: {wrong}") from wrong
    return tip


def keep(connection: Connection, head: Head) -> None:
    """Store a head among the ledger's checkpoints, unless that size is there already."""
    size = tables.checkpoint.c.size
    if connection.execute(select(size).where(size == head.size)).first() is None:
        insert_rows(connection, tables.checkpoint, ("size", "note"), [(head.size, head.note.encode())])


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs heads, and only such as follow from a head that verifies."""

    public: Key
    private: Ed25519PrivateKey
    chain: KeyChain
    heir: Signer | None = None
    """At a rotation: the key that is handed over to, which signs the same head too."""

    @classmethod
    def of(cls, keys: Keys, chain: KeyChain | None = None) -> Signer:
        """The signer with these keys: with the current one of `chain`, else with the one that they name.

        Raises:
            ConfigWrong: A key is missing, or they do not belong together.
        """
        if chain is None:
            try:
                chain = KeyChain.of(keys.vkey)
            except BadNote as wrong:
                raise ConfigWrong(f"{keys.folder / VKEY_FILE}: {wrong}") from wrong
        public = chain.current
        private = keys.signing()
        if private.public_key().public_bytes_raw() != public.public:
            # Killed between recording a rotation and putting the new key in the old one's place.
            staged = keys.next_signing()
            if staged is None or staged.public_key().public_bytes_raw() != public.public:
                raise ConfigWrong(
                    f"the signing key does not belong to the public key in {keys.folder}, "
                    "or it was retired and the new one is not there",
                    remedy="restore the folder from your backup",
                )
            private = staged
        return cls(public, private, chain)

    def require_sound(self, tip: Tip, highwater: str | None) -> None:
        """Refuse to sign over damage, or over a copy older than what was already signed.

        Raises:
            LedgerDamaged: Says which of the two, and how far apart they are.
        """
        # Under this very key: of a chain, all but that key comes from the database that is in question.
        signed = _opened(tip.note, "the ledger's head", lambda note: open_checkpoint(note, [self.public]))
        if (signed.size, signed.root) != (tip.size, tip.tree.root()):
            raise LedgerDamaged("the ledger's head does not match its own signed note")
        if highwater is None:
            return
        highest = _opened(highwater, "the high-water mark", self.chain.open)
        if highest.size > tip.size:
            raise LedgerDamaged(
                f"this ledger has {tip.size:,} entries, but {highest.size:,} were already signed: "
                "it is an older copy, and going on from it would fork the ledger",
                remedy="put the newest copy of the ledger back; if it is lost: suppress ledger restored",
            )
        if highest.size == tip.size and highest.root != signed.root:
            raise LedgerDamaged(
                f"another ledger of {tip.size:,} entries was already signed with this key",
                remedy="put the ledger that belongs to these keys back",
            )

    def note(self, text: str) -> str:
        """A signed note of a text that is no checkpoint."""
        return signed_note(text, self.public, self.private.sign)

    def sign(self, tree: Frontier) -> str:
        """The signed note of a tree."""
        checkpoint = Checkpoint(self.public.name, tree.size, tree.root())
        note = checkpoint.signed(self.public, self.private.sign)
        if self.heir is None:
            return note
        second = Note.parse(checkpoint.signed(self.heir.public, self.heir.private.sign))
        first = Note.parse(note)
        return str(Note(first.text, (*first.signatures, *second.signatures)))


def _opened(note: str, what: str, read: Callable[[str], Checkpoint]) -> Checkpoint:
    try:
        return read(note)
    except BadNote as wrong:
        raise LedgerDamaged(f"{what} is not signed with this ledger's key: {wrong}") from wrong
