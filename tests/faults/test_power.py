"""Power cuts: the calls of a real run are recorded, and the disk is rebuilt as it may be after each of them.

What had been acknowledged by then must be there, and what is there must verify. The same harness on settings
that are known to lose something must say so, or its silence would mean nothing.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from suppress.audit import verify
from tests.faults import disk
from tests.faults.disk import Disk, Image
from tests.faults.injecting import why_not
from tests.faults.test_kills import ROOT
from tests.ledger.making import Place


@dataclass(slots=True)
class Cuts:
    """What power cuts did to one run."""

    images: int = 0
    distinct: set[bytes] = field(default_factory=set)
    lost: int = 0
    """Images that lack an acknowledged entry, or the record of an acknowledged removal."""
    damaged: list[str] = field(default_factory=list)
    """What is wrong with images that do not verify."""


@pytest.fixture
def start(tmp_path: Path) -> Place:
    """A ledger before the run that is recorded; skipped where nothing can be recorded."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    folder = tmp_path / "start"
    folder.mkdir()
    return Place(folder).create()


def recorded(start: Place, steps: int, *settings: str) -> Path:
    """Run the steps on a copy, under `strace`; the trace, with the copy's name in it replaced."""
    folder, trace = start.folder.parent / "run", start.folder.parent / "trace"
    shutil.copytree(start.folder, folder)
    options = ["-xx", "-s", "10000000", "-o", str(trace), "-e", f"trace={','.join(disk.CALLS)}"]
    program = [sys.executable, "-m", "tests.faults.recorded", str(folder), str(steps), *settings]
    subprocess.run(["strace", *options, *program], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return trace


def images(start: Place, trace: Path, every: int) -> Iterator[tuple[tuple[int, ...], Image]]:
    """How much was acknowledged and what is left, after every so manieth change, three ways each."""
    state = Disk.of(start.folder)
    state.folder = start.folder.parent / "run"
    chance, changes = random.Random(20261123), 0
    for call in disk.recorded(trace):
        if not state.follow(call):
            continue
        changes += 1
        if changes % every == 0 or call.name == "write":
            for image in (state.nothing_unsynced(), state.everything(), state.a_part(chance)):
                yield state.acknowledged, image


def cut(start: Place, trace: Path, *, every: int, verified: bool) -> Cuts:
    """Judge every image once, in a folder of its own."""
    found, known = Cuts(), dict[bytes, tuple[tuple[int, ...], str]]()
    place = Place(start.folder.parent / "image")
    for acknowledged, image in images(start, trace, every):
        digest = hashlib.sha256(repr(sorted(image.items())).encode()).digest()
        if digest not in known:
            _laid_out(place.folder, image)
            known[digest] = _judged(place, verified=verified)
        kept, wrong = known[digest]
        found.images += 1
        found.distinct.add(digest)
        found.lost += any(there < told for there, told in zip(kept, acknowledged, strict=False))
        found.damaged += [wrong] if wrong else []
    return found


def _laid_out(folder: Path, image: Image) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in image.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
    (folder / "suppress.keys").chmod(0o700)


def _judged(place: Place, *, verified: bool) -> tuple[tuple[int, ...], str]:
    """How many entries there are, how many records of removed people outside, and what is wrong."""
    wrong = ""
    if verified:
        bad = verify(place.url, keys=place.keys).first_bad
        wrong = "" if bad is None else bad.what
    try:
        with closing(sqlite3.connect(place.file)) as connection:
            (size,) = connection.execute("SELECT count(*) FROM ledger").fetchone()
    except sqlite3.DatabaseError as damaged:
        return (0, 0), str(damaged)
    return (size, len(list(place.keys.glob("erasures/*.json")))), wrong


@pytest.mark.timeout(3600)
def test_no_power_cut_loses_what_was_acknowledged(start: Place, request: pytest.FixtureRequest) -> None:
    """After every call of appends, erasures and a person forgotten, whatever of it reached the disk."""
    long = request.config.getoption("--faults-long", default=False)
    trace = recorded(start, 12 if long else 5)
    found = cut(start, trace, every=1 if long else 6, verified=True)

    assert (0, []) == (found.lost, found.damaged)
    assert found.images > (2_000 if long else 100), found.images
    print(f"\npower cuts: {found.images} images, {len(found.distinct)} of them distinct, none lost anything")


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("settings", [("WAL", "NORMAL"), ("DELETE", "FULL")], ids="+".join)
def test_the_same_cuts_lose_something_with_other_settings(
    start: Place, settings: tuple[str, str], request: pytest.FixtureRequest
) -> None:
    """WAL that is not synced, and Python's default, whose journal comes back: either loses entries."""
    long = request.config.getoption("--faults-long", default=False)
    trace = recorded(start, 17 if long else 3, *settings)
    found = cut(start, trace, every=1 if long else 10, verified=False)

    assert found.lost > 0
    print(f"\n{'+'.join(settings)}: {found.images} images, {found.lost} of them lost something acknowledged")
