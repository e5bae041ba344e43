"""The keys of an open ledger: those that its entries name, followed as they rotate.

Another process may rotate a key at any time. Whoever looks a person up or appends asks first, in the same
transaction, whether that has happened: with the old index key alone somebody who was added since would look
unknown, and a head signed with a retired key is worth nothing.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, func, or_, select

from suppress.core.keychain import KeyChain
from suppress.errors import StorageFailed
from suppress.ledger import tables
from suppress.ledger.heads import Signer
from suppress.ledger.keys import Keys, retire_public_key, settle_signing_key
from suppress.ledger.reading import ROTATIONS, KeyHistory
from suppress.ledger.sealing import IndexKey


class Keyring:
    """The live keys of one ledger, as of `history`."""

    def __init__(self, keys: Keys, history: KeyHistory) -> None:
        self._keys = keys
        self.history = history
        self._signer: Signer | None = None

    @classmethod
    def of(cls, connection: Connection, keys: Keys) -> Keyring:
        """The ring of this ledger. Raises `ConfigWrong` when the keys are not its own, or one is missing."""
        history = read_history(connection)
        return cls(history.live(keys, lambda id_: _is_indexed(connection, id_)), history)

    @property
    def folder(self) -> Path:
        """Where the keys are."""
        return self._keys.folder

    @property
    def highwater(self) -> Path:
        """The file that holds the highest head ever signed."""
        return self._keys.highwater

    @property
    def index(self) -> tuple[IndexKey, ...]:
        """The live index keys, newest last."""
        return self._keys.index

    @property
    def vkey(self) -> str:
        """The public key that signs now."""
        return self.history.vkeys[-1]

    @property
    def chain(self) -> KeyChain:
        """Every signing key, first to current."""
        return self.history.chain

    def follow(self, connection: Connection) -> bool:
        """Take over what another process has rotated; whether there was anything."""
        if last_rotation(connection) == self.history.last:
            return False
        self.reload(connection)
        return True

    def reload(self, connection: Connection) -> None:
        """Read keys and history again. Raises `ConfigWrong` when a key has not arrived here."""
        ring = Keyring.of(connection, Keys.load(self.folder))
        self._keys, self.history, self._signer = ring._keys, ring.history, None

    @property
    def is_settled(self) -> bool:
        """Whether the folder names the key that signs now; if not, a rotation was killed before its end."""
        return self._keys.vkey == self.vkey

    def signer(self) -> Signer:
        """What signs heads now; a rotation that was killed before its end is brought to it.

        Raises:
            ConfigWrong: The signing key is missing, or not the one that this ledger has now.
            StorageFailed: The folder cannot be written.
        """
        if self._signer is None:
            self._signer = Signer.of(self._keys, self.chain)
            if not self.is_settled:
                self.settle()
        return self._signer

    def settle(self) -> None:
        """Make the folder say which key signs now; the retired ones stay there by their ids."""
        try:
            for key in self.chain.keys[:-1]:
                retire_public_key(self.folder, key)
            settle_signing_key(self._keys, self.chain.current)
        except OSError as refused:
            raise StorageFailed(f"{self.folder} cannot be written: {refused.strerror}") from refused
        self._keys = replace(self._keys, vkey=self.vkey)


def read_history(connection: Connection) -> KeyHistory:
    """Which keys the ledger records. Raises `LedgerDamaged`."""
    seq = tables.ledger.c.seq
    rotations = select(tables.topic.c.seq).where(_IS_ROTATION)
    rows = connection.execute(
        select(seq, tables.ledger.c.leaf).where(or_(seq == 0, seq.in_(rotations))).order_by(seq)
    )
    return KeyHistory.of((number, leaf) for number, leaf in rows)


def last_rotation(connection: Connection) -> int:
    """The newest entry that changed a key; 0 when none has."""
    found = connection.execute(_LAST).scalar_one()
    return int(found or 0)


_IS_ROTATION = tables.topic.c.type.in_(ROTATIONS)
_LAST = select(func.max(tables.topic.c.seq)).where(_IS_ROTATION)


def _is_indexed(connection: Connection, key_id: str) -> bool:
    found = select(tables.subject.c.key_id).where(tables.subject.c.key_id == key_id).limit(1)
    return connection.execute(found).first() is not None
