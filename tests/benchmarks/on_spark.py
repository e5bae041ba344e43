"""`suppress check --engine spark` beside the same check here, in turns: time, processor, memory, same bytes.

    uv run python -m tests.benchmarks.on_spark FOLDER [--rows N …] [--people N] [--parts N] [--master MASTER]

The list and the ledger in FOLDER (`tests.benchmarks.lists`) are made if they are not there. For each number
of rows the start of the list is cut into parts, each with the header. Here it is checked as one file, with
its snapshot built. On Spark it runs twice: as without options, when first a snapshot for the workers is taken
of the ledger, and `--offline` with one that is there. From two numbers of rows follow what a row costs and
what every run costs.

Java and its workers outlive the command that started them, and nobody waits for them. So the processes of a
run are looked at, four times a second until the last has ended: what each has computed, and what all of them
hold (PSS). Linux only.
"""

from __future__ import annotations

import argparse
import filecmp
import itertools
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

SUPPRESS = str(Path(sys.executable).with_name("suppress"))
_RESULTS = ("kept", "withheld")


class Run(NamedTuple):
    """What one run took."""

    seconds: float
    processor: float
    peak: int
    """Most bytes that its processes held together."""


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("folder", type=Path)
    asked.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    asked.add_argument("--people", type=int, default=1_000_000)
    asked.add_argument("--parts", type=int, default=8)
    asked.add_argument("--master", default="local[2]")
    said = asked.parse_args()
    folder: Path = said.folder
    if not (folder / "suppress.db").exists():
        size = ["--rows", str(max(said.rows)), "--people", str(said.people)]
        subprocess.run([sys.executable, "-m", "tests.benchmarks.lists", str(folder), *size], check=True)
    spark = ["--engine", "spark", "--master", said.master]
    offline = [*spark, "--offline", "workers.snapshot", "--key", "suppress.keys/log.vkey"]
    for each in folder.glob("workers.snapshot*"):
        each.unlink()
    taken = _run(folder, "snapshot", "-o", "workers.snapshot", "--recipient", "benchmark")
    _tell("snapshot for the workers", taken)
    for rows in said.rows:
        _cut(folder, rows, said.parts)
        _check(folder, "part.csv", "here", [])  # builds the snapshot
        print(f"{rows:,} rows, {said.parts} parts")
        _tell("check, here", _check(folder, "part.csv", "here", []))
        _tell("--engine spark", _check(folder, "parts", "spark", spark))
        _require_same(folder)
        _tell("--engine spark --offline", _check(folder, "parts", "spark", offline))
        _require_same(folder)


def _cut(folder: Path, rows: int, parts: int) -> None:
    """The start of the list, as one file and as a folder of parts."""
    shutil.rmtree(folder / "parts", ignore_errors=True)
    (folder / "parts").mkdir()
    with (folder / "list.csv").open("rb") as lines, (folder / "part.csv").open("wb") as whole:
        header = lines.readline()
        whole.write(header)
        for number in range(parts):
            with (folder / "parts" / f"{number:04}.csv").open("wb") as part:
                part.write(header)
                for line in itertools.islice(lines, rows // parts):
                    part.write(line)
                    whole.write(line)


def _check(folder: Path, what: str, name: str, options: Sequence[str]) -> Run:
    """Check it, with results in folders or files of that name."""
    targets = {f"--{result}": folder / f"{result}-{name}" for result in _RESULTS}
    for target in targets.values():
        shutil.rmtree(target, ignore_errors=True)
    named = itertools.chain.from_iterable((option, place.name) for option, place in targets.items())
    return _run(folder, "check", what, *options, *named)


def _require_same(folder: Path) -> None:
    """The parts of a result, one after another with one header, are the file that came of it here."""
    for result in _RESULTS:
        joined = folder / "joined.csv"
        with joined.open("wb") as whole:
            for number, part in enumerate(sorted((folder / f"{result}-spark").iterdir())):
                with part.open("rb") as lines:
                    header = lines.readline()
                    if number == 0:
                        whole.write(header)
                    shutil.copyfileobj(lines, whole)
        if not filecmp.cmp(joined, folder / f"{result}-here", shallow=False):
            raise SystemExit(f"the {result} rows differ")


def _run(folder: Path, *command: str) -> Run:
    """One run, with everything that it started."""
    began = time.perf_counter()
    log = (folder / "run.log").open("wb")
    with (
        log,
        subprocess.Popen(
            [SUPPRESS, *command],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
            env={"SPARK_LOCAL_IP": "127.0.0.1", **os.environ},
        ) as process,
    ):
        watch = _Watch(process.pid)
        watch.start()
        code = process.wait()
        seconds = time.perf_counter() - began
        watch.join()
    if code not in (0, 1):
        raise SystemExit((folder / "run.log").read_text())
    return Run(seconds, sum(watch.ticks.values()) / os.sysconf("SC_CLK_TCK"), watch.peak)


class _Watch(threading.Thread):
    """Looks at the processes of a session until there is none."""

    def __init__(self, session: int) -> None:
        super().__init__(daemon=True)
        self._session = session
        self.ticks: dict[str, int] = {}
        self.peak = 0

    def run(self) -> None:
        """Look, and wait."""
        while held := [
            self._held(place)
            for place in Path("/proc").iterdir()
            if place.name.isdigit() and self._ours(place)
        ]:
            self.peak = max(self.peak, sum(held))
            time.sleep(0.25)

    def _ours(self, process: Path) -> bool:
        try:
            return os.getsid(int(process.name)) == self._session
        except OSError:  # it has ended
            return False

    def _held(self, process: Path) -> int:
        """Note what it has computed; the bytes it holds."""
        try:
            used = (process / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            self.ticks[process.name] = int(used[11]) + int(used[12])
            told = (process / "smaps_rollup").read_text("ascii")
        except OSError:  # it has ended
            return 0
        (line,) = (line for line in told.splitlines() if line.startswith("Pss:"))
        return int(line.split()[1]) << 10


def _tell(name: str, run: Run) -> None:
    print(
        f"  {name:26} {run.seconds:7.1f} s {run.processor:7.1f} s of processor {run.peak >> 20:6} MiB",
        flush=True,
    )


if __name__ == "__main__":
    main()
