"""Open a ledger's database, begin its transactions, and insert rows in bulk.

What differs between databases is here and in `tables.GUARDS`. On SQLite:

* `journal_mode=TRUNCATE` with `synchronous=EXTRA`: in simulated power cuts no acknowledged commit was lost
  (Python's default, DELETE with FULL, lost 83 in 2,211 crash images), and one file is the whole ledger.
* `secure_delete=ON`, so that erased bytes do not stay in free pages; `trusted_schema=OFF`, so that a
  doctored schema cannot run functions; `foreign_keys=ON`.
* A transaction that writes begins with BEGIN IMMEDIATE. pysqlite's implicit BEGIN comes too late: what was
  read before it may be stale by the time of the first write.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, Table, event, insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from suppress.errors import LedgerDamaged, StorageFailed
from suppress.ledger.place import BUSY_SECONDS, meaning, unreadable, uri

CHUNK = 500
"""Values in one IN list: well under every database's limit on parameters."""

_WRITES = "suppress_writes"
_CACHE_KIB = {"rw": 64 * 1024, "rwc": 64 * 1024, "ro": 16 * 1024}
"""SQLite's page cache. Bulk appends touch many index pages at random; reading goes in order."""


def sqlite_engine(file: Path, *, mode: str) -> Engine:
    """An engine over one connection to `file`; `mode` is `ro`, `rw` or `rwc`. Nothing is opened yet."""

    def connect() -> sqlite3.Connection:
        if mode == "rwc":
            # Addresses are nobody else's business, whatever the umask; the journal takes this mode too.
            # If the file cannot be made, SQLite says why below.
            with contextlib.suppress(OSError):
                os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(
            uri(file, mode), uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _settle(connection, mode)
        except BaseException:
            connection.close()
            raise
        return connection

    engine = sqlalchemy.create_engine("sqlite://", creator=connect, poolclass=StaticPool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _settle(connection: sqlite3.Connection, mode: str) -> None:
    for pragma in (
        f"busy_timeout = {int(BUSY_SECONDS * 1000)}",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        f"cache_size = -{_CACHE_KIB[mode]}",
    ):
        connection.execute(f"PRAGMA {pragma}")
    if mode == "ro":
        connection.execute("PRAGMA query_only = ON")
        return
    # On a new file the mode is kept in no header, so it is set on each connection.
    connection.execute("PRAGMA journal_mode = TRUNCATE")
    connection.execute("PRAGMA synchronous = EXTRA")
    connection.execute("PRAGMA secure_delete = ON")


@contextmanager
def reading(engine: Engine, file: Path) -> Iterator[Connection]:
    """One read transaction. Keep it short: a reader holds up the writer's commit."""
    with _translated(file), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine, file: Path) -> Iterator[Connection]:
    """One write transaction, the only one at a time; committed on leaving, rolled back on any error.

    Raises:
        LedgerLocked: Another process is writing and did not finish in time.
        StorageFailed: The disk is full or failed. Whether a failed *commit* took effect is unknown: repeat
            the same events, the ledger drops those that it has.
    """
    with (
        _translated(file),
        engine.connect() as connection,
        connection.execution_options(**{_WRITES: True}).begin(),
    ):
        yield connection


def insert_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: list[tuple[Any, ...]]
) -> None:
    """Insert many rows given as tuples in the order of `columns`.

    SQLAlchemy's own executemany turns every row into a dictionary and back, which costs more than SQLite's
    insert; here the statement is compiled once and the rows go to the driver as they are.
    """
    if not rows:
        return
    statement = insert(table).compile(dialect=connection.dialect, column_keys=list(columns))
    order = statement.positiontup or list(columns)
    if order != list(columns):
        places = [columns.index(name) for name in order]
        rows = [tuple(row[place] for place in places) for row in rows]
    connection.exec_driver_sql(str(statement), rows)


@contextmanager
def _translated(file: Path) -> Iterator[None]:
    try:
        yield
    except DBAPIError as refused:
        if isinstance(refused.orig, sqlite3.Error):
            raise meaning(refused.orig, file) from refused
        raise StorageFailed(f"the database of the ledger failed ({type(refused.orig).__name__})") from refused
    except sqlite3.Error as refused:
        raise meaning(refused, file) from refused
    except UnicodeDecodeError as wrong:
        raise unreadable(file) from wrong
    except SQLAlchemyError as wrong:
        raise LedgerDamaged(f"the ledger {file} cannot be read ({type(wrong).__name__})") from wrong
