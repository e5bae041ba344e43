"""Whom a destination is told of, what it cannot hold, and whom it holds although the ledger let them go."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from suppress.cli.console import Screen
from suppress.cli.exported import draw
from suppress.core.address import Address
from suppress.core.entry import Disclosed, DomainSuppressed, Honoured
from suppress.core.suppression import EVERYTHING, Channel, Consent, Reason, Scope
from suppress.errors import BadUsage, DestinationFailed
from suppress.export import BASIS
from suppress.export.estimate import ANSWER, JOB, estimated
from suppress.ledger import Event, Ledger
from suppress.plugin.contract import Capabilities, Intent, Kept, Reach, Suppressed
from tests.ledgers import ledger_with, opt_out, told
from tests.plugin.memory import BATCH, JOBS, RECORD, SNAPSHOT, WRITE_ONLY, Memory, Server
from tests.test_export import MEMORY, START, aged, bodies, run

pytestmark = pytest.mark.both_back_ends

RULE = DomainSuppressed(
    "ruled.example", False, Channel.EMAIL, EVERYTHING, Reason.REQUESTED, "letter", "", "2026-01-01", ""
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Three people, the last of them the newest."""
    url = ledger_with(tmp_path, *(aged(name, day) for day, name in enumerate("abc")))
    with Ledger.open(url, keys=tmp_path / "suppress.keys") as opened:
        yield opened


def consents(ledger: Ledger, *names: str, day: int = 30) -> None:
    ledger.append(
        [
            Consent(Address.parse(f"{name}@example.com"), "form", START + timedelta(days=day))
            for name in names
        ],
        actor="test",
    )


# --- Lifted people -----------------------------------------------------------------------------------------


def test_a_lifted_person_is_counted_and_nothing_is_sent_about_them(ledger: Ledger) -> None:
    """Released in the ledger, still suppressed there; neither pushed nor read back again."""
    server = Server()
    run(ledger, Memory(server))
    server.received.clear()
    consents(ledger, "a", "b")
    told(ledger, aged("d", 31))
    result = run(ledger, Memory(server))
    planned = run(ledger, Memory(server), dry_run=True)
    shown = io.StringIO()
    draw(Screen(shown), result)

    assert [["d@example.com"]] == server.received
    assert (2, 2) == (result.released, planned.released)
    assert {"a@example.com", "b@example.com"} < server.suppressed.keys(), "never taken off there"
    assert "2 people are released in the ledger, still suppressed at memory" in shown.getvalue()


def test_who_opted_out_again_is_told_again_and_no_longer_released(ledger: Ledger) -> None:
    """A new opt-out after the consent wins."""
    server = Server()
    run(ledger, Memory(server))
    consents(ledger, "a")
    assert 1 == run(ledger, Memory(server)).released
    told(ledger, aged("a", 60))
    server.received.clear()

    assert 0 == run(ledger, Memory(server)).released
    assert [["a@example.com"]] == server.received


@pytest.mark.parametrize("when", ["never told", "refused", "other settings", "a file"])
def test_who_was_never_told_there_is_not_released_there(ledger: Ledger, when: str) -> None:
    """Consented before the first export, or the destination never took them."""
    server = Server(rejects={"a@example.com"} if when == "refused" else set())
    if when != "never told":
        run(ledger, Memory(server, SNAPSHOT if when == "a file" else BATCH))
    consents(ledger, "a")
    settings = replace(MEMORY, options={"audience": "other"}) if when == "other settings" else MEMORY

    assert 0 == run(ledger, Memory(server, SNAPSHOT if when == "a file" else BATCH), settings).released


# --- What is lost ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"domain_rules": 1}),
        ({"reach": Reach.ACCOUNT}, {"domain_rules": 1, "widened": 2}),
        ({"reach": Reach.TARGET}, {"domain_rules": 1, "narrowed": 3}),
        ({"keeps": frozenset(Kept)}, {"domain_rules": 1}),
        ({"keeps": frozenset()}, {"domain_rules": 1, "reason": 4, "date": 3, "source": 4}),
    ],
    ids=["nothing said", "account", "target", "keeps all", "keeps none"],
)
def test_what_a_destination_cannot_hold_is_counted_said_and_kept(
    tmp_path: Path, changes: dict[str, Any], expected: dict[str, int]
) -> None:
    """Widened or narrowed scope, reason, date and source; a rule for a domain names nobody."""
    people = [
        opt_out("all@example.com"),
        opt_out("brand@example.com", scope=Scope("Acme")),
        opt_out("news@example.com", scope=Scope("Acme", "News")),
        opt_out("undated@example.com", occurred_at=None, reason=Reason.ACCOUNT),
    ]
    url = ledger_with(tmp_path, *people)
    can: Capabilities = replace(BATCH, **changes)
    with Ledger.open(url, keys=tmp_path / "suppress.keys") as ledger:
        ledger.append([Event("0" * 32, RULE)], actor="test")
        result = run(ledger, Memory(Server(), can))
        receipt: Honoured = bodies(ledger, Honoured)[-1]
    shown = io.StringIO()
    draw(Screen(shown), result)

    assert expected == result.lost == receipt.lost
    assert len(expected) == len(result.unrepresented)
    assert all(words in shown.getvalue() for words in result.unrepresented)


# --- The gate ----------------------------------------------------------------------------------------------


def test_the_basis_is_recorded(ledger: Ledger) -> None:
    """The exception of the law, or what was named in its place."""
    run(ledger, Memory(Server(), SNAPSHOT))
    run(ledger, Memory(Server(), SNAPSHOT), basis="Art. 28 GDPR, contract of 2026-03-01")

    assert [BASIS, "Art. 28 GDPR, contract of 2026-03-01"] == [
        each.basis for each in bodies(ledger, Disclosed)
    ]


@pytest.mark.parametrize("basis", ["", " ", "asked by bob@broker.example", "a\nb", "x" * 201])
def test_a_basis_holds_no_address_and_is_no_novel(ledger: Ledger, basis: str) -> None:
    """It is written into the ledger for good."""
    size = ledger.head().size
    with pytest.raises(BadUsage, match="name of a law or a contract"):
        run(ledger, Memory(Server(), SNAPSHOT), basis=basis)
    assert size == ledger.head().size


# --- Three facts -------------------------------------------------------------------------------------------


def test_sent_accepted_and_confirmed_are_three_facts(ledger: Ledger) -> None:
    """One is refused, one is taken and not shown, one is there."""

    class Forgetful(Memory):
        def read_back(self, addresses: Any) -> Any:
            self.server.suppressed.pop("b@example.com", None)
            return super().read_back(addresses)

    result = run(ledger, Forgetful(Server(rejects={"a@example.com"})))
    receipt: Honoured = bodies(ledger, Honoured)[-1]

    assert (3, 2, 1) == (result.sent, result.accepted, result.confirmed)
    assert (3, 2, 1, False) == (receipt.sent, receipt.accepted, receipt.confirmed, receipt.verified)
    assert None not in (receipt.pushed_at, receipt.confirmed_at)
    assert 2 == len({ledger_entry.subject for ledger_entry in failed_of(ledger, result.failed)})


def failed_of(ledger: Ledger, seqs: tuple[int, ...]) -> list[Any]:
    return [entry.body for seq in seqs for entry in ledger.entries(seq, seq + 1)]


def test_where_nothing_can_be_read_nothing_is_confirmed(ledger: Ledger) -> None:
    """Accepted is not verified, and the receipt has no time of it."""
    result = run(ledger, Memory(Server(), WRITE_ONLY))
    receipt: Honoured = bodies(ledger, Honoured)[-1]

    assert (3, 3, 0, False) == (result.sent, result.accepted, result.confirmed, result.verified)
    assert None is receipt.confirmed_at


class Hasty(Memory):
    """Takes the first batch and never asks for the rest."""

    def push(self, entries: Any, position: Any) -> Any:
        yield from super().push([next(iter(entries))], position)

    def plan(self, entries: Any) -> Any:
        yield from super().plan([next(iter(entries))])


@pytest.mark.parametrize(
    "capabilities", [BATCH, RECORD, JOBS, SNAPSHOT], ids=["batch", "record", "job", "file"]
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_an_exporter_that_stops_before_the_end_is_refused(
    ledger: Ledger, capabilities: Capabilities, dry_run: bool
) -> None:
    """Whom it never asked for was never sent: their opt-outs would be lost, and its counts would add up."""
    with pytest.raises(DestinationFailed, match="stopped before the end"):
        run(ledger, Hasty(Server(), capabilities), dry_run=dry_run)
    assert [] == bodies(ledger, Honoured)


# --- The estimate ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("can", "writes", "reads", "seconds"),
    [
        (SNAPSHOT, 0, 0, 0.0),
        (replace(BATCH, max_batch=100), 2, 3, 5 * ANSWER),
        (replace(BATCH, max_batch=100, read_batch=50), 2, 5, 7 * ANSWER),
        (replace(RECORD, can_read_many=False, can_read_one=True), 150, 250, 400 * ANSWER),
        (replace(RECORD, can_read_many=False, can_read_one=True, max_concurrency=8), 150, 250, 50 * ANSWER),
        (replace(RECORD, can_read_many=False, max_concurrency=50, per_second=10), 150, 0, 15.0),
        (replace(JOBS, max_batch=100), 2, 3, 5 * ANSWER + JOB),
        (replace(BATCH, max_batch=100, per_thousand=40), 2, 8, 10 * ANSWER),
        (replace(BATCH, max_batch=100, per_thousand=1), 2, 3, 5 * ANSWER),
    ],
)  # fmt: skip
def test_an_estimate_is_of_requests_and_time(
    can: Capabilities, writes: int, reads: int, seconds: float
) -> None:
    """150 addresses to write, 100 that are there already, 7 that cannot be sent."""
    found = estimated(
        can, {Intent.SUPPRESS: 149, Intent.UNKNOWN_CREATE: 1, Intent.ALREADY: 100, Intent.INVALID: 7}
    )

    assert (writes, reads) == (found.writes, found.reads)
    assert seconds == pytest.approx(found.seconds)


def test_entries_name_their_request_and_spelling(tmp_path: Path) -> None:
    """Idempotency keys are of request, spelling and destination."""
    seen: list[Suppressed] = []

    class Watching(Memory):
        def push(self, entries: Any, position: Any) -> Any:
            seen.extend(entries)
            yield from super().push(seen, position)

    url = ledger_with(tmp_path, "pat@müller.example")
    with Ledger.open(url, keys=tmp_path / "suppress.keys") as ledger:
        run(ledger, Watching(Server()))

    assert [f"{seen[0].seq}.{number}:memory" for number in range(2)] == [
        each.idempotency_key for each in seen
    ]
