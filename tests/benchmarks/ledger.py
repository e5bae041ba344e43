"""The ledger against what the machine can do in the same run: fsync, executemany, a bare SELECT and hashes.

    uv run python -m tests.benchmarks.ledger [PEOPLE]

Each new person is two entries, so 500000 people are a million entries. The goals beside the figures are of
the ledger's design; they are ratios, because absolute times move with the machine.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

from suppress.audit import verify
from suppress.bundle import Grade, Wanted, bundle
from suppress.core.address import Address
from suppress.core.suppression import OptOut, Origin, Reason
from suppress.ledger import Grounds, Ledger, Lookup
from suppress.ledger.engine import opened, reading
from suppress.ledger.inspection import require_whole
from tests.benchmarks import interleaved, table

BATCH = 2_000
PARTS = 10
"""The import is timed in so many parts, and the plain one takes turns with it."""
OFTEN = 100
"""Questions that are timed together."""
TABLES = ("ledger", "payload", "subject", "event", "about", "standing", "alias")


def main() -> None:
    """Measure and print."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        single(folder)
        bulk(folder, people)
        proof(folder)
        lookups(folder, people)
        one_person(folder, people)
        erasures(folder, people)


def single(folder: Path) -> None:
    """One durable append against one append and fdatasync of as many bytes. Goal: 12 times."""
    url = f"sqlite:///{folder / 'single.db'}"
    Ledger.create(url, keys=folder / "single.keys")
    bare = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with Ledger.open(url, keys=folder / "single.keys") as ledger:
        numbers = itertools.count()
        found = interleaved(
            {
                "append + fdatasync": lambda: _durable(bare, b"x" * 800),
                "Ledger.append of one": lambda: ledger.append([_person(next(numbers))], actor="b"),
            },
            rounds=200,
        )
    os.close(bare)
    table("one durable append", found, against="append + fdatasync")


def bulk(folder: Path, people: int) -> None:
    """An import against executemany of the same rows into the same tables, batch by batch. Goal: 4 times."""
    url, file = f"sqlite:///{folder / 'bulk.db'}", folder / "bulk.db"
    Ledger.create(url, keys=folder / "bulk.keys")
    ours: list[float] = []
    plain: list[float] = []
    part = -(-people // PARTS)
    with Ledger.open(url, keys=folder / "bulk.keys") as ledger, closing(_bare_copy(file, folder)) as bare:
        for start in range(0, people, part):
            before = ledger.head().size
            events = [_person(number) for number in range(start, min(start + part, people))]
            ours.append(
                _seconds(lambda events=events: _append_all(ledger, events))  # type: ignore[misc]
            )
            plain.append(_insert_same(bare, file, before))
    total = {"executemany": sum(plain), "Ledger.append": sum(ours)}
    table(f"import of {people:,} people", total, against="executemany")
    print(f"  {2 * people / total['Ledger.append']:,.0f} entries/s")
    rates = ", ".join(f"{one / other:.1f}" for one, other in zip(ours, plain, strict=True))
    print(f"  ratio from the first tenth to the last: {rates}")


def _append_all(ledger: Ledger, events: list[OptOut]) -> None:
    for start in range(0, len(events), BATCH):
        ledger.append(events[start : start + BATCH], actor="b")


def _bare_copy(file: Path, folder: Path) -> sqlite3.Connection:
    """A database with the ledger's tables and settings, and without its guards."""
    bare = sqlite3.connect(folder / "plain.db", isolation_level=None)
    bare.execute("PRAGMA journal_mode=TRUNCATE")
    bare.execute("PRAGMA synchronous=EXTRA")
    with closing(sqlite3.connect(file)) as source:
        wanted = dict(source.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
    for name in TABLES:
        bare.execute(wanted[name])
    return bare


def _insert_same(bare: sqlite3.Connection, file: Path, first: int) -> float:
    """Insert the rows of the entries from `first` on, in batches as large as the import's; the seconds."""
    of = {
        "ledger": "SELECT * FROM ledger WHERE seq >= ? ORDER BY seq",
        "payload": "SELECT * FROM payload WHERE seq >= ? ORDER BY seq",
        "subject": "SELECT subject.* FROM subject JOIN event USING (id) WHERE seq >= ? ORDER BY seq",
        "event": "SELECT * FROM event WHERE seq >= ? ORDER BY seq",
        "about": "SELECT * FROM about WHERE person >= ? ORDER BY person",
        "standing": "SELECT * FROM standing WHERE person >= ? ORDER BY person",
        "alias": "SELECT * FROM alias WHERE person >= ? ORDER BY person",
    }
    with closing(sqlite3.connect(file)) as source:
        rows = {name: source.execute(query, (first,)).fetchall() for name, query in of.items()}
    size = {name: BATCH * 2 if name in ("ledger", "event") else BATCH for name in rows}
    batches = [
        [(name, rows[name][at * size[name] : (at + 1) * size[name]]) for name in rows]
        for at in range(-(-len(rows["ledger"]) // size["ledger"]))
    ]

    def insert() -> None:
        for batch in batches:
            _one_transaction(bare, batch)

    return _seconds(insert)


def _one_transaction(bare: sqlite3.Connection, batch: list[tuple[str, list[tuple[Any, ...]]]]) -> None:
    bare.execute("BEGIN IMMEDIATE")
    for name, rows in batch:
        if rows:
            marks = ",".join("?" * len(rows[0]))
            rows.sort(key=_by_key(name))
            bare.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
    bare.execute("COMMIT")


def _by_key(name: str) -> Callable[[tuple[Any, ...]], Any]:
    """The order of a table's primary key, in which we insert as well."""
    return itemgetter(1, 2) if name == "subject" else itemgetter(0)


def proof(folder: Path) -> None:
    """Verifying against reading the same rows and two bare hash calls for each.

    Goals: twice for the root alone, and ten times the root for everything.
    """
    path, keys = folder / "bulk.db", folder / "bulk.keys"

    def bound() -> None:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as plain:
            for (leaf,) in plain.execute("SELECT leaf FROM ledger ORDER BY seq"):
                hashlib.sha256(hashlib.sha256(leaf).digest()).digest()

    def core() -> None:
        engine = opened(path, mode="ro")
        with reading(engine, path) as connection:
            require_whole(connection)
        engine.dispose()

    found = interleaved(
        {
            "SELECT + 2 hashes": bound,
            "root over all leaves": core,
            "verify": lambda: verify(f"sqlite:///{path}", keys=keys),
        },
        rounds=3,
        clock=time.process_time,
    )
    table("verify, processor time", found, against="SELECT + 2 hashes")
    print(f"  {_most_memory(path, keys) - _most_memory(None, keys)} MiB over an idle interpreter")


def _most_memory(ledger: Path | None, keys: Path) -> int:
    """MiB that a process of its own has used at most, which verifies `ledger` or only starts."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom suppress.audit import verify\n"
        "import suppress.ledger.engine, suppress.ledger.inspection, suppress.ledger.schema\n"
        "if sys.argv[1]: verify('sqlite:///' + sys.argv[1], keys=Path(sys.argv[2]))\n"
        "lines = Path('/proc/self/status').read_text().splitlines()\n"
        "print(next(int(line.split()[1]) // 1024 for line in lines if line.startswith('VmHWM')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(ledger or ""), str(keys)],
        check=True,
        capture_output=True,
    )
    return int(done.stdout)


def lookups(folder: Path, people: int) -> None:
    """One question of many to an open ledger against one prepared SELECT. Goal: 50 microseconds."""
    url, keys = f"sqlite:///{folder / 'bulk.db'}", folder / "bulk.keys"
    with (
        closing(sqlite3.connect(folder / "plain.db")) as plain,
        Ledger.open(url, keys=keys) as ledger,
        Lookup.open(url, keys=keys) as quick,
    ):
        asked: Iterator[Address] = (
            Address.parse(f"person{number * 7919 % people}@example.com") for number in itertools.count()
        )
        (ids,) = zip(*plain.execute("SELECT blind_index FROM subject LIMIT 1000"), strict=True)
        indexes = itertools.cycle(ids)
        question = "SELECT id FROM subject WHERE key_id = 'k1' AND blind_index = ?"
        found = interleaved(
            {
                "sqlite3 SELECT": _often(lambda: plain.execute(question, (next(indexes),)).fetchone()),
                "Lookup.verdict": _often(lambda: quick.verdict(next(asked))),
                "Ledger.check": _often(lambda: ledger.check(next(asked).raw)),
            },
            rounds=20,
        )
    print("one lookup")
    for name, seconds in found.items():
        print(f"  {name:16} {seconds / OFTEN * 1e6:8.1f} us  {seconds / found['sqlite3 SELECT']:6.2f} x")


def _often(question: Callable[[], object]) -> Callable[[], None]:
    """As a program asks that has many addresses: what one question needs is in the caches for the next."""

    def ask() -> None:
        for _ in range(OFTEN):
            question()

    return ask


def one_person(folder: Path, people: int) -> None:
    """The bundle of one person, proven. Goal: 5 seconds."""
    url, keys = f"sqlite:///{folder / 'bulk.db'}", folder / "bulk.keys"
    wanted = Wanted(Grade.PERSON, address=Address.parse(f"person{people // 2}@example.com"))
    with Ledger.open(url, keys=keys) as ledger:
        now = datetime.now(UTC)
        taken = _seconds(
            lambda: bundle(ledger, folder / "bundle", wanted, organisation=None, now=now, actor="b")
        )
    print(f"bundle of one person\n  {taken:.1f} s")


def erasures(folder: Path, people: int) -> None:
    """Erasing one person, twenty times. Goal: 100 ms."""
    url, keys = f"sqlite:///{folder / 'bulk.db'}", folder / "bulk.keys"
    taken = []
    with Ledger.open(url, keys=keys) as ledger:
        for number in range(20):
            address = Address.parse(f"person{number * 7919 % people}@example.com")
            seen = [each.entry.seq for each in ledger.history(address)]
            taken.append(
                _seconds(
                    lambda address=address, seen=seen: ledger.erase(  # type: ignore[misc]
                        address, Grounds("Art. 17 GDPR"), seen=seen, actor="b"
                    )
                )
            )
    print(f"erase one person\n  median {statistics.median(taken) * 1000:.0f} ms, most {max(taken):.2f} s")


def _durable(file: int, text: bytes) -> None:
    os.write(file, text)
    os.fdatasync(file)


def _person(number: int) -> OptOut:
    address = Address.parse(f"person{number}@example.com")
    evidence = {"contact_id": f"{number:032x}", "opt_out_reason": "No longer interested"}
    return OptOut(
        address, "main", Origin.PLATFORM, Reason.UNSUBSCRIBED, evidence=evidence, facts=(str(number),)
    )


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
