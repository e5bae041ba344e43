"""What a list may hold where mail's own rules do not say so: it is found, and nobody else is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core.address import addresses_in, key_at_once, match_key
from suppress.core.latin import read
from suppress.core.possible import alone, possible_in
from tests.core.address_variants import CELLS, DIFFERENT, GUESSED, VARIANTS
from tests.strategies import address_strings, address_texts


def _keys(text: str) -> set[str]:
    return {each.key for each in possible_in(text)}


@pytest.mark.parametrize(("suppressed", "cell"), [*GUESSED, *CELLS, *VARIANTS], ids=ascii)
def test_whoever_may_be_meant_is_found(suppressed: str, cell: str) -> None:
    """Whatever stands around an address, and whoever wrote it."""
    assert match_key(suppressed) in _keys(cell)


@pytest.mark.parametrize(("one", "other"), DIFFERENT, ids=ascii)
def test_a_guess_does_not_find_a_neighbour(one: str, other: str) -> None:
    """Apostrophes, hyphens, dots, tags and quotes are parts of names."""
    assert match_key(one) not in _keys(other)
    assert match_key(other) not in _keys(one)


@settings(max_examples=200)
@given(st.one_of(address_strings(), address_texts(), st.text(max_size=30)))
def test_a_guess_only_adds(text: str) -> None:
    """What is certain stands first, and nothing stands twice."""
    found = possible_in(text)

    assert found[: len(certain)] == certain if (certain := addresses_in(text)) else True
    assert len({each.key for each in found}) == len(found)


@settings(max_examples=200)
@given(st.one_of(address_strings(), address_texts(), st.text("ab_x0D.+=@Ã¶ü¹", max_size=16)))
def test_where_one_address_is_all_there_is_no_guess_adds_to_it(text: str) -> None:
    """The shortcuts of the engines may rely on it, that of Latin names too."""
    if alone(text) and key_at_once(text) is not None:
        assert possible_in(text) == addresses_in(text)
    if "\n" not in text and text.isascii() and read([text]) != [None]:
        assert len(possible_in(text)) == 1
