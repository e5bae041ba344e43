"""kill -9 of a writer at random moments: nothing acknowledged is lost, nothing is doubled."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from suppress.audit import verify
from suppress.core.entry import SyncDone
from tests.faults.writer import batch
from tests.ledger.making import Place

ROOT = Path(__file__).parent.parent.parent
SIZE = 5


def writer(place: Place, name: str, batches: int, size: int = SIZE) -> subprocess.Popen[str]:
    """A writer at work."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.writer", place.url, place.keys, name, str(batches), str(size)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def acknowledged(process: subprocess.Popen[str]) -> int:
    """How many batches the writer was told are kept."""
    assert process.stdout is not None
    with process.stdout:
        return len(process.stdout.read().split())


def kept(place: Place, name: str) -> list[int]:
    """The batches of a writer that are in the ledger, whole."""
    with place.open() as ledger:
        ids = {entry.id for entry in ledger.entries() if isinstance(entry.body, SyncDone)}
        size = ledger.head().size
        found = []
        for number in range(10_000):
            if f"{name}-{number}" not in ids:
                break
            receipts = ledger.append(batch(name, number, SIZE), actor="again")
            assert not any(receipt.new for receipt in receipts), f"batch {number} was kept in part"
            found.append(number)
        assert ledger.head().size == size
    return found


def test_killed_at_random_moments_nothing_is_lost_or_doubled(
    place: Place, rounds: Callable[[int], int]
) -> None:
    """After each kill the ledger verifies and holds every acknowledged batch, whole, and at most one more.

    The moments are drawn between the start of the first append and its many repetitions, so that kills fall
    into every step of an append, the write of the high-water mark included.
    """
    chance = random.Random(20261123)
    more = 0
    for number in range(rounds(20)):
        name = f"w{number}"
        process = writer(place, name, batches=10_000)
        assert process.stdout is not None
        told = 1 if process.stdout.readline() else 0
        wait(chance.uniform(0, 0.12))
        process.send_signal(signal.SIGKILL)
        told += acknowledged(process)
        process.wait()

        assert process.returncode == -signal.SIGKILL
        result = verify(place.url, keys=place.keys)
        assert result.first_bad is None, (number, result)
        found = kept(place, name)
        assert told <= len(found) <= told + 1, (number, told, len(found))
        more += len(found) - told
    assert more < rounds(20), "not one kill fell into an append: the harness does not reach what it tests"


def test_killed_while_it_starts_nothing_is_lost(place: Place, rounds: Callable[[int], int]) -> None:
    """Kills that fall into opening, the first append, and its commit."""
    chance = random.Random(7)
    for number in range(rounds(6)):
        process = writer(place, f"s{number}", batches=10_000, size=200)
        wait(chance.uniform(0.3, 1.2))
        process.send_signal(signal.SIGKILL)
        told = acknowledged(process)
        process.wait()

        result = verify(place.url, keys=place.keys)
        assert result.first_bad is None, (number, result)
        with place.open() as ledger:
            runs = [e for e in ledger.entries() if isinstance(e.body, SyncDone) and e.actor == f"s{number}"]
        assert told <= len(runs) <= told + 1


def test_a_killed_run_repeated_equals_an_undisturbed_one(place: Place, tmp_path: Path) -> None:
    """The same people stand, with the same reasons, whether a run was killed ten times or never."""
    calm = Place(tmp_path / "calm")
    calm.folder.mkdir()
    calm.create()
    process = writer(calm, "w", batches=6, size=40)
    assert (acknowledged(process), process.wait()) == (6, 0)

    chance = random.Random(3)
    for _ in range(10):
        process = writer(place, "w", batches=6, size=40)
        assert process.stdout is not None
        process.stdout.readline()
        wait(chance.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        acknowledged(process)
        process.wait()
    last = writer(place, "w", batches=6, size=40)
    assert (acknowledged(last), last.wait()) == (6, 0)

    assert _standings(calm) == _standings(place)
    assert verify(place.url, keys=place.keys).first_bad is None


def test_killed_during_init_it_can_be_run_again(tmp_path: Path, rounds: Callable[[int], int]) -> None:
    """Keys and ledger come into being whole, or not at all."""
    chance = random.Random(11)
    for number in range(rounds(10)):
        place = Place(tmp_path / str(number))
        place.folder.mkdir()
        program = (
            "from pathlib import Path\nfrom suppress.ledger import Ledger\n"
            f"Ledger.create({place.url!r}, keys=Path({str(place.keys)!r}))\n"
        )
        process = subprocess.Popen([sys.executable, "-c", program])
        wait(chance.uniform(0.2, 0.8))
        process.kill()
        process.wait()

        done = subprocess.run([sys.executable, "-c", program], check=False)
        assert done.returncode == 0
        assert verify(place.url, keys=place.keys).first_bad is None


def _standings(place: Place) -> list[tuple[str, str, str, object]]:
    with place.open() as ledger:
        return [
            (each.key, each.address, each.suppression.reason, each.suppression.since)
            for each in ledger.suppressed()
        ]


def wait(seconds: float) -> None:
    """Let a moment pass that is not a reason to fail: the kill has to fall somewhere."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass
