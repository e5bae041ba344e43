"""A redacted report names nobody, in any format, also where somebody typed an address into free text."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from suppress.core.entry import Corrected, Disclosed
from suppress.core.suppression import Origin
from suppress.report import csv, html, json
from suppress.report.facts import Facts
from suppress.report.redacting import MASK, redacted
from suppress.report.rendering import rendered
from suppress.report.target import Format, Target
from tests.report.books import Book
from tests.report.samples import quarter
from tests.report.test_html import busy
from tests.report.test_pdf import everything

TYPED = 'letter of Ann.O\'Typed+x@mail.example.net, (bob@example.org) <"c d"@example.com>'
LOOKS = re.compile(r"[\w.+'-]+@[\w-]+\.[\w.]+|example\.(?:net|org|com)")


def everywhere(facts: Facts) -> Iterator[tuple[str, str]]:
    """All that a reader, or a program that opens archives and streams, finds in any file of a report."""
    for name, content in rendered(facts, Target(Format.ALL, "-")).files.items():
        if name.endswith(".xlsx"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for part in archive.namelist():
                    yield f"{name}/{part}", archive.read(part).decode()
        elif name.endswith(".pdf"):
            reader = PdfReader(io.BytesIO(content))
            yield name, " ".join("".join(page.extract_text().split()) for page in reader.pages)
            yield f"{name} strings", " ".join(str(each) for each in everything(reader))
            yield (
                f"{name} streams",
                " ".join(
                    each.get_data().decode("latin-1")
                    for each in everything(reader)
                    if hasattr(each, "get_data")
                ),
            )
        else:
            yield name, content.decode()


def found(facts: Facts) -> dict[str, list[str]]:
    """What reads as an address, by file; our own fonts and formats hold none."""
    return {name: hits for name, text in everywhere(facts) if (hits := LOOKS.findall(text))}


def typed() -> Facts:
    """Somebody typed addresses into everything that takes words."""
    return busy(text=TYPED)


def test_no_format_of_a_redacted_report_holds_an_address() -> None:
    """Page, document, workbook, data, sums: nothing, whatever people typed."""
    assert found(redacted(typed())) == {}
    assert found(redacted(quarter())) == {}


def test_the_scan_would_find_one() -> None:
    """In every format: it looks into archives and streams."""
    hits = found(typed())

    assert {name.partition("/")[0].partition(" ")[0] for name in hits} >= {
        "report.html", "report.pdf", "report.xlsx", "report.json", "csv",
    }  # fmt: skip


def test_words_around_an_address_stay() -> None:
    """The record says what happened, to nobody by name."""
    book = Book()
    wrong = book.opt_out("ann")
    book.write(Corrected(wrong, "typed for x@example.com, meant y@example.com."))
    book.write(Disclosed("crm", "dpo@partner.example", "audit", "plain", 1, "ab" * 32))
    facts = redacted(book.facts())

    assert facts.activity.corrections[0].body.reason == f"typed for {MASK}, meant {MASK}"
    assert facts.activity.disclosures[0].body.recipient == MASK


def test_the_full_variant_keeps_every_word() -> None:
    """It is marked as personal data."""
    facts = busy(full=True, text=TYPED)

    assert redacted(facts) is facts


def test_the_checkpoint_stays_to_the_letter() -> None:
    """It is signed."""
    facts = typed()

    assert redacted(facts).manifest.ledger == facts.manifest.ledger


@settings(max_examples=60, deadline=None)
@given(
    st.from_regex(r"[a-z0-9.!#$%&*+/?^_~-]{1,20}", fullmatch=True),
    st.from_regex(r"([a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?\.){1,3}[a-z]{2,6}", fullmatch=True),
    st.sampled_from(["{}", "({})", "<{}>", "mailto:{}?x", "a,{};b", "x={}", "‘{}’"]),
)
def test_any_address_in_any_wrapping_is_masked(local: str, domain: str, around: str) -> None:
    """As people paste them from mail programs, lists and links."""
    book = Book()
    book.opt_out("ann", origin=Origin.FILE, source=around.format(f"{local}@{domain}"))
    facts = redacted(book.facts())

    for render in (html.render, json.render, csv.single):
        assert f"@{domain}".encode() not in render(facts)


@pytest.mark.parametrize("text", ["no address", "@", "a@b", "5 @ 3.50", "user@host"])
def test_what_is_no_address_stays(text: str) -> None:
    """A name at a machine says who wrote an entry."""
    book = Book()
    book.opt_out("ann", origin=Origin.FILE, source=text)

    assert redacted(book.facts()).coverage.brought[0].name == text
