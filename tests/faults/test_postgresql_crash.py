"""A server that is killed, stopped, and searched for what an erasure left: on a server of the harness's own.

It is set to `synchronous_commit = off`, as somebody in want of speed sets it, and writes its log out rarely,
so that whatever does not ask for more is lost when it is killed.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from suppress.audit import verify
from suppress.core.address import Address
from suppress.core.entry import SyncDone
from suppress.ledger import Ledger
from tests import backends
from tests.conftest import Command
from tests.faults.own_server import OwnServer, own_server
from tests.faults.test_flips import COLUMNS
from tests.faults.test_kills import ROOT, SIZE, acknowledged, kept, wait, writer
from tests.ledger.making import Place, opt_out

pytestmark = [pytest.mark.server_only, pytest.mark.timeout(3600)]

CARELESS = ("synchronous_commit = off", "wal_writer_delay = '10s'", "autovacuum = off")
WITHOUT_OURS = (
    "import sys; from suppress.ledger import engine; from tests.faults.writer import main\n"
    "engine._WRITER = 'SELECT 1'\n"
    "main(*sys.argv[1:])"
)
"""The writer, with what an append sets for itself taken away."""


@pytest.fixture(scope="module")
def careless() -> Iterator[OwnServer]:
    """The server."""
    with own_server() as server:
        with closing(backends.connection_to(server.url)) as connection:
            for setting in CARELESS:
                connection.execute(f"ALTER SYSTEM SET {setting}".encode())
            connection.execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture
def place(tmp_path: Path, careless: OwnServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A new ledger on it."""
    monkeypatch.setattr(backends, "server_url", lambda: careless.url)
    made = Place(tmp_path)
    assert Ledger.create(made.url, keys=made.keys)
    yield made
    backends.drop_all()


def test_a_killed_server_loses_nothing_acknowledged(
    place: Place, careless: OwnServer, rounds: Callable[[int], int]
) -> None:
    """Every acknowledged batch is there after recovery, whole, and at most one more; the ledger goes on."""
    chance = random.Random(20261123)
    more = 0
    for number in range(rounds(2)):
        process = writer(place, f"c{number}", batches=10_000)
        told = _killed_at_work(careless, process, chance)

        assert verify(place.url, keys=place.keys).first_bad is None
        found = kept(place, f"c{number}")
        assert told <= len(found) <= told + 1, (number, told, len(found))
        more += len(found) - told
    print(f"\n{rounds(2)} killed servers, 0 acknowledged batches lost, {more} kept that nobody was told of")


@pytest.mark.long
def test_without_our_setting_a_killed_server_loses_what_was_acknowledged(
    place: Place, careless: OwnServer
) -> None:
    """So the harness would see a loss."""
    chance = random.Random(7)
    lossy = 0
    for number in range(15):
        arguments = [place.url, str(place.keys), f"x{number}", "10000", str(SIZE)]
        process = subprocess.Popen(
            [sys.executable, "-c", WITHOUT_OURS, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        told = _killed_at_work(careless, process, chance)
        with place.open(read_only=True) as ledger:
            runs = [
                e for e in ledger.entries() if isinstance(e.body, SyncDone) and e.body.source == f"x{number}"
            ]
        lossy += len(runs) < told
        (place.keys / "highwater").unlink(missing_ok=True)  # it notices, and would refuse to go on
    print(f"\nwithout SET LOCAL {lossy} of 15 killed servers lost acknowledged batches")
    assert lossy


def _killed_at_work(server: OwnServer, process: subprocess.Popen[str], chance: random.Random) -> int:
    """Kill the server while somebody writes; how many batches they were told are kept."""
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first, "the writer did not begin"
    wait(chance.uniform(0, 0.4))
    server.crash()
    told = 1 + acknowledged(process)
    assert process.wait() == 1, "it was told that the connection is lost"
    server.start()
    return told


def test_a_stopped_server_is_one_line_and_the_same_command_goes_on(
    place: Place, careless: OwnServer, command: Command
) -> None:
    """For who writes and for who reads; nothing is half-written."""
    careless.stop()
    lines = [command(*line) for line in (("add", "pat@example.com", "--received", "2026-11-02"), ("verify",))]
    careless.start()

    for done in lines:
        assert (done.exit_code, done.out) == (70, "")
        assert "cannot be used" in done.err
        assert 2 == len(done.err.strip().splitlines())
    assert command("add", "pat@example.com", "--received", "2026-11-02").exit_code == 0
    with place.open(read_only=True) as ledger:
        assert 2 == len(ledger.history(Address.parse("pat@example.com")))


# --- What an erasure leaves -------------------------------------------------------------------------------

MARK = "qqzerasedzqq"
LEFT = "qqzneighbourzqq"


def _files_with(folder: Path, word: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and word.encode() in path.read_bytes()]


def _rows_with(place: Place, word: str) -> list[str]:
    """The tables, and the server's own statistics, that hold a word."""
    hexed = word.encode().hex()
    with closing(backends.connection_to(place.url)) as connection:
        return [
            table
            for table in (*COLUMNS, "pg_statistic")
            if connection.execute(
                f"SELECT 1 FROM {table} AS t WHERE t::text LIKE %s OR t::text LIKE %s LIMIT 1".encode(),
                (f"%{word}%", f"%{hexed}%"),
            ).fetchone()
        ]


def test_of_the_erased_no_row_is_left_and_after_the_owners_vacuum_no_byte(
    place: Place, careless: OwnServer, command: Command
) -> None:
    """What docs/how-to/use-postgresql.md promises of tables, and of the log."""
    evidence = {"note": "stop", "from": f"{MARK}@example.com"}
    for number in range(40):
        place.record(opt_out(f"{LEFT}{number}@example.com"))
    place.record(opt_out(f"{MARK}@example.com", evidence=evidence))
    assert _rows_with(place, MARK) == ["payload"]
    backends.run(place.url, "ANALYZE")

    done = command("erase", f"{MARK}@example.com", "--basis", "Art. 17 GDPR", "--yes")
    assert done.exit_code == 0, done.err
    assert "VACUUM (FULL, ANALYZE) payload, alias, subject" in done.out + done.err
    assert _rows_with(place, MARK) == []
    assert _rows_with(place, LEFT) == ["payload"]

    backends.run(place.url, "CHECKPOINT")
    assert _files_with(careless.folder / "base", MARK), "the search would not find it"
    backends.run(place.url, "VACUUM (FULL, ANALYZE) payload, alias, subject", "CHECKPOINT")
    assert [] == _files_with(careless.folder / "base", MARK)
    assert _files_with(careless.folder / "base", LEFT)
    assert _files_with(careless.folder / "pg_wal", MARK)
    backends.run(place.url, "ALTER SYSTEM SET wal_recycle = off", "SELECT pg_reload_conf()")
    backends.run(place.url, *("SELECT pg_switch_wal()", "CHECKPOINT") * 2)
    assert [] == _files_with(careless.folder, MARK)
    assert verify(place.url, keys=place.keys).first_bad is None
