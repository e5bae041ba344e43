"""A process whose every write is recorded: it appends, erases and forgets, and says what was acknowledged.

    python -m tests.faults.recorded FOLDER STEPS [JOURNAL SYNCHRONOUS]

After each step two numbers go to stdout: how many entries were acknowledged, and how many people's removals.
Other settings of SQLite than ours, for the harness to show that it would notice, are set here and nowhere
else.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

from suppress.core.address import Address
from suppress.ledger import Grounds, Ledger, engine
from tests.faults.writer import batch
from tests.ledger.making import Place


def main(folder: str, steps: str, journal: str = "", synchronous: str = "") -> None:
    """Do the steps: four appends, then an erasure, and at last somebody is forgotten."""
    if journal:
        _settle_for(journal, synchronous)
    removed = 0
    with Place(Path(folder)).open() as ledger:
        for step in range(int(steps)):
            if step % 5 == 4:
                _remove(ledger, f"w.{step - 1}.1@example.com", forget=step + 5 > int(steps))
                removed += 1
            else:
                ledger.append(batch("w", step, 2), actor="test")
            os.write(sys.stdout.fileno(), f"{ledger.head().size} {removed}\n".encode())


def _remove(ledger: Ledger, address: str, *, forget: bool) -> None:
    who = Address.parse(address)
    seen = [each.entry.seq for each in ledger.history(who)]
    (ledger.forget if forget else ledger.erase)(who, Grounds("Art. 17 GDPR"), seen=seen, actor="test")


def _settle_for(journal: str, synchronous: str) -> None:
    settle = engine._settle

    def other(connection: sqlite3.Connection, mode: str) -> None:
        settle(connection, mode)
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute(f"PRAGMA synchronous = {synchronous}")

    engine._settle = other


if __name__ == "__main__":
    main(*sys.argv[1:])
