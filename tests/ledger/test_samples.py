"""Ledgers of every released schema, as they were written: opened, upgraded, still exactly what was signed.

A new schema adds a folder to `samples/` (`samples/make.py`) and nothing here.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from suppress.audit import verify
from suppress.core.entry import BODIES
from suppress.core.suppression import Scope
from suppress.errors import MigrationNeeded
from suppress.ledger import Keys, schema
from suppress.ledger.engine import reading, sqlite_engine
from suppress.ledger.inspection import guard_problem
from tests.ledger.making import Place, opt_out
from tests.ledger.samples.make import SAMPLES, described, kinds_in, main, samples_of

FOLDERS = sorted(folder for folder in SAMPLES.iterdir() if (folder / "expected.json").is_file())


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def sample(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A copy of a sample, with the permissions that version control does not keep."""
    folder = tmp_path / "sample"
    shutil.copytree(request.param, folder)
    for file in [*folder.glob("suppress.keys/*.pem"), *folder.glob("suppress.keys/index.*")]:
        file.chmod(0o600)
    yield folder


@pytest.fixture
def place(sample: Path) -> Place:
    """The sample, brought to this program's schema as a user does it."""
    place = Place(sample)
    try:
        place.open().close()
    except MigrationNeeded as needed:
        assert "suppress ledger upgrade" == needed.remedy
        copy = schema.upgrade(place.file, Keys.load(place.keys)).copy
        assert copy is not None
        copy.unlink()
    return place


def expected(place: Place) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place.folder / "expected.json").read_text("utf-8"))
    return found


def revision_of(folder: Path) -> str:
    """The schema that a folder names; of one schema there may be several samples."""
    return folder.name.partition(".")[0]


def test_every_schema_that_was_released_has_a_sample() -> None:
    """Of a schema without one, nobody would notice that it can no longer be read."""
    assert {schema.HEAD, *schema.OLDER} == {revision_of(folder) for folder in FOLDERS}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_sample_is_of_the_schema_that_its_folder_names(folder: Path) -> None:
    """As it lies there; the other tests work on copies."""
    assert revision_of(folder) == schema.read_revision(folder / "suppress.db")


def test_the_samples_of_the_newest_schema_have_every_kind_of_entry() -> None:
    """What a sample never had, no test of it can miss. Kinds that come later get a sample more."""
    assert set(BODIES) == kinds_in(samples_of(schema.HEAD))


def test_it_says_what_it_always_said(place: Place) -> None:
    """Leaves and root, who is suppressed and why, and whose address is held."""
    assert expected(place) == described(place, expected(place)["checks"])


def test_it_verifies_against_its_own_anchor(place: Place) -> None:
    """With the guards of this program in place."""
    result = verify(place.url, keys=place.keys, anchors=[place.folder / "anchor.note"])

    assert None is result.first_bad
    assert (expected(place)["size"], expected(place)["root"]) == (result.size, result.root)
    engine = sqlite_engine(place.file, mode="ro")
    with reading(engine, place.file) as connection:
        assert None is guard_problem(connection)
    engine.dispose()


def test_it_can_be_gone_on_with(place: Place) -> None:
    """New entries follow; the old anchor fits; what is there already is not recorded twice."""
    told = [opt_out("somebody.new@example.com"), opt_out("list@example.com", scope=Scope("Acme", "News"))]
    with place.open() as ledger:
        new, known, erased = ledger.append([*told, opt_out("erased@example.com")], actor="test")
    assert [True, False, False] == [new.new, known.new, erased.new]
    assert expected(place)["size"] + 1 == new.seq

    result = verify(place.url, keys=place.keys, anchors=[place.folder / "anchor.note"])
    assert None is result.first_bad


def test_a_sample_is_never_made_again() -> None:
    """It is what people have, not what the program would write today."""
    before = {file: file.stat().st_mtime_ns for file in SAMPLES.rglob("*") if file.is_file()}
    assert 1 == main()
    assert before == {file: file.stat().st_mtime_ns for file in before}
