"""The facts as a tagged document (PDF/UA-1), for whoever files, prints or signs it.

Rules kept here:

* The facts go in as data. What they hold is set as text and is never read as markup of the typesetter.
* Only the typesetter's own fonts are used, and nothing is fetched: the same facts give the same bytes on
  every machine. A character that those fonts do not have is shown as an escape (`\\u65e5`), because PDF/UA
  forbids an empty box in its place.
* Every figure has its sentence as alternative text, every table its header cells, every page its number and
  the root of the ledger.
* A table longer than `MOST_ROWS` is cut, and says so and where all its rows are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence, Set
from importlib.resources import files
from types import ModuleType
from typing import Any, assert_never

from suppress.errors import ExtraMissing
from suppress.report.attachments import Attachment
from suppress.report.blocks import Block, Drawn, Heading, Paragraph, Points, Shown, Steps, Verbatim
from suppress.report.facts import Facts
from suppress.report.headline import five, spoken, standing, variant
from suppress.report.sections import sections
from suppress.report.showing import CODES, MARKS, MOST_ROWS, NOTHING, cut, shortened, shown
from suppress.report.table import Table, Value
from suppress.report.verdict import Weight
from suppress.report.words import harmless

_WIDE = 9
"""A table of more columns than this is set smaller, and its digests over two lines."""
_DIGEST, _HALF = 64, 32
_WORDS, _SENTENCE = 40, 80
"""Up to so many characters a column is as wide as it needs; beyond the other it gets no wider share."""
_OURS = frozenset("▲◆✓…·“”≤\u2212\u2013\u2019\u00d7")
"""What our own words and marks are made of; the fonts have it."""
_PROBE = b"""
#set document(title: "-")
#set text(lang: "en", font: "Libertinus Serif")
#sys.inputs.report *#sys.inputs.report*
"""


def render(facts: Facts, attachments: Sequence[Attachment] = ()) -> bytes:
    """The document as bytes.

    Raises:
        ExtraMissing: typst is not installed.
    """
    try:
        import typst
    except ModuleNotFoundError as missing:
        raise ExtraMissing(
            "a PDF needs typst, which is not installed", remedy="pip install 'suppress-ledger[pdf]'"
        ) from missing
    content = json.dumps(_harmless(_content(facts, attachments)), ensure_ascii=False)
    strange = {each for each in content if not each.isascii()}
    source = (files("suppress.report") / "page" / "report.typ").read_bytes()
    stamp = int(facts.manifest.as_of.timestamp())
    try:
        return _compiled(typst, source, _escaped(content, _undisplayable(typst, sorted(strange))), stamp)
    except typst.TypstError:
        # Characters that can be shown one by one and not together, such as a mark on a foreign letter.
        return _compiled(typst, source, _escaped(content, strange - _OURS), stamp)


def _compiled(typst: ModuleType, source: bytes, content: str, stamp: int) -> bytes:
    made: bytes = typst.compile(
        source,
        format="pdf",
        ignore_system_fonts=True,
        pdf_standards="ua-1",
        timestamp=stamp,
        sys_inputs={"report": content},
    )
    return made


def _undisplayable(typst: ModuleType, characters: Sequence[str]) -> set[str]:
    """Those that the typesetter's fonts do not have, found by asking it for ever smaller groups."""
    if not characters:
        return set()
    try:
        _compiled(typst, _PROBE, " ".join(characters), 0)
    except typst.TypstError:
        if len(characters) == 1:
            return set(characters)
        half = len(characters) // 2
        return _undisplayable(typst, characters[:half]) | _undisplayable(typst, characters[half:])
    return set()


def _escaped(content: str, characters: Set[str]) -> str:
    """JSON in which these characters stand as escapes that a reader sees."""
    shown_as = {ord(each): json.dumps(each.encode("unicode_escape").decode())[1:-1] for each in characters}
    return content.translate(shown_as)


def _harmless(value: Any) -> Any:
    match value:
        case str():
            return harmless(value)
        case dict():
            return {name: _harmless(each) for name, each in value.items()}
        case list():
            return [_harmless(each) for each in value]
        case _:
            return value


def _content(facts: Facts, attachments: Sequence[Attachment]) -> dict[str, Any]:
    """The report as plain values; the template knows how each looks."""
    manifest, verdict = facts.manifest, facts.verdict
    organisation = manifest.organisation or "Organisation not configured"
    size = f"checkpoint: ledger size {manifest.ledger.size:,}, root"
    found = standing(verdict)
    return {
        "title": f"Suppression compliance report, {organisation}, to {manifest.period.until}",
        "tool": manifest.tool,
        "keywords": ["suppression", "opt-out", manifest.audience, f"ledger root {manifest.ledger.root}"],
        "organisation": organisation,
        "period": spoken(manifest),
        "variant": f"{variant(manifest)} · made by {manifest.tool}",
        "footer": f"{organisation} · {variant(manifest)} · {size}",
        "root": manifest.ledger.root,
        "standing": {
            "kind": found.kind,
            "symbol": found.symbol,
            "headline": found.headline,
            "says": found.says,
        },
        "numbers": [
            {"name": each.name, "value": shown(each.value), "note": each.note, "bad": each.bad}
            for each in five(verdict)
        ],
        "points": [
            {
                "kind": "bad" if point.weight is Weight.ACTION else "warn",
                "weight": point.weight.value.capitalize(),
                "says": point.says,
                "next": point.next_step,
            }
            for point in verdict.points
        ],
        "sections": [
            {"title": section.title, "blocks": [_block(each) for each in section.blocks]}
            for section in sections(facts, attachments)
        ],
    }


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Paragraph(text, strong):
            return {"kind": block.kind, "text": text, "strong": strong}
        case Heading(text):
            return {"kind": block.kind, "text": text}
        case Verbatim(text):
            return {"kind": block.kind, "lines": text.splitlines()}
        case Points(items):
            return {"kind": block.kind, "items": list(items)}
        case Steps(steps):
            return {
                "kind": block.kind,
                "items": [{"says": step.says, "command": step.command} for step in steps],
            }
        case Drawn(figure):
            return {"kind": block.kind, "svg": figure.alone(), "says": figure.says}
        case Shown(table, columns):
            return {"kind": block.kind, **_table(table, columns)}
        case _:
            assert_never(block)


def _table(table: Table, columns: Sequence[int]) -> dict[str, Any]:
    rows = table.rows[:MOST_ROWS]
    wide = len(columns) > _WIDE
    return {
        "caption": table.caption,
        "empty": table.empty,
        "columns": [table.columns[place] for place in columns],
        "numeric": [table.numeric(place) for place in columns],
        "widths": _widths(table, columns),
        "size": 7.2 if wide else 8.4,
        "total": table.has_total and len(rows) == len(table.rows),
        "rows": [[_cell(row[place], table.columns[place], wide=wide) for place in columns] for row in rows],
        "more": None if len(rows) == len(table.rows) else cut(table),
    }


def _widths(table: Table, columns: Sequence[int]) -> list[int]:
    """0 for a column as wide as it needs; a share of what is left for columns of sentences."""
    most = [max((len(shown(row[place])) for row in table.rows[:MOST_ROWS]), default=0) for place in columns]
    return [
        0 if length <= (_DIGEST if table.columns[place] in CODES else _WORDS) else min(length, _SENTENCE)
        for place, length in zip(columns, most, strict=True)
    ]


def _cell(value: Value, column: str, *, wide: bool) -> dict[str, Any]:
    text = shown(value) or NOTHING
    code = column in CODES
    if code:
        text = shortened(text, column)
        halved = wide and len(text) == _DIGEST
        text = f"{text[:_HALF]}\n{text[_HALF:]}" if halved else text
    return {"text": text, "code": code, "mark": MARKS.get(text)}
