"""The page: one file, accessible, printable, escaped, and the same bytes for the same facts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from suppress.config import DestinationSettings, Settings, SourceSettings
from suppress.core.entry import CheckDone, Disclosed, ImportDone
from suppress.core.suppression import Origin, Reason, Visibility
from suppress.report import html
from suppress.report.contents import tables
from suppress.report.facts import Facts
from suppress.report.figures import counted, drawn, timed
from suppress.report.headline import standing
from suppress.report.integrity import Integrity
from suppress.report.showing import MOST_ROWS
from tests.report.books import Book, noon

HOSTILE = "<script>alert(1)</script><img src=x onerror=\"alert('2')\">&amp;\u202e{{ 7*7 }}"
_VOID = {"meta", "link", "br", "img", "input", "hr"}
_SVG_ALONE = {"rect", "line", "path"}


@dataclass
class Element:
    """One element of the page, with what it holds."""

    tag: str
    attributes: dict[str, str | None]
    parents: tuple[str, ...]
    text: str = ""
    children: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """Parses strictly: every element is closed in order, every id is unique."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(page.decode())
        self.close()
        assert self._open == [], [each.tag for each in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute stands twice in {tag}"
        element = Element(tag, dict(attrs), tuple(each.tag for each in self._open))
        self.elements.append(element)
        if self._open:
            self._open[-1].children.append(tag)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _SVG_ALONE, tag
        self.handle_starttag(tag, attrs)
        self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1].tag == tag, f"</{tag}> closes {self._open[-1].tag}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str) -> list[Element]:
        return [each for each in self.elements if each.tag == tag]


def busy(*, full: bool = False, text: str = "plain") -> Facts:
    """A ledger in which every section has something to say."""
    book = Book()
    book.destination(text)
    book.opt_out("ann", acted="2026-03-01", received="2026-03-01", visibility=Visibility.DELETED)
    book.opt_out("bob", acted="2026-08-30", received="2026-08-30", visibility=Visibility.VISIBLE)
    book.opt_out("cyd", visibility=Visibility.DELETED, reason=Reason.ACCOUNT)
    book.opt_out("dan", received="2026-05-01", acted="2026-05-01", origin=Origin.PERSON, source=text)
    book.opt_out("eve", acted="2020-01-01", origin=Origin.FILE, source=text)
    book.sync(source=text, census={text: 1, "opted_out": 3, "opted_out_deleted": 2}, observed=3, deleted=2)
    book.write(ImportDone("cd" * 32, text, text, 9, 5, 2, 1, 1, 1, 2))
    book.write(CheckDone("ef" * 32, 10, 7, 2, 1, 1))
    book.later(days=1).told(text, verified=False)
    book.write(Disclosed(text, text, text, "plain", 5, "ab" * 32))
    drift = book.later(days=30).drift("ann", source=text)
    book.sync(source=text, drift=[drift], mode="window")
    book.opt_out("fay", received="2026-09-20", acted="2026-09-20", origin=Origin.PERSON)
    book.consent("bob")
    book.corrected(book.opt_out("typo"))
    book.erased("cyd")
    book.forgotten("eve")
    settings = Settings(
        organisation=text,
        sources={text: SourceSettings(text, text, sender=text)},
        destinations={text: DestinationSettings(text, text)},
    )
    return book.facts(
        settings=settings, full=full, as_of="2026-12-24", policies=("us.can-spam", "mbp.google-yahoo")
    )


@pytest.fixture(scope="module", params=["busy", "full", "empty"])
def page(request: pytest.FixtureRequest) -> Page:
    """A full report, one with addresses, and one of an empty ledger."""
    if request.param == "empty":
        return Page(html.render(Book().facts()))
    return Page(html.render(busy(full=request.param == "full")))


class TestAccessible:
    """What a reader with a screen reader, a printer or no colours needs."""

    def test_it_has_a_language_a_title_and_one_heading_of_the_first_order(self, page: Page) -> None:
        """Headings follow in order, without a gap."""
        assert page.all("html")[0].attributes["lang"] == "en"
        assert page.all("title")[0].text.startswith("Suppression compliance report")
        levels = [int(each.tag[1]) for each in page.elements if re.fullmatch("h[1-6]", each.tag)]
        assert levels.count(1) == 1
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))

    def test_it_has_landmarks(self, page: Page) -> None:
        """One header, main, footer, and a named navigation."""
        for landmark in ("header", "main", "footer", "nav"):
            assert len(page.all(landmark)) == 1, landmark
        assert page.all("nav")[0].attributes["aria-label"] == "Contents"

    def test_every_table_has_a_caption_and_scopes(self, page: Page) -> None:
        """The first child of a table is its caption; every header says what it heads."""
        assert all(each.children[:1] == ["caption"] for each in page.all("table"))
        assert {each.attributes.get("scope") for each in page.all("th")} == {"col", "row"}
        assert all("thead" in each.parents for each in page.all("th") if each.attributes["scope"] == "col")

    def test_every_row_has_as_many_cells_as_its_table_has_columns(self, page: Page) -> None:
        """Nothing is shifted under another heading."""
        rows = iter(page.all("tr"))
        width = 0
        for row in rows:
            if "thead" in row.parents:
                width = len(row.children)
                assert width > 0
            assert len(row.children) == width

    def test_every_figure_has_a_title_a_description_and_a_sentence_beside_it(self, page: Page) -> None:
        """And its table follows in the text."""
        for drawing in page.all("svg"):
            assert drawing.attributes["role"] == "img"
            assert drawing.children[:2] == ["title", "desc"]
        assert len(page.all("figcaption")) == len(page.all("svg"))
        assert all(each.text.strip() for each in page.all("figcaption"))

    def test_what_scrolls_can_be_reached_by_keyboard_and_has_a_name(self, page: Page) -> None:
        """A wide table on a narrow screen."""
        ids = {each.attributes["id"] for each in page.elements if "id" in each.attributes}
        for region in (each for each in page.all("div") if each.attributes.get("role") == "region"):
            assert region.attributes["tabindex"] == "0"
            assert region.attributes.get("aria-label") or region.attributes["aria-labelledby"] in ids

    def test_ids_are_unique_and_links_lead_somewhere(self, page: Page) -> None:
        """Every link stays inside the page."""
        ids = [each.attributes["id"] for each in page.elements if "id" in each.attributes]
        assert len(ids) == len(set(ids))
        for link in page.all("a"):
            href = link.attributes["href"] or ""
            assert href.startswith("#")
            assert href[1:] in ids

    def test_no_state_is_told_by_colour_alone(self, page: Page) -> None:
        """Each mark holds its word, and the verdict has a headline."""
        marks = [each for each in page.all("span") if (each.attributes.get("class") or "").startswith("mark")]
        assert all(each.text.strip() for each in marks)
        (headline,) = (each for each in page.all("p") if each.attributes.get("class") == "headline")
        assert len(headline.text.split()) > 1


def test_it_needs_nothing_from_outside(page: Page) -> None:
    """No script, no request: nothing loads, nothing points to another host but the sources of policies."""
    assert not page.all("script")
    assert not page.all("link")
    assert not page.all("img")
    for element in page.elements:
        assert not {name for name in element.attributes if name.startswith("on")}
        assert not {"src", "srcset", "data", "action", "xlink:href"} & element.attributes.keys()
    (style,) = page.all("style")
    assert "url(" not in style.text
    assert "@import" not in style.text


def test_hostile_text_stays_text() -> None:
    """Names of sources, files, destinations and an organisation can hold anything."""
    raw = html.render(busy(text=HOSTILE))
    page = Page(raw)

    assert b"<script" not in raw
    assert b"<img" not in raw
    assert HOSTILE.replace("\u202e", r"\u202e") in page.all("main")[0].text
    assert "\u202e" not in raw.decode()
    assert not [each for each in page.elements if "onerror" in each.attributes]


def test_a_lone_surrogate_does_not_stop_it() -> None:
    """A platform's broken text is shown escaped; the page is still UTF-8."""
    page = html.render(busy(text="caf\udce9"))

    assert rb"caf\udce9" in page


def test_the_same_facts_give_the_same_bytes() -> None:
    """Nothing of the machine, the clock or the order of a set gets in."""
    assert html.render(busy()) == html.render(busy())


def test_addresses_are_in_the_full_variant_only() -> None:
    """The redacted page names people by subject id and entry number."""
    redacted, full = html.render(busy()).decode(), html.render(busy(full=True)).decode()

    assert "@example.com" not in redacted
    assert "person2@example.com" in full
    assert "holds personal data" in full
    assert "holds personal data" not in redacted


def test_the_figures_show_the_facts() -> None:
    """The sentences beside the drawings hold the numbers of the tables."""
    facts = busy()
    visibility, roll = counted.visibility(facts), counted.roll_forward(facts)
    time = timed.time_to_honour(facts)

    assert visibility is not None
    assert "1 are visible to the usual query and 1 are hidden" in visibility.says
    assert roll is not None
    assert f"to {facts.verdict.suppressed} at the end" in roll.says
    assert time is not None
    assert "inherited request" in time.says


def test_many_bars_keep_their_labels_apart() -> None:
    """Of 24 months every second has its name, and one in which nobody acted has no number."""
    book = Book(now=noon("2026-12-31"))
    for month in (*range(12), *range(13, 24)):
        when = f"{2025 + month // 12}-{month % 12 + 1:02}-05"
        book.opt_out("ann", acted=when, visibility=Visibility.VISIBLE)
    drawn = counted.visibility(book.facts())

    assert drawn is not None
    assert drawn.svg.count('class="name"') == 12
    assert drawn.svg.count('class="bar plain"') == 23 + 1
    assert drawn.svg.count('class="value"') == 23
    assert "people and files" not in drawn.says


def test_nothing_is_drawn_of_nothing() -> None:
    """An empty ledger has tables that say so, and no empty axes."""
    facts = Book().facts()

    assert set(drawn(facts).values()) == {()}


def test_a_long_table_is_cut_and_says_so() -> None:
    """The page stays readable; the other formats hold every row."""
    book = Book()
    for number in range(MOST_ROWS + 1):
        book.opt_out(f"person{number}", received="2026-09-01", origin=Origin.PERSON)
    facts = book.facts(as_of="2027-01-01")
    page = html.render(facts).decode()

    assert "The first 500 of 501 rows." in page
    assert len(tables(facts)["missed"].rows) == 501
    assert page.count('<span class="mark bad">overdue</span>') == 500 + 1


class TestHeadline:
    """The first words say how things stand."""

    def test_action(self) -> None:
        """Overdue: something must be done, and how many things."""
        book = Book()
        book.opt_out("ann", received="2026-09-01", origin=Origin.PERSON)
        found = standing(book.facts(as_of="2027-01-01").verdict)

        assert (found.kind, found.headline) == ("bad", "Action needed")
        assert found.says == "One point needs action now."

    def test_missed_and_over(self) -> None:
        """Late is past: nothing to do, and not in order either."""
        book = Book()
        book.on("2026-12-01").opt_out("ann", received="2026-09-01", origin=Origin.PERSON)
        book.opt_out("bob", received="2026-09-01", origin=Origin.PERSON)
        book.told("crm")
        found = standing(book.facts().verdict)

        assert (found.kind, found.headline) == ("warn", "In order now; 2 deadlines were missed")

    def test_warnings_only(self) -> None:
        """A source was never read."""
        assert standing(Book().facts().verdict).headline == "In order, with warnings"

    def test_all_well(self) -> None:
        """Read, counted, told, in time."""
        book = Book()
        book.sync()
        book.opt_out("ann", received="2026-09-01")
        book.told("crm")
        found = standing(book.facts().verdict)

        assert (found.kind, found.headline) == ("good", "In order")

    def test_two_points(self) -> None:
        """Damage and drift are two."""
        book = Book()
        book.opt_out("ann")
        book.drift("ann")
        damaged = Integrity(False, 3, 0, (), "entry 2: its bytes were changed")
        facts = book.facts(integrity=damaged)

        assert standing(facts.verdict).says == "2 points need action now."
        assert b"entry 2: its bytes were changed" in html.render(facts)
