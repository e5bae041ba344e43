"""Reading entries back: what cannot be read is damage, and is said so with its position. No SQL.

`KeyHistory` is which keys a ledger uses: the ones that its own entries name, whatever lies in the folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from suppress.core.canonical import NotCanonical
from suppress.core.checkpoint import BadNote
from suppress.core.entry import Entry, IndexKeyRotated, KeyRotated, LogOpened
from suppress.core.keychain import KeyChain
from suppress.core.leaf import decode
from suppress.errors import ConfigWrong, LedgerDamaged
from suppress.ledger.keys import Keys, retired_file


def decoded(seq: int, leaf: bytes) -> Entry:
    """The entry at `seq`.

    Raises:
        LedgerDamaged: Its bytes are not an entry.
    """
    try:
        return decode(seq, leaf)
    except NotCanonical as wrong:
        raise LedgerDamaged(f"entry {seq} cannot be read: {wrong}") from wrong


def opening(seq_zero: bytes | None) -> LogOpened:
    """The first entry's body.

    Raises:
        LedgerDamaged: It is missing, or does not open a ledger.
    """
    if seq_zero is None:
        raise LedgerDamaged("the ledger's first entry is missing")
    body = decoded(0, seq_zero).body
    if not isinstance(body, LogOpened):
        raise LedgerDamaged("the ledger's first entry does not open a ledger")
    return body


ROTATIONS = (KeyRotated.type, IndexKeyRotated.type)
"""The entries that change which keys a ledger uses."""


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """The keys that a ledger records: those that it was opened with, and those that followed."""

    vkeys: tuple[str, ...]
    """Signing keys, first to current."""
    index: Mapping[str, str]
    """Index keys by id, with the commitment to each; first to newest."""
    last: int
    """The newest entry that changed a key."""
    rotated: tuple[tuple[int, str], ...] = ()
    """Entry and signing key of each rotation."""

    @classmethod
    def of(cls, leaves: Iterable[tuple[int, bytes]]) -> KeyHistory:
        """From the first entry and the rotations after it, in the order of the ledger.

        Raises:
            LedgerDamaged: The first entry is missing, or one of them is of another kind.
        """
        rest = iter(leaves)
        first = opening(next((leaf for seq, leaf in rest if seq == 0), None))
        rotated: list[tuple[int, str]] = []
        index, last = {first.index_key_id: first.index_key_commitment}, 0
        for seq, leaf in rest:
            match decoded(seq, leaf).body:
                case KeyRotated() as body:
                    rotated.append((seq, body.vkey))
                case IndexKeyRotated() as body:
                    index[body.index_key_id] = body.index_key_commitment
                case _:
                    raise LedgerDamaged(f"entry {seq} is listed as a rotation of keys, and is none")
            last = seq
        return cls((first.vkey, *(vkey for _, vkey in rotated)), index, last, tuple(rotated))

    @property
    def chain(self) -> KeyChain:
        """The signing keys with the sizes at which they follow each other. Raises `LedgerDamaged`."""
        try:
            return KeyChain.of(self.vkeys[0], self.rotated)
        except BadNote as wrong:
            raise LedgerDamaged(f"the ledger records a key that cannot be one: {wrong}") from wrong

    def live(self, keys: Keys, in_use: Callable[[str], bool]) -> Keys:
        """`keys` with those index keys that this ledger records, newest last.

        A key that is not recorded is left out: it is the beginning of a rotation, or a stray file. `in_use`
        says of a key's id whether somebody is indexed under it.

        Raises:
            ConfigWrong: They are another ledger's, with which everybody would look unknown and so mailable;
                or one is missing without which somebody cannot be recognised.
        """
        by_id = {key.id: key for key in keys.index}
        *_, newest = self.index
        live = []
        for id_, commitment in self.index.items():
            key = by_id.get(id_)
            if key is None:
                if id_ == newest or in_use(id_):
                    raise ConfigWrong(
                        f"the keys in {keys.folder} lack index key {id_}, which this ledger needs",
                        remedy="restore the folder that belongs to this ledger from your backup",
                    )
                continue
            if key.commitment != commitment:
                raise _another_ledgers(keys)
            live.append(key)
        if keys.vkey not in self.vkeys:
            if (keys.folder / retired_file(self.chain.current)).exists():
                raise ConfigWrong(
                    f"{keys.folder} has a newer signing key; this ledger is a copy from before that",
                    remedy="put the newest ledger back, or the keys that were kept with this copy",
                )
            raise _another_ledgers(keys)
        return replace(keys, index=tuple(live))


def _another_ledgers(keys: Keys) -> ConfigWrong:
    return ConfigWrong(
        f"the keys in {keys.folder} belong to another ledger",
        remedy="name the folder that belongs to this ledger by `keys` in suppress.toml",
    )
