"""What an export costs: requests, processor seconds and memory for each thousand addresses.

uv run python -m tests.benchmarks.export [PEOPLE] [--platform NAME] [--option KEY=VALUE]... [--folder FOLDER]

Without a platform, a deny list is told over loopback HTTP, once one address a call, once a hundred. With one,
its plugin must be installed and its simulator must be running (`suppress simulate NAME`); name the simulator
by `--option api_url=http://127.0.0.1:PORT`, and what else the platform needs likewise:

    uv run python -m tests.benchmarks.export 100000 --platform mailchimp --option api_url=… --option key=…

The ledger is made in FOLDER, and used again when it is there. Each export is made in a process of its own by
the installed command, so that seconds and memory are its own, and not the simulator's. The second run of each
has nobody new to tell: what a nightly run costs on a day without news.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from suppress.ledger import Ledger
from tests.export.deny_list import installed
from tests.ledgers import ledger_with, opt_out

ROOT = Path(__file__).parents[2]
START = datetime(2026, 1, 5, tzinfo=UTC)
SCRIPT = Path(sys.executable).with_name("suppress")


@dataclass(frozen=True, slots=True)
class Cost:
    """One export."""

    seconds: float
    processor: float
    megabytes: int
    facts: Mapping[str, Any]


def main() -> None:
    """Make the ledger if need be, and tell each destination twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("people", type=int, nargs="?", default=10_000)
    parser.add_argument("--platform")
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only-make", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.only_make:
        make(asked.folder, asked.people)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        # In a process of its own: what this one grew to, the system counts for those that it starts.
        itself = [sys.executable, "-m", "tests.benchmarks.export", str(asked.people)]
        subprocess.run([*itself, "--only-make", "--folder", str(folder)], check=True, cwd=ROOT)
        if asked.platform:
            options = dict(option.split("=", 1) for option in asked.option)
            twice(folder, asked.people, asked.platform, asked.platform, options)
            return
        with deny_list() as url:
            for mode in ("record", "batch"):
                twice(folder, asked.people, mode, "deny-list", {"api_url": url, "mode": mode})


def make(folder: Path, people: int) -> None:
    """A ledger in which so many people opted out, a minute apart."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "suppress.db").exists():
        return
    began = time.perf_counter()
    url = ledger_with(folder)
    with Ledger.open(url, keys=folder / "suppress.keys") as ledger:
        for start in range(0, people, 20_000):
            crowd = range(start, min(start + 20_000, people))
            ledger.append(
                [
                    opt_out(f"p{each}@example{each % 997}.com", occurred_at=START + timedelta(minutes=each))
                    for each in crowd
                ],
                actor="benchmark",
            )
    installed(folder / "site")
    print(f"ledger of {people:,} people made in {time.perf_counter() - began:,.0f} s")


def twice(folder: Path, people: int, name: str, platform: str, options: Mapping[str, str]) -> None:
    """Tell one destination, and tell it again."""
    lines = [f"[destinations.{name}]", f'platform = "{platform}"']
    lines += [f'{key} = "{value}"' for key, value in options.items()]
    (folder / "suppress.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    plan = cost(folder, name, "--dry-run")
    estimate = plan.facts["estimate"]
    print(f"{name}: {people:,} people; a dry run says {estimate['writes'] + estimate['reads']:,} requests")
    for run in ("first", "again"):
        found = cost(folder, name)
        told = found.facts["count"]
        each = f", {1000 * found.processor / told:.2f} s for each thousand people" if told else ""
        print(
            f"  {run}: told {told:,}, confirmed {found.facts['confirmed']:,}; {found.seconds:,.1f} s, "
            f"{found.processor:,.1f} s of the processor{each}; {found.megabytes:,} MB"
        )


def cost(folder: Path, name: str, *flags: str) -> Cost:
    """One run of the installed command."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("SUPPRESS_DESTINATIONS")}
    env |= {
        "PYTHONPATH": f"{folder / 'site'}{os.pathsep}{ROOT}",
        "SUPPRESS_STATE": str(folder / "state"),
    }
    began = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            [SCRIPT, "export", name, "--json", *flags], cwd=folder, env=env, stdout=out
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        out.seek(0)
        told = out.read()
    if not told:
        sys.exit(process.returncode)
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024, json.loads(told))


@contextmanager
def deny_list() -> Iterator[str]:
    """The deny list, in a process of its own; it says at the end how many requests it got."""
    command: Sequence[str] = [sys.executable, "-m", "tests.export.deny_list", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.send_signal(signal.SIGTERM)
            print(f"the deny list: {server.stdout.read().strip()}")


if __name__ == "__main__":
    main()
