"""Every spelling of a person reaches a destination; one that is missing there is a failure of the person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from suppress.core.address import Address
from suppress.core.entry import Disclosed, Honoured
from suppress.core.suppression import Drift
from suppress.errors import DestinationFailed
from suppress.ledger import Ledger, Listed
from suppress.platforms.csv_file import CsvFile
from suppress.plugin.contract import Observation, Planned, Remote, Snapshot, Unit
from suppress.plugin.tally import Tally
from tests.conftest import Command
from tests.ledgers import ledger_with, opt_out, told
from tests.plugin.memory import BATCH, JOBS, RECORD, SNAPSHOT, Memory, Server
from tests.test_export import MEMORY, START, Spy, aged, bodies, emails, run, to_file

STRASSE = ("Straße@example.com", "strasse@example.com", "ＳＴＲＡＳＳＥ@example.com")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Two people, one of them with three spellings."""
    url = ledger_with(tmp_path, aged("a", 0), *(opt_out(each, occurred_at=START) for each in STRASSE))
    with Ledger.open(url) as opened:
        yield opened


def test_a_file_has_a_row_for_each_spelling_and_counts_people(ledger: Ledger, tmp_path: Path) -> None:
    """Rows of one person stand together, the first recorded first."""
    result = to_file(ledger, tmp_path / "list.csv")

    assert ["a@example.com", *STRASSE] == emails(tmp_path / "list.csv")
    assert (2, 4, {"suppressed": 2}, True) == (
        result.count,
        result.addresses,
        result.outcomes,
        result.verified,
    )
    assert {2} == {each.count for each in bodies(ledger, Disclosed, Honoured)}


@pytest.mark.parametrize(
    "capabilities", [BATCH, RECORD, JOBS, SNAPSHOT], ids=["batch", "record", "job", "snapshot"]
)
def test_every_destination_is_handed_each_spelling(ledger: Ledger, capabilities: Any) -> None:
    """In batches of its own size; the counts are of people."""
    server = Server()
    planned = run(ledger, Memory(server, capabilities), dry_run=True)
    result = run(ledger, Memory(server, capabilities))

    assert {"a@example.com", *STRASSE} == set(server.suppressed.values())
    assert (2, 4, {"suppress": 2}) == (planned.count, planned.addresses, planned.outcomes)
    assert (2, 4, {"suppressed": 2}) == (result.count, result.addresses, result.outcomes)
    assert capabilities.max_batch is None or max(map(len, server.received)) <= capabilities.max_batch


@pytest.mark.parametrize("spelling", STRASSE)
def test_one_spelling_that_is_refused_is_a_failure_of_the_person(ledger: Ledger, spelling: str) -> None:
    """They may still be mailed under it; the next run tells them again, and nobody else."""
    server = Server(rejects={spelling})
    refused = run(ledger, Memory(server))
    server.rejects.clear()
    server.received.clear()
    mended = run(ledger, Memory(server))

    assert ({"rejected_permanent": 1, "suppressed": 1}, 3) == (refused.outcomes, len(refused.failed))
    assert isinstance(refused.failure, DestinationFailed)
    assert set(STRASSE) == {address for batch in server.received for address in batch}
    assert (None, ()) == (mended.failure, mended.failed)


@pytest.mark.parametrize("capabilities", [BATCH, SNAPSHOT], ids=["batch", "snapshot"])
def test_one_spelling_that_does_not_read_back_is_a_failure_of_the_person(
    ledger: Ledger, capabilities: Any
) -> None:
    """Accepted is not suppressed."""

    class Forgetful(Memory):
        def read_back(self, addresses: Any) -> Iterator[Observation]:
            for each in super().read_back(addresses):
                yield replace(each, state=Remote.MAILABLE) if each.address == STRASSE[1] else each

    if capabilities.unit is Unit.SNAPSHOT:
        with pytest.raises(DestinationFailed, match="took 2 people and does not show all of them"):
            run(ledger, Forgetful(Server(), capabilities))
    else:
        result = run(ledger, Forgetful(Server(), capabilities))

        assert (False, 3) == (result.verified, len(result.failed))
        assert "1 of 2 people" in str(result.failure)


def test_a_row_taken_out_of_a_file_is_missed_although_another_spelling_is_there(
    ledger: Ledger, tmp_path: Path
) -> None:
    """A file with the person under another spelling suppresses nobody in an importer that compares bytes."""

    class Losing(CsvFile):
        def push(self, entries: Any, position: Any) -> Any:
            kept = [each for each in entries if each.address != STRASSE[2]]
            (snapshot,) = super().push(kept, position)
            assert isinstance(snapshot, Snapshot)
            yield replace(snapshot, rows=4)

    settings = replace(MEMORY, options={"path": str(tmp_path / "list.csv")})
    with pytest.raises(DestinationFailed, match="does not show all of them"):
        run(ledger, Losing(settings), settings)


def test_a_spelling_that_comes_up_later_is_told_and_nobody_else(ledger: Ledger) -> None:
    """Whether an opt-out brings it, with new facts or old ones, or a drift."""
    server = Server()
    run(ledger, Memory(server))
    server.received.clear()
    told(ledger, opt_out("sTRAẞE@example.com", occurred_at=START))
    run(ledger, Memory(server))
    run(ledger, Memory(server))

    assert {*STRASSE, "sTRAẞE@example.com"} == {each for batch in server.received for each in batch}
    server.received.clear()
    ledger.append([Drift(Address.parse("ａ@example.com"), "main", "explicit")], actor="test")
    run(ledger, Memory(server))
    ledger.append([Drift(Address.parse("a@example.com"), "main", "explicit")], actor="test")
    run(ledger, Memory(server))

    assert [["a@example.com", "ａ@example.com"]] == server.received


def test_a_part_that_was_told_before_a_spelling_came_up_is_told_again(ledger: Ledger) -> None:
    """A killed run's receipt is of the people as they were spelled then."""
    server = Server()
    dying = Memory(server)
    with pytest.raises(ZeroDivisionError):
        run(ledger, dying, progress=lambda done, total: 1 / 0)
    assert 1 == len(bodies(ledger, Honoured))
    told(ledger, opt_out("ａ@example.com", occurred_at=START))
    run(ledger, Memory(server))

    assert "ａ@example.com" in server.suppressed.values()


def test_two_subjects_with_one_address_are_told_with_the_spellings_of_both(
    ledger: Ledger, tmp_path: Path
) -> None:
    """As it can be after a change of the index key; news of either is news of both."""

    def doubled(**options: Any) -> Iterator[Listed]:
        for each in ledger.suppressed(**options):
            spellings = each.addresses
            yield replace(each, addresses=spellings[:1], subject=f"another {each.key}", heard=0)
            yield replace(each, addresses=spellings)

    server = Server()
    spy: Any = Spy(ledger, suppressed=doubled)
    result = to_file(spy, tmp_path / "list.csv")
    run(spy, Memory(server))
    server.received.clear()
    told(ledger, opt_out("strasse@example.com", occurred_at=START + timedelta(days=9)))
    run(spy, Memory(server))

    assert ["a@example.com", *STRASSE] == emails(tmp_path / "list.csv")
    assert (2, 4) == (result.count, result.addresses)
    assert set(STRASSE) == {address for batch in server.received for address in batch}


def test_calls_for_one_person_have_idempotency_keys_of_their_own(ledger: Ledger) -> None:
    """A vendor would take the second spelling for a repetition of the first and drop it."""
    seen: list[tuple[int, str]] = []

    class Noting(Memory):
        def push(self, entries: Any, position: Any) -> Any:
            kept = list(entries)
            seen.extend((each.seq, each.idempotency_key) for each in kept)
            return super().push(kept, position)

    run(ledger, Noting(Server()))

    assert (2, 4) == (len({seq for seq, _ in seen}), len({key for _, key in seen}))


@pytest.mark.parametrize(
    "plans",
    [[], ["a@example.com"] * 2, ["stranger@example.com"]],
    ids=["nothing", "twice", "somebody else"],
)
def test_a_plan_that_is_not_about_each_entry_is_refused(ledger: Ledger, plans: list[str]) -> None:
    """What a dry run says is the basis of a decision."""

    class Planning(Memory):
        def plan(self, entries: Any) -> Iterator[Planned]:
            first = next(iter(super().plan(entries)))
            yield from (replace(first, address=each) for each in plans)

    with pytest.raises(DestinationFailed, match="planned for"):
        run(ledger, Planning(Server()), dry_run=True)


def test_a_tally_of_nobody_adds_up() -> None:
    """An empty ledger is no failure."""
    assert {} == Tally("memory", Unit.BATCH).close()


def test_the_command_tells_people_from_addresses(command: Command) -> None:
    """In JSON always, on a screen where they differ."""
    ledger_with(command.folder, *STRASSE)
    machine = command("export", "csv", "-o", "list.csv", "--json").json()
    person = command("export", "csv", "-o", "list.csv")

    assert (1, 3, {"suppressed": 1}) == (machine["count"], machine["addresses"], machine["outcomes"])
    assert "3: each spelling on record was handed over" in person.out
