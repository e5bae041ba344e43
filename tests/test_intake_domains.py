"""Rules for domains: made, refused, repeated, lifted; and what they do to every way of asking."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from suppress.audit import verify
from suppress.core.address import Address
from suppress.core.entry import Corrected, DomainSuppressed
from suppress.core.mailing import Mailing, MessageClass
from suppress.core.suppression import Channel, Reason, Scope
from suppress.core.verdict import Ruling, Tier
from suppress.errors import BadUsage
from suppress.intake.domains import lift_domain, suffix_list_version, suppress_domain
from suppress.ledger import Event, Ledger, Lookup
from tests.backends import url_in
from tests.small_ledger import made

pytestmark = pytest.mark.both_back_ends

PAT = Address.parse("pat@shop.example.com")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger in which one person at gmail.com opted out."""
    with Ledger.open(made(tmp_path, ["sam@gmail.com"]), keys=tmp_path / "suppress.keys") as found:
        yield found


def rule(ledger: Ledger, text: str, **said: object) -> int | None:
    """A rule with whatever a test does not care about filled in."""
    return suppress_domain(ledger, text, **{"note": "their counsel wrote", "actor": "kim", **said}).seq  # type: ignore[arg-type]


def test_everybody_at_the_domain_is_withheld_by_every_way_of_asking(ledger: Ledger, tmp_path: Path) -> None:
    """With the rule, since when, and the words of the contract."""
    with Lookup.open(url_in(tmp_path), keys=tmp_path / "suppress.keys") as lookup:
        assert Ruling.CLEAR is lookup.verdict(PAT).ruling  # open before the rule is made
        seq = rule(ledger, "*.Example.COM")

        verdict = lookup.verdict(PAT)
        assert verdict == ledger.check("Pat <PAT@shop.example.com>")
        assert (Ruling.SUPPRESSED, Tier.DOMAIN, "*.example.com", "manual", Reason.REQUESTED, seq) == (
            verdict.ruling,
            verdict.tier,
            verdict.rule,
            verdict.source,
            verdict.reason,
            verdict.seq,
        )
        assert Ruling.CLEAR is lookup.verdict(Address.parse("pat@myexample.com")).ruling


def test_the_entry_says_who_why_and_by_which_list_it_was_judged(ledger: Ledger) -> None:
    """What an auditor asks of a rule that reaches people who never asked for it."""
    rule(ledger, "example.com")
    (entry,) = ledger.about(DomainSuppressed.type, "example.com")

    assert "kim" == entry.actor
    assert isinstance(entry.body, DomainSuppressed)
    assert ("their counsel wrote", suffix_list_version(), "") == (
        entry.body.note,
        entry.body.suffix_list,
        entry.body.forced,
    )


@pytest.mark.parametrize(
    "domain", ["gmail.com", "GMAIL.com.", "*.yahoo.co.uk", "co.uk", "com", "github.io", "test"]
)
def test_a_domain_that_strangers_share_is_refused_and_forcing_is_on_record(
    ledger: Ledger, domain: str
) -> None:
    """A provider of free mail, a public suffix, a top-level domain."""
    with pytest.raises(BadUsage, match=r"anybody may have a mailbox|strangers have their domains"):
        rule(ledger, domain)
    assert () == ledger.domain_rules()

    rule(ledger, domain, force=True)
    (entry,) = ledger.about(DomainSuppressed.type)
    assert isinstance(entry.body, DomainSuppressed)
    assert entry.body.forced


@pytest.mark.parametrize(
    ("text", "note"),
    [("example.com", " "), ("example.com", "asked by pat@example.com"), ("pat@example.com", "x"), ("", "x")],
)
def test_a_rule_without_reason_or_domain_is_refused(ledger: Ledger, text: str, note: str) -> None:
    """Nothing is written."""
    with pytest.raises(BadUsage, match=r"--note|is no domain"):
        rule(ledger, text, note=note)
    assert () == ledger.domain_rules()


def test_the_same_rule_is_recorded_once_and_a_dry_run_writes_nothing(ledger: Ledger) -> None:
    """Another scope is another rule."""
    assert rule(ledger, "example.com", dry_run=True) is None
    assert () == ledger.domain_rules()

    first = rule(ledger, "example.com")
    assert first == rule(ledger, "EXAMPLE.com", note="again")
    assert first != rule(ledger, "example.com", scope=Scope("Acme"))


def test_a_lifted_rule_holds_no_longer_and_both_stay_on_record(ledger: Ledger) -> None:
    """Who opted out there themselves stays suppressed; a rule above goes on to hold."""
    wide = rule(ledger, "*.example.com")
    rule(ledger, "shop.example.com")
    lifted = lift_domain(ledger, "shop.example.com", note="the contract ended", actor="kim")

    assert 1 == len(lifted.rules) == len(lifted.entries)
    assert wide == ledger.check(PAT.raw).seq
    lift_domain(ledger, "example.com", note="the contract ended", actor="kim")
    assert Ruling.CLEAR is ledger.check(PAT.raw).ruling
    with pytest.raises(BadUsage, match="there is no rule"):
        lift_domain(ledger, "example.com", note="again", actor="kim")
    rule(ledger, "example.com")
    with pytest.raises(BadUsage, match="--note is empty"):
        lift_domain(ledger, "example.com", note="", actor="kim")
    lift_domain(ledger, "example.com", note="would be", actor="kim", dry_run=True)
    assert 1 == len(ledger.domain_rules())


def test_a_correction_takes_back_a_rule_or_its_lifting(ledger: Ledger, tmp_path: Path) -> None:
    """Entries that were wrong no longer count, for whoever asks."""
    seq = rule(ledger, "example.com")
    (lifted,) = lift_domain(ledger, "example.com", note="by mistake", actor="kim").entries
    with Lookup.open(url_in(tmp_path), keys=tmp_path / "suppress.keys") as lookup:
        other = Address.parse("pat@example.com")
        assert Ruling.CLEAR is lookup.verdict(other).ruling
        ledger.append([Event("c1", Corrected(lifted, "it was lifted by mistake"))], actor="kim")
        assert seq == lookup.verdict(other).seq == ledger.check(other.raw).seq
        assert seq is not None
        ledger.append([Event("c2", Corrected(seq, "another company"))], actor="kim")
        assert Ruling.CLEAR is lookup.verdict(other).ruling is ledger.check(other.raw).ruling


def test_opt_outs_outrank_the_rule_and_the_rule_outranks_an_alias(ledger: Ledger) -> None:
    """The first certain tier answers."""
    rule(ledger, "gmail.com", force=True)

    assert Tier.EXACT is ledger.check("sam@gmail.com").tier
    assert Tier.DOMAIN is ledger.check("s.am@gmail.com").tier
    assert Ruling.SUPPRESSED is ledger.check("s.am@gmail.com").ruling


def test_a_rule_binds_its_own_channel_sender_and_class(ledger: Ledger) -> None:
    """Transactional mail passes an opt-out of a domain, and not a domain at which nobody is reached."""
    rule(ledger, "example.com", scope=Scope("Acme"))
    rule(ledger, "dead.example", reason=Reason.BOUNCED)
    receipts = Mailing(message_class=MessageClass.TRANSACTIONAL)

    assert Ruling.CLEAR is ledger.check("pat@example.com", Mailing(target=Scope("Bravo"))).ruling
    assert Ruling.CLEAR is ledger.check("pat@example.com", Mailing(Channel.SMS)).ruling
    assert Ruling.CLEAR is ledger.check("pat@example.com", receipts).ruling
    assert Ruling.SUPPRESSED is ledger.check("pat@dead.example", receipts).ruling


def test_a_ledger_with_rules_verifies(ledger: Ledger, tmp_path: Path) -> None:
    """Entries of the new kinds are replayed like all others."""
    rule(ledger, "example.com")
    lift_domain(ledger, "example.com", note="ended", actor="kim")

    assert verify(url_in(tmp_path), keys=tmp_path / "suppress.keys").ok
