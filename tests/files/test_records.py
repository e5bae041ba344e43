"""Rows: nothing of a file's text is lost, and cells are what the `csv` module says they are."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from suppress.errors import BadFile
from suppress.files.dialect import Dialect
from suppress.files.records import LIMIT, Record, records
from tests.files.strategies import DELIMITERS, dirty_text, in_blocks, written


def rows(
    text: str, delimiter: str = ",", *, blocks: list[str] | None = None, limit: int = LIMIT
) -> list[Record]:
    found = records(blocks if blocks is not None else [text], Dialect(delimiter), "list.csv", limit)
    return list(itertools.chain.from_iterable(found))


def by_csv(text: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


@given(st.data(), dirty_text, st.sampled_from(DELIMITERS))
def test_rows_joined_are_the_file(data: st.DataObject, text: str, delimiter: str) -> None:
    """Whatever the quotes, line ends and block borders: no character is lost, doubled or changed."""
    blocks = data.draw(in_blocks(text))
    try:
        found = rows(text, delimiter, blocks=blocks)
    except BadFile:
        assume(False)

    assert text == "".join(row.text for row in found)


@given(st.data(), dirty_text, st.sampled_from(DELIMITERS))
def test_cells_are_those_of_the_csv_module(data: st.DataObject, text: str, delimiter: str) -> None:
    """The naive definition of a row is Python's; a file that is not refused is read in the same way."""
    try:
        found = rows(text, delimiter, blocks=data.draw(in_blocks(text)))
    except BadFile:
        assume(False)

    assert by_csv(text, delimiter) == [row.cells for row in found]


@given(st.data(), written())
def test_a_well_formed_file_is_never_refused(
    data: st.DataObject, file: tuple[str, list[list[str]], str]
) -> None:
    """What a CSV writer wrote comes back cell by cell, with line breaks and quotes inside cells."""
    text, expected, delimiter = file
    found = rows(text, delimiter, blocks=data.draw(in_blocks(text)))

    assert expected == [row.cells for row in found]


@given(st.data(), written())
def test_a_row_knows_its_first_line(data: st.DataObject, file: tuple[str, list[list[str]], str]) -> None:
    """Line numbers count as editors count, whatever the line ends and however long the rows before."""
    text, _, delimiter = file
    found = rows(text, delimiter, blocks=data.draw(in_blocks(text)))
    lines = io.StringIO(text, newline="").readlines()

    assert all(row.text.startswith(lines[row.line - 1]) for row in found)


def test_mixed_line_ends_and_blank_lines_keep_their_place() -> None:
    """Three kinds of line end in one file, an empty line, and a last line without an end."""
    found = rows("a,1\r\nb,2\rc,3\n\nd,4")

    assert [(1, "a,1\r\n"), (2, "b,2\r"), (3, "c,3\n"), (4, "\n"), (5, "d,4")] == [
        (row.line, row.text) for row in found
    ]
    assert [False, False, False, True, False] == [row.blank for row in found]


def test_a_row_of_empty_cells_is_a_row() -> None:
    """In a file with tabs it is nothing but white space, and still somebody's row."""
    assert [False, True, True] == [row.blank for row in rows("\t\n\n  \n", "\t")]


def test_a_line_break_inside_quotes_belongs_to_its_cell() -> None:
    """Notes with several lines are one row, and the row says which cell it was."""
    (row,) = rows('a@example.com,"first\r\nsecond",z\n')

    assert ["a@example.com", "first\r\nsecond", "z"] == row.cells
    assert 1 == row.spanning


def test_an_unclosed_quote_is_named_where_it_opened() -> None:
    """The end of the file is not where the mistake is."""
    with pytest.raises(BadFile, match="line 3: a quote opens here") as refused:
        rows('email\na@example.com\n"b@example.com\nc@example.com\nd@example.com\n')

    assert 3 == refused.value.line


def test_a_quoted_cell_that_closes_on_a_later_line_and_goes_on_is_refused() -> None:
    """A lost quote pairs with the next one, lines below, and would hide every address between them."""
    with pytest.raises(BadFile, match="line 2: text stands between a closing quote") as refused:
        rows('email,name\n"a@example.com,Al\nb@example.com,"Bo"\nc@example.com,Cy\n')

    assert 2 == refused.value.line


def test_text_after_a_closing_quote_is_kept_within_one_line() -> None:
    """`"Al" Smith` on one line is common and clear."""
    (row,) = rows('"Al" Smith,a@example.com\n')

    assert ["Al Smith", "a@example.com"] == row.cells


def test_a_quote_inside_a_cell_is_an_ordinary_character() -> None:
    """Five inches, in a notes column."""
    assert [['5" pipe', "x"]] == [row.cells for row in rows('5" pipe,x\n')]


def test_without_a_delimiter_a_row_is_one_cell() -> None:
    """A list of addresses, one to a line, some with a name and a comma in it."""
    found = rows('Doe, Pat <pat@example.com>\n"quoted@example.com"\n', "")

    assert [["Doe, Pat <pat@example.com>"], ["quoted@example.com"]] == [row.cells for row in found]


class Endless:
    """A file whose second row never ends; counts what was taken from it."""

    def __init__(self, start: str, block: str) -> None:
        self.start, self.block, self.taken = start, block, 0

    def __iter__(self) -> Iterator[str]:
        yield "email\n" + self.start
        while self.taken < 1 << 30:
            self.taken += len(self.block)
            yield self.block


@pytest.mark.parametrize(
    ("start", "block", "message"),
    [
        ("", "x" * 65_536, "longer than 1 MiB"),
        ('"', ("x" * 200 + "\n") * 300, "not closed within 1 MiB"),
        ('"', "x\n" * 32_768, "not closed within 20,000 lines"),
    ],
)
def test_an_endless_row_is_refused_without_reading_it_all(start: str, block: str, message: str) -> None:
    """Memory and time stay those of the limit, with and without an open quote."""
    endless = Endless(start, block)
    with pytest.raises(BadFile, match=message) as refused:
        list(records(endless, Dialect(","), "list.csv", 1 << 20))

    assert 2 == refused.value.line
    assert endless.taken < 2 << 20
