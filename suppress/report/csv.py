"""The facts as CSV: a folder of annexes, one file a table, or one file that holds every figure.

Rules kept here:

* A folder is for people and spreadsheets: `missed.csv`, `roll_forward.csv`, … and `index.csv`, written
  last, which lists every other file with its lines and SHA-256.
* One file is for programs and pipes: the columns `table,row,column,value`, one line a figure, rows from 1.
* A cell that a spreadsheet would run as a formula (it begins with `=`, `+`, `-`, `@`, a tab or a carriage
  return) gets a `'` before it, as OWASP advises. Numbers are written plainly and are never changed.
* UTF-8 without a byte-order mark, lines end with CR LF (RFC 4180), times are RFC 3339 in UTC.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from suppress.report.contents import tables
from suppress.report.facts import Facts
from suppress.report.table import Table, Value

INDEX = "index.csv"
"""The file of a folder that lists the others."""


def folder(facts: Facts) -> dict[str, bytes]:
    """The annexes by file name, the index last."""
    found = {f"{table.name}.csv": _one(table) for table in tables(facts).values()}
    rows = [
        (name, content.count(b"\r\n") - 1, hashlib.sha256(content).hexdigest())
        for name, content in found.items()
    ]
    found[INDEX] = _written(("file", "lines", "sha256"), rows)
    return found


def single(facts: Facts) -> bytes:
    """Every figure in one file."""
    lines = (
        (table.name, number, column, value)
        for table in tables(facts).values()
        for number, row in enumerate(table.rows, start=1)
        for column, value in zip(table.columns, row, strict=True)
    )
    return _written(("table", "row", "column", "value"), lines)


def _one(table: Table) -> bytes:
    return _written(table.columns, table.rows)


def _written(header: Sequence[str], rows: Iterable[Sequence[Value]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return text.getvalue().encode("utf-8", "backslashreplace")


def _cell(value: Value) -> str | int:
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
