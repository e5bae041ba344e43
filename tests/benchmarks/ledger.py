"""The ledger against what the machine can do in the same run: fsync, executemany, a bare SELECT and hashes.

uv run python -m tests.benchmarks.ledger [PEOPLE]
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from suppress.audit import verify
from suppress.core.address import Address
from suppress.core.suppression import OptOut, Origin, Reason
from suppress.ledger import Ledger
from tests.benchmarks import interleaved, table

BATCH = 2_000


def main() -> None:
    """Measure and print."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        single(folder)
        bulk(folder, people)
        proof(folder)
        lookups(folder, people)


def single(folder: Path) -> None:
    """One durable append against one append and fdatasync of as many bytes."""
    url = f"sqlite:///{folder / 'single.db'}"
    Ledger.create(url, keys=folder / "single.keys")
    bare = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with Ledger.open(url, keys=folder / "single.keys") as ledger:
        numbers = iter(range(10**9))
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
    """As many opt-outs as a first sync brings, against executemany of as many plain rows."""
    url = f"sqlite:///{folder / 'bulk.db'}"
    Ledger.create(url, keys=folder / "bulk.keys")
    events = [_person(number) for number in range(people)]
    with Ledger.open(url, keys=folder / "bulk.keys") as ledger:
        ours = _seconds(
            lambda: [
                ledger.append(events[start : start + BATCH], actor="b") for start in range(0, people, BATCH)
            ]
        )
    plain = sqlite3.connect(folder / "plain.db")
    plain.execute("PRAGMA journal_mode=TRUNCATE")
    plain.execute("PRAGMA synchronous=EXTRA")
    plain.execute("CREATE TABLE t (a TEXT PRIMARY KEY, b TEXT, c TEXT, d BLOB)")
    rows = [(f"person{number}@example.com", "main", "unsubscribed", b"x" * 400) for number in range(people)]

    def executemany() -> None:
        for start in range(0, people, BATCH):
            with plain:
                plain.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows[start : start + BATCH])

    bare = _seconds(executemany)
    plain.close()
    table(f"import of {people:,}", {"executemany": bare, "Ledger.append": ours}, against="executemany")
    # Each new person is two entries: the subject and the opt-out.
    print(f"  {2 * people / ours:,.0f} entries/s")


def proof(folder: Path) -> None:
    """verify against reading the same rows and two bare hash calls for each."""
    path = folder / "bulk.db"

    def bound() -> None:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as plain:
            for (leaf,) in plain.execute("SELECT leaf FROM ledger ORDER BY seq"):
                hashlib.sha256(hashlib.sha256(leaf).digest()).digest()

    keys = folder / "bulk.keys"
    found = interleaved(
        {"SELECT + 2 hashes": bound, "verify": lambda: verify(f"sqlite:///{path}", keys=keys)}, rounds=3
    )
    table("verify", found, against="SELECT + 2 hashes")


def lookups(folder: Path, people: int) -> None:
    """One question to an open ledger against one prepared SELECT."""
    plain = sqlite3.connect(folder / "plain.db")
    with Ledger.open(f"sqlite:///{folder / 'bulk.db'}", keys=folder / "bulk.keys") as ledger:
        numbers = iter(range(10**9))
        found = interleaved(
            {
                "sqlite3 SELECT": lambda: plain.execute(
                    "SELECT b FROM t WHERE a = ?", (f"person{next(numbers) * 7919 % people}@example.com",)
                ).fetchone(),
                "Ledger.check": lambda: ledger.check(f"person{next(numbers) * 7919 % people}@example.com"),
            },
            rounds=2_000,
        )
    plain.close()
    table("one lookup", found, against="sqlite3 SELECT")


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
