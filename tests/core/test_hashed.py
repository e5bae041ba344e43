"""Digests: recognised by their length, and believed only in a form that a known address proves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core.address import Address, match_key
from suppress.core.hashed import (
    IN_WORDS,
    KEEPS_CASE,
    LOOSER,
    Algorithm,
    Digest,
    Form,
    Recipe,
    explained,
    hashed_keys,
    hashed_text,
    is_hashed,
    recipes_in,
)
from tests.strategies import address_strings, addresses

CANARY = "P.At.Canary+x@Gmail.com"

PARTNERS: dict[Form, Callable[[str], bytes]] = {
    Form.LOWER: lambda text: text.strip().lower().encode(),
    Form.WRITTEN: lambda text: text.strip().encode(),
    Form.UPPER: lambda text: text.strip().upper().encode(),
    Form.DOMAIN: lambda text: text.replace("@Gmail.com", "@gmail.com").encode(),
    Form.LINE: lambda text: f"{text.lower()}\n".encode(),
    Form.WRITTEN_LINE: lambda text: f"{text}\n".encode(),
    Form.WIDE: lambda text: text.lower().encode("utf-16-le"),
    Form.WRITTEN_WIDE: lambda text: text.encode("utf-16-le"),
    Form.GOOGLE: lambda text: b"patcanary+x@gmail.com" if "Canary" in text else text.lower().encode(),
    Form.FOLDED: lambda text: b"patcanary@gmail.com" if "Canary" in text else text.lower().encode(),
}
"""What a partner does to an address, written again from what each form says."""


def digest_of(algorithm: Algorithm, content: bytes) -> Digest:
    """As another program computes it."""
    found = Digest.parse(hashlib.new(algorithm.value, content, usedforsecurity=False).hexdigest())
    assert found is not None
    return found


@pytest.mark.parametrize("algorithm", list(Algorithm))
@pytest.mark.parametrize("form", list(PARTNERS))
def test_one_canary_tells_algorithm_and_form(algorithm: Algorithm, form: Form) -> None:
    """A canary with capitals, dots and a tag at gmail fits one recipe only."""
    keys = {digest_of(algorithm, PARTNERS[form](CANARY)).key, digest_of(Algorithm.MD5, b"x").key}
    canary = Address.parse(CANARY)

    assert (Recipe(algorithm, form),) == recipes_in(explained([canary], keys).values())


@settings(max_examples=100, deadline=None)
@given(addresses(), st.sampled_from(list(Algorithm)), st.sampled_from([Form.LOWER, Form.LINE, Form.WIDE]))
def test_whoever_is_in_a_list_of_a_proven_form_is_found_in_any_case(
    person: Address, algorithm: Algorithm, form: Form
) -> None:
    """The partner hashed the clean address; our list has it in capitals, with blanks around."""
    listed = digest_of(algorithm, PARTNERS[form](person.key)).key

    for raw in (person.key, f" {person.key.upper()} ", f"<{person.key}>"):
        assert listed in hashed_keys(Address(raw, match_key(raw)), [Recipe(algorithm, form)])


@settings(max_examples=100)
@given(address_strings(), address_strings())
def test_nobody_else_is_found(one: str, other: str) -> None:
    """Two match keys share no digest under a form that joins none, and case is all that the others join."""
    first, second = Address.parse(one), Address.parse(other)
    strict = [Recipe(Algorithm.SHA1, form) for form in Form if form not in LOOSER]
    shared = hashed_keys(first, strict).keys() & hashed_keys(second, strict).keys()

    assert not shared or first.key == second.key or first.raw.casefold() == second.raw.casefold()


@pytest.mark.parametrize(
    ("text", "algorithm"),
    [
        ("d41d8cd98f00b204e9800998ecf8427e", Algorithm.MD5),
        (" D41D8CD98F00B204E9800998ECF8427E\t", Algorithm.MD5),
        ("0xD41D8CD98F00B204E9800998ECF8427E", Algorithm.MD5),
        ("a" * 40, Algorithm.SHA1),
        ("a" * 64, Algorithm.SHA256),
        ("A" * 128, Algorithm.SHA512),
    ],
)
def test_a_digest_is_read_in_any_case_with_blanks_and_a_prefix(text: str, algorithm: Algorithm) -> None:
    """As spreadsheets and databases write them."""
    found = Digest.parse(text)

    assert found is not None
    assert algorithm is found.algorithm
    assert found.hexadecimal == text.strip().lower().removeprefix("0x")
    assert is_hashed(found.key)


@pytest.mark.parametrize("text", ["", "pat@example.com", "a" * 39, "g" * 32, "0x", "a" * 32 + " " + "a" * 32])
def test_anything_else_is_no_digest(text: str) -> None:
    """A wrong length, a wrong letter, an address."""
    assert Digest.parse(text) is None


@settings(max_examples=200)
@given(st.one_of(address_strings(), st.text(max_size=40), st.just("sha256 " + "a" * 64)))
def test_a_hashed_key_is_nobody_s_match_key(text: str) -> None:
    """So that a list cannot smuggle in a digest as an address, or the other way round."""
    assert not is_hashed(match_key(text))


def test_a_canary_that_is_not_there_explains_nothing() -> None:
    """Salted, of another form, or of another list: no recipe, no trust."""
    salted = digest_of(Algorithm.SHA256, b"salt" + CANARY.lower().encode()).key
    found = explained([Address.parse(CANARY)], {salted})

    assert [frozenset()] == list(found.values())
    assert () == recipes_in(found.values())


def test_the_forms_that_nothing_tells_apart_all_count_but_the_loosest() -> None:
    """A canary in lower case is the same text under several forms; only exact ones are taken then."""
    plain = Address.parse("canary@gmail.com")
    found = explained([plain], {digest_of(Algorithm.MD5, b"canary@gmail.com").key})

    assert {Form.LOWER, Form.WRITTEN, Form.DOMAIN} == {each.form for each in recipes_in(found.values())}


def test_canaries_of_two_forms_in_one_list_prove_both() -> None:
    """Lists put together from two exports exist."""
    one, other = Address.parse("One@Example.com"), Address.parse("Two@Example.com")
    keys = {
        digest_of(Algorithm.MD5, b"one@example.com").key,
        digest_of(Algorithm.MD5, b"TWO@EXAMPLE.COM").key,
    }

    assert {Form.LOWER, Form.UPPER} == {
        each.form for each in recipes_in(explained([one, other], keys).values())
    }


def test_every_form_has_words_and_those_that_keep_case_are_named() -> None:
    """What is printed when a list is trusted."""
    assert set(IN_WORDS) == set(Form)
    assert "sha256 of lower case" == str(Recipe(Algorithm.SHA256, Form.LOWER))
    assert {Form.WRITTEN, Form.DOMAIN, Form.WRITTEN_LINE, Form.WRITTEN_WIDE} == KEEPS_CASE


@pytest.mark.parametrize(
    ("written", "form", "algorithm", "expected"),
    [
        (" Jane.Doe+News@GMail.com ", Form.LOWER, Algorithm.MD5, "6ca838c20e2c4ae648fed82d94166219"),
        (
            " Jane.Doe+News@GMail.com ", Form.LOWER, Algorithm.SHA256,
            "f41439c944a763c9812d700a779941cec169de13c9ccd13aaf9424ba5231620a",
        ),
        (
            " Jane.Doe+News@GMail.com ", Form.GOOGLE, Algorithm.SHA256,
            "d3b270ea0941753cc9e5a239cbd68cf66735867f70b0fa04d47b00e1c1a194d6",
        ),
        (" Jane.Doe+News@Example.com ", Form.LOWER, Algorithm.MD5, "6a58e7286ac0e6944c137f0fb3f101b1"),
        (
            " Jane.Doe+News@Example.com ", Form.GOOGLE, Algorithm.SHA256,
            "dbf1912b4cad4df9823f627874244e64b50a6ac550b9cb33b17df671a26679db",
        ),
    ],
)  # fmt: skip
def test_receivers_forms_give_their_own_digests(
    written: str, form: Form, algorithm: Algorithm, expected: str
) -> None:
    """Test vectors of the receivers' rules: one wrong byte, and nobody would be found."""
    text = hashed_text(written.strip(), match_key(written), form)

    assert hashlib.new(algorithm.value, text, usedforsecurity=False).hexdigest() == expected


def test_a_display_name_hides_no_digest_of_the_address_as_written() -> None:
    """The partner hashed the bare address, with its capitals; a cell of ours has a name around it."""
    recipe = Recipe(Algorithm.SHA256, Form.WRITTEN)
    digest = digest_of(recipe.algorithm, b"Pat@Example.com")

    assert recipe == hashed_keys(Address.parse("Pat <Pat@Example.com>"), [recipe])[digest.key]
