# ruff: noqa: RUF001, RUF002  (letters and marks that look alike are the subject of this module)
"""Text folded until spellings that people and programs take for the same are the same text.

Rules kept here:

* Case, compatibility forms, composed and decomposed accents, invisible characters and kinds of white space
  never tell two texts apart: a text, its upper and lower case and its four normal forms fold to one.
* Where languages write capitals differently, the reading that joins more spellings wins, because a missed
  suppression breaks the law and a needless one costs a contact: Turkish ı, İ and i are one letter; Greek
  capitals carry no accents (ΝΙΚΟΣ is Νίκος); ß is ss.
* Marks that word processors put in place of ASCII ones (curly quotes, long dashes, ideographic stops) are
  read as the ASCII ones.
* No input fails, a lone surrogate included, and time grows with the length of the input, not its square.

Letters of different alphabets that merely look alike stay different. `address` reads folded text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from unicodedata import combining, normalize

_IGNORED = re.compile(
    "["
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # control characters that are not white space
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"  # Default_Ignorable_Code_Point (Unicode 15, DerivedCoreProperties.txt)
    "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\ufff9-\uffff"  # other format characters, and marks of damage
    "\U000110bd\U000110cd\U00013430-\U0001343f"
    "]"
)

_ALIKE = str.maketrans(
    {
        "ı": "i",
        **dict.fromkeys("‘’‚‛′‵‹›ʻʼʽꞌ`", "'"),
        **dict.fromkeys("“”„‟″‶«»〝〞〟「」『』", '"'),
        **dict.fromkeys("〈《⟨❮❰", "<"),
        **dict.fromkeys("〉》⟩❯❱", ">"),
        **dict.fromkeys("【〔", "["),
        **dict.fromkeys("】〕", "]"),
        **dict.fromkeys("‐‑‒–—―−⁃", "-"),
        "。": ".",
        **dict.fromkeys("、،", ","),
        **dict.fromkeys("؛⁏", ";"),
        "∶": ":",
        **dict.fromkeys("⁄∕", "/"),
        "\u2800": " ",  # Braille blank: prints nothing
    }
)

_MOJIBAKE = re.compile("i\u0308»¿|a\u0302€‹")
"""A byte-order mark, and a zero-width space, of UTF-8 that was read as cp1252 (decomposed)."""

_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_LONE = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile("[\udc80-\udcff]{2,}")
_SPACE = re.compile(r"\s")
_DOTTED = re.compile("i[\u0300-\u036f]+")
_GREEK = re.compile("[\u0370-\u03ff]")

_SHORT = 500
_LONG = 10_000
"""Characters. A text of `_SHORT` cannot decompose into more than `_LONG`: U+FDFA, the worst, gives 18."""


_LATIN = re.compile("[ -~À-ÖØ-öø-įĲ-ľŁ-ňŊ-ž]*")
"""Composed text in which each character folds as it does alone: the names of Europe are.

Without İ and ı, and without those that fold to more than letters.
"""


def fold(text: str) -> str:
    """The folded text: no control or invisible characters, every white space a plain space."""
    if text.isascii():
        plain = text.lower().replace("`", "'")
        return plain if plain.isprintable() else _SPACE.sub(" ", _IGNORED.sub("", plain))
    if len(text) <= _SHORT and _LATIN.fullmatch(composed := normalize("NFC", text)):
        return composed.translate(_ALONE)
    return _folded(text)


def _folded(text: str) -> str:
    """The folded text, of any characters in any order."""
    if _LONE.search(text):
        text = _LONE.sub(_byte, _ESCAPED.sub(_bytes, _PAIR.sub(_joined, text)))
    if len(text) > _SHORT:
        spread = text.translate(_SPREAD)
        if len(spread) > _LONG:
            # Sorting accents takes time squared in their number. No address is this long: leave them out.
            return _SPACE.sub(" ", spread.translate(_BARE))
    text = _decomposed(text)
    text = _MOJIBAKE.sub("", text)
    if "\u0301" in text and " " in text:
        text = _with_apostrophes(text)
    text = _DOTTED.sub(_without_dot, text.translate(_ALIKE))
    if _GREEK.search(text):
        text = _without_greek_accents(text)
    return _SPACE.sub(" ", normalize("NFKC", text))


def _decomposed(text: str) -> str:
    """Decomposed before and after folding: U+0345 sorts behind other marks, then becomes a letter."""
    folded = normalize("NFKD", _IGNORED.sub("", text)).casefold()
    return _IGNORED.sub("", normalize("NFKD", folded))


def _with_apostrophes(text: str) -> str:
    """An acute accent typed alone for an apostrophe (o´brien) decomposes to a space that bears the accent."""
    first, *pieces = text.split(" ")
    kept = [first]
    for piece in pieces:
        end = 0
        while end < len(piece) and combining(piece[end]):
            end += 1
        # Before an iota nobody can say whose accent it was: see `_without_greek_accents`.
        alone = "\u0301" in piece[:end] and piece[end : end + 1] != "ι"
        kept.append("'" + piece[end:] if alone else " " + piece)
    return "".join(kept)


def _without_dot(found: re.Match[str]) -> str:
    """İ folds to i with a dot above; Turkish lower case is a plain i."""
    return found.group().replace("\u0307", "")


def _without_greek_accents(text: str) -> str:
    """Greek letters bare, and bare what precedes an iota: upper case makes an iota subscript a letter."""
    kept: list[str] = []
    greek = False
    for character in text:
        if combining(character):
            if not greek:
                kept.append(character)
            continue
        greek = "\u0370" <= character <= "\u03ff"
        if character == "ι":
            while kept and combining(kept[-1]):
                kept.pop()
        kept.append(character)
    return "".join(kept)


def _joined(pair: re.Match[str]) -> str:
    return pair.group().encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def _bytes(escaped: re.Match[str]) -> str:
    """Escaped bytes that are UTF-8 after all: the command line of a process whose locale is not UTF-8."""
    try:
        return escaped.group().encode("ascii", "surrogateescape").decode()
    except UnicodeDecodeError:
        return escaped.group()


def _byte(lone: re.Match[str]) -> str:
    """`surrogateescape` keeps a byte that is not UTF-8 as U+DC80 to U+DCFF: it was most likely cp1252."""
    code = ord(lone.group())
    if not 0xDC80 <= code <= 0xDCFF:
        return "\ufffd"
    byte = bytes([code - 0xDC00])
    try:
        return byte.decode("cp1252")
    except UnicodeDecodeError:
        return byte.decode("latin-1")


class _PerCharacter(dict[int, str]):
    """A table for `str.translate` that fills itself as characters come up."""

    def __init__(self, rule: Callable[[str], str]) -> None:
        super().__init__()
        self._rule = rule

    def __missing__(self, code: int) -> str:
        self[code] = found = self._rule(chr(code))
        return found


_ALONE = _PerCharacter(_folded)
_SPREAD = _PerCharacter(lambda character: _decomposed(character).translate(_ALIKE))
_BARE = _PerCharacter(lambda character: "" if combining(character) else character)
