"""Keys: a folder that appears whole, private files that stay private, and the environment in their place."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from suppress.core.checkpoint import parse_vkey
from suppress.errors import ConfigWrong, OutputRefused, StorageFailed
from suppress.ledger import Keys, Ledger, keys
from suppress.ledger.heads import Signer
from tests import backends
from tests.ledger.making import Place, opt_out

posix = pytest.mark.skipif(os.name != "posix", reason="permissions of files are POSIX's")


def test_the_folder_holds_what_its_docstring_says(place: Place) -> None:
    """Nothing more, nothing less."""
    assert {"signing.pem", "index.k1", "log.vkey", "log.pem", "highwater"} == {
        each.name for each in place.keys.iterdir()
    }


@posix
def test_private_files_are_private(place: Place) -> None:
    """0700 and 0600 whatever the umask was."""
    assert place.keys.stat().st_mode & 0o777 == 0o700
    for name in ("signing.pem", "index.k1"):
        assert (place.keys / name).stat().st_mode & 0o777 == 0o600


@posix
@pytest.mark.parametrize("name", ["signing.pem", "index.k1"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_private_key_that_others_may_read_is_refused(place: Place, name: str, mode: int) -> None:
    """With the command that mends it."""
    (place.keys / name).chmod(mode)

    with pytest.raises(ConfigWrong, match="others may read") as caught, place.open() as ledger:
        ledger.append([opt_out()], actor="test")
    assert caught.value.remedy == f"chmod 600 {place.keys / name}"


@pytest.mark.parametrize("name", ["signing.pem", "index.k1", "log.vkey"])
def test_a_missing_key_is_named(place: Place, name: str) -> None:
    """And where to get it: the backup."""
    (place.keys / name).unlink()

    with pytest.raises(ConfigWrong, match=name.partition(".")[0]) as caught, place.open() as ledger:
        ledger.append([opt_out()], actor="test")
    assert "backup" in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("signing.pem", b"rubbish"),
        ("signing.pem", b""),
        ("index.k1", b"rubbish"),
        ("index.k1", b"00" * 31),
        ("index.k1", b"\xff" * 64),
        ("log.vkey", b"\xff"),
        ("log.vkey", b"suppress/x+00000000+AA=="),
    ],
)
def test_a_damaged_key_is_named(place: Place, name: str, content: bytes) -> None:
    """Never a traceback, and never the key's content."""
    (place.keys / name).write_bytes(content)
    (place.keys / name).chmod(0o600)

    with pytest.raises(ConfigWrong) as caught, place.open() as ledger:
        ledger.append([opt_out()], actor="test")
    assert "rubbish" not in caught.value.message


def test_a_signing_key_of_another_kind_is_refused(place: Place) -> None:
    """RSA cannot sign an Ed25519 note."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    pem = generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (place.keys / "signing.pem").write_bytes(pem)

    with pytest.raises(ConfigWrong, match="another kind"):
        Signer.of(Keys.load(place.keys))


def test_keys_that_do_not_belong_together_sign_nothing(place: Place, tmp_path: Path) -> None:
    """A signing key from another folder would make notes that nobody can verify."""
    other = Keys.create(tmp_path / "other.keys", "suppress/other")
    (place.keys / "signing.pem").write_bytes((other.folder / "signing.pem").read_bytes())

    with place.open() as ledger, pytest.raises(ConfigWrong, match="does not belong"):
        ledger.append([opt_out()], actor="test")


@pytest.mark.both_back_ends
def test_the_environment_takes_the_place_of_private_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`init` then writes neither, and everything works as with files."""
    given = Keys.create(tmp_path / "given", "suppress/given")
    monkeypatch.setenv("SUPPRESS_SIGNING_KEY", (given.folder / "signing.pem").read_text())
    monkeypatch.setenv("SUPPRESS_INDEX_KEY", f"k7:{'ab' * 32}")
    place = Place(tmp_path)
    assert Ledger.create(place.url, keys=place.keys)

    place.record(opt_out())

    assert {"log.vkey", "log.pem", "highwater"} == {each.name for each in place.keys.iterdir()}
    with place.lookup() as lookup, place.open() as ledger:
        assert lookup.verdict(opt_out().address) == ledger.check("pat@example.com")
        assert lookup.verdict(opt_out().address).seq == 2
    assert parse_vkey(given.vkey).public == parse_vkey(Keys.load(place.keys).vkey).public


@pytest.mark.parametrize("value", ["rubbish", "k1:" + "00" * 31, "x1:" + "00" * 32, "k1:" + "zz" * 32])
def test_a_wrong_index_key_in_the_environment_is_named(
    place: Place, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """The variable's name, not its value."""
    monkeypatch.setenv("SUPPRESS_INDEX_KEY", value)

    with pytest.raises(ConfigWrong, match="SUPPRESS_INDEX_KEY") as caught:
        place.open()
    assert value not in caught.value.message


@pytest.mark.both_back_ends
def test_another_index_key_in_the_environment_is_refused(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger committed to its key when it was opened: it cannot be swapped to un-match somebody."""
    monkeypatch.setenv("SUPPRESS_INDEX_KEY", "00" * 32)

    with pytest.raises(ConfigWrong, match="another ledger"):
        place.open()


@pytest.mark.both_back_ends
def test_an_old_index_key_still_finds_people(place: Place) -> None:
    """After a rotation people are looked up under every live key; nobody is added twice."""
    place.record(opt_out("p.at@gmail.com"))
    with place.open() as ledger:
        ledger.rotate_index_key(actor="test")

    assert place.record(opt_out("P.at@gmail.com"), opt_out("sam@gmail.com")) == [2, 5]
    with place.lookup() as lookup, place.open() as ledger:
        for text in ("p.at@gmail.com", "sam@gmail.com", "pat@gmail.com", "s.am@gmail.com"):
            verdict = lookup.verdict(opt_out(text).address)
            assert verdict == ledger.check(text)
            assert verdict.seq is not None
    with place.raw() as connection:
        assert connection.execute("SELECT key_id FROM subject ORDER BY key_id").fetchall() == [
            ("k1",),
            ("k2",),
        ]


# --- Making them -----------------------------------------------------------------------------------------


@pytest.mark.both_back_ends
def test_creating_is_safe_to_repeat(place: Place) -> None:
    """Nothing changes, and the answer says so."""
    before = {each.name: each.read_bytes() for each in place.keys.iterdir()}
    content = place.content()

    assert not Ledger.create(place.url, keys=place.keys)
    assert before == {each.name: each.read_bytes() for each in place.keys.iterdir()}
    assert content == place.content()


@pytest.mark.both_back_ends
def test_an_interrupted_creation_is_continued(place: Place) -> None:
    """Killed after the keys and before the ledger: the keys are used."""
    place.vanish()
    (place.keys / "highwater").unlink()
    vkey = (place.keys / "log.vkey").read_bytes()

    assert Ledger.create(place.url, keys=place.keys)
    assert vkey == (place.keys / "log.vkey").read_bytes()


@pytest.mark.both_back_ends
@pytest.mark.parametrize("left", [False, True], ids=["gone", "empty"])
def test_keys_that_have_signed_get_no_second_ledger(place: Place, left: bool) -> None:
    """Two histories under one key are a fork; the remedy is the backup."""
    place.vanish()
    if left and not backends.on_server():
        place.file.touch()

    with pytest.raises(ConfigWrong, match="in use") as caught:
        Ledger.create(place.url, keys=place.keys)
    assert "backup" in str(caught.value.remedy)


def test_an_empty_folder_is_used_and_another_is_not(tmp_path: Path) -> None:
    """A folder with anything in it but keys is not ours to fill."""
    (tmp_path / "empty").mkdir()
    assert Keys.create(tmp_path / "empty", "suppress/x").vkey.startswith("suppress/x+")

    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").touch()
    with pytest.raises(OutputRefused, match="full"):
        Keys.create(tmp_path / "full", "suppress/x")
    assert {"empty", "full"} == {each.name for each in tmp_path.iterdir()}


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    """A file where a folder should be."""
    (tmp_path / "file").touch()

    with pytest.raises(OutputRefused, match="cannot be made"):
        Keys.create(tmp_path / "file" / "keys", "suppress/x")


def test_a_missing_folder_is_no_place_for_a_ledger(tmp_path: Path) -> None:
    """It is not made up, and no keys are left behind."""
    with pytest.raises(OutputRefused, match="no such folder"):
        Ledger.create(str(tmp_path / "none" / "suppress.db"), keys=tmp_path / "keys")
    assert [] == list(tmp_path.iterdir())


@pytest.mark.both_back_ends
def test_processes_that_create_at_once_make_one_ledger(tmp_path: Path) -> None:
    """One of them says that it did, all of them end well."""
    place = Place(tmp_path)
    program = (
        "from pathlib import Path\nfrom suppress.ledger import Ledger\n"
        f"print(Ledger.create({place.url!r}, keys=Path({str(place.keys)!r})))\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    answers = [process.communicate()[0].strip() for process in running]

    assert ["False", "False", "False", "True"] == sorted(answers)
    assert place.record(opt_out()) == [2]


def test_the_name_of_a_log_is_readable_and_its_own(tmp_path: Path) -> None:
    """The organisation in letters that a note allows, and something random."""
    for number, organisation in enumerate(["Äcme + Söhne GmbH", None, "+ +"]):
        folder = tmp_path / str(number)
        folder.mkdir()
        Ledger.create(str(folder / "a.db"), keys=folder / "a.keys", organisation=organisation)
    names = [parse_vkey((tmp_path / str(n) / "a.keys" / "log.vkey").read_text()).name for n in range(3)]

    assert names[0].startswith("suppress/cme-s-hne-gmbh-")
    assert 3 == len(set(names))


# --- Writing them ----------------------------------------------------------------------------------------


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure in the middle leaves the old content and no draft."""
    file = tmp_path / "highwater"
    keys.replace_file(file, b"old")

    def refuse(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="space"):
        keys.replace_file(file, b"new")
    with pytest.raises(StorageFailed, match="space"):
        keys.raise_highwater(tmp_path / "other", "o\n1\n")

    assert file.read_bytes() == b"old"
    assert [file] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("number", "fails"), [(errno.EIO, True), (errno.ENOSPC, True), (errno.EINVAL, False)]
)
def test_a_folder_that_cannot_be_synced_is_an_error_where_the_disk_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, fails: bool
) -> None:
    """Some systems sync no folders, which stops nobody; a disk that fails does."""

    def refuse(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match=os.strerror(number)) if fails else nullcontext():
        keys.sync_folder(tmp_path)


def test_a_mark_without_a_size_is_replaced(tmp_path: Path) -> None:
    """Any signed head is higher than no head."""
    file = tmp_path / "highwater"
    file.write_text("rubbish")

    keys.raise_highwater(file, "origin\n1\nroot\n")

    assert file.read_text() == "origin\n1\nroot\n"
