"""Parquet, JSON lines, workbooks and UTF-16: `suppress check` and what people would use, in turns.

    uv run python -m tests.benchmarks.other_formats FOLDER [--rows N] [--sheet N] [--people N] [--rounds N]

FOLDER is that of `tests.benchmarks.long_lists`, with its list and its ledger, which are made if they are not
there. The first rows of its list are written in each format; a sheet, and a file of UTF-16, have fewer. Each
program reads the file and who opted out, and writes two files in the same format: who is kept, and who is
not with reason and date. Polars has its streaming plan; of pandas (which comes with PySpark) calamine reads
and xlsxwriter writes, the quickest that it can use; UTF-16 is read by Python's `csv`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO

import pyarrow.parquet as pq

from tests.benchmarks.long_lists import Run, median, run

POLARS = """\
import polars as pl
held = pl.scan_csv("people.csv", infer_schema=False)
held = held.with_columns(pl.col("email").str.to_lowercase().alias("k")).drop("email")
rows = pl.scan_FORMAT("formats/list.ENDING")
rows = rows.with_columns(pl.col("email").str.strip_chars().str.to_lowercase().alias("k"))
rows = rows.join(held, on="k", how="left", maintain_order="left").drop("k")
kept, gone = rows.filter(pl.col("reason").is_null()), rows.filter(pl.col("reason").is_not_null())
kept = kept.drop("reason", "date").sink_FORMAT("formats/kept.ENDING", lazy=True)
pl.collect_all([kept, gone.sink_FORMAT("formats/withheld.ENDING", lazy=True)], engine="streaming")
"""
PANDAS = """\
import pandas as pd
held = pd.read_csv("people.csv", dtype=str)
held = held.assign(k=held["email"].str.lower()).drop(columns="email").set_index("k")
rows = pd.read_excel("formats/list.xlsx", dtype=str, engine="calamine")
rows = rows.join(held, on=rows["email"].str.strip().str.lower())
gone = rows["reason"].notna()
kept = rows[~gone].drop(columns=["reason", "date"])
kept.to_excel("formats/kept.xlsx", index=False, engine="xlsxwriter")
rows[gone].to_excel("formats/withheld.xlsx", index=False, engine="xlsxwriter")
"""
CSV = """\
import csv
with open("people.csv", newline="", encoding="utf-8") as file:
    held = {address.lower(): why for address, *why in csv.reader(file)}
with open("formats/list.csv", newline="", encoding="utf-16") as rows, \\
     open("formats/kept.csv", "w", newline="", encoding="utf-16") as kept, \\
     open("formats/withheld.csv", "w", newline="", encoding="utf-16") as withheld:
    kept, withheld = csv.writer(kept), csv.writer(withheld)
    for row in csv.reader(rows):
        why = held.get(row[0].strip().lower())
        kept.writerow(row) if why is None else withheld.writerow(row + why)
"""
PEERS = {
    "parquet": ("Polars", POLARS.replace("FORMAT", "parquet").replace("ENDING", "parquet")),
    "jsonl": ("Polars", POLARS.replace("FORMAT", "ndjson").replace("ENDING", "jsonl")),
    "xlsx": ("pandas", PANDAS),
    "csv": ("Python's csv", CSV),
}
OURS = "suppress check"


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("folder", type=Path)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--sheet", type=int, default=200_000)
    asked.add_argument("--people", type=int, default=500_000)
    asked.add_argument("--rounds", type=int, default=3)
    said = asked.parse_args()
    # In processes of their own: what they hold in memory would count as that of every child.
    if not (said.folder / "suppress.db").exists():
        size = ["--rows", str(said.rows), "--people", str(said.people)]
        subprocess.run([sys.executable, "-m", "tests.benchmarks.lists", str(said.folder), *size], check=True)
    (said.folder / "formats").mkdir(exist_ok=True)
    made = f"write({str(said.folder)!r}, {said.rows}, {said.sheet})"
    subprocess.run([sys.executable, "-c", f"from {__spec__.name} import write; {made}"], check=True)
    run(said.folder, _ours("jsonl"))  # builds the snapshot
    for ending, (peer, program) in PEERS.items():
        commands = {OURS: _ours(ending), peer: [sys.executable, "-c", program]}
        taken: dict[str, list[Run]] = {name: [] for name in commands}
        withheld = dict.fromkeys(commands, 0)
        for _ in range(said.rounds):
            for name, command in commands.items():
                taken[name].append(run(said.folder, command))
                withheld[name] = _rows(said.folder / f"formats/withheld.{ending}")
        print(f"{ending}: {_rows(said.folder / f'formats/list.{ending}'):,} rows; median of {said.rounds}")
        for name, runs in taken.items():
            wall, processor, peak = median(runs)
            missed = withheld[OURS] - withheld[name]
            print(f"  {name:16}{wall:8.2f} s {processor:8.2f} s of processor {peak:6} MB  missed {missed:,}")


def write(folder: str, rows: int, sheet: int) -> None:
    """The list in every format."""
    import polars as pl
    import xlsxwriter

    source, formats = Path(folder, "list.csv"), Path(folder, "formats")
    every = pl.scan_csv(source, infer_schema=False).head(rows)
    every.sink_parquet(formats / "list.parquet", compression="snappy")
    every.sink_ndjson(formats / "list.jsonl")
    with xlsxwriter.Workbook(formats / "list.xlsx", {"constant_memory": True}) as book:
        only, few = book.add_worksheet(), pl.read_csv(source, infer_schema=False, n_rows=sheet)
        for number, row in enumerate([few.columns, *few.iter_rows()]):
            only.write_row(number, 0, row)
    with source.open(encoding="utf-8") as lines, (formats / "list.csv").open("w", encoding="utf-16") as wide:
        wide.writelines(islice(lines, sheet + 1))


def _ours(ending: str) -> list[str]:
    ours = str(Path(sys.executable).with_name("suppress"))
    places = [f"formats/{name}.{ending}" for name in ("list", "kept", "withheld")]
    return [ours, "check", places[0], "--kept", places[1], "--withheld", places[2]]


def _rows(file: Path) -> int:
    """How many there are behind a header, if the format has one."""
    if file.suffix == ".parquet":
        return int(pq.ParquetFile(file).metadata.num_rows)
    if file.suffix == ".xlsx":
        with zipfile.ZipFile(file) as archive, archive.open("xl/worksheets/sheet1.xml") as sheet:
            return sum(block.count(b"<row ") for block in _blocks(sheet, b"<row ")) - 1
    with file.open("rb") as lines:
        return sum(block.count(b"\n") for block in _blocks(lines, b"\n")) - (file.suffix == ".csv")


def _blocks(stream: IO[bytes], sought: bytes) -> Iterator[bytes]:
    """All of it, such that what is sought is whole in one of them."""
    end = b""
    while block := stream.read(1 << 20):
        yield end + block
        end = block[len(block) - len(sought) + 1 :]


if __name__ == "__main__":
    main()
