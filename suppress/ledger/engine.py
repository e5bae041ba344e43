"""Open a ledger's database, begin its transactions, and insert rows in bulk.

What differs between databases is here, in `place` and `server`, in `guards`, and in `reader` for look-ups.
On SQLite:

* `journal_mode=TRUNCATE` with `synchronous=EXTRA`: in simulated power cuts no acknowledged commit was lost
  (Python's default, DELETE with FULL, lost 83 in 2,211 crash images), and one file is the whole ledger.
* `secure_delete=ON`, so that erased bytes do not stay in free pages; `trusted_schema=OFF`, so that a
  doctored schema cannot run functions; `foreign_keys=ON`.
* A transaction that writes begins with BEGIN IMMEDIATE. pysqlite's implicit BEGIN comes too late: what was
  read before it may be stale by the time of the first write.

On PostgreSQL:

* A transaction that writes first locks the one row of `head`, so that writers go one after another. It is
  READ COMMITTED whatever the server's default: under REPEATABLE READ and SERIALIZABLE the snapshot is older
  than the lock, and two in three transactions of sixteen writers failed.
* `SET LOCAL synchronous_commit`, so that what was acknowledged is on disk on a server that is set to lose the
  last moments. Without it 12 of 15 crashes of such a server lost acknowledged entries.
* A transaction that reads is REPEATABLE READ: as on SQLite, all of its statements see one state.
* Who waits for another process, or has vanished in the middle, does not hold others up for ever.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Dialect, Engine, LargeBinary, Table, Text, event, insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from suppress.errors import LedgerDamaged, StorageFailed, SuppressError
from suppress.ledger import server
from suppress.ledger.place import BUSY_SECONDS, Place, meaning, unreadable, uri
from suppress.ledger.server import Server

CHUNK = 500
"""Values in one IN list: well under every database's limit on parameters."""

_WRITES = "suppress_writes"
_CACHE_KIB = {"rw": 64 * 1024, "rwc": 64 * 1024, "ro": 16 * 1024}
"""SQLite's page cache. Bulk appends touch many index pages at random; reading goes in order."""

_VANISHED_SECONDS = 300
"""After so long without a word in the middle of a transaction, a writer is taken for gone."""
_FOUNDING = 0x73757070_72657373
"""The advisory lock (in ASCII: "suppress") of whoever makes a ledger, when there is no head to lock yet."""

# `remote_apply` is stronger than `on`, and is left.
_WRITER = (
    f"SELECT set_config('lock_timeout', '{int(BUSY_SECONDS * 1000)}', true), "
    f"set_config('idle_in_transaction_session_timeout', '{_VANISHED_SECONDS * 1000}', true), "
    "set_config('synchronous_commit', "
    "CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true)"
)
_LOCK_HEAD = "SELECT size FROM head FOR UPDATE"
_LOCK_FOUNDING = f"SELECT pg_advisory_xact_lock({_FOUNDING})"


def opened(place: Place, *, mode: str) -> Engine:
    """An engine over the ledger in `place`; `mode` is `ro`, `rw` or `rwc`. Nothing is opened yet."""
    return server_engine(place, mode=mode) if isinstance(place, Server) else sqlite_engine(place, mode=mode)


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


def server_engine(place: Server, *, mode: str) -> Engine:
    """An engine over one connection to a server. Raises, when it is used, what `server.connected` raises.

    Raises:
        ConfigWrong: The driver is not installed.
    """
    server.driver()
    return sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: server.connected(place),
        pool_size=1,
        use_native_hstore=False,
        execution_options={"postgresql_readonly": mode == "ro"},
    )


@contextmanager
def reading(engine: Engine, place: Place) -> Iterator[Connection]:
    """One read transaction. Keep it short: on SQLite a reader holds up the writer's commit."""
    options: dict[str, Any] = {}
    if isinstance(place, Server):
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with _translated(place), engine.connect() as connection, connection.execution_options(**options).begin():
        yield connection


@contextmanager
def writing(engine: Engine, place: Place) -> Iterator[Connection]:
    """One write transaction, the only one at a time; committed on leaving, rolled back on any error.

    Raises:
        LedgerLocked: Another process is writing and did not finish in time.
        StorageFailed: The disk is full or failed. Whether a failed *commit* took effect is unknown: repeat
            the same events, the ledger drops those that it has.
    """
    with _only_writer(engine, place, _LOCK_HEAD) as connection:
        yield connection


@contextmanager
def founding(engine: Engine, place: Place) -> Iterator[Connection]:
    """`writing` where there may be no ledger yet."""
    with _only_writer(engine, place, _LOCK_FOUNDING) as connection:
        yield connection


@contextmanager
def _only_writer(engine: Engine, place: Place, lock: str) -> Iterator[Connection]:
    with _translated(place), engine.connect() as connection:
        if isinstance(place, Server):
            connection.execution_options(isolation_level="READ COMMITTED")
        with connection.execution_options(**{_WRITES: True}).begin():
            if isinstance(place, Server):
                connection.exec_driver_sql(_WRITER)
                connection.exec_driver_sql(lock)
            yield connection


def insert_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: list[tuple[Any, ...]]
) -> None:
    """Insert many rows given as tuples in the order of `columns`.

    SQLAlchemy's own executemany turns every row into a dictionary and back, which costs more than SQLite's
    insert; here the statement is compiled once and the rows go to the driver as they are. PostgreSQL takes
    them by COPY.
    """
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _copy(connection, table, columns, rows)
        return
    statement, order = _insert(table, tuple(columns), connection.dialect)
    if order != tuple(columns):
        places = [columns.index(name) for name in order]
        rows = [tuple(row[place] for place in places) for row in rows]
    connection.exec_driver_sql(statement, rows)


def tuples(connection: Connection, question: str, *values: object) -> list[tuple[Any, ...]]:
    """All rows of a question in plain SQL, `?` for each value, as the driver gives them.

    For reading a whole ledger: SQLAlchemy's rows and expressions take longer there than the database. What a
    file holds where the schema says text or bytes may be anything, so whoever asks looks at the types.
    """
    if connection.dialect.name == "postgresql":
        question = question.replace("?", "%s")
    return _all(connection, question, values)


def tuples_among(
    connection: Connection, question: str, *values: object, among: Sequence[object]
) -> list[tuple[Any, ...]]:
    """`tuples` for a question that ends in a column, which is to be one of at most `CHUNK` others."""
    if connection.dialect.name == "postgresql":
        return _all(connection, f"{question.replace('?', '%s')} = ANY(%s)", (*values, list(among)))
    return _all(connection, f"{question} IN ({','.join('?' * len(among))})", (*values, *among))


def _all(connection: Connection, question: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
    result = connection.exec_driver_sql(question, values)
    assert result.cursor is not None
    found = list(result.cursor.fetchall())
    result.close()
    return found


@lru_cache(64)
def _insert(table: Table, columns: tuple[str, ...], dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """The text of an insert, and the order of its values: to compile it takes longer than to insert a row."""
    statement = insert(table).compile(dialect=dialect, column_keys=list(columns))
    return str(statement), tuple(statement.positiontup or columns)


def _copy(connection: Connection, table: Table, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    kinds = [copied_as(table.columns[name].type) for name in columns]
    statement = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(kinds)
        for row in rows:
            copy.write_row(row)


def copied_as(kind: Any) -> str:
    """The type under which COPY takes the values of a column."""
    match kind:
        case LargeBinary():
            return "bytea"
        case Text():
            return "text"
        case _:
            return "int8"


@contextmanager
def _translated(place: Place) -> Iterator[None]:
    try:
        yield
    except DBAPIError as refused:
        if isinstance(refused.orig, Exception):
            raise _said(refused.orig, place) from refused
        raise StorageFailed(f"the database of the ledger failed ({type(refused.orig).__name__})") from refused
    except sqlite3.Error as refused:
        raise meaning(refused, place) from refused
    except UnicodeDecodeError as wrong:
        raise unreadable(place) from wrong
    except SQLAlchemyError as wrong:
        raise LedgerDamaged(f"the ledger {place} cannot be read ({type(wrong).__name__})") from wrong
    except Exception as refused:
        if isinstance(place, Server) and type(refused).__module__.startswith("psycopg"):
            raise server.meaning(refused, place) from refused  # of COPY, which SQLAlchemy does not see
        raise


def _said(refused: Exception, place: Place) -> SuppressError:
    if isinstance(refused, sqlite3.Error):
        return meaning(refused, place)
    if isinstance(place, Server):
        return server.meaning(refused, place)
    return StorageFailed(f"the database of the ledger failed ({type(refused).__name__})")
