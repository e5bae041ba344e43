"""Match keys: every spelling of an address finds it, and no two mailboxes are taken for one."""

from __future__ import annotations

import time
import unicodedata
from typing import Literal

import idna
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from suppress.core.address import _PLAIN, Address, _read, addresses_in, alias_key, match_key
from tests.core.address_variants import CELLS, DIFFERENT, VARIANTS
from tests.strategies import address_strings, address_texts, local_parts, spelled_twice

FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")


@pytest.mark.parametrize(("suppressed", "variant"), VARIANTS, ids=ascii)
def test_a_variant_has_the_key_of_the_suppressed_address(suppressed: str, variant: str) -> None:
    """Each row of the corpus is a way in which lists have spelled one mailbox."""
    assert match_key(variant) == match_key(suppressed)


@pytest.mark.parametrize(("suppressed", "cell"), CELLS, ids=ascii)
def test_a_cell_with_several_addresses_gives_each(suppressed: str, cell: str) -> None:
    """A cell is searched for every address that it may hold."""
    assert match_key(suppressed) in {each.key for each in addresses_in(cell)}


@pytest.mark.parametrize(("one", "other"), DIFFERENT, ids=ascii)
def test_different_mailboxes_keep_different_keys(one: str, other: str) -> None:
    """Over-matching is deliberate where spellings meet, never where people differ."""
    assert match_key(one) not in {each.key for each in addresses_in(other)}
    assert match_key(other) not in {each.key for each in addresses_in(one)}


@settings(max_examples=250)
@given(spelled_twice())
def test_any_spelling_of_a_clean_address_has_its_key(pair: tuple[str, str]) -> None:
    """Case, quoting, wrapping, hidden characters, both forms of a domain: one key."""
    address, spelling = pair

    assert match_key(spelling) == match_key(address)


@settings(max_examples=250)
@given(spelled_twice())
def test_reading_a_cell_finds_any_spelling(pair: tuple[str, str]) -> None:
    """What `match_key` finds, `addresses_in` finds first."""
    address, spelling = pair

    assert addresses_in(spelling)[0] == Address(spelling, match_key(address))


@settings(max_examples=150)
@given(spelled_twice(), spelled_twice(), st.sampled_from(["; ", ", ", "\n", " ; ", "|", " / ", "\t"]))
def test_two_addresses_in_a_cell_are_both_found(
    one: tuple[str, str], other: tuple[str, str], between: str
) -> None:
    """Clean addresses beside one another, whatever stands between."""
    found = {each.key for each in addresses_in(one[0] + between + other[0])}

    assert {match_key(one[0]), match_key(other[0])} <= found


@settings(max_examples=250)
@given(address_texts())
@example("´\u0345\u0301@x.com")
@example("i\u0307\u0307@x.com")
@example('"%2540"@x.com')
@example("a@xn--xn--nxa.com")
def test_a_key_is_its_own_key_and_fit_for_utf8(text: str) -> None:
    """Re-keying a ledger from its keys changes nothing, and a key can be hashed."""
    key = match_key(text)

    assert match_key(key) == key
    assert key.encode().decode() == key


@settings(max_examples=250)
@given(address_texts())
def test_case_never_changes_a_key(text: str) -> None:
    """Not even where upper case has other letters than lower case (ß, ᾳ, ŉ, ﬁ)."""
    key = match_key(text)

    assert [match_key(text.upper()), match_key(text.lower()), match_key(text.casefold())] == [key] * 3


@settings(max_examples=250)
@given(address_texts())
def test_the_normal_form_never_changes_a_key(text: str) -> None:
    """Composed or decomposed, canonical or compatible."""
    assert {match_key(unicodedata.normalize(form, text)) for form in FORMS} == {match_key(text)}


@settings(max_examples=150)
@given(st.from_regex(_PLAIN, fullmatch=True))
def test_the_fast_path_answers_as_the_slow_one(plain: str) -> None:
    """What is taken to be its own key without being read, is its own key when it is read."""
    assume("xn--" not in plain)

    assert _read(plain) == plain == match_key(plain)


_LETTERS = st.text(st.characters(categories=["L", "N", "M", "Pc"]), min_size=1, max_size=8)
_WORDS = st.lists(_LETTERS, min_size=1, max_size=3).flatmap(
    lambda words: st.sampled_from([".", "-", "_", "+"]).map(lambda joint: joint.join(words))
)


@settings(max_examples=400)
@given(
    text=st.one_of(
        st.tuples(_WORDS, _WORDS).map("@".join),
        address_texts(),
        spelled_twice().map(lambda pair: pair[1]),
        st.sampled_from([text for _, text in (*VARIANTS, *CELLS)]),
    )
)
def test_what_is_known_at_once_is_what_reading_finds(text: str) -> None:
    """Names of letters of any alphabet are read once and not three times, and come out the same."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("suppress.core.address.key_at_once", lambda _text: None)
        expected = match_key(text), addresses_in(text)

    assert expected == (match_key(text), addresses_in(text))


@settings(max_examples=150)
@given(local_parts(ascii_only=True))
def test_plain_names_are_kept_apart_by_every_character(local: str) -> None:
    """For plain addresses the key is the lower-cased text: nothing is joined beyond case."""
    assert match_key(f"{local}@Example.com") == f"{local}@example.com"


@settings(max_examples=150)
@given(
    st.lists(st.text("abcäöüéñçøåžčпривет例えテスト", min_size=1, max_size=8), min_size=1, max_size=3).map(
        ".".join
    )
)
def test_domains_are_keyed_as_idna_does(domain: str) -> None:
    """Where `idna` takes a domain, the key is its A-label form (UTS 46, non-transitional)."""
    try:
        expected = idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        assume(False)

    assert match_key(f"a@{domain}.example") == f"a@{expected}.example"


def test_the_four_deviation_characters_join_as_idna_2003_did() -> None:
    """ß, ς and the joiners: upper case and old software write the other form, so both are one key."""
    assert match_key("a@faß.example") == match_key("a@FASS.example") == "a@fass.example"
    assert match_key("a@νίκος.example") == match_key("a@ΝΙΚΟΣ.example")
    assert match_key("a@نامه\u200cای.example") == match_key("a@نامهای.example")


@pytest.mark.parametrize(
    "text", ["", " ", "\u200b", "\ufeff \u00a0", "<>", '""', "@", " @ ", "()", "''", ";,", "\x00"]
)
def test_a_text_with_nothing_to_compare_is_no_address(text: str) -> None:
    """White space, wrappers and a lone @ name nobody."""
    assert match_key(text) == ""
    assert addresses_in(text) == ()
    with pytest.raises(ValueError, match="no address"):
        Address.parse(text)


def test_parsing_keeps_the_raw_text() -> None:
    """What was received is kept beside the key, untouched."""
    assert Address.parse(" Pat <P@X.com> ") == Address(" Pat <P@X.com> ", "p@x.com")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("no at sign", "noatsign"),
        ("@x.com", "@x.com"),
        ("p@", "p@"),
        ("p@x..com", "p@x.com"),
        ("p p@x.com", "pp@x.com"),
        ('"p q"@x.com', '"p q"@x.com'),
        ('"p\\"q\\\\"@x.com', '"p\\"q\\\\"@x.com'),
        ("a@b@x.com", '"a@b"@x.com'),
        ('<"@">', ""),
        ("p@[not an ip]", "p@[notanip]"),
        ("p@1.2.3", "p@1.2.3"),
        ("p@x,com", "p@x,com"),
        ("a%zz%ff@x.com", "a%zz%ff@x.com"),
        ("(only) (comments)", "only)(comments"),
        ("<no> <way>", "noway"),
        ("💩@x.com", "💩@x.com"),
        ("p@💩", "p@"),
        ("p@xn--", "p@xn"),
        ("p@xn--\u00e9a.com", "p@xn--xn--a-esa.com"),
        ("p@xn--a.com", "p@xn--a.com"),
        ("p@xn--ab.com-.com", "p@xn--ab.com-.com"),
    ],
    ids=ascii,
)
def test_a_malformed_address_still_gets_a_key(text: str, key: str) -> None:
    """A row is never dropped for its form: it is keyed as what is there."""
    assert match_key(text) == key


@pytest.mark.parametrize(
    ("text", "flaws"),
    [
        ("pat@example.com", ()),
        ("a.b+c@bücher.example", ()),
        ("nobody", ("there is no @",)),
        ("@x.com", ("nothing before the @",)),
        ("p@", ("nothing after the @",)),
        ("a@b@x.com", ("more than one @",)),
        ('"a b"@x.com', ("characters before the @ that need quotes",)),
        ("a..b@x.com", ("two dots in a row before the @",)),
        (".a@x.com", ("a dot at the start or directly before the @",)),
        ("a.@x.com", ("a dot at the start or directly before the @",)),
        ("jörg@x.com", ("characters outside ASCII before the @ (needs SMTPUTF8)",)),
        ("a" * 65 + "@x.com", ("more than 64 bytes before the @ (RFC 5321)",)),
        ("p@localhost", ("a domain without a dot",)),
        ("p@[192.0.2.1]", ("a domain literal instead of a domain",)),
        ("p@ex_ample.com", ("a domain label that is no host name",)),
        ("p@-x.com", ("a domain label that is no host name",)),
        (
            "p@" + "x" * 64 + ".com",
            ("a domain label over 63 bytes (RFC 1035)",),
        ),
        ("p" * 60 + "@" + "x" * 20 + ".com", ("longer than the 80 characters that Constant Contact keeps",)),
        (
            "p" * 64 + "@" + "x.co" * 48,
            ("longer than 254 bytes (RFC 5321)", "longer than the 80 characters that Constant Contact keeps"),
        ),
        ("p\x00@x.com", ("a control character, an invisible one, or a byte that is no text",)),
        ("p\u200b@x.com", ("a control character, an invisible one, or a byte that is no text",)),
        ("p@x.com\udcff.", ("a control character, an invisible one, or a byte that is no text",)),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_flaws_say_what_a_mail_system_may_refuse(text: str, flaws: tuple[str, ...]) -> None:
    """In words; a flawed address is compared like any other."""
    assert Address.parse(text).flaws == flaws


@settings(max_examples=150)
@given(address_texts())
def test_reading_a_cell_never_fails_and_never_repeats(text: str) -> None:
    """Any text gives addresses with distinct keys, the whole cell first, each with words about its flaws."""
    found = addresses_in(text)

    assert len({each.key for each in found}) == len(found)
    assert (found[0].key if found else "") == match_key(text)
    assert all(each.key == match_key(each.raw) and isinstance(each.flaws, tuple) for each in found)


@pytest.mark.parametrize(
    "hostile",
    [
        "(", ")", "<", "<@", '"', '\\"', '"\\', "@", "a@", "*", "{ ", "%25", "&amp;", "a.", "é.", "\\(",
        "[at", "(at(",
        "e\u0301\u0323", "\u0345\u0301", " ´", "ι\u0301", "i\u0307", "\ufdfa", "\udcf6", "a@x.com; ", "xn--",
        '"a" ',
    ],
    ids=ascii,
)  # fmt: skip
@pytest.mark.parametrize("frame", ["{0}", "{0}pat@example.com", "pat@example.com{0}", "a@{0}"])
def test_time_grows_with_the_length_of_the_text(hostile: str, frame: str) -> None:
    """No text of 30,000 repetitions takes seconds: none costs its length squared."""
    text = frame.format(hostile * 30_000)
    start = time.process_time()
    key = match_key(text)

    assert time.process_time() - start < 2
    assert match_key(key) == key


@pytest.mark.parametrize("depth", [1, 2, 1_000])
@pytest.mark.parametrize(("before", "after"), ["()", "<>", "[]", "{}", "**", '""'])
def test_nested_wrappers_come_off_at_any_depth(before: str, after: str, depth: int) -> None:
    """`((pat@example.com))` and worse."""
    assert match_key(before * depth + "pat@example.com" + after * depth) == "pat@example.com"


def test_an_over_long_text_is_compared_without_its_accents() -> None:
    """Past any address, sorting accents would cost its length squared; case and form still do not matter."""
    long = "é" * 10_001 + "@example.com"

    assert (
        match_key(long)
        == match_key(unicodedata.normalize("NFD", long).upper())
        == "e" * 10_001 + "@example.com"
    )


@settings(max_examples=100)
@given(address_strings(ascii_only=True))
def test_the_alias_key_of_an_unknown_provider_is_none(address: str) -> None:
    """Only providers of the table have alias rules."""
    assert alias_key(match_key(address)) is None


def test_the_alias_key_joins_what_gmail_delivers_to_one_person() -> None:
    """Dots, tags and the second domain."""
    keys = ["pat.smith@gmail.com", "p.atsmith+news@googlemail.com", "patsmith@gmail.com"]

    assert {alias_key(key) for key in keys} == {"patsmith@gmail.com"}
