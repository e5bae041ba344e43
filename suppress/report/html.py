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
from datetime import date
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from suppress.report.attachments import Attachment
from suppress.report.facts import Facts
from suppress.report.figures.canvas import styles
from suppress.report.headline import five, spoken, standing, variant
from suppress.report.sections import sections
from suppress.report.showing import CODES, MARKS, MOST_ROWS, cut, shortened, shown
from suppress.report.words import harmless


def render(facts: Facts, attachments: Sequence[Attachment] = ()) -> bytes:
    """The page as UTF-8."""
    environment = Environment(
        loader=FunctionLoader(_source),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        keep_trailing_newline=True,
    )
    environment.filters.update(shown=shown, shortened=shortened)
    environment.tests["day"] = lambda value: isinstance(value, date)
    page = environment.get_template("report.html.jinja").render(
        facts=facts,
        standing=standing(facts.verdict),
        numbers=five(facts.verdict),
        period=spoken(facts.manifest),
        variant=variant(facts.manifest),
        sections=sections(facts, attachments),
        css=Markup(_source("report.css") + styles()),  # noqa: S704 - files of ours, without any value in them
        codes=CODES,
        marks=MARKS,
        most_rows=MOST_ROWS,
        cut=cut,
    )
    return page.encode()


def _harmless(value: object) -> object:
    """Text from outside so that it cannot act; markup is ours."""
    return value if not isinstance(value, str) or isinstance(value, Markup) else harmless(value)


def _source(name: str) -> str:
    return (files("suppress.report") / "page" / name).read_text(encoding="utf-8")
