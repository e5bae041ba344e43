"""The spellings of one person: what counts as another one, and what is sent for each."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core.address import match_key
from suppress.core.spelling import bare, comparable, forms
from tests.strategies import address_texts


def sent(raw: str) -> tuple[str, ...]:
    """All that is sent for one spelling as it was recorded."""
    key = match_key(raw)
    return forms(bare(raw, key), key)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Pat@X.com", " pat@x.COM\r\n", True),
        ("PÄT@x.com", "pÄt@x.com", True),
        ("PÄT@x.com", "pät@x.com", False),
        ("straße@x.com", "strasse@x.com", False),
        ("'tis@x.com", "tis@x.com", False),
        ("ｐａｔ@x.com", "pat@x.com", False),
        ("\u212a@x.com", "k@x.com", False),
    ],
)
def test_only_what_every_destination_does_itself_makes_spellings_the_same(
    one: str, other: str, same: bool
) -> None:
    """Trimming and small ASCII letters. The last pair is the Kelvin sign, which Unicode lower-cases to k."""
    assert same == (comparable(one) == comparable(other))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Pat@Example.com", ("Pat@Example.com",)),
        ("Pat Doe <Straße@example.com>", ("Straße@example.com",)),
        ("pat@Bücher.example", ("pat@Bücher.example", "pat@xn--bcher-kva.example")),
        ("pat@xn--bcher-kva.example", ("pat@xn--bcher-kva.example", "pat@bücher.example")),
        ("pat@XN--BCHER-KVA.example", ("pat@XN--BCHER-KVA.example", "pat@bücher.example")),
        ("pat@straße.example", ("pat@straße.example", "pat@xn--strae-oqa.example")),
        ("pat@例え。example", ("pat@例え。example", "pat@例え.example", "pat@xn--r8jz45g.example")),
        ("pat@ｅxample.com", ("pat@ｅxample.com", "pat@example.com")),
        ("jose\u0301@example.com", ("jose\u0301@example.com", "jos\u00e9@example.com")),
        ("pat@xn--\u00fc.example", ("pat@xn--\u00fc.example", "pat@xn--xn---3ra.example")),
        ("pat@xn--a.example", ("pat@xn--a.example",)),
        ("pat@xn--99999999.example", ("pat@xn--99999999.example",)),
        ("\u200b\u200b", ()),
    ],
)
def test_an_address_is_sent_in_all_its_forms(raw: str, expected: tuple[str, ...]) -> None:
    """As it was spelled, and both forms of a domain outside ASCII: they are one domain by standard."""
    assert expected == (sent(raw) if match_key(raw) else ())


def test_a_spelling_of_nothing_visible_gives_way_to_the_key() -> None:
    """A row without an address would suppress nobody."""
    assert "pat@example.com" == bare("\u200b\u200b", "pat@example.com")


def test_text_of_another_address_gives_way_to_the_key() -> None:
    """Whom a ledger recorded under a key is told by that key, never by somebody else's address."""
    assert "pat@example.com" == bare("kim doe@example.com", "pat@example.com")
    assert "pat@example.com" == bare("kim@example.com", "pat@example.com")


@given(address_texts())
@settings(max_examples=300)
def test_what_is_sent_is_the_same_person_and_each_form_once(raw: str) -> None:
    """No form is somebody else, none is sent twice, and the spelling itself is always among them."""
    key = match_key(raw)
    found = sent(raw) if key else ()

    assert {key} >= {match_key(each) for each in found}
    assert len(found) == len({comparable(each) for each in found})
    assert not key or bare(raw, key) == found[0]


@given(st.text(max_size=40))
@settings(max_examples=300)
def test_no_text_breaks_it(raw: str) -> None:
    """Every recorded text has a form that can be sent, and comparing is idempotent."""
    key = match_key(raw)
    if key:
        assert sent(raw)
    assert comparable(comparable(raw)) == comparable(raw)
