"""All formats say the same: what the page shows, csv writes and json holds come from one object."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import UTC, date, datetime

import pytest

from suppress.core.suppression import Channel, Origin, Reason
from suppress.report import csv as as_csv
from suppress.report import html
from suppress.report import json as as_json
from suppress.report.census import Month
from suppress.report.contents import tables
from suppress.report.deadlines import Taken
from suppress.report.drift import Closing
from suppress.report.judging import State
from suppress.report.people import Clock
from suppress.report.table import Table
from suppress.report.timing import grouped, median_days, steps
from suppress.report.words import count_name, word
from tests.report.books import Book
from tests.report.test_html import HOSTILE, Page, busy


def cell(value: object) -> str:
    """A value as csv writes it, by a rule of its own."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return "" if value is None else str(value)


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


class TestCsv:
    """A folder of annexes for people, one long file for programs."""

    def test_each_table_is_a_file_with_its_columns_and_rows(self) -> None:
        """Nothing is cut, and nothing is formatted away."""
        facts = busy(full=True)
        folder = as_csv.folder(facts)

        for table in tables(facts).values():
            written = rows(folder[f"{table.name}.csv"])
            assert written[0] == list(table.columns)
            assert written[1:] == [[cell(value) for value in row] for row in table.rows]

    def test_the_index_names_every_file_with_its_digest(self) -> None:
        """Written last, it stands for the folder."""
        folder = as_csv.folder(busy())
        header, *lines = rows(folder["index.csv"])

        assert list(folder)[-1] == "index.csv"
        assert header == ["file", "lines", "sha256"]
        assert [line[0] for line in lines] == list(folder)[:-1]
        for name, count, digest in lines:
            assert hashlib.sha256(folder[name]).hexdigest() == digest
            assert len(rows(folder[name])) - 1 == int(count)

    def test_one_file_holds_every_figure(self) -> None:
        """Put together again by table, row and column it is the tables."""
        facts = busy()
        header, *lines = rows(as_csv.single(facts))
        expected = [
            [table.name, str(number), column, cell(value)]
            for table in tables(facts).values()
            for number, row in enumerate(table.rows, start=1)
            for column, value in zip(table.columns, row, strict=True)
        ]

        assert header == ["table", "row", "column", "value"]
        assert lines == expected

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
    def test_a_cell_that_a_spreadsheet_would_run_is_defused(self, start: str) -> None:
        """`=HYPERLINK(…)` as the name of a source stays text."""
        name = f"{start}HYPERLINK(1)"
        book = Book()
        book.opt_out("ann", origin=Origin.FILE, source=name)
        (line,) = rows(as_csv.folder(book.facts())["brought.csv"])[1:]

        assert line[0] == f"'{name}"

    def test_lines_end_as_the_standard_says(self) -> None:
        """RFC 4180, whatever a name holds."""
        content = as_csv.folder(busy(text='two\nlines, "quoted"'))["brought.csv"]

        assert content.endswith(b"\r\n")
        assert 'two\nlines, "quoted"' in [row[0] for row in rows(content)]


class TestJson:
    """The facts for programs."""

    def test_the_schema_comes_first(self) -> None:
        """Programs look at it before anything else."""
        found = json.loads(as_json.render(busy()))

        assert next(iter(found.items())) == ("schema", "suppress/report@1")

    def test_what_a_fact_works_out_is_there(self) -> None:
        """A reader need not know how a sum is made."""
        facts = busy()
        found = json.loads(as_json.render(facts))

        assert found["verdict"]["findings"] is True
        assert found["roll_forward"]["holds"] is True
        assert found["roll_forward"]["totals"][0]["expected"] == facts.verdict.suppressed
        assert found["deadlines"]["holds"] is True
        assert found["population"]["censuses"][0]["identities"][0]["holds"] in (True, False)

    def test_times_are_utc_and_days_are_days(self) -> None:
        """RFC 3339 with a Z; ISO 8601."""
        found = json.loads(as_json.render(busy()))

        assert found["manifest"]["as_of"] == "2026-12-24T12:00:00Z"
        assert found["manifest"]["period"]["until"] == "2026-12-24"
        assert found["deadlines"]["clocks"].keys() == {"received", "acted", "learned"}

    def test_entries_are_told_with_their_bodies(self) -> None:
        """A consent's scope is text there."""
        (consent,) = json.loads(as_json.render(busy()))["activity"]["consents"]

        assert consent["body"]["scope"] == "everything"
        assert consent["actor"] == "pat at office"

    def test_what_has_no_place_in_a_report_is_refused(self) -> None:
        """A new kind of value must be given a form, not a guess."""
        table = Table("t", "c", ("a",), ((object(),),))  # type: ignore[arg-type]  # that is the point

        with pytest.raises(TypeError, match="a object has no place in a report"):
            as_json.plain(table)


class TestSame:
    """The same figures everywhere."""

    @pytest.mark.parametrize("full", [False, True])
    def test_the_page_shows_the_tables(self, full: bool) -> None:
        """Cell by cell, for every column that the page shows."""
        facts = busy(full=full)
        page = Page(html.render(facts))
        shown = page_tables(page)

        compared = 0
        for table in tables(facts).values():
            caption = table.caption
            if caption not in shown:
                continue
            if table.name == "policies":
                compared += on_its_side(table, shown[caption])
                continue
            for row, line in zip(table.rows, shown[caption], strict=True):
                for column, text in line.items():
                    value = row[table.columns.index(column)]
                    assert matches(text, value), (caption, column, text, value)
                    compared += 1
        assert compared > 200

    def test_the_tables_hold_the_figures_of_json(self) -> None:
        """Five numbers, deadlines, roll-forward."""
        facts = busy()
        found = json.loads(as_json.render(facts))
        by_name = tables(facts)

        assert [row[1] for row in by_name["numbers"].rows] == [
            found["verdict"]["suppressed"],
            found["verdict"]["hidden"],
            found["verdict"]["in_time"],
            found["verdict"]["late"] + found["verdict"]["overdue"],
            found["verdict"]["drift_open"],
        ]
        total = by_name["roll_forward"].rows[-1]
        assert total[by_name["roll_forward"].columns.index("closing")] == found["verdict"]["suppressed"]
        assert len(by_name["missed"].rows) == len(found["deadlines"]["missed"])
        assert len(by_name["hidden"].rows) == len(found["population"]["hidden"])

    @pytest.mark.parametrize("render", [html.render, as_json.render, as_csv.single])
    def test_the_same_facts_give_the_same_bytes(self, render) -> None:  # type: ignore[no-untyped-def]
        """In every format, with hostile text too."""
        assert render(busy(text=HOSTILE)) == render(busy(text=HOSTILE))


def on_its_side(table: Table, lines: list[dict[str, str]]) -> int:
    """Compare a table that the page turns; how many cells there were."""
    assert [line[table.columns[0]] for line in lines] == list(table.columns[1:])
    for place, line in enumerate(lines, start=1):
        for row in table.rows[:3]:
            assert matches(line[str(row[0])], row[place]), (row[0], table.columns[place])
    return len(lines)


def page_tables(page: Page) -> dict[str, list[dict[str, str]]]:
    """The tables of a page: for each caption its rows, by column."""
    found: dict[str, list[dict[str, str]]] = {}
    columns: list[str] = []
    cells: list[str] = []
    caption = ""
    for element in page.elements:
        if element.tag == "caption":
            caption, columns = element.text, []
            found[caption] = []
        elif element.tag == "tr":
            cells = []
        elif element.tag == "th" and element.attributes["scope"] == "col":
            columns.append(element.text)
        elif element.tag in ("td", "th"):
            cells.append(element.text.strip())
            if len(cells) == len(columns):
                found[caption].append(dict(zip(columns, cells, strict=True)))
    return found


def matches(text: str, value: object) -> bool:
    """Whether the page's text shows this value; long identifiers are shortened there."""
    match value:
        case None | "":
            return text == "–"
        case bool():
            return text == ("yes" if value else "no")
        case int():
            return text == f"{value:,}"
        case datetime():
            return text == value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
        case date():
            return text == value.isoformat()
        case _:
            return text == value or (text.endswith("…") and str(value).startswith(text[:-1]))


class TestWords:
    """One word for each value, in every format."""

    @pytest.mark.parametrize("kind", [State, Reason, Channel, Origin, Clock, Closing])
    def test_every_value_has_a_word_of_its_own(self, kind: type[State]) -> None:
        """No raw enum value reaches a reader, and no two values read alike."""
        words = [word(value) for value in kind]

        assert len(set(words)) == len(words)
        assert all("_" not in each for each in words)

    def test_counts_of_a_census_read_as_words(self) -> None:
        """Those that we know, those of a query, and those of another platform."""
        assert count_name("opted_out") == "Opted out"
        assert count_name("status_all") == "Shown by status=all"
        assert count_name("status_all_counted") == "Platform's own count, status=all"
        assert count_name("hard_bounces") == "Hard bounces"


class TestTiming:
    """Distributions in steps that a person can read."""

    def test_each_request_falls_into_one_step(self) -> None:
        """The borders belong to the step that names them."""
        days = (0, 1, 2, 3, 5, 6, 9, 10, 14, 15, 30, 31, 365, 366, 4000)
        found = steps([Taken("crm", each, False, 1) for each in days])

        assert [step.timely for step in found] == [1, 1, 1, 2, 2, 2, 2, 2, 2]
        assert [step.within for step in found][-1] == 100

    def test_inherited_ones_are_counted_apart(self) -> None:
        """They do not move the share."""
        found = steps([Taken("crm", 0, False, 1), Taken("crm", 900, True, 9)])

        assert (found[0].within, found[-1].inherited) == (100, 9)

    def test_the_median_is_the_day_by_which_half_were_told(self) -> None:
        """Inherited ones left out; None without any."""
        assert median_days([Taken("a", 1, False, 2), Taken("b", 5, False, 2), Taken("c", 9, True, 90)]) == 1
        assert median_days([Taken("a", 1, False, 1), Taken("b", 5, False, 2)]) == 5
        assert median_days([Taken("c", 9, True, 90)]) is None

    def test_a_month_without_requests_is_part_of_the_time(self) -> None:
        """A chart must not close the gap."""
        found = grouped([Month("2025-11", 1, 0, 0), Month("2026-02", 0, 2, 0)])

        assert [each.month for each in found] == ["2025-11", "2025-12", "2026-01", "2026-02"]

    def test_a_long_time_is_drawn_by_quarter_then_by_year(self) -> None:
        """Nothing is lost on the way."""
        two_years = [Month("2024-01", 1, 0, 0), Month("2026-03", 2, 3, 4)]
        decades = [Month("1999-01", 1, 0, 0), Month("2026-03", 2, 3, 4)]

        assert [grouped(two_years)[0].month, grouped(two_years)[-1].month] == ["2024-Q1", "2026-Q1"]
        assert [grouped(decades)[0].month, grouped(decades)[-1].month] == ["1999", "2026"]
        assert sum(each.visible + each.deleted + each.elsewhere for each in grouped(decades)) == 10

    def test_nothing_is_grouped_of_nothing(self) -> None:
        """An empty ledger has no months."""
        assert grouped([]) == ()
