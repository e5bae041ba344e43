"""Ledgers of exact sizes and bundles of them, made once and copied; and `verify.sh`, run for real."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from suppress.bundle import Grade, Made, Wanted, bundle, layout
from suppress.core.address import Address
from suppress.ledger import Ledger
from tests.ledger.making import Place, opt_out, sync_done

SIZES = (1, 2, 3, 7, 8, 9, 130, 257, 1400)
"""Around the powers of two, where trees change their shape, and around the edge of a tile."""
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

_KEPT = tempfile.TemporaryDirectory(prefix="suppress-bundles-")


def person(number: int) -> str:
    """The address of somebody in a ledger made here."""
    return f"person{number}@example.com"


def grow(place: Place, size: int) -> None:
    """Append until the ledger has exactly `size` entries: people, who are two each, and perhaps one run."""
    with place.open() as ledger:
        at = ledger.head().size
        if (size - at) % 2:
            ledger.append([sync_done(f"run-{at}")], actor="test")
        people = [
            opt_out(person(number), evidence={"note": f'said "stop" \\ {number} é', "n": {"deep": [1, None]}})
            for number in range(at // 2, size // 2)
        ]
        ledger.append(people[: (size - ledger.head().size) // 2], actor="test")
        assert ledger.head().size == size


def make(place: Place, target: Path, wanted: Wanted | None = None) -> Made:
    """A bundle of a ledger."""
    with place.open() as ledger:
        return bundle(ledger, target, wanted or Wanted(), organisation="Acme", now=NOW, actor="test")


@dataclass(frozen=True, slots=True)
class Shelf:
    """A ledger of some size and one bundle of each grade, made one after the other."""

    place: Place

    def __getitem__(self, grade: Grade) -> Path:
        return self.place.folder / grade.value

    @property
    def pem(self) -> Path:
        """The public key as whoever verifies has it."""
        return self.place.keys / "log.pem"

    @property
    def vkey(self) -> str:
        return (self.place.keys / "log.vkey").read_text()

    def copied(self, grade: Grade, folder: Path) -> Path:
        """A copy of a bundle, to be tampered with."""
        return Path(shutil.copytree(self[grade], folder / grade.value))


@cache
def shelf(size: int) -> Shelf:
    """The bundles of a ledger that had `size` entries when the first was made."""
    folder = Path(_KEPT.name) / str(size)
    folder.mkdir()
    made = Shelf(Place(folder).create())
    grow(made.place, size)
    make(made.place, made[Grade.WHOLE])
    if size > 2:
        everybody = Wanted(
            Grade.PERSON, address=Address.parse(f" {person(0).upper()} "), previous=made[Grade.WHOLE]
        )
        make(made.place, made[Grade.PERSON], everybody)
    make(made.place, made[Grade.ENTRIES], Wanted(Grade.ENTRIES, entries=tuple({0, size - 1, size // 2})))
    make(made.place, made[Grade.OPEN], Wanted(Grade.OPEN, previous=made[Grade.WHOLE]))
    return made


@cache
def stranger() -> Place:
    """A ledger of somebody else's, with other keys."""
    folder = Path(_KEPT.name) / "stranger"
    folder.mkdir()
    place = Place(folder)
    Ledger.create(place.url, keys=place.keys)
    return place


def tampered(folder: Path, name: str, change: Callable[[bytes], bytes], *, resum: bool) -> None:
    """Change a file of a bundle; with `resum`, as somebody does who also writes the digests anew."""
    file = folder / name
    file.write_bytes(change(file.read_bytes()))
    if resum and name != layout.SUMS:
        summed(folder)


def summed(folder: Path) -> None:
    """Write the digests of a bundle anew."""
    digests = {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file() and file.name != layout.SUMS
    }
    (folder / layout.SUMS).write_text(layout.sums_text(digests.items()))


@dataclass(frozen=True, slots=True)
class Ran:
    """How the script ended, and what it said."""

    exit_code: int
    said: str


def run_script(folder: Path, *options: str | Path, shell: str = "sh", path: str | None = None) -> Ran:
    """Run a bundle's own `verify.sh` from somewhere else."""
    found = shutil.which(shell)
    assert found is not None
    environment: Mapping[str, str] = {"PATH": path or "/usr/local/bin:/usr/bin:/bin", "TMPDIR": _KEPT.name}
    done = subprocess.run(
        [found, str(folder / layout.SCRIPT), *map(str, options)],
        cwd="/",
        env=dict(environment),
        capture_output=True,
        timeout=120,
        check=False,
    )
    return Ran(done.returncode, (done.stdout + done.stderr).decode())
