"""On which line of a TOML file each key stands, for messages about it.

The standard library's parser gives values without their places. Lines are put together until they parse as a
statement, so that no second grammar of TOML is needed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import TypeAlias

Path: TypeAlias = "tuple[str | int, ...]"
"""`("version",)`, `("policy", 0)` for a table of an array, `("policy", 0, "n")`."""
Lines: TypeAlias = Mapping[Path, int]


def lines(text: str) -> Lines:
    """The line, from 1, on which each key of a valid TOML text first stands."""
    found: dict[Path, int] = {}
    counts: dict[str, int] = {}
    table: Path = ()
    statement: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        statement.append(line)
        try:
            parsed = tomllib.loads("\n".join(statement))
        except (ValueError, RecursionError):
            continue
        began, opening = number - len(statement) + 1, statement[0].lstrip()
        statement.clear()
        path = _spine(parsed)
        if opening.startswith("[["):
            name = str(path[0])
            table = (name, counts.setdefault(name, 0))
            counts[name] += 1
            found.setdefault((name,), began)
            found[table] = began
        elif opening.startswith("["):
            inside = table[:2] if table[:1] == path[:1] and path[0] in counts else path[:1]
            table = (*inside, *path[1:])
            found.setdefault(table, began)
        elif path:
            for size in range(1, len(path) + 1):
                found.setdefault((*table, *path[:size]), began)
    return found


def _spine(parsed: object) -> tuple[str, ...]:
    """The keys that one statement names, outermost first."""
    keys: list[str] = []
    while isinstance(parsed, dict) and len(parsed) == 1:
        ((key, parsed),) = parsed.items()
        keys.append(key)
    return tuple(keys)
