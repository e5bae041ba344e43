"""ODS as it is written: one sheet, row after row, straight into the archive.

What it takes to be read by spreadsheet programs is in OpenDocument 1.2: the type of the archive as its first
member, uncompressed (part 3, 3.3), a list of members (part 3, 4), and the cells (part 1, 9.1 and 19.385).
"""

from __future__ import annotations

import contextlib
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import IO
from xml.sax.saxutils import escape, quoteattr

from suppress.files.contacts import Copy
from suppress.files.output import Output
from suppress.files.records import Record
from suppress.files.sheets import Cell

TYPE = "application/vnd.oasis.opendocument.spreadsheet"

_NEVER = (1980, 1, 1, 0, 0, 0)
"""The time of all members: what is written depends on nothing but the rows."""

_NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text", "style")
)
_NUMBERS = 'xmlns:number="urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0"'
_DATE = (
    "<number:year number:style='long'/>-<number:month number:style='long'/>-<number:day number:style='long'/>"
)
_CLOCK = (
    "<number:hours number:style='long'/>:<number:minutes number:style='long'/>:"
    "<number:seconds number:style='long'/>"
)
_STYLES = "".join(
    f'<number:{kind}-style style:name="n-{name}" {more}>{_texts}</number:{kind}-style>'
    f'<style:style style:name="{name}" style:family="table-cell" style:data-style-name="n-{name}"/>'
    for name, kind, more, parts in (
        ("date", "date", "", _DATE),
        ("moment", "date", "", f"{_DATE} {_CLOCK}"),
        ("time", "time", 'number:truncate-on-overflow="false"', _CLOCK),
        ("boolean", "boolean", "", "<number:boolean/>"),
    )
    for _texts in [re.sub(r"(?<=>)([-: ])(?=<)", r"<number:text>\1</number:text>", parts)]
)
"""How programs show dates, times and truth; without it, they show the numbers that stand for them."""
_MANIFEST = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" '
    'manifest:version="1.2">'
    f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{TYPE}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
    "</manifest:manifest>"
)
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even as a reference."""
_SPACES = re.compile(r"  +|\t|\n|^ | $")


class OdsCopy(Copy):
    """Rows of a sheet, written as ODS."""

    def __init__(self, output: Output, sheet: str, width: int) -> None:
        self._output, self._width = output, width
        with output.file() as stream:
            self._archive = zipfile.ZipFile(stream, "w")
            self._archive.writestr(zipfile.ZipInfo("mimetype", _NEVER), TYPE)
            self._archive.writestr(_member("META-INF/manifest.xml"), _MANIFEST)
            self._content: IO[bytes] = self._archive.open(_member("content.xml"), "w", force_zip64=True)
        self._write(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<office:document-content {_NAMES} {_NUMBERS} office:version="1.2">'
            f"<office:automatic-styles>{_STYLES}</office:automatic-styles><office:body><office:spreadsheet>"
            f"<table:table table:name={quoteattr(_clean(sheet))}>"
        )

    def keep(self, rows: Sequence[Record]) -> None:
        """Write rows as they are."""
        self._write("".join([_row(_cells(row)) for row in rows]))

    def add(self, row: Record, more: Sequence[str]) -> None:
        """Write one row with cells after its own."""
        cells = _cells(row)
        self._write(_row([*cells, *[""] * (self._width - len(cells)), *more] if more else cells))

    def finish(self) -> None:
        """Bring all of it to the disk."""
        self._write("</table:table></office:spreadsheet></office:body></office:document-content>")
        with self._output.file():
            self._content.close()
            self._archive.close()
        self._output.finish()

    def abandon(self) -> None:
        """Let go of what was begun."""
        with contextlib.suppress(OSError, ValueError):
            self._content.close()
            self._archive.close()

    def _write(self, text: str) -> None:
        with self._output.file():
            self._content.write(text.encode())


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _NEVER)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _cells(row: Record) -> list[Cell]:
    assert isinstance(row.held, list)
    return row.held


def _row(cells: Sequence[Cell]) -> str:
    inside = "".join(map(_cell, cells)) or "<table:table-cell/>"
    return f"<table:table-row>{inside}</table:table-row>\n"


def _cell(cell: Cell) -> str:
    match cell:
        case "":
            return "<table:table-cell/>"
        case str():
            lines = "".join(f"<text:p>{line}</text:p>" for line in _lines(cell))
            return f'<table:table-cell office:value-type="string">{lines}</table:table-cell>'
        case bool():
            return _value("boolean", "boolean-value", str(cell).lower(), "boolean")
        case datetime() if cell.time() != time():
            return _value("date", "date-value", cell.isoformat(), "moment")
        case date():
            return _value("date", "date-value", f"{cell:%Y-%m-%d}", "date")
        case time():
            return _value("time", "time-value", _duration(_since_midnight(cell)), "time")
        case timedelta():
            return _value("time", "time-value", _duration(cell), "time")
        case _:
            return _value("float", "value", repr(cell))


def _value(kind: str, name: str, value: str, style: str = "") -> str:
    named = f' table:style-name="{style}"' if style else ""
    return f'<table:table-cell{named} office:value-type="{kind}" office:{name}="{value}"/>'


def _duration(span: timedelta) -> str:
    """A span of time as XML Schema writes it: hours, minutes, seconds."""
    minutes, seconds = divmod(abs(span), timedelta(minutes=1))
    sign = "-" if span < timedelta() else ""
    return f"{sign}PT{minutes // 60}H{minutes % 60}M{seconds.total_seconds():g}S"


def _since_midnight(cell: time) -> timedelta:
    return timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second, microseconds=cell.microsecond)


def _lines(text: str) -> Iterator[str]:
    """The lines of a cell, a paragraph each. Spaces that XML readers would fold become elements."""
    for line in _clean(text).replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        yield _SPACES.sub(_spaced, escape(line))


def _spaced(found: re.Match[str]) -> str:
    return "<text:tab/>" if found[0] == "\t" else f'<text:s text:c="{len(found[0])}"/>'


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
