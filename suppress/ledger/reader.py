"""`Reader`: questions to a ledger without SQLAlchemy, which costs more than the rest of a `suppress check`.

Questions are written once, with `?` for each value, and mean the same to both databases. Rows come as
tuples. Nothing is ever written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Protocol, Self

from suppress.errors import SuppressError
from suppress.ledger import server
from suppress.ledger.place import Place, open_read_only, translated
from suppress.ledger.server import Server, connected


class Rows(Protocol):
    """The answer to a question, as both drivers give it."""

    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Reader:
    """An open ledger that is only read."""

    def __init__(
        self, place: Place, ask: Callable[..., Rows], close: Callable[[], None], begin: str, tables: str
    ) -> None:
        self.place = place
        self.ask = ask
        """Puts a question with its values; raises the driver's errors, so do it within `reading`."""
        self.close = close
        self._begin = begin
        self._tables = tables

    @classmethod
    def open(cls, place: Place) -> Self:
        """Open a ledger's database. Raises what `open_read_only` or `server.connected` raises."""
        return cls._of_server(place) if isinstance(place, Server) else cls._of_file(place)

    @classmethod
    def _of_file(cls, file: Any) -> Self:
        connection = open_read_only(file)
        tables = "SELECT name FROM sqlite_master"
        return cls(file, connection.execute, connection.close, "BEGIN", tables)

    @classmethod
    def _of_server(cls, place: Server) -> Self:
        connection = connected(place)
        connection.autocommit = True  # transactions are begun by name, as on the other database

        def ask(question: str, values: Sequence[object] = ()) -> Rows:
            return connection.execute(_of_psycopg(question), values or None)

        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        return cls(place, ask, connection.close, begin, tables)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One read transaction: every question within it sees the same state."""
        with self.translated():
            self.ask(self._begin)
            try:
                yield
            finally:
                self.ask("COMMIT")

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn whatever the driver says into one of our errors."""
        with translated(self.place):
            try:
                yield
            except SuppressError:
                raise
            except Exception as refused:
                if isinstance(self.place, Server) and type(refused).__module__.startswith("psycopg"):
                    raise server.meaning(refused, self.place) from refused
                raise

    def tables(self) -> set[str]:
        """The names of what is in the database."""
        return {name for (name,) in self.ask(self._tables)}


@lru_cache(256)
def _of_psycopg(question: str) -> str:
    return question.replace("?", "%s")
