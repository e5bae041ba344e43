"""A PostgreSQL database that holds a ledger: its name, a connection to it, and what its refusals mean.

Rules kept here:

* A URL is one that libpq reads (https://www.postgresql.org/docs/current/libpq-connect.html, 33.1.1.2), with
  `postgresql+psycopg` for its scheme as SQLAlchemy writes it. Whatever libpq knows besides holds too:
  PGPASSWORD, ~/.pgpass, `?sslmode=verify-full`.
* No password is ever said. libpq quotes what it could not make sense of, which may be half a password, so a
  URL that the standard library reads differently is refused before libpq may speak of it.
* No error of a driver leaves the ledger room: each becomes one of `suppress.errors`, chosen by SQLSTATE
  (https://www.postgresql.org/docs/current/errcodes-appendix.html), never by its wording.
* This module loads nothing heavy, and psycopg only to connect.
"""

from __future__ import annotations

import contextlib
import urllib.parse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from suppress.errors import (
    BadUsage,
    ConfigWrong,
    LedgerDamaged,
    LedgerLocked,
    NoLedger,
    StorageFailed,
    SuppressError,
)

if TYPE_CHECKING:
    import psycopg

SCHEMES = ("postgresql+psycopg", "postgresql", "postgres")
CONNECT_SECONDS = 10
"""How long to wait for a server, unless the URL or PGCONNECT_TIMEOUT says otherwise."""
_EVERYBODYS = "postgres"
"""A database that nearly every server has: asked only why another one could not be opened."""


REMAINS = (
    "The server still has the deleted rows in its files until its owner runs "
    "VACUUM (FULL, ANALYZE) payload, alias, subject; its log and backups have them longer."
)
"""What an erasure does not reach. Nothing that a writer may do would change it."""


@dataclass(frozen=True, slots=True)
class Server:
    """One database of a server. Its text is its URL without the password and without options."""

    uri: str = field(repr=False)
    """What libpq is given; may hold a password."""
    name: str

    def __str__(self) -> str:
        return self.name

    @classmethod
    def of(cls, url: str) -> Server:
        """The database that `url` names.

        Raises:
            BadUsage: It is no URL of PostgreSQL. What it holds is not said, for it may be a password.
        """
        rest = url.partition("://")[2]
        uri = f"postgresql://{rest}"
        try:
            parts = urllib.parse.urlsplit(uri)
            port = parts.port
        except ValueError:
            raise _unreadable() from None
        if "\x00" in uri or parts.fragment or "/" in parts.path[1:]:
            raise _unreadable()
        user = f"{parts.username}@" if parts.username else ""
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        given = "" if port is None else f":{port}"
        return cls(uri, f"postgresql://{user}{host}{given}{parts.path}")

    @property
    def database(self) -> str | None:
        """The database's name, where the URL has one."""
        return urllib.parse.unquote(urllib.parse.urlsplit(self.uri).path[1:]) or None


def _unreadable() -> BadUsage:
    return BadUsage(
        "the ledger's URL is none that PostgreSQL reads",
        remedy="write postgresql+psycopg://USER@HOST/DATABASE; in a password write %40 for @, %2F for / "
        "and %23 for #, or keep it in PGPASSWORD or ~/.pgpass",
    )


def connected(server: Server) -> psycopg.Connection[tuple[Any, ...]]:
    """A new connection, not in autocommit mode.

    Raises:
        ConfigWrong: The driver is not installed.
        BadUsage: The URL cannot be read.
        NoLedger: There is no such database.
        StorageFailed: The server cannot be reached, or does not let us in.
    """
    libpq = driver()
    options = _options(libpq, server)
    try:
        connection: psycopg.Connection[tuple[Any, ...]] = libpq.connect(**options)
    except libpq.Error as refused:
        said = _first_line(refused)
        if _is_missing(libpq, options):
            raise NoLedger(
                f"there is no database {options.get('dbname')!r} on the server of {server}",
                remedy=f"createdb {options.get('dbname')}, then suppress init",
            ) from None
        raise StorageFailed(
            f"the PostgreSQL server of {server} cannot be used: {said}",
            remedy="see that it runs, that the URL is right and that it lets this user in, then run the same "
            "command again",
        ) from None
    return connection


def driver() -> Any:
    """psycopg. Raises `ConfigWrong` where it is not installed."""
    try:
        import psycopg
    except ImportError:  # also where it is there without libpq
        raise ConfigWrong(
            "this ledger is in PostgreSQL, and its driver is not installed",
            remedy="pip install 'suppress-ledger[postgresql]'",
        ) from None
    return psycopg


def _options(libpq: Any, server: Server) -> dict[str, Any]:
    """What libpq makes of the URL, if it is what the standard library makes of it."""
    from psycopg.conninfo import conninfo_to_dict

    parts = urllib.parse.urlsplit(server.uri)
    try:
        options = conninfo_to_dict(server.uri)
    except libpq.Error:
        raise _unreadable() from None
    asked = urllib.parse.parse_qs(parts.query)
    seen = {
        "user": parts.username,
        "password": parts.password,
        "host": parts.netloc.rpartition("@")[2].rpartition(":")[0] if parts.port else parts.hostname,
        "port": parts.port,
        "dbname": parts.path[1:],
    }
    for key, value in seen.items():
        ours = urllib.parse.unquote(str(value or "")).strip("[]")
        if key not in asked and ours.casefold() != str(options.get(key) or "").casefold():
            raise _unreadable()
    options.setdefault("connect_timeout", CONNECT_SECONDS)
    options.setdefault("fallback_application_name", "suppress")
    return options | {"client_encoding": "utf8"}


def _is_missing(libpq: Any, options: dict[str, Any]) -> bool:
    """Whether the server is there, lets us in, and has no database of this name.

    libpq has no SQLSTATE for a connection that was refused, and the server says why in its own language.
    """
    name = options.get("dbname")
    if not name:
        return False
    with contextlib.suppress(libpq.Error), libpq.connect(**options | {"dbname": _EVERYBODYS}) as other:
        found = other.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        return found is None
    return False


def _first_line(refused: Exception) -> str:
    return next(iter(str(refused).strip().splitlines()), type(refused).__name__).removeprefix(
        "connection failed: "
    )


def meaning(refused: Exception, server: Server) -> SuppressError:
    """What an error of psycopg says about the ledger on `server`. Values of rows are never said."""
    code = getattr(refused, "sqlstate", None) or ""
    primary = str(getattr(getattr(refused, "diag", None), "message_primary", None) or type(refused).__name__)
    match code:
        case "55P03" | "40001" | "40P01":
            return LedgerLocked(f"another process holds the ledger {server} and did not finish in time")
        case "53100":
            return StorageFailed(f"the disk that holds the ledger {server} is full")
        case "58030" | "F0000":
            return StorageFailed(f"the disk that holds the ledger {server} failed ({code})")
        case "53000" | "53200" | "53300" | "53400":
            return StorageFailed(
                f"the server of {server} has run out of something: {primary}",
                remedy="raise its limits or free some, then run the same command again",
            )
        case "25006":
            return StorageFailed(
                f"the ledger {server} takes no writes: it was opened for reading, or is a standby",
                remedy="name the primary server, and run the same command again",
            )
        case "42501":
            return StorageFailed(
                f"this user may not do that to the ledger {server}: {primary}",
                remedy="connect as a role that may, or give it the rights: suppress ledger grant",
            )
        case "42704":
            return BadUsage(
                f"the server of {server} does not know it: {primary}",
                remedy="CREATE ROLE name LOGIN, as an administrator of the server; then run this again",
            )
        case "57014":
            return StorageFailed(
                f"the server of {server} ended a statement that took too long",
                remedy="raise statement_timeout for this user, then run the same command again",
            )
        case "42P01" | "42703" | "3F000":
            return LedgerDamaged(f"the ledger {server} lacks a table or column that it was made with")
        case "22021":
            return _unwritable()
        case _ if code.startswith("23"):
            return LedgerDamaged(f"the ledger {server} refused a row: {primary}")
        case _ if code.startswith("XX"):
            return LedgerDamaged(f"the ledger {server} cannot be read: the server reports damage ({code})")
    return _unclassified(refused, server, code)


def _unclassified(refused: Exception, server: Server, code: str) -> SuppressError:
    import psycopg

    match refused:
        case psycopg.DataError() if not code:
            return _unwritable()
        case psycopg.OperationalError() | psycopg.InterfaceError():
            why = f" ({code})" if code else ""
            return StorageFailed(
                f"the connection to the ledger {server} was lost{why}; whether the last step was kept is "
                "unknown",
                remedy="run the same command again: nothing is recorded twice",
            )
        case _:
            return StorageFailed(
                f"the ledger {server} failed ({code or type(refused).__name__})",
                remedy="look at the server's log, then run the same command again",
            )


def _unwritable() -> BadUsage:
    return BadUsage(
        "a name holds a NUL character, which PostgreSQL cannot keep",
        remedy="give the source, destination or event another name",
    )
