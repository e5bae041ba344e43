"""Answers are matched to the addresses that were asked about, and to nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core.spelling import comparable
from suppress.plugin.addresses import Asked, flaw

_LOCALS = st.text("abAB.+-'ßäÄσΣ", min_size=1, max_size=6)
_DOMAINS = st.sampled_from(["example.com", "EXAMPLE.com", "bücher.example", "xn--bcher-kva.example"])
ADDRESSES = st.builds(lambda local, domain: f"{local}@{domain}", _LOCALS, _DOMAINS)


@settings(max_examples=200)
@given(st.lists(ADDRESSES, min_size=1, max_size=8, unique_by=comparable))
def test_an_address_is_found_again_as_it_was_asked(addresses: list[str]) -> None:
    """A push never holds one spelling twice, not even in capitals."""
    asked = Asked(addresses)

    assert [asked.found(each) for each in addresses] == addresses


@settings(max_examples=200)
@given(st.lists(ADDRESSES, min_size=1, max_size=8, unique_by=str.lower))
def test_an_answer_in_small_letters_is_about_who_was_asked(addresses: list[str]) -> None:
    """Many platforms keep addresses in small letters, whatever script they are in."""
    asked = Asked(addresses)

    assert [asked.found(each.lower()) for each in addresses] == addresses


def test_another_form_of_the_same_address_is_found() -> None:
    """A domain in Punycode, and white space around it."""
    asked = Asked(["Büro@bücher.example", "pat@example.com"])

    assert asked.found("büro@xn--bcher-kva.example") == "Büro@bücher.example"
    assert asked.found(" PAT@example.com ") == "pat@example.com"


def test_somebody_else_is_not_found() -> None:
    """An answer about them is about a person who was not asked for."""
    assert Asked(["pat@example.com"]).found("patricia@example.com") is None


def test_two_people_whom_an_answer_cannot_tell_apart_are_nobody() -> None:
    """Taken for either of them, the other might be lost."""
    asked = Asked(["straße@example.com", "strasse@example.com"])

    assert asked.found("STRASSE@example.com") == "strasse@example.com"
    assert asked.found("stra\u017fse@example.com") is None


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("no-at-sign", "no name or no domain"),
        ("@example.com", "no name or no domain"),
        ("pat@", "no name or no domain"),
        ("pat smith@example.com", "white space or a control character"),
        ("pat\n@example.com", "white space or a control character"),
        ("pat\ud800@example.com", "white space or a control character"),
        ("ä" * 130 + "@example.com", "too long"),
    ],
)
def test_what_no_contact_can_have_is_said(address: str, words: str) -> None:
    """Sent all the same, it would be one more error answer of the app."""
    assert flaw(address) == words


@pytest.mark.parametrize("address", ["o'brien@example.com", "büro@bücher.example", "a@b@example.com"])
def test_odd_addresses_are_left_to_the_platform(address: str) -> None:
    """What is not certainly impossible may be a contact's."""
    assert flaw(address) is None
