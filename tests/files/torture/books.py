"""Workbooks: made by libraries and by hand, and by LibreOffice 7.4 (`samples/`)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

import xlsxwriter
import xlwt
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from tests.files.torture.case import Case, case

SAMPLES = Path(__file__).parent / "samples"

MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    '<manifest:file-entry manifest:full-path="/" '
    'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>'
)
HEAD = ("Email", "Name")
PEOPLE = (HEAD, ("pat@example.com", "P"), ("new@example.com", "N"))

Fill = Callable[[xlsxwriter.Workbook, Worksheet], object]


def xlsx(fill: Fill | Sequence[Sequence[object]], name: str = "People") -> bytes:
    """A workbook with one sheet, filled with rows or by hand."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"strings_to_formulas": False})
    sheet = book.add_worksheet(name)
    if callable(fill):
        fill(book, sheet)
    else:
        for number, row in enumerate(fill):
            sheet.write_row(number, 0, row)
    book.close()
    return out.getvalue()


def xls(rows: Sequence[Sequence[object]]) -> bytes:
    """The old format."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("People")
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            sheet.write(number, column, cell)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ods(content: str) -> bytes:
    """A sheet of OpenDocument, from the rows of its table."""
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", MANIFEST)
        archive.writestr(
            "content.xml",
            f'<office:document-content {names} office:version="1.2"><office:body><office:spreadsheet>'
            f'<table:table table:name="People">{content}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return out.getvalue()


def row(*cells: str, times: int = 1) -> str:
    """A row of OpenDocument."""
    inside = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
        for cell in cells
    )
    return f'<table:table-row table:number-rows-repeated="{times}">{inside}</table:table-row>'


def _several(book: xlsxwriter.Workbook, sheet: Worksheet) -> None:
    book.add_worksheet("Empty too")
    second = book.add_worksheet("List")
    for number, each in enumerate(PEOPLE):
        second.write_row(number, 0, each)


def _hidden(book: xlsxwriter.Workbook, sheet: Worksheet) -> None:
    sheet.write_row(0, 0, ("hidden@example.com", "H"))
    _several(book, sheet)
    book.worksheets()[2].activate()
    sheet.hide()


def _rich(book: xlsxwriter.Workbook, sheet: Worksheet) -> None:
    bold = book.add_format({"bold": True})
    sheet.write_row(0, 0, HEAD)
    sheet.write_rich_string(1, 0, "pat@", bold, "example", ".com")
    sheet.write_rich_string(2, 0, "new@", bold, "example", ".com")


def _formulas(_: xlsxwriter.Workbook, sheet: Worksheet) -> None:
    sheet.write_row(0, 0, ("User", "Email"))
    sheet.write_row(1, 0, ("pat",))
    sheet.write_formula(1, 1, '=A2&"@example.com"', None, "pat@example.com")
    sheet.write_row(2, 0, ("new",))
    sheet.write_formula(2, 1, '=A3&"@example.com"', None, "new@example.com")


def _links(_: xlsxwriter.Workbook, sheet: Worksheet) -> None:
    sheet.write_row(0, 0, HEAD)
    sheet.write_url(1, 0, "mailto:pat@example.com")
    sheet.write_url(2, 0, "mailto:new@example.com", string="new@example.com")


def _merged(_: xlsxwriter.Workbook, sheet: Worksheet) -> None:
    sheet.merge_range(0, 0, 0, 1, "Our list")
    sheet.write_row(1, 0, HEAD)
    sheet.merge_range(2, 0, 3, 0, "pat@example.com")
    sheet.write_row(4, 0, ("new@example.com", "N"))


def _dates(book: xlsxwriter.Workbook, sheet: Worksheet) -> None:
    shown: dict[type, Format] = {
        kind: book.add_format({"num_format": form})
        for kind, form in (
            (date, "yyyy-mm-dd"),
            (datetime, "yyyy-mm-dd hh:mm"),
            (time, "hh:mm"),
            (timedelta, "[h]:mm"),
        )
    }
    sheet.write_row(0, 0, ("Email", "Day", "Moment", "Time", "Span", "True", "Number", "Error"))
    for number, address in enumerate(("pat@example.com", "new@example.com"), start=1):
        sheet.write(number, 0, address)
        for column, value in enumerate(
            (date(2024, 2, 29), datetime(2024, 2, 29, 12, 30), time(8, 15), timedelta(hours=30)), start=1
        ):
            sheet.write_datetime(number, column, value, shown[type(value)])
        sheet.write_boolean(number, 5, True)
        sheet.write_number(number, 6, 1.5)
        sheet.write_formula(number, 7, "=1/0", None, "#DIV/0!")


def _far(_: xlsxwriter.Workbook, sheet: Worksheet) -> None:
    sheet.write_row(0, 0, HEAD)
    sheet.write_row(1, 0, ("pat@example.com", "P"))
    sheet.write(1_048_575, 16_383, "far away")


def _blank_far(book: xlsxwriter.Workbook, sheet: Worksheet) -> None:
    for number, each in enumerate(PEOPLE):
        sheet.write_row(number, 0, each)
    sheet.write_blank(1_048_575, 16_383, None, book.add_format({"bold": True}))


def _offset(_: xlsxwriter.Workbook, sheet: Worksheet) -> None:
    for number, each in enumerate(PEOPLE):
        sheet.write_row(number + 5, 3, each)


def _filtered(_: xlsxwriter.Workbook, sheet: Worksheet) -> None:
    for number, each in enumerate(PEOPLE):
        sheet.write_row(number, 0, each)
    sheet.autofilter(0, 0, 2, 1)
    sheet.set_row(1, options={"hidden": True})


def _without(content: bytes, *names: str) -> bytes:
    """An archive without some of its members."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            if name not in names:
                new.writestr(name, old.read(name))
    return out.getvalue()


def _with(content: bytes, member: str, old: bytes, new: bytes) -> bytes:
    """An archive with a change in one of its members."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w") as after:
        for name in before.namelist():
            found = before.read(name)
            after.writestr(name, found.replace(old, new) if name == member else found)
    return out.getvalue()


def _xlsx(name: str, content: bytes, expected: str, **reading: object) -> Case:
    return case(f"XLSX: {name}", content, expected, ".xlsx", **reading)


PLAIN = xlsx(PEOPLE)
SHEET = "xl/worksheets/sheet1.xml"
TWO = xlsx(_several)

BOOKS = [
    _xlsx("two people", PLAIN, "WK"),
    case("XLSX: named as CSV", PLAIN, "WK", ".csv"),
    case("XLSX: named as XLS", PLAIN, "WK", ".xls"),
    _xlsx("no header", xlsx(PEOPLE[1:]), "WK"),
    _xlsx("one column", xlsx([("Email",), ("pat@example.com",), ("new@example.com",)]), "WK"),
    _xlsx("header only", xlsx([HEAD]), ""),
    _xlsx("an empty sheet", xlsx([]), "!holds no rows"),
    _xlsx("no addresses", xlsx([("a", "b"), ("c", "d")]), "!no column holds addresses"),
    _xlsx("the third sheet", TWO, "WK"),
    _xlsx("a sheet by name", TWO, "WK", sheet="list"),
    _xlsx("a sheet by number", TWO, "WK", sheet="3"),
    _xlsx("an empty sheet by name", TWO, "!holds no rows", sheet="People"),
    _xlsx("a sheet that is not there", TWO, "!no sheet 'x'", sheet="x"),
    _xlsx("a hidden sheet in front", xlsx(_hidden), "WK"),
    _xlsx("a hidden sheet by name", xlsx(_hidden), "K", sheet="People"),
    _xlsx("rich text", xlsx(_rich), "WK"),
    _xlsx("formulas", xlsx(_formulas), "WK"),
    _xlsx("links", xlsx(_links), "WK"),
    _xlsx("merged cells", xlsx(_merged), "WK"),
    _xlsx("dates, times and errors", xlsx(_dates), "WK"),
    _xlsx("numbers as addresses", xlsx([HEAD, (5, "x"), ("pat@example.com", "P")]), "KW"),
    _xlsx("a formula as text", xlsx([HEAD, ("pat@example.com", "=1+1"), ("new@example.com", "=1+1")]), "WK"),
    _xlsx("capitals and spaces", xlsx([HEAD, (" PAT@Example.COM ", "P"), ("new@example.com", "N")]), "WK"),
    _xlsx("a display name", xlsx([HEAD, ("Pat <pat@example.com>", "P"), ("new@example.com", "N")]), "WK"),
    _xlsx("two addresses in a cell", xlsx([HEAD, ("new@example.com\npat@example.com", "P")]), "W"),
    _xlsx("blank rows between", xlsx([HEAD, (), PEOPLE[1], (), (), PEOPLE[2]]), "WK"),
    _xlsx("a title above", xlsx([("Our list",), (), *PEOPLE]), "WK"),
    _xlsx("a table further down", xlsx(_offset), "WK"),
    _xlsx("hidden rows", xlsx(_filtered), "WK"),
    _xlsx("an alias", xlsx([HEAD, ("q.uit@gmail.com", "Q"), ("new@example.com", "N")]), "RK"),
    _xlsx("an IDN", xlsx([HEAD, ("info@bücher.example", "B"), ("new@example.com", "N")]), "WK"),
    _xlsx("two address columns", xlsx([("Email", "Email 2"), ("new@example.com", "pat@example.com")]), "W"),
    _xlsx(
        "a column by number",
        xlsx([("a", "b"), ("x", "pat@example.com"), ("y", "new@example.com")]),
        "WK",
        columns=("2",),
    ),
    _xlsx("duplicate headers", xlsx([("Email", "Email"), ("new@example.com", "pat@example.com")]), "W"),
    _xlsx("a sheet named with a quote", xlsx(PEOPLE, "Pat's & <List>"), "WK"),
    _xlsx("a value at the far corner", xlsx(_far), "!ask for more than"),
    _xlsx("a format at the far corner", xlsx(_blank_far), "WK"),
    _xlsx("cut in the middle", PLAIN[: len(PLAIN) // 2], "!damaged"),
    _xlsx("its first bytes", PLAIN[:4], "!damaged"),
    _xlsx("bytes behind", PLAIN + b"x" * 10, "WK"),
    _xlsx("without its sheet", _without(PLAIN, SHEET), "!"),
    _xlsx("without its texts", _without(PLAIN, "xl/sharedStrings.xml"), "!"),
    _xlsx("without its workbook", _without(PLAIN, "xl/workbook.xml"), "!"),
    _xlsx("broken XML", _with(PLAIN, SHEET, b"</row>", b"<row>"), "WK"),
    _xlsx("a text that is not there", _with(PLAIN, SHEET, b"<v>2</v>", b"<v>999</v>"), "!damaged"),
    _xlsx(
        "XML that grows",
        _with(PLAIN, SHEET, b"<sheetData>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><sheetData>"),
        "WK",
    ),
    case("XLS: two people", xls(PEOPLE), "WK", ".xls"),
    case("XLS: no header", xls(PEOPLE[1:]), "WK", ".xls"),
    case(
        "XLS: numbers and dates",
        xls([("Email", "n", "d"), ("pat@example.com", 1.5, True), ("new@example.com", 2, False)]),
        "WK",
        ".xls",
    ),
    case("XLS: cut in the middle", xls(PEOPLE)[:2000], "!damaged", ".xls"),
    case("XLS: its first bytes", xls(PEOPLE)[:8], "!damaged", ".xls"),
    case(
        "ODS: two people",
        ods(row(*HEAD) + row("pat@example.com", "P") + row("new@example.com", "N")),
        "WK",
        ".ods",
    ),
    case(
        "ODS: repeated rows",
        ods(row("Email") + row("pat@example.com", times=3) + row("new@example.com")),
        "WWWK",
        ".ods",
    ),
    case(
        "ODS: a text in pieces",
        ods(row("Email") + row("pat@<text:span>example</text:span>.com")),
        "W",
        ".ods",
    ),
    case(
        "ODS: a billion cells",
        ods(row("Email") + row(*["pat@example.com"] * 999, times=1_048_575)),
        "!damaged",
        ".ods",
    ),
    case(
        "ODS: empty rows to the end",
        ods(
            row("Email")
            + row("pat@example.com")
            + '<table:table-row table:number-rows-repeated="1048574">'
            + '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
        ),
        "W",
        ".ods",
    ),
    case("ODS: without content", _without(ods(""), "content.xml"), "!damaged", ".ods"),
    *(
        case(
            f"LibreOffice: {path.name}",
            path.read_bytes(),
            "WKRWK" if path.stem == "people" else "WKKKKK",
            path.suffix,
            **({"sheet": "People"} if path.stem == "formulas" else {}),
        )
        for path in sorted(SAMPLES.iterdir())
    ),
]
