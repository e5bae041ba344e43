"""A long ledger is verified in two processes: what is found, and what is found first, is the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from suppress.audit import Verification, verify
from suppress.core.suppression import Reason
from suppress.errors import StorageFailed
from suppress.ledger import inspection
from tests.ledger.making import NOON, Place, consent, drift, opt_out, sync_done


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A ledger in which every table has rows."""
    made = Place(tmp_path).create()
    made.record(
        opt_out("Pat.Doe@example.com", evidence={"note": "please stop"}),
        opt_out("p.at@gmail.com", reason=Reason.COMPLAINT),
        sync_done("run-1"),
    )
    made.record(drift("p.at@gmail.com"), consent("sam@example.com", at=NOON), opt_out("sam@example.com"))
    return made


@pytest.fixture
def in_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every ledger were long."""
    monkeypatch.setattr(inspection, "LONG", 1)


def both(place: Place) -> tuple[Verification, Verification]:
    """Verified in one process, and in two."""
    return verify(place.url, keys=place.keys), verify(place.url, keys=place.keys, apart=True)


@pytest.mark.both_back_ends
@pytest.mark.usefixtures("in_two")
def test_an_untouched_ledger_verifies_in_two_processes(place: Place) -> None:
    """Whatever is known of it is the same."""
    alone, apart = both(place)

    assert alone.ok
    assert alone == apart


@pytest.mark.parametrize(
    "statements",
    [
        ["DELETE FROM subject WHERE id = (SELECT id FROM event WHERE seq = 3)"],
        ["UPDATE subject SET salt = zeroblob(32) WHERE id = (SELECT id FROM event WHERE seq = 3)"],
        ["UPDATE subject SET key_id = 'k2' WHERE id = (SELECT id FROM event WHERE seq = 3)"],
        ["DELETE FROM alias"],
        ["DELETE FROM standing WHERE person = 1"],
        ["INSERT INTO lift VALUES (1, 'email', 'everything', '2099-01-01T00:00:00.000000Z', 2)"],
        ["DELETE FROM alias", "DELETE FROM standing WHERE person = 1"],
        ["DELETE FROM standing WHERE person = 1", "DELETE FROM payload WHERE seq = 4"],
        ["DELETE FROM subject WHERE id = (SELECT id FROM event WHERE seq = 3)", "DELETE FROM alias"],
        ["UPDATE ledger SET leaf = x'7b7d' WHERE seq = 4"],
        ["UPDATE ledger SET leaf = x'7b7d' WHERE seq = 0"],
        ["UPDATE head SET size = size + 1"],
    ],
)
@pytest.mark.usefixtures("in_two")
def test_the_same_is_found_first_in_two_processes(place: Place, statements: list[str]) -> None:
    """Also where several things are wrong, and where the other process stumbles over what this one names."""
    place.unguarded(*((statement, ()) for statement in statements))

    alone, apart = both(place)

    assert not alone.ok
    assert replace(alone, entries_checked=0) == replace(apart, entries_checked=0)


@pytest.mark.usefixtures("in_two")
def test_a_process_that_cannot_read_the_ledger_is_no_finding(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its failure is the failure of the whole."""
    monkeypatch.setattr("suppress.audit._look", fail)

    with pytest.raises(StorageFailed, match="the disk is gone"):
        verify(place.url, keys=place.keys, apart=True)


def fail(*_: object) -> None:
    """What a broken disk does."""
    raise StorageFailed("the disk is gone")
