"""Reading entries back: what cannot be read is damage, and is said so with its position. No SQL."""

from __future__ import annotations

from suppress.core.entry import Entry, LogOpened, NotCanonical, decode
from suppress.errors import ConfigWrong, LedgerDamaged
from suppress.ledger.keys import Keys


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


def require_same_keys(opened: LogOpened, keys: Keys) -> None:
    """Refuse keys of another ledger: with them everybody would look unknown, and so mailable.

    Raises:
        ConfigWrong: The index key or the public key is not the one that the ledger was opened with.
    """
    first = next((each for each in keys.index if each.id == opened.index_key_id), None)
    if first is None:
        raise ConfigWrong(
            f"the keys in {keys.folder} lack index key {opened.index_key_id}, which this ledger needs",
            remedy="restore the folder that belongs to this ledger from your backup",
        )
    if first.commitment != opened.index_key_commitment or keys.vkey != opened.vkey:
        raise ConfigWrong(
            f"the keys in {keys.folder} belong to another ledger",
            remedy="name the folder that belongs to this ledger by `keys` in suppress.toml",
        )
