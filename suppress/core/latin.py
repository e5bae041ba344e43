"""Match keys of many addresses at once, where they are what nearly all are beyond ASCII: a Latin name, or a
domain with one.

    read(["Jörg@example.com", "pat@XN--bcher-KVA.example", "Pat <p@x.com>"])
    # [("jörg@example.com", False), ("pat@xn--bcher-kva.example", True), None]

It says nothing that `address` would not say of each: what is in doubt is None, and has to be asked there.

Tricks, by name:

* *Folded in one go*: all are composed and put in lower case as one text of many lines. Of the letters in
  `_LETTERS`, and only of these, that is all there is to folding (`folding`).
* *Domains once*: there are few beyond ASCII, and each is read by `address` when it comes up first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias
from unicodedata import normalize

from suppress.core.address import MAX_LOCAL, Address, key_at_once

_LETTERS = "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįĵķĸĺļľłńņňŋōŏőœŕŗřśŝşšţťŧũūŭůűųŵŷźżž"
"""Letters that any spelling of them folds to by composing it and taking its lower case."""
_UP_TO = 80
"""Characters of an address that is read here: none of them is a flaw."""

_LINE = re.compile(
    rf" *(?!_x00)([a-z0-9_{_LETTERS}]+(?:[.+-][a-z0-9_{_LETTERS}]+)*)@([a-z0-9_.{_LETTERS}-]+) *"
)
_IS_HOST = re.compile(r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*(?<=[a-z])").fullmatch
"""Domains that are their own key, but for A-labels."""


Read: TypeAlias = tuple[str, bool]
"""A match key, and whether its address is sound, as `Address.sound`."""


def read(cells: Sequence[str]) -> list[Read | None]:
    """What `key_at_once` and `Address.sound` say of each, or None. No cell holds a line break."""
    if not cells:
        return []
    lines = normalize("NFC", "\n".join(cells)).lower().split("\n")
    found = map(_LINE.fullmatch, lines)
    return [
        _read(cell, *parts.groups()) if parts is not None and len(cell) <= _UP_TO else None
        for cell, parts in zip(cells, found, strict=True)
    ]


def _read(cell: str, local: str, labels: str) -> Read | None:
    if labels.isascii() and "xn--" not in labels:
        if local.isascii():
            key = key_at_once(cell)
            return None if key is None else (key, Address(cell, key).sound)
        if _IS_HOST(labels):
            return f"{local}@{labels}", False
    domain, sound = _domain(labels)
    return (f"{local}@{domain}", sound and local.isascii() and len(local) <= MAX_LOCAL) if domain else None


@lru_cache(maxsize=65_536)
def _domain(labels: str) -> tuple[str, bool]:
    """The domain in a match key, empty where it has to be read to know; and whether it has no flaw."""
    key = key_at_once(f"é@{labels}")
    if key is None:
        return "", False
    domain = key.partition("@")[2]
    return domain, Address(f"e@{domain}", f"e@{domain}").sound
