"""How one person's address is spelled elsewhere: which spellings to send, and which of them are the same.

Spellings that the match key joins (`straße@` and `strasse@`) are one person here, and two contacts at a
destination that compares bytes. Told only one of them, it would keep mailing the other.

Rules kept here:

* Two spellings are the same when they are equal after what every destination does itself: white space at the
  ends goes, ASCII letters become small. Nothing else may be relied on.
* What stands around an address (a display name, angle brackets, `mailto:`, invisible characters) is not
  sent: no importer takes it.
* A domain outside ASCII is sent in both its forms, Unicode and Punycode (RFC 5890: U-label and A-label), and
  text composed (Unicode NFC, RFC 6532 section 3.1) as well as it was received: these are one address by
  standard, and a destination may hold any of them.
* Nothing is sent whose match key is not the person's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import category, normalize

from suppress.core.address import match_key

_SMALL = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_PLAIN = re.compile(r"[\w.+-]+@[\w.-]+").fullmatch
_WRAPPED = re.compile(
    r".*<([^<>\s]+@[^<>\s]+)>|mailto:([^?\s]+)(?:\?.*)?", re.IGNORECASE | re.DOTALL
).fullmatch
_UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
"""White space and invisible characters (Unicode general categories)."""
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
"""What separates labels (UTS #46, section 2.3)."""


def comparable(spelling: str) -> str:
    """The form in which two spellings are the same for every destination."""
    return spelling.strip().lower() if spelling.isascii() else spelling.strip().translate(_SMALL)


def bare(raw: str, key: str) -> str:
    """The address as it was spelled, without what stands around it; its key where nothing else is left."""
    if _PLAIN(raw) and match_key(raw) == key:
        return raw
    seen = [place for place, each in enumerate(raw) if category(each) not in _UNSEEN]
    text = raw[seen[0] : seen[-1] + 1] if seen else key
    wrapped = _WRAPPED(text)
    inner = "" if wrapped is None else wrapped[1] or wrapped[2]
    text = inner if inner and match_key(inner) == key else text
    return text if match_key(text) == key else key


def forms(spelling: str, key: str) -> tuple[str, ...]:
    """A bare spelling and the forms of it that are the same address by standard, each once."""
    if spelling.isascii() and "xn--" not in spelling.lower():
        return (spelling,)
    found = {comparable(spelling): spelling}
    for form in _equal_by_standard(spelling):
        if match_key(form) == key:
            found.setdefault(comparable(form), form)
    return tuple(found.values())


def _equal_by_standard(spelling: str) -> Iterator[str]:
    composed = normalize("NFC", spelling)
    yield composed
    local, at, domain = composed.rpartition("@")
    # As IDNA 2008 maps it (RFC 5895): small letters, full-width ones narrow, composed. ß and ς stay.
    labels = [normalize("NFC", normalize("NFKC", label).lower()) for label in _DOTS.split(domain)]
    yield local + at + ".".join(map(_in_unicode, labels))
    yield local + at + ".".join(map(_in_ascii, labels))


def _in_unicode(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        found = label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, OverflowError):
        return label
    # What does not lead back to the same bytes is no A-label (RFC 5891, section 5.4).
    return found if found.isprintable() and _in_ascii(found) == label else label


def _in_ascii(label: str) -> str:
    # Punycode takes time squared in the length; no label has over 63.
    return label if label.isascii() or len(label) > 63 else "xn--" + label.encode("punycode").decode()
