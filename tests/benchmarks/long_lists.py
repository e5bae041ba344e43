"""A long list against many people who opted out: `suppress check`, Polars, DuckDB and Python's csv in turns.

    uv run python -m tests.benchmarks.long_lists FOLDER [--rows N] [--people N] [--rounds N] [--without NAME]

The files in FOLDER (`tests.benchmarks.lists`) are made if they are not there; ten million rows against five
million people take 13 GB. Each program reads the list and writes two files: who is kept, and who is not with
reason and date. The peers compare `lower(trim())`, as people write it. Ours starts with its snapshot built.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

POLARS = """\
import polars as pl
held = pl.scan_csv("people.csv", infer_schema=False)
held = held.with_columns(pl.col("email").str.to_lowercase().alias("k")).drop("email")
rows = pl.scan_csv("list.csv", infer_schema=False)
rows = rows.with_columns(pl.col("email").str.strip_chars().str.to_lowercase().alias("k"))
rows = rows.join(held, on="k", how="left", maintain_order="left").drop("k")
kept = rows.filter(pl.col("reason").is_null()).drop("reason", "date").sink_csv("kept.csv", lazy=True)
gone = rows.filter(pl.col("reason").is_not_null()).sink_csv("withheld.csv", lazy=True)
pl.collect_all([kept, gone], engine="streaming")
"""
DUCKDB = """\
import duckdb
database = duckdb.connect()
database.sql(\"\"\"
CREATE TABLE joined AS SELECT i.*, h.reason, h.date FROM read_csv('list.csv', all_varchar = true) i
LEFT JOIN (SELECT lower(email) k, reason, date FROM read_csv('people.csv', all_varchar = true)) h
ON lower(trim(i.email)) = h.k\"\"\")
database.sql("COPY (SELECT * EXCLUDE (reason, date) FROM joined WHERE reason IS NULL) TO 'kept.csv' (HEADER)")
database.sql("COPY (SELECT * FROM joined WHERE reason IS NOT NULL) TO 'withheld.csv' (HEADER)")
"""
CSV = """\
import csv
with open("people.csv", newline="", encoding="utf-8") as file:
    held = {address.lower(): why for address, *why in csv.reader(file)}
with open("list.csv", newline="", encoding="utf-8") as rows, \\
     open("kept.csv", "w", newline="", encoding="utf-8") as kept, \\
     open("withheld.csv", "w", newline="", encoding="utf-8") as withheld:
    kept, withheld = csv.writer(kept), csv.writer(withheld)
    for row in csv.reader(rows):
        why = held.get(row[0].strip().lower())
        kept.writerow(row) if why is None else withheld.writerow(row + why)
"""
OURS = [str(Path(sys.executable).with_name("suppress")), "check", "list.csv"]


class Run(NamedTuple):
    """What one run took."""

    seconds: float
    processor: float
    peak: int
    """Bytes that the largest of its processes held in memory."""


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("folder", type=Path)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--people", type=int, default=500_000)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--without", action="append", default=[])
    said = asked.parse_args()
    made = said.folder / "suppress.db"
    if not made.exists():
        # In a process of its own: what it holds in memory would count as that of every child.
        size = ["--rows", str(said.rows), "--people", str(said.people)]
        subprocess.run([sys.executable, "-m", "tests.benchmarks.lists", str(said.folder), *size], check=True)
    with (said.folder / "list.csv").open("rb") as file:
        rows = sum(1 for _ in file) - 1
    candidates = {
        "suppress check": [*OURS, "--kept", "kept.csv", "--withheld", "withheld.csv"],
        "polars": [sys.executable, "-c", POLARS],
        "duckdb": [sys.executable, "-c", DUCKDB],
        "csv": [sys.executable, "-c", CSV],
    }
    candidates = {name: command for name, command in candidates.items() if name not in said.without}
    _run(said.folder, candidates["suppress check"])  # builds the snapshot
    runs: dict[str, list[Run]] = {name: [] for name in candidates}
    withheld: dict[str, int] = {}
    for _ in range(said.rounds):
        for name, command in candidates.items():
            runs[name].append(_run(said.folder, command))
            with (said.folder / "withheld.csv").open("rb") as file:
                withheld[name] = sum(1 for _ in file)
    print(f"{rows:,} rows; median of {said.rounds}")
    for name, taken in runs.items():
        wall, processor = (statistics.median(each[place] for each in taken) for place in (0, 1))
        peak = max(each.peak for each in taken) >> 20
        missed = withheld["suppress check"] - withheld[name]
        print(f"  {name:16} {wall:8.1f} s {processor:8.1f} s of processor {peak:6} MiB  missed {missed:,}")


def _run(folder: Path, command: list[str]) -> Run:
    """One run, children counted."""
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    taken = time.perf_counter() - began
    return Run(taken, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


if __name__ == "__main__":
    main()
