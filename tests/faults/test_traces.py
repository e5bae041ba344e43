"""A thousand erasures among ten thousand people: all stay suppressed, and no file of ours names them.

The search goes through every file in the folder of the ledger: database, journal, keys, the lists and bundles
that were written since, and what commands printed. With `secure_delete` off the same search finds some.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from suppress.audit import verify
from suppress.core.verdict import Tier
from suppress.ledger import Ledger
from tests.conftest import Command
from tests.ledger.making import Place
from tests.test_erasure_bytes import Person, erase, marks, without_secure_delete


@pytest.fixture
def sizes(request: pytest.FixtureRequest) -> tuple[int, int]:
    """How many people, and how many of them are erased."""
    long = request.config.getoption("--faults-long", default=False)
    return (10_000, 1_000) if long else (300, 30)


def peopled(place: Place, count: int) -> list[Person]:
    chance = random.Random(20261123)
    people = [Person(number, chance) for number in range(count)]
    with place.open() as ledger:
        for start in range(0, count, 250):
            batch = people[start : start + 250]
            ledger.append([event for person in batch for event in person.events()], actor="test")
    return people


def erased(ledger: Ledger, people: list[Person], count: int) -> list[Person]:
    gone = random.Random(7).sample(people, count)
    for person in gone:
        erase(ledger, person)
    return gone


def printed(place: Place, *arguments: str) -> int:
    """Run a command in the ledger's folder, and keep what it printed beside the ledger."""
    done = Command(place.folder)(*arguments, seconds=600)
    with (place.folder / "commands.log").open("a") as log:
        log.write(f"$ suppress {arguments[0]}\n{done.out}{done.err}")
    return done.exit_code


@pytest.mark.timeout(3600)
def test_nothing_of_the_erased_is_left_anywhere(place: Place, sizes: tuple[int, int]) -> None:
    """Neither address, spelling nor evidence, in no file that a command has written or written anew."""
    people = peopled(place, sizes[0])
    assert printed(place, "export", "csv", "-o", "list.csv") == 0
    everybody = {person.mark for person in people}
    assert everybody == everybody & marks(place.folder)
    with place.open() as ledger:
        gone = erased(ledger, people, sizes[1])
        tiers = {ledger.check(person.address).tier for person in gone if person.suppressed}
    assert {Tier.ERASED} == tiers

    for arguments in (
        ("export", "csv", "-o", "list.csv"),
        ("bundle", "-o", "whole"),
        ("bundle", "-o", "open", "--open"),
        ("report", "-o", "report.html"),
        ("report", "--format", "json", "-o", "report.json"),
    ):
        assert printed(place, *arguments) in (0, 1), (place.folder / "commands.log").read_text()
    assert printed(place, "verify") == 3
    assert printed(place, "ledger", "backup", "-o", "backup.db") == 0

    # Of the marks of these people: where SQLite cuts one at the end of a page, a page number may complete it.
    assert everybody - {person.mark for person in gone} == everybody & marks(place.folder)
    assert verify(place.url, keys=place.keys).first_bad is None


@pytest.mark.timeout(3600)
def test_with_secure_delete_off_the_same_search_finds_some(
    place: Place, sizes: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it would have found them."""
    without_secure_delete(monkeypatch)
    people = peopled(place, sizes[0])
    with place.open() as ledger:
        gone = erased(ledger, people, sizes[1])

    left = {person.mark for person in gone} & marks(place.folder)
    assert left
    print(f"\nwithout secure_delete {len(left)} of {len(gone)} erased people are still in the file")


def test_the_search_reads_every_file(tmp_path: Path) -> None:
    """In folders below, in names, in any case."""
    person = Person(1, random.Random(1))
    (tmp_path / "below").mkdir()
    for number, content in enumerate((person.mark, person.mark.upper(), "nobody")):
        (tmp_path / "below" / f"{number}").write_text(content)
        assert {person.mark} == marks(tmp_path)
    (tmp_path / "below" / "qffffffffffq").touch()
    assert {person.mark, "qffffffffffq"} == marks(tmp_path)
