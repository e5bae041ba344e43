"""New keys for a ledger in use: recorded, followed by everybody, and safe to be killed at any point."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from suppress.audit import verify
from suppress.core.checkpoint import Key, Note, parse_vkey
from suppress.core.entry import IndexKeyRotated, KeyRotated
from suppress.core.verdict import Ruling
from suppress.errors import BadUsage, ConfigWrong, LedgerDamaged, StorageFailed
from suppress.ledger import Event, Ledger, keyring, keys, rotating
from suppress.ledger.keys import Keys, private_pem
from tests.ledger.making import Place, opt_out, sync_done

pytestmark = pytest.mark.both_back_ends


def rotate(place: Place) -> int:
    with place.open() as ledger:
        return ledger.rotate_signing_key(actor="test").seq


def rotate_index(place: Place) -> int:
    with place.open() as ledger:
        return ledger.rotate_index_key(actor="test").seq


def signers(place: Place) -> list[bytes]:
    """The ids of the keys that signed the head."""
    with place.open() as ledger:
        return [line.key_id for line in Note.parse(ledger.head().note).signatures]


def key(place: Place) -> Key:
    return parse_vkey((place.keys / "log.vkey").read_text())


def files(place: Place) -> set[str]:
    return {each.name for each in place.keys.iterdir()}


# --- The signing key -------------------------------------------------------------------------------------


def test_the_old_key_hands_over_and_is_gone(place: Place) -> None:
    """It signs the head that names the new one, which signs that head too; then the new one signs alone."""
    first = key(place)
    place.record(opt_out())
    assert 3 == rotate(place)
    second = key(place)

    assert [first.id, second.id] == signers(place)
    place.record(sync_done("run"))
    assert [second.id] == signers(place)
    assert first != second
    assert f"{first}\n" == (place.keys / f"log.{first.id.hex()}.vkey").read_text()
    assert (place.keys / f"log.{first.id.hex()}.pem").read_text().startswith("-----BEGIN PUBLIC KEY-----")
    assert "signing.next.pem" not in files(place)
    assert 0 == (place.keys / "signing.pem").stat().st_mode & 0o077
    with place.open() as ledger:
        assert KeyRotated(str(second)) == list(ledger.entries())[3].body
        assert str(second) == ledger.vkey


def test_every_key_of_the_chain_verifies_the_ledger(place: Place, tmp_path: Path) -> None:
    """Whichever is pinned; checkpoints of every time still count as anchors."""
    vkeys, anchors = [], []
    for number in range(4):
        place.record(opt_out(f"{number}@example.com"))
        vkeys.append(str(key(place)))
        anchors.append(tmp_path / f"{number}.note")
        with place.open() as ledger:
            anchors[-1].write_text(ledger.head().note)
        if number < 3:
            rotate(place)
    for vkey in vkeys:
        result = verify(place.url, keys=place.keys, vkeys=[vkey], anchors=anchors)
        assert (None, ["holds"] * 4) == (result.first_bad, [each.result for each in result.compared])
    stranger = Key(key(place).name, Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    bad = verify(place.url, keys=place.keys, vkeys=[str(stranger)]).first_bad
    assert bad is not None and "not signed with the pinned key" in bad.what


def test_another_process_that_has_the_old_key_goes_on_with_the_new_one(place: Place) -> None:
    """It was open when the key was rotated; a head that it signed with the old one would be worth nothing."""
    with place.open() as open_before:
        open_before.append([opt_out()], actor="test")
        rotate(place)
        open_before.append([opt_out("sam@example.com")], actor="test")

        assert str(key(place)) == open_before.vkey
        assert [key(place).id] == signers(place)
    assert verify(place.url, keys=place.keys).ok


def test_a_retired_key_signs_nothing_more(place: Place) -> None:
    """A process whose folder was put back to the old key is refused; so is what it might have signed."""
    old = Path(shutil.copytree(place.keys, place.folder / "old.keys"))
    rotate(place)

    with Ledger.open(place.url, keys=old) as ledger, pytest.raises(ConfigWrong, match="retired"):
        ledger.append([sync_done("run")], actor="test")


@pytest.mark.parametrize("name", ["retire_public_key", "settle_signing_key"])
def test_a_rotation_killed_after_the_commit_is_finished_by_whoever_signs_next(
    place: Place, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The ledger names a key that is still waiting in its file."""

    def killed(*_arguments: object) -> None:
        raise OSError(5, "killed")

    with monkeypatch.context() as patched:
        patched.setattr(keyring, name, killed)
        with pytest.raises(StorageFailed):
            rotate(place)
    first = key(place)
    with place.open(read_only=True) as reading:
        assert Ruling.CLEAR is reading.check("pat@example.com").ruling
    place.record(opt_out())

    assert first != key(place)
    assert [key(place).id] == signers(place)
    assert "signing.next.pem" not in files(place)
    assert verify(place.url, keys=place.keys, vkeys=[str(first)]).ok


def test_a_rotation_killed_after_the_commit_is_finished_by_repeating_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It puts the recorded key in place, and does not rotate once more."""

    def killed(*_arguments: object) -> None:
        raise OSError(5, "killed")

    with monkeypatch.context() as patched:
        patched.setattr(keyring, "settle_signing_key", killed)
        with pytest.raises(StorageFailed):
            rotate(place)
    with place.open() as ledger:
        receipt = ledger.rotate_signing_key(actor="test")

        assert (1, False) == (receipt.seq, receipt.new)
        assert 2 == ledger.head().size
    assert 2 == rotate(place)


def test_a_rotation_killed_before_the_commit_uses_the_key_that_waits(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then the old key signs as if nothing had been."""

    def killed(*_arguments: object, **_options: object) -> None:
        raise LedgerDamaged("killed")

    with monkeypatch.context() as patched:
        patched.setattr(rotating, "append", killed)
        with pytest.raises(LedgerDamaged):
            rotate(place)
    waiting = (place.keys / "signing.next.pem").read_bytes()
    before = key(place)
    place.record(opt_out())
    assert [before.id] == signers(place)
    rotate(place)

    assert waiting == (place.keys / "signing.pem").read_bytes()


def test_a_folder_that_cannot_be_written_stops_a_rotation_before_it_begins(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is recorded, and the old key goes on."""

    def refused(*_arguments: object) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr(rotating, "write_new_file", refused)
        patched.setattr(rotating, "write_new_index_key", refused)
        for attempt in (rotate, rotate_index):
            with pytest.raises(StorageFailed, match="Read-only"):
                attempt(place)
    assert 2 == place.record(opt_out())[0]


def test_a_key_cannot_come_back(place: Place) -> None:
    """Handing over to a key that was retired would make its thief the signer."""
    first = (place.keys / "signing.pem").read_bytes()
    rotate(place)
    (place.keys / "signing.next.pem").write_bytes(first)
    (place.keys / "signing.next.pem").chmod(0o600)

    with pytest.raises(ConfigWrong, match="used before"):
        rotate(place)
    (place.keys / "signing.next.pem").unlink()
    assert verify(place.url, keys=place.keys).ok


def test_a_signing_key_from_the_environment_is_rotated_there(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new one is named beside the old one, and no private key is written to the folder."""
    monkeypatch.setenv("SUPPRESS_SIGNING_KEY", (place.keys / "signing.pem").read_text())
    (place.keys / "signing.pem").unlink()
    with pytest.raises(ConfigWrong, match="so must the new one"):
        rotate(place)
    new = private_pem(Ed25519PrivateKey.generate()).decode()
    monkeypatch.setenv("SUPPRESS_NEXT_SIGNING_KEY", new)
    rotate(place)
    assert 2 == len(signers(place))
    place.record(sync_done("run"))  # the old one is still in its place, and the new one is used
    monkeypatch.setenv("SUPPRESS_SIGNING_KEY", new)
    monkeypatch.delenv("SUPPRESS_NEXT_SIGNING_KEY")
    place.record(opt_out())

    assert [key(place).id] == signers(place)
    assert not {"signing.pem", "signing.next.pem"} & files(place)
    assert verify(place.url, keys=place.keys).ok


def test_a_copy_from_before_a_rotation_is_named_as_one(place: Place) -> None:
    """The keys have gone on; with them the older ledger cannot be continued, and the message says why."""
    put_back = place.remembered()
    rotate(place)
    put_back()

    with pytest.raises(ConfigWrong, match="copy from before"):
        place.open()


# --- What verify finds -----------------------------------------------------------------------------------


def test_a_rotation_without_its_checkpoint_is_found(place: Place) -> None:
    """Without the old key's signature nobody who pins it could follow."""
    rotate(place)
    place.record(opt_out())
    place.unguarded(("DELETE FROM checkpoint WHERE size = 2", ()))
    bad = verify(place.url, keys=place.keys).first_bad

    assert bad is not None
    assert (1, True) == (bad.seq, "no checkpoint of the old key" in bad.what)


def test_a_rotation_that_is_taken_out_of_the_index_is_found(place: Place) -> None:
    """The entry is still there, and the keys of the ledger no longer follow."""
    vkey = str(key(place))
    rotate(place)
    place.record(opt_out())
    place.unguarded(("DELETE FROM topic WHERE type = 'key.rotated'", ()))
    bad = verify(place.url, keys=place.keys, vkeys=[vkey]).first_bad

    assert bad is not None


def test_a_changed_rotation_is_named(place: Place) -> None:
    """The entry that names the key, not only a signature that does not fit."""
    rotate(place)
    place.record(opt_out())
    forged = "CAST(replace(CAST(leaf AS TEXT), 'key.rotated', 'key.rotatex') AS BLOB)"
    place.unguarded((f"UPDATE ledger SET leaf = {forged} WHERE seq = 1", ()))
    bad = verify(place.url, keys=place.keys).first_bad

    assert bad is not None
    assert 1 == bad.seq


def test_a_stored_checkpoint_signed_with_a_retired_key_is_found(place: Place) -> None:
    """The retired key was stolen: whoever has it can sign nothing that counts."""
    old = Path(shutil.copytree(place.keys, place.folder / "old.keys"))
    rotate(place)
    place.record(opt_out())
    with place.open() as ledger:
        from suppress.core.checkpoint import Checkpoint
        from suppress.ledger.heads import Signer

        head, thief = ledger.head(), Signer.of(Keys.load(old))
    note = Checkpoint(thief.public.name, head.size, head.root).signed(thief.public, thief.private.sign)
    place.unguarded(
        ("DELETE FROM checkpoint WHERE size = ?", (head.size,)),
        ("INSERT INTO checkpoint VALUES (?, ?)", (head.size, note.encode())),
    )
    bad = verify(place.url, keys=place.keys).first_bad

    assert bad is not None and "not the log's at this size" in bad.what


def test_a_rotation_to_what_is_no_key_is_found(place: Place) -> None:
    """The operator has the key and may sign anything; a ledger whose keys cannot be followed is none."""
    from datetime import UTC, datetime

    from suppress.ledger.appending import Plain, append
    from suppress.ledger.heads import Signer

    loaded = Keys.load(place.keys)
    with place.writing() as connection:
        append(
            connection,
            [Plain(Event("x", KeyRotated("no key")))],
            keys=loaded.index,
            actor="test",
            now=lambda: datetime.now(UTC),
            signer=Signer.of(loaded),
            highwater=None,
        )
    bad = verify(place.url, keys=place.keys).first_bad

    assert bad is not None
    assert "a key that cannot be one" in bad.what


# --- The index key ---------------------------------------------------------------------------------------


def test_new_people_are_indexed_under_the_new_key(place: Place) -> None:
    """Those before are still found under the old one, and nobody is added twice."""
    place.record(opt_out("pat@example.com"))
    assert 3 == rotate_index(place)
    assert [5] == place.record(opt_out("sam@example.com"))
    place.record(opt_out("PAT@example.com", facts=("again",)))

    with place.raw() as connection:
        assert [("k1", 1), ("k2", 1)] == connection.execute(
            "SELECT key_id, count(*) FROM subject GROUP BY key_id"
        ).fetchall()
    with place.open() as ledger, place.lookup() as lookup:
        assert ("k1", "k2") == ledger.index_keys
        entry = list(ledger.entries())[3].body
        assert isinstance(entry, IndexKeyRotated)
        assert entry.index_key_commitment == Keys.load(place.keys).newest.commitment
        for address in ("pat@example.com", "sam@example.com"):
            assert Ruling.SUPPRESSED is ledger.check(address).ruling
            assert Ruling.SUPPRESSED is lookup.verdict(opt_out(address).address).ruling
    assert verify(place.url, keys=place.keys).ok


def test_whoever_is_open_notices_a_new_index_key(place: Place) -> None:
    """With the old keys alone somebody who was added since would look unknown, and so mailable."""
    with place.open() as ledger, place.lookup() as lookup:
        rotate_index(place)
        place.record(opt_out("sam@example.com"))

        assert Ruling.SUPPRESSED is ledger.check("sam@example.com").ruling
        assert Ruling.SUPPRESSED is lookup.verdict(opt_out("sam@example.com").address).ruling
        assert not ledger.append([opt_out("sam@example.com")], actor="test")[0].new


def test_an_index_key_that_no_entry_names_is_not_used(place: Place) -> None:
    """A stray file, or a rotation that was killed: the next one takes it."""
    (place.keys / "index.k7").write_text("cd" * 32)
    (place.keys / "index.k7").chmod(0o600)
    place.record(opt_out("pat@example.com"))
    with place.open() as ledger:
        assert ("k1",) == ledger.index_keys
    rotate_index(place)
    with place.open() as ledger:
        assert ("k1", "k7") == ledger.index_keys
    rotate_index(place)
    with place.open() as ledger:
        assert ("k1", "k7", "k8") == ledger.index_keys


def test_an_old_index_key_is_needed_as_long_as_somebody_is_indexed_under_it(place: Place) -> None:
    """Whoever was erased can be recognised by nothing else, so its loss is no small thing."""
    place.record(opt_out("pat@example.com"))
    rotate_index(place)
    kept = (place.keys / "index.k1").read_bytes()
    (place.keys / "index.k1").unlink()
    for attempt in (place.open, place.lookup):
        with pytest.raises(ConfigWrong, match="lack index key k1"):
            attempt()

    (place.keys / "index.k1").write_bytes(kept)
    (place.keys / "index.k1").chmod(0o600)
    (place.keys / "index.k2").unlink()
    with pytest.raises(ConfigWrong, match="lack index key k2"):
        place.open()


def test_an_old_index_key_is_not_needed_when_nobody_is_indexed_under_it(place: Place) -> None:
    """They were forgotten, or there was nobody."""
    rotate_index(place)
    (place.keys / "index.k1").unlink()
    place.record(opt_out("pat@example.com"))
    with place.lookup() as lookup:
        assert Ruling.SUPPRESSED is lookup.verdict(opt_out("pat@example.com").address).ruling


def test_another_index_key_under_a_recorded_name_is_refused(place: Place) -> None:
    """Its entry commits to it: it cannot be swapped to un-match somebody."""
    rotate_index(place)
    (place.keys / "index.k2").write_text("cd" * 32)

    with pytest.raises(ConfigWrong, match="another ledger"):
        place.open()
    bad = verify(place.url, keys=place.keys).first_bad
    assert bad is not None and bad.seq == 1


def test_index_keys_from_the_environment_are_rotated_there(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them in one variable, with spaces between."""
    old = (place.keys / "index.k1").read_text().strip()
    (place.keys / "index.k1").unlink()
    monkeypatch.setenv("SUPPRESS_INDEX_KEY", old)
    with pytest.raises(ConfigWrong, match="so must the new one"):
        rotate_index(place)
    monkeypatch.setenv("SUPPRESS_INDEX_KEY", f"k1:{old} k2:{'cd' * 32}")
    place.record(opt_out("pat@example.com"))
    rotate_index(place)
    with place.open() as ledger:
        assert ("k1", "k2") == ledger.index_keys
    for wrong in (f"k1:{old} k1:{'cd' * 32}", "  "):
        monkeypatch.setenv("SUPPRESS_INDEX_KEY", wrong)
        with pytest.raises(ConfigWrong, match="SUPPRESS_INDEX_KEY"):
            place.open()


def test_a_subject_under_a_key_that_no_entry_names_is_found(place: Place) -> None:
    """Its row opens the commitment all the same, because whoever made both had the ledger in hand."""
    from suppress.ledger.sealing import IndexKey

    loaded = Keys.load(place.keys)
    rogue = IndexKey("k9", bytes(32))
    from datetime import UTC, datetime

    from suppress.ledger.appending import append, prepare
    from suppress.ledger.heads import Signer

    with place.writing() as connection:
        append(
            connection,
            prepare([opt_out()], [rogue]),
            keys=[rogue],
            actor="test",
            now=lambda: datetime.now(UTC),
            signer=Signer.of(loaded),
            highwater=None,
        )
    bad = verify(place.url, keys=place.keys).first_bad

    assert bad is not None and (1, True) == (bad.seq, "which no entry names" in bad.what)


# --- Both ------------------------------------------------------------------------------------------------


def test_rotations_are_written_by_the_ledger_alone(place: Place) -> None:
    """Anybody else's would name a key that nobody has."""
    for body in (KeyRotated(str(key(place))), IndexKeyRotated("k2", "0" * 64)):
        with place.open() as ledger, pytest.raises(BadUsage, match="written by the ledger itself"):
            ledger.append([Event("x", body)], actor="test")


def test_the_high_water_mark_is_checked_before_a_rotation_is_signed(place: Place) -> None:
    """An older copy must not hand over to a new key either."""
    put_back = place.remembered()
    place.record(opt_out())
    put_back()

    for attempt in (rotate, rotate_index):
        with pytest.raises(LedgerDamaged, match="older copy"):
            attempt(place)


def test_a_high_water_mark_of_before_a_rotation_still_counts(place: Place) -> None:
    """It could not be written after the commit; it was signed with the key of its time."""
    mark = (place.keys / "highwater").read_bytes()
    rotate(place)
    (place.keys / "highwater").write_bytes(mark)
    place.record(opt_out())

    assert mark != (place.keys / "highwater").read_bytes()
    (place.keys / "highwater").write_bytes(mark)
    assert verify(place.url, keys=place.keys).ok


def test_keys_can_be_rotated_again_and_again(place: Place) -> None:
    """Also twice without an entry in between."""
    for _ in range(3):
        rotate(place)
        rotate_index(place)
    rotate(place)
    place.record(opt_out())

    assert verify(place.url, keys=place.keys).ok
    assert 4 == len(list(place.keys.glob("log.*.vkey")))
    assert os.environ.get(keys.NEXT_VARIABLE) is None


def test_a_damaged_rotation_stops_whoever_opens_the_ledger(place: Place) -> None:
    """An entry in the index of rotations that is none, or names no key."""
    place.record(sync_done("run"))
    place.unguarded(("INSERT INTO topic VALUES ('key.rotated', '', 1)", ()))
    with pytest.raises(LedgerDamaged, match="listed as a rotation"):
        place.open()
    with pytest.raises(LedgerDamaged, match="listed as a rotation"):
        place.lookup()
    bad = verify(place.url, keys=place.keys).first_bad
    assert bad is not None
