"""What somebody has who holds the database, and perhaps the keys: reads and changes anything, guards or not.

`Grip` is what an attack is written against; each back end has one. Statements are plain SQL with `:named`
values, so that one attack runs on any of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, create_engine, text

from suppress.ledger import tables
from suppress.ledger.guards import GUARDS
from tests import backends
from tests.ledger.making import Place, guard_off, guard_on


class Grip(Protocol):
    """A hand on the database of one ledger."""

    @property
    def place(self) -> Place: ...

    def meddling(self) -> AbstractContextManager[Connection]:
        """A context: a connection in one transaction, with every guard taken away and then put back."""

    def take_guard_away(self) -> None:
        """The one named `ledger_no_update`."""

    def add_trigger(self) -> None:
        """One named `quiet`, which empties `standing`."""

    def put_view_in_place(self) -> None:
        """Of the table `standing`, with the same rows."""

    def copied(self, target: Path) -> None:
        """Keep the database as it is now."""

    def put_back(self, source: Path) -> None:
        """Put an earlier state in its place."""


@dataclass(frozen=True, slots=True)
class SqliteGrip:
    """Whoever may write the file."""

    place: Place

    @contextmanager
    def meddling(self) -> Iterator[Connection]:
        engine = create_engine(f"sqlite:///{self.place.file}")
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql("PRAGMA synchronous = OFF")
                for name in tables.GUARDS:
                    connection.execute(text(f"DROP TRIGGER {name}"))
                yield connection
                for sql in tables.GUARDS.values():
                    connection.exec_driver_sql(sql)
        finally:
            engine.dispose()

    def take_guard_away(self) -> None:
        self._execute("DROP TRIGGER ledger_no_update")

    def add_trigger(self) -> None:
        self._execute("CREATE TRIGGER quiet AFTER INSERT ON standing BEGIN DELETE FROM standing; END")

    def put_view_in_place(self) -> None:
        self._execute("ALTER TABLE standing RENAME TO kept", "CREATE VIEW standing AS SELECT * FROM kept")

    def _execute(self, *statements: str) -> None:
        with self.place.raw() as connection:
            for statement in statements:
                connection.execute(statement)

    def copied(self, target: Path) -> None:
        shutil.copy2(self.place.file, target)

    def put_back(self, source: Path) -> None:
        shutil.copy2(source, self.place.file)


@dataclass(frozen=True, slots=True)
class PostgresqlGrip:
    """The owner of the tables, or a superuser."""

    place: Place

    @contextmanager
    def meddling(self) -> Iterator[Connection]:
        engine = create_engine(self.place.url)
        try:
            with engine.begin() as connection:
                for name in GUARDS:
                    connection.exec_driver_sql(guard_off(name))
                yield connection
                for name in GUARDS:
                    connection.exec_driver_sql(guard_on(name))
        finally:
            engine.dispose()

    def take_guard_away(self) -> None:
        self._execute("DROP TRIGGER ledger_no_update")

    def add_trigger(self) -> None:
        self._execute(
            "CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN DELETE FROM standing; RETURN NULL; END'",
            "CREATE TRIGGER quiet AFTER INSERT ON standing EXECUTE FUNCTION quiet()",
        )

    def put_view_in_place(self) -> None:
        self._execute("ALTER TABLE standing RENAME TO kept", "CREATE VIEW standing AS SELECT * FROM kept")

    def _execute(self, *statements: str) -> None:
        with self.place.raw() as hand:
            for statement in statements:
                hand.execute(statement)

    def copied(self, target: Path) -> None:
        backends.twin(self.place.folder, target)

    def put_back(self, source: Path) -> None:
        backends.become(self.place.folder, source)


def grip_on(place: Place) -> Grip:
    """A hand on the database that the test that runs now has its ledgers in."""
    return PostgresqlGrip(place) if backends.on_server() else SqliteGrip(place)
