"""The JSON Schema of the JSON report, read off the facts themselves, so that it cannot lag behind them.

A reader of a later version finds more names, never fewer and never other kinds (`suppress/report@1`).
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from suppress.core.suppression import Scope
from suppress.report.facts import Facts
from suppress.report.json import SCHEMA

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PLAIN: Mapping[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    type(None): {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    Scope: {"type": "string"},
}


def schema() -> dict[str, Any]:
    """The schema of the whole report."""
    named: dict[str, Any] = {}
    whole = _object(Facts, {}, named)
    return {
        "$schema": DIALECT,
        "$comment": "Written by docs/generate.py from the code; change the code, then run it.",
        "title": SCHEMA,
        **whole,
        "properties": {"schema": {"const": SCHEMA}, **whole["properties"]},
        "required": ["schema", *whole["required"]],
        "$defs": dict(sorted(named.items())),
    }


def _kind(hint: Any, bound: Mapping[Any, Any], named: dict[str, Any]) -> dict[str, Any]:
    hint = bound.get(hint, hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_kind(each, bound, named) for each in arguments]}
    if origin is tuple and arguments[-1] is Ellipsis:
        return {"type": "array", "items": _kind(arguments[0], bound, named)}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _kind(arguments[1], bound, named)}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [each.value for each in hint]}
    if is_dataclass(origin or hint):
        return _reference(origin or hint, arguments, bound, named)
    raise TypeError(f"a {hint} has no place in a report")


def _reference(
    kind: Any, arguments: tuple[Any, ...], bound: Mapping[Any, Any], named: dict[str, Any]
) -> dict[str, Any]:
    given = [bound.get(each, each) for each in arguments]
    members = [member for each in given for member in (typing.get_args(each) or (each,))]
    name = "_".join(each.__name__ for each in (kind, *members))
    if name not in named:
        named[name] = {}
        named[name] = _object(kind, dict(zip(getattr(kind, "__parameters__", ()), given, strict=True)), named)
    return {"$ref": f"#/$defs/{name}"}


def _object(kind: Any, bound: Mapping[Any, Any], named: dict[str, Any]) -> dict[str, Any]:
    """The fields of a fact, then what it works out from them, as `json.plain` writes them."""
    hints = typing.get_type_hints(kind)
    found = {each.name: _kind(hints[each.name], bound, named) for each in fields(kind)}
    for name, value in vars(kind).items():
        if isinstance(value, property) and value.fget is not None:
            found[name] = _kind(typing.get_type_hints(value.fget)["return"], bound, named)
    says = (kind.__doc__ or "").strip().splitlines()[0]
    return {"description": says, "type": "object", "properties": found, "required": list(found)}
