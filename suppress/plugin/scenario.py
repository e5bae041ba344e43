"""Scenarios of simulators: by name or from a TOML file with the fields of a dataclass, and faults that count.

```python
@dataclass(slots=True)
class Fault(Strikes):
    trap: Trap
    call: str | None = None
    after: int = 0
    times: int = 1


def load(name):
    return loaded(name, NAMED, fault=lambda table: Fault(**{**table, "trap": Trap(str(table.get("trap")))}))
```
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from suppress.errors import BadFile


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


_S = TypeVar("_S", bound=_Dataclass)


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


def loaded(
    name: str | None, named: Mapping[str, _S], *, fault: Callable[[dict[str, Any]], object] | None = None
) -> _S:
    """A scenario by its name, or from a file; the first that has a name without either.

    `fault` makes one of a table of `[[faults]]`; None where the platform has none.

    Raises:
        BadFile: The file cannot be read, or has a key or a value that no scenario has.
    """
    first = next(iter(named))
    if name is None or name in named:
        return named[name or first]
    try:
        given = tomllib.loads(Path(name).read_text(encoding="utf-8"))
        return _made(type(named[first]), given, fault)
    except OSError as refused:
        known = ", ".join(named)
        raise BadFile(f"{name} cannot be read: {refused.strerror} (scenarios by name: {known})") from None
    except (ValueError, TypeError) as wrong:
        raise BadFile(f"{name} is no scenario: {wrong}") from None


def _made(kind: type[_S], given: dict[str, Any], fault: Callable[[dict[str, Any]], object] | None) -> _S:
    known = {each.name for each in fields(kind)}
    if unknown := sorted(given.keys() - known):
        raise ValueError(f"unknown key {unknown[0]!r}; known: {', '.join(sorted(known))}")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    if fault is not None:
        faults = values.get("faults", ())
        if not isinstance(faults, tuple) or not all(isinstance(each, dict) for each in faults):
            raise TypeError("faults is a list of tables: [[faults]]")
        values["faults"] = tuple(map(fault, faults))
    # A value of a wrong kind shows when it is used.
    return kind(**values)
