"""Delimiters are found, and what is written in a dialect reads back."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suppress.errors import BadUsage
from suppress.files.dialect import Dialect
from tests.files.strategies import DELIMITERS, ENDS, cell


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_the_delimiter_is_found_among_other_punctuation(delimiter: str) -> None:
    """Names and lists hold the other three."""
    lines = [
        delimiter.join(["Email", "Name", "Lists"]) + "\n",
        delimiter.join(["a@example.com", '"Doe, A; Jr"', '"x|y"']) + "\n",
        delimiter.join(["b@example.com", '"Roe, B\t"', '"x,y;z"']) + "\n",
    ]

    assert delimiter == Dialect.guessed(lines).delimiter


def test_an_address_alone_in_its_cell_decides_between_two_delimiters() -> None:
    """Both comma and semicolon cut every row in two; only one cuts the address free."""
    lines = ["Town, State;Email\n", "Austin, TX;a@example.com\n", "Reno, NV;b@example.com\n"]

    assert ";" == Dialect.guessed(lines).delimiter


@pytest.mark.parametrize(
    "lines",
    [
        ["a@example.com\n", "b@example.com\n"],
        ["email\n", "Doe, Pat <p@example.com>\n", "q@example.com\n"],
        [],
        ["\n"],
    ],
)
def test_a_plain_list_has_no_delimiter(lines: list[str]) -> None:
    """One column: a comma in it belongs to a name."""
    found = Dialect.guessed(lines)

    assert ("", "none, one column") == (found.delimiter, found.name)


@pytest.mark.parametrize(
    "lines",
    [
        ["email\n", "https://example.org/leave/p@example.com\n", "https://example.org/leave/q@example.com\n"],
        ["mailto:p@example.com\n", "mailto:q@example.com\n"],
        ["Pat (p@example.com)\n", "Kim (k@example.com)\n"],
        ["a-b@x-y.com\n", "c-d@x-y.com\n"],
        ["p^@example.com\n", "q@example.com\n", "r@example.com\n"],
        ["一^二\n", "三^四\n"],
    ],
)
def test_marks_in_and_around_addresses_cut_nothing(lines: list[str]) -> None:
    """A list of one column stays one, whatever its cells have in common."""
    assert "" == Dialect.guessed(lines).delimiter


def test_a_title_above_the_table_does_not_hide_the_delimiter() -> None:
    """Reports start with a line of prose."""
    lines = ["Contacts, as of today\n", "a@example.com;A;x\n", "b@example.com;B;y\n"]

    assert ";" == Dialect.guessed(lines).delimiter


def test_a_sample_that_ends_inside_a_row_is_enough() -> None:
    """The sample is a number of lines, not of rows."""
    assert "," == Dialect.guessed(["email,note\n", 'a@example.com,"one\n', "two\n"]).delimiter


@pytest.mark.parametrize(
    ("named", "delimiter"),
    [
        ("tab", "\t"),
        ("\\t", "\t"),
        ("comma", ","),
        ("Semicolon", ";"),
        ("pipe", "|"),
        ("bar", "|"),
        ("^", "^"),
    ],
)
def test_a_delimiter_can_be_named_by_word_or_sign(named: str, delimiter: str) -> None:
    """A tab is hard to type."""
    assert delimiter == Dialect.named(named).delimiter


@pytest.mark.parametrize("named", ["", ",,", "a", "1", '"', "\n", "@"])
def test_what_cannot_separate_cells_is_refused(named: str) -> None:
    """It would cut through addresses, quotes or rows."""
    with pytest.raises(BadUsage, match="cannot separate cells"):
        Dialect.named(named)


@given(
    st.sampled_from(DELIMITERS),
    st.lists(cell, min_size=1, max_size=3),
    st.lists(cell, max_size=3),
    st.sampled_from(ENDS),
)
def test_cells_added_to_a_row_read_back_under_their_own_headings(
    delimiter: str, own: list[str], more: list[str], end: str
) -> None:
    """Short rows are filled up; quotes, delimiters and line breaks in the new cells survive."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerow(own)
    row = out.getvalue()
    longer = Dialect(delimiter).extended(row, own, 4, more, "\n")

    expected = [*own, *[""] * (4 - len(own)), *more]
    if not more:
        expected.append("")
    assert [expected] == list(csv.reader(io.StringIO(longer, newline=""), delimiter=delimiter))
    assert longer.endswith(end)


def test_a_last_row_without_an_end_gets_one_when_cells_are_added() -> None:
    """Otherwise the next row would stick to it."""
    assert "a@example.com,x\r\n" == Dialect(",").extended(
        "a@example.com", ["a@example.com"], 1, ["x"], "\r\n"
    )


def test_a_one_column_row_is_quoted_before_cells_are_added() -> None:
    """Its comma was part of a name, and must not become a delimiter now."""
    line = "Doe, Pat <p@example.com>"

    assert f'"{line}",exact\n' == Dialect("").extended(line + "\n", [line], 1, ["exact"], "\n")


def test_a_short_report_with_a_long_footer_is_still_a_table() -> None:
    """Salesforce writes five lines of one cell below its rows; the header and one address tell."""
    report = [
        '"Id","Email","Email Opt Out"\n',
        '"3","a@x.com","1"\n',
        "\n",
        '"Report"\n',
        '"(c)"\n',
        '"By"\n',
    ]
    title = ["Names, and addresses\n", "a@x.com\n", "b@x.com\n"]

    assert "," == Dialect.guessed(report).delimiter
    assert "" == Dialect.guessed(title).delimiter
