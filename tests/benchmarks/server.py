"""The ledger on PostgreSQL against what the same server can do in the same run: a commit, and COPY.

    uv run python -m tests.benchmarks.server [PEOPLE]

Each new person is two entries. The server is one from the wheel with its own settings (fsync on), on a Unix
socket; the goals beside the figures are of the ledger's design.
"""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from suppress.audit import verify
from suppress.core.address import Address
from suppress.ledger import Ledger, Lookup, tables
from suppress.ledger.engine import copied_as
from tests.backends import connection_to, started
from tests.benchmarks import interleaved, table
from tests.benchmarks.ledger import BATCH, PARTS, TABLES, _append_all, _durable, _person, _seconds

Rows = list[tuple[Any, ...]]


def main() -> None:
    """Measure and print."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = started(folder / "server")
        try:
            url = server.get_uri().replace("postgresql:", "postgresql+psycopg:")
            with closing(connection_to(url)) as connection:
                for database in ("ledger", "bare"):
                    connection.execute(f"CREATE DATABASE {database}".encode())
            ledger, bare = (url.replace("/postgres?", f"/{each}?") for each in ("ledger", "bare"))
            Ledger.create(ledger, keys=folder / "keys")
            Ledger.create(bare, keys=folder / "bare.keys")
            single(ledger, folder)
            bulk(ledger, bare, folder, people)
            answers(ledger, folder, people)
            taken = _seconds(lambda: verify(ledger, keys=folder / "keys"))
            print(f"verify\n  {taken:.1f} s")
        finally:
            server.cleanup()


def single(url: str, folder: Path) -> None:
    """One durable append against one append and fdatasync of as many bytes, and a bare commit."""
    bare = os.open(folder / "file", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with Ledger.open(url, keys=folder / "keys") as ledger, closing(connection_to(url)) as plain:
        plain.execute("CREATE TABLE commits (body bytea)")
        numbers = itertools.count(10_000_000)
        found = interleaved(
            {
                "append + fdatasync": lambda: _durable(bare, b"x" * 800),
                "one INSERT, committed": lambda: plain.execute(
                    "INSERT INTO commits VALUES (%s)", (b"x" * 800,)
                ),
                "Ledger.append of one": lambda: ledger.append([_person(next(numbers))], actor="b"),
            },
            rounds=200,
        )
        plain.execute("DROP TABLE commits")
    os.close(bare)
    table("one durable append", found, against="append + fdatasync")


def bulk(url: str, bare: str, folder: Path, people: int) -> None:
    """An import against COPY of the same rows into the same tables. Goals: 15,000 entries/s, 4 times."""
    ours: list[float] = []
    plain: list[float] = []
    busy = 0.0
    part = -(-people // PARTS)
    with Ledger.open(url, keys=folder / "keys") as ledger, closing(connection_to(bare)) as other:
        _without_guards(other)
        for start in range(0, people, part):
            before = ledger.head().size
            events = [_person(number) for number in range(start, min(start + part, people))]
            busy -= time.process_time()
            ours.append(_seconds(lambda events=events: _append_all(ledger, events)))  # type: ignore[misc]
            busy += time.process_time()
            plain.append(_copy_same(url, other, before))
    total = {"COPY": sum(plain), "Ledger.append": sum(ours)}
    table(f"import of {people:,} people", total, against="COPY")
    print(
        f"  {2 * people / total['Ledger.append']:,.0f} entries/s, {2 * people / busy:,.0f} a processor second"
    )
    rates = ", ".join(f"{one / other:.1f}" for one, other in zip(ours, plain, strict=True))
    print(f"  ratio from the first tenth to the last: {rates}")


def _without_guards(bare: psycopg.Connection[Any]) -> None:
    for name in TABLES:
        bare.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER".encode())
        bare.execute(f"DELETE FROM {name}".encode())


def _copy_same(url: str, bare: psycopg.Connection[Any], first: int) -> float:
    of = {
        "ledger": "SELECT * FROM ledger WHERE seq >= %s ORDER BY seq",
        "payload": "SELECT * FROM payload WHERE seq >= %s ORDER BY seq",
        "subject": "SELECT subject.* FROM subject JOIN event USING (id) WHERE seq >= %s ORDER BY seq",
        "event": "SELECT * FROM event WHERE seq >= %s ORDER BY seq",
        "about": "SELECT * FROM about WHERE person >= %s ORDER BY person",
        "standing": "SELECT * FROM standing WHERE person >= %s ORDER BY person",
        "alias": "SELECT * FROM alias WHERE person >= %s ORDER BY person",
    }
    with closing(connection_to(url)) as source:
        rows: dict[str, Rows] = {
            name: source.execute(query.encode(), (first,)).fetchall() for name, query in of.items()
        }
    size = {name: BATCH * 2 if name in ("ledger", "event") else BATCH for name in rows}
    batches = [
        [(name, rows[name][at * size[name] : (at + 1) * size[name]]) for name in rows]
        for at in range(-(-len(rows["ledger"]) // size["ledger"]))
    ]

    def insert() -> None:
        for batch in batches:
            with bare.transaction():
                for name, some in batch:
                    _copy(bare, name, some)

    return _seconds(insert)


def _copy(bare: psycopg.Connection[Any], name: str, rows: Rows) -> None:
    kinds = [copied_as(column.type) for column in tables.metadata.tables[name].columns]
    statement = f"COPY {name} FROM STDIN (FORMAT BINARY)"
    with bare.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.set_types(kinds)
        for row in rows:
            copy.write_row(row)


def answers(url: str, folder: Path, people: int) -> None:
    """One question to an open ledger against one prepared SELECT."""
    with closing(connection_to(url)) as plain, Lookup.open(url, keys=folder / "keys") as quick:
        asked = (Address.parse(f"person{number * 7919 % people}@example.com") for number in itertools.count())
        (ids,) = zip(*plain.execute("SELECT blind_index FROM subject LIMIT 1000").fetchall(), strict=True)
        indexes = itertools.cycle(ids)
        question = "SELECT id FROM subject WHERE key_id = 'k1' AND blind_index = %s"
        found = interleaved(
            {
                "one SELECT": lambda: plain.execute(question, (next(indexes),)).fetchone(),
                "Lookup.verdict": lambda: quick.verdict(next(asked)),
            },
            rounds=1_000,
        )
    print("one lookup")
    for name, seconds in found.items():
        print(f"  {name:16} {seconds * 1e6:8.1f} us  {seconds / found['one SELECT']:6.2f} x")


if __name__ == "__main__":
    main()
