"""A vendor's words, made fit for a message of ours."""

from __future__ import annotations

import re

# The fullwidth and small forms of "@" are read as "@" by people and by mail programs.
_ADDRESS = re.compile(r"[^\s\"'<>(),;:]*(?:[@\uFF20\uFE6B]|%40|&#64;)[^\s\"'<>(),;]*", re.IGNORECASE)
_SECRET = re.compile(r"[A-Za-z0-9_\-.+/=]{40,}")


def vendor_words(text: str, *, longest: int = 200) -> str:
    """`text` on one line, without control characters, and not long.

    Anything that looks like an address or a token is taken out: a vendor quotes both back in its errors, and
    an error of ours ends up in logs and tickets.
    """
    line = "".join(each if each.isprintable() else " " for each in text[: longest * 20])
    line = " ".join(_SECRET.sub("[…]", _ADDRESS.sub("[address]", line)).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
