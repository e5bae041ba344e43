"""Folding: what people and programs take for the same text folds to the same text."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from suppress.core.folding import _LATIN, _folded, fold
from tests.strategies import INVISIBLE, SPACES

EVERY = [chr(code) for code in range(sys.maxunicode + 1)]
CHANGING = [
    each
    for each in EVERY
    if each != each.upper() or each != each.lower() or each != unicodedata.normalize("NFKD", each)
]
MARKS = [each for each in EVERY if unicodedata.combining(each)]


def rewritten(text: str) -> Iterator[str]:
    """The text in other case and other normal forms."""
    yield from (text.upper(), text.lower(), text.title(), text.swapcase(), text.casefold())
    yield unicodedata.normalize("NFC", text)
    yield unicodedata.normalize("NFD", text)
    yield unicodedata.normalize("NFKC", text)
    yield unicodedata.normalize("NFKD", text)


def test_no_character_is_told_apart_by_its_case_or_form() -> None:
    """Every character of Unicode that has another case or form, one by one."""
    assert [hex(ord(each)) for each in CHANGING if {*map(fold, rewritten(each))} != {fold(each)}] == []


def test_folding_a_character_twice_changes_nothing() -> None:
    """A folded character is folded."""
    assert [hex(ord(each)) for each in (*CHANGING, *MARKS) if fold(fold(each)) != fold(each)] == []


@settings(max_examples=500)
@given(
    st.lists(
        st.one_of(st.sampled_from("iIıjaAαΑιΙςσΣ\u0307\u0345\u0301\u0323\u0342´ '"), st.sampled_from(MARKS)),
        max_size=6,
    ).map("".join)
)
@example("a\u0345\u1dc0")
@example(" \u05a6\u0345\u0301\u0131\u0301")
@example("´\u0345\u0302")
def test_no_order_of_marks_is_told_apart_by_case_or_form(text: str) -> None:
    """Upper case turns an iota subscript into a letter, in the middle of whatever marks there are."""
    folded = _settled(text)

    assert {_settled(each) for each in rewritten(text)} == {folded}


@settings(max_examples=300)
@given(st.text())
def test_any_text_folds_alike_in_every_case_and_form(text: str) -> None:
    """Over all of Unicode, lone surrogates included."""
    assert {_settled(each) for each in rewritten(text)} == {_settled(text)}


@pytest.mark.parametrize("hidden", INVISIBLE, ids=ascii)
def test_invisible_characters_are_dropped(hidden: str) -> None:
    """Also between a letter and its accent."""
    assert fold(f"{hidden}e{hidden}\u0301{hidden}") == "é"


@pytest.mark.parametrize("space", SPACES, ids=ascii)
def test_every_white_space_is_a_plain_space(space: str) -> None:
    """From the tab to the ideographic space."""
    assert fold(f"a{space}b") == "a b"


def test_every_default_ignorable_code_point_is_dropped() -> None:
    """The ranges of Default_Ignorable_Code_Point (DerivedCoreProperties.txt, Unicode 15)."""
    ranges = """00AD 034F 061C 115F-1160 17B4-17B5 180B-180F 200B-200F 202A-202E 2060-206F 3164 FE00-FE0F
    FEFF FFA0 FFF0-FFF8 1BCA0-1BCA3 1D173-1D17A E0000-E0FFF"""
    bounds = [each.partition("-") for each in ranges.split()]
    ignorable = [
        chr(code) for low, _, high in bounds for code in range(int(low, 16), int(high or low, 16) + 1)
    ]

    assert {fold(each) for each in ignorable} == {""}


def test_every_control_and_format_character_is_dropped_or_a_space() -> None:
    """Nothing of category Cc or Cf survives."""
    hidden = [each for each in EVERY if unicodedata.category(each) in ("Cc", "Cf")]

    assert {fold(f"a{each}") for each in hidden} == {"a", "a "}


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ISTANBUL İstanbul ıstanbul", "istanbul istanbul istanbul"),
        ("ΝΊΚΟΣ Νίκος ΝΙΚΟΣ", "νικοσ νικοσ νικοσ"),
        ("STRASSE Straße STRAẞE", "strasse strasse strasse"),
        ("“x” „x“ «x» 「x」", '"x" "x" "x" "x"'),
        ("o’b o‘b oʼb o´b o`b", "o'b o'b o'b o'b o'b"),
        ("a–b a—b a‑b a−b", "a-b a-b a-b a-b"),
        ("a。b a．b a․b", "a.b a.b a.b"),
        ("ï»¿x xâ€‹", "x x"),
        ("caf\udcc3\udca9 caf\udcc3\udce9", "café cafãé"),
        ("\ud83d\ude00 \udcf6 \udc80 \udc81 \ud800 \ufffd", "😀 ö €   "),
    ],
    ids=ascii,
)
def test_spellings_that_word_processors_and_languages_make(text: str, folded: str) -> None:
    """Each group of spellings folds to one."""
    assert fold(text) == folded


def test_ascii_and_other_text_fold_by_the_same_rules() -> None:
    """The shortcut for ASCII answers as the long way does."""
    plain = "".join(map(chr, range(128)))

    assert fold(plain) + "é" == fold(plain + "é")


LATIN = [each for each in EVERY if _LATIN.fullmatch(each)]


def test_latin_text_folds_at_once_to_what_it_folds_to_by_all_rules() -> None:
    """Each two characters side by side, composed and decomposed: the letters of a name in their places."""
    assert len(LATIN) > 250
    for first in LATIN:
        texts = [f"{first}{second}" for second in LATIN]
        texts += [unicodedata.normalize("NFD", each) for each in texts]
        assert [] == [each for each in texts if fold(each) != _folded(each)]


@settings(max_examples=500)
@given(st.text(st.sampled_from([*LATIN, *MARKS[:80], "\u200b", "\u0131", "\u00b4"]), max_size=12))
@example("i\u0307")
@example("e\u0301\u0307")
@example("` \u0301x")
def test_latin_text_among_marks_folds_to_the_same(text: str) -> None:
    """A mark that joins no letter, or two on one, leave nothing to be done at once."""
    assert fold(text) == _folded(text)


def test_letters_that_only_look_alike_stay_apart() -> None:
    """Latin, Cyrillic and Greek letters of one shape are different letters."""
    assert len({fold("a"), fold("\u0430"), fold("o"), fold("\u03bf"), fold("\u043e")}) == 5


def test_a_very_long_text_is_folded_without_accents() -> None:
    """Sorting 20,000 marks behind one letter is not tried."""
    assert fold("E" + "\u0301\u0323" * 10_000 + "\ufdfaß") == fold("e\ufdfass")


def test_a_long_text_that_could_still_be_sorted_keeps_its_accents() -> None:
    """Only what could take time squared loses them."""
    assert fold("É" * 1_000) == "é" * 1_000


def _settled(text: str) -> str:
    while (folded := fold(text)) != text:
        text = folded
    return text
