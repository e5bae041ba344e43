"""Domain rules: whom they reach, and in which spelling of the domain."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core.address import match_key
from suppress.core.domains import DomainRule, DomainRules, domain_in
from suppress.core.mailing import ANY_MAIL, Mailing, MessageClass
from suppress.core.suppression import EVERYTHING, Channel, Reason, Scope
from tests.strategies import domains, local_parts, scopes

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def rule(
    pattern: str,
    seq: int = 1,
    *,
    channel: Channel = Channel.EMAIL,
    scope: Scope = EVERYTHING,
    reason: Reason = Reason.ACCOUNT,
) -> DomainRule:
    """A rule as people write it."""
    domain, below = domain_in(pattern)
    return DomainRule(seq, domain, below, channel, scope, reason, "manual", "asked", NOON, "kim")


@pytest.mark.parametrize(
    ("pattern", "address"),
    [
        ("example.com", "Pat@Example.COM."),
        ("@example.com", "pat@example.com"),
        ("EXAMPLE.com ", '"Pat" <pat@example.com>'),
        ("bücher.example", "pat@xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "pat@BÜCHER.example"),
        ("*.example.com", "pat@example.com"),
        ("*.example.com", "pat@mail.shop.example.com"),
    ],
)
def test_a_rule_reaches_its_domain_in_every_spelling(pattern: str, address: str) -> None:
    """Written as people write it, against addresses as they come."""
    assert DomainRules([rule(pattern)]).against(match_key(address), ANY_MAIL) is not None


@pytest.mark.parametrize(
    ("pattern", "address"),
    [
        ("example.com", "pat@shop.example.com"),
        ("*.example.com", "pat@myexample.com"),
        ("*.example.com", "pat@example.com.test"),
        ("example.com", "pat@com"),
        ("example.com", "example.com@x.test"),
        ("example.com", "example.com"),
    ],
)
def test_a_rule_reaches_nobody_else(pattern: str, address: str) -> None:
    """A name that only ends in the same letters is another domain."""
    rules = DomainRules([rule(pattern)])
    key = match_key(address)

    if "@" in key:
        assert rules.against(key, ANY_MAIL) is None
    else:
        assert rules.against(key, ANY_MAIL) == rules.rules[0]  # a bare domain names the domain itself


@pytest.mark.parametrize(
    "text", ["", "@", "*.", "a b@c", "x@y.example", "[192.0.2.1]", "*.*.example", "a*b.c"]
)
def test_what_is_no_domain_is_refused(text: str) -> None:
    """A rule that can never hold would look like protection."""
    with pytest.raises(ValueError, match="is no domain"):
        domain_in(text)


patterns = st.tuples(st.sampled_from(["", "*."]), domains()).map("".join)


@settings(max_examples=200)
@given(st.lists(patterns, max_size=4), local_parts(), domains())
def test_rules_hold_where_the_naive_definition_says_so(written: list[str], local: str, domain: str) -> None:
    """Equal domains, or one that ends in a dot and the rule's, compared label by label."""
    key = match_key(f"{local}@{domain}")
    own = key.rpartition("@")[2]
    rules = DomainRules([rule(each, seq) for seq, each in enumerate(written)])
    naive = any(
        own == each.domain
        or (each.subdomains and own.split(".")[-each.domain.count(".") - 1 :] == each.domain.split("."))
        for each in rules.rules
    )

    assert naive == (rules.against(key, ANY_MAIL) is not None) == rules.concerns(key)


@settings(max_examples=100)
@given(scopes(), scopes(), st.sampled_from(Channel), st.sampled_from(Reason), st.sampled_from(MessageClass))
def test_a_rule_forbids_what_an_opt_out_of_its_kind_would(
    scope: Scope, target: Scope, channel: Channel, reason: Reason, message_class: MessageClass
) -> None:
    """Channels do not answer for one another; opt-outs bind commercial mail, hard bounces all."""
    found = rule("example.com", scope=scope, reason=reason).forbids(Mailing(channel, target, message_class))

    related = scope.covers(target) or target.covers(scope)
    bound = message_class is MessageClass.COMMERCIAL or reason is Reason.BOUNCED
    assert found == (channel is Channel.EMAIL and related and bound)


def test_the_widest_then_strongest_then_oldest_rule_answers() -> None:
    """As among opt-outs of one person."""
    narrow = rule("example.com", 1, scope=Scope("Acme"), reason=Reason.COMPLAINT)
    wide = rule("*.example.com", 2)
    newer = rule("example.com", 3)

    assert wide == DomainRules([narrow, newer, wide]).against("pat@example.com", ANY_MAIL)
    assert "*.example.com" == wide.pattern
    assert "example.com" == newer.pattern
