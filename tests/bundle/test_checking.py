"""`suppress verify BUNDLE`: every byte counts, no key is believed for lying there, nothing makes it crash."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.bundle import Grade, Wanted, layout
from suppress.bundle.checking import verify
from suppress.bundle.layout import Payload, Proof
from suppress.bundle.reader import MAX_SMALL
from suppress.core.address import Address
from suppress.core.entry import KeyRotated, LogOpened, OptInRecorded, SubjectAdded
from suppress.core.merkle import leaf_hash
from suppress.core.suppression import EVERYTHING, Channel
from suppress.errors import BadFile, BadUsage
from suppress.ledger.sealing import payload_commitment
from tests.bundle.books import SIZES, Shelf, grow, make, person, shelf, stranger, summed, tampered
from tests.bundle.forging import AT, NAME, Forger, forged, leaf
from tests.ledger.making import Place, opt_out


def found(folder: Path, **given: Any) -> str:
    """What is wrong with a bundle; empty when nothing is."""
    bad = verify(folder, **given).first_bad
    return "" if bad is None else bad.what


# --- Right -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_every_grade_at_every_size_is_right(size: int) -> None:
    """Under the pinned key, and against the first bundle where there is a proof for it."""
    made = shelf(size)
    for grade in Grade:
        if made[grade].exists():
            result = verify(made[grade], vkeys=[made.vkey], anchors=[made[Grade.WHOLE]])

            assert (True, None, False) == (result.ok, result.first_bad, result.stands_alone)
            assert grade.value == result.grade
            assert (None if grade is Grade.ENTRIES else "holds") == result.compared[0].result


def test_the_counts_are_those_of_the_bundle() -> None:
    """Entries that were read, and openings that opened."""
    made = shelf(9)
    counts = {grade: verify(made[grade]) for grade in (Grade.WHOLE, Grade.PERSON, Grade.ENTRIES)}

    assert [9, 3, 3] == [each.entries_checked for each in counts.values()]
    assert [0, 1, 2] == [each.openings for each in counts.values()]
    assert 4 == verify(made[Grade.OPEN]).openings


def test_a_key_from_the_bundle_is_said_to_be_one() -> None:
    """Without anything of the verifier's own, the result says what it rests on."""
    made = shelf(9)
    alone, pinned = verify(made[Grade.WHOLE]), verify(made[Grade.WHOLE], vkeys=[made.vkey])
    anchored = verify(made[Grade.OPEN], anchors=[made[Grade.WHOLE]])

    assert (True, True) == (alone.ok, alone.stands_alone)
    assert "came with the bundle" in alone.not_checked[0]
    assert (True, False) == (pinned.ok, pinned.stands_alone)
    assert "another ledger" in pinned.not_checked[0]
    assert (True, False) == (anchored.ok, anchored.stands_alone)
    assert made.vkey.strip() == alone.key == pinned.key


# --- Whose key -------------------------------------------------------------------------------------------


def test_another_key_is_wrong() -> None:
    """The pinned key did not sign it, nor any that follows from it."""
    vkey = (stranger().keys / "log.vkey").read_text()

    assert "does not follow from the pinned one" in found(shelf(7)[Grade.WHOLE], vkeys=[vkey])


def test_a_bundle_written_anew_with_another_key_is_right_only_on_its_own_word(tmp_path: Path) -> None:
    """Which is why a key must be pinned: this is what a forger makes who has no key of ours."""
    make(stranger(), tmp_path / "forged")
    made = shelf(7)

    assert verify(tmp_path / "forged").stands_alone
    assert "pinned" in found(tmp_path / "forged", vkeys=[made.vkey])
    assert "not signed with a key of this ledger" in found(tmp_path / "forged", anchors=[made[Grade.WHOLE]])


def test_a_fork_signed_with_the_real_key_is_caught_by_a_checkpoint_that_was_kept(tmp_path: Path) -> None:
    """A copy of ledger and keys goes another way: its bundle is right under the pinned key alone."""
    place = Place(tmp_path / "ledger")
    place.folder.mkdir()
    place.create()
    anchors = {}
    for size in (3, 7, 9):
        grow(place, size)
        anchors[size] = tmp_path / f"{size}.note"
        with place.open() as ledger:
            anchors[size].write_text(ledger.head().note)
        if size == 3:
            fork = Place(Path(shutil.copytree(place.folder, tmp_path / "fork")))
    fork.record(opt_out("somebody@else.example"))
    grow(fork, 10)
    make(fork, tmp_path / "bundle")
    vkey = (place.keys / "log.vkey").read_text()

    assert "" == found(tmp_path / "bundle", vkeys=[vkey])
    assert "" == found(tmp_path / "bundle", vkeys=[vkey], anchors=[anchors[3]])
    result = verify(tmp_path / "bundle", vkeys=[vkey], anchors=[anchors[9], anchors[7], anchors[3]])
    assert result.first_bad is not None
    assert ((3, 7), True) == (result.first_bad.between, "forked" in result.first_bad.what)
    assert ["forked", "forked", "holds"] == [each.result for each in result.compared]


def test_a_checkpoint_newer_than_the_bundle_says_nothing_about_it(tmp_path: Path) -> None:
    """A bundle is of its day. That it was not compared is said, and no word of the bundle replaces it."""
    made = shelf(9)
    result = verify(made[Grade.WHOLE], anchors=[made[Grade.OPEN]])

    assert (True, True, "ahead") == (result.ok, result.stands_alone, result.compared[0].result)
    assert any("newer than this bundle" in each for each in result.not_checked)


def test_a_checkpoint_without_a_proof_for_it_is_said_not_to_have_been_compared() -> None:
    """Part of a ledger can be held only against the sizes that it has proofs for."""
    made = shelf(9)
    result = verify(made[Grade.ENTRIES], vkeys=[made.vkey], anchors=[made[Grade.WHOLE]])

    assert (True, None) == (result.ok, result.compared[0].result)
    assert any("no proof for it" in each for each in result.not_checked)


@pytest.fixture(scope="module")
def rotated(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Bundles of a ledger whose key was changed twice, and whose index key was changed once."""
    folder = tmp_path_factory.mktemp("rotated")
    made = Shelf(Place(folder).create())
    grow(made.place, 5)
    make(made.place, folder / "old")
    (folder / "old.vkey").write_text(made.vkey)
    for number, size in enumerate((9, 14)):
        with made.place.open() as ledger:
            ledger.rotate_signing_key(actor="test")
            if number == 0:
                ledger.rotate_index_key(actor="test")
        grow(made.place, size)
        (folder / f"{number}.vkey").write_text(made.vkey)
    make(made.place, made[Grade.WHOLE], Wanted(previous=folder / "old"))
    wanted = Wanted(Grade.PERSON, address=Address.parse(person(5)), previous=folder / "old")
    make(made.place, made[Grade.PERSON], wanted)
    return made


@pytest.mark.parametrize("grade", [Grade.WHOLE, Grade.PERSON])
@pytest.mark.parametrize("pinned", ["old", "0", "1"])
def test_keys_are_followed_from_any_that_the_ledger_had(rotated: Shelf, grade: Grade, pinned: str) -> None:
    """Forwards through the checkpoints that hand over, backwards through the entries."""
    vkey = (rotated.place.folder / f"{pinned}.vkey").read_text()
    result = verify(rotated[grade], vkeys=[vkey], anchors=[rotated.place.folder / "old"])

    assert (None, "holds") == (result.first_bad, result.compared[0].result)


@pytest.mark.parametrize("grade", [Grade.WHOLE, Grade.PERSON])
def test_a_change_of_keys_without_its_proof_is_wrong(rotated: Shelf, grade: Grade, tmp_path: Path) -> None:
    """Missing, of another entry, or with another checkpoint."""
    for change in ("missing", "swapped", "forged"):
        folder = rotated.copied(grade, tmp_path / change)
        first, second = sorted((folder / layout.ROTATIONS).iterdir(), key=lambda file: len(file.read_bytes()))
        match change:
            case "missing":
                first.unlink()
            case "swapped":
                second.write_bytes(first.read_bytes())
            case "forged":
                first.write_text(first.read_text().replace((folder / layout.CHECKPOINT).read_text(), ""))
                head, _, _ = first.read_text().partition("\n\n")
                first.write_text(f"{head}\n\n{(folder / layout.CHECKPOINT).read_text()}")
        summed(folder)

        assert layout.ROTATIONS in found(folder), change


# --- Wrong -----------------------------------------------------------------------------------------------


def mutated(content: bytes, place: int, how: str, byte: int) -> bytes:
    """`content` with one byte changed, added or taken out, or cut off there."""
    place %= len(content)
    match how:
        case "change":
            return content[:place] + bytes([byte]) + content[place + 1 :]
        case "add":
            return content[:place] + bytes([byte]) + content[place:]
        case "remove":
            return content[:place] + content[place + 1 :]
        case _:
            return content[:place]


@settings(max_examples=400, deadline=None)
@given(
    grade=st.sampled_from(Grade),
    pick=st.integers(0, 10**6),
    place=st.integers(0, 10**6),
    how=st.sampled_from(["change", "add", "remove", "cut"]),
    byte=st.integers(0, 255),
    resum=st.booleans(),
)
def test_every_changed_byte_is_found(
    grade: Grade, pick: int, place: int, how: str, byte: int, resum: bool
) -> None:
    """Whoever also writes the digests anew can change only what is said to be unproven."""
    made = shelf(8)
    names = sorted(str(file.relative_to(made[grade])) for file in made[grade].rglob("*") if file.is_file())
    name = names[pick % len(names)]
    with tempfile.TemporaryDirectory() as kept:
        folder = made.copied(grade, Path(kept))
        before = (folder / name).read_bytes()
        after = mutated(before, place, how, byte)
        tampered(folder, name, lambda _: after, resum=resum)
        result = verify(folder)

    expected = after == before or (resum and name in layout.UNPROVEN and name != layout.SUMS)
    assert expected or not result.ok, name
    assert after != before or result.ok


@pytest.mark.parametrize("grade", list(Grade))
def test_files_that_are_missing_or_do_not_belong_are_wrong(grade: Grade, tmp_path: Path) -> None:
    """Also when the digests were written anew."""
    made = shelf(8)
    for name in ("note.txt", "proofs/99.tlog-proof", "tile/0/001", "rotations/3.tlog-proof", "tile/x"):
        for resum in (False, True):
            folder = made.copied(grade, tmp_path / f"{name.replace('/', '-')}-{resum}")
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("x")
            if resum:
                summed(folder)

            assert found(folder) != "", name
    for file in sorted(made[grade].rglob("*")):
        name = str(file.relative_to(made[grade]))
        if file.is_file():
            folder = made.copied(grade, tmp_path / f"without-{name.replace('/', '-')}")
            (folder / name).unlink()
            assert f"{name} is missing" == found(folder)
            if name != layout.SUMS:
                summed(folder)
                assert found(folder) != "" or name in layout.UNPROVEN, name


def test_links_pipes_and_odd_names_are_not_followed(tmp_path: Path) -> None:
    """A bundle is a stranger's folder: a link may lead anywhere, and a pipe never ends."""
    made = shelf(8)
    linked, piped, odd = (made.copied(Grade.WHOLE, tmp_path / name) for name in ("linked", "piped", "odd"))
    (linked / layout.ENTRIES).unlink()
    (linked / layout.ENTRIES).symlink_to(made[Grade.WHOLE] / layout.ENTRIES)
    (piped / layout.CHECKPOINT).unlink()
    os.mkfifo(piped / layout.CHECKPOINT)
    (odd / "a\nb").write_text("x")

    assert f"{layout.ENTRIES} is not a plain file" == found(linked)
    assert f"{layout.CHECKPOINT} is not a plain file" == found(piped)
    assert "is not named" in found(odd)


CHANGES: dict[str, tuple[Grade, str, Callable[[bytes], bytes], str]] = {
    "a proof of another checkpoint": (
        Grade.PERSON,
        "proofs/2.tlog-proof",
        lambda content: content.replace(b"\n9\n", b"\n10\n"),
        "another checkpoint",
    ),
    "a proof with words that nothing authenticates": (
        Grade.PERSON,
        "proofs/2.tlog-proof",
        lambda content: content.replace(b"\nindex", b"\nextra AAAA\nindex"),
        "not a tlog-proof",
    ),
    "a proof under another entry's name": (
        Grade.PERSON,
        "proofs/2.tlog-proof",
        lambda content: content.replace(b"index 2", b"index 3"),
        "does not prove",
    ),
    "an entry out of order": (
        Grade.PERSON,
        layout.ENTRIES,
        lambda content: b"".join(reversed(content.splitlines(keepends=True))),
        "does not prove",
    ),
    "an entry too many": (
        Grade.PERSON,
        layout.ENTRIES,
        lambda content: content + content.splitlines(keepends=True)[-1],
        "one line for each file",
    ),
    "a line without an end": (Grade.PERSON, layout.ENTRIES, lambda content: content[:-1], "within a line"),
    "an opening of an entry that is not here": (
        Grade.PERSON,
        layout.PAYLOADS,
        lambda content: content.replace(b'"seq":3', b'"seq":4'),
        "commits to nothing",
    ),
    "an opening of something else": (
        Grade.OPEN,
        layout.PAYLOADS,
        lambda content: content.replace(b"person1@", b"person7@"),
        "does not open entry",
    ),
    "no opening": (Grade.OPEN, layout.PAYLOADS, lambda _: b"", "neither content nor"),
    "an opening twice": (Grade.OPEN, layout.PAYLOADS, lambda content: content * 2, "order of the entries"),
    "an opening of somebody else": (
        Grade.PERSON,
        layout.SUBJECTS,
        lambda content: content.replace(b'"k1"', b'"k2"'),
        "does not open entry 2",
    ),
    "nobody opened": (Grade.PERSON, layout.SUBJECTS, lambda _: b"", "does not open"),
    "a person opened twice": (Grade.PERSON, layout.SUBJECTS, lambda content: content * 2, "order"),
    "growth of another size": (
        Grade.PERSON,
        layout.CONSISTENCY,
        lambda content: content.replace(b"old 8", b"old 7"),
        "other checkpoints",
    ),
    "growth with a hash too many": (
        Grade.PERSON,
        layout.CONSISTENCY,
        lambda content: content.replace(b"old 8\n", b"old 8\n" + b"A" * 43 + b"=\n"),
        "are not those of",
    ),
    "a manifest of another size": (
        Grade.WHOLE,
        layout.MANIFEST,
        lambda content: content.replace(b'"size": 8', b'"size": 9'),
        "another size",
    ),
    "a manifest of another grade": (
        Grade.WHOLE,
        layout.MANIFEST,
        lambda content: content.replace(b'"whole"', b'"person"'),
        "",
    ),
    "a manifest that nests without end": (
        Grade.WHOLE,
        layout.MANIFEST,
        lambda _: b"[" * 100_000,
        "manifest.json cannot be read",
    ),
    "a manifest that is no object": (Grade.WHOLE, layout.MANIFEST, lambda _: b"[]", "not an object"),
    "a note with another signature": (
        Grade.WHOLE,
        layout.CHECKPOINT,
        lambda content: content + content.splitlines(keepends=True)[-1].replace(b"suppress/", b"other/"),
        "signatures",
    ),
    "a key with white space": (Grade.WHOLE, layout.VKEY, lambda content: content + b"\n", "one line"),
    "another key for openssl": (
        Grade.WHOLE,
        layout.PEM,
        lambda _: (stranger().keys / "log.pem").read_bytes(),
        "is not the key in",
    ),
    "bytes that are no text": (Grade.WHOLE, layout.VKEY, lambda _: b"\xff\xfe", "cannot be read"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_does_not_fit_is_named(what: str, tmp_path: Path) -> None:
    """Each forged with care, digests written anew."""
    grade, name, change, says = CHANGES[what]
    folder = shelf(8).copied(grade, tmp_path)
    tampered(folder, name, change, resum=True)

    assert says in found(folder) != ""


def test_a_bundle_about_one_person_holds_nobody_else(tmp_path: Path) -> None:
    """Chosen entries about two people, called a bundle about one."""
    made = shelf(8)
    make(made.place, tmp_path / "two", Wanted(Grade.ENTRIES, entries=(1, 2, 3, 4)))
    tampered(
        tmp_path / "two", layout.MANIFEST, lambda text: text.replace(b'"entries",', b'"person",'), resum=True
    )

    assert "holds entries about 2" in found(tmp_path / "two")


# --- Signed, and wrong all the same ----------------------------------------------------------------------


FORGER, HEIR = Forger.new(), Forger.new()
OPENED = leaf(0, LogOpened(NAME, str(FORGER.key), "k1", "0" * 64, 1))
ADDED = leaf(1, SubjectAdded(f"{1:032x}", "0" * 64))
LATE = leaf(9, SubjectAdded(f"{9:032x}", "0" * 64))


@pytest.mark.parametrize(
    ("leaves", "says"),
    [
        ([OPENED, ADDED], ""),
        ([OPENED, b'{"v":1}'], "entry 1 cannot be read"),
        ([OPENED, LATE, ADDED], "dated before"),
        ([ADDED], "begins with log.opened"),
        ([OPENED, OPENED], "opened once"),
        ([OPENED, leaf(1, KeyRotated("no key"))], "a key that cannot be one"),
        (
            [leaf(0, LogOpened(NAME, str(HEIR.key), "k1", "0" * 64, 1))],
            "not the one that the ledger's entries name",
        ),
    ],
)
def test_an_entry_that_cannot_be_right_is_wrong_although_it_was_signed(
    leaves: list[bytes], says: str, tmp_path: Path
) -> None:
    """The operator has the key: what they sign must still be a ledger."""
    what = found(forged(tmp_path / "b", leaves, FORGER.signs(leaves), FORGER.key))

    assert (says in what) is True
    assert bool(says) is bool(what)


def test_entries_with_their_tiles_but_another_root_are_wrong(tmp_path: Path) -> None:
    """The signature of another tree, also of one that is longer."""
    for other in ([OPENED], [OPENED, LATE], [OPENED, ADDED, LATE]):
        note = FORGER.signs(other)
        folder = forged(tmp_path / str(len(other)), [OPENED, ADDED], note, FORGER.key)

        assert "the 2 entries do not have the root" in found(folder)


def test_a_key_that_handed_over_in_another_ledger_is_not_followed(tmp_path: Path) -> None:
    """The proof of a rotation must be of these very entries."""
    rotation = leaf(1, KeyRotated(str(HEIR.key)))
    leaves = [OPENED, rotation, LATE]
    name = f"{layout.ROTATIONS}/{layout.proof_name(1)}"

    def with_proof(folder: Path, proof: Proof) -> Path:
        forged(folder, leaves, HEIR.signs(leaves), HEIR.key)
        (folder / layout.ROTATIONS).mkdir()
        (folder / name).write_text(str(proof))
        summed(folder)
        return folder

    note, sibling = FORGER.signs([OPENED, rotation], HEIR), (leaf_hash(OPENED),)
    right = with_proof(tmp_path / "right", Proof(1, sibling, note))
    other = with_proof(tmp_path / "other", Proof(1, sibling, FORGER.signs([LATE, rotation], HEIR)))
    broken = with_proof(tmp_path / "broken", Proof(1, (bytes(32),), note))
    alone = with_proof(tmp_path / "alone", Proof(1, sibling, HEIR.signs([OPENED, rotation])))

    assert "" == found(right, vkeys=[str(FORGER.key)])
    assert "has another root than the entries" in found(other)
    assert "does not prove that entry 1 changed the key" in found(broken)
    assert "not the log's at this size" in found(alone)


def test_content_that_is_committed_to_must_be_readable(tmp_path: Path) -> None:
    """Bytes that no reader takes prove nothing to anybody."""
    salt, subject = bytes(32), f"{1:032x}"
    for body, says in (
        (b'{"a":1}', ""),
        (b'{"a":}', "cannot be read"),
        (b"{" * 90_000 + b"}", "cannot be read"),
    ):
        opt_out = OptInRecorded(
            subject, Channel.EMAIL, EVERYTHING, "main", AT, payload_commitment(salt, body)
        )
        leaves = [OPENED, ADDED, leaf(2, opt_out)]
        folder = tmp_path / str(len(body))
        forged(folder, leaves, FORGER.signs(leaves), FORGER.key, [Payload(2, salt, body)])

        assert says in found(folder)
        assert bool(says) is bool(found(folder))


def test_content_that_was_erased_and_is_back_is_wrong(tmp_path: Path) -> None:
    """Somebody kept what they say they erased."""
    place = Place(tmp_path).create()
    place.record(opt_out(), opt_out("sam@example.com"))
    make(place, tmp_path / "before", Wanted(Grade.OPEN))
    with place.open() as ledger:
        first = ledger.history(Address.parse("pat@example.com"))
    place.erase([2], first[0].entry.id)
    make(place, tmp_path / "after", Wanted(Grade.OPEN))
    back = (tmp_path / "before" / layout.PAYLOADS).read_bytes()
    assert "" == found(tmp_path / "after")
    tampered(tmp_path / "after", layout.PAYLOADS, lambda _: back, resum=True)

    assert "the content of entry 2 is here, and entry 7 erased it" == found(tmp_path / "after")


def test_part_of_a_ledger_holds_its_first_entry(tmp_path: Path) -> None:
    """Without it nobody knows whose key it began with."""
    folder = shelf(8).copied(Grade.PERSON, tmp_path)
    (folder / layout.PROOFS / layout.proof_name(0)).unlink()
    tampered(folder, layout.ENTRIES, lambda lines: lines.partition(b"\n")[2], resum=True)

    assert "the first entry, which names the ledger's key, is not here" == found(folder)


def test_a_file_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    """Whoever sends a manifest of gigabytes does not fill our memory."""
    folder = shelf(8).copied(Grade.WHOLE, tmp_path)
    with (folder / layout.MANIFEST).open("r+b") as file:
        file.truncate(MAX_SMALL + 1)
    summed(folder)

    assert "manifest.json is over 33,554,432 bytes" == found(folder)


# --- Not a bundle ----------------------------------------------------------------------------------------


def test_what_is_no_bundle_is_wrong_usage(tmp_path: Path) -> None:
    """Which is not tampering: there is nothing to verify."""
    made = shelf(7)
    with pytest.raises(BadFile, match="no folder"):
        verify(tmp_path / "gone")
    with pytest.raises(BadFile, match="not a bundle"):
        verify(tmp_path)
    with pytest.raises(BadUsage, match="not a public key"):
        verify(made[Grade.WHOLE], vkeys=["rubbish"])
    (tmp_path / "rubbish.note").write_text("rubbish")
    with pytest.raises(BadFile, match="not a checkpoint"):
        verify(made[Grade.WHOLE], anchors=[tmp_path / "rubbish.note"])


def test_files_that_may_not_be_read_are_no_finding(tmp_path: Path) -> None:
    """A folder on a disk that fails says nothing about who made it."""
    folder = shelf(8).copied(Grade.WHOLE, tmp_path)
    gone = folder / layout.ENTRIES

    class Failing(type(gone)):  # type: ignore[misc]  # Path's class differs between systems
        def open(self, *arguments: Any, **options: Any) -> Any:
            if self.name == layout.ENTRIES:
                raise OSError(5, "Input/output error")
            return super().open(*arguments, **options)

    with pytest.raises(BadFile, match="Input/output error"):
        verify(Failing(folder))
