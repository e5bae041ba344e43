"""Hypothesis strategies that several rooms share: addresses, their spellings, and what is said of them.

`addresses()` gives clean ones, `spellings(address)` other spellings of the same mailbox (the match key must
not change), `address_texts()` anything that may stand where an address is expected.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Literal
from urllib.parse import quote

from hypothesis import strategies as st

from suppress.core.address import Address
from suppress.core.reconcile import Observed, Permission
from suppress.core.suppression import (
    EVERYTHING,
    Channel,
    Consent,
    Json,
    OptOut,
    Origin,
    Reason,
    Scope,
    Visibility,
)

_ATOM = st.text("abcdefghijklmnopqrstuvwxyz0123456789_+-", min_size=1, max_size=8).filter(
    lambda atom: atom.strip("+-_") == atom
)
_UNICODE_ATOM = st.text("abzäöüßéñçøłőıиванνίκος李雷あいさだ", min_size=1, max_size=6)
_LABEL = st.sampled_from(
    ["example", "mail", "x", "a1", "my-shop", "ex_ample", "xn--bcher-kva", "bücher", "почта", "例え", "faß"]
)
_TLD = st.sampled_from(["com", "org", "example", "co.uk", "de", "test"])


def local_parts(*, ascii_only: bool = False) -> st.SearchStrategy[str]:
    """What stands before the `@`: dot-atoms, with letters of several alphabets unless `ascii_only`."""
    atom = _ATOM if ascii_only else st.one_of(_ATOM, _ATOM, _UNICODE_ATOM)
    return st.lists(atom, min_size=1, max_size=3).map(".".join)


def domains(*, ascii_only: bool = False) -> st.SearchStrategy[str]:
    """What stands after the `@`, with U-labels and A-labels unless `ascii_only`."""
    label = st.sampled_from(["example", "mail", "x", "a1", "my-shop", "ex_ample"]) if ascii_only else _LABEL
    return st.tuples(st.lists(label, min_size=1, max_size=2).map(".".join), _TLD).map(".".join)


def address_strings(*, ascii_only: bool = False) -> st.SearchStrategy[str]:
    """A clean address as text."""
    return st.tuples(local_parts(ascii_only=ascii_only), domains(ascii_only=ascii_only)).map("@".join)


def addresses(*, ascii_only: bool = False) -> st.SearchStrategy[Address]:
    """A clean address, parsed."""
    return address_strings(ascii_only=ascii_only).map(Address.parse)


# --- Other spellings of the same address -----------------------------------------------------------------

SPACES = "".join(chr(code) for code in range(0x10000) if chr(code).isspace())
INVISIBLE = (
    "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e\ufe0f\u202a\u202e\u2066\u2069\u061c\x00\x07\x7f\x9f"
)

_WRAPPERS = [
    ("<", ">"), ('"', '"'), ("'", "'"), ("(", ")"), ("[", "]"), ("{", "}"), ("`", "`"), ("“", "”"),
    ("‘", "’"), ("«", "»"), ("„", "“"), ("「", "」"), ("＜", "＞"), ("<<", ">>"), ('""', '""'), ("'<", ">'"),
    ("'", ""), ("", "."), ("", ","), ("", ";"), ("", ":"), ("", "。"), ("", "、"), ("<", ""), ("", ">"),
    ("mailto:", ""), ("MAILTO:", "?subject=Bye&cc=b@y.example"), ("Mailto: ", ""), ("<mailto:", ">"),
    ("SMTP:", ""), ("E-mail: ", ""), ('="', '"'), ("**", "**"), ("&lt;", "&gt;"), ("", "&nbsp;"),
    ("(home) ", ""), ("", " (Pat (work))"), ("(a\\)b)", ""), ("Pat Smith <", ">"), ('"Smith, Pat" <', ">"),
    ('"b@y.example" <', ">"), ("Pat <", "> (home)"), ("Группа: ", ";"), ("", "_x000D_"), ("ï»¿", ""),
]  # fmt: skip


def _fullwidth(text: str) -> str:
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)


def _quoted(text: str) -> str:
    local, _, domain = text.rpartition("@")
    return f'"{local}"@{domain}'


def _escaped(text: str) -> str:
    local, _, domain = text.rpartition("@")
    return '"' + "".join("\\" + each for each in local) + f'"@{domain}'


def _unicode_labels(text: str) -> str:
    local, _, domain = text.rpartition("@")
    return f"{local}@" + ".".join(
        label[4:].encode().decode("punycode") if label.startswith("xn--") else label
        for label in domain.split(".")
    )


def _ascii_labels(text: str) -> str:
    local, _, domain = text.rpartition("@")
    return f"{local}@" + ".".join(
        label if label.isascii() else "xn--" + label.encode("punycode").decode()
        for label in domain.split(".")
    )


_FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")

REWRITES: tuple[Callable[[str], str], ...] = (
    str,
    str.upper,
    str.lower,
    str.title,
    str.swapcase,
    str.casefold,
    *(partial(unicodedata.normalize, form) for form in _FORMS),
    _fullwidth,
    _quoted,
    _escaped,
    _unicode_labels,
    _ascii_labels,
    lambda text: text.replace("@", " @ "),
    lambda text: text.replace(".", " . "),
    lambda text: text.replace("@", "＠").replace(".", "。"),
    lambda text: text.replace("@", "&#64;"),
    lambda text: text.replace("@", "(comment)@(comment)"),
    lambda text: text + ".",
    lambda text: "mailto:" + quote(text, safe=""),
)
"""Whole-text rewrites that do not change which mailbox an address names."""


@st.composite
def spellings(draw: st.DrawFn, address: str) -> str:
    """Another spelling of a clean address: rewritten, wrapped, with white space and invisible characters."""
    text = draw(st.sampled_from(REWRITES))(address)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(INVISIBLE)) + text[at:]
    before, after = draw(st.one_of(st.just(("", "")), st.sampled_from(_WRAPPERS)))
    text = before + text + after
    return draw(st.text(SPACES, max_size=2)) + text + draw(st.text(SPACES, max_size=2))


@st.composite
def spelled_twice(draw: st.DrawFn) -> tuple[str, str]:
    """A clean address and another spelling of it."""
    address = draw(address_strings())
    return address, draw(spellings(address))


def address_texts() -> st.SearchStrategy[str]:
    """Anything that may stand where an address is expected: clean, respelled, broken, hostile."""
    structural = st.text('ab.@"\'\\<>()[]{},;:?&%=#!*_- \t\u200b@@..""\\\\25409', max_size=30)
    hostile = st.sampled_from(
        ["", "@", "a@", "@b.c", "a b", '"', '"@"', "\ud800@x.com", "j\udcf6hn@x.com", "a" * 300 + "@x.com",
         "a@" + "b." * 200 + "com", "a@[1.2.3.4]", "a@b@c.com", "(((", "<<<@", "a@xn--", "a@xn--9999999.com"]
    )  # fmt: skip
    return st.one_of(
        st.text(max_size=30),
        structural,
        hostile,
        address_strings(),
        spelled_twice().map(lambda pair: pair[1]),
    )


# --- What is said of addresses ---------------------------------------------------------------------------


def moments() -> st.SearchStrategy[datetime]:
    """An instant in UTC, within the years that a ledger meets."""
    return st.datetimes(datetime(2004, 1, 1), datetime(2037, 12, 31)).map(
        lambda naive: naive.replace(tzinfo=UTC)
    )


def scopes() -> st.SearchStrategy[Scope]:
    """Everything, a sender or a list, from few enough names that they meet."""
    senders, lists = st.sampled_from(["Acme", "Bravo"]), st.sampled_from(["News", "Offers/Weekly"])
    return st.one_of(st.just(EVERYTHING), st.builds(Scope, senders), st.builds(Scope, senders, lists))


def json_values() -> st.SearchStrategy[Json]:
    """What a leaf or a payload may hold: no floats, ASCII keys."""
    scalars = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53) + 1, 2**53 - 1),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    )
    keys = st.text(st.characters(max_codepoint=127), max_size=8)
    return st.recursive(
        scalars,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    )


def evidence() -> st.SearchStrategy[dict[str, Json]]:
    """Raw values as a platform sent them."""
    keys = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=8)
    return st.dictionaries(keys, json_values(), max_size=3)


def facts() -> st.SearchStrategy[tuple[str, ...]]:
    """What tells two requests of one person apart."""
    return st.lists(st.text("abc123", max_size=4), max_size=2).map(tuple)


def opt_outs(
    who: st.SearchStrategy[Address] | None = None, channels: st.SearchStrategy[Channel] | None = None
) -> st.SearchStrategy[OptOut]:
    """Any opt-out, of anyone or of those that `who` draws."""
    return st.builds(
        OptOut,
        address=addresses() if who is None else who,
        source=st.sampled_from(["main", "old list"]),
        origin=st.sampled_from(Origin),
        reason=st.sampled_from(Reason),
        scope=scopes(),
        channel=st.sampled_from(Channel) if channels is None else channels,
        occurred_at=st.none() | moments(),
        received_at=st.none() | moments(),
        visibility=st.none() | st.sampled_from(Visibility),
        evidence=evidence(),
        facts=facts(),
    )


def consents(who: st.SearchStrategy[Address] | None = None) -> st.SearchStrategy[Consent]:
    """Any consent."""
    return st.builds(
        Consent,
        address=addresses() if who is None else who,
        source=st.just("web form"),
        occurred_at=moments(),
        scope=scopes(),
        channel=st.sampled_from(Channel),
        approver=st.none() | st.just("Kim"),
        evidence=evidence(),
        facts=facts(),
    )


def observations(who: st.SearchStrategy[Address] | None = None) -> st.SearchStrategy[Observed]:
    """Any contact as a source may report it."""
    return st.builds(
        Observed,
        source=st.just("main"),
        address=st.none() | (addresses() if who is None else who),
        permission=st.sampled_from(Permission),
        word=st.sampled_from(["unsubscribed", "explicit", "implicit", "temp_hold"]),
        deleted=st.booleans(),
        reason=st.sampled_from(Reason),
        opted_out_at=st.none() | moments(),
        changed_at=st.none() | moments(),
        channel=st.sampled_from(Channel),
        scope=scopes(),
        fingerprint=facts(),
        evidence=evidence(),
    )
