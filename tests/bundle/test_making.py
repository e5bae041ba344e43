"""Making a bundle: nothing of a damaged ledger, nothing half-written, nothing without a record."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from suppress.audit import verify as verify_ledger
from suppress.bundle import Grade, Made, Wanted, bundle, layout
from suppress.bundle.checking import verify
from suppress.bundle.folder import Folder
from suppress.core.address import Address
from suppress.core.entry import Corrected, Disclosed, ReportIssued
from suppress.errors import BadFile, BadUsage, LedgerDamaged, LedgerLocked, OutputRefused, StorageFailed
from suppress.ledger import Event, Ledger
from tests.bundle.books import NOW, grow, make, person
from tests.ledger.making import Place, opt_out

pytestmark = pytest.mark.both_back_ends


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A ledger of seven entries: three people."""
    folder = tmp_path / "ledger"
    folder.mkdir()
    place = Place(folder).create()
    grow(place, 7)
    return place


def dry(place: Place, target: Path, wanted: Wanted) -> Made:
    """What would be made."""
    with place.open(read_only=True) as ledger:
        return bundle(ledger, target, wanted, organisation=None, now=NOW, actor="test", dry_run=True)


def entries(place: Place) -> list[Any]:
    with place.open() as ledger:
        return [entry.body for entry in ledger.entries()]


# --- The record ------------------------------------------------------------------------------------------


def test_the_ledger_records_what_left(place: Place, tmp_path: Path) -> None:
    """Digest, size, root and audience; of a bundle with addresses also how many."""
    made = make(place, tmp_path / "whole", Wanted(audience="Miller and Co"))
    opened = make(place, tmp_path / "open", Wanted(Grade.OPEN))
    issued, second, disclosed = entries(place)[7:]

    assert ReportIssued(made.digest, 7, made.root, "Miller and Co") == issued
    assert hashlib.sha256((tmp_path / "whole" / layout.SUMS).read_bytes()).hexdigest() == made.digest
    assert (7, 8) == (made.receipt, opened.receipt)
    assert ReportIssued(opened.digest, 8, opened.root, "auditor") == second
    assert ("bundle", "auditor", "compliance audit", 3, opened.digest) == (
        disclosed.destination,
        disclosed.recipient,
        disclosed.purpose,
        disclosed.count,
        disclosed.artefact,
    )
    assert isinstance(disclosed, Disclosed)


def test_the_manifest_says_what_it_is(place: Place, tmp_path: Path) -> None:
    """For whom, of whom, when, and which part."""
    made = make(place, tmp_path / "b", Wanted(Grade.ENTRIES, entries=(2, 1)))
    manifest = json.loads((tmp_path / "b" / layout.MANIFEST).read_text())

    assert {
        "schema": "suppress/bundle-manifest@1",
        "grade": "entries",
        "organisation": "Acme",
        "audience": "auditor",
        "made_at": "2026-11-23T12:00:00.000000Z",
        "size": 7,
        "root": made.root,
        "entries": [0, 1, 2],
        "openings": 1,
        "erased": [],
        "previous": None,
    } == {name: value for name, value in manifest.items() if name not in ("tool", "origin", "checkpoint")}


def test_the_guide_fits_the_grade(place: Place, tmp_path: Path) -> None:
    """Plain words, the key to compare, and the command."""
    for number, grade in enumerate((Grade.WHOLE, Grade.OPEN, Grade.ENTRIES, Grade.PERSON)):
        made = make(place, tmp_path / grade.value, Wanted(grade, (1, 2), Address.parse(person(0))))
        text = (tmp_path / grade.value / layout.GUIDE).read_text()

        assert made.vkey in text
        assert "sh verify.sh -k" in text
        assert (number in (0, 1), number > 0) == ("tile/" in text, "payloads.ndjson" in text)
        assert max(map(len, text.splitlines())) <= 120


def test_a_dry_run_proves_and_writes_nothing(place: Place, tmp_path: Path) -> None:
    """Neither folder nor entry; the numbers are those of the real one."""
    wanted = Wanted(Grade.ENTRIES, entries=(1, 2))
    before = place.content()
    would = dry(place, tmp_path / "b", wanted)
    for grade in (Grade.WHOLE, Grade.OPEN):
        dry(place, tmp_path / "b", Wanted(grade))

    assert before == place.content()
    assert not (tmp_path / "b").exists()
    made = make(place, tmp_path / "b", wanted)
    assert (would.entries, would.openings, would.root) == (made.entries, made.openings, made.root)
    assert (None, "") == (would.receipt, would.digest)


# --- Where it goes ---------------------------------------------------------------------------------------


def test_a_target_that_holds_anything_is_refused(place: Place, tmp_path: Path) -> None:
    """And left as it was; an empty folder is taken."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    for name in ("full", "file", "dangling"):
        with pytest.raises(OutputRefused):
            make(place, tmp_path / name)
        with pytest.raises(OutputRefused):
            dry(place, tmp_path / name, Wanted())
    with pytest.raises(OutputRefused, match="cannot be written"):
        make(place, tmp_path / "no" / "such" / "folder")

    assert 7 == len(entries(place))
    assert ["x"] == [each.name for each in (tmp_path / "full").iterdir()]
    assert verify(Path(make(place, tmp_path / "empty").place)).ok


def test_a_bundle_is_readable_by_its_owner_only(place: Place, tmp_path: Path) -> None:
    """It may hold addresses."""
    make(place, tmp_path / "b", Wanted(Grade.OPEN))
    modes = {each.stat().st_mode & 0o077 for each in [tmp_path / "b", *(tmp_path / "b").rglob("*")]}

    assert {0} == modes


def test_a_bundle_that_cannot_be_recorded_is_not_left_behind(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor half of one. Whoever runs it again gets a whole one."""

    def locked(*_arguments: object, **_options: object) -> None:
        raise LedgerLocked("another process holds it")

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "append", locked)
        with pytest.raises(LedgerLocked):
            make(place, tmp_path / "b")

    assert ["ledger"] == [each.name for each in tmp_path.iterdir()]
    assert verify(Path(make(place, tmp_path / "b").place)).ok


def test_what_came_to_lie_at_the_target_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    """Between looking and renaming somebody else may have written there."""
    with Folder(tmp_path / "b") as folder:
        folder.add("x", b"ours")
        folder.finish()
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "y").write_text("theirs")
        with pytest.raises(OutputRefused):
            folder.publish()

    assert ["y"] == [each.name for each in (tmp_path / "b").iterdir()]
    assert ["b"] == [each.name for each in tmp_path.iterdir()]


def test_a_disk_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Neither a folder under the target's name nor the unfinished one."""
    with (
        pytest.raises(StorageFailed, match="nothing was left"),
        Folder(tmp_path / "b") as folder,
        folder.open("x"),
    ):
        raise OSError(28, "No space left on device")

    assert [] == list(tmp_path.iterdir())


# --- What is refused -------------------------------------------------------------------------------------


def test_entries_and_people_that_are_not_there_are_named(place: Place, tmp_path: Path) -> None:
    """With how many there are."""
    with pytest.raises(BadUsage, match="there is no entry 7: the ledger has 7, from 0 to 6"):
        make(place, tmp_path / "b", Wanted(Grade.ENTRIES, entries=(1, 7)))
    with pytest.raises(BadUsage, match="nothing is recorded about this address"):
        make(place, tmp_path / "b", Wanted(Grade.PERSON, address=Address.parse("nobody@example.com")))
    for audience in ("pat@example.com", " ", "a\nb"):
        with pytest.raises(BadUsage, match="audience"):
            make(place, tmp_path / "b", Wanted(audience=audience))

    assert not (tmp_path / "b").exists()


def test_an_earlier_bundle_must_be_of_this_ledger(place: Place, tmp_path: Path) -> None:
    """Another ledger's is refused as a file; a fork's or a newer one's shows damage."""
    stranger = Place(tmp_path / "stranger")
    stranger.folder.mkdir()
    assert Ledger.create(stranger.url, keys=stranger.keys)
    make(stranger, tmp_path / "strange")
    fork = place.twin("fork")
    grow(place, 9)
    make(place, tmp_path / "ours")
    fork.record(opt_out("somebody@else.example"), opt_out("another@else.example"))
    (tmp_path / "rubbish").write_text("rubbish")

    with pytest.raises(BadFile, match="no checkpoint of this ledger"):
        make(place, tmp_path / "b", Wanted(previous=tmp_path / "strange"))
    with pytest.raises(BadFile, match="not a checkpoint"):
        make(place, tmp_path / "b", Wanted(previous=tmp_path / "rubbish"))
    with pytest.raises(BadFile, match="cannot be read"):
        make(place, tmp_path / "b", Wanted(previous=tmp_path / "gone"))
    with pytest.raises(LedgerDamaged, match="changed, or forked"):
        make(fork, tmp_path / "b", Wanted(previous=tmp_path / "ours"))
    assert not (tmp_path / "b").exists()


def test_an_older_copy_cannot_continue_a_newer_bundle(place: Place, tmp_path: Path) -> None:
    """The checkpoint of the earlier bundle covers more than there is."""
    old = place.twin("old")
    grow(place, 11)
    make(place, tmp_path / "newer")

    with pytest.raises(LedgerDamaged, match="cut short, or is an older copy"):
        make(old, tmp_path / "b", Wanted(previous=tmp_path / "newer"))


AS_TEXT = "CAST(replace(CAST({0} AS TEXT), '{1}', '{2}') AS BLOB)"
DAMAGE = {
    "an edited leaf": ("UPDATE ledger SET leaf = " + AS_TEXT.format("leaf", "main", "mine"), "root"),
    "a leaf of another type": ("UPDATE ledger SET leaf = 'text' WHERE seq = 4", "not kept as bytes"),
    "a missing leaf": ("DELETE FROM ledger WHERE seq = 5", "missing"),
    "another payload": (
        "UPDATE payload SET body = " + AS_TEXT.format("body", "1@", "2@"),
        "payload of entry 4",
    ),
    "a payload of another type": ("UPDATE payload SET salt = 'text'", "not kept as bytes"),
    "no payload": ("DELETE FROM payload WHERE seq = 4", "no entry says why"),
    "another salt": ("UPDATE subject SET salt = zeroblob(32)", "subject row"),
    "a salt of another type": ("UPDATE subject SET salt = 'text'", "not kept as bytes"),
    "nobody": ("DELETE FROM subject", "no entry says why"),
    "another name": ("UPDATE head SET note = " + AS_TEXT.format("note", "acme", "emca"), "not signed"),
    "another frontier": ("UPDATE head SET frontier = zeroblob(96)", "does not match"),
    "nothing": ("UPDATE head SET size = size", ""),
}


@pytest.mark.sqlite_only(
    "what it writes, a server's column types and keys refuse: tests/ledger/test_guards.py"
)
@pytest.mark.parametrize("what", DAMAGE)
def test_no_bundle_is_made_of_a_damaged_ledger(place: Place, tmp_path: Path, what: str) -> None:
    """Neither a part nor the whole; an unharmed one, treated the same way, gives one."""
    statement, says = DAMAGE[what]
    with place.raw() as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE type = 'trigger'")
        for strict in (",\n STRICT", "STRICT"):
            connection.execute("UPDATE sqlite_master SET sql = replace(sql, ?, '')", (strict,))
    with place.raw() as connection:
        connection.execute(statement)
    wanted = Wanted(Grade.ENTRIES, entries=(3, 4))
    if not says:
        assert make(place, tmp_path / "b", wanted).receipt == 7
        return

    with pytest.raises(LedgerDamaged, match=says):
        make(place, tmp_path / "b", wanted)
    assert not (tmp_path / "b").exists()


def test_a_rotation_without_its_checkpoint_stops_a_bundle(place: Place, tmp_path: Path) -> None:
    """Whoever pins the old key could not follow."""
    with place.open() as ledger:
        ledger.rotate_signing_key(actor="test")
    make(place, tmp_path / "right")
    forged = (tmp_path / "right" / layout.CHECKPOINT).read_bytes()
    for note in (b"rubbish", forged):
        place.unguarded(
            ("DELETE FROM checkpoint WHERE size = 8", ()), ("INSERT INTO checkpoint VALUES (8, ?)", (note,))
        )
        if note is forged:
            place.unguarded(("DELETE FROM checkpoint WHERE size = 8", ()))
        grow(place, 20)

        with pytest.raises(LedgerDamaged, match="hands over to a new key"):
            make(place, tmp_path / "b")


# --- Erased, forgotten, corrected ------------------------------------------------------------------------


def test_who_was_forgotten_is_still_proven_and_not_opened(place: Place, tmp_path: Path) -> None:
    """The entries stay; the one that records the forgetting comes with them."""
    from suppress.ledger import Grounds

    with place.open() as ledger:
        address = Address.parse(person(1))
        seen = [each.entry.seq for each in ledger.history(address)]
        ledger.forget(address, Grounds("Art. 17 GDPR", None), seen=seen, actor="test")
    make(place, tmp_path / "b", Wanted(Grade.ENTRIES, entries=tuple(seen)))
    result = verify(tmp_path / "b")

    assert (None, 0) == (result.first_bad, result.openings)
    with pytest.raises(BadUsage, match="nothing is recorded"):
        make(place, tmp_path / "c", Wanted(Grade.PERSON, address=address))
    assert verify(Path(make(place, tmp_path / "d", Wanted(Grade.OPEN)).place)).ok


def test_what_was_corrected_belongs_to_the_person(place: Place, tmp_path: Path) -> None:
    """Their record holds the correction too."""
    place.record(Event("fix", Corrected(2, "typo")))
    made = make(place, tmp_path / "b", Wanted(Grade.PERSON, address=Address.parse(person(0))))

    assert (4, 1) == (made.entries, made.openings)
    assert b'"corrected"' in (tmp_path / "b" / layout.ENTRIES).read_bytes()


def test_a_ledger_with_bundles_verifies(place: Place, tmp_path: Path) -> None:
    """The records of bundles are entries as any other."""
    make(place, tmp_path / "one")
    make(place, tmp_path / "two", Wanted(Grade.OPEN, previous=tmp_path / "one"))

    assert verify_ledger(place.url, keys=place.keys, anchors=[tmp_path / "one", tmp_path / "two"]).ok
