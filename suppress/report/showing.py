"""How values look to people, on the page and in the document alike."""

from __future__ import annotations

from datetime import UTC, date, datetime

from suppress.report.judging import State
from suppress.report.table import Table, Value
from suppress.report.words import word

MOST_ROWS = 500
"""Rows of a table that people are shown; the data formats hold all."""
NOTHING = "\N{EN DASH}"
"""What stands in an empty cell."""

CODES = {
    "Person": 8,
    "Drawn by": 16,
    **dict.fromkeys(("SHA-256", "Quoted root", "Leaf", "Leaf hash", "Proof, from the leaf up")),
}
"""Columns of identifiers, and how many characters are shown; None for all."""
MARKS = {
    word(State.OVERDUE): "bad",
    word(State.LATE): "bad",
    word(State.AT_RISK): "warn",
    "does not verify": "bad",
    "not run": "warn",
    "verified": "good",
    "no": "warn",
    "yes": "good",
    "open": "warn",
}


def shown(value: Value) -> str:
    """A value as people read it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
        case date():
            return value.isoformat()
        case _:
            return value


def shortened(text: str, column: str) -> str:
    """An identifier as far as this column shows it."""
    most = CODES[column]
    return text if most is None or len(text) <= most else f"{text[:most]}…"


def cut(table: Table) -> str:
    """What is said under a table that is not shown whole."""
    return (
        f"The first {MOST_ROWS:,} of {len(table.rows):,} rows. All of them are in the csv, xlsx and json "
        f"formats of this report ({table.name}.csv)."
    )
