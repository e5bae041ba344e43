"""The figures: what they say is what the tables hold, and every drawing stands by itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from xml.etree import ElementTree

import pytest

from suppress.core.suppression import Origin
from suppress.report import figures
from suppress.report.annexes import WEEKS
from suppress.report.contents import tables
from suppress.report.deadlines import Taken
from suppress.report.delays import Delay, delays, shares
from suppress.report.facts import Facts
from suppress.report.figures import curves, reached, timed
from suppress.report.figures.canvas import WIDTH, Figure
from suppress.report.figures.days import Days
from suppress.report.timing import spread
from tests.report.books import Book, noon
from tests.report.samples import quarter
from tests.report.test_html import HOSTILE, busy


@pytest.fixture(scope="module")
def facts() -> Facts:
    """A quarter with everything in it."""
    return quarter()


def all_of(facts: Facts) -> list[Figure]:
    """Every figure, in order."""
    return [each for drawn in figures.drawn(facts).values() for each in drawn]


def column(facts: Facts, table: str, name: str) -> list[int]:
    """The numbers of one column."""
    found = tables(facts)[table]
    return [value for row in found.rows if isinstance(value := row[found.columns.index(name)], int)]


def texts(figure: Figure, kind: str) -> list[str]:
    """The words of one kind in a drawing."""
    return re.findall(rf'<text [^>]*class="{kind}">([^<]*)</text>', figure.svg)


class TestEach:
    """What holds for every figure."""

    def test_each_is_well_formed_by_itself(self) -> None:
        """With hostile names too; it names its styles and needs nothing else."""
        for figure in (*all_of(quarter()), *all_of(busy(text=HOSTILE))):
            root = ElementTree.fromstring(figure.alone())

            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            assert "href" not in figure.svg
            assert root.find(".//{http://www.w3.org/2000/svg}style") is not None

    def test_nothing_is_drawn_outside(self, facts: Facts) -> None:
        """Every coordinate lies on the canvas."""
        for figure in all_of(facts):
            width, height = (float(each) for each in re.findall(r'viewBox="0 0 (\S+) (\S+)"', figure.svg)[0])
            xs = [float(each) for each in re.findall(r' (?:x|x1|x2)="(\S+?)"', figure.svg)]
            ys = [float(each) for each in re.findall(r' (?:y|y1|y2)="(\S+?)"', figure.svg)]
            assert width == WIDTH
            assert all(0 <= each <= width for each in xs), figure.title
            assert all(0 <= each <= height for each in ys), figure.title

    def test_each_has_an_id_of_its_own(self, facts: Facts) -> None:
        """A page that holds them all can be read aloud."""
        ids = [each for figure in all_of(facts) for each in re.findall(r' id="(\S+?)"', figure.svg)]

        assert len(set(ids)) == len(ids)


class TestWithin:
    """F1: the share honoured by days."""

    def test_the_shares_are_those_of_the_table(self, facts: Facts) -> None:
        """Rounded to whole per cent here, cut to whole per cent there."""
        by_time = dict(
            zip(
                [str(row[0]) for row in tables(facts)["time_to_honour"].rows],
                column(facts, "time_to_honour", "Share so far, %"),
                strict=True,
            )
        )
        figure = timed.honoured_within(facts)

        assert figure is not None
        found = re.findall(r"(\d+) % within (\d+) days", figure.says)
        said = {int(days): int(share) for share, days in found}
        for days, name in ((2, "2 days"), (5, "3-5 days"), (14, "10-14 days")):
            assert said[days] - by_time[name] in (0, 1)

    def test_each_destination_has_its_curve(self, facts: Facts) -> None:
        """When there are few enough to be told apart, by dashes and by name."""
        figure = timed.honoured_within(facts)

        assert figure is not None
        assert texts(figure, "legend") == ["all destinations", "crm", "help desk", "newsletter"]
        assert {kind for kind in curves.KINDS if f'class="{kind}"' in figure.svg} == set(curves.KINDS)

    def test_many_destinations_share_one_curve(self) -> None:
        """Nobody tells five apart."""
        book = Book()
        for number in range(5):
            book.destination(f"d{number}")
        book.opt_out("ann", received="2026-09-01", acted="2026-09-01")
        for number in range(5):
            book.told(f"d{number}")
        figure = timed.honoured_within(book.facts())

        assert figure is not None
        assert texts(figure, "legend") == ["all destinations"]


class TestDelays:
    """F5: a box for each destination."""

    @pytest.mark.parametrize(
        ("days", "expected"),
        [
            ([7], (7, 7, 7, 7, 7)),
            ([0, 1, 2, 3], (0, 0, 1, 2, 3)),
            ([0, 0, 0, 9], (0, 0, 0, 0, 9)),
            ([1, 2, 3, 4, 5], (1, 2, 3, 4, 5)),
        ],
    )
    def test_a_part_within_is_the_day_by_which_so_many_were_done(
        self, days: list[int], expected: tuple[int, ...]
    ) -> None:
        """Checked by counting."""
        (found,) = delays([Taken("crm", day, False, 1) for day in days])

        assert (found.fastest, found.quarter, found.half, found.three_quarters, found.slowest) == expected
        for part, day in ((1, found.quarter), (2, found.half), (3, found.three_quarters)):
            assert 4 * sum(each <= day for each in days) >= part * len(days)
            assert 4 * sum(each < day for each in days) < part * len(days)

    def test_inherited_requests_do_not_count(self) -> None:
        """Their time was up before."""
        assert delays([Taken("crm", 900, True, 3)]) == ()
        assert delays([Taken("crm", 900, True, 3), Taken("crm", 1, False, 2)]) == (
            Delay("crm", 2, 1, 1, 1, 1, 1),
        )

    def test_shares_rise_to_all(self) -> None:
        """Over all destinations, by day."""
        assert shares([Taken("a", 3, False, 1), Taken("b", 0, False, 2), Taken("b", 3, False, 1)]) == (
            (0, 50.0),
            (3, 100.0),
        )

    def test_the_boxes_say_the_table(self, facts: Facts) -> None:
        """Half and slowest of each destination."""
        figure = timed.delay_by_destination(facts)

        assert figure is not None
        halves = [int(each) for each in re.findall(r"half within (\d+)", figure.says)]
        assert halves == column(facts, "delays", "Half within")


class TestOpen:
    """F2: what waits, by how far its last day is away."""

    def test_every_waiting_request_is_drawn_once(self, facts: Facts) -> None:
        """The bars add up to the table."""
        figure = timed.open_requests(facts)

        assert figure is not None
        drawn = sum(int(each.replace(",", "")) for each in texts(figure, "value"))
        assert drawn == sum(column(facts, "pending", "Requests")) > 0

    def test_today_is_the_senders_own(self) -> None:
        """At four in the morning UTC it is still yesterday in Los Angeles."""
        book = Book()
        book.opt_out("ann", received="2026-09-01", acted="2026-09-01", origin=Origin.PERSON)
        last_day = book.facts().deadlines.pending[0].lenient
        night = datetime.combine(last_day + timedelta(days=1), time(4), UTC)
        figure = timed.open_requests(book.facts(as_of=night, zone="America/Los_Angeles"))

        assert figure is not None
        assert texts(figure, "value")[:2] == ["0", "1"]


class TestDrift:
    """F6: mailable again, by month."""

    def test_every_incident_is_drawn_once(self, facts: Facts) -> None:
        """Closed or open."""
        figure = timed.drift_by_month(facts)

        assert figure is not None
        assert sum(int(each) for each in texts(figure, "value")) == len(facts.drift) == 3
        assert "1 since closed, 2 still open" in figure.says


class TestAxes:
    """What drawings share."""

    def test_days_stand_in_order_from_edge_to_edge(self) -> None:
        """And short times have room."""
        axis = Days(50, 750, 400)
        places = [axis.at(days) for days in (0, 1, 2, 14, 100, 400)]

        assert places == sorted(places)
        assert (places[0], round(places[-1])) == (50, 750)
        assert places[2] - places[0] > 100

    def test_months_are_spread_without_gaps(self) -> None:
        """The one between has nothing."""
        assert spread({"2026-01": (1, 2, 3), "2026-03": (4, 5, 6)}) == (
            ("2026-01", (1, 2, 3)),
            ("2026-02", (0, 0, 0)),
            ("2026-03", (4, 5, 6)),
        )


class TestReached:
    """F3 and F8: what arrived where, and how that is known."""

    def test_the_flow_loses_nothing(self, facts: Facts) -> None:
        """What leaves the sources is what stands at the destinations, and what the table adds up to."""
        figure = reached.losses(facts)

        assert figure is not None
        left = sum(_after_colon(each) for each in texts(figure, "tick"))
        right = sum(_after_colon(each) for each in texts(figure, "legend") if ":" in each)
        assert left == right == sum(column(facts, "matrix", "Requests"))
        for name in ("Read back", "Waiting"):
            assert f"{sum(column(facts, 'matrix', name)):,} {name.lower()}" in figure.says

    def test_every_week_and_destination_has_its_share(self, facts: Facts) -> None:
        """The numbers in the cells are those of the table."""
        figure = reached.verified_by_week(facts)

        assert figure is not None
        drawn = re.findall(r'class="value on-\d">(\d+)<', figure.svg)
        assert sorted(map(int, drawn)) == sorted(column(facts, "reach_by_week", "Read back, %"))

    def test_many_names_stand_together(self) -> None:
        """Fifteen sources are a tangle; the smallest are one band, and nothing is lost."""
        book = Book()
        book.destination()
        for number in range(15):
            for person in range(15 - number):
                book.opt_out(f"{number}-{person}", received="2026-09-01", source=f"s{number:02}")
        figure = reached.losses(book.facts())

        assert figure is not None
        names = texts(figure, "tick")
        assert len(names) == 12
        assert "all others: 10" in names
        assert sum(_after_colon(each) for each in names) == 120

    def test_only_the_last_weeks_are_drawn(self) -> None:
        """Five years of weeks do not fit on a page."""
        book = Book(now=noon("2024-01-01"))
        book.destination()
        for _ in range(40):
            book.later(days=7).opt_out(f"p{book.now.isoformat()}", received=book.now)
        figure = reached.verified_by_week(book.facts())

        assert figure is not None
        assert len(re.findall(r'class="value on-\d"', figure.svg)) == WEEKS


def _after_colon(text: str) -> int:
    return int(text.rpartition(": ")[2].replace(",", ""))
