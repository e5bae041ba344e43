"""Checkpoints kept elsewhere: told apart, and bounds of where a ledger was changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from suppress.audit import Verification, verify
from suppress.errors import BadFile
from suppress.ledger import Ledger
from tests.ledger.making import Place, opt_out, sync_done

pytestmark = pytest.mark.both_back_ends


def anchored(place: Place, folder: Path, *sizes: int) -> dict[int, Path]:
    """Grow a ledger of one entry to these sizes, and keep the checkpoint of each."""
    found = {}
    for size in sizes:
        with place.open() as ledger:
            at = ledger.head().size
            ledger.append(
                [sync_done(f"{place.folder.name}-{each}") for each in range(at, size)], actor="test"
            )
            found[size] = folder / f"{size}.note"
            found[size].write_text(ledger.keep_checkpoint().note)
    return found


def checked(place: Place, *anchors: Path) -> Verification:
    return verify(place.url, keys=place.keys, anchors=anchors)


def results(found: Verification) -> list[str | None]:
    return [each.result for each in found.compared]


@pytest.fixture
def fork(place: Place, tmp_path: Path) -> tuple[Place, dict[int, Path]]:
    """A ledger that left the true one after five entries, with checkpoints of the true one."""
    anchors = anchored(place, tmp_path, 3, 5)
    other = place.twin("fork")
    anchors |= anchored(place, tmp_path, 8, 12)
    (tmp_path / "theirs").mkdir()
    anchored(other, tmp_path / "theirs", 6, 7, 10, 14)
    return other, anchors


def test_a_ledger_that_only_grew_fits_all_its_checkpoints(place: Place, tmp_path: Path) -> None:
    """In whatever order they are given."""
    anchors = anchored(place, tmp_path, 1, 4, 9)
    found = checked(place, anchors[9], anchors[1], anchors[4])

    assert (True, ["holds"] * 3) == (found.ok, results(found))
    assert [9, 1, 4] == [each.size for each in found.compared]


def test_a_fork_is_right_but_for_a_checkpoint_newer_than_it(fork: tuple[Place, dict[int, Path]]) -> None:
    """Everything inside is consistent and signed with the real key."""
    other, anchors = fork
    (other.keys / "highwater").unlink()

    assert checked(other).ok
    assert checked(other, anchors[3], anchors[5]).ok
    found = checked(other, anchors[8], anchors[3], anchors[12], anchors[5])
    assert found.first_bad is not None
    assert ["forked", "holds", "forked", "holds"] == results(found)
    assert (None, (5, 8)) == (found.first_bad.seq, found.first_bad.between)
    assert "forked or written anew, and signed" in found.first_bad.what


def test_what_is_stored_inside_does_not_bound_a_fork(fork: tuple[Place, dict[int, Path]]) -> None:
    """Its own checkpoints at six and seven are as forged as its entries: only anchors are believed."""
    other, anchors = fork
    found = checked(other, anchors[3], anchors[12])

    assert found.first_bad is not None
    assert (3, 12) == found.first_bad.between


def test_an_edit_that_nobody_signed_is_named_itself(place: Place, tmp_path: Path) -> None:
    """Between the checkpoints around it."""
    anchors = anchored(place, tmp_path, 3, 8)
    edited = "CAST(replace(CAST(leaf AS TEXT), 'test', 'tset') AS BLOB)"
    place.unguarded((f"UPDATE ledger SET leaf = {edited} WHERE seq = 5", ()))
    found = checked(place, anchors[3], anchors[8])

    assert found.first_bad is not None
    assert (5, (3, 8)) == (found.first_bad.seq, found.first_bad.between)


def test_a_ledger_that_was_cut_short_is_behind_a_checkpoint(place: Place, tmp_path: Path) -> None:
    """An older copy: the checkpoints of then fit, the newest names the first entry that is missing."""
    anchors = anchored(place, tmp_path, 3)
    put_back = place.remembered()
    anchors |= anchored(place, tmp_path, 6, 9)
    put_back()
    (place.keys / "highwater").unlink()
    found = checked(place, anchors[9], anchors[6], anchors[3])

    assert found.first_bad is not None
    assert ["ahead", "ahead", "holds"] == results(found)
    assert (3, True) == (found.first_bad.seq, found.first_bad.what.startswith(str(anchors[6])))


def test_another_ledgers_checkpoint_is_foreign(place: Place, tmp_path: Path) -> None:
    """And nothing that was compared after it is said to fit."""
    (tmp_path / "other").mkdir()
    other = Place(tmp_path / "other")
    Ledger.create(other.url, keys=other.keys)
    foreign = anchored(other, tmp_path / "other", 2)[2]
    found = checked(place, foreign)

    assert (False, ["foreign"], [None]) == (found.ok, results(found), [each.size for each in found.compared])


def test_a_bundles_folder_is_an_anchor(place: Place, tmp_path: Path) -> None:
    """Its checkpoint is; a folder without one is wrong usage."""
    anchors = anchored(place, tmp_path, 4)
    (tmp_path / "bundle").mkdir()
    shutil.copy(anchors[4], tmp_path / "bundle" / "checkpoint")
    place.record(opt_out())

    assert ["holds"] == results(checked(place, tmp_path / "bundle"))
    with pytest.raises(BadFile, match="cannot be read"):
        checked(place, tmp_path / "theirs")
