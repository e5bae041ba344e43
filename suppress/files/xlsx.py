"""XLSX as it is written: one sheet, row after row, in constant memory.

`xlsxwriter` does the work. Its `constant_memory` keeps a row at a time, in temporary files of its own.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from suppress.errors import BadFile, ExtraMissing, StorageFailed
from suppress.files.contacts import Copy
from suppress.files.output import Output
from suppress.files.records import Record
from suppress.files.sheets import Cell

if TYPE_CHECKING:
    from xlsxwriter.format import Format

_OPTIONS = {
    "constant_memory": True,
    # What a stranger typed into a cell is text, whatever it looks like.
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": True,
}
_UNNAMEABLE = re.compile(r"[\[\]:*?/\\]")
_EPOCH = 1900
"""The first year whose days a cell can count."""


class XlsxCopy(Copy):
    """Rows of a sheet, written as XLSX."""

    def __init__(self, output: Output, sheet: str, width: int) -> None:
        try:
            import xlsxwriter
        except ImportError as missing:
            raise ExtraMissing(
                "writing workbooks needs the extra “excel”", remedy="pip install 'suppress-ledger[excel]'"
            ) from missing
        self._output, self._width = output, width
        # Rows wait in a folder of ours, so that nothing of them stays behind when the run fails.
        self._waiting = tempfile.TemporaryDirectory(prefix="suppress-", ignore_cleanup_errors=True)
        with output.file() as stream:
            self._book = xlsxwriter.Workbook(stream, {**_OPTIONS, "tmpdir": self._waiting.name})
            self._book.use_zip64()
            self._sheet = self._book.add_worksheet(_UNNAMEABLE.sub("_", sheet)[:31].strip("'") or None)
        self._formats = {
            date: self._book.add_format({"num_format": "yyyy-mm-dd"}),
            datetime: self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            time: self._book.add_format({"num_format": "hh:mm:ss"}),
            timedelta: self._book.add_format({"num_format": "[h]:mm:ss"}),
        }
        self._at = 0

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
        from xlsxwriter.exceptions import XlsxWriterException

        with self._output.file():
            try:
                self._book.close()
            except XlsxWriterException as failed:
                raise StorageFailed(f"{self._output.target} cannot be written: {failed}") from failed
        self.abandon()
        self._output.finish()

    def abandon(self) -> None:
        """Let go of the rows that wait."""
        self._sheet._opt_close()
        self._waiting.cleanup()

    def _write(self, cells: Sequence[Cell]) -> None:
        with self._output.file():
            refused = [self._cell(column, cell) for column, cell in enumerate(cells) if cell != ""]
        if any(refused):
            raise BadFile(
                f"row {self._at + 1}: a cell does not fit into XLSX, which has 1,048,576 rows of 16,384 "
                "cells of 32,767 characters",
                remedy="save the sheet as CSV, and give that file",
            )
        self._at += 1

    def _cell(self, column: int, cell: Cell) -> object:
        """Write one cell; what the library answers where it cannot, else 0."""
        place = (self._at, column)
        match cell:
            case str():
                return self._sheet.write_string(*place, cell)
            case bool():
                return self._sheet.write_boolean(*place, cell)
            case datetime() | date() if cell.year < _EPOCH:
                return self._sheet.write_string(*place, cell.isoformat())
            case datetime() | date() | time() | timedelta():
                return self._sheet.write_datetime(*place, cell, self._format(cell))
            case _:
                return self._sheet.write_number(*place, cell)

    def _format(self, cell: date | time | timedelta) -> Format:
        if isinstance(cell, datetime) and cell.time() == time():
            return self._formats[date]
        return self._formats[type(cell)]


def _cells(row: Record) -> list[Cell]:
    assert isinstance(row.held, list)
    return row.held
