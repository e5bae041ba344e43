"""The document: tagged, self-contained, the same bytes, and never run by what it holds.

The tags are checked here by structure. veraPDF, the reference checker of PDF/UA, is not part of these tests;
the typesetter itself refuses to write a document that breaks the rules it knows.
"""

from __future__ import annotations

import io
import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdf.generic import DictionaryObject, IndirectObject

from suppress.config import Settings
from suppress.core.suppression import Origin
from suppress.errors import ExtraMissing
from suppress.report import pdf
from suppress.report.attachments import Attachment
from suppress.report.contents import tables
from suppress.report.showing import MOST_ROWS
from suppress.report.words import harmless
from tests.report.books import Book
from tests.report.test_html import HOSTILE, busy

MARKUP = "#panic() $x^2$ *bold* _it_ `raw` @ref <label> = Heading \\ // /* https://example.com [x] ~ -- ---"


FOOT = re.compile(
    r"\S* · (?:Redacted|Full) variant: [^·]* · checkpoint: ledger size [0-9,]+, root \w+ Page \d+ of \d+"
)


@cache
def document(*, full: bool = False, text: str = "plain") -> Any:
    """A report in which every section has something to say."""
    return PdfReader(io.BytesIO(pdf.render(busy(full=full, text=text))))


def words(reader: Any) -> str:
    """All text of the pages without their feet, with every space and line end as one space."""
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    return " ".join(FOOT.sub(" ", text).split())


def tags(reader: Any) -> list[Any]:
    """Every element of the structure tree, in reading order."""
    return list(_walk(reader.trailer["/Root"]["/StructTreeRoot"]))


def everything(reader: Any) -> list[Any]:
    """Every dictionary of the file."""
    found = (reader.get_object(number) for number in range(1, reader.trailer["/Size"]))
    return [each for each in found if isinstance(each, DictionaryObject)]


def _walk(node: Any) -> Iterator[Any]:
    node = node.get_object() if isinstance(node, IndirectObject) else node
    if isinstance(node, list):
        for each in node:
            yield from _walk(each)
    elif isinstance(node, dict):
        if "/S" in node:
            yield node
        if "/K" in node:
            yield from _walk(node["/K"])


class TestTagged:
    """What PDF/UA-1 asks, as far as a structure shows it."""

    def test_it_says_that_it_is_accessible(self) -> None:
        """Marked, with a language, a title that readers show, and the part of the standard it keeps."""
        root = document().trailer["/Root"]
        metadata = root["/Metadata"].get_data().decode()

        assert root["/MarkInfo"]["/Marked"] is not None
        assert bool(root["/MarkInfo"]["/Marked"])
        assert root["/Lang"] == "en"
        assert bool(root["/ViewerPreferences"]["/DisplayDocTitle"])
        assert re.search(r"<pdfuaid:part>1</pdfuaid:part>", metadata)
        title = "Suppression compliance report, plain, to 2026-12-24"
        assert (document().metadata or {})["/Title"] == title

    def test_every_figure_has_its_sentence(self) -> None:
        """Whoever does not see the drawing hears the numbers."""
        figures = [each for each in tags(document()) if each["/S"] == "/Figure"]

        assert len(figures) >= 3
        assert all(len(str(each["/Alt"]).split()) > 8 for each in figures)

    def test_every_table_has_header_cells(self) -> None:
        """One for each column, in a head of its own."""
        kinds = Counter(str(each["/S"]) for each in tags(document()))

        assert kinds["/Table"] > 20
        assert kinds["/THead"] == kinds["/Table"]
        assert kinds["/TH"] > 3 * kinds["/Table"]
        assert kinds["/Caption"] >= kinds["/Table"]

    def test_headings_follow_in_order(self) -> None:
        """No level is left out, and the title is one."""
        kinds = [str(each["/S"]) for each in tags(document())]

        assert kinds.count("/Title") == 1
        levels = [int(kind[2:]) for kind in kinds if re.fullmatch("/H[1-6]", kind)]
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))

    def test_every_page_has_its_number_and_the_checkpoint(self) -> None:
        """A page that was torn out still says what it belongs to."""
        reader = document()

        assert len(reader.pages) > 5
        for number, page in enumerate(reader.pages, start=1):
            text = page.extract_text()
            assert f"Page {number} of {len(reader.pages)}" in text
            assert "ab" * 32 in text

    def test_fonts_are_embedded_and_nothing_acts(self) -> None:
        """No script, no form, no attached program, no file from outside."""
        reader = document(text=HOSTILE)
        fonts = [
            font.get_object()
            for page in reader.pages
            for font in page["/Resources"].get("/Font", {}).values()
        ]
        names = {name for each in everything(reader) for name in each}

        assert fonts
        for font in fonts:
            (descendant,) = (each.get_object() for each in font["/DescendantFonts"])
            descriptor = descendant["/FontDescriptor"]
            assert "/FontFile2" in descriptor or "/FontFile3" in descriptor
        assert not names & {"/JS", "/JavaScript", "/AcroForm", "/Launch", "/EmbeddedFiles", "/URI", "/AA"}


class TestText:
    """What comes from outside is text, whatever it holds."""

    @pytest.mark.parametrize("text", [HOSTILE, MARKUP, "#{panic()}", "\\u{41}", '"]}', "a\x00b\u202e"])
    def test_hostile_text_stays_text(self, text: str) -> None:
        """Markup of a page, of the typesetter, of the data that carries it: set as it was written."""
        shown = "".join(harmless(text).split())

        assert shown in "".join(words(document(text=text)).split())

    def test_what_no_font_has_is_an_escape(self) -> None:
        """An empty box would say nothing, and the standard forbids it. Known letters stay."""
        text = words(document(text="Пример Ελλάς čžš 日本"))

        assert r"Пример Ελλάς čžš \u65e5\u672c" in text

    @settings(max_examples=15, deadline=None)
    @given(st.text(max_size=12))
    def test_any_text_makes_a_document(self, text: str) -> None:
        """Marks on foreign letters, broken pairs, private letters: never an error."""
        book = Book()
        book.opt_out("ann", origin=Origin.FILE, source=f"a{text}")
        content = pdf.render(book.facts(settings=Settings(organisation=f"a{text}")))

        assert content.startswith(b"%PDF-")

    def test_letters_that_only_fail_together_are_escapes(self) -> None:
        """A key cap over a digit, say: then all that is foreign is an escape, and our own marks stay."""
        book = Book()
        book.opt_out("ann", origin=Origin.FILE, source="key 1\u20e3 é")
        text = words(PdfReader(io.BytesIO(pdf.render(book.facts()))))

        assert r"key 1\u20e3 \xe9" in text
        assert "◆" in text

    def test_a_long_word_stays_in_its_cell(self) -> None:
        """It ends a line where it must, and reads whole."""
        text = "".join(words(document(text="w" * 300)).split())

        assert "w" * 300 in text


class TestSame:
    """The same facts, the same document."""

    def test_the_same_facts_give_the_same_bytes(self) -> None:
        """Hostile text or not."""
        assert pdf.render(busy(text=HOSTILE)) == pdf.render(busy(text=HOSTILE))

    def test_its_date_is_that_of_the_report(self) -> None:
        """And not that of making the file."""
        assert (document().metadata or {})["/CreationDate"].startswith("D:20261224120000")

    def test_the_addresses_are_in_the_full_variant_only(self) -> None:
        """In no stream, no string and no tag of a redacted one."""
        assert "person2@example.com" in words(document(full=True))
        assert "@example.com" not in words(document())
        for reader, there in ((document(), False), (document(full=True), True)):
            strings = " ".join(str(each) for each in everything(reader))
            assert not re.search("person[0-9]+@", strings)
            assert ("holds personal data" in words(reader)) is there

    def test_every_table_is_there(self) -> None:
        """With its caption, or with what there is to say of an empty one."""
        facts = busy(full=True)
        text = words(document(full=True))

        for table in tables(facts).values():
            if table.name not in ("numbers", "points", "limits"):
                assert " ".join(table.caption.split()) in text, table.name

    def test_the_digests_of_the_data_files_are_printed(self) -> None:
        """Whole, so that they can be compared and searched for."""
        content = pdf.render(busy(), [Attachment("report.json", 7, "0123456789abcdef" * 4)])

        assert "0123456789abcdef" * 4 in words(PdfReader(io.BytesIO(content)))

    def test_a_long_table_is_cut_and_says_so(self) -> None:
        """A document of a thousand pages is read by nobody."""
        book = Book()
        for number in range(MOST_ROWS + 1):
            book.opt_out(f"person{number}", received="2026-09-01", origin=Origin.PERSON)
        reader = PdfReader(io.BytesIO(pdf.render(book.facts(as_of="2027-01-01"))))

        assert "The first 500 of 501 rows." in words(reader)


def test_without_typst_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """One clear line."""
    monkeypatch.setitem(sys.modules, "typst", None)

    with pytest.raises(ExtraMissing, match="typst, which is not installed") as caught:
        pdf.render(Book().facts())

    assert caught.value.remedy == "pip install 'suppress-ledger[pdf]'"
