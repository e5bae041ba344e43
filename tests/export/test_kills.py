"""Export under SIGKILL: a run that is killed anywhere is gone on with, and at the end everyone was told."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from suppress.core.entry import Disclosed, Honoured
from suppress.ledger import Ledger
from suppress.plugin.loopback import Loopback
from tests import backends
from tests.conftest import SCRIPT
from tests.export.deny_list import BATCH, Server, installed
from tests.ledgers import ledger_with, opt_out

pytestmark = pytest.mark.both_back_ends

PEOPLE = 2_350
PART = 1_000
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


@dataclass(slots=True)
class Place:
    """A ledger with a crowd, a deny list, and the command in a process that can be killed."""

    folder: Path
    server: Server
    url: str
    mode: str

    def run(self, kill_at: int | None = None, *, after: bool = False) -> int:
        """Export once; the request of that number, counted from 1 in this run, kills the process.

        Either before it takes effect, or `after`, when only the answer is lost.
        """
        env = {key: value for key, value in os.environ.items() if not key.startswith("SUPPRESS_")}
        env |= {
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "none"),
            "PYTHONPATH": f"{self.folder / 'site'}{os.pathsep}{Path(__file__).parents[2]}",
            "SUPPRESS_STATE": str(self.folder / "state"),
            "SUPPRESS_LEDGER": backends.url_in(self.folder),
            "SUPPRESS_DESTINATIONS__DENY__PLATFORM": "deny-list",
            "SUPPRESS_DESTINATIONS__DENY__API_URL": self.url,
            "SUPPRESS_DESTINATIONS__DENY__MODE": self.mode,
        }
        self.server.requests = 0
        process = subprocess.Popen(
            [SCRIPT, "export", "deny"],
            cwd=self.folder,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

        def kill(number: int) -> None:
            if number == kill_at:
                process.kill()

        self.server.before, self.server.after = (lambda _: None, kill) if after else (kill, lambda _: None)
        _, err = process.communicate(timeout=120)
        assert process.returncode in (0, -signal.SIGKILL), err.decode()
        return process.returncode

    def receipts(self) -> list[Honoured]:
        with Ledger.open(backends.url_in(self.folder), keys=self.folder / "suppress.keys") as ledger:
            return [entry.body for entry in ledger.entries() if isinstance(entry.body, Honoured)]


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    people = (
        opt_out(f"p{number}@example.com", occurred_at=START + timedelta(minutes=number))
        for number in range(PEOPLE)
    )
    ledger_with(tmp_path, *people)
    installed(tmp_path / "site")
    server = Server()
    with Loopback(server) as loopback:
        yield Place(tmp_path, server, loopback.url, request.param)


@pytest.mark.parametrize("place", ["batch"], indirect=True)
def test_kills_anywhere_lose_nobody_and_repeat_at_most_the_part_under_way(place: Place) -> None:
    """Newest first; before a write, after it, while reading back, and once per part; then to the end.

    A part of 1,000 is ten writes and ten questions, and parts with a receipt are never sent again.
    """
    kills = [(1, False), (4, True), (12, False), (25, True), (9, True)]
    for number, after in kills:
        assert -signal.SIGKILL == place.run(number, after=after)
    assert 0 == place.run()
    size_at_the_end = len(place.server.sent)
    assert 0 == place.run()

    assert PEOPLE == len(place.server.denied)
    assert size_at_the_end == len(place.server.sent), "who was told is not told again"
    firsts = [batch[0] for batch in place.server.sent]
    assert f"p{PEOPLE - 1}@example.com" == firsts[0], "newest first"
    times = Counter(address for batch in place.server.sent for address in batch)
    assert max(times.values()) <= 1 + len(kills)
    writes = -(-PEOPLE // BATCH)
    assert len(place.server.sent) <= writes + len(kills) * (PART // BATCH)
    last = place.receipts()[-2]
    assert (PEOPLE, PEOPLE, PEOPLE, ()) == (last.sent, last.accepted, last.confirmed, last.failed)


@pytest.mark.parametrize("place", ["job"], indirect=True)
def test_a_killed_run_asks_for_its_jobs_in_place_of_sending_again(place: Place) -> None:
    """Job by job: what the destination took before the kill is never sent twice.

    The job of the request during which the kill came is the one that may be: its answer was lost.
    """
    assert -signal.SIGKILL == place.run(5, after=True)
    before = Counter(address for batch in place.server.sent for address in batch)
    assert -signal.SIGKILL == place.run(12, after=True)
    assert 0 == place.run()
    times = Counter(address for batch in place.server.sent for address in batch)

    assert PEOPLE == len(place.server.denied)
    assert 5 * BATCH - (PART - PEOPLE % PART) % BATCH >= len(before) > 3 * BATCH
    assert {"1", "2"} <= set(place.server.polls)
    assert sum(count - 1 for count in times.values()) <= 2 * BATCH
    assert 2 == max(times.values())


@pytest.mark.parametrize("place", ["batch"], indirect=True)
def test_what_is_disclosed_is_on_record_before_it_leaves(place: Place) -> None:
    """Also of a run that was killed at its first request: to whom, why, on what basis, how many."""
    place.run(1)
    with Ledger.open(backends.url_in(place.folder), keys=place.folder / "suppress.keys") as ledger:
        disclosed = [entry.body for entry in ledger.entries() if isinstance(entry.body, Disclosed)]

    assert [PEOPLE % PART] == [each.count for each in disclosed]
    assert {"deny"} == {each.recipient for each in disclosed}
    assert all(each.basis for each in disclosed)
