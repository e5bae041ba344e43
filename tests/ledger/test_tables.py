"""Tables and guards: what the migration builds, what it refuses, and that the code agrees with it."""

from __future__ import annotations

import re
import sqlite3

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from suppress.ledger import schema, tables
from suppress.ledger.engine import sqlite_engine
from tests.ledger.making import Place, opt_out


def test_migrations_and_tables_agree(place: Place) -> None:
    """Autogenerate finds nothing to do on a database that the migrations made."""
    engine = sqlite_engine(place.file, mode="ro")
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), tables.metadata)
    engine.dispose()

    assert [] == differences


def test_the_guards_stand_exactly(place: Place) -> None:
    """Every trigger by name and text, and no other."""
    with place.raw() as connection:
        found = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))

    assert dict(tables.GUARDS) == found


def test_every_table_is_strict_and_every_constraint_is_named(place: Place) -> None:
    """So that a text never hides in a column of bytes, and a migration can name what it changes."""
    with place.raw() as connection:
        ours = dict(
            connection.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name != 'alembic_version'"
            )
        )

    assert {table.name for table in tables.metadata.tables.values()} == ours.keys()
    for name, sql in ours.items():
        assert sql.rstrip().endswith("STRICT"), name
        assert f"CONSTRAINT pk_{name} PRIMARY KEY" in sql


def test_the_code_names_the_newest_migration() -> None:
    """`HEAD` and `REVISION` are the head of the scripts, `OLDER` the ones before it."""
    config = Config()
    config.set_main_option("script_location", str(schema.migrations_folder()))
    scripts = ScriptDirectory.from_config(config)
    revisions = [script.revision for script in scripts.walk_revisions()]

    assert [schema.HEAD] == scripts.get_heads() == [tables.REVISION]
    assert set(schema.OLDER) == set(revisions) - {schema.HEAD}


def test_a_migration_imports_nothing_of_ours() -> None:
    """Today's tables will have changed by the time it runs."""
    for script in (schema.migrations_folder() / "versions").glob("*.py"):
        assert re.search(r"(from|import) suppress", script.read_text()) is None


ATTACKS = [
    "UPDATE ledger SET leaf = x'00' WHERE seq = 1",
    "UPDATE ledger SET seq = 99 WHERE seq = 2",
    "UPDATE OR REPLACE ledger SET seq = 1 WHERE seq = 2",
    "DELETE FROM ledger WHERE seq = 2",
    "DELETE FROM ledger",
    "INSERT OR REPLACE INTO ledger VALUES (1, x'00')",
    "REPLACE INTO ledger VALUES (2, x'00')",
    "INSERT INTO ledger VALUES (1, x'00') ON CONFLICT (seq) DO UPDATE SET leaf = excluded.leaf",
    "INSERT INTO ledger VALUES (4, x'00')",
    "INSERT INTO ledger VALUES (-1, x'00')",
    "INSERT INTO ledger VALUES (NULL, x'00')",
    "INSERT INTO ledger (leaf) VALUES (x'00')",
    "INSERT INTO ledger VALUES (3, NULL)",
    "INSERT INTO ledger VALUES (3, 'text')",
    "UPDATE checkpoint SET note = x'00'",
    "DELETE FROM checkpoint",
    "INSERT OR REPLACE INTO checkpoint VALUES (1, x'00')",
    "DELETE FROM head",
    "INSERT INTO head VALUES (9, x'', 'x', x'')",
    "INSERT OR REPLACE INTO head SELECT * FROM head",
    "UPDATE head SET size = size - 1",
    "UPDATE subject SET blind_index = x'00'",
    "INSERT OR REPLACE INTO subject SELECT id, key_id, blind_index, x'00' FROM subject",
    "UPDATE payload SET body = x'00'",
    "INSERT OR REPLACE INTO payload VALUES (2, x'00', x'00')",
]


@pytest.mark.parametrize("statement", ATTACKS)
def test_the_guards_refuse(place: Place, statement: str) -> None:
    """Ordinary statements cannot change what was recorded, INSERT OR REPLACE included."""
    place.record(opt_out())
    before = _content(place)

    with place.raw() as connection, pytest.raises((sqlite3.IntegrityError, sqlite3.OperationalError)):
        connection.execute(statement)

    assert before == _content(place)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO ledger VALUES (1, x'00')",
        "INSERT OR REPLACE INTO payload VALUES (2, x'00', x'00')",
    ],
)
def test_the_hole_is_there_without_the_insert_guard(place: Place, statement: str) -> None:
    """REPLACE fires no DELETE trigger: with only UPDATE and DELETE forbidden it rewrites rows."""
    place.record(opt_out())
    with place.raw() as connection:
        connection.execute("DROP TRIGGER ledger_in_order")
        connection.execute("DROP TRIGGER payload_only_new")
        connection.execute(statement)


def test_erasing_is_possible(place: Place) -> None:
    """Payload rows and subject rows may go; leaves may not."""
    place.record(opt_out())
    with place.raw() as connection:
        connection.execute("DELETE FROM payload WHERE seq = 2")
        connection.execute("DELETE FROM subject")


def test_a_connection_is_durable_and_forgets(place: Place) -> None:
    """The pragmas that the crash images and the erasure scan were measured with."""
    engine = sqlite_engine(place.file, mode="rw")
    with engine.connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys", "trusted_schema")
        }
    engine.dispose()

    assert {
        "journal_mode": "truncate",
        "synchronous": 3,
        "secure_delete": 1,
        "foreign_keys": 1,
        "trusted_schema": 0,
    } == settings


def test_erased_bytes_leave_the_file(place: Place) -> None:
    """With secure_delete no erased address can be read from free pages."""
    people = [f"erase-me-{number}@example.com" for number in range(50)]
    seqs = place.record(*(opt_out(each) for each in people))
    assert b"erase-me-7@" in place.file.read_bytes()
    with place.open() as ledger:
        subjects = {seq: getattr(next(ledger.entries(seq, seq + 1)).body, "subject", "") for seq in seqs}
    for seq, subject in subjects.items():
        place.erase([seq], subject)

    left = b"".join(each.read_bytes() for each in place.folder.iterdir() if each.is_file())
    assert b"erase-me" not in left


def _content(place: Place) -> list[object]:
    with place.raw() as connection:
        return [
            connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
            for table in ("ledger", "checkpoint", "head", "subject", "payload")
        ]
