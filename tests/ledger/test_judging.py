"""Rules, digests, waivers and classes of mail give the same verdicts in both databases, by each way in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from suppress.check.portable import Portable
from suppress.check.taking import take
from suppress.core.address import Address
from suppress.core.entry import Corrected, HashesTrusted
from suppress.core.hashed import Digest
from suppress.core.mailing import Mailing, MessageClass
from suppress.core.suppression import Reason, Waiver
from suppress.core.verdict import Tier, Verdict
from suppress.errors import LedgerDamaged
from suppress.intake.domains import lift_domain, suppress_domain
from suppress.ledger import Event
from tests.ledger.making import Place, opt_out

pytestmark = pytest.mark.both_back_ends

ASKED = (
    "pat@example.com",
    "both@example.com",
    "x@a.corp.example",
    "y@lifted.example",
    "Victim@partner.example",
)
NOW = datetime.now(UTC)
MAILINGS = (
    Mailing(),
    Mailing(purpose="recall"),
    Mailing(message_class=MessageClass.TRANSACTIONAL),
)


@pytest.fixture
def filled(place: Place) -> Place:
    """Something for each tier, with a rule that was lifted and one whose lifting was a mistake."""
    digest = Digest.parse(hashlib.sha1(b"victim@partner.example", usedforsecurity=False).hexdigest())
    assert digest is not None
    place.record(
        opt_out("pat@example.com"),
        opt_out("both@example.com", reason=Reason.BOUNCED),
        opt_out("both@example.com", reason=Reason.COMPLAINT),
        replace(opt_out(), address=Address(digest.hexadecimal, digest.key)),
        Event("trust", HashesTrusted("partner", "0" * 64, "sha1", "lower", 1)),
        Waiver(Address.parse("pat@example.com"), "Recall", NOW + timedelta(days=9)),
    )
    with place.open() as ledger:
        suppress_domain(ledger, "*.corp.example", note="asked", actor="test")
        suppress_domain(ledger, "lifted.example", note="asked", actor="test")
        (mistake,) = lift_domain(ledger, "corp.example", note="wrong one", actor="test").entries
        lift_domain(ledger, "lifted.example", note="over", actor="test")
        ledger.append([Event("c", Corrected(mistake, "the other domain was meant"))], actor="test")
    return place


def answers(place: Place) -> Iterator[list[list[Verdict]]]:
    """By each way in, for each mailing, for each address."""
    asked = [Address.parse(each) for each in ASKED]
    with place.open() as ledger, place.lookup() as lookup:
        yield [[ledger.check(each, mailing) for each in ASKED] for mailing in MAILINGS]
        yield [lookup.verdicts(asked, mailing) for mailing in MAILINGS]
        yield [[lookup.verdict(each, mailing) for each in asked] for mailing in MAILINGS]
        found = take(
            ledger, place.folder / "s", recipient="x", valid_for=timedelta(1), sources=(), now=NOW, actor="t"
        )
        secret = found.secret.read_text()
        with Portable.open(
            found.place, vkey=ledger.vkey, secret=secret, secret_name="s.secret", now=NOW
        ) as portable:
            yield [portable.verdicts(asked, mailing) for mailing in MAILINGS]


def test_every_way_in_says_the_same(filled: Place) -> None:
    """And what it says is what was meant."""
    first, *others = answers(filled)

    assert all(other == first for other in others)
    assert [Tier.EXACT, Tier.EXACT, Tier.DOMAIN, None, Tier.HASHED] == [each.tier for each in first[0]]
    assert [True, False, False, False, False] == [each.waiver is not None for each in first[1]]
    assert [None, Reason.BOUNCED, None, None, None] == [each.reason for each in first[2]]


def test_an_open_lookup_follows_rules_that_others_make(place: Place) -> None:
    """Of another process, while a long list is checked."""
    who = Address.parse("x@example.org")
    with place.lookup() as lookup, place.open() as ledger:
        assert None is lookup.verdict(who).tier
        suppress_domain(ledger, "example.org", note="asked", actor="test")
        assert Tier.DOMAIN is lookup.verdict(who).tier
        lift_domain(ledger, "example.org", note="over", actor="test")
        assert None is lookup.verdict(who).tier


def test_a_recipe_that_there_is_none_of_is_damage(place: Place) -> None:
    """A check must not go on as if that list were not there."""
    place.record(Event("trust", HashesTrusted("partner", "0" * 64, "crc32", "lower", 1)))

    with pytest.raises(LedgerDamaged, match="there is none of"):
        place.lookup()
    with place.open() as ledger, pytest.raises(LedgerDamaged, match="there is none of"):
        ledger.check("pat@example.com")
