"""A table of facts, as html shows it and csv writes it: named columns, plain values, one row a thing.

What a value looks like is the renderer's business. A total is the last row, and its first words say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeAlias, TypeVar

Value: TypeAlias = str | int | bool | date | datetime | None
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Table:
    """One table. `empty` is what to say when it has no rows."""

    name: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    empty: str = "None in this period."
    has_total: bool = False

    def numeric(self, column: int) -> bool:
        """Whether all values of a column are numbers."""
        values = [row[column] for row in self.rows if row[column] is not None]
        return bool(values) and all(type(value) is int for value in values)


def turned(table: Table, at_once: int) -> tuple[Table, ...]:
    """The table on its side, a few of its rows at a time: one column each, one row for each former column."""
    found = []
    for start in range(0, len(table.rows), at_once):
        rows = table.rows[start : start + at_once]
        found.append(
            Table(
                name=table.name if start == 0 else f"{table.name}-{start // at_once + 1}",
                caption=table.caption if start == 0 else f"{table.caption}, continued",
                columns=(table.columns[0], *(str(row[0]) for row in rows)),
                rows=tuple(
                    (name, *(row[place] for row in rows))
                    for place, name in enumerate(table.columns)
                    if place > 0
                ),
            )
        )
    return tuple(found)


class Listing(Generic[T]):
    """Makes a table of things, one row each: `Listing(people).column("Entry", lambda each: each.seq)`."""

    def __init__(self, things: Iterable[T]) -> None:
        self._things = tuple(things)
        self._columns: list[tuple[str, Callable[[T], Value]]] = []

    def column(self, name: str, value: Callable[[T], Value], *, wanted: bool = True) -> Listing[T]:
        """One more column, unless it is not wanted."""
        if wanted:
            self._columns.append((name, value))
        return self

    def table(
        self, name: str, caption: str, *, empty: str = "None in this period.", has_total: bool = False
    ) -> Table:
        """The finished table."""
        return Table(
            name=name,
            caption=caption,
            columns=tuple(column for column, _ in self._columns),
            rows=tuple(tuple(value(each) for _, value in self._columns) for each in self._things),
            empty=empty,
            has_total=has_total,
        )


def pairs(name: str, caption: str, rows: Iterable[tuple[str, Value]], *, empty: str = "None.") -> Table:
    """A table of names and values."""
    return Table(name, caption, ("Item", "Value"), tuple(rows), empty=empty)


def cell(value: Value) -> str | int:
    """A value as every CSV file has it; text that a spreadsheet would run is marked as text."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return value
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case _:
            return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
