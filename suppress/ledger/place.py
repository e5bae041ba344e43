"""Where a ledger lives, and what SQLite's refusals mean in our errors. (PostgreSQL's are in `server`.)

Rules kept here:

* A ledger is named by a SQLAlchemy URL (`sqlite:///suppress.db`, `postgresql+psycopg://user@host/database`)
  or by the bare path of a SQLite file.
* What belongs to a ledger and is not in its database lies beside it. A database of a server has no folder, so
  the keys are then where the settings say, by default `suppress.keys` in the working directory, and the
  rest lies beside the keys.
* No error of a driver leaves the ledger room: each becomes one of `suppress.errors`, chosen by SQLite's own
  result code, never by its wording.
* This module loads nothing heavy, so that `Lookup` can use it.
"""

from __future__ import annotations

import os
import re
import sqlite3
import urllib.parse
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from suppress.errors import (
    BadUsage,
    LedgerDamaged,
    LedgerLocked,
    NoLedger,
    OutputRefused,
    StorageFailed,
    SuppressError,
)
from suppress.ledger.server import SCHEMES, Server

Place: TypeAlias = Path | Server
"""A SQLite file, or a database of a PostgreSQL server. Its text may be shown to anybody."""

BUSY_SECONDS = 5.0
"""How long to wait for another process that holds the ledger."""


def place_of(url: str) -> Place:
    """The ledger that `url` names.

    Raises:
        BadUsage: A URL of another database, or a SQLite URL with parameters.
    """
    if "://" not in url:
        return _given(url, url)
    scheme, _, rest = url.partition("://")
    if scheme in SCHEMES:
        return Server.of(url)
    if scheme not in ("sqlite", "sqlite+pysqlite"):
        raise BadUsage(
            f"a ledger is kept in a SQLite file or in PostgreSQL, not in {scheme or 'nothing'}",
            remedy="use sqlite:///suppress.db, the path of a file, or postgresql+psycopg://user@host/database",
        )
    return _given(rest.removeprefix("/"), url)


def _given(path: str, url: str) -> Path:
    parameters = "://" in url and "?" in path
    if not path or path == ":memory:" or parameters or "\x00" in path:
        raise BadUsage(
            f"{url!r} does not name a file that can hold a ledger",
            remedy="use sqlite:///suppress.db, or the path of a file",
        )
    return Path(path)


def keys_folder(place: Place) -> Path:
    """The default folder of a ledger's keys: beside its file, `X.db` → `X.keys`."""
    return Path("suppress.keys") if isinstance(place, Server) else place.with_suffix(".keys")


def snapshot_file(place: Place, keys: Path) -> Path:
    """Where `suppress.check` keeps its snapshot of a ledger; it may be deleted at any time."""
    return (keys if isinstance(place, Server) else place).with_suffix(".snapshot")


def later_file(snapshot: Path) -> Path:
    """The second file of a snapshot: whoever an entry is about that came after the first was written."""
    return snapshot.with_name(f"{snapshot.name}.later")


def uri(file: Path, mode: str) -> str:
    """SQLite's URI for a file; `mode` is `ro`, `rw` or `rwc`."""
    return f"file:{urllib.parse.quote(str(file.absolute()))}?mode={mode}"


def require_ledger_file(file: Path) -> None:
    """Refuse early what cannot be a ledger file.

    The file is not opened here: closing it again would drop the POSIX locks that SQLite holds for another
    connection of this very process (https://www.sqlite.org/howtocorrupt.html, section 2.2).

    Raises:
        NoLedger: No such file, or an empty one.
        BadUsage: A folder.
        StorageFailed: The file cannot be looked at.
    """
    try:
        size = file.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        raise NoLedger(f"there is no ledger at {file}") from None
    except OSError as refused:
        raise StorageFailed(f"{file} cannot be read: {refused.strerror}") from refused
    if file.is_dir():
        raise BadUsage(f"{file} is a folder, not a ledger", remedy="name a file, such as suppress.db")
    if not size:
        raise NoLedger(f"{file} is empty: there is no ledger in it yet")


def open_read_only(file: Path) -> sqlite3.Connection:
    """A connection that can only read, in autocommit mode.

    A writer that was killed leaves a journal behind, which has to be rolled back before anybody may read;
    SQLite cannot do that on a read-only connection, so it is done on another one first.

    Raises:
        NoLedger, LedgerDamaged, LedgerLocked, StorageFailed: It cannot be opened; nothing is left open.
    """
    require_ledger_file(file)
    with translated(file):
        try:
            return _probed(file, "ro")
        except sqlite3.OperationalError as refused:
            if (getattr(refused, "sqlite_errorcode", 0) & 0xFF) != sqlite3.SQLITE_READONLY:
                raise
            _probed(file, "rw").close()
            return _probed(file, "ro")


def copied(file: Path, target: Path) -> None:
    """Copy a ledger into a new file that is its owner's alone.

    SQLite makes the copy: it waits for a writer at work, and what it copies is one committed state.

    Raises:
        StorageFailed: The target cannot be made, or the disk is full. Nothing is left behind.
        NoLedger, LedgerDamaged, LedgerLocked: The ledger cannot be read.
    """
    with closing(open_read_only(file)) as source, translated(target):
        os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            with closing(sqlite3.connect(target)) as connection:
                source.backup(connection)
        except BaseException:
            target.unlink()
            raise


def upgrade_copy(file: Path, revision: str, now: datetime) -> Path:
    """Where the copy goes that is made before an upgrade."""
    return file.with_name(f"{file.name}.{revision}-{now:%Y%m%dT%H%M%SZ}")


def upgrade_copies(place: Place) -> tuple[Path, ...]:
    """The copies that upgrades have left beside a ledger file; of a server's they leave none."""
    if isinstance(place, Server):
        return ()
    named = re.compile(re.escape(place.name) + r"\..+-\d{8}T\d{6}Z")
    try:
        return tuple(sorted(each for each in place.parent.iterdir() if named.fullmatch(each.name)))
    except OSError:
        return ()


def _probed(file: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri(file, mode), uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        if mode == "ro":
            connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def translated(place: Place) -> Iterator[None]:
    """Turn whatever SQLite or the system says about the ledger in `place` into one of our errors."""
    try:
        yield
    except sqlite3.Error as refused:
        raise meaning(refused, place) from refused
    except UnicodeDecodeError as wrong:
        raise unreadable(place) from wrong
    except OSError as refused:
        raise StorageFailed(f"{place}: {refused.strerror or type(refused).__name__}") from refused


def unreadable(place: Place) -> LedgerDamaged:
    """What a UnicodeDecodeError says: Python decodes SQLite's own message, which may quote damaged bytes."""
    return LedgerDamaged(f"the ledger {place} cannot be read: it holds text that is none")


def meaning(refused: sqlite3.Error, file: Place) -> SuppressError:
    """What a SQLite error says about the ledger in `file` (https://www.sqlite.org/rescode.html)."""
    code = getattr(refused, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    match primary:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return LedgerLocked(f"another process holds the ledger {file} and did not finish in time")
        case sqlite3.SQLITE_FULL:
            return StorageFailed(f"the disk that holds the ledger {file} is full")
        case sqlite3.SQLITE_IOERR:
            return StorageFailed(f"the disk that holds the ledger {file} failed ({_name(refused)})")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return StorageFailed(
                f"the ledger {file} or its folder may not be written to",
                remedy="give this user write permission to the file and its folder",
            )
        case sqlite3.SQLITE_CANTOPEN if isinstance(file, Path):
            return _cannot_open(file)
        case sqlite3.SQLITE_NOTADB:
            return LedgerDamaged(
                f"{file} is not a SQLite database: it was damaged, or it is another kind of file",
                remedy="name the ledger's own file, or restore it from a backup",
            )
        case sqlite3.SQLITE_NOMEM:
            return StorageFailed("out of memory", remedy="free some memory, then run the same command again")
        case sqlite3.SQLITE_CONSTRAINT:
            return LedgerDamaged(f"the ledger {file} refused a row: {refused}")
        case _:
            return LedgerDamaged(f"the ledger {file} cannot be read ({_name(refused)}: {refused})")


def _cannot_open(file: Path) -> SuppressError:
    if file.exists():
        return StorageFailed(
            f"the ledger {file} or its folder may not be opened",
            remedy="give this user permission to read and write the file and its folder",
        )
    if file.parent.is_dir():
        return OutputRefused(f"no ledger can be created in {file.parent}: the folder may not be written to")
    return OutputRefused(f"no ledger can be created in {file.parent}: there is no such folder")


def _name(refused: sqlite3.Error) -> str:
    return str(getattr(refused, "sqlite_errorname", type(refused).__name__))
