"""Workbooks, Parquet and JSON lines: what is kept is what was there."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import python_calamine as calamine
import xlsxwriter
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from suppress.errors import BadFile, OutputRefused
from suppress.files import sheets
from suppress.files.contacts import ContactFile, Reading
from suppress.files.output import outputs, publish
from suppress.files.records import Record
from suppress.files.workbook import text_of
from suppress.files.xlsx import XlsxCopy

ROW: tuple[sheets.Cell, ...] = (
    "new@example.com",
    "Zoë  two\nlines & <tags>",
    12.0,
    1.5,
    True,
    date(2024, 2, 29),
)
ROW += (datetime(2024, 2, 29, 12, 30, 5), time(8, 15, 30), timedelta(hours=30, minutes=1), "=1+1", " edge ")
HEAD = ("Email", "Text", "N", "F", "B", "D", "M", "T", "S", "E", "P")


def workbook(path: Path) -> None:
    """One row of everything that a cell may hold."""
    book = xlsxwriter.Workbook(path, {"strings_to_formulas": False})
    sheet = book.add_worksheet("People's [list]".replace("[", "(").replace("]", ")"))
    forms = {date: "yyyy-mm-dd", datetime: "yyyy-mm-dd hh:mm:ss", time: "hh:mm:ss", timedelta: "[h]:mm:ss"}
    sheet.write_row(0, 0, HEAD)
    for column, cell in enumerate(ROW):
        if type(cell) in forms:
            sheet.write_datetime(1, column, cell, book.add_format({"num_format": forms[type(cell)]}))
        else:
            sheet.write(1, column, cell)
    book.close()


def copied(path: str, target: str, more: Sequence[str] = (), reading: Reading | None = None) -> None:
    """All rows of a file, written to another in its manner."""
    with (
        ContactFile.open(path, reading) as contacts,
        outputs({"kept": target}, inputs=[path]) as results,
    ):
        copy = contacts.copy(results["kept"], [f"h{each}" for each in range(len(more))])
        for batch in contacts.batches():
            if more:
                for row in batch:
                    copy.add(row, more)
            else:
                copy.keep(batch)
        copy.finish()
        publish(list(results.values()))


def test_the_values_of_a_workbook_stay_what_they_are(tmp_path: Path) -> None:
    """Text, numbers, truth, days, moments, times and spans; through XLSX and, from there, through ODS."""
    workbook(tmp_path / "list.xlsx")
    copied(str(tmp_path / "list.xlsx"), str(tmp_path / "kept.xlsx"))
    sheet = calamine.CalamineWorkbook.from_path(tmp_path / "kept.xlsx").get_sheet_by_index(0)

    assert "People's (list)" == sheet.name
    assert [list(HEAD), list(ROW)] == sheet.to_python()


def test_cells_are_added_under_headings_of_their_own(tmp_path: Path) -> None:
    """Also behind a row that is shorter than the header."""
    workbook(tmp_path / "list.xlsx")
    copied(str(tmp_path / "list.xlsx"), str(tmp_path / "more.xlsx"), ("a", "b"))
    rows = calamine.CalamineWorkbook.from_path(tmp_path / "more.xlsx").get_sheet_by_index(0).to_python()

    assert [*HEAD, "h0", "h1"] == rows[0]
    assert [*ROW, "a", "b"] == rows[1]


def test_a_sheet_is_taken_apart_once_for_each_time_that_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a process that is gone when the file is closed, read or not."""
    begun: list[subprocess.Popen[bytes]] = []

    class Seen(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            begun.append(self)

    monkeypatch.setattr("suppress.files.sheets.subprocess.Popen", Seen)
    with xlsxwriter.Workbook(tmp_path / "list.xlsx") as book:
        sheet = book.add_worksheet()
        for number in range(1_201):
            sheet.write_row(number, 0, [f"p{number}@example.com", number])
    with ContactFile.open(str(tmp_path / "list.xlsx")) as contacts:
        first, second = (
            [(row.line, *row.cells) for batch in contacts.batches() for row in batch] for _ in range(2)
        )
        assert 2 == len(begun)
    with ContactFile.open(str(tmp_path / "list.xlsx")):
        assert begun[2].poll() is None

    assert [(number + 1, f"p{number}@example.com", str(number)) for number in range(1_201)] == first == second
    assert [True] * 3 == [each.returncode is not None for each in begun]


sheet_cell = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\ufffe\uffff"), max_size=9),
    st.text(alphabet=" _x0041&<>\r\n\t'\"=é", max_size=12),
    st.integers(-(2**53), 2**53).map(float),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.dates(date(1900, 1, 1), date(9999, 12, 31)),
    st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 31)).map(lambda each: each.replace(microsecond=0)),
    st.times().map(lambda each: each.replace(microsecond=0)),
    st.timedeltas(timedelta(), timedelta(days=30)).map(
        lambda each: timedelta(seconds=each // timedelta(seconds=1))
    ),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(st.lists(sheet_cell, max_size=4), max_size=6))
@example(rows=[[date(1900, 2, 28), date(1900, 3, 1), datetime(1900, 2, 28, 12), datetime(1900, 1, 1, 6)]])
@example(rows=[["_x0041_", "_x_", " ", "\x00", "\r", "\x1f"], [], [""] * 4])
def test_what_is_written_to_xlsx_is_read_again(tmp_path: Path, rows: list[list[sheets.Cell]]) -> None:
    """Any text, number and day; only what XML lacks is another character."""
    rows = [["first"], *rows, ["last", *[""] * 5, "seventh"]]
    with outputs({"kept": str(tmp_path / "kept.xlsx")}) as results:
        copy = XlsxCopy(results["kept"], "sheet", 5)
        copy.keep([Record(number, "", [], held=row) for number, row in enumerate(rows)])
        copy.finish()
        publish(list(results.values()))
    sheet = calamine.CalamineWorkbook.from_path(tmp_path / "kept.xlsx").get_sheet_by_index(0)
    found = [[_as_written(cell) for cell in row] for row in sheet.to_python()]

    assert [[_as_written(cell) for cell in row] + [""] * (7 - len(row)) for row in rows] == found


def _as_written(cell: sheets.Cell) -> object:
    """A cell as the reader gives it: midnight is a day, and no time of a day a span."""
    if isinstance(cell, datetime):
        return cell.date() if cell.time() == time() else cell
    if isinstance(cell, time):
        return timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second)
    return cell


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (float("nan"), ""),
        (float("-inf"), ""),
        (date(1899, 12, 31), "1899-12-31"),
        ("a\ud800b", "a\ufffdb"),
        ("\ufffe", "_xFFFE_"),
        ("x" * 32_767, "x" * 32_767),
    ],
)
def test_what_xlsx_does_not_hold_is_written_as_near_as_it_can_be(
    tmp_path: Path, cell: sheets.Cell, expected: str
) -> None:
    """As programs show it that have it."""
    with outputs({"kept": str(tmp_path / "kept.xlsx")}) as results:
        copy = XlsxCopy(results["kept"], "a/b", 2)
        copy.keep([Record(number, "", [], held=[cell, "x"]) for number in range(3)])
        copy.finish()
        publish(list(results.values()))
    sheet = calamine.CalamineWorkbook.from_path(tmp_path / "kept.xlsx").get_sheet_by_index(0)

    assert ("a_b", [[expected, "x"]] * 3) == (sheet.name, sheet.to_python())


@pytest.mark.parametrize("row", [["x" * 32_768], ["\U0001f600" * 16_384], ["x"] * 16_385])
def test_what_a_sheet_has_no_room_for_is_refused(tmp_path: Path, row: list[sheets.Cell]) -> None:
    """Before anything of it is written; programs count some characters twice."""
    with outputs({"kept": str(tmp_path / "kept.xlsx")}) as results:
        copy = XlsxCopy(results["kept"], "sheet", 2)
        with pytest.raises(BadFile, match="row 1: a cell does not fit into XLSX"):
            copy.keep([Record(1, "", [], held=row)])
        copy.abandon()


@pytest.mark.parametrize("more", [(), ("why", " x & <y>   z")])
def test_ods_is_written_as_it_was_read(tmp_path: Path, more: tuple[str, ...]) -> None:
    """Of a file of LibreOffice, row by row."""
    sample = Path(__file__).parent / "torture" / "samples" / "people.ods"
    copied(str(sample), str(tmp_path / "kept.ods"), more)
    before, after = (
        calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
        for path in (sample, tmp_path / "kept.ods")
    )

    headed = [*before[0], *[f"h{each}" for each in range(len(more))]]
    assert [headed, *([*row, *more] for row in before[1:])] == after


def test_a_cell_that_no_format_holds_is_refused(tmp_path: Path) -> None:
    """XLSX cuts long texts off, and a cut address is another one."""
    target = tmp_path / "list.xlsx"
    workbook(target)
    with (
        ContactFile.open(str(target)) as contacts,
        outputs({"kept": str(tmp_path / "kept.xlsx")}) as results,
    ):
        copy = contacts.copy(results["kept"], ("h",))
        row = next(contacts.batches())[0]
        with pytest.raises(BadFile, match="row 2: a cell does not fit into XLSX"):
            copy.add(row, ("x" * 40_000,))
        copy.abandon()

    assert [target] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("x", "x"),
        (True, "TRUE"),
        (False, "FALSE"),
        (12.0, "12"),
        (1.5, "1.5"),
        (1e300, "1e+300"),
        (float("inf"), "inf"),
        (7, "7"),
        (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 2, 29, 12, 30), "2024-02-29 12:30:00"),
        (time(8, 15), "08:15:00"),
        (timedelta(hours=30), "1 day, 6:00:00"),
    ],
)
def test_a_cell_reads_as_a_person_would_type_it(cell: sheets.Cell, expected: str) -> None:
    """`import` reads dates and numbers from it."""
    assert expected == text_of(cell)


def test_parquet_keeps_schema_metadata_and_compression(tmp_path: Path) -> None:
    """Types that Python lacks stay, because no value is made anew."""
    schema = pa.schema(
        [
            pa.field("email", pa.dictionary(pa.int32(), pa.string()), metadata={"of": "people"}),
            pa.field("at", pa.timestamp("ns", "Europe/Paris")),
            pa.field("sum", pa.decimal128(20, 4), nullable=True),
            pa.field("tags", pa.list_(pa.struct([("a", pa.int8()), ("b", pa.large_string())]))),
        ],
        metadata={"made": "by us"},
    )
    rows = [
        {"email": f"x{n}@example.org", "at": n, "sum": None, "tags": [{"a": 1, "b": "c"}]}
        for n in range(5_000)
    ]
    table = pa.Table.from_pylist(rows, schema)
    pq.write_table(table, tmp_path / "list.parquet", compression="zstd", row_group_size=999)
    copied(str(tmp_path / "list.parquet"), str(tmp_path / "kept.parquet"))
    copied(str(tmp_path / "list.parquet"), str(tmp_path / "more.parquet"), ("why",))
    read, kept, more = (pq.ParquetFile(tmp_path / f"{name}.parquet") for name in ("list", "kept", "more"))

    assert read.schema_arrow.equals(kept.schema_arrow, check_metadata=True)
    assert table.equals(kept.read())
    assert "ZSTD" == kept.metadata.row_group(0).column(0).compression
    assert table.append_column("h0", pa.array(["why"] * 5_000)).equals(more.read())


def test_a_parquet_result_that_is_abandoned_writes_nothing_more(tmp_path: Path) -> None:
    """Its writer would end the file when it is thrown away."""
    out = io.BytesIO()
    pq.write_table(pa.table({"email": ["a@example.com"]}), out)
    path = tmp_path / "list.parquet"
    path.write_bytes(out.getvalue())
    with ContactFile.open(str(path)) as contacts, outputs({"kept": str(tmp_path / "k.parquet")}) as results:
        copy = contacts.copy(results["kept"])
        copy.keep(next(contacts.batches()))
        copy.abandon()

    assert [path] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("list.csv", b"email\na@example.com\n", "out/list.kept.csv"),
        ("list.CSV", b"email\na@example.com\n", "out/list.kept.CSV"),
        ("a.b.tsv", b"email\ta\na@example.com\tb\n", "out/a.b.kept.tsv"),
        ("list", b"email\na@example.com\n", "out/list.kept.csv"),
        (".list", b"email\na@example.com\n", "out/.list.kept.csv"),
        ("list.xlsx", b"email\na@example.com\n", "out/list.kept.csv"),
        ("list.v2", b"email\na@example.com\n", "out/list.v2.kept.csv"),
        ("list.jsonl", b'{"email": "a@example.com"}\n', "out/list.kept.jsonl"),
    ],
)
def test_a_result_is_named_after_its_file(name: str, content: bytes, expected: str, tmp_path: Path) -> None:
    """With the ending of what is in it."""
    (tmp_path / name).write_bytes(content)
    with ContactFile.open(str(tmp_path / name)) as contacts:
        assert expected == contacts.beside("out", "kept")


@pytest.mark.parametrize("target", ["kept.xlsx", "kept.parquet", "kept.jsonl", "kept.xlsx.gz"])
def test_a_name_that_promises_another_format_is_refused(target: str, tmp_path: Path) -> None:
    """A CSV file called .xlsx opens nowhere."""
    (tmp_path / "list.csv").write_bytes(b"email\na@example.com\n")
    with pytest.raises(OutputRefused, match="which is CSV here"):
        copied(str(tmp_path / "list.csv"), str(tmp_path / target))

    assert ["list.csv"] == [each.name for each in tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("target", "start"),
    [("k.csv", b"email"), ("k.csv.gz", b"\x1f\x8b"), ("k.csv.zst", b"\x28\xb5"), ("k", b"\x1f\x8b")],
)
def test_a_result_is_compressed_as_its_name_says_else_as_its_file(
    target: str, start: bytes, tmp_path: Path
) -> None:
    """`list.csv.gz` may well become `kept.csv`."""
    import gzip

    (tmp_path / "list.csv.gz").write_bytes(gzip.compress(b"email\na@example.com\n"))
    copied(str(tmp_path / "list.csv.gz"), str(tmp_path / target))

    assert (tmp_path / target).read_bytes().startswith(start)
