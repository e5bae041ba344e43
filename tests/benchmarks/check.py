"""`suppress check` of a contact file against what people write instead: csv, strip, lower and a set.

uv run python -m tests.benchmarks.check [ROWS]
"""

from __future__ import annotations

import csv
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from suppress.core.address import Address
from suppress.core.suppression import OptOut, Origin, Reason
from suppress.ledger import Ledger
from tests.benchmarks import interleaved, table

PEOPLE = 100_000
NAIVE = """\
import csv, sys
held = {line.strip().lower() for line in open("held.txt", encoding="utf-8")}
with open("in.csv", newline="", encoding="utf-8") as source, \\
     open("naive.csv", "w", newline="", encoding="utf-8") as kept:
    reader, writer = csv.reader(source), csv.writer(kept)
    writer.writerow(next(reader))
    missed = 0
    for row in reader:
        if row[0].strip().lower() not in held:
            writer.writerow(row)
"""


def main() -> None:
    """Measure and print."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        due = _write(folder, rows)
        script = str(Path(sys.executable).with_name("suppress"))
        ours = [script, "check", "in.csv", "--kept", "kept.csv", "--withheld", "withheld.csv"]
        found = interleaved(
            {
                "csv + set": lambda: _run(folder, [sys.executable, "-c", NAIVE]),
                "suppress check": lambda: _run(folder, ours),
            },
            rounds=3,
        )
        table(f"check of {rows:,} rows against {PEOPLE:,} people", found, against="csv + set")
        print(f"  {rows / found['suppress check']:,.0f} rows/s")
        for label, file in (("csv + set", "naive.csv"), ("suppress check", "kept.csv")):
            print(f"  {label}: {_count(folder / file) - (rows - due):,} suppressed people let through")


def _write(folder: Path, rows: int) -> int:
    """The ledger, the plain list, and a dirty file. Returns how many rows are due to be withheld."""
    chance = random.Random(7)
    people = [f"person{number}@ex\u00e4mple{number % 50}.com" for number in range(PEOPLE)]
    url = f"sqlite:///{folder / 'suppress.db'}"
    Ledger.create(url, keys=folder / "suppress.keys")
    with Ledger.open(url) as ledger:
        for start in range(0, PEOPLE, 5_000):
            ledger.append(
                [
                    OptOut(Address.parse(each), "main", Origin.PLATFORM, Reason.UNSUBSCRIBED, facts=(each,))
                    for each in people[start : start + 5_000]
                ],
                actor="benchmark",
            )
    (folder / "held.txt").write_text("\n".join(people), encoding="utf-8")
    due = 0
    with (folder / "in.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Email", "Name", "Company", "City"])
        for number in range(rows):
            address = f"visitor{number}@example.net"
            if number % 50 == 0:
                due += 1
                address = _respelled(people[chance.randrange(PEOPLE)], chance)
            writer.writerow([address, f"Visitor {number}", "Acme, Inc.", "Springfield"])
    return due


def _respelled(address: str, chance: random.Random) -> str:
    local, _, domain = address.partition("@")
    spellings = (
        address,
        address.upper(),
        f" {address} ",
        f"{local}@{domain.encode('idna').decode()}",
        f"\u200b{address}",
        f"<{address}>",
    )
    return spellings[min(int(chance.expovariate(1.2)), len(spellings) - 1)]


def _count(path: Path) -> int:
    with path.open(newline="", encoding="utf-8") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def _run(folder: Path, command: list[str]) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)


if __name__ == "__main__":
    main()
