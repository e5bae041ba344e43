"""The facts as one self-contained page: opened from disk, printed, mailed, read aloud, it needs nothing else.

Rules kept here:

* Jinja escapes every value, and what could act unseen (control characters, direction marks) is shown as an
  escape; the style sheet and the figures are ours. There is no script and no address of
  another host in the page.
* Colour never carries a meaning alone: states are words with a mark, figures have patterns, and each figure
  has its table and its sentence.
* A table longer than `MOST_ROWS` is cut, and says so and where all its rows are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from suppress.core.suppression import Channel
from suppress.report import figures
from suppress.report.contents import tables
from suppress.report.facts import Facts
from suppress.report.judging import State
from suppress.report.table import Value
from suppress.report.verdict import Verdict
from suppress.report.words import word

MOST_ROWS = 500

_SECTIONS = (
    ("verdict", "Verdict"),
    ("manifest", "What this report is about"),
    ("coverage", "Coverage"),
    ("population", "Population and completeness"),
    ("roll-forward", "Roll-forward"),
    ("deadlines", "Deadlines"),
    ("drift", "Drift"),
    ("disclosures", "Disclosures and receipts"),
    ("files", "Imports and checks"),
    ("lessened", "Consents, corrections, erasures"),
    ("integrity", "Integrity"),
    ("exposure", "Exposure"),
    ("policies", "Policies"),
    ("limits", "Limits"),
)
_CODES = {"Person": 8, "SHA-256": None, "Quoted root": None}
"""Columns of identifiers, and how many characters are shown; None for all."""
_DAYS = {
    "Clock started",
    "Recorded",
    "Strict date",
    "Lenient date",
    "Last day",
    "Honoured",
    "Found",
    "Closed",
}
"""Columns of days and times, which are not broken over lines."""
_ALL_WELL = "No request is overdue and nobody is mailable again."
_MARKS = {
    word(State.OVERDUE): "bad",
    word(State.LATE): "bad",
    word(State.AT_RISK): "warn",
    "does not verify": "bad",
    "not run": "warn",
    "verified": "good",
    "no": "warn",
    "yes": "good",
    "open": "warn",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """The headline of a report: a kind for its style, a symbol, and the same in words."""

    kind: str
    symbol: str
    headline: str
    says: str


def render(facts: Facts) -> bytes:
    """The page as UTF-8."""
    environment = Environment(
        loader=FunctionLoader(_source),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        keep_trailing_newline=True,
    )
    environment.filters.update(shown=shown, shortened=_shortened)
    page = environment.get_template("report.html.jinja").render(
        facts=facts,
        tables=tables(facts),
        standing=standing(facts.verdict),
        sections=_SECTIONS,
        visibility=figures.visibility(facts),
        roll_forward=figures.roll_forward(facts),
        time_to_honour=figures.time_to_honour(facts),
        css=Markup(_source("report.css")),  # noqa: S704 - a file of ours, without any value in it
        email=Channel.EMAIL,
        codes=_CODES,
        whole=_DAYS,
        marks=_MARKS,
        most_rows=MOST_ROWS,
    )
    return page.encode()


def standing(verdict: Verdict) -> Standing:
    """The headline for a verdict."""
    if verdict.action_needed:
        count = sum(1 for point in verdict.points if point.weight.value == "action")
        says = "One point needs action now." if count == 1 else f"{count} points need action now."
        return Standing("bad", "▲", "Action needed", says)
    if verdict.late:
        missed = "1 deadline was" if verdict.late == 1 else f"{verdict.late:,} deadlines were"
        headline = f"In order now; {missed} missed"
        return Standing("warn", "◆", headline, f"{_ALL_WELL} The late requests are listed one by one.")
    if verdict.points:
        return Standing("warn", "◆", "In order, with warnings", _ALL_WELL)
    return Standing("good", "✓", "In order", _ALL_WELL)


def shown(value: Value) -> str:
    """A value as people read it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
        case date():
            return value.isoformat()
        case _:
            return value


def _harmless(value: object) -> object:
    """Text from outside with control characters and direction marks as escapes, so that it cannot act."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return "".join(
        each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode()
        for each in value
    )


def _shortened(text: str, column: str) -> str:
    most = _CODES[column]
    return text if most is None or len(text) <= most else f"{text[:most]}…"


def _source(name: str) -> str:
    return (files("suppress.report") / "page" / name).read_text(encoding="utf-8")
