"""The redacted variant names nobody: whatever reads as an address in people's own words is masked.

The facts of a redacted report hold no address of a request. Words that staff typed, such as the reason of a
correction or the recipient of a list, are part of the record and can hold one; so can the name of a file or
a source. Those are masked here, once, before any format is rendered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from suppress.report.facts import Facts, Quoted

MASK = "[address]"

_ADDRESS = re.compile(r"[^\s@<>()\[\]{},;:\"'`|=]+@[^\s@<>()\[\]{},;:\"'`|=]+\.[^\s@<>()\[\]{},;:\"'`|=]+")
"""Wider than any standard: a mask too many costs a reader a word, one too few a person's address."""
_QUOTED = re.compile(r"\"[^\"\n]{1,64}\"@[^\s@<>()\[\]{},;:\"'`|=]+")


def redacted(facts: Facts) -> Facts:
    """The facts without anything that reads as an address; a full variant stays as it is."""
    if facts.manifest.audience == "full":
        return facts
    without: Facts = _masked(facts)
    return without


def masked(text: str) -> str:
    """Text without anything that reads as an address."""
    return _ADDRESS.sub(MASK, _QUOTED.sub(MASK, text)) if "@" in text else text


def _masked(value: Any) -> Any:
    found = value
    match value:
        case str() if type(value) is str:
            found = masked(value)
        case Quoted():
            pass  # A signed note with one letter changed is no anchor any more, and it names no person.
        case tuple():
            found = tuple(map(_masked, value))
        case Mapping():
            found = {_masked(key): _masked(each) for key, each in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            changed = {
                each.name: after
                for each in fields(value)
                if each.init and (after := _masked(before := getattr(value, each.name))) != before
            }
            found = replace(value, **changed) if changed else value
    return found
