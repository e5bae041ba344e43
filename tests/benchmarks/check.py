"""`suppress check` of a contact file, by both engines, against what people write instead.

That is csv, strip, lower and a set; and the same in Polars and DuckDB, where they are installed.

uv run python -m tests.benchmarks.check [ROWS]
"""

from __future__ import annotations

import csv
import filecmp
import importlib.util
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
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

PEERS = {
    "polars": (
        """\
import polars as pl
held = pl.read_csv("held.txt", has_header=False, new_columns=["a"], separator="\\t")
key = pl.col("Email").str.strip_chars().str.to_lowercase()
(pl.scan_csv("in.csv", infer_schema=False).with_columns(key.alias("k"))
 .join(held.lazy().with_columns(pl.col("a").str.to_lowercase()), left_on="k", right_on="a", how="anti")
 .drop("k").sink_csv("polars.csv"))
""",
        "polars.csv",
    ),
    "duckdb": (
        """\
import duckdb
duckdb.sql(\"\"\"
COPY (SELECT i.* FROM read_csv('in.csv', all_varchar = true) i ANTI JOIN
  (SELECT lower(trim(a)) k FROM read_csv('held.txt', header = false, names = ['a'], delim = '\\t')) h
  ON lower(trim(i.Email)) = h.k)
TO 'duckdb.csv' (HEADER)\"\"\")
""",
        "duckdb.csv",
    ),
}
"""What people write with the fastest tools there are; measured where they are installed."""
READABLE = """\
from suppress.check import Targets, check_file
from suppress.check.sorting import Engine
from suppress.files.contacts import ContactFile
from suppress.ledger import Ledger, Lookup
url = "sqlite:///suppress.db"
with Lookup.open(url) as lookup, Ledger.open(url) as ledger, ContactFile.open("in.csv") as contacts:
    targets = Targets("oracle.csv", "oracle-withheld.csv")
    check_file(contacts, lookup, ledger, actor="benchmark", targets=targets, engine=Engine(1 << 60))
"""


def main() -> None:
    """Measure and print."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        due = _write(folder, rows)
        script = str(Path(sys.executable).with_name("suppress"))
        peers = {"csv + set": (NAIVE, "naive.csv")}
        peers |= {name: PEERS[name] for name in PEERS if importlib.util.find_spec(name) is not None}
        candidates = {
            label: partial(_run, folder, [sys.executable, "-c", program])
            for label, (program, _) in peers.items()
        }
        candidates["suppress, readable"] = partial(_run, folder, [sys.executable, "-c", READABLE])
        ours = [script, "check", "in.csv", "--kept", "kept.csv", "--withheld", "withheld.csv"]
        candidates["suppress check"] = partial(_run, folder, ours)
        began = time.perf_counter()
        _run(folder, ours)
        print(f"first check, which builds the snapshot: {time.perf_counter() - began:.1f} s")
        found = interleaved(candidates, rounds=3)
        table(f"check of {rows:,} rows against {PEOPLE:,} people", found, against="csv + set")
        print(f"  {rows / found['suppress check']:,.0f} rows/s")
        cpu = {label: _cpu(run) for label, run in candidates.items()}
        table("the same in processor time, once", cpu, against="csv + set")
        print(f"  {rows / cpu['suppress check']:,.0f} rows/s")
        files = {label: file for label, (_, file) in peers.items()}
        for label, file in (
            files | {"suppress, readable": "oracle.csv", "suppress check": "kept.csv"}
        ).items():
            print(f"  {label}: {_count(folder / file) - (rows - due):,} suppressed people let through")
        same = filecmp.cmp(folder / "oracle.csv", folder / "kept.csv", shallow=False)
        print(f"  both engines kept the same bytes: {same}")


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


def _cpu(run: Callable[[], None]) -> float:
    """Seconds that a process and its threads spent computing: what a busy machine changes least."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _run(folder: Path, command: list[str]) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)


if __name__ == "__main__":
    main()
