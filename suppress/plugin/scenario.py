"""Scenarios of simulators: by name or from a file with the fields of a dataclass, and faults that count.

A file is TOML or JSON. An unknown key, or a value of the wrong kind, is refused with its place.

```python
@dataclass(slots=True)
class Fault(Strikes):
    trap: Trap
    call: str | None = None
    after: int = 0
    times: int = 1


def load(name):
    return loaded(name, NAMED)
```
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from suppress.errors import BadFile

_WORDS: Mapping[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    datetime: "a date and time",
}
_T = TypeVar("_T")


class Strikes:
    """What a fault is for: a call, after so many of them, and so often. A dataclass has the three fields."""

    call: str | None
    after: int
    times: int

    def strikes(self, call: str) -> bool:
        """Whether this call is one that it is for; each time counts."""
        if self.call not in (None, call) or not self.times:
            return False
        if self.after:
            self.after -= 1
            return False
        self.times -= 1
        return True


def loaded(name: str | None, named: Mapping[str, _T]) -> _T:
    """A scenario by its name, or from a file; the first that has a name without either.

    Raises:
        BadFile: The file cannot be read, or has a key or a value that no scenario has.
    """
    first = next(iter(named))
    if name is None or name in named:
        return named[name or first]
    return read(type(named[first]), Path(name), named=named)


def read(kind: type[_T], path: Path, *, named: Iterable[str]) -> _T:
    """A scenario file; `kind` is the dataclass of its keys, and `named` says which need no file.

    Raises:
        BadFile: It cannot be read, is neither TOML nor JSON, or has a key or a value that no scenario has.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as failure:
        why = failure.strerror if isinstance(failure, OSError) else "it is not UTF-8 text"
        known = f"scenarios by name: {', '.join(named)}"
        raise BadFile(f"{path}: cannot be read: {why} ({known})") from None
    try:
        found = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except ValueError as failure:
        raise BadFile(f"{path}: {failure}") from None
    return _built(kind, found, f"{path}: ")


def _built(kind: type[_T], value: object, where: str) -> _T:
    if not isinstance(value, Mapping):
        raise BadFile(f"{where.rstrip(': .')}: must be a table")
    hints = get_type_hints(kind)
    known = [member.name for member in fields(kind)]  # type: ignore[arg-type]  # only dataclasses come here
    for name in value:
        if name not in known:
            raise BadFile(f"{where}{name}: there is no such key; known: {', '.join(known)}")
    members = {name: _read(hints[name], held, f"{where}{name}") for name, held in value.items()}
    try:
        return kind(**members)
    except TypeError:
        missing = [name for name in known if name not in members]
        raise BadFile(f"{where.rstrip(': .')}: lacks one of {', '.join(missing)}") from None


def _read(hint: Any, value: object, where: str) -> object:
    if isinstance(hint, UnionType):
        hint = next(one for one in get_args(hint) if one is not type(None))
    if get_origin(hint) is Mapping:
        if not isinstance(value, Mapping):
            raise BadFile(f"{where}: must be a table")
        inner = get_args(hint)[1]
        return {key: _read(inner, one, f"{where}.{key}") for key, one in value.items()}
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise BadFile(f"{where}: must be a list")
        inner = get_args(hint)[0]
        return tuple(_read(inner, one, f"{where}[{index}]") for index, one in enumerate(value))
    if is_dataclass(hint) and isinstance(hint, type):
        return _built(hint, value, f"{where}.")
    if issubclass(hint, StrEnum):
        if value not in tuple(hint):
            raise BadFile(f"{where}: must be one of {', '.join(hint)}")
        return hint(str(value))
    return _scalar(hint, value, where)


def _scalar(hint: type, value: object, where: str) -> object:
    if hint is datetime and isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise BadFile(f"{where}: must be a date and time such as 2026-11-20T00:00:00Z") from None
    if hint is float and type(value) is int:
        value = float(value)
    if type(value) is not hint:
        raise BadFile(f"{where}: must be {_WORDS[hint]}")
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value
    # Only a clock may be behind.
    if isinstance(value, int | float) and value < 0 and not where.endswith("skew"):
        raise BadFile(f"{where}: must not be negative")
    return value
