"""A call to the disk that fails, at whichever point of a command: nothing is reported that was not done.

`strace` makes one call fail (EIO, ENOSPC) or kills the process as it makes it. Then the ledger must verify,
hold what was acknowledged, and hold nothing in part; and the same command, run again, must make it whole.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from suppress.audit import verify
from suppress.core.address import Address
from suppress.core.verdict import Ruling, Tier
from tests.faults.injecting import Point, Ran, Zygote, points, sample, why_not, zygote
from tests.ledger.backing import types
from tests.ledger.making import Place, opt_out

PEOPLE = [f"person{number}@example.com" for number in range(20)]
PAT, ERASED, FORGOTTEN, NEW = (
    "pat@example.com",
    "e.rased@gmail.com",
    "forgotten@example.com",
    "new@example.com",
)
LAW = ("--basis", "Art. 17 GDPR", "--yes")


def opt_outs(place: Place, *addresses: str) -> list[int]:
    """How many opt-outs of each of these people are recorded."""
    with place.open(read_only=True) as ledger:
        return [
            sum(each.entry.body.type == "optout.recorded" for each in ledger.history(Address.parse(address)))
            for address in addresses
        ]


def added(place: Place) -> bool:
    found = opt_outs(place, NEW)
    assert found in ([0], [1])
    return found == [1]


def imported(place: Place) -> bool:
    found = opt_outs(place, *PEOPLE)
    assert found in ([0] * 20, [1] * 20)
    return found == [1] * 20 and "import.done" in types(place)


def erased(place: Place) -> bool:
    with place.open(read_only=True) as ledger:
        verdict = ledger.check(ERASED)
        held = [each for each in ledger.history(Address.parse(ERASED)) if each.payload is not None]
    assert verdict.ruling is Ruling.SUPPRESSED
    assert types(place).count("erased") == (not held) == (verdict.tier is Tier.ERASED)
    return not held


def forgotten(place: Place) -> bool:
    with place.open(read_only=True) as ledger:
        gone = ledger.check(FORGOTTEN).ruling is Ruling.CLEAR
    assert types(place).count("forgotten") == gone
    return gone


def anchored(place: Place) -> bool:
    file = place.folder / "head.note"
    with place.open(read_only=True) as ledger:
        assert not file.exists() or file.read_text() == ledger.head().note
    return file.exists()


def exported(place: Place) -> bool:
    file, manifest = place.folder / "out.csv", place.folder / "out.csv.manifest.json"
    if not manifest.exists():
        return False
    content = file.read_bytes()
    assert json.loads(manifest.read_text())["sha256"] == sha256(content).hexdigest()
    assert {PAT, ERASED, FORGOTTEN} == {row[0] for row in list(csv.reader(content.decode().splitlines()))[1:]}
    return "honoured" in types(place)


@dataclass(frozen=True, slots=True)
class Command:
    """A command, and whether the ledger and the files say that it was done; they never say half of it."""

    arguments: tuple[str, ...]
    done: Callable[[Place], bool]
    gone: str = ""
    """Whose address may be in no file afterwards."""


COMMANDS = {
    "append": Command(("add", NEW, "--received", "2026-11-02", "--note", "rang"), added),
    "import": Command(("import", "list.csv", "--map", "email=email"), imported),
    "erase": Command(("erase", ERASED, *LAW), erased, ERASED),
    "forget": Command(("forget", FORGOTTEN, *LAW, "--confirm", "no longer protected"), forgotten, FORGOTTEN),
    "anchor": Command(("anchor", "-o", "head.note"), anchored),
    "export": Command(("export", "csv", "-o", "out.csv"), exported),
}


@pytest.fixture(scope="module")
def runs() -> Iterator[Zygote]:
    """What runs the commands; the tests are skipped where calls cannot be made to fail."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    with zygote() as started:
        yield started


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Three people who opted out, and a list of twenty more."""
    place = Place(tmp_path_factory.mktemp("original")).create()
    place.record(*(opt_out(address) for address in (PAT, ERASED, FORGOTTEN)))
    (place.folder / "list.csv").write_text("email\n" + "\n".join(PEOPLE) + "\n")
    return place


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", list(COMMANDS))
def test_a_call_that_fails_is_never_acknowledged(
    runs: Zygote, original: Place, tmp_path: Path, name: str, request: pytest.FixtureRequest
) -> None:
    """At every call that touches a file; a sample of them in the short run."""
    command = COMMANDS[name]
    undisturbed = copied(original, tmp_path / "undisturbed")
    everything = points(runs.calls(undisturbed.folder, command.arguments))
    assert command.done(undisturbed)
    long = request.config.getoption("--faults-long", default=False)
    failed, tried = 0, sample(everything, None if long else 10, name)
    for point in tried:
        place = copied(original, tmp_path / "tried")
        ran = runs.run(place.folder, command.arguments, point.strace)
        failed += ran.exit_code != 0
        judged(place, command, point, ran)
        again = runs.run(place.folder, command.arguments)
        assert (again.exit_code, command.done(place)) == (0, True), (point, ran, again)
        nothing_left(place, command, point)
        shutil.rmtree(place.folder)

    print(f"\n{name}: {len(tried):,} calls failed, {failed:,} of them made the command fail")
    assert failed, "not one call that failed made the command fail: the harness does not reach what it tests"


def copied(original: Place, folder: Path) -> Place:
    return Place(Path(shutil.copytree(original.folder, folder)))


def judged(place: Place, command: Command, point: Point, ran: Ran) -> None:
    """Verified, whole or untouched, nobody else's opt-out lost; and reported as done only if it was."""
    result = verify(place.url, keys=place.keys)
    assert result.first_bad is None, (point, ran, result)
    assert command.done(place) or ran.exit_code != 0, (point, ran)
    assert ran.exit_code != 1, (point, ran)
    assert "Traceback" not in ran.err, (point, ran)
    with place.open(read_only=True) as ledger:
        assert ledger.check(PAT).ruling is Ruling.SUPPRESSED, point


def nothing_left(place: Place, command: Command, point: Point) -> None:
    """Of an erased person no byte is left, wherever a kill may have fallen."""
    if command.gone:
        left = [
            file.name
            for file in place.folder.rglob("*")
            if file.is_file() and command.gone.encode() in file.read_bytes()
        ]
        assert [] == left, point
    assert verify(place.url, keys=place.keys).first_bad is None, point
