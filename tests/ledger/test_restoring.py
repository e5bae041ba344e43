"""A ledger goes on from a backup in the open, and brings nobody back whom it had erased."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from suppress.core.address import Address
from suppress.core.entry import Corrected, Erased, Forgotten, IndexKeyRotated, Restored
from suppress.core.verdict import Ruling, Tier
from suppress.errors import BadUsage, ConfigWrong, LedgerDamaged, StorageFailed
from suppress.ledger import Event, Ledger, restoring
from tests.ledger.backing import (
    backed_up,
    bodies,
    peopled,
    put_back,
    removed,
    restored,
    tier,
    types,
    verified,
)
from tests.ledger.making import NOON, Place, consent, drift, opt_out, sync_done

pytestmark = pytest.mark.both_back_ends

LATER = NOON + timedelta(days=9)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Pat and Sam opted out, and are in the backup that the test makes."""
    return peopled(tmp_path)


def test_an_older_copy_is_refused_with_the_way_out(place: Place) -> None:
    """Nothing is appended before it is said what was done."""
    backup = backed_up(place)
    place.record(sync_done("run"))
    put_back(place, backup)
    with pytest.raises(LedgerDamaged, match="5 entries, but 6 were already signed") as refused:
        place.record(sync_done("another"))

    assert "suppress ledger restored" in str(refused.value.remedy)
    assert 5 == len(types(place))


def test_going_on_says_how_far_the_backup_reached_and_how_far_was_signed(place: Place) -> None:
    """Then appends go on, and what was signed before is kept as a note."""
    backup = backed_up(place)
    place.record(sync_done("run"), sync_done("run-2"))
    lost = (place.keys / "highwater").read_text()
    put_back(place, backup)
    with place.open() as ledger:
        head = ledger.head()
    done = restored(place)

    assert (5, 7, 2, 5, True) == (done.size, done.signed, done.lost, done.seq, done.new)
    (body,) = bodies(place, Restored)
    assert (5, head.root.hex(), 7) == (body.size, body.root, body.outside_size)
    assert lost == (place.keys / "highwater.7").read_text()
    assert [6] == place.record(sync_done("run"))
    result = verified(place, backup.with_name("backup.db.checkpoint"))
    assert None is result.first_bad
    assert any("backup of 5 entries (entry 5); 7 had been signed" in each for each in result.not_checked)


def test_a_checkpoint_of_what_is_lost_does_not_fit_and_never_will(place: Place) -> None:
    """Whoever holds one is told, as the table of attacks says: before, after, and once it is longer."""
    old = place.folder / "old.note"
    with place.open() as ledger:
        old.write_text(ledger.head().note)
    backup = backed_up(place)
    place.record(sync_done("run"), sync_done("run-2"))
    newer = place.folder / "newer.note"
    with place.open() as ledger:
        newer.write_text(ledger.head().note)
    put_back(place, backup)

    found = [verified(place, newer).first_bad]
    restored(place)
    found.append(verified(place, newer).first_bad)
    place.record(sync_done("run-3"), sync_done("run-4"), sync_done("run-5"))
    found.append(verified(place, newer).first_bad)
    before, after, longer = (str(each and each.what) for each in found)
    for what in (before, after):
        assert "newer.note covers 7 entries and the ledger has" in what
        assert "an older copy was put back" in what
    assert "newer.note" in longer
    assert None is verified(place, old).first_bad


@pytest.mark.parametrize("address", ["pat@example.com", "s.am@gmail.com"])
def test_who_was_erased_since_is_erased_again(place: Place, address: str) -> None:
    """By the same record, under the same id; the address does not come back with the backup."""
    backup = backed_up(place)
    subject = removed(place, address)
    put_back(place, backup)
    assert Tier.EXACT is tier(place, address)
    done = restored(place)

    assert (1, 0) == (done.erased, done.forgotten)
    assert ["restored", "erased"] == types(place, 5)
    (body,) = bodies(place, Erased)
    assert (subject, "Art. 17 GDPR") == (body.subject, body.basis)
    assert Tier.ERASED is tier(place, address)
    assert not place.holds(address)
    assert None is verified(place).first_bad


def test_a_correction_of_who_somebody_is_does_not_spoil_the_record(place: Place) -> None:
    """It takes back no request; and one record that cannot be read would stop every restoration."""
    added = 1
    place.record(Event("mistake", Corrected(added, "another Pat")))
    backup = backed_up(place)
    place.record(sync_done("since"))
    removed(place, "pat@example.com")
    put_back(place, backup)

    assert 1 == restored(place).erased
    assert Tier.ERASED is tier(place, "pat@example.com")
    assert None is verified(place).first_bad


def test_who_was_forgotten_since_is_forgotten_again(place: Place) -> None:
    """An erased person of the backup, too."""
    removed(place, "s.am@gmail.com")
    backup = backed_up(place)
    removed(place, "pat@example.com", forget=True)
    removed(place, "s.am@gmail.com", forget=True)
    put_back(place, backup)
    done = restored(place)

    assert (0, 2) == (done.erased, done.forgotten)
    assert [None, None] == [tier(place, each) for each in ("pat@example.com", "s.am@gmail.com")]
    assert 2 == len(bodies(place, Forgotten))
    assert None is verified(place).first_bad


def test_who_came_and_was_erased_since_stays_suppressed_without_an_address(place: Place) -> None:
    """The backup never knew them; without this the next sync would record them anew, address and all."""
    backup = backed_up(place)
    request = opt_out("kim@example.com", evidence={"note": "no more"})
    first, _, mistaken = place.record(
        request, consent("kim@example.com", at=NOON - timedelta(days=1)), opt_out("kim@example.com", at=LATER)
    )
    place.record(Event("fix", Corrected(mistaken, "not hers")))
    with place.open() as ledger:
        old = [entry.id for entry in ledger.entries(first - 1, first + 1)]
    subject = removed(place, "kim@example.com")
    put_back(place, backup)
    assert None is tier(place, "kim@example.com")
    done = restored(place)

    assert 1 == done.erased
    assert ["restored", "subject.added", "optout.recorded", "optin.recorded", "erased"] == types(place, 5)
    assert Tier.ERASED is tier(place, "kim@example.com")
    with place.open() as ledger:
        assert old == [entry.id for entry in ledger.entries(6, 8)]
        assert subject == ledger.standing(Address.parse("kim@example.com")).subject
        assert [False] == [each.new for each in ledger.append([request], actor="sync")]
    assert not place.holds("kim@")
    assert None is verified(place).first_bad


def test_requests_that_were_recorded_between_backup_and_erasure_are_not_lost(place: Place) -> None:
    """The backup has the first, the record the second: they stay suppressed as of the newest."""
    backup = backed_up(place)
    place.record(opt_out("pat@example.com", at=LATER))
    removed(place, "pat@example.com")
    put_back(place, backup)
    restored(place)

    with place.open() as ledger:
        (suppression,) = ledger.standing(Address.parse("pat@example.com")).suppressions
    assert LATER == suppression.latest
    assert (2, 6) == bodies(place, Erased)[0].entries


def test_who_was_forgotten_and_never_in_the_backup_needs_nothing(place: Place) -> None:
    """There is nothing to remove, and nothing to say."""
    backup = backed_up(place)
    place.record(opt_out("kim@example.com"))
    removed(place, "kim@example.com", forget=True)
    put_back(place, backup)

    assert 0 == restored(place).forgotten
    assert ["restored"] == types(place, 5)


def test_an_erasure_that_the_backup_knows_is_not_done_again(place: Place) -> None:
    """Not even when the person consented since, and their address is held again."""
    removed(place, "pat@example.com")
    place.record(consent("pat@example.com", at=LATER))
    backup = backed_up(place)
    place.record(sync_done("run"))
    put_back(place, backup)

    assert 0 == restored(place).erased
    assert ["restored"] == types(place, 7)


def test_an_erasure_of_which_nothing_is_left_to_do_is_not_recorded_again(place: Place) -> None:
    """The backup has them erased; since then they were only seen once more."""
    subject = removed(place, "pat@example.com")
    backup = backed_up(place)
    place.record(drift("pat@example.com"))
    assert subject == removed(place, "pat@example.com")
    put_back(place, backup)

    assert 0 == restored(place).erased
    assert ["restored"] == types(place, 6)
    assert Tier.ERASED is tier(place, "pat@example.com")


def test_a_person_forgotten_and_erased_under_two_ids_is_settled_in_that_order(place: Place) -> None:
    """Forgotten, came back as somebody new, was erased: the old row has to go before the new one comes."""
    backup = backed_up(place)
    old = removed(place, "pat@example.com", forget=True)
    place.record(opt_out("pat@example.com", at=LATER))
    new = removed(place, "pat@example.com")
    put_back(place, backup)
    done = restored(place)

    assert (1, 1) == (done.erased, done.forgotten)
    assert old != new
    assert Tier.ERASED is tier(place, "pat@example.com")
    with place.open() as ledger:
        assert new == ledger.standing(Address.parse("pat@example.com")).subject
    assert None is verified(place).first_bad


def test_index_keys_that_came_since_are_recorded_again(place: Place) -> None:
    """Somebody who was erased is indexed under one, and must be recognised."""
    backup = backed_up(place)
    with place.open() as ledger:
        ledger.rotate_index_key(actor="test")
    place.record(opt_out("kim@example.com"))
    removed(place, "kim@example.com")
    put_back(place, backup)
    restored(place)

    assert ["k2"] == [body.index_key_id for body in bodies(place, IndexKeyRotated)]
    assert Tier.ERASED is tier(place, "kim@example.com")
    assert None is verified(place).first_bad


def test_without_the_index_key_nothing_is_done(place: Place) -> None:
    """The key is asked for, and the copy stays as it is."""
    backup = backed_up(place)
    with place.open() as ledger:
        ledger.rotate_index_key(actor="test")
    place.record(opt_out("kim@example.com"))
    removed(place, "kim@example.com")
    put_back(place, backup)
    (place.keys / "index.k2").unlink()

    with pytest.raises(ConfigWrong, match="lack index key k2"):
        restored(place)
    assert 5 == len(types(place))


def test_a_second_backup_from_before_is_gone_on_from_in_the_same_way(place: Place) -> None:
    """Each restoration is recorded, and each erases again."""
    backup = backed_up(place)
    removed(place, "pat@example.com")
    put_back(place, backup)
    restored(place)
    put_back(place, backup)
    done = restored(place)

    assert (5, 7, 1) == (done.size, done.signed, done.erased)
    assert [7] == [body.outside_size for body in bodies(place, Restored)]
    assert None is verified(place).first_bad


def test_running_it_again_changes_nothing(place: Place) -> None:
    """Nor does running it on a ledger that is no older copy."""
    assert (None, 0) == (restored(place).seq, restored(place).lost)
    backup = backed_up(place)
    place.record(sync_done("run"))
    put_back(place, backup)
    restored(place)
    again = restored(place)

    assert (None, False) == (again.seq, again.new)
    assert ["restored"] == types(place, 5)


def test_a_run_that_was_killed_before_it_moved_the_mark_is_finished(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is on record is not recorded twice."""
    backup = backed_up(place)
    removed(place, "pat@example.com")
    place.record(sync_done("run"), sync_done("run-2"))
    put_back(place, backup)
    kept = restoring._kept

    def killed(file: Path, note: str) -> None:
        if file.name == "highwater":
            raise KeyboardInterrupt
        kept(file, note)

    monkeypatch.setattr(restoring, "_kept", killed)
    with pytest.raises(KeyboardInterrupt):
        restored(place)
    monkeypatch.undo()
    with pytest.raises(LedgerDamaged, match="already signed"):
        place.record(sync_done("another"))
    done = restored(place)

    assert (5, 8, 5, False) == (done.size, done.signed, done.seq, done.new)
    assert ["restored", "erased"] == types(place, 5)
    assert [7] == place.record(sync_done("another"))


def test_a_mark_that_cannot_be_moved_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the file's name."""
    backup = backed_up(place)
    place.record(sync_done("run"))
    put_back(place, backup)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(restoring, "replace_file", full)
    with pytest.raises(StorageFailed, match=r"highwater\.6 cannot be written: No space left"):
        restored(place)
    assert 5 == len(types(place)), "and nothing is recorded"


def test_where_the_mark_is_lost_too_an_anchor_says_how_far_was_signed(place: Place) -> None:
    """The whole folder was put back from a backup: nothing here knows better, but somebody outside may."""
    keys = place.folder / "old.keys"
    shutil.copytree(place.keys, keys)
    backup = backed_up(place)
    subject = removed(place, "pat@example.com")
    records = place.folder / "records"
    shutil.copytree(place.keys / "erasures", records)
    with place.open() as ledger:
        note = ledger.head().note
    put_back(place, backup)
    shutil.rmtree(place.keys)
    keys.rename(place.keys)

    assert None is restored(place).seq
    done = restored(place, anchors=[note], records=[records])
    assert (5, 6, 1) == (done.size, done.signed, done.erased)
    assert subject == bodies(place, Erased)[0].subject
    assert None is verified(place).first_bad


def test_without_any_mark_an_anchor_is_enough(place: Place) -> None:
    """And without either there is nothing to go by."""
    backup = backed_up(place)
    place.record(sync_done("run"))
    with place.open() as ledger:
        note = ledger.head().note
    put_back(place, backup)
    (place.keys / "highwater").unlink()

    assert None is restored(place).seq
    assert 5 == restored(place, anchors=[note]).seq
    assert [6] == place.record(sync_done("run"))


def test_the_same_person_in_two_records_is_erased_once(place: Place) -> None:
    """A folder that is named twice is no mistake."""
    backup = backed_up(place)
    removed(place, "pat@example.com")
    put_back(place, backup)

    assert 1 == restored(place, records=[place.keys / "erasures"]).erased


def test_a_damaged_copy_is_not_gone_on_from(place: Place) -> None:
    """Nothing is signed over damage."""
    backup = backed_up(place)
    place.record(sync_done("run"))
    put_back(place, backup)
    place.unguarded(("UPDATE payload SET body = x'7b7d' WHERE seq = 2", ()))

    with pytest.raises(LedgerDamaged, match=r"does not verify.*payload of entry 2"):
        restored(place)
    assert 5 == len(types(place))


def test_a_ledger_that_was_forked_is_no_older_copy(place: Place) -> None:
    """As long as the signed one and other than it: somebody went on from a backup elsewhere."""
    twin = place.twin("twin")
    place.record(sync_done("here"))
    twin.record(sync_done("there"))
    place.become(twin)

    with pytest.raises(LedgerDamaged, match="no older copy"):
        restored(place)


def test_checkpoints_of_another_ledger_say_nothing(place: Place, tmp_path: Path) -> None:
    """Nor does a text that is none."""
    other = Place(tmp_path / "other")
    other.folder.mkdir()
    Ledger.create(other.url, keys=other.keys)
    with other.open() as ledger:
        note = ledger.head().note
    with pytest.raises(BadUsage, match="another ledger"):
        restored(place, anchors=[note])
    with pytest.raises(LedgerDamaged, match="cannot be read"):
        restored(place, anchors=["no note"])


def test_entries_of_a_ledger_are_not_what_a_restored_one_takes_from_elsewhere(place: Place) -> None:
    """Only who was erased is added; lost opt-outs of others are asked for again, by sync or by hand."""
    backup = backed_up(place)
    place.record(opt_out("lost@example.com"))
    removed(place, "pat@example.com")
    put_back(place, backup)
    restored(place)

    with place.open() as ledger:
        assert Ruling.CLEAR is ledger.check("lost@example.com").ruling
    assert ["restored", "erased"] == types(place, 5)
