"""Single bytes changed anywhere: in every stored value, and in the file itself. Every one is found.

A change is *found* when `verify` names it, when the ledger refuses to open, or when SQLite refuses to store
it (a STRICT table takes no text for bytes). The tables' content is changed in a copy, with the guards taken
away and put back, as somebody would who has the file.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from suppress.audit import verify
from suppress.core.address import Address
from suppress.core.entry import Corrected
from suppress.core.suppression import Reason, Scope
from suppress.errors import SuppressError
from suppress.ledger import Event
from tests.ledger.making import NOON, Place, consent, drift, opt_out, sync_done

COLUMNS = {
    "ledger": ("seq", "leaf"),
    "checkpoint": ("size", "note"),
    "head": ("size", "frontier", "last_at", "note"),
    "subject": ("id", "key_id", "blind_index", "salt"),
    "payload": ("seq", "salt", "body"),
    "event": ("id", "seq", "mark"),
    "about": ("person", "seq"),
    "standing": ("person", "channel", "scope", "reason", "since", "latest", "source", "seq", "visibility"),
    "lift": ("person", "channel", "scope", "at", "seq"),
    "alias": ("key_id", "alias_index", "person"),
    "topic": ("type", "name", "seq"),
    "built": ("name", "version"),
    "alembic_version": ("version_num",),
}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A small ledger with something in every table."""
    place = Place(tmp_path_factory.mktemp("flips")).create()
    place.record(
        opt_out("pat@example.com", evidence={"note": "stop"}),
        opt_out("p.at@gmail.com", reason=Reason.COMPLAINT, scope=Scope("Acme", "News"), at=None),
        sync_done("run-1", mode="census"),
    )
    with place.open() as ledger:
        ledger.keep_checkpoint()
    place.record(
        drift("p.at@gmail.com"), consent("sam@gmail.com", at=NOON), Event("c", Corrected(2, "another Pat"))
    )
    place.record(opt_out("erased@example.com"))
    with place.open() as ledger:
        history = ledger.history(Address.parse("erased@example.com"))
    place.erase([history[1].entry.seq], history[0].entry.id)
    assert verify(place.url, keys=place.keys).ok
    return place


@pytest.fixture
def place(tmp_path: Path, original: Place) -> Place:
    """A copy to be damaged."""
    copy = Place(tmp_path)
    shutil.copy2(original.file, copy.file)
    shutil.copytree(original.keys, copy.keys)
    return copy


def values(place: Place) -> Iterator[tuple[str, str, int, Any]]:
    """Every stored value: table, column, which row, and the value itself."""
    with place.raw() as connection:
        for table, columns in COLUMNS.items():
            for column in columns:
                rows = connection.execute(f"SELECT {column} FROM {table} ORDER BY 1").fetchall()
                for number, (value,) in enumerate(rows):
                    yield table, column, number, value


def changes(value: Any) -> Iterator[Any]:
    """The value with one byte changed, each byte once (three ways for a number)."""
    match value:
        case None:
            yield "2026-01-01T00:00:00.000000Z"
        case int():
            yield from (value + 1, value ^ 0x80, ~value)
        case bytes():
            for place_ in range(len(value)):
                yield value[:place_] + bytes([value[place_] ^ (1 << place_ % 8)]) + value[place_ + 1 :]
        case str():
            for place_, letter in enumerate(value):
                yield value[:place_] + chr(ord(letter) ^ (1 << place_ % 5)) + value[place_ + 1 :]


def found(place: Place) -> bool:
    """Whether the change is noticed, by a finding or by a refusal; a crash fails the test."""
    try:
        return not verify(place.url, keys=place.keys).ok
    except SuppressError:
        return True


def test_the_list_of_columns_is_complete(original: Place) -> None:
    """No table and no column is left out."""
    with original.raw() as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        stored = {
            table: tuple(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))
            for table in tables
        }
    assert {table: set(columns) for table, columns in stored.items()} == {
        table: set(columns) for table, columns in COLUMNS.items()
    }


def test_any_changed_byte_of_any_value_is_found(
    original: Place, place: Place, rounds: Callable[[int], int]
) -> None:
    """A sample of all bytes of all values in every table; all of them in the long run.

    Columns are sampled evenly, so that the small ones (a scope, a date) get their share beside the leaves.
    """
    chance = random.Random(20261123)
    by_column: dict[tuple[str, str], list[tuple[int, Any, Any]]] = {}
    for table, column, number, value in values(original):
        by_column.setdefault((table, column), []).extend(
            (number, value, changed) for changed in changes(value)
        )
    tried, missed = 0, []
    with place.raw() as connection:
        guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (table, column), candidates in by_column.items():
        sample = chance.sample(candidates, min(len(candidates), rounds(8)))
        for number, value, changed in sample:
            if not _stored(place, guards, table, column, number, changed):
                continue
            tried += 1
            if not found(place):
                missed.append((table, column, number, value, changed))
            shutil.copyfile(original.file, place.file)

    print(f"\n{tried:,} changed values in {len(by_column)} columns, {len(missed)} missed")
    assert [] == missed
    assert {(table, column) for table, columns in COLUMNS.items() for column in columns} == by_column.keys()


def _stored(
    place: Place, guards: list[tuple[str, str]], table: str, column: str, number: int, changed: Any
) -> bool:
    """Put the changed value in; False when SQLite does not take it or nothing was there to change."""
    with place.raw() as connection:
        connection.execute("PRAGMA synchronous = OFF")
        for name, _ in guards:
            connection.execute(f"DROP TRIGGER {name}")
        key = f"SELECT {column} FROM {table} ORDER BY 1 LIMIT 1 OFFSET {number}"
        (value,) = connection.execute(key).fetchone()
        try:
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} IS ?", (changed, value))
        except sqlite3.IntegrityError:
            return False
        finally:
            for _, sql in guards:
                connection.execute(sql)
    return True


def test_every_byte_of_the_smallest_ledger_is_covered(tmp_path: Path) -> None:
    """Exhaustively: one person, every byte of every leaf, payload, subject row and head."""
    original = Place(tmp_path / "original")
    original.folder.mkdir()
    original.create()
    original.record(opt_out("a@b.example", at=None))
    place = Place(tmp_path / "copy")
    place.folder.mkdir()
    shutil.copytree(original.keys, place.keys)
    shutil.copyfile(original.file, place.file)
    with place.raw() as connection:
        guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    tried, missed = 0, []
    for table, column, number, value in values(original):
        if table not in ("ledger", "payload", "subject", "head"):
            continue
        for changed in changes(value):
            if not _stored(place, guards, table, column, number, changed):
                continue
            tried += 1
            if not found(place):
                missed.append((table, column, number, changed))
            shutil.copyfile(original.file, place.file)

    assert [] == missed
    assert tried > 1000


def test_a_changed_byte_of_the_file_is_found_or_changes_nothing(
    original: Place, place: Place, rounds: Callable[[int], int]
) -> None:
    """Anywhere in the file: a finding, a refusal, or the content is what it was (free space, counters)."""
    chance = random.Random(42)
    whole = original.file.read_bytes()
    content = _content(original)
    unnoticed = []
    for _ in range(rounds(150)):
        position = chance.randrange(len(whole))
        flipped = bytearray(whole)
        flipped[position] ^= 1 << chance.randrange(8)
        place.file.write_bytes(flipped)
        if not found(place) and _content(place) != content:
            unnoticed.append(position)
        for journal in place.folder.glob("suppress.db-*"):
            journal.unlink()

    assert [] == unnoticed


def _content(place: Place) -> Any:
    try:
        with place.raw() as connection:
            return [
                connection.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY 1, 2").fetchall()
                if len(columns) > 1
                else connection.execute(f"SELECT {columns[0]} FROM {table}").fetchall()
                for table, columns in COLUMNS.items()
            ]
    except sqlite3.Error as refused:
        return refused
