"""Whom a cell of a list names, as it was written there, and what each of several people keeps of it.

Rules kept here:

* Of a cell that names several people, the cell read as one address is nobody. Each person is recorded by
  what stands for them in it.
* Two spellings of one person are both recorded: a destination that compares bytes has to be told both.
* Nobody's evidence holds somebody else's address: whoever is erased would be left in it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from suppress.core.address import Address, addresses_in, match_key
from suppress.core.spelling import bare, comparable

_UP_TO = 2_000
"""Characters of a cell that may hold addresses."""
_BETWEEN = re.compile(r"[\s;,<>()\[\]:?|/\"]+")
"""What stands between the addresses of a cell that names several."""


def addresses_of(cells: Sequence[str]) -> list[Address]:
    """All addresses of a row, without doubles; two spellings of one are no doubles."""
    found: dict[tuple[str, str], Address] = {}
    for cell in cells:
        if len(cell) <= _UP_TO:
            for each in _in_cell(cell):
                found.setdefault((each.key, comparable(bare(each.raw, each.key))), each)
    return list(found.values())


def own_cells(cells: Mapping[str, str], own: str, people: Collection[str]) -> dict[str, str]:
    """The cells of a row that names these people, by match key, as one of them may keep them.

    In a cell with somebody else's address only one's own is left.
    """
    kept = {}
    for name, text in cells.items():
        found = _in_cell(text) if len(text) <= _UP_TO else ()
        shared = len(text) > _UP_TO or any(each.key != own and each.key in people for each in found)
        left = "; ".join(each.raw for each in found if each.key == own) if shared else text
        if left:
            kept[name] = left
    return kept


def _in_cell(cell: str) -> tuple[Address, ...]:
    found = addresses_in(cell)
    if cell.count("@") < 2 or not found:
        return found
    whole, *pieces = found
    written: dict[str, list[str]] = {}
    for piece in _BETWEEN.split(cell):
        if "@" in piece:
            written.setdefault(match_key(piece), []).append(piece)
    # Of `a@x.com; b@y.com` the cell read as one address is a name that nobody has.
    odd = whole.key.startswith('"') and (len(pieces) > 1 or whole.key.count("@") > 1)
    nobody = bool(pieces) and odd
    several = pieces if nobody else found
    other = whole.raw if not pieces else ""
    return tuple(
        Address(raw, each.key) for each in several for raw in written.get(each.key, [other or each.key])
    )
