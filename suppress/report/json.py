"""The facts as one JSON object: what every other format renders, for programs.

Times are RFC 3339 in UTC, days ISO 8601. What a fact works out from its own fields (`holds`, `expected`) is
there too, so that a reader need not know how.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from suppress.core.suppression import Scope
from suppress.report.facts import Facts

SCHEMA = "suppress/report@1"


def render(facts: Facts) -> bytes:
    """The object as UTF-8, indented for people, ending with a line end."""
    found = {"schema": SCHEMA, **plain(facts)}
    return (json.dumps(found, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "backslashreplace")


def plain(fact: object) -> dict[str, object]:
    """A fact as plain values: its fields, then what it works out from them."""
    return {name: _plain(getattr(fact, name)) for name in _names(fact)}


def _plain(value: object) -> object:
    match value:
        case None | bool() | int():
            return value
        case Enum():
            return value.value
        case str():
            return value
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case Scope():
            return str(value)
        case Mapping():
            return {str(_plain(key)): _plain(each) for key, each in value.items()}
        case tuple() | list():
            return [_plain(each) for each in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return plain(value)
        case _:
            raise TypeError(f"a {type(value).__name__} has no place in a report")


def _names(fact: Any) -> Iterator[str]:
    """The fields of a fact, then what it works out from them."""
    yield from (each.name for each in fields(fact))
    yield from (name for name, value in vars(type(fact)).items() if isinstance(value, property))
