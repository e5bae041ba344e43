"""Single bits flipped anywhere in a ledger on a server: every one is found, or refused by the server.

A superuser does it: the table's guards disabled, foreign keys not looked at, one value of one row changed,
the guards enabled again, all in one transaction, so that `verify` sees nothing but the changed value.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from psycopg import sql

from suppress.audit import verify
from suppress.core.entry import Corrected
from suppress.core.suppression import Reason, Scope
from suppress.ledger import Event
from suppress.ledger.guards import GUARDS
from tests import backends
from tests.faults.test_flips import COLUMNS, found
from tests.ledger.making import NOON, Place, consent, drift, guard_off, guard_on, opt_out, sync_done

pytestmark = [pytest.mark.server_only, pytest.mark.timeout(3 * 3600)]

Connection = psycopg.Connection[tuple[Any, ...]]
Value = tuple[str, str, str, Any]
"""Table, column, where the row lies, and what it holds there."""


@pytest.fixture
def original(place: Place) -> Place:
    """A small ledger with something in every table."""
    place.record(
        opt_out("pat@example.com", evidence={"note": "stop"}),
        opt_out("p.at@gmail.com", reason=Reason.COMPLAINT, scope=Scope("Acme", "News"), at=None),
        sync_done("run-1", mode="census"),
    )
    with place.open() as ledger:
        ledger.keep_checkpoint()
    first = drift("p.at@gmail.com"), consent("sam@gmail.com", at=NOON)
    place.record(*first, Event("c", Corrected(2, "another Pat")))
    assert verify(place.url, keys=place.keys).ok
    return place


@pytest.fixture
def superuser(original: Place) -> Iterator[Connection]:
    """A connection that does not look at foreign keys."""
    with closing(backends.connection_to(original.url)) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


def values(connection: Connection) -> Iterator[Value]:
    """Every stored value."""
    for table, columns in COLUMNS.items():
        for column in columns:
            for row, value in connection.execute(f"SELECT ctid::text, {column} FROM {table}".encode()):
                yield table, column, row, value


def flips(value: Any) -> Iterator[Any]:
    """The value with one bit flipped, each bit once. Nothing becomes a date."""
    match value:
        case None:
            yield "2026-01-01T00:00:00.000000Z"
        case int():
            yield from (value ^ (1 << bit) for bit in range(63))
        case bytes():
            for bit in range(8 * len(value)):
                byte = value[bit // 8] ^ (1 << bit % 8)
                yield value[: bit // 8] + bytes([byte]) + value[bit // 8 + 1 :]
        case str():
            for bit in range(7 * len(value)):
                letter = chr(ord(value[bit // 7]) ^ (1 << bit % 7))
                yield value[: bit // 7] + letter + value[bit // 7 + 1 :]


def put(connection: Connection, table: str, column: str, row: str, value: Any) -> str | None:
    """Write a value into one row; where the row lies now, or None when the server does not take it."""
    guards = [name for name, guard in GUARDS.items() if guard.table == table]
    statement = sql.SQL("UPDATE {} SET {} = %s WHERE ctid = %s::tid RETURNING ctid::text")
    try:
        with connection.transaction():
            for name in guards:
                connection.execute(guard_off(name).encode())
            changed = statement.format(sql.Identifier(table), sql.Identifier(column))
            (moved,) = connection.execute(changed, (value, row)).fetchone() or (None,)
            for name in guards:
                connection.execute(guard_on(name).encode())
    except (psycopg.IntegrityError, psycopg.DataError):
        return None
    assert moved is not None, "there is no such row"
    return str(moved)


def test_the_list_of_columns_is_complete(original: Place, superuser: Connection) -> None:
    """No table and no column is left out, and none is empty."""
    stored = superuser.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    ).fetchall()

    listed = {(table, column) for table, columns in COLUMNS.items() for column in columns}
    assert listed == set(stored)
    assert listed == {(table, column) for table, column, _, _ in values(superuser)}


def test_any_flipped_bit_of_any_value_on_a_server_is_found(
    original: Place, superuser: Connection, rounds: Callable[[int], int]
) -> None:
    """A sample of the bits of each column; `verify` names each change, or refuses, and never crashes."""
    chance = random.Random(20261123)
    stored: dict[tuple[str, str], list[str]] = {}
    for table, column, row, _ in values(superuser):
        stored.setdefault((table, column), []).append(row)
    tried, refused, missed = 0, 0, []
    for table, column in stored:
        for _ in range(rounds(3)):
            rows = superuser.execute(f"SELECT ctid::text, {column} FROM {table}".encode()).fetchall()
            row, value = chance.choice(rows)
            changed = chance.choice(list(flips(value)))
            moved = put(superuser, table, column, row, changed)
            if moved is None:
                refused += 1
                continue
            tried += 1
            if not found(original):
                missed.append((table, column, value, changed))
            assert put(superuser, table, column, moved, value)

    print(f"\n{tried:,} flipped bits in {len(stored)} columns, {len(missed)} missed, {refused} not taken")
    assert [] == missed
    assert tried > refused
    assert verify(original.url, keys=original.keys).ok, "what was put back is not what was there"
