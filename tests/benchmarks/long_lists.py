"""A long list against many people who opted out: `suppress check`, Polars, DuckDB and Python's csv in turns.

    uv run python -m tests.benchmarks.long_lists FOLDER [--rows N] [--people N] [--rounds N] [--without NAME]

The files in FOLDER (`tests.benchmarks.lists`) are made if they are not there; ten million rows against five
million people take 13 GB. The first tenth of the list is a list of its own, so that it shows how the time
grows. Each program reads a list and writes two files: who is kept, and who is not with reason and date. The
peers compare `lower(trim())`, as people write it. Ours starts with its snapshot built, and all start with
their modules compiled, as they are the second time that anybody runs them.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

POLARS = """\
import polars as pl
held = pl.scan_csv("people.csv", infer_schema=False)
held = held.with_columns(pl.col("email").str.to_lowercase().alias("k")).drop("email")
rows = pl.scan_csv(LIST, infer_schema=False)
rows = rows.with_columns(pl.col("email").str.strip_chars().str.to_lowercase().alias("k"))
rows = rows.join(held, on="k", how="left", maintain_order="left").drop("k")
kept = rows.filter(pl.col("reason").is_null()).drop("reason", "date").sink_csv("kept.csv", lazy=True)
gone = rows.filter(pl.col("reason").is_not_null()).sink_csv("withheld.csv", lazy=True)
pl.collect_all([kept, gone], engine="streaming")
"""
DUCKDB = """\
import duckdb
database = duckdb.connect()
database.sql(f\"\"\"
CREATE TABLE joined AS SELECT i.*, h.reason, h.date FROM read_csv('{LIST}', all_varchar = true) i
LEFT JOIN (SELECT lower(email) k, reason, date FROM read_csv('people.csv', all_varchar = true)) h
ON lower(trim(i.email)) = h.k\"\"\")
database.sql("COPY (SELECT * EXCLUDE (reason, date) FROM joined WHERE reason IS NULL) TO 'kept.csv' (HEADER)")
database.sql("COPY (SELECT * FROM joined WHERE reason IS NOT NULL) TO 'withheld.csv' (HEADER)")
"""
CSV = """\
import csv
with open("people.csv", newline="", encoding="utf-8") as file:
    held = {address.lower(): why for address, *why in csv.reader(file)}
with open(LIST, newline="", encoding="utf-8") as rows, \\
     open("kept.csv", "w", newline="", encoding="utf-8") as kept, \\
     open("withheld.csv", "w", newline="", encoding="utf-8") as withheld:
    kept, withheld = csv.writer(kept), csv.writer(withheld)
    for row in csv.reader(rows):
        why = held.get(row[0].strip().lower())
        kept.writerow(row) if why is None else withheld.writerow(row + why)
"""
PEERS = {"polars": POLARS, "duckdb": DUCKDB, "csv": CSV}
OURS = "suppress check"
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
SHORT, LONG = "short.csv", "list.csv"


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
    rows = {LONG: _rows(said.folder / LONG)}
    rows[SHORT] = rows[LONG] // 10
    with (said.folder / LONG).open("rb") as file, (said.folder / SHORT).open("wb") as short:
        short.writelines(islice(file, rows[SHORT] + 1))
    names = [each for each in (OURS, *PEERS) if each not in said.without]
    run(said.folder, _command(OURS, SHORT))  # builds the snapshot
    taken: dict[tuple[str, str], list[Run]] = {(each, list_): [] for each in names for list_ in rows}
    withheld: dict[tuple[str, str], int] = {}
    for _ in range(said.rounds):
        for (name, list_), runs in taken.items():
            runs.append(run(said.folder, _command(name, list_)))
            withheld[name, list_] = _rows(said.folder / "withheld.csv")
    for list_, number in sorted(rows.items(), key=itemgetter(1)):
        print(f"{number:,} rows; median of {said.rounds}")
        for name in names:
            wall, processor, peak = median(taken[name, list_])
            missed = withheld[OURS, list_] - withheld[name, list_]
            print(f"  {name:16}{wall:8.2f} s {processor:8.2f} s of processor {peak:6} MB  missed {missed:,}")
    print("growth: time is rows to the power of")
    for name in names:
        long, short = (median(taken[name, list_])[0] for list_ in (LONG, SHORT))
        print(f"  {name:16}{math.log10(long / short):8.2f}")


def _command(name: str, list_: str) -> list[str]:
    if name == OURS:
        ours = str(Path(sys.executable).with_name("suppress"))
        return [ours, "check", list_, "--kept", "kept.csv", "--withheld", "withheld.csv"]
    return [sys.executable, "-c", f"LIST = {list_!r}\n{PEERS[name]}"]


def median(runs: Sequence[Run]) -> tuple[float, float, int]:
    """Seconds, seconds of processors, and megabytes."""
    wall, processor = (statistics.median(each[place] for each in runs) for place in (0, 1))
    return wall, processor, max(each.peak for each in runs) // 1_000_000


def _rows(file: Path) -> int:
    with file.open("rb") as lines:
        return sum(1 for _ in lines) - 1


def run(folder: Path, command: list[str]) -> Run:
    """One run, children counted."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    taken = time.perf_counter() - began
    return Run(taken, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


if __name__ == "__main__":
    main()
