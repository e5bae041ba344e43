"""Addresses read many at a time are read as one by one."""

from __future__ import annotations

import sys
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core.address import Address, key_at_once
from suppress.core.folding import fold
from suppress.core.latin import _LETTERS, read

_DIRT = (
    *"àÉéßıİſĳŉŀÅKΣσ`;×÷ÿŸẞ.+-_@ \"'",
    "e\u0301",
    "u\u0308\u0304",
    "xn--",
    "XN--bcher-KVA",
    "\u200b",
    "Ã¼",
)
_NAMES = ("jörg", "GARCÍA", "Bjo\u0308rn", "pat", "Pat.B+c", "o'brien", "a" * 60, "a..b", "Müller_Ö", "r\xaf")
_HOSTS = (
    "example.com",
    "Bücher.Example",
    "xn--bcher-kva.example",
    "BU\u0308CHER.example",
    "-x.de",
    "a_b.de",
    "é",
)
_cells = st.one_of(
    st.builds(
        "{}{}@{}{}".format,
        st.sampled_from(("", " ")),
        st.sampled_from(_NAMES),
        st.sampled_from(_HOSTS),
        st.just(""),
    ),
    st.lists(st.sampled_from((*_DIRT, *_NAMES, *_HOSTS, "@")), max_size=6).map("".join),
    st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0"), max_size=8).map(
        lambda text: f"{text}@é.com"
    ),
)


@settings(max_examples=800)
@given(st.lists(_cells, max_size=12))
def test_what_is_read_is_what_each_address_is(cells: list[str]) -> None:
    """Key and soundness, of whatever is read at all."""
    for cell, found in zip(cells, read(cells), strict=True):
        if found is None:
            continue
        key, sound = found
        assert key == key_at_once(cell)
        assert sound == Address(cell, key).sound


@pytest.mark.parametrize(
    ("cell", "key", "sound"),
    [
        (" Jörg.Meyer12@Example.com", "jörg.meyer12@example.com", False),
        (normalize("NFD", "FRANÇOIS@example.com"), "françois@example.com", False),
        ("pat@BÜCHER.example ", "pat@xn--bcher-kva.example", True),
        ("Pat@Xn--Bcher-Kva.Example", "pat@xn--bcher-kva.example", True),
        ("o'brien@xn--bcher-kva.example", None, None),
        ("pat@example.com", "pat@example.com", True),
        ("strauß@example.com", None, None),
    ],
)
def test_what_people_are_called_is_read(cell: str, key: str | None, sound: bool | None) -> None:
    """Accents composed or not, in capitals; domains in either form. What folds otherwise is not."""
    (found,) = read([cell])

    assert found == (None if key is None else (key, sound))


def test_a_letter_folds_to_its_lower_case_and_so_does_all_that_becomes_it() -> None:
    """For every character that there is: none has one of these letters as lower case and folds otherwise."""
    for code in range(0x80, sys.maxunicode + 1):
        character = chr(code)
        if 0xD800 <= code <= 0xDFFF:
            continue
        lower = normalize("NFC", character).lower()
        if lower in _LETTERS and len(lower) == 1:
            assert fold(character) == lower, hex(code)
