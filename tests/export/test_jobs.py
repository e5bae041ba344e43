"""Jobs that outlast a run: the next one asks for them, and sends again only whom the destination lacks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from suppress.config import Settings
from suppress.core.address import Address
from suppress.core.entry import Honoured
from suppress.core.suppression import Consent
from suppress.errors import DestinationFailed, StorageFailed, SuppressError
from suppress.export import run as run_module
from suppress.export import telling
from suppress.export.jobs import Jobs
from suppress.ledger import Ledger
from suppress.patrol import patrol
from suppress.patrol.judging import Finding
from suppress.plugin.contract import Job, Outcome, Pushed
from suppress.plugin.errors import AuthFailed, Throttled, Transient
from suppress.status import status
from tests.ledgers import ledger_with, opt_out, told
from tests.plugin.memory import JOBS, Ended, Memory, Server
from tests.test_export import MEMORY, START, aged, bodies, run

pytestmark = pytest.mark.both_back_ends

WRITE_ONLY_JOBS = replace(JOBS, can_read_many=False, can_list_all=False)
NEVER = frozenset({"never ends"})


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Six people; two fill a job."""
    url = ledger_with(tmp_path, *(aged(name, day) for day, name in enumerate("abcdef")))
    with Ledger.open(url, keys=tmp_path / "suppress.keys") as opened:
        yield opened


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def names(server: Server) -> list[str]:
    return ["".join(address[0] for address in batch) for batch in server.received]


def test_the_next_run_asks_for_the_jobs_in_place_of_sending_again(ledger: Ledger, state: Path) -> None:
    """They have ended meanwhile: nothing is sent, everyone is confirmed, and the file is empty."""
    server = Server()
    stuck = run(ledger, Memory(server, JOBS, NEVER), state=state)
    done = run(ledger, Memory(server, JOBS), state=state)

    assert (6, 6, 0, 0) == (stuck.pending, stuck.sent, stuck.accepted, stuck.confirmed)
    assert stuck.failure is not None
    assert "of 6 of whom it still works" in stuck.failure.message
    assert ["fe", "dc", "ba"] == names(server)
    assert (None, 6, 6, 6) == (done.failure, len(server.suppressed), done.accepted, done.confirmed)
    assert {} == kept(state)["pushes"]


def test_a_job_may_outlast_several_runs(ledger: Ledger, state: Path) -> None:
    """It is asked for in each, and sent in none but the first."""
    server = Server()
    stuck = [run(ledger, Memory(server, JOBS, NEVER), state=state).pending for _ in range(3)]
    done = run(ledger, Memory(server, JOBS), state=state)

    assert ([6, 6, 6], ["fe", "dc", "ba"]) == (stuck, names(server))
    assert (None, 6) == (done.failure, done.confirmed)


def test_those_who_came_since_are_sent_and_the_others_asked_for(ledger: Ledger, state: Path) -> None:
    """One new person, and one of the others asked again: two are sent, four waited for."""
    server = Server()
    run(ledger, Memory(server, JOBS, NEVER), state=state)
    told(ledger, aged("g", 20), aged("a", 30))
    done = run(ledger, Memory(server, JOBS), state=state)

    assert ["fe", "dc", "ba", "ag"] == names(server)
    assert (None, 7, 7) == (done.failure, len(server.suppressed), done.confirmed)


def test_a_patrol_calls_them_pending_until_the_job_has_ended(ledger: Ledger, state: Path) -> None:
    """They are excepted from the receipt; to call them never told would be wrong."""
    server = Server()
    run(ledger, Memory(server, JOBS, NEVER), state=state)
    told(ledger, aged("g", 30))
    early = _patrolled(ledger, Memory(server, JOBS, NEVER), state)
    elsewhere = _patrolled(ledger, Memory(server, JOBS, NEVER), state / "another")
    run(ledger, Memory(server, JOBS), state=state)
    late = _patrolled(ledger, Memory(server, JOBS), state)

    assert {Finding.PENDING: 6, Finding.NOT_TOLD: 1} == early
    assert {Finding.NOT_TOLD: 7} == elsewhere
    assert {Finding.HELD: 7} == late


def test_a_person_who_consented_since_is_no_longer_waited_for(ledger: Ledger, state: Path) -> None:
    """What the job says of them is nobody's any more; and nothing is sent about them."""
    server = Server()
    run(ledger, Memory(server, JOBS, NEVER), state=state)
    ledger.append([Consent(Address.parse("c@example.com"), "x", START + timedelta(days=60))], actor="test")
    done = run(ledger, Memory(server, JOBS), state=state)

    assert (None, 5, 5) == (done.failure, done.count, done.confirmed)
    assert ["fe", "dc", "ba"] == names(server)


def test_the_status_shows_them_as_not_told_until_they_are_seen(
    ledger: Ledger, state: Path, tmp_path: Path
) -> None:
    """Accepted is not honoured: their requests stay open, and so alarm before their deadline."""
    server = Server()
    run(ledger, Memory(server, JOBS), state=state)
    told(ledger, *(opt_out(f"{name}@example.com", received_at=datetime.now(UTC)) for name in "ghi"))
    seen = []
    for faults in (NEVER, frozenset[str]()):
        run(ledger, Memory(server, JOBS, faults), state=state)
        found = status(ledger, Settings(keys=tmp_path / "suppress.keys", state=state), now=datetime.now(UTC))
        (there,) = found.destinations
        seen.append((there.untold, found.waiting.open + found.waiting.at_risk + found.waiting.overdue))

    assert [(3, 3), (0, 0)] == seen


@pytest.mark.parametrize("damage", ["lost", "empty", "no object", "another", "of another shape"])
def test_losing_the_file_costs_a_repeat_and_nothing_else(ledger: Ledger, state: Path, damage: str) -> None:
    """Gone, cut short by a full disk, or not ours: everyone is told again, which changes nothing."""
    server = Server()
    run(ledger, Memory(server, JOBS, NEVER), state=state)
    (file,) = (state / "exports").iterdir()
    contents = {
        "empty": "",
        "no object": "[]",
        "another": json.dumps({**kept(state), "settings": "others"}),
        "of another shape": json.dumps({**kept(state), "pushes": {"x": {"jobs": 7, "people": {}}}}),
    }
    if damage == "lost":
        file.unlink()
    else:
        file.write_text(contents[damage])
    done = run(ledger, Memory(server, JOBS), state=state)

    assert ["fe", "dc", "ba"] * 2 == names(server)
    assert (None, 6) == (done.failure, done.confirmed)


def test_the_file_names_nobody_and_is_its_owners(ledger: Ledger, state: Path) -> None:
    """Tokens, digests of random ids, and outcomes."""
    run(ledger, Memory(Server(), JOBS, NEVER), state=state)
    (file,) = (state / "exports").iterdir()

    assert "@" not in file.read_text()
    assert "example" not in file.read_text()
    assert (0o600, 0o700) == (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777)
    assert 6 == sum(len(push["people"]) for push in kept(state)["pushes"].values())


def test_without_a_folder_a_stuck_job_is_told_again(ledger: Ledger) -> None:
    """As a program that has none does."""
    server = Server()
    run(ledger, Memory(server, JOBS, NEVER))
    done = run(ledger, Memory(server, JOBS))

    assert (["fe", "dc", "ba"] * 2, None) == (names(server), done.failure)


class Vanished(Memory):
    """The jobs of the first run are gone: failed, or too old to be asked for."""

    gone: Exception = DestinationFailed("there is no such job")

    def poll(self, job: Job) -> Iterator[Pushed]:
        if job.token in ("0", "1", "2"):
            raise self.gone
        yield from super().poll(job)


def test_a_job_that_is_gone_is_looked_for_and_only_the_missing_are_sent_again(
    ledger: Ledger, state: Path
) -> None:
    """Two of them had taken effect: the destination shows them, so nobody sends them twice."""
    server = Server()
    run(ledger, Memory(server, JOBS, NEVER), state=state)
    server.suppressed |= {f"{name}@example.com": f"{name}@example.com" for name in "ed"}
    done = run(ledger, Vanished(server, JOBS), state=state)

    assert ["fe", "dc", "ba", "fc", "ba"] == names(server)
    assert (None, 6, 2) == (done.failure, done.confirmed, done.outcomes["already"])


def test_where_nothing_can_be_read_they_are_all_sent_again(ledger: Ledger, state: Path) -> None:
    """Sending twice is harmless; not sending is not."""
    server = Server()
    run(ledger, Memory(server, WRITE_ONLY_JOBS, NEVER), state=state)
    done = run(ledger, Vanished(server, WRITE_ONLY_JOBS), state=state)

    assert (["fe", "dc", "ba"] * 2, 6) == (names(server), done.accepted)


@pytest.mark.parametrize("trouble", [AuthFailed("signed out"), Transient("no answer"), Throttled("later")])
def test_trouble_that_is_not_the_jobs_does_not_lose_them(
    ledger: Ledger, state: Path, trouble: SuppressError
) -> None:
    """The run ends, and the jobs are there for the next one; a new job would meet the same."""
    server = Server()
    run(ledger, Memory(server, JOBS, NEVER), state=state)
    refused = Vanished(server, JOBS)
    refused.gone = trouble
    with pytest.raises(type(trouble)):
        run(ledger, refused, state=state)
    run(ledger, Memory(server, JOBS), state=state)

    assert (["fe", "dc", "ba"], 6) == (names(server), len(server.suppressed))


def test_a_job_of_this_run_that_is_gone_is_a_failure(ledger: Ledger, state: Path) -> None:
    """Nothing of it is taken as done."""
    with pytest.raises(DestinationFailed, match="no such job"):
        run(ledger, Vanished(Server(), JOBS), state=state)
    assert [] == bodies(ledger, Honoured)


def test_a_kill_between_push_and_answer_loses_no_job(ledger: Ledger, state: Path) -> None:
    """The third push is not reached: the two before it are asked for, the third is sent."""
    server = Server(dies_after=2)
    with pytest.raises(Ended):
        run(ledger, Memory(server, JOBS), state=state)
    server.dies_after = None
    done = run(ledger, Memory(server, JOBS), state=state)

    assert (["fe", "dc", "ba"], None, 6) == (names(server), done.failure, done.confirmed)


def test_jobs_of_several_parts_are_told_apart(
    ledger: Ledger, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts are cut otherwise in the next run, because somebody came: a job speaks to two of them."""
    monkeypatch.setattr(run_module, "PART", 2)
    server = Server()
    run(ledger, Memory(server, JOBS, NEVER), state=state)
    ledger.append([Consent(Address.parse("a@example.com"), "x", START + timedelta(days=60))], actor="test")
    told(ledger, aged("g", 20))
    done = run(ledger, Memory(server, JOBS), state=state)

    assert ["fe", "dc", "ba", "g"] == names(server)
    assert (None, 6, 6) == (done.failure, done.count, done.confirmed)


def test_patience_is_for_the_whole_run(ledger: Ledger, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue that stands still holds up one part, not each of a hundred."""
    monkeypatch.setattr(run_module, "PART", 2)
    monkeypatch.setattr(telling, "PATIENCE", 4)
    waits: list[datetime] = []
    stuck = run(ledger, Memory(Server(), JOBS, NEVER), state=state, wait=waits.append)

    assert (4, 6) == (len(waits), stuck.pending)


def test_changed_settings_are_another_destination(ledger: Ledger, state: Path) -> None:
    """Its jobs are not asked for with the credentials of another account."""
    server = Server()
    run(ledger, Memory(server, JOBS, NEVER), state=state)
    elsewhere = Server()
    done = run(ledger, Memory(elsewhere, JOBS), replace(MEMORY, options={"audience": "other"}), state=state)

    assert (["fe", "dc", "ba"], None) == (names(elsewhere), done.failure)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """Before anything else is sent."""
    (tmp_path / "exports").write_text("a file")
    jobs = Jobs.kept(tmp_path, "ledger", "memory", "settings")
    job = Job("1", "queued", datetime(2026, 11, 23, tzinfo=UTC))

    with pytest.raises(StorageFailed, match="the jobs of a destination cannot be kept"):
        jobs.keep("part", [job], {"person": (None, Outcome.SUPPRESSED)})


def kept(state: Path) -> dict[str, Any]:
    (file,) = (state / "exports").iterdir()
    found: dict[str, Any] = json.loads(file.read_bytes())
    return found


def _patrolled(ledger: Ledger, there: Memory, state: Path) -> dict[Finding, int]:
    found = patrol(ledger, there, MEMORY, state=state, now=datetime.now(UTC), actor="test").findings
    return {finding: count for finding, count in found.items() if count}
