"""XLSX as it is written: one sheet, row after row, straight into the archive.

`xlsxwriter` makes a workbook with an empty sheet, and rows are written where its rows would stand, texts
within their cells (ECMA-376 part 1, 18.3.1.53). To write them in constant memory takes it five times as long;
whatever else belongs to a workbook is its work.
"""

from __future__ import annotations

import contextlib
import io
import math
import re
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import IO

from suppress.errors import BadFile, ExtraMissing
from suppress.files.contacts import Copy
from suppress.files.output import Output
from suppress.files.records import Record
from suppress.files.sheets import Cell

_SHEET = "xl/worksheets/sheet1.xml"
_UNNAMEABLE = re.compile(r"[\[\]:*?/\\]")
_DATE, _MOMENT, _CLOCK, _SPAN = range(1, 5)
_FORMATS = {_DATE: "yyyy-mm-dd", _MOMENT: "yyyy-mm-dd hh:mm:ss", _CLOCK: "hh:mm:ss", _SPAN: "[h]:mm:ss"}
"""How programs show what a cell counts in days."""
_ROWS, _COLUMNS, _LONGEST = 1_048_576, 16_384, 32_767
_YEAR = 1900
"""The first year whose days a cell can count."""
_BEFORE = date(1899, 12, 31).toordinal()
"""The day before the first."""
_LEAP = 59
"""Days after which one is counted that never was: for these programs 1900 was a leap year."""
_DAY = timedelta(days=1)
_GATHERED = 1 << 16
"""Characters of rows that are written together."""
_QUICK = 3
"""How hard the archive is pressed: three times quicker than usual, a tenth larger."""

_IS_SIMPLE = re.compile(r"(?!\s)[^&<>_\x00-\x1f\ud800-\udfff\ufffe\uffff]*(?<!\s)").fullmatch
"""Texts that stand in XML as they are."""
_ESCAPE = re.compile("_(?=x[0-9a-fA-F]{4}_)")
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
"""What XML does not keep: it is written as an escape of its own (ECMA-376 part 1, 22.9.2.19)."""
_HALVES = re.compile("[\ud800-\udfff]")


class XlsxCopy(Copy):
    """Rows of a sheet, written as XLSX."""

    def __init__(self, output: Output, sheet: str, width: int) -> None:
        self._output, self._width = output, width
        members = _members(sheet)
        before, _, rest = members.pop(_SHEET).partition("<sheetData>")
        self._behind = rest.partition("</sheetData>")[2]
        with output.file() as stream:
            self._archive = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=_QUICK)
            for name, content in members.items():
                self._archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
            self._content: IO[bytes] = self._archive.open(_SHEET, "w", force_zip64=True)
        self._at = 0
        self._names: list[str] = []
        # What the sheet says of its size is that of no rows.
        self._waiting = [re.sub("<dimension [^>]*>", "", before), "<sheetData>"]
        self._size = 0

    def keep(self, rows: Sequence[Record]) -> None:
        """Write rows as they are."""
        for row in rows:
            self._write(_cells(row))

    def add(self, row: Record, more: Sequence[str]) -> None:
        """Write one row with cells after its own."""
        cells = _cells(row)
        self._write([*cells, *[""] * (self._width - len(cells)), *more] if more else cells)

    def finish(self) -> None:
        """Bring all of it to the disk."""
        self._waiting += ["</sheetData>", self._behind]
        self._flush()
        with self._output.file():
            self._content.close()
            self._archive.close()
        self._output.finish()

    def abandon(self) -> None:
        """Let go of what was begun."""
        with contextlib.suppress(OSError, ValueError):
            self._content.close()
            self._archive.close()

    def _write(self, cells: Sequence[Cell]) -> None:
        number = self._at + 1
        if len(self._names) < len(cells):
            from xlsxwriter.utility import xl_col_to_name

            self._names += [xl_col_to_name(each) for each in range(len(self._names), len(cells))]
        named = zip(self._names, cells, strict=False)  # there may be more names
        inside = "".join([f'<c r="{name}{number}"{_value(cell)}</c>' for name, cell in named if cell != ""])
        is_long = len(inside) > _LONGEST // 2 and any(map(_is_long, cells))
        if is_long or number > _ROWS or len(cells) > _COLUMNS:
            raise BadFile(
                f"row {number}: a cell does not fit into XLSX, which has 1,048,576 rows of 16,384 "
                "cells of 32,767 characters",
                remedy="save the sheet as CSV, and give that file",
            )
        self._at = number
        self._waiting.append(f'<row r="{number}">{inside}</row>')
        self._size += len(inside)
        if self._size > _GATHERED:
            self._flush()

    def _flush(self) -> None:
        with self._output.file():
            self._content.write("".join(self._waiting).encode())
        self._waiting, self._size = [], 0


def _members(sheet: str) -> dict[str, str]:
    """What is in a workbook with one sheet, in which a row has a cell of each format."""
    try:
        import xlsxwriter
    except ImportError as missing:
        raise ExtraMissing(
            "writing workbooks needs the extra “excel”", remedy="pip install 'suppress-ledger[excel]'"
        ) from missing
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        only = book.add_worksheet(_UNNAMEABLE.sub("_", sheet)[:31].strip("'") or None)
        for column, shown in enumerate(_FORMATS.values()):
            only.write_blank(0, column, None, book.add_format({"num_format": shown}))
    with zipfile.ZipFile(made) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def _value(cell: Cell) -> str:
    """What stands in a cell, from its attributes on."""
    match cell:
        case str():
            if _IS_SIMPLE(cell):
                return f' t="inlineStr"><is><t>{cell}</t></is>'
            return f' t="inlineStr"><is><t xml:space="preserve">{_escaped(cell)}</t></is>'
        case bool():
            return f' t="b"><v>{cell:d}</v>'
        case datetime() | date() if cell.year < _YEAR:
            return _value(cell.isoformat())
        case datetime() if cell.time() != time():
            return _days(_date(cell) + _part(cell.time()), _MOMENT)
        case date():
            return _days(_date(cell), _DATE)
        case time():
            return _days(_part(cell), _CLOCK)
        case timedelta():
            return _days(cell / _DAY, _SPAN)
        case _ if math.isfinite(cell):
            return f"><v>{cell!r}</v>"
        case _:
            return ' t="e"><v>#NUM!</v>'


def _days(days: float, shown: int) -> str:
    """A cell that counts days, by how they are shown."""
    return f' s="{shown}"><v>{days!r}</v>'


def _date(day: date) -> int:
    """A day's number."""
    number = day.toordinal() - _BEFORE
    return number + (number > _LEAP)


def _part(clock: time) -> float:
    """Which part of a day is over."""
    since = timedelta(0, clock.second, clock.microsecond, 0, clock.minute, clock.hour)
    return since / _DAY


def _escaped(text: str) -> str:
    text = _FORBIDDEN.sub(lambda found: f"_x{ord(found[0]):04X}_", _ESCAPE.sub("_x005F_", text))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _HALVES.sub("\ufffd", text)


def _is_long(cell: Cell) -> bool:
    """Whether a text has too many characters, as programs count them: some are two."""
    return (
        isinstance(cell, str)
        and len(cell) > _LONGEST // 2
        and len(cell.encode("utf-16-le", "surrogatepass")) > 2 * _LONGEST
    )


def _cells(row: Record) -> list[Cell]:
    assert isinstance(row.held, list)
    return row.held
