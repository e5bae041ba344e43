"""Not one byte of an erased person is left in any file of ours; and the search for it would find one."""

from __future__ import annotations

import random
import re
import sqlite3
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest

from suppress.audit import verify
from suppress.core.address import Address
from suppress.core.aliases import alias_of
from suppress.core.suppression import Consent, Drift, Json, OptOut
from suppress.core.verdict import Tier
from suppress.ledger import Grounds, Keys, Ledger, engine, scrubbing
from tests.ledger.making import NOON, Place, consent, drift, opt_out

PEOPLE = 2_000
MARK = re.compile(rb"q[0-9a-f]{10}q", re.IGNORECASE)
"""What stands in each person's address, in its spelling, and in all evidence about them."""


class Person:
    """Somebody with a mark of their own, whose events hold it in every place that takes personal data."""

    def __init__(self, number: int, chance: random.Random) -> None:
        self.mark = f"q{chance.randbytes(5).hex()}q"
        domain = ("example.com", "gmail.com", "xn--exmple-cua.de")[number % 3]
        self.address = f"{self.mark}.{number % 7}@{domain}"
        self.spelling = f"{self.mark.upper()} <{self.mark.upper()}.{number % 7}@{domain}>"
        # Most evidence is short; some fills several pages of its own.
        self.size = chance.choice((0, 10, 60, 2_000))
        self.told = number % 4
        self.suppressed = self.told != 2
        """Unless a consent is the last that was told of them."""

    def events(self) -> list[OptOut | Consent | Drift]:
        evidence: dict[str, Json] = {
            "cells": [self.address, f"note of {self.mark}"],
            "id": self.mark,
            "scan": f"{self.mark} " * self.size,
        }
        first = opt_out(self.spelling, evidence=evidence)
        more: list[OptOut | Consent | Drift] = [
            drift(self.address),
            consent(self.address, at=NOON + timedelta(days=1)),
            opt_out(self.address, at=NOON + timedelta(days=2), evidence={"reason": self.mark}),
        ]
        return [first, *more[: self.told]]


def crowd(place: Place) -> list[Person]:
    """Two thousand people in a ledger, in batches, with the indexes and evidence of all."""
    chance = random.Random(20261123)
    people = [Person(number, chance) for number in range(PEOPLE)]
    with place.open() as ledger:
        for start in range(0, PEOPLE, 250):
            batch = people[start : start + 250]
            ledger.append([event for person in batch for event in person.events()], actor="test")
    return people


def erase(ledger: Ledger, person: Person, *, forget: bool = False) -> None:
    address = Address.parse(person.address)
    seen = [each.entry.seq for each in ledger.history(address)]
    assert seen
    remove = ledger.forget if forget else ledger.erase
    remove(address, Grounds("Art. 17 GDPR"), seen=seen, actor="test")


def bytes_of(folder: Path) -> dict[Path, bytes]:
    """All files: database, journal, keys, state, temporary ones, whatever lies there."""
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def marks(folder: Path) -> set[str]:
    """The people of whom anything is left in any file or file name."""
    found = {mark.decode().lower() for content in bytes_of(folder).values() for mark in MARK.findall(content)}
    return found | {mark for file in folder.rglob("*") for mark in _marks_in(file.name)}


def _marks_in(name: str) -> set[str]:
    return {mark.decode().lower() for mark in MARK.findall(name.encode())}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A ledger whose temporary files lie in its own folder."""
    (tmp_path / "tmp").mkdir()
    for variable in ("TMPDIR", "SQLITE_TMPDIR"):
        monkeypatch.setenv(variable, str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return Place(tmp_path).create()


def test_no_byte_of_an_erased_person_is_left(place: Place) -> None:
    """Of 240 among two thousand: neither address, spelling, match key, evidence, nor what indexes them."""
    people = crowd(place)
    assert {person.mark for person in people} == marks(place.folder)
    chance = random.Random(7)
    gone = chance.sample(people, 240)
    forgotten = gone[-6:]
    indexes = _indexes(place, gone, forgotten)
    assert len(indexes) == len(found(place.folder, indexes))

    with place.open() as ledger:
        for number, person in enumerate(gone):
            erase(ledger, person, forget=person in forgotten)
            if number % 60 == 0:
                list(ledger.suppressed())  # which sorts everybody in a scratch file
        # The platform reports some of them again, with other dates and with their address.
        again = [opt_out(each.spelling, at=NOON + timedelta(days=9)) for each in gone[:40]]
        ledger.append(again, actor="test")
        assert {Tier.ERASED} == {ledger.check(each.address).tier for each in gone[:-6] if each.suppressed}

    left = {person.mark for person in gone} & marks(place.folder)
    assert set() == left
    assert [] == found(place.folder, indexes)
    assert PEOPLE - 240 == len(marks(place.folder))
    assert verify(place.url, keys=place.keys).first_bad is None


def without_secure_delete(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is deleted from here on stays in the file's free space."""
    settle = engine._settle

    def careless(connection: sqlite3.Connection, mode: str) -> None:
        settle(connection, mode)
        connection.execute("PRAGMA secure_delete = OFF")

    monkeypatch.setattr(engine, "_settle", careless)


def test_without_secure_delete_the_same_search_finds_them(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: a search that finds nothing proves something only if it can find."""
    without_secure_delete(monkeypatch)
    people = crowd(place)
    gone = random.Random(7).sample(people, 60)
    with place.open() as ledger:
        for person in gone:
            erase(ledger, person)

    assert {person.mark for person in gone} & marks(place.folder)
    assert verify(place.url, keys=place.keys).first_bad is None, "the rows are gone all the same"


def thinned_out(place: Place, seed: int) -> set[str]:
    """Erase half of two hundred people with evidence of all sizes; those of whom anything is left.

    As people go, their pages run empty and are merged with their neighbours.
    """
    chance = random.Random(seed)
    people = [Person(number, chance) for number in range(200)]
    events = [
        opt_out(
            person.address,
            at=NOON + timedelta(days=day),
            evidence={"scan": f"{person.mark} " * chance.choice((0, 10, 60))},
        )
        for person in people
        for day in range(3)
    ]
    with place.open() as ledger:
        ledger.append(events, actor="test")
        gone = chance.sample(people, 100)
        for person in gone:
            erase(ledger, person)
    assert verify(place.url, keys=place.keys).first_bad is None
    return {person.mark for person in gone} & marks(place.folder)


MERGED_WITH_A_COPY = 10
"""A seed by which SQLite 3.40 leaves a copy of somebody; the control looks on from here."""


def test_what_merging_pages_leaves_behind_goes_too(place: Place) -> None:
    """SQLite zeroes the rows it deletes, not the copies it leaves where it moved others."""
    assert set() == thinned_out(place, MERGED_WITH_A_COPY)


def test_without_writing_the_file_anew_merged_pages_keep_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: were SQLite to zero them itself one day, the precaution could go."""
    monkeypatch.setattr(scrubbing, "has_moved_rows", lambda _file: False)
    folders = (tmp_path / str(seed) for seed in range(MERGED_WITH_A_COPY, MERGED_WITH_A_COPY + 30))

    assert any(thinned_out(_new(folder), int(folder.name)) for folder in folders)


def _new(folder: Path) -> Place:
    folder.mkdir()
    return Place(folder).create()


def test_a_file_that_was_not_written_anew_is_with_the_next_erasure(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the commit and that, the mark is still there; repeating the command makes it good."""

    class Killed(Exception):
        pass

    def killed(*_: object) -> None:
        raise Killed

    person = Person(3, random.Random(1))
    with place.open() as ledger:
        ledger.append(person.events(), actor="test")
        monkeypatch.setattr(scrubbing, "write_anew", killed)
        with pytest.raises(Killed):
            erase(ledger, person, forget=True)
        monkeypatch.undo()
        unused = Address.parse("nobody@example.com")
        ledger.forget(unused, Grounds("Art. 17 GDPR"), seen=(), actor="test")

    assert set() == marks(place.folder)
    with place.raw() as connection:
        assert [("alias",)] == connection.execute("SELECT name FROM built").fetchall()


@pytest.mark.parametrize(
    "journal",
    [
        b"",
        b"no journal at all" * 40,
        bytes(512),
        bytes(16)
        + (9).to_bytes(4, "big")
        + (512).to_bytes(4, "big")
        + (1024).to_bytes(4, "big")
        + bytes(490),
        bytes(16) + b"\0\0\0\x09\0\0\x02\0\0\0\x04\0" + bytes(484) + b"\0\0\0\x0a" + bytes(1028),
    ],
    ids=["empty", "another file", "no sizes", "cut short", "a page beyond the file"],
)
def test_a_journal_that_cannot_be_read_counts_as_moved(place: Place, journal: bytes) -> None:
    """Writing the file anew for nothing costs seconds; not doing it would leave an address."""
    place.file.with_name(f"{place.file.name}-journal").write_bytes(journal)
    assert scrubbing.has_moved_rows(place.file)
    place.file.with_name(f"{place.file.name}-journal").unlink()
    assert scrubbing.has_moved_rows(place.file)


def _indexes(place: Place, gone: list[Person], forgotten: list[Person]) -> list[bytes]:
    """What could match them: alias indexes of all, blind indexes of the forgotten."""
    (key,) = Keys.load(place.keys).index
    aliases = [alias_of(Address.parse(person.address).key) for person in gone]
    return [
        *(key.blind_alias(alias.key) for alias in aliases if alias is not None),
        *(key.blind(Address.parse(person.address).key) for person in forgotten),
    ]


def found(folder: Path, indexes: list[bytes]) -> list[bytes]:
    """Those that stand in any file, as bytes or in hex."""
    content = b"".join(bytes_of(folder).values())
    return [index for index in indexes if index in content or index.hex().encode() in content]
