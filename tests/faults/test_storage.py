"""Disks that are full or fail: an error of ours, nothing half-written, and it goes on once there is room."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from suppress.audit import verify
from tests.faults.test_kills import ROOT, kept
from tests.ledger.making import Place, opt_out

posix = pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="limits of files are POSIX's")


@posix
@pytest.mark.parametrize("room", [0, 1, 4096, 20_000, 60_000, 200_000])
def test_a_full_disk_loses_nothing_acknowledged(place: Place, room: int) -> None:
    """The file may grow by `room` bytes: the append that does not fit fails whole, and says why."""
    place.record(opt_out())
    limit = place.file.stat().st_size + room
    program = (
        "import resource, signal, sys\n"
        "from suppress.errors import SuppressError\n"
        "from tests.faults.writer import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "try:\n"
        f"    main({place.url!r}, {str(place.keys)!r}, 'w', '300', '5')\n"
        "except SuppressError as error:\n"
        "    print(type(error).__name__, error.exit_code, file=sys.stderr)\n"
        "    sys.exit(error.exit_code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (70, "StorageFailed 70\n")
    told = len(done.stdout.split())
    result = verify(place.url, keys=place.keys)
    assert result.first_bad is None
    assert len(kept(place, "w")) == told
    assert place.record(opt_out("after@example.com")) == [result.size + 1]


@posix
def test_a_full_disk_during_init_leaves_nothing(tmp_path: Path) -> None:
    """No keys without a ledger that could not be made later, no ledger without keys."""
    place = Place(tmp_path)
    program = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from suppress.errors import SuppressError\n"
        "from suppress.ledger import Ledger\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
        "try:\n"
        f"    Ledger.create({place.url!r}, keys=Path({str(place.keys)!r}))\n"
        "except SuppressError as error:\n"
        "    sys.exit(error.exit_code)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert done.returncode == 70, done.stderr

    from suppress.ledger import Ledger

    assert Ledger.create(place.url, keys=place.keys)
    assert verify(place.url, keys=place.keys).first_bad is None


@posix
def test_the_disk_fills_between_commit_and_mark(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Committed but not acknowledged: repeating it adds nothing, and writes the mark."""
    from suppress.errors import StorageFailed
    from suppress.ledger import keys

    def full(_file: Path, _content: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, place.open() as ledger:
        patch.setattr(keys, "replace_file", full)
        with pytest.raises(StorageFailed, match="space"):
            ledger.append([opt_out()], actor="test")
    before = (place.keys / "highwater").read_bytes()

    assert place.record(opt_out()) == [2]
    with place.open() as ledger:
        assert ledger.head().size == 3
        assert (place.keys / "highwater").read_text() == ledger.head().note
    assert before != (place.keys / "highwater").read_bytes()


def test_a_ledger_deleted_under_a_writer_is_said_so(place: Place) -> None:
    """The next append fails with an error of ours; it is never written to a file that nobody sees."""
    from suppress.errors import SuppressError

    with place.open() as ledger:
        place.file.unlink()
        with pytest.raises(SuppressError):
            ledger.append([opt_out()], actor="test")
        with pytest.raises(SuppressError):
            ledger.append([opt_out()], actor="test")
