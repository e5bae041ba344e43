"""What a destination showed when it was last read, by subject: so that the next patrol sees what changed.

A file of its own beside other state that may be lost: without it a patrol still finds everybody who is
mailable, and cannot say that somebody was deleted there and came back. It holds random ids and no address.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import quote

from suppress.errors import StorageFailed
from suppress.ledger.projections import chunks

_TABLE = (
    "CREATE TABLE IF NOT EXISTS sighting (subject TEXT PRIMARY KEY, state TEXT NOT NULL, kind TEXT, "
    "held INTEGER NOT NULL) STRICT, WITHOUT ROWID"
)


class Sighting(NamedTuple):
    """How one person stood at one destination."""

    state: str
    """A `suppress.plugin.contract.Remote`."""
    kind: str | None
    """The strongest reason that it ever showed, in our words."""
    held: bool
    """Whether it was ever seen not to mail them."""


class Sightings:
    """The sightings of one destination. Open it with `Sightings.of_destination`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    @contextmanager
    def of_destination(cls, state: Path, name: str) -> Iterator[Self]:
        """Open the file of a destination in the folder of state; one that is damaged begins anew.

        Raises:
            StorageFailed: The folder cannot be made or written.
        """
        folder = state / "patrol"
        file = folder / f"{quote(name, safe='')}.sqlite3"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
            connection = _opened(file)
        except (OSError, sqlite3.OperationalError) as refused:
            why = refused.strerror if isinstance(refused, OSError) else str(refused)
            raise StorageFailed(
                f"what patrols saw cannot be kept in {folder}: {why}",
                remedy="make that folder writable, or name another one as `state` in suppress.toml",
            ) from None
        with closing(connection):
            yield cls(connection)

    def among(self, subjects: Iterable[str]) -> dict[str, Sighting]:
        """What was seen of these people before, of those who were."""
        found: dict[str, Sighting] = {}
        for chunk in chunks(subjects):
            marks = ", ".join("?" * len(chunk))
            rows = self._connection.execute(
                f"SELECT subject, state, kind, held FROM sighting WHERE subject IN ({marks})",  # noqa: S608
                chunk,
            )
            found.update((subject, Sighting(state, kind, bool(held))) for subject, state, kind, held in rows)
        return found

    def keep(self, seen: Mapping[str, Sighting]) -> None:
        """Remember how these people stood.

        Raises:
            StorageFailed: The disk is full, or the like.
        """
        try:
            with self._connection:
                self._connection.executemany(
                    "INSERT INTO sighting VALUES (?, ?, ?, ?) ON CONFLICT (subject) DO UPDATE SET "
                    "state = excluded.state, kind = excluded.kind, held = excluded.held",
                    [(subject, *each) for subject, each in seen.items()],
                )
        except sqlite3.OperationalError as refused:
            raise StorageFailed(
                f"what a patrol saw cannot be kept: {refused}",
                remedy="free some space, then run the same command again",
            ) from None


def _opened(file: Path) -> sqlite3.Connection:
    try:
        return _with_table(file)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        file.write_bytes(b"")
        return _with_table(file)


def _with_table(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=30)
    try:
        connection.execute(_TABLE)
        connection.execute("SELECT subject, state, kind, held FROM sighting LIMIT 1").fetchall()
    except sqlite3.Error:
        connection.close()
        raise
    return connection
