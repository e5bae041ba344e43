"""New keys for a ledger in use: `suppress ledger rotate-key` and `rotate-index-key`.

The order in which both go, so that a kill at any point loses nothing and can be made good by repeating:

1. The new key is brought to disk, where nothing uses it yet. One that is there already is taken.
2. One transaction records it. The old signing key signs this head, and the new one signs it too.
3. The folder names the new key; the old private signing key is gone from it, its public half stays.

An index key is only ever added: those who were added before are found under the old one, and of an erased
person nothing else is left to recognise them by.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from suppress.core.checkpoint import BadNote, Key
from suppress.core.entry import IndexKeyRotated, KeyRotated
from suppress.errors import ConfigWrong, StorageFailed
from suppress.ledger.appending import Plain, append
from suppress.ledger.engine import writing
from suppress.ledger.heads import Signer, keep, read_tip
from suppress.ledger.keyring import Keyring
from suppress.ledger.keys import (
    INDEX_VARIABLE,
    NEXT_FILE,
    NEXT_VARIABLE,
    SIGNING_VARIABLE,
    Keys,
    private_pem,
    raise_highwater,
    read_highwater,
    write_new_file,
    write_new_index_key,
)
from suppress.ledger.place import Place
from suppress.ledger.sealing import IndexKey
from suppress.ledger.values import Event, Receipt

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def signing_key(
    engine: Engine, place: Place, ring: Keyring, *, actor: str, now: Callable[[], datetime]
) -> Receipt:
    """Hand over to a new signing key. One that was recorded by a run that was killed is put in place instead.

    Raises what `Ledger.rotate_signing_key` says.
    """
    with writing(engine, place) as connection:
        ring.follow(connection)
        old = ring.signer() if ring.is_settled else None
        if old is not None:
            private = _staged(Keys.load(ring.folder))
            heir = Signer(Key(old.public.name, private.public_key().public_bytes_raw()), private, old.chain)
            _require_new(old, heir, read_tip(connection).size)
            event = Event(f"key.rotated/{heir.public.id.hex()}", KeyRotated(str(heir.public)))
            (receipt,), note = append(
                connection,
                [Plain(event)],
                keys=ring.index,
                actor=actor,
                now=now,
                signer=Signer(old.public, old.private, old.chain, heir),
                highwater=read_highwater(ring.highwater),
            )
            keep(connection, read_tip(connection).head)
            ring.reload(connection)
        else:
            seq, vkey = ring.history.rotated[-1]
            receipt, note = Receipt(seq, f"key.rotated/{vkey}", new=False), None
    if note is not None:
        raise_highwater(ring.highwater, note)
    ring.settle()
    return receipt


def index_key(
    engine: Engine, place: Place, ring: Keyring, *, actor: str, now: Callable[[], datetime]
) -> Receipt:
    """Begin to index new people under a new key. Raises what `Ledger.rotate_index_key` says."""
    with writing(engine, place) as connection:
        ring.follow(connection)
        key = _unrecorded(ring)
        (receipt,), note = append(
            connection,
            [Plain(Event(f"indexkey.rotated/{key.id}", IndexKeyRotated(key.id, key.commitment)))],
            keys=ring.index,
            actor=actor,
            now=now,
            signer=ring.signer(),
            highwater=read_highwater(ring.highwater),
        )
        ring.reload(connection)
    raise_highwater(ring.highwater, note)
    return receipt


def _require_new(old: Signer, heir: Signer, seq: int) -> None:
    try:
        old.chain.then(seq, str(heir.public))
    except BadNote as wrong:
        raise ConfigWrong(f"the new signing key cannot be one: {wrong}") from wrong


def _staged(keys: Keys) -> Ed25519PrivateKey:
    """The signing key to hand over to: one that waits already, else a new one."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    found = keys.next_signing()
    if found is not None:
        return found
    if os.environ.get(SIGNING_VARIABLE):
        raise ConfigWrong(
            f"the signing key comes from {SIGNING_VARIABLE}, and so must the new one",
            remedy=f"set {NEXT_VARIABLE} to a new Ed25519 key in PEM form, run the same command again, "
            f"then put it in the place of {SIGNING_VARIABLE}",
        )
    made = Ed25519PrivateKey.generate()
    try:
        write_new_file(keys.folder / NEXT_FILE, private_pem(made), 0o600)
    except OSError as refused:
        raise StorageFailed(f"{keys.folder / NEXT_FILE} cannot be written: {refused.strerror}") from refused
    return made


def _unrecorded(ring: Keyring) -> IndexKey:
    """The index key to go on with: one that waits already, else a new one."""
    newest = max(int(id_[1:]) for id_ in ring.history.index)
    waiting = _beyond(ring.folder, newest)
    if not waiting and os.environ.get(INDEX_VARIABLE):
        raise ConfigWrong(
            f"the index key comes from {INDEX_VARIABLE}, and so must the new one",
            remedy=f"add k{newest + 1}: and 64 hex digits to {INDEX_VARIABLE}, after a space, "
            "then run the same command again",
        )
    if not waiting:
        try:
            write_new_index_key(ring.folder, f"k{newest + 1}")
        except OSError as refused:
            raise StorageFailed(f"{ring.folder} cannot be written: {refused.strerror}") from refused
        waiting = _beyond(ring.folder, newest)
    return waiting[0]


def _beyond(folder: Path, newest: int) -> list[IndexKey]:
    return [key for key in Keys.load(folder).index if int(key.id[1:]) > newest]
