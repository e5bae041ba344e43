"""A new ledger: keys first, then tables, first entry and signed head in one transaction.

Killed at any point, it can be run again: keys that no ledger has signed with are used, and a database
without a committed first entry is no ledger yet. Keys that *have* signed are never given a second ledger,
because two histories under one key are what a fork is.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from suppress.core.address import KEY_VERSION
from suppress.core.aliases import table_version
from suppress.core.canonical import timestamp
from suppress.core.entry import LogOpened
from suppress.core.leaf import encode
from suppress.core.merkle import Frontier, leaf_hash
from suppress.errors import ConfigWrong, OutputRefused
from suppress.ledger import schema, tables
from suppress.ledger.engine import founding, insert_rows, opened
from suppress.ledger.heads import Signer
from suppress.ledger.keys import Keys, raise_highwater, read_highwater, sync_folder
from suppress.ledger.place import Place
from suppress.ledger.sealing import mark
from suppress.ledger.server import Server, connected


def create(place: Place, folder: Path, organisation: str | None, now: datetime) -> bool:
    """Make keys and ledger. False when another process was quicker.

    Raises:
        OutputRefused: The file or the keys folder cannot be made.
        ConfigWrong: The keys folder belongs to a ledger that was in use, or cannot be used.
    """
    if isinstance(place, Server):
        connected(place).close()  # no keys for a database that is not there
    elif not place.parent.is_dir():
        raise OutputRefused(f"no ledger can be created in {place.parent}: there is no such folder")
    keys = Keys.create(folder, _origin(organisation))
    in_use = ConfigWrong(
        f"the keys in {folder} belong to a ledger that was in use, and {place} is not that ledger",
        remedy="restore the ledger from your backup, or name another folder for the keys",
    )
    # The mark is read ahead of the file, which another process that creates this ledger makes first.
    if isinstance(place, Path) and not place.exists() and read_highwater(keys.highwater) is not None:
        raise in_use
    signer = Signer.of(keys)
    engine = opened(place, mode="rwc")
    try:
        with founding(engine, place) as connection:
            if schema.exists(connection):
                return False
            if read_highwater(keys.highwater) is not None:
                raise in_use
            schema.migrate(connection)
            note = _open_log(connection, keys, signer, now)
    finally:
        engine.dispose()
    if isinstance(place, Path):
        sync_folder(place.parent)
    raise_highwater(keys.highwater, note)
    return True


def _origin(organisation: str | None) -> str:
    """A name for the log that is unlike any other's, and readable (C2SP signed-note forbids spaces and +)."""
    slug = re.sub(r"[^a-z0-9]+", "-", (organisation or "").casefold()).strip("-")[:40]
    return "suppress/" + "-".join(part for part in (slug, secrets.token_hex(4)) if part)


def _open_log(connection: Connection, keys: Keys, signer: Signer, now: datetime) -> str:
    first = keys.newest
    body = LogOpened(signer.public.name, keys.vkey, first.id, first.commitment, KEY_VERSION)
    at, id_ = now.astimezone(UTC), secrets.token_hex(16)
    leaf = encode(id_=id_, at=at, actor="suppress init", body=body)
    hashed = leaf_hash(leaf)
    tree = Frontier()
    tree.push(hashed)
    note = signer.sign(tree)
    insert_rows(connection, tables.ledger, ("seq", "leaf"), [(0, leaf)])
    insert_rows(connection, tables.event, ("id", "seq", "mark"), [(id_, 0, mark(hashed))])
    insert_rows(connection, tables.topic, ("type", "name", "seq"), [(body.type, "", 0)])
    insert_rows(connection, tables.built, ("name", "version"), [(schema.ALIASES, table_version())])
    insert_rows(
        connection,
        tables.head,
        ("size", "frontier", "last_at", "note"),
        [(tree.size, b"".join(tree.hashes), timestamp(at), note.encode())],
    )
    insert_rows(connection, tables.checkpoint, ("size", "note"), [(tree.size, note.encode())])
    return note
