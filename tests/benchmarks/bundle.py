"""A bundle about one person against reading every entry and hashing it twice, which no proof can do without.

uv run python -m tests.benchmarks.bundle [PEOPLE]
"""

from __future__ import annotations

import hashlib
import itertools
import resource
import sqlite3
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from suppress.bundle import Grade, Wanted, bundle
from suppress.core.address import Address
from suppress.ledger import Ledger
from tests.benchmarks import interleaved, table
from tests.benchmarks.ledger import BATCH, _person

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def main() -> None:
    """Measure and print."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url, keys = f"sqlite:///{folder / 'l.db'}", folder / "l.keys"
        Ledger.create(url, keys=keys)
        with Ledger.open(url, keys=keys) as ledger:
            for start in range(0, people, BATCH):
                ledger.append([_person(each) for each in range(start, start + BATCH)], actor="b")
        _measure(folder, url, keys, people)


def _measure(folder: Path, url: str, keys: Path, people: int) -> None:
    numbers = itertools.count()
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def bound() -> None:
        with sqlite3.connect(f"file:{folder / 'l.db'}?mode=ro", uri=True) as plain:
            for (leaf,) in plain.execute("SELECT leaf FROM ledger ORDER BY seq"):
                hashlib.sha256(hashlib.sha256(leaf).digest()).digest()

    def made(wanted: Wanted) -> None:
        with Ledger.open(url, keys=keys) as ledger:
            bundle(ledger, folder / f"b{next(numbers)}", wanted, organisation=None, now=NOW, actor="b")

    one = Wanted(Grade.PERSON, address=Address.parse(f"person{people // 2}@example.com"))
    found = interleaved(
        {
            "SELECT + 2 hashes": bound,
            "one person": lambda: made(one),
            "the whole ledger": lambda: made(Wanted()),
        },
        rounds=3,
    )
    table(f"a bundle of {2 * people:,} entries", found, against="SELECT + 2 hashes")
    proofs = [file.stat().st_size for file in (folder / "b0").glob("proofs/*")]
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - idle) // 1024
    print(f"  largest proof {max(proofs):,} bytes; {more} MiB more than before")


if __name__ == "__main__":
    main()
