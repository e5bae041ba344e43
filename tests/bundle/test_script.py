"""`verify.sh` of each bundle, run by real shells with nothing of ours installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from suppress.bundle import Grade, Wanted, layout
from tests.bundle.books import SIZES, grow, make, run_script, shelf, stranger, summed, tampered
from tests.ledger.making import Place

SHELLS = [
    "bash",
    pytest.param("dash", marks=pytest.mark.skipif(not shutil.which("dash"), reason="no dash here")),
]
UNREAD = {layout.GUIDE, layout.MANIFEST, layout.SCRIPT, layout.VKEY}
"""Files that the script holds only against their digests."""
TOOLS = """
sh openssl sha256sum base64 od awk sed cut tr tail head grep mktemp rm mkdir cat ls xargs paste split wc
find cmp sort seq dirname cp
"""


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("size", SIZES)
def test_every_grade_at_every_size_is_right(size: int, shell: str) -> None:
    """With the key that the verifier has, and from a folder elsewhere."""
    made = shelf(size)
    for grade in Grade:
        if made[grade].exists():
            ran = run_script(made[grade], "-k", made.pem, shell=shell)

            assert (0, True) == (ran.exit_code, ran.said.endswith("RIGHT\n")), f"{grade}: {ran.said}"


def test_the_key_in_the_bundle_is_used_and_named() -> None:
    """It ends with 3: right, if that key is the ledger's."""
    made = shelf(7)
    ran = run_script(made[Grade.WHOLE])

    assert 3 == ran.exit_code
    assert made.vkey.strip() in ran.said


def test_another_key_is_wrong() -> None:
    """A bundle signed by somebody else is not the ledger's."""
    ran = run_script(shelf(7)[Grade.WHOLE], "-k", stranger().keys / "log.pem")

    assert (1, True) == (ran.exit_code, "not signed" in ran.said)


def test_a_checkpoint_that_was_kept_must_fit(tmp_path: Path) -> None:
    """Older ones are computed from the entries; of a part of them only those with a proof can be compared."""
    made = shelf(130)
    old = made[Grade.WHOLE] / layout.CHECKPOINT
    forged = tmp_path / "forged.note"
    forged.write_text(old.read_text().replace("\n130\n", "\n129\n"))

    fits = run_script(made[Grade.OPEN], "-k", made.pem, "-c", old)
    proven = run_script(made[Grade.PERSON], "-k", made.pem, "-c", old)
    unknown = run_script(made[Grade.ENTRIES], "-k", made.pem, "-c", old)
    forked = run_script(made[Grade.OPEN], "-k", made.pem, "-c", old, "-c", forged)

    assert (0, 1) == (fits.exit_code, fits.said.count("fits"))
    assert (0, 1) == (proven.exit_code, proven.said.count("fits"))
    assert (0, True) == (unknown.exit_code, "cannot be held against it" in unknown.said)
    assert (1, True) == (forked.exit_code, "other entries" in forked.said)


def test_growth_between_any_two_sizes_is_proven(tmp_path: Path) -> None:
    """Each bundle continues every earlier one; the shapes of consistency proofs differ with both sizes."""
    place = Place(tmp_path).create()
    sizes = (1, 2, 3, 7, 8, 9, 16, 33)
    for size in sizes:
        grow(place, size)
        make(place, tmp_path / f"at-{size}")
        grow(place, size + 1)  # which the record of the bundle did
    for size in sizes:
        target = tmp_path / f"since-{size}"
        make(place, target, Wanted(Grade.ENTRIES, entries=(0,), previous=tmp_path / f"at-{size}"))
        ran = run_script(
            target, "-k", place.keys / "log.pem", "-c", tmp_path / f"at-{size}" / layout.CHECKPOINT
        )

        assert (0, True) == (ran.exit_code, f"the first {size} entries" in ran.said), ran.said


def test_it_needs_no_xxd(tmp_path: Path) -> None:
    """Where there is none, awk takes its place."""
    for tool in TOOLS.split():
        found = shutil.which(tool)
        assert found is not None
        (tmp_path / tool).symlink_to(found)
    made = shelf(257)

    for grade in (Grade.WHOLE, Grade.PERSON):
        assert 0 == run_script(made[grade], "-k", made.pem, path=str(tmp_path)).exit_code


def test_without_openssl_it_says_that_it_cannot_check(tmp_path: Path) -> None:
    """Which is neither right nor wrong."""
    (tmp_path / "grep").symlink_to(str(shutil.which("grep")))
    (tmp_path / "dirname").symlink_to(str(shutil.which("dirname")))

    assert (2, "openssl 3 is needed\n") == (
        (ran := run_script(shelf(7)[Grade.WHOLE], path=str(tmp_path))).exit_code,
        ran.said[-len("openssl 3 is needed\n") :],
    )


def test_a_trusted_copy_of_the_script_checks_another_folder(tmp_path: Path) -> None:
    """Whoever does not trust the script in a bundle brings their own."""
    made = shelf(9)
    (tmp_path / layout.SCRIPT).write_bytes((made[Grade.WHOLE] / layout.SCRIPT).read_bytes())

    assert 0 == run_script(tmp_path, "-k", made.pem, "-d", made[Grade.PERSON]).exit_code


@pytest.mark.parametrize("grade", list(Grade))
def test_a_change_in_any_file_is_wrong(grade: Grade, tmp_path: Path) -> None:
    """One bit, one file, digests as they were."""
    made = shelf(8)
    for name in _files(made[grade]):
        folder = made.copied(grade, tmp_path / name.replace("/", "-"))
        tampered(folder, name, _flipped, resum=False)

        assert 1 == run_script(folder, "-k", made.pem).exit_code or name == layout.SCRIPT, name


@pytest.mark.parametrize("grade", list(Grade))
def test_a_change_with_new_digests_is_wrong(grade: Grade, tmp_path: Path) -> None:
    """What is left to find it is the signature, the tree and the commitments."""
    made = shelf(8)
    for name in _files(made[grade]):
        if name in UNREAD or name == layout.SUMS or name.startswith("tile/"):
            continue
        folder = made.copied(grade, tmp_path / name.replace("/", "-"))
        tampered(folder, name, _flipped, resum=True)
        # The key in the bundle is in question too, so none is given.
        ran = run_script(folder)

        assert 1 == ran.exit_code, f"{name}: {ran.said}"


@pytest.mark.parametrize("grade", list(Grade))
def test_a_missing_or_additional_file_is_wrong(grade: Grade, tmp_path: Path) -> None:
    """Nothing may be taken out of a bundle or slipped into it."""
    made = shelf(8)
    added = made.copied(grade, tmp_path / "added")
    (added / "note.txt").write_text("trust me")
    linked = made.copied(grade, tmp_path / "linked")
    (linked / "note.txt").symlink_to("/etc/passwd")

    assert 1 == run_script(added, "-k", made.pem).exit_code
    assert 1 == run_script(linked, "-k", made.pem).exit_code
    for name in _files(made[grade]):
        if name != layout.SCRIPT:
            folder = made.copied(grade, tmp_path / name.replace("/", "-"))
            (folder / name).unlink()

            assert 1 == run_script(folder, "-k", made.pem).exit_code, name


@pytest.mark.parametrize("grade", [Grade.ENTRIES, Grade.PERSON])
def test_proofs_and_openings_cannot_change_places(grade: Grade, tmp_path: Path) -> None:
    """A true proof of another entry, a true opening of another one, a line too few."""
    made = shelf(130)
    changes: dict[str, Callable[[bytes], bytes]] = {
        layout.ENTRIES: lambda lines: b"".join(sorted(lines.splitlines(keepends=True), reverse=True)),
        layout.PAYLOADS: lambda lines: lines.replace(b'{"seq":', b'{"seq":1', 1),
        layout.SUBJECTS: lambda lines: lines.replace(b'"key":"k1"', b'"key":"k2"'),
    }
    for name, change in changes.items():
        if not (made[grade] / name).exists():
            continue
        folder = made.copied(grade, tmp_path / name)
        tampered(folder, name, change, resum=True)

        assert 1 == run_script(folder, "-k", made.pem).exit_code, name
    swapped = made.copied(grade, tmp_path / "swapped")
    first, second, *_ = sorted((swapped / layout.PROOFS).iterdir())
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    summed(swapped)

    assert 1 == run_script(swapped, "-k", made.pem).exit_code


def test_words_beside_an_opening_are_wrong(tmp_path: Path) -> None:
    """A reader of JSON would see them, and nothing commits to them."""
    made = shelf(8)
    folder = made.copied(Grade.PERSON, tmp_path)
    tampered(
        folder,
        layout.PAYLOADS,
        lambda content: content.replace(b',"body":', b',"vip":true,"body":'),
        resum=True,
    )

    assert (1, True) == (
        (ran := run_script(folder, "-k", made.pem)).exit_code,
        "as it is written" in ran.said,
    )


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "name", ["PATH[$(touch${IFS}pwned)]", "1;touch pwned", "$(touch pwned)", "x/e touch pwned", "01"]
)
def test_names_in_a_bundle_are_no_commands(name: str, shell: str, tmp_path: Path) -> None:
    """bash computes `$((…))` with what a variable holds, and sed has a command that runs others."""
    made = shelf(8)
    for folder in (layout.PROOFS, layout.ROTATIONS):
        hostile = made.copied(Grade.PERSON, tmp_path / folder)
        (hostile / folder).mkdir(exist_ok=True)
        target = hostile / folder / f"{name}.tlog-proof".replace("/", "")
        target.write_text((hostile / layout.PROOFS / "2.tlog-proof").read_text())
        if folder == layout.PROOFS:
            (hostile / folder / "2.tlog-proof").unlink()
        summed(hostile)

        assert 1 == run_script(hostile, "-k", made.pem, shell=shell).exit_code
    assert [] == list(tmp_path.rglob("pwned"))


def test_what_a_bundle_says_cannot_move_the_cursor(tmp_path: Path) -> None:
    """Its words reach the terminal without control characters."""
    made = shelf(8)
    folder = made.copied(Grade.WHOLE, tmp_path)
    tampered(folder, layout.VKEY, lambda text: b"\x1b[2J" + text, resum=True)

    assert "\x1b" not in run_script(folder).said


def test_pipes_and_devices_are_not_read(tmp_path: Path) -> None:
    """One never ends, and a link may lead anywhere."""
    folder = shelf(8).copied(Grade.WHOLE, tmp_path)
    (folder / layout.ENTRIES).unlink()
    os.mkfifo(folder / layout.ENTRIES)

    assert 1 == run_script(folder, "-k", shelf(8).pem).exit_code


def test_keys_are_followed_from_any_that_the_ledger_had(tmp_path: Path) -> None:
    """Two rotations: each of the three keys leads to the newest; a stranger's leads nowhere."""
    place = Place(tmp_path).create()
    pems = [tmp_path / f"{number}.pem" for number in range(3)]
    grow(place, 3)
    for pem in pems[:2]:
        pem.write_bytes((place.keys / "log.pem").read_bytes())
        with place.open() as ledger:
            ledger.rotate_signing_key(actor="test")
        grow(place, 4 + 5 * pems.index(pem) + 3)
    pems[2].write_bytes((place.keys / "log.pem").read_bytes())
    for grade in (Grade.WHOLE, Grade.ENTRIES):
        target = tmp_path / grade.value
        make(place, target, Wanted(grade, entries=(1, 2)))
        for pem in pems:
            assert 0 == run_script(target, "-k", pem).exit_code, (grade, pem)
        assert 1 == run_script(target, "-k", stranger().keys / "log.pem").exit_code
        for proof in (target / layout.ROTATIONS).iterdir():
            folder = Path(shutil.copytree(target, tmp_path / f"{grade.value}-{proof.name}"))
            # Each of its two signatures suffices, so it is the text that is changed.
            tampered(folder, f"{layout.ROTATIONS}/{proof.name}", _with_other_root, resum=True)

            assert 1 == run_script(folder, "-k", pems[0]).exit_code


def _files(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def _flipped(content: bytes) -> bytes:
    """One letter or digit, towards the end. In a note that is the signature, not the hint at its key."""
    place = len(content) * 9 // 10
    while not chr(content[place]).isalnum():
        place -= 1
    other = b"b" if content[place : place + 1] != b"b" else b"c"
    return content[:place] + other + content[place + 1 :]


def _with_other_root(proof: bytes) -> bytes:
    head, note = proof.split(b"\n\n", 1)
    origin, size, root, rest = note.split(b"\n", 3)
    return b"\n".join([head, b"", origin, size, _flipped(root), rest])
