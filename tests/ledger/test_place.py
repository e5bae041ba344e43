"""Where a ledger lives, and what a refusal of SQLite or the system is called."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ArgumentError, DBAPIError

from suppress.errors import (
    BadUsage,
    LedgerDamaged,
    LedgerLocked,
    NoLedger,
    OutputRefused,
    StorageFailed,
    SuppressError,
)
from suppress.ledger import Ledger, Lookup, engine, place
from suppress.ledger.place import keys_folder, meaning, open_read_only, place_of, translated
from tests.ledger.making import Place, opt_out


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("suppress.db", "suppress.db"),
        ("/srv/a b/suppress.db", "/srv/a b/suppress.db"),
        ("sqlite:///suppress.db", "suppress.db"),
        ("sqlite:////srv/suppress.db", "/srv/suppress.db"),
        ("sqlite+pysqlite:///x.db", "x.db"),
        ("sqlite:///a%20b#c.db", "a%20b#c.db"),
    ],
)
def test_urls_and_paths_name_a_file(url: str, path: str) -> None:
    """As SQLAlchemy reads them."""
    assert Path(path) == place_of(url)


@pytest.mark.parametrize(
    "url", ["", "sqlite://", "sqlite:///", "sqlite:///:memory:", ":memory:", "sqlite:///x.db?mode=ro", "a\0b"]
)
def test_what_names_no_file_is_refused(url: str) -> None:
    """A ledger in memory would be no ledger."""
    with pytest.raises(BadUsage, match="does not name a file"):
        place_of(url)


@pytest.mark.parametrize("url", ["oracle://u@h/d", "mysql://h/d", "://x"])
def test_another_database_is_refused_by_name(url: str) -> None:
    """And what can be used instead is said."""
    with pytest.raises(BadUsage, match="SQLite") as caught:
        place_of(url)
    assert "sqlite:///" in str(caught.value.remedy)


def test_keys_lie_beside_the_file() -> None:
    """`X.db` → `X.keys`."""
    assert Path("/srv/suppress.keys") == keys_folder(Path("/srv/suppress.db"))


def test_a_path_with_odd_characters_works(tmp_path: Path) -> None:
    """SQLite's URIs need them escaped."""
    odd = Place(tmp_path / "a b?c#d%41é")
    odd.folder.mkdir()
    odd.create()
    with Ledger.open(str(odd.file)) as ledger:
        ledger.append([opt_out()], actor="test")
    with Lookup.open(str(odd.file)) as lookup:
        assert lookup.verdict(opt_out().address).seq == 2


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (sqlite3.SQLITE_BUSY, LedgerLocked),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, LedgerLocked),
        (sqlite3.SQLITE_LOCKED, LedgerLocked),
        (sqlite3.SQLITE_FULL, StorageFailed),
        (sqlite3.SQLITE_IOERR_WRITE, StorageFailed),
        (sqlite3.SQLITE_IOERR_FSYNC, StorageFailed),
        (sqlite3.SQLITE_READONLY, StorageFailed),
        (sqlite3.SQLITE_READONLY_ROLLBACK, StorageFailed),
        (sqlite3.SQLITE_PERM, StorageFailed),
        (sqlite3.SQLITE_NOMEM, StorageFailed),
        (sqlite3.SQLITE_CONSTRAINT_TRIGGER, LedgerDamaged),
        (sqlite3.SQLITE_CORRUPT, LedgerDamaged),
        (sqlite3.SQLITE_NOTADB, LedgerDamaged),
        (sqlite3.SQLITE_ERROR, LedgerDamaged),
        (None, LedgerDamaged),
    ],
)
def test_a_result_code_decides_the_error(
    code: int | None, error: type[SuppressError], tmp_path: Path
) -> None:
    """Never the wording, which changes between versions; and the file is named."""
    refused = sqlite3.OperationalError("whatever")
    if code is not None:
        refused.sqlite_errorcode = code
        refused.sqlite_errorname = "SQLITE_WHATEVER"

    found = meaning(refused, tmp_path / "suppress.db")

    assert type(found) is error
    assert code == sqlite3.SQLITE_NOMEM or "suppress.db" in found.message


def test_a_file_that_cannot_be_opened_is_explained(tmp_path: Path) -> None:
    """No folder, no permission, or no access: three things to do."""
    refused = sqlite3.OperationalError("unable to open database file")
    refused.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN

    assert "no such folder" in meaning(refused, tmp_path / "none" / "x.db").message
    assert type(meaning(refused, tmp_path / "x.db")) is OutputRefused
    (tmp_path / "x.db").touch()
    assert type(meaning(refused, tmp_path / "x.db")) is StorageFailed


def test_the_system_s_refusals_are_translated_too(tmp_path: Path) -> None:
    """An `OSError` names the file and the reason."""
    with pytest.raises(StorageFailed, match=r"x\.db: No space"), translated(tmp_path / "x.db"):
        raise OSError(28, "No space left on device")


def test_no_exception_of_sqlalchemy_leaves_the_room(place: Place) -> None:
    """Whether the driver refused, another driver did, or a statement made no sense."""
    opened = engine.sqlite_engine(place.file, mode="rw")
    with pytest.raises(LedgerDamaged), engine.reading(opened, place.file) as connection:
        connection.execute(text("SELECT * FROM nowhere"))
    for wrong, error in (
        (ArgumentError("what?"), LedgerDamaged),
        (DBAPIError("x", {}, ValueError()), StorageFailed),
        (sqlite3.DatabaseError(), LedgerDamaged),
    ):
        with pytest.raises(error), engine.reading(opened, place.file):
            raise wrong
    opened.dispose()


# --- What is no ledger -----------------------------------------------------------------------------------


def test_random_bytes_are_not_a_ledger(tmp_path: Path) -> None:
    """One line, whichever way it is opened."""
    file = tmp_path / "suppress.db"
    file.write_bytes(bytes(range(256)) * 64)
    for way in (lambda: open_read_only(file), lambda: Place(tmp_path).open()):
        with pytest.raises(LedgerDamaged, match="not a SQLite database"):
            way()


def test_a_folder_is_not_a_ledger(tmp_path: Path) -> None:
    """Nor is a path through a file."""
    with pytest.raises(BadUsage, match="folder"):
        open_read_only(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(NoLedger):
        open_read_only(tmp_path / "file" / "suppress.db")


def test_a_path_that_the_system_refuses_is_said_so(tmp_path: Path) -> None:
    """A name longer than file systems take."""
    with pytest.raises(StorageFailed, match="cannot be read"):
        open_read_only(tmp_path / ("x" * 5000))


# --- Locks -----------------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits in a test."""
    monkeypatch.setattr(place, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)


@pytest.mark.usefixtures("impatient")
def test_a_second_writer_is_told_to_wait(place: Place) -> None:
    """And nothing of its append is kept."""
    with place.raw() as other, place.open() as ledger:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerLocked, match="another process") as caught:
            ledger.append([opt_out()], actor="test")
        other.execute("ROLLBACK")

        assert "wait" in str(caught.value.remedy)
        assert ledger.head().size == 1
        assert ledger.append([opt_out()], actor="test")[0].new


@pytest.mark.usefixtures("impatient")
def test_a_reader_is_told_to_wait(place: Place) -> None:
    """Whichever way it reads, while another process is in the middle of its commit."""
    place.record(opt_out())
    with place.open() as ledger, place.lookup() as lookup, place.raw() as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerLocked):
            ledger.head()
        with pytest.raises(LedgerLocked):
            lookup.verdict(opt_out().address)
        with pytest.raises(LedgerLocked):
            place.open()
        other.execute("ROLLBACK")

        assert ledger.head().size == 3
        assert lookup.verdict(opt_out().address).seq == 2


def test_opening_again_leaves_the_locks_of_this_process_alone(place: Place) -> None:
    """POSIX drops all locks of a process on a file when it closes any descriptor of it."""
    with place.raw() as writer:
        writer.execute("BEGIN IMMEDIATE")
        place.lookup().close()
        with place.open():
            pass
        assert _locked_for_others(place.file)
        writer.execute("ROLLBACK")


def _locked_for_others(file: Path) -> bool:
    import subprocess
    import sys

    program = (
        "import sqlite3, sys\n"
        f"connection = sqlite3.connect({str(file)!r}, timeout=0, isolation_level=None)\n"
        "try:\n    connection.execute('BEGIN IMMEDIATE')\n"
        "except sqlite3.OperationalError:\n    sys.exit(7)\n"
    )
    return subprocess.run([sys.executable, "-c", program], check=False).returncode == 7


# --- Permissions -----------------------------------------------------------------------------------------


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder that everybody may look into and nobody may write to."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o700)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may write everywhere, so root becomes nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_no_ledger_is_made_in_a_folder_that_may_not_be_written_to(closed: Path, tmp_path: Path) -> None:
    """Neither keys nor a file are left behind."""
    with without_privileges(), pytest.raises(OutputRefused, match="cannot be made"):
        Ledger.create(str(closed / "suppress.db"), keys=closed / "suppress.keys")
    with TemporaryDirectory() as elsewhere:
        os.chmod(elsewhere, 0o777)  # noqa: PTH101 - for whoever nobody is
        with without_privileges(), pytest.raises(OutputRefused, match="may not be written"):
            Ledger.create(str(closed / "suppress.db"), keys=Path(elsewhere) / "keys")

    assert [] == list(closed.iterdir())


def test_a_ledger_in_a_closed_folder_is_read_and_not_written(closed: Path) -> None:
    """Appending needs a journal beside the file; looking up needs nothing."""
    place = Place(closed)
    closed.chmod(0o700)
    place.create()
    place.record(opt_out())
    for each in (place.file, *place.keys.iterdir()):
        if os.geteuid() == 0:
            os.chown(each, 65534, 65534)
    if os.geteuid() == 0:
        os.chown(place.keys, 65534, 65534)
    (place.folder / "suppress.db-journal").unlink(missing_ok=True)
    closed.chmod(0o555)

    with without_privileges():
        with place.lookup() as lookup:
            assert lookup.verdict(opt_out().address).seq == 2
        with pytest.raises(StorageFailed, match=r"permission|written|opened"), place.open() as ledger:
            ledger.append([opt_out("sam@example.com")], actor="test")
        place.file.chmod(0o444)
        with pytest.raises(StorageFailed, match=r"written|opened"), place.open() as ledger:
            ledger.append([opt_out("sam@example.com")], actor="test")
        with place.lookup() as lookup:
            assert lookup.size == 3
