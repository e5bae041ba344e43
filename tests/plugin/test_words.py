"""A vendor's words in our messages: short, plain, and nobody's address in them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.plugin.words import vendor_words

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwYXQifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Validation failed", "Validation failed"),
        ("a\r\n\x1b[31mb\u202e\x00c", "a [31mb c"),
        ("Email pat@example.com is not unique", "Email [address] is not unique"),
        ("q=pat%40example.com&x", "[address]"),
        ('{"e":"pat@example.com"}', '{"e":"[address]"}'),
        ("<pat＠example.com>", "<[address]>"),
        (f"token {TOKEN} expired", "token […] expired"),
        ("", ""),
    ],
)
def test_what_is_left_of_a_vendors_words(text: str, shown: str) -> None:
    """One line, no control characters, no address, no token."""
    assert shown == vendor_words(text)


@settings(deadline=None)
@given(st.text(), st.integers(1, 300))
def test_they_are_short_and_printable(text: str, longest: int) -> None:
    """Whatever the vendor sends."""
    shown = vendor_words(text * 5, longest=longest)

    assert len(shown) <= longest
    assert shown.isprintable()


@settings(deadline=None)
@given(st.emails())
def test_no_address_survives(address: str) -> None:
    """Any address that can be written without quotes or brackets."""
    assert "@" not in vendor_words(f"contact {address} exists")
