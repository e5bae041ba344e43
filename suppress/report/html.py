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

from collections.abc import Sequence
from datetime import UTC, date, datetime
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from suppress.report.attachments import Attachment
from suppress.report.facts import Facts
from suppress.report.figures.canvas import styles
from suppress.report.headline import standing
from suppress.report.judging import State
from suppress.report.sections import sections
from suppress.report.table import Value
from suppress.report.words import harmless, word

MOST_ROWS = 500

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


def render(facts: Facts, attachments: Sequence[Attachment] = ()) -> bytes:
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
        standing=standing(facts.verdict),
        sections=sections(facts, attachments),
        css=Markup(_source("report.css") + styles()),  # noqa: S704 - files of ours, without any value in them
        codes=_CODES,
        whole=_DAYS,
        marks=_MARKS,
        most_rows=MOST_ROWS,
    )
    return page.encode()


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
    """Text from outside so that it cannot act; markup is ours."""
    return value if not isinstance(value, str) or isinstance(value, Markup) else harmless(value)


def _shortened(text: str, column: str) -> str:
    most = _CODES[column]
    return text if most is None or len(text) <= most else f"{text[:most]}…"


def _source(name: str) -> str:
    return (files("suppress.report") / "page" / name).read_text(encoding="utf-8")
