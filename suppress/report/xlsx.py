"""The facts as a workbook: a first sheet with the verdict, then one sheet a table, with typed cells.

Rules kept here:

* Every cell is written by its type: numbers as numbers, days and times as dates, yes and no as booleans, and
  any text as text. Nothing is ever read as a formula or a link, whatever it begins with.
* A table longer than a sheet goes on in the next one, with its header again.
* Times are UTC; a day before March 1900, about which programs differ, is text.
* Rows go to disk as they are written, and the file's own dates are those of the report: the same facts give
  the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from typing import TYPE_CHECKING

from suppress.errors import ExtraMissing
from suppress.report.contents import NUMBERS, tables
from suppress.report.facts import Facts
from suppress.report.headline import standing
from suppress.report.table import Table, Value
from suppress.report.words import harmless

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

SHEET_ROWS = 1_048_576
"""Rows of one sheet, its header included (ECMA-376 as Excel reads it)."""
CELL_CHARACTERS = 32_767
_CUT = "… (cut: a cell holds no more; the json format has all of it)"
_FIRST_DAY = date(1900, 3, 1)
"""Before it, programs count days differently: some take 1900 for a leap year."""
_WIDEST, _SAMPLE = 60, 200
_NAME = 28
"""Characters of a table's name that a sheet's name has room for, beside a number."""


def render(facts: Facts, *, sheet_rows: int = SHEET_ROWS) -> bytes:
    """The workbook as bytes.

    Raises:
        ExtraMissing: XlsxWriter is not installed.
    """
    try:
        from xlsxwriter import Workbook
    except ModuleNotFoundError as missing:
        raise ExtraMissing(
            "a workbook needs XlsxWriter, which is not installed",
            remedy="pip install 'suppress-ledger[excel]'",
        ) from missing
    stream = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with Workbook(stream, options) as workbook:
        _Writing(workbook, sheet_rows).write(facts)
    return stream.getvalue()


class _Writing:
    """One workbook in the making."""

    def __init__(self, workbook: Workbook, sheet_rows: int) -> None:
        self._workbook, self._rows = workbook, sheet_rows
        self._formats: Mapping[str, Format] = {
            "title": workbook.add_format({"bold": True, "font_size": 16}),
            "headline": workbook.add_format({"bold": True, "font_size": 12}),
            "header": workbook.add_format({"bold": True, "bottom": 2, "text_wrap": True, "valign": "top"}),
            "bold": workbook.add_format({"bold": True}),
            "total": workbook.add_format({"bold": True, "top": 1}),
            "number": workbook.add_format({"num_format": "#,##0_)"}),
            "day": workbook.add_format({"num_format": "yyyy-mm-dd", "align": "left"}),
            "time": workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"}),
            "text": workbook.add_format({"text_wrap": False}),
        }

    def write(self, facts: Facts) -> None:
        """All sheets."""
        manifest = facts.manifest
        self._workbook.set_properties(
            {
                "title": "Suppression compliance report",
                "subject": f"to {manifest.period.until.isoformat()}",
                "author": manifest.tool,
                "created": manifest.as_of.astimezone(UTC).replace(tzinfo=None),
            }
        )
        found = tables(facts)
        self._first(facts, found)
        for table in found.values():
            self._table(table)

    def _first(self, facts: Facts, found: Mapping[str, Table]) -> None:
        sheet = self._sheet("Report", "Suppression compliance report")
        sheet.set_column(0, 0, 58)
        sheet.set_column(1, 3, 24)
        headline, manifest = standing(facts.verdict), facts.manifest
        lines: list[tuple[tuple[Value, ...], str]] = [
            (("Suppression compliance report",), "title"),
            ((f"{headline.symbol} {headline.headline}: {headline.says}",), "headline"),
            ((), "text"),
            *((row, "bold") for row in found[NUMBERS].rows),
            ((), "text"),
            (("Organisation", manifest.organisation or "not configured"), "text"),
            (("First day of the period", manifest.period.since or "the ledger's first entry"), "text"),
            (("Last day of the period", manifest.period.until), "text"),
            (("As of (UTC)", manifest.as_of), "text"),
            (("Variant", manifest.audience), "text"),
            (("Ledger size", manifest.ledger.size), "text"),
            (("Ledger root", manifest.ledger.root), "text"),
            ((), "text"),
            (("Sheet", "Rows", "What it holds"), "header"),
            *(((table.name, len(table.rows), _says(table)), "text") for table in found.values()),
        ]
        for row, (values, kind) in enumerate(lines):
            for column, value in enumerate(values):
                self._cell(sheet, row, column, value, self._formats[kind] if kind != "text" else None)

    def _table(self, table: Table) -> None:
        rows = iter(table.rows)
        left, part = len(table.rows), 1
        while left > 0 or part == 1:
            here = min(left, self._rows - 1)
            name = table.name[:_NAME] if part == 1 else f"{table.name[:_NAME]} {part}"
            sheet = self._sheet(name, table.caption)
            self._head(sheet, table, here)
            for row, values in enumerate(islice(rows, here), start=1):
                is_total = table.has_total and left == row
                for column, value in enumerate(values):
                    self._cell(sheet, row, column, value, self._formats["total"] if is_total else None)
            left, part = left - here, part + 1

    def _head(self, sheet: Worksheet, table: Table, rows: int) -> None:
        for column, (name, width) in enumerate(zip(table.columns, _widths(table), strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, name, self._formats["header"])
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        sheet.autofilter(0, 0, rows, len(table.columns) - 1)

    def _sheet(self, name: str, title: str) -> Worksheet:
        sheet = self._workbook.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.set_header(f"&L{title}&R&P / &N")
        return sheet

    def _cell(self, sheet: Worksheet, row: int, column: int, value: Value, format_: Format | None) -> None:
        match value:
            case None | "":
                pass
            case bool():
                sheet.write_boolean(row, column, value, format_)
            case int():
                sheet.write_number(row, column, value, format_ or self._formats["number"])
            case date() if (value.date() if isinstance(value, datetime) else value) < _FIRST_DAY:
                sheet.write_string(row, column, value.isoformat(), format_)
            case datetime():
                moment = value.astimezone(UTC).replace(tzinfo=None)
                sheet.write_datetime(row, column, moment, self._formats["time"])
            case date():
                sheet.write_datetime(row, column, value, self._formats["day"])
            case _:
                sheet.write_string(row, column, _fitting(harmless(value)), format_)


def _says(table: Table) -> str:
    return table.caption if table.rows else f"{table.caption}: {table.empty}"


def _fitting(text: str) -> str:
    return text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - len(_CUT)] + _CUT


def _widths(table: Table) -> Sequence[int]:
    """Wide enough for the header and the first rows, and not wider than a screen."""
    found = [len(name) + 3 for name in table.columns]
    for row in table.rows[:_SAMPLE]:
        for column, value in enumerate(row):
            shown = 20 if isinstance(value, datetime) else len(str(value)) + 2
            found[column] = max(found[column], shown)
    return [min(width, _WIDEST) for width in found]
