# ruff: noqa: RUF001  (marks that look alike are the subject of this module)
"""Every address that a text may hold, also where only a guess says so: for whoever looks for people in lists.

    possible_in("https://example.com/leave?email=pat@example.com&id=7")

`address` reads a text by the rules of mail, and there `email=pat@example.com` is one address, as it stands.
In a list it is more likely a label before an address. Here both are found: where a guess is wrong, a contact
is lost who was not suppressed; where it is not made, somebody who was is mailed.

What is guessed:

* Characters that mail allows before an `@` and that no provider gives out (`=`, `&`, `#`, `^`, …), and marks
  of any alphabet, may separate. An apostrophe, a hyphen, a plus, a dot, an underscore never do.
* A line break or tab that a program spelled out (`\\n`, `_x000D_`), an apostrophe that SQL doubled, the sign
  of a footnote.
* UTF-8 that was read as Windows-1252 and saved so, once or twice (`jÃ¶rg`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import category

from suppress.core.address import Address, addresses_in, decoded, masked, match_key
from suppress.core.folding import fold

_IS_ALONE = re.compile(r"\s*(?!_x00)[\w.-][\w.+-]*@[\w.-]+\s*").fullmatch
"""Texts of one address in which nothing is to be guessed but how their bytes were read."""

_SPELLED_BREAK = re.compile(r"\\[nrt]|_x00(?:0[9ad]|20|a0)_", re.IGNORECASE)
"""As JSON and SQL write them, and some readers of .xlsx (ECMA-376, ST_Xstring)."""
_FOOTNOTE = re.compile(r"(?<=\w)[¹²³⁰-⁹™®©℠]+(?![\w@.])")
_SHY = re.compile(r"\s*[\[({<]\s*@\s*[\])}>]\s*")

_CERTAIN = re.compile(r"[\s;,<>()\[\]:]+")
_UNUSUAL = re.compile(r'[\s;,<>()\[\]:?|"{}=\\^~#!*$&%`]+')
_ANY = re.compile(r'(?:[\s;,<>()\[\]:?|"{}=\\^~#!*$&%`/]|\.\.)+')
_ROUNDS = 2
"""How often a text may have been read as what it is not."""


def possible_in(text: str) -> tuple[Address, ...]:
    """Every address that a text may hold, without doubles: first what `addresses_in` finds."""
    certain = addresses_in(text)
    if alone(text):
        return certain
    found = {each.key: each for each in certain}
    for reading in _misread(text):
        for each in addresses_in(reading):
            found.setdefault(each.key, each)
    for piece in _pieces(text):
        key = match_key(piece)
        local, _, domain = key.rpartition("@")
        if local and domain:
            found.setdefault(key, Address(piece, key))
    return tuple(found.values())


def alone(text: str) -> bool:
    """Whether a text holds no more than one address, however it is read."""
    if _IS_ALONE(text) is None:
        return False
    return text.isascii() or not (any(_misread(text)) or _FOOTNOTE.search(text))


def _misread(text: str) -> Iterator[str]:
    """The text as UTF-8, as long as its characters can be bytes of it."""
    for _ in range(_ROUNDS):
        if text.isascii():
            return
        try:
            text = _bytes(text).decode()
        except UnicodeError:
            return
        yield text


def _bytes(text: str) -> bytes:
    """Those of Windows-1252; where it has none, browsers and many a program take that of Latin 1."""
    try:
        return text.encode("cp1252")
    except UnicodeEncodeError:
        return text.encode("latin-1") if len(text) == 1 else b"".join(map(_bytes, text))


def _pieces(text: str) -> Iterator[str]:
    """What stands between anything that may separate. What is in quotes stays whole."""
    text = _FOOTNOTE.sub(" ", _SPELLED_BREAK.sub(" ", text)).replace("''", "'")
    if "\\" in text:
        yield from _pieces(text.replace("\\", " "))
    several = text.count("@") > 1
    text = "".join(_separated(each, several=several) for each in text)
    text = _SHY.sub("@", decoded(fold(text)))
    mask = masked(text)
    if "@" not in mask:
        mask = text
    for between in (_CERTAIN, _UNUSUAL, _ANY) if several or "//" in mask else (_CERTAIN, _UNUSUAL):
        start = 0
        for found in between.finditer(f"{mask} "):
            if "@" in mask[start : found.start()]:
                yield text[start : found.start()].strip("@.+")
            start = found.end()


def _separated(character: str, *, several: bool) -> str:
    """A space for a mark that may separate; letters, and what belongs to them, stay as they are.

    So do marks that stand for one of ASCII, but for dashes that are longer than a hyphen.
    """
    if character in _DASHES:
        return " " if several or character in _LONG else character
    if character.isascii():
        return character if character.isprintable() else " "
    if category(character)[0] not in "PSZC" or category(character) == "Cf":
        return character
    plain = fold(character)
    return character if len(plain) == 1 and plain.isascii() else " "


_DASHES, _LONG = "–—―", "—―"
