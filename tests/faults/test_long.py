"""Harnesses that have no short run: a million entries, and hundreds of histories of the state machine.

The benchmarks measure a smaller ledger, and `tests/ledger/test_machine.py` is run on every change.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.test_kills import ROOT
from tests.ledger import test_machine
from tests.ledger.making import Place, opt_out

pytestmark = [pytest.mark.long, pytest.mark.timeout(3 * 3600)]

ENTRIES = 1_000_000
CACHE = 64
"""MiB of SQLite's page cache where a ledger is open for writing, as for a bundle, which is recorded."""
MOST = {"append": CACHE + 32, "verify": 64, "bundle": CACHE + 32, "one person's bundle": CACHE + 32}
"""MiB that each may take over the same with a handful of entries."""

PROGRAMS = {
    "append": (
        "from suppress.ledger import Ledger\nfrom tests.ledger.making import opt_out\n"
        "with Ledger.open(url, keys=keys) as ledger:\n"
        "    ledger.append([opt_out(f'{name}.{each}@example.com') for each in range(1000)], actor='test')"
    ),
    "verify": "from suppress.audit import verify\nassert verify(url, keys=keys).first_bad is None",
    "bundle": (
        "from suppress.bundle import Wanted, bundle\nfrom suppress.ledger import Ledger\n"
        "with Ledger.open(url, keys=keys) as ledger:\n"
        "    bundle(ledger, folder / f'bundle-{name}', Wanted(), organisation='A', now=NOW, actor='test')"
    ),
    "one person's bundle": (
        "from suppress.bundle import Grade, Wanted, bundle\nfrom suppress.core.address import Address\n"
        "from suppress.ledger import Ledger\n"
        "who = Wanted(Grade.PERSON, address=Address.parse('p0@example.com'))\n"
        "with Ledger.open(url, keys=keys) as ledger:\n"
        "    bundle(ledger, folder / f'person-{name}', who, organisation='A', now=NOW, actor='test')"
    ),
}


@pytest.mark.both_back_ends
def test_the_state_machine_agrees_with_a_list() -> None:
    """Two hundred histories of fifty steps."""
    long = settings(test_machine.SHORT, max_examples=200, stateful_step_count=50)

    run_state_machine_as_test(test_machine.LedgerMachine, settings=long)


def test_a_million_entries_fit_into_little_memory(tmp_path: Path) -> None:
    """Appended, verified, bundled: what each takes over the same work on a handful of entries."""
    small, large = _made(tmp_path / "small", 10), _made(tmp_path / "large", ENTRIES)
    taken = {
        what: (_peak(large, program) - _peak(small, program)) / 1024 for what, program in PROGRAMS.items()
    }
    assert taken["append"] > 0, (
        "a process that appends to a large ledger fills its cache: nothing was measured"
    )
    print(f"\n{ENTRIES:,} entries: " + ", ".join(f"{what} +{mib:.0f} MiB" for what, mib in taken.items()))

    assert {what: mib for what, mib in taken.items() if mib > MOST[what]} == {}


def _made(folder: Path, entries: int) -> Place:
    folder.mkdir()
    place = Place(folder).create()
    people = entries // 2
    with place.open() as ledger:
        for start in range(0, people, 5_000):
            batch = [opt_out(f"p{each}@example.com") for each in range(start, min(start + 5_000, people))]
            ledger.append(batch, actor="test")
    return place


def _peak(place: Place, program: str) -> int:
    """KiB at most, of a process that does nothing else."""
    before = (
        "import secrets\nfrom datetime import UTC, datetime\nfrom pathlib import Path\n"
        f"url, keys, folder = {place.url!r}, Path({str(place.keys)!r}), Path({str(place.folder)!r})\n"
        "NOW, name = datetime(2026, 11, 23, tzinfo=UTC), secrets.token_hex(4)\n"
    )
    # Not ru_maxrss: a child begins with that of the process that started it.
    after = "\nprint(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])"
    done = subprocess.run(
        [sys.executable, "-c", before + program + after], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return int(done.stdout)
