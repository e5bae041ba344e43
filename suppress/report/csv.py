"""The facts as CSV: a folder of annexes, one file a table, or one file that holds every figure.

Rules kept here:

* A folder is for people and spreadsheets: `missed.csv`, `roll_forward.csv`, …, `requests.csv` with every
  request one by one, and `index.csv`, written last, which lists every other file with lines and SHA-256.
* One file is for programs and pipes: the columns `table,row,column,value`, one line a figure, rows from 1.
* A cell that a spreadsheet would run as a formula (it begins with `=`, `+`, `-`, `@`, a tab or a carriage
  return) gets a `'` before it, as OWASP advises. Numbers are written plainly and are never changed.
* UTF-8 without a byte-order mark, lines end with CR LF (RFC 4180), times are RFC 3339 in UTC.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from suppress.report.attachments import digest_of
from suppress.report.contents import tables
from suppress.report.facts import Facts
from suppress.report.packed import Packed
from suppress.report.table import Table, Value, cell

INDEX = "index.csv"
"""The file of a folder that lists the others."""


def folder(facts: Facts, long: Mapping[str, Packed] | None = None) -> dict[str, bytes]:
    """The annexes by file name, the index last, which lists the `long` files beside them as well."""
    found = {f"{table.name}.csv": _one(table) for table in tables(facts).values()}
    listed: dict[str, bytes | Packed] = {**found, **(long or {})}
    rows = [(name, _lines(content) - 1, digest_of(content)) for name, content in listed.items()]
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


def _lines(content: bytes | Packed) -> int:
    return content.lines if isinstance(content, Packed) else content.count(b"\r\n")


def _one(table: Table) -> bytes:
    return _written(table.columns, table.rows)


def _written(header: Sequence[str], rows: Iterable[Sequence[Value]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    for row in rows:
        writer.writerow([cell(value) for value in row])
    return text.getvalue().encode("utf-8", "backslashreplace")
