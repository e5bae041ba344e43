"""Output files are there whole or not at all, and never in place of what must not be replaced."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from suppress.errors import OutputRefused, StorageFailed
from suppress.files import syncing
from suppress.files.output import UNFINISHED, outputs, publish


def published(target: Path | str, content: bytes) -> None:
    with outputs({"kept": str(target)}) as begun:
        begun["kept"].write(content)
        begun["kept"].finish()
        begun["kept"].publish()


def test_a_published_file_is_whole_and_for_its_owner_only(tmp_path: Path) -> None:
    """It holds people's addresses."""
    published(tmp_path / "kept.csv", b"email\n")

    assert b"email\n" == (tmp_path / "kept.csv").read_bytes()
    assert 0o600 == (tmp_path / "kept.csv").stat().st_mode & 0o777
    assert [tmp_path / "kept.csv"] == list(tmp_path.iterdir())


def test_an_existing_file_stays_as_it_was_until_the_new_one_is_whole(tmp_path: Path) -> None:
    """And for good if the work fails; nothing else is left in the folder."""
    target = tmp_path / "kept.csv"
    target.write_bytes(b"old")
    with pytest.raises(RuntimeError), outputs({"kept": str(target)}) as begun:
        begun["kept"].write(b"new")
        begun["kept"].finish()
        assert b"old" == target.read_bytes()
        raise RuntimeError

    assert b"old" == target.read_bytes()
    assert [tmp_path / "kept.csv"] == list(tmp_path.iterdir())


def test_a_link_is_followed(tmp_path: Path) -> None:
    """The file it leads to is replaced, and the link stays one."""
    (tmp_path / "real.csv").write_bytes(b"old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    published(tmp_path / "link.csv", b"new")

    assert (tmp_path / "link.csv").is_symlink()
    assert b"new" == (tmp_path / "real.csv").read_bytes()


def test_a_device_is_written_to_and_not_replaced() -> None:
    """`--kept /dev/null` must leave the machine its /dev/null."""
    published("/dev/null", b"x")

    assert Path("/dev/null").is_char_device()


def test_a_named_pipe_gets_the_whole_at_the_end(tmp_path: Path) -> None:
    """Its reader sees nothing of a run that fails."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    published(pipe, b"email\n")
    reader.join()

    assert [b"email\n"] == got


def test_standard_output_gets_the_whole_at_the_end(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """So that a filter never passes on half a list."""
    with outputs({"kept": "-", "withheld": None}) as begun:
        begun["kept"].write(b"email\n")
        begun["kept"].finish()
        assert b"" == capfdbinary.readouterr().out
        begun["kept"].publish()

    assert b"email\n" == capfdbinary.readouterr().out


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no/such/folder.csv", "No such file or directory"),
        ("file/below.csv", "Not a directory"),
        ("folder", "Is a directory"),
        ("n" * 300, "File name too long"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, message: str
) -> None:
    """Another place mends it, so it is wrong usage and not a failure of the disk."""
    monkeypatch.chdir(tmp_path)
    Path("file").write_bytes(b"")
    Path("folder").mkdir()
    with pytest.raises(OutputRefused, match=message):
        published(target, b"x")

    assert {Path("file"), Path("folder")} == set(Path().iterdir())


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    """/dev/full refuses every byte, as a full disk does."""
    with pytest.raises(StorageFailed, match="/dev/full cannot be written: No space left on device"):
        published("/dev/full", b"x")


def test_a_disk_that_fills_up_midway_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: the old result stays, the new one is gone."""
    target = tmp_path / "kept.csv"
    target.write_bytes(b"old")
    code = f"""
import resource, signal
from suppress.errors import StorageFailed
from suppress.files.output import outputs
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
try:
    with outputs({{"kept": {str(target)!r}}}) as begun:
        for _ in range(64):
            begun["kept"].write(b"x" * (1 << 16))
except StorageFailed as failed:
    print(failed)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "File too large; nothing was left half-written" in done.stdout
    assert b"old" == target.read_bytes()
    assert [tmp_path / "kept.csv"] == list(tmp_path.iterdir())


def test_a_killed_run_leaves_a_file_that_says_what_it_is(tmp_path: Path) -> None:
    """Never one that could be taken for a result."""
    code = f"""
import os, signal
from suppress.files.output import outputs
with outputs({{"kept": {str(tmp_path / "kept.csv")!r}}}) as begun:
    begun["kept"].write(b"half")
    begun["kept"].finish()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    (left,) = (each.name for each in tmp_path.iterdir())

    assert -signal.SIGKILL == done.returncode
    assert left.startswith(".kept.csv.")
    assert left.endswith(UNFINISHED)


def test_the_file_that_is_read_is_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By whichever name it is called: another spelling, a link, a second name."""
    monkeypatch.chdir(tmp_path)
    Path("list.csv").write_bytes(b"x")
    Path("soft.csv").symlink_to("list.csv")
    Path("hard.csv").hardlink_to("list.csv")
    for other in ("list.csv", "./list.csv", str(tmp_path / "list.csv"), "soft.csv", "hard.csv"):
        with (
            pytest.raises(OutputRefused, match="is the file that is being read"),
            outputs({"kept": other}, inputs=["list.csv"]),
        ):
            pass


def test_two_results_in_one_file_are_refused(tmp_path: Path) -> None:
    """The second would silently replace the first."""
    target = str(tmp_path / "out.csv")
    with (
        pytest.raises(OutputRefused, match="--kept and --withheld both name"),
        outputs({"kept": target, "withheld": target}),
    ):
        pass


def test_a_database_is_never_replaced(tmp_path: Path) -> None:
    """`--kept suppress.db` must not cost a ledger."""
    target = tmp_path / "suppress.db"
    target.write_bytes(b"SQLite format 3\x00rest")
    with pytest.raises(OutputRefused, match="is a database"):
        published(target, b"x")

    assert target.read_bytes().startswith(b"SQLite")


def test_results_get_their_names_together_or_not_at_all(tmp_path: Path) -> None:
    """One target became a folder meanwhile: the new one goes, the replaced one is back."""
    (tmp_path / "replaced.csv").write_bytes(b"old")
    names = ("fresh", "replaced", "blocked")
    with outputs({name: str(tmp_path / f"{name}.csv") for name in names}) as begun:
        for name in names:
            begun[name].write(b"new")
            begun[name].finish()
        (tmp_path / "blocked.csv").mkdir()
        with pytest.raises(OutputRefused, match=r"blocked\.csv cannot be written"):
            publish([begun[name] for name in names])

    assert {"replaced.csv", "blocked.csv"} == {each.name for each in tmp_path.iterdir()}
    assert b"old" == (tmp_path / "replaced.csv").read_bytes()


def test_what_is_replaced_is_let_go_of(tmp_path: Path) -> None:
    """Nothing of an older result stays behind."""
    (tmp_path / "kept.csv").write_bytes(b"old")
    with outputs({"kept": str(tmp_path / "kept.csv")}) as begun:
        begun["kept"].write(b"new")
        begun["kept"].finish()
        publish([begun["kept"]])

    assert {"kept.csv": b"new"} == {each.name: each.read_bytes() for each in tmp_path.iterdir()}


def test_a_long_file_is_brought_to_the_disk_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is there in full, whichever of the two is the faster."""
    monkeypatch.setattr(syncing, "STEP", 1_000)
    asked: list[str] = []
    own = os.fsync

    def noted(descriptor: int) -> None:
        asked.append(threading.current_thread().name)
        own(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    with outputs({"kept": str(tmp_path / "kept.csv")}) as found:
        for number in range(2_000):
            found["kept"].write(b"%6d,pat@example.com\n" % number)
        found["kept"].finish()
        publish(list(found.values()))

    assert {"MainThread"} < set(asked)
    assert 2_000 * 23 == (tmp_path / "kept.csv").stat().st_size


def test_a_disk_that_fails_meanwhile_is_told_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system tells of lost pages once, and it told the thread."""
    monkeypatch.setattr(syncing, "STEP", 1)

    def failing(_descriptor: int) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", failing)
    with outputs({"kept": str(tmp_path / "kept.csv")}) as found:
        found["kept"].write(b"pat@example.com\n")
        with pytest.raises(StorageFailed, match=r"kept\.csv cannot be written: Input/output error"):
            found["kept"].finish()

    assert [] == list(tmp_path.iterdir())
