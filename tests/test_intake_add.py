"""Adding one request: recorded once, with evidence, and with the day by which it must be honoured."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from suppress.core.address import Address
from suppress.core.deadline import Deadline
from suppress.core.entry import OptOutRecorded
from suppress.core.suppression import Channel, Origin, Reason, Scope
from suppress.core.verdict import Ruling
from suppress.errors import BadFile, BadUsage, ConfigWrong
from suppress.intake import Added, Evidence, add
from suppress.ledger import Ledger
from tests.small_ledger import made

pytestmark = pytest.mark.both_back_ends

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PAT = Address.parse("pat@example.com")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(made(tmp_path), keys=tmp_path / "suppress.keys") as opened:
        yield opened


def added(ledger: Ledger, address: Address = PAT, **told: Any) -> Added:
    """Add a request that came today, but for `told`."""
    usual: dict[str, Any] = {"received": NOW, "zone": UTC, "now": NOW, "actor": "test"}
    return add(ledger, address, **usual | told)


def test_a_request_is_recorded_as_the_person_made_it(ledger: Ledger, tmp_path: Path) -> None:
    """Both dates, reason, sender, and the digest of the letter; nothing else about the person."""
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"Please stop.")
    occurred, received = NOW - timedelta(days=5), NOW - timedelta(days=3)
    result = added(
        ledger,
        received=received,
        occurred=occurred,
        reason=Reason.COMPLAINT,
        scope=Scope("Acme"),
        evidence=Evidence.of(letter),
        note="wrote to the shop",
    )
    recorded = ledger.history(PAT)[-1]
    body = recorded.entry.body

    assert result.new
    assert result.seq == recorded.entry.seq
    assert isinstance(body, OptOutRecorded)
    assert (occurred, received) == (body.occurred_at, body.received_at)
    assert (Reason.COMPLAINT, Scope("Acme"), Origin.PERSON) == (body.reason, body.scope, body.origin)
    assert recorded.payload is not None
    assert {
        "note": "wrote to the shop",
        "file": "letter.pdf",
        "sha256": hashlib.sha256(b"Please stop.").hexdigest(),
    } == recorded.payload["evidence"]


def test_the_same_request_again_is_the_same_entry(ledger: Ledger) -> None:
    """Later on the same day too: somebody runs the command once more to be sure."""
    first = added(ledger, received=NOW - timedelta(hours=2), note="rang")
    again = added(ledger, received=NOW, note="rang")

    assert (True, False) == (first.new, again.new)
    assert first.seq == again.seq


@pytest.mark.parametrize(
    "other",
    [
        {"received": NOW - timedelta(days=1)},
        {"note": "wrote"},
        {"reason": Reason.COMPLAINT},
        {"channel": Channel.SMS},
        {"scope": Scope("Acme")},
        {"occurred": NOW - timedelta(days=9)},
    ],
)
def test_another_request_of_the_same_person_is_another_entry(ledger: Ledger, other: dict[str, Any]) -> None:
    """A second letter is evidence of its own."""
    added(ledger)

    assert added(ledger, **other).new


def test_the_deadline_counts_from_receipt_in_the_senders_zone(ledger: Ledger) -> None:
    """At 02:00 UTC it is still the day before in New York: ten business days from there."""
    new_york = ZoneInfo("America/New_York")
    result = added(
        ledger, received=datetime(2026, 11, 21, 2, 0, tzinfo=UTC), zone=new_york, policies=["us.can-spam"]
    )

    # Friday 20 November 2026: ten days without Sundays, and ten without weekends and Thanksgiving.
    assert {"us.can-spam": Deadline(date(2026, 12, 2), date(2026, 12, 7))} == result.deadlines


def test_a_rule_that_counts_from_the_act_uses_its_date_when_known(ledger: Ledger) -> None:
    """And receipt otherwise: the person acted no later."""
    from suppress.core.policy import policies

    name = next(id_ for id_, versions in policies().items() if not versions[-1].trigger.at_receipt)
    known = added(ledger, occurred=NOW - timedelta(days=20), policies=[name])
    unknown = added(ledger, policies=[name])

    assert known.deadlines[name].strict < unknown.deadlines[name].strict


def test_a_dry_run_says_the_deadline_and_records_nothing(ledger: Ledger) -> None:
    """The head stays."""
    head = ledger.head()
    result = added(ledger, policies=["us.can-spam"], dry_run=True)

    assert result.seq is None
    assert result.deadlines
    assert head == ledger.head()
    assert Ruling.CLEAR is ledger.check("pat@example.com").ruling


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"received": NOW + timedelta(days=1)}, "--received 2026-11-24 12:00 .UTC. lies in the future"),
        ({"occurred": NOW + timedelta(minutes=1)}, "--occurred 2026-11-23 12:01 .UTC. lies in the future"),
        ({"received": NOW - timedelta(days=2), "occurred": NOW - timedelta(days=1)}, "before it is made"),
    ],
)
def test_an_impossible_date_is_refused(ledger: Ledger, told: dict[str, Any], message: str) -> None:
    """A deadline counted from it would be wrong."""
    with pytest.raises(BadUsage, match=message):
        added(ledger, **told)

    assert 1 == ledger.head().size


def test_an_unknown_policy_is_said_before_anything_is_recorded(ledger: Ledger) -> None:
    """A misspelt rule has no deadlines."""
    with pytest.raises(ConfigWrong, match="there is no policy"):
        added(ledger, policies=["us.canned-ham"])

    assert 1 == ledger.head().size


def test_evidence_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """Missing, or a folder."""
    for path in (tmp_path / "none.pdf", tmp_path):
        with pytest.raises(BadFile, match=r"the evidence .* cannot be read"):
            Evidence.of(path)
