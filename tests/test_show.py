"""Showing one address: what holds, everything recorded about it, and which destinations obey."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from suppress.core.address import Address
from suppress.core.entry import DestinationChanged, Honoured, OptOutRecorded, SubjectAdded
from suppress.core.suppression import Consent
from suppress.core.verdict import Ruling, Tier
from suppress.ledger import Event, Ledger
from suppress.show import Obedience, show
from tests.ledgers import opt_out
from tests.small_ledger import made

PAT = Address.parse("Pat@Example.com")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(made(tmp_path, ["pat@example.com", "al.smith@gmail.com"])) as opened:
        yield opened


def honoured(ledger: Ledger, destination: str, upto: int, *failed: int, verified: bool = True) -> None:
    """An export to a destination."""
    body = Honoured(destination, upto, "0" * 64, 1, failed, verified)
    ledger.append([Event(f"{destination} {upto} {failed}", body)], actor="test")


def request(ledger: Ledger) -> int:
    """The entry of Pat's request."""
    return next(each.entry.seq for each in ledger.history(PAT) if isinstance(each.entry.body, OptOutRecorded))


def test_standing_and_history_are_found_under_any_spelling(ledger: Ledger) -> None:
    """With payloads: the address as it was first written, and the evidence."""
    shown = show(ledger, PAT)

    assert (Ruling.SUPPRESSED, Tier.EXACT) == (shown.verdict.ruling, shown.verdict.tier)
    assert [SubjectAdded, OptOutRecorded] == [type(each.entry.body) for each in shown.history]
    assert shown.history[1].payload is not None
    assert "pat@example.com" == shown.history[1].payload["address"]
    assert 1 == len(shown.standing.suppressions)


def test_an_address_never_heard_of_has_no_history(ledger: Ledger) -> None:
    """And that is no error."""
    shown = show(ledger, Address.parse("nobody@example.com"))

    assert (Ruling.CLEAR, (), ()) == (shown.verdict.ruling, shown.history, shown.destinations)


def test_the_alias_tier_is_told(ledger: Ledger) -> None:
    """The address itself is unknown, its mailbox is not."""
    shown = show(ledger, Address.parse("a.l.smith+x@googlemail.com"))

    assert (Ruling.REVIEW, Tier.ALIAS) == (shown.verdict.ruling, shown.verdict.tier)
    assert () == shown.history


def test_each_destination_is_shown_with_its_first_receipt(ledger: Ledger) -> None:
    """Told later, told but failed, told before the request, and added but never told."""
    seq = request(ledger)
    honoured(ledger, "early", seq - 1)
    honoured(ledger, "failing", seq, seq)
    honoured(ledger, "mails", seq + 1, verified=False)
    honoured(ledger, "mails", seq + 2)
    ledger.append([Event("added", DestinationChanged("new", "csv", "added"))], actor="test")
    told = {each.destination: each for each in show(ledger, PAT).destinations}

    assert [None, None, None] == [told[name].at for name in ("early", "failing", "new")]
    first = next(
        entry
        for entry in ledger.entries()
        if isinstance(entry.body, Honoured) and entry.body.destination == "mails"
    )
    assert Obedience("mails", first.at, verified=False, seq=first.seq) == told["mails"]
    assert ["early", "failing", "mails", "new"] == list(told)


def test_a_failed_destination_obeys_from_the_export_that_succeeds(ledger: Ledger) -> None:
    """The failure is history."""
    seq = request(ledger)
    honoured(ledger, "mails", seq, seq)
    honoured(ledger, "mails", seq + 1)
    (told,) = show(ledger, PAT).destinations

    assert told.at is not None


def test_after_a_consent_the_next_request_is_the_one_to_obey(ledger: Ledger) -> None:
    """Nobody has honoured that one yet, whatever they did before."""
    honoured(ledger, "mails", request(ledger))
    ledger.append([Consent(PAT, "form", datetime(2025, 1, 1, tzinfo=UTC))], actor="test")
    lifted = show(ledger, PAT)
    ledger.append([opt_out("pat@example.com", occurred_at=datetime(2026, 1, 1, tzinfo=UTC))], actor="test")
    again = show(ledger, PAT)

    assert (Ruling.CLEAR, ()) == (lifted.verdict.ruling, lifted.destinations)
    assert [None] == [each.at for each in again.destinations]


def test_a_consent_that_lifts_nothing_leaves_the_old_request_to_obey(ledger: Ledger) -> None:
    """It was dated before the opt-out."""
    honoured(ledger, "mails", request(ledger))
    ledger.append([Consent(PAT, "form", datetime(2020, 1, 1, tzinfo=UTC))], actor="test")
    shown = show(ledger, PAT)

    assert Ruling.SUPPRESSED is shown.verdict.ruling
    assert all(each.at is not None for each in shown.destinations)
