"""Whoever has only the page or the document finds the answers; the numbers are the same in every format."""

from __future__ import annotations

import csv
import io
import json
import re
from functools import cache
from typing import Any

import pytest
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from suppress.report.rendering import Rendered, rendered
from suppress.report.target import Format, Target
from tests.report.samples import quarter
from tests.report.test_html import Page
from tests.report.test_pdf import words


@cache
def folder() -> Rendered:
    """A quarter in every format."""
    return rendered(quarter(), Target(Format.ALL, "-"))


@cache
def told(format_: str) -> str:
    """The words of the page or of the document, on one line."""
    content = folder().files[f"report.{format_}"]
    if format_ == "pdf":
        return words(PdfReader(io.BytesIO(content)))
    page = Page(content)
    return " ".join(" ".join(each.text for each in page.elements if each.tag in _READ).split())


_READ = {"p", "li", "h1", "h2", "h3", "td", "th", "caption", "figcaption", "dt", "dd", "pre"}


@cache
def numbers() -> dict[str, Any]:
    """The facts as programs read them."""
    found: dict[str, Any] = json.loads(folder().files["report.json"])
    return found


QUESTIONS = {
    "How many requests came in the period?": r"plus {roll[new]} new and {roll[re_asserted]} re-asserted",
    "How many were late or overdue?": r"{late} late, {overdue} overdue",
    "Which ones, and why?": r"Late and overdue requests, one by one.*{miss[seq]} .*{miss[cause]}",
    "How fast was it?": r"\d+ % within 2 days, \d+ % within 5 days, \d+ % within 14 days",
    "Which destination honoured when?": r"Calendar days to each destination.*crm .*help desk .*newsletter ",
    "How is it known that a destination obeyed?": r"Read back means that the suppressions were seen there",
    "Is this everyone, and how is that known?": r"How do we know that this is everyone\?"
    r".*opted out = visible \+",
    "Does the population add up?": r"= {roll[closing]}\. Closing, counted person by person: {roll[closing]}\."
    r".*This adds up\.",
    "What about contacts deleted at the source?": r"Deleted-but-unsubscribed people found in the "
    r"period: {hidden}\.",
    "Who is mailable again?": r"Suppressed people who were mailable again.*open",
    "Who lifted a suppression, on what evidence?": r"Only a consent that is later than the opt-out.*"
    r"Re-consent register.*pat at office",
    "Who changed what?": r"One that was wrong is struck out.*typed in the wrong window",
    "What left the house, to whom and why?": r"Disclosure log.*newsletter .*Mailchimp .*suppression",
    "What was erased, on what basis?": r"personal data was erased; they stay suppressed.*Art\. 17",
    "Which rule, in which version, from which source?": r"The deadline policies used.*us\.can-spam"
    r".*7704\(a\)\(4\)",
    "What is the most that it can cost?": r"Maximum for one message, in US dollars 53,088.*Source",
    "What is not covered?": r"Limits: what this report cannot know.*Requests that nobody recorded are not "
    r"here",
    "Can I check it myself, and how?": r"sha256sum -c SHA256SUMS.*suppress verify --anchor checkpoint\.txt",
    "Was the ledger changed?": r"Verification of the ledger.*verified",
    "Which entries was a figure counted from?": r"Where the figures come from.*Counted from entries",
    "Was a sample traced to the end?": r"Sampling annex.*What became of each drawn request"
    r".*with their proofs",
    "Where is every single request?": r"Every request stands one by one in requests\.csv.*{lines} lines",
    "What did not work, and since when?": r"Every run over a source, every receipt and every patrol is an "
    r"entry, also one that was not whole.*Outage log.*telling the destination",
    "What does a destination lose of what it is told?": r"What is lost when a destination is told",
    "What was the root cause, what became of it, who owns it?": r"Exceptions and their remediation"
    r".*{miss[cause]}.*not named in the settings",
    "Would another rule have been broken?": r"What if.*ca\.casl",
}


@pytest.mark.parametrize("format_", ["html", "pdf"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_an_auditor_finds_the_answer(format_: str, question: str) -> None:
    """In the words of the page and of the document alone, with the numbers that the data holds."""
    found = numbers()
    total = next(each for each in found["roll_forward"]["totals"] if each["channel"] == "email")
    answer = QUESTIONS[question]
    for name, value in {
        "{late}": found["verdict"]["late"],
        "{overdue}": found["verdict"]["overdue"],
        "{hidden}": found["verdict"]["hidden"],
        "{lines}": found["deadlines"]["registered"],
        "{miss[seq]}": found["deadlines"]["missed"][0]["seq"],
        "{miss[cause]}": re.escape(found["deadlines"]["missed"][0]["cause"]),
        **{f"{{roll[{name}]}}": total[name] for name in ("new", "re_asserted", "closing")},
    }.items():
        answer = answer.replace(name, str(value))

    assert re.search(answer, told(format_), re.DOTALL), answer


def test_the_five_numbers_are_the_same_in_every_format() -> None:
    """Page, document, workbook, csv and json."""
    verdict = numbers()["verdict"]
    expected = [
        verdict["suppressed"],
        verdict["hidden"],
        verdict["in_time"],
        verdict["late"] + verdict["overdue"],
        verdict["drift_open"],
    ]
    files = folder().files
    lines = list(csv.reader(io.StringIO(files["csv/numbers.csv"].decode())))
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(files["report.xlsx"])).get_sheet_by_name("numbers")
    shown = [
        re.sub(r"\D.*", "", each.text.replace(",", "").strip())
        for each in Page(files["report.html"]).all("dd")
    ]
    head = told("pdf").partition("What needs attention")[0]
    drawn = re.search(
        r"People who may not be e-mailed (\d+) .*hides (\d+) .*in time (\d+) .*"
        r"overdue (\d+) .*\(drift\) (\d+) ",
        head,
    )

    assert [int(row[1]) for row in lines[1:]] == expected
    assert [row[1] for row in sheet.to_python()[1:]] == expected
    assert [int(each) for each in shown] == expected
    assert drawn is not None
    assert [int(each) for each in drawn.groups()] == expected


@pytest.mark.parametrize("table", ["deadlines_by_destination", "roll_forward", "delays", "matrix", "pending"])
def test_each_line_of_a_table_is_in_the_document_as_in_the_data(table: str) -> None:
    """Row by row, in the order of the columns."""
    header, *rows = csv.reader(io.StringIO(folder().files[f"csv/{table}.csv"].decode()))
    text = "".join(told("pdf").replace(",", "").split())

    assert rows
    for row in rows:
        line = "".join("".join(mark(each) if each else "–" for each in row).split())
        assert line in text, (header, row)


def mark(value: str) -> str:
    """A cell as the document shows it."""
    return {"yes": "✓yes", "no": "◆no", "open": "◆open", "overdue": "▲overdue", "at risk": "◆atrisk"}.get(
        value, value
    )
