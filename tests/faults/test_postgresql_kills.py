"""Writers on a server that are killed, cut off, held up, and many at once: nothing is lost or doubled."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from suppress.audit import verify
from suppress.core.address import Address
from suppress.core.entry import SyncDone
from suppress.core.merkle import Frontier, leaf_hash
from tests import backends
from tests.conftest import SCRIPT, Command
from tests.faults.test_kills import ROOT, acknowledged, kept, wait, writer
from tests.ledger.making import Place

pytestmark = [pytest.mark.server_only, pytest.mark.timeout(2 * 3600)]

Connection = psycopg.Connection[tuple[Any, ...]]
OURS = "datname = current_database() AND application_name = 'suppress'"


@pytest.fixture
def other(place: Place) -> Iterator[Connection]:
    """Somebody else who is connected to the ledger's database."""
    with closing(backends.connection_to(place.url)) as connection:
        yield connection


@pytest.fixture
def holder(place: Place) -> Iterator[Connection]:
    """Another transaction, which holds the head. Not for looking at what goes on: that would stand still."""
    with closing(backends.connection_to(place.url)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM head FOR UPDATE")
        yield connection


def add(place: Place, address: str) -> subprocess.Popen[str]:
    """The installed command at work."""
    outside = {key: value for key, value in os.environ.items() if not key.startswith("SUPPRESS_")}
    return subprocess.Popen(
        [SCRIPT, "add", address, "--received", "2026-11-02"],
        cwd=place.folder,
        env=outside | {"SUPPRESS_LEDGER": place.url, "HOME": str(place.folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(other: Connection, question: str) -> None:
    """Ask until something is found."""
    deadline = time.monotonic() + 60
    while not other.execute(question.encode()).fetchone():
        assert time.monotonic() < deadline, question


def entries_about(place: Place, address: str) -> int:
    with place.open(read_only=True) as ledger:
        return len(ledger.history(Address.parse(address)))


def test_a_killed_writer_loses_nothing_on_a_server(place: Place, rounds: Callable[[int], int]) -> None:
    """Every acknowledged batch is there, whole, and at most one more; repeating records nothing twice."""
    chance = random.Random(20261123)
    more = 0
    for number in range(rounds(4)):
        process = writer(place, f"w{number}", batches=10_000)
        assert process.stdout is not None
        told = 1 if process.stdout.readline() else 0
        wait(chance.uniform(0, 0.12))
        process.send_signal(signal.SIGKILL)
        told += acknowledged(process)

        assert process.wait() == -signal.SIGKILL
        assert verify(place.url, keys=place.keys).first_bad is None
        found = kept(place, f"w{number}")
        assert told <= len(found) <= told + 1, (number, told, len(found))
        more += len(found) - told
    print(f"\n{rounds(4)} killed writers, 0 acknowledged batches lost, {more} kept that nobody was told of")


def test_a_killed_command_loses_nothing_on_a_server(
    place: Place, other: Connection, command: Command, rounds: Callable[[int], int]
) -> None:
    """From its connection on, `suppress add` dies at a random moment; repeating it makes it whole."""
    chance = random.Random(7)
    told = unacknowledged = 0
    for number in range(rounds(3)):
        address = f"pat{number}@example.com"
        process = add(place, address)
        until(other, f"SELECT 1 FROM pg_stat_activity WHERE {OURS}")
        wait(chance.uniform(0, 0.2))
        process.kill()
        process.communicate()
        until(other, f"SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE {OURS})")

        found = entries_about(place, address)
        assert found in (0, 2), "the person and the request are one step"
        if process.returncode == 0:
            told += 1
            assert found == 2
        unacknowledged += process.returncode != 0 and found == 2
        assert verify(place.url, keys=place.keys).first_bad is None
        assert command("add", address, "--received", "2026-11-02").exit_code == 0
        assert 2 == entries_about(place, address)
    print(f"\n{rounds(3)} commands: {told} ended before the kill, {unacknowledged} kept and not acknowledged")


def test_a_command_that_is_cut_off_says_so_once_and_can_be_repeated(
    place: Place, other: Connection, holder: Connection, command: Command
) -> None:
    """Its backend is terminated while it waits for the head: nothing is kept, one line, exit 70, no hang."""
    process = add(place, "pat@example.com")
    waits = f"{OURS} AND wait_event_type = 'Lock'"
    until(other, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {waits}")
    said = process.communicate(timeout=120)
    holder.execute("ROLLBACK")

    assert (process.returncode, said[0]) == (70, "")
    assert "was lost" in said[1]
    assert "nothing is recorded twice" in said[1]
    assert 2 == len(said[1].strip().splitlines())
    assert 0 == entries_about(place, "pat@example.com")
    assert command("add", "pat@example.com", "--received", "2026-11-02").exit_code == 0
    assert 2 == entries_about(place, "pat@example.com")


def test_a_command_that_is_held_up_ends_with_its_own_exit_code(
    place: Place, holder: Connection, command: Command
) -> None:
    """Another transaction keeps the head: exit 11 and one line; whoever only looks up is not held up."""
    held = command("add", "pat@example.com", "--received", "2026-11-02")
    looked = command("show", "pat@example.com")
    holder.execute("ROLLBACK")

    assert (held.exit_code, held.out) == (11, "")
    assert "another process holds the ledger" in held.err
    assert 2 == len(held.err.strip().splitlines())
    assert "Traceback" not in looked.err
    assert looked.exit_code in (0, 1)
    assert verify(place.url, keys=place.keys).first_bad is None
    assert 0 == entries_about(place, "pat@example.com")


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
def test_a_crowd_of_writers_makes_one_ledger_at_any_isolation(
    place: Place, level: str, request: pytest.FixtureRequest
) -> None:
    """Rows = acknowledged, no gap, and each size had one root, which is that of the entries."""
    writers, batches = ("16", "100") if request.config.getoption("--faults-long") else ("4", "3")
    name = place.url.partition("?")[0].rpartition("/")[2]
    backends.administer(f"ALTER DATABASE \"{name}\" SET default_transaction_isolation = '{level}'")
    arguments = [place.url, str(place.keys), writers, batches]
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.crowd", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    told = {f"{who}-{number}" for who, number, _, _ in lines}
    assert int(writers) * int(batches) == len(lines) == len(told)
    with place.open(read_only=True) as ledger:
        entries = list(ledger.entries())
    assert list(range(len(entries))) == [entry.seq for entry in entries]
    assert sorted(told) == sorted(entry.id for entry in entries if isinstance(entry.body, SyncDone))
    roots = _roots(place)
    assert {(size, root) for _, _, size, root in lines} <= {(str(size), root) for size, root in roots.items()}
    assert verify(place.url, keys=place.keys).first_bad is None
    print(f"\n{level}: {writers} writers, {len(told)} batches acknowledged and kept, {len(entries)} entries")


def _roots(place: Place) -> dict[int, str]:
    """The root at each size, from the leaves."""
    tree, found = Frontier(), {}
    with place.raw() as hand:
        for (leaf,) in hand.execute("SELECT leaf FROM ledger ORDER BY seq"):
            tree.push(leaf_hash(bytes(leaf)))
            found[tree.size] = tree.root().hex()
    return found
