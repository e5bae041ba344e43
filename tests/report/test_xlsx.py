"""The workbook: typed cells, nothing that runs, no row lost, the same bytes."""

from __future__ import annotations

import io
import re
import sys
import zipfile
from datetime import UTC, date, datetime

import pytest
from python_calamine import CalamineWorkbook

from suppress.core.suppression import Origin, Visibility
from suppress.errors import ExtraMissing
from suppress.report import xlsx
from suppress.report.contents import NUMBERS, tables
from suppress.report.facts import Facts
from suppress.report.table import Table, Value
from suppress.report.words import harmless
from tests.report.books import Book
from tests.report.test_html import HOSTILE, busy

FORMULA = '=HYPERLINK("http://example.com","click")'


def read(content: bytes, sheet: str) -> list[list[object]]:
    """A sheet as another program reads it, down to its last row."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return [list(row) for row in book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)]


def parts(content: bytes) -> dict[str, str]:
    """The workbook's own files."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def expected(value: Value) -> object:
    """A cell as calamine reads it."""
    match value:
        case None:
            return ""
        case bool():
            return value
        case int():
            return float(value)
        case datetime():
            return value.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        case date():
            return value
        case _:
            return harmless(value)


def same(table: Table, content: bytes) -> int:
    """Compare one table with its sheet, cell by cell; how many cells there were."""
    header, *rows = read(content, table.name[:28])
    assert header == list(table.columns)
    assert len(rows) == len(table.rows)
    for row, line in zip(table.rows, rows, strict=True):
        for value, cell in zip(row, line, strict=True):
            assert expected(value) == (cell.replace(microsecond=0) if isinstance(cell, datetime) else cell)
    return len(table.rows) * len(table.columns)


@pytest.mark.parametrize("full", [False, True])
def test_each_table_is_a_sheet_with_the_same_values_by_type(full: bool) -> None:
    """Numbers are numbers, days are dates, times are times, yes and no are booleans."""
    facts = busy(full=full)
    content = xlsx.render(facts)

    assert sum(same(table, content) for table in tables(facts).values()) > 400


def test_the_first_sheet_holds_the_verdict_and_the_five_numbers() -> None:
    """And says what each sheet holds."""
    facts = busy()
    rows = read(xlsx.render(facts), "Report")

    assert rows[1][0] == "▲ Action needed: 2 points need action now."
    assert [row[:2] for row in rows[3:8]] == [
        [name, expected(value)] for name, value in tables(facts)[NUMBERS].rows
    ]
    listed = {row[0]: row[1] for row in rows[rows.index(["Sheet", "Rows", "What it holds"]) + 1 :]}
    assert listed == {table.name: float(len(table.rows)) for table in tables(facts).values()}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "{="])
def test_nothing_is_a_formula_or_a_link(start: str) -> None:
    """Whatever a name begins with; not one formula element, and no link, is in the file."""
    book = Book()
    book.opt_out("ann", origin=Origin.FILE, source=f"{start}{FORMULA[1:]}")
    book.opt_out("bob", origin=Origin.FILE, source="https://example.com/")
    content = xlsx.render(book.facts())

    assert harmless(f"{start}{FORMULA[1:]}") in [row[0] for row in read(content, "brought")]
    for name, text in parts(content).items():
        assert not re.search(r"<f[ >/]|<hyperlink|externalLink", text), name


def test_hostile_text_stays_text() -> None:
    """It is well-formed for a strict reader, and reads as it is elsewhere."""
    rows = read(xlsx.render(busy(text=HOSTILE)), "destinations")

    assert rows[1][0] == harmless(HOSTILE)


def test_headers_stay_and_filter() -> None:
    """Each table's first row is frozen, repeats on paper, and filters exactly the rows below it."""
    facts = busy()
    sheets = {name: text for name, text in parts(xlsx.render(facts)).items() if "worksheets/sheet" in name}

    assert len(sheets) == len(tables(facts)) + 1
    for number, table in enumerate(tables(facts).values(), start=2):
        text = sheets[f"xl/worksheets/sheet{number}.xml"]
        assert 'state="frozen"' in text
        last = len(table.rows) + 1
        assert re.search(rf'<autoFilter ref="A1:[A-Z]+{last}"/>', text), table.name


def test_a_table_longer_than_a_sheet_goes_on_in_the_next() -> None:
    """With its header again, and no row lost or twice."""
    book = Book()
    for number in range(11):
        book.opt_out(f"person{number}", received="2026-09-01", origin=Origin.PERSON)
    facts = book.facts(as_of="2027-01-01")
    content = xlsx.render(facts, sheet_rows=5)
    names = [name for name in parts_of(content) if name.startswith("missed")]
    rows = [read(content, name) for name in names]

    assert names == ["missed", "missed 2", "missed 3"]
    assert [len(each) for each in rows] == [5, 5, 4]
    assert len({tuple(each[0]) for each in rows}) == 1
    entries = [row[0] for each in rows for row in each[1:]]
    assert entries == [float(row[0]) for row in tables(facts)["missed"].rows if isinstance(row[0], int)]


def parts_of(content: bytes) -> list[str]:
    """The names of the sheets."""
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).sheet_names


def test_the_rows_of_a_sheet_are_as_many_as_programs_open() -> None:
    """A row more, and Excel calls the file damaged."""
    assert xlsx.SHEET_ROWS == 2**20


def test_what_a_cell_cannot_hold_is_said() -> None:
    """A day before 1900 is text; a text that is too long is cut and says so."""
    book = Book()
    book.opt_out("ann", acted="1899-12-30", visibility=None, origin=Origin.FILE, source="x" * 40_000)
    content = xlsx.render(book.facts())
    months = [row[0] for row in read(content, "visibility")]
    name = read(content, "brought")[1][0]

    assert "1899-12" in months
    assert isinstance(name, str)
    assert len(name) == xlsx.CELL_CHARACTERS
    assert name.endswith("the json format has all of it)")


def test_a_day_before_sheets_began_is_text() -> None:
    """Programs differ about days before March 1900, so none of them is asked."""
    book = Book()
    for day in ("1899-12-31", "1900-02-28", "1900-03-01"):
        book.opt_out(day, acted=day, visibility=Visibility.DELETED)
    table = tables(book.facts())["hidden"]
    header, *rows = read(xlsx.render(book.facts()), "hidden")

    assert header == list(table.columns)
    acted = [row[header.index("Acted")] for row in rows]
    assert acted == ["1899-12-31", "1900-02-28", date(1900, 3, 1)]


def test_the_same_facts_give_the_same_bytes() -> None:
    """The time of day of making it is nowhere in the file."""
    assert xlsx.render(busy(text=HOSTILE)) == xlsx.render(busy(text=HOSTILE))


def test_addresses_are_in_the_full_variant_only() -> None:
    """In no part of the archive of a redacted one."""
    redacted, full = parts(xlsx.render(busy())), parts(xlsx.render(busy(full=True)))

    assert not [name for name, text in redacted.items() if "@example.com" in text]
    assert [name for name, text in full.items() if "person2@example.com" in text]


def test_without_xlsxwriter_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """One clear line."""
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)

    with pytest.raises(ExtraMissing, match="XlsxWriter, which is not installed") as caught:
        xlsx.render(Book().facts())

    assert caught.value.remedy == "pip install 'suppress-ledger[excel]'"


def test_sheets_have_names_of_their_own() -> None:
    """Cut to what a sheet's name may hold, they are still told apart."""
    facts: Facts = busy(full=True)
    names = [name.lower()[:28] for name in tables(facts)]

    assert len(set(names)) == len(names)
    assert "report" not in names
