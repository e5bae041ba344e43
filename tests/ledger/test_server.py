"""A ledger on a server: what is said when it cannot be used, and what is never said."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from suppress.audit import verify
from suppress.errors import (
    BadUsage,
    LedgerLocked,
    NoLedger,
    StorageFailed,
    SuppressError,
)
from suppress.ledger import Ledger, Lookup, engine, precautions, schema
from suppress.ledger.place import keys_folder, place_of, snapshot_file, upgrade_copies
from suppress.ledger.server import Server, meaning
from tests import backends
from tests.conftest import Command
from tests.ledger.making import Place, opt_out, sync_done

SECRET = "hunter2"


def refused(url: str, keys: Path) -> Iterator[SuppressError]:
    """What each way into a ledger says."""
    for way in (
        lambda: Ledger.open(url, keys=keys),
        lambda: Lookup.open(url, keys=keys),
        lambda: verify(url, keys=keys),
        lambda: schema.read_revision(place_of(url)),
    ):
        with pytest.raises(SuppressError) as caught:
            way()
        assert SECRET not in f"{caught.value.message} {caught.value.remedy} {caught.value!r}"
        yield caught.value


# --- The URL ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql+psycopg://u:hunter2@h:5433/d", "postgresql://u@h:5433/d"),
        ("postgresql://h/d?sslmode=verify-full&password=hunter2", "postgresql://h/d"),
        ("postgres://u@[::1]/d", "postgresql://u@[::1]/d"),
        ("postgresql:///d?host=/run/pg", "postgresql:///d"),
    ],
)
def test_a_server_is_named_without_its_password(url: str, name: str) -> None:
    """Nor with any option, for one may hold it."""
    place = place_of(url)

    assert isinstance(place, Server)
    assert name == str(place)
    assert SECRET not in repr(place)
    assert place.database == "d"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hun/ter2@h/d",
        "postgresql://u:hunter2@h:port/d",
        "postgresql://u:hunter2#x@h/d",
        "postgresql://u:hunter2@h/d/e",
        "postgresql://u:hunter2@[h/d",
        "postgresql://u:hun@ter2@h/d",
        "postgresql://u@h/d?hunter2",
        "postgresql://u@h/d?nonsense=hunter2",
    ],
)
def test_a_url_that_can_be_read_in_two_ways_is_refused_unsaid(url: str, place: Place) -> None:
    """libpq would quote the half of the password that it took for a host."""
    with pytest.raises(BadUsage) as caught:
        Ledger.open(url, keys=place.keys)

    assert not any(part in f"{caught.value} {caught.value.remedy}" for part in ("hun", "ter2"))
    assert "%40" in str(caught.value.remedy)


def test_what_lies_beside_a_server_s_ledger() -> None:
    """It has no folder: keys are in the working directory unless named, the snapshot beside the keys."""
    place = place_of("postgresql://h/d")

    assert Path("suppress.keys") == keys_folder(place)
    assert Path("/srv/a.snapshot") == snapshot_file(place, Path("/srv/a.keys"))
    assert () == upgrade_copies(place)


def test_without_the_driver_the_extra_is_named(command: Command) -> None:
    """One line, exit 2; nothing about modules."""
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from suppress.__main__ import main\n"
        "sys.argv = ['suppress', '--ledger', 'postgresql://u:hunter2@127.0.0.1/d', 'status']\n"
        "main()"
    )
    (command.folder / "suppress.keys").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=command.folder, capture_output=True, text=True, check=False
    )

    assert 2 == done.returncode
    assert "pip install 'suppress-ledger[postgresql]'" in done.stderr
    assert SECRET not in done.stderr
    assert 2 == len(done.stderr.strip().splitlines())


# --- The server ------------------------------------------------------------------------------------------


def test_a_server_that_does_not_answer(place: Place) -> None:
    """Port 1 of the loopback: nobody listens."""
    for error in refused("postgresql+psycopg://u:hunter2@127.0.0.1:1/d", place.keys):
        assert isinstance(error, StorageFailed)
        assert "postgresql://u@127.0.0.1:1/d" in error.message


@pytest.mark.server_only
def test_a_database_that_is_not_there(place: Place) -> None:
    """Told from a server that does not answer: it has to be made."""
    for error in refused(backends.url_of("no_such_database"), place.keys):
        assert isinstance(error, NoLedger)
        assert "createdb no_such_database" in str(error.remedy)


@pytest.mark.server_only
def test_a_database_without_a_ledger(place: Place, tmp_path: Path) -> None:
    """Empty: no ledger yet. With tables of others: not for us."""
    (tmp_path / "other").mkdir()
    url = backends.url_in(tmp_path / "other")
    for error in refused(url, place.keys):
        assert isinstance(error, NoLedger)
    with closing(backends.connection_to(url)) as connection:
        connection.execute("CREATE TABLE theirs (x int)")

    for way in (lambda: Ledger.open(url, keys=place.keys), lambda: Lookup.open(url, keys=place.keys)):
        with pytest.raises(BadUsage, match="another program"):
            way()
    with pytest.raises(BadUsage, match="another program"):
        Ledger.create(url, keys=tmp_path / "new.keys")
    assert not (tmp_path / "new.keys").exists()


@pytest.mark.server_only
def test_creating_twice_is_creating_once(tmp_path: Path) -> None:
    """And eight at a time make one ledger, with one set of keys."""
    url, keys = backends.url_in(tmp_path), tmp_path / "suppress.keys"
    made: list[bool] = []
    threads = [threading.Thread(target=lambda: made.append(Ledger.create(url, keys=keys))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [False, False, False, True] == sorted(made)
    assert verify(url, keys=keys).ok


@pytest.mark.server_only
def test_no_keys_are_made_for_a_database_that_is_not_there(tmp_path: Path) -> None:
    """They would be left over."""
    with pytest.raises(NoLedger):
        Ledger.create(backends.url_of("no_such_database"), keys=tmp_path / "suppress.keys")

    assert not (tmp_path / "suppress.keys").exists()


# --- Transactions ----------------------------------------------------------------------------------------


@pytest.mark.server_only
def test_who_waits_too_long_is_told_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another writer holds the head: exit 11, nothing hangs. Reading goes on."""
    monkeypatch.setattr(engine, "_WRITER", "SET LOCAL lock_timeout = '50ms'")
    with place.open() as ledger, closing(backends.connection_to(place.url)) as other:
        other.execute("BEGIN")
        other.execute("SELECT 1 FROM head FOR UPDATE")
        with pytest.raises(LedgerLocked):
            ledger.append([opt_out()], actor="test")
        assert 1 == ledger.head().size
        with place.lookup() as lookup:
            assert 1 == lookup.size
        other.execute("ROLLBACK")

        assert 2 == ledger.append([opt_out()], actor="test")[0].seq


@pytest.mark.server_only
@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
def test_writers_make_one_history_at_any_default_isolation(place: Place, level: str) -> None:
    """Eight writers, whatever the server's default: no gap, no error, each event once, one root."""
    name = place.url.partition("?")[0].rpartition("/")[2]
    backends.administer(f"ALTER DATABASE \"{name}\" SET default_transaction_isolation = '{level}'")
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            with place.open() as ledger:
                for each in range(4):
                    ledger.append([opt_out(f"p{number}-{each}@example.com"), sync_done(f"{each}")], actor="t")
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [] == failures
    with place.open(read_only=True) as ledger:
        assert 1 + 8 * 4 * 2 + 4 == ledger.head().size
    assert verify(place.url, keys=place.keys).ok


@pytest.mark.server_only
def test_an_append_is_on_disk_on_a_server_that_is_set_to_lose_the_last_moments(place: Place) -> None:
    """Whatever the server's default; a stronger one is left as it is."""
    name = place.url.partition("?")[0].rpartition("/")[2]
    where = place_of(place.url)
    for default, kept in (("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")):
        backends.administer(f'ALTER DATABASE "{name}" SET synchronous_commit = {default}')
        opened = engine.opened(where, mode="rw")
        with engine.writing(opened, where) as connection:
            assert kept == connection.exec_driver_sql("SHOW synchronous_commit").scalar_one()
            assert "read committed" == connection.exec_driver_sql("SHOW transaction_isolation").scalar_one()
        opened.dispose()


@pytest.mark.server_only
def test_what_is_opened_for_reading_writes_nothing(place: Place) -> None:
    """The server itself refuses."""
    with place.open(read_only=True) as ledger, pytest.raises(StorageFailed, match="takes no writes"):
        ledger.append([opt_out()], actor="test")
    with (
        place.lookup() as lookup,
        pytest.raises(Exception, match="takes no writes"),
        lookup._reader.reading(),
    ):
        lookup._reader.ask("DELETE FROM payload")


@pytest.mark.server_only
def test_a_connection_that_is_cut_is_said_and_the_next_command_goes_on(place: Place) -> None:
    """Whether the step was kept is unknown; repeating it records nothing twice."""
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with place.open() as ledger, closing(backends.connection_to(place.url)) as other:
        ledger.append([opt_out()], actor="test")
        other.execute(f"SELECT pg_terminate_backend(pid) {others}".encode())
        with pytest.raises(StorageFailed, match="lost"):
            ledger.append([opt_out(facts=("2",))], actor="test")

        assert [3] == [each.seq for each in ledger.append([opt_out(facts=("2",))], actor="test")]


@pytest.mark.server_only
def test_text_that_the_server_cannot_keep_is_refused_whole(place: Place) -> None:
    """A NUL in the name of a source: nothing of the append is there afterwards."""
    with place.open() as ledger:
        with pytest.raises(BadUsage, match="NUL"):
            ledger.append([opt_out("kim@example.com"), opt_out(source="a\x00b")], actor="test")

        assert 1 == ledger.head().size


@pytest.mark.parametrize(
    ("code", "error"),
    [("40001", "LedgerLocked"), ("53100", "StorageFailed"), ("58030", "StorageFailed"),
     ("53300", "StorageFailed"), ("57014", "StorageFailed"), ("42P01", "LedgerDamaged"),
     ("23505", "LedgerDamaged"), ("XX001", "LedgerDamaged"), ("42601", "StorageFailed"),
     ("42704", "BadUsage")],
)  # fmt: skip
def test_each_state_has_its_error(code: str, error: str) -> None:
    """By SQLSTATE; what the server says of values is left out."""
    from psycopg.errors import lookup

    place = place_of("postgresql://h/d")
    assert isinstance(place, Server)
    found = meaning(lookup(code)(f"value {SECRET}"), place)

    assert error == type(found).__name__
    assert SECRET not in found.message


@pytest.mark.server_only
def test_doctor_is_told_what_the_server_lets_happen(place: Place) -> None:
    """Of the tests' own server: no fsync, and a user who may do anything."""
    found = dict(precautions.doubts(place.url))

    assert any("fsync = off" in doubt for doubt in found)
    assert any("may change entries" in doubt for doubt in found)
    assert [] == precautions.doubts("sqlite:///suppress.db")
