"""Scopes form a lattice, reasons have a strength, and both have one text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suppress.core.suppression import EVERYTHING, Channel, Reason, Scope, stronger
from tests.strategies import scopes

ACME, NEWS = Scope("Acme"), Scope("Acme", "News")
reasons = st.sampled_from(Reason)


@given(scopes(), scopes(), scopes())
def test_covering_is_an_order(one: Scope, other: Scope, third: Scope) -> None:
    """Reflexive, antisymmetric, transitive: a lattice needs no less."""
    assert one.covers(one)
    assert not (one.covers(other) and other.covers(one)) or one == other
    assert not (one.covers(other) and other.covers(third)) or one.covers(third)


@given(scopes(), scopes())
def test_everything_covers_all_and_a_wider_scope_is_never_inside_a_narrower_one(
    one: Scope, other: Scope
) -> None:
    """Everything > sender > list."""
    assert EVERYTHING.covers(one)
    assert not (one.covers(other) and one.width < other.width)


@given(scopes(), scopes())
def test_two_scopes_meet_only_when_one_lies_inside_the_other(one: Scope, other: Scope) -> None:
    """No mail is inside two scopes that do not nest, so the wider of two may always win."""
    both = [
        each for each in (EVERYTHING, ACME, NEWS, Scope("Bravo")) if one.covers(each) and other.covers(each)
    ]

    assert one.covers(other) or other.covers(one) or not both


def test_a_sender_covers_its_lists_and_nobody_elses() -> None:
    """The three widths, by example."""
    assert [EVERYTHING.width, ACME.width, NEWS.width] == [2, 1, 0]
    assert ACME.covers(NEWS)
    assert not NEWS.covers(ACME)
    assert not ACME.covers(EVERYTHING)
    assert not ACME.covers(Scope("Bravo", "News"))
    assert not NEWS.covers(Scope("Acme", "Offers"))


@given(scopes())
def test_a_scope_reads_back_from_its_text(scope: Scope) -> None:
    """The form in tables and leaves is one scope's alone."""
    assert Scope.parse(str(scope)) == scope


@given(st.text("everything:sendrlist/ A", max_size=20))
def test_what_reads_as_a_scope_is_the_text_of_that_scope(text: str) -> None:
    """No scope has a second text; anything else is refused."""
    try:
        scope = Scope.parse(text)
    except ValueError:
        return

    assert str(scope) == text


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("everything", EVERYTHING),
        ("sender:Acme", ACME),
        ("list:Acme/News", NEWS),
        ("list:Acme/News/Weekly", Scope("Acme", "News/Weekly")),
        ("sender:every:thing", Scope("every:thing")),
    ],
)
def test_the_text_of_a_scope(text: str, scope: Scope) -> None:
    """As people write it."""
    assert Scope.parse(text) == scope
    assert str(scope) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Everything",
        "everything:",
        "sender",
        "sender:",
        "sender:A/B",
        "list:",
        "list:Acme",
        "list:Acme/",
        "list:/News",
        "group:x",
    ],
)
def test_any_other_text_is_no_scope(text: str) -> None:
    """Not a guess at what was meant."""
    with pytest.raises(ValueError):
        Scope.parse(text)


@pytest.mark.parametrize(
    ("sender", "list_", "problem"),
    [
        (None, "News", "name the sender too"),
        ("", None, "needs a name"),
        ("Acme", "", "needs a name"),
        ("A/B", None, "may not hold '/'"),
    ],
)
def test_a_scope_that_names_nothing_is_refused(sender: str | None, list_: str | None, problem: str) -> None:
    """A list belongs to a sender, names are not empty, and `/` separates."""
    with pytest.raises(ValueError, match=problem):
        Scope(sender, list_)


def test_reasons_are_ordered_from_complaint_to_bounce() -> None:
    """A person's own act is stronger than what staff or lists say; a bounce is no request at all."""
    ordered = sorted(Reason, key=lambda reason: reason.strength, reverse=True)

    assert [reason.value for reason in ordered] == [
        "complaint", "unsubscribed", "requested", "account", "unknown", "bounced",
    ]  # fmt: skip


@given(reasons, reasons, reasons)
def test_the_stronger_reason_stands_whatever_the_order(one: Reason, other: Reason, third: Reason) -> None:
    """Commutative, associative, idempotent: merging needs no order."""
    assert stronger(one, other) is stronger(other, one)
    assert stronger(stronger(one, other), third) is stronger(one, stronger(other, third))
    assert stronger(one, one) is one
    assert stronger(one, other).strength == max(one.strength, other.strength)


def test_channels_are_what_people_are_reached_by() -> None:
    """E-mail and text messages."""
    assert [channel.value for channel in Channel] == ["email", "sms"]
