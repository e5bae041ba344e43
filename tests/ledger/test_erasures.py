"""The record of erasures outside the database: no address in it, and nothing goes on without it."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from suppress.core.address import Address
from suppress.core.verdict import Tier
from suppress.errors import ConfigWrong, StorageFailed
from suppress.ledger import erasing, erasures
from tests.ledger.backing import GROUNDS, backed_up, peopled, put_back, removed, restored, tier, types
from tests.ledger.making import Place, opt_out

pytestmark = pytest.mark.both_back_ends


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Pat and Sam opted out, and are in the backup that the test makes."""
    return peopled(tmp_path)


def test_the_record_of_an_erasure_holds_no_address_and_is_the_owners_alone(place: Place) -> None:
    """Random ids, salted commitments, and the keyed index that the ledger has as well."""
    subject = removed(place, "pat@example.com")
    file = place.keys / "erasures" / f"{subject}.json"

    assert (0o700, 0o600) == (
        stat.S_IMODE(file.parent.stat().st_mode),
        stat.S_IMODE(file.stat().st_mode),
    )
    assert "suppress/erasure@1" == json.loads(file.read_text())["schema"]
    for text in ("pat", "example", "stop", "DSR-1"):
        assert text not in file.read_text()


def test_a_record_that_a_kill_prevented_is_written_by_repeating(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the repetition finds nobody, because the person is forgotten."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    subjects = []
    for address, forget in (("pat@example.com", False), ("s.am@gmail.com", True)):
        with place.open() as ledger:
            subjects.append(ledger.standing(Address.parse(address)).subject)
        monkeypatch.setattr(erasing, "keep", killed)
        with pytest.raises(KeyboardInterrupt):
            removed(place, address, forget=forget)
        monkeypatch.undo()
        with place.open() as ledger:
            again = ledger.forget if forget else ledger.erase
            again(Address.parse(address), GROUNDS, seen=(), actor="test")

    assert set(subjects) == {each.stem for each in (place.keys / "erasures").iterdir()}


def test_forgetting_that_was_killed_leaves_no_index_outside_either(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record of an earlier erasure has it, and so may a draft that a kill left."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    subject = removed(place, "pat@example.com")
    file = place.keys / "erasures" / f"{subject}.json"
    draft = file.with_name(f".{file.name}-abcd1234")
    draft.write_bytes(file.read_bytes())
    monkeypatch.setattr(erasing, "keep", killed)
    with pytest.raises(KeyboardInterrupt):
        removed(place, "pat@example.com", forget=True)
    monkeypatch.undo()
    assert "blind_index" in file.read_text()
    with place.open() as ledger:
        ledger.forget(Address.parse("pat@example.com"), GROUNDS, seen=(), actor="test")

    assert "blind_index" not in file.read_text()
    assert not draft.exists()


def test_a_record_that_cannot_be_written_is_said(place: Place) -> None:
    """The erasure itself is done; repeating it, once there is room, writes the record."""
    (place.keys / "erasures").write_text("in the way")
    with pytest.raises(StorageFailed, match="erasures"):
        removed(place, "pat@example.com")
    assert Tier.ERASED is tier(place, "pat@example.com")


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: facts.update(schema="suppress/erasure@2"),
        lambda facts: facts.pop("index"),
        lambda facts: facts.update(index=[]),
        lambda facts: facts.update(entries={}),
        lambda facts: facts.update(entries=[]),
        lambda facts: facts.update(entries=[facts["entries"][1]]),
        lambda facts: facts.update(entries=[7]),
        lambda facts: facts.update(record=facts["entries"][1]),
        lambda facts: facts.update(record="{}"),
        lambda facts: facts["index"].update(salt="00" * 32),
        lambda facts: facts["index"].update(blind_index="zz"),
        lambda facts: facts["entries"].append(_of_somebody_else(facts["entries"][1])),
    ],
)
def test_a_record_that_was_changed_stops_everything(place: Place, change: Any) -> None:
    """Going on without it would bring somebody back."""
    backup = backed_up(place)
    subject = removed(place, "pat@example.com")
    file = place.keys / "erasures" / f"{subject}.json"
    facts = json.loads(file.read_text())
    change(facts)
    file.write_text(json.dumps(facts))
    put_back(place, backup)

    with pytest.raises(ConfigWrong, match="is not a record of an erasure"):
        restored(place)
    assert 5 == len(types(place))


def _of_somebody_else(leaf: str) -> str:
    told = json.loads(leaf)
    told["subject"] = "0" * 32
    return json.dumps(told, sort_keys=True, separators=(",", ":"))


@pytest.mark.parametrize("content", ["", "[]", "null", "{", '{"schema": 1}', "[" * 100_000])
def test_a_record_of_no_known_form_stops_everything(place: Place, content: str) -> None:
    """Whatever lies in the folder under such a name."""
    (place.keys / "erasures").mkdir()
    (place.keys / "erasures" / "x.json").write_text(content)
    with pytest.raises(ConfigWrong, match="is not a record"):
        restored(place)


def test_a_record_under_another_name_or_out_of_reach_stops_everything(place: Place) -> None:
    """A file is about whom its name says."""
    subject = removed(place, "pat@example.com")
    folder = place.keys / "erasures"
    (folder / f"{subject}.json").rename(folder / "other.json")
    with pytest.raises(ConfigWrong, match="is not a record"):
        erasures.load(folder)
    (folder / "other.json").unlink()
    (folder / "folder.json").mkdir()
    with pytest.raises(ConfigWrong, match="cannot be read"):
        erasures.load(folder)
    assert [] == erasures.load(place.folder / "none")


def test_the_forgotten_are_taken_up_first_and_the_erased_as_they_went(place: Place) -> None:
    """Whatever their random names are: an old row has to go before a new one of the same address comes."""
    place.record(*(opt_out(f"p{number}@example.com") for number in range(6)))
    went = [removed(place, f"p{number}@example.com", forget=number % 2 == 1) for number in range(6)]

    assert [*went[1::2], *went[0::2]] == [each.subject for each in erasures.load(place.keys / "erasures")]
