"""The sections of a report, in the order in which an auditor asks; the page and the document both follow it.

Rules kept here:

* Every table of `contents` is shown. One that no section names stands after the table that precedes it in
  `contents`, so that a new table is in every format by itself.
* A section that has nothing to say is left out.
* A figure stands before the table that it draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from suppress.report import leads
from suppress.report.attachments import Attachment, listed
from suppress.report.blocks import Block, Drawn, Heading, Points, Section, Shown
from suppress.report.contents import NUMBERS, tables
from suppress.report.facts import Facts
from suppress.report.figures import drawn
from suppress.report.table import Table, turned

_WIDEST, _AT_ONCE = 14, 3
"""A table of more columns with words is shown on its side, so many of its rows beside one another."""
_ON_TOP = (NUMBERS, "points")
"""Tables that the head of the report shows in its own way."""


@dataclass(frozen=True, slots=True)
class _Outline:
    id: str
    title: str
    tables: tuple[str, ...]
    lead: Callable[[Facts], Iterator[Block]] = leads.none


_OUTLINE = (
    _Outline("manifest", "What this report is about", ("manifest", "basis")),
    _Outline("check-it", "Check it yourself", ("attachments",), leads.check_it),
    _Outline("coverage", "Scope and coverage", ("sources", "destinations", "brought"), leads.coverage),
    _Outline(
        "population",
        "Population and completeness",
        ("census", "census_sums", "visibility", "hidden"),
        leads.population,
    ),
    _Outline("roll-forward", "Roll-forward", ("roll_forward", "scopes"), leads.roll_forward),
    _Outline(
        "deadlines",
        "Timeliness",
        (
            "deadlines",
            "deadlines_by_destination",
            "missed",
            "pending",
            "inherited",
            "time_to_honour",
            "delays",
        ),
        leads.deadlines,
    ),
    _Outline(
        "propagation",
        "Propagation evidence",
        ("matrix", "reach_by_week", "reason_losses", "exports"),
        leads.propagation,
    ),
    _Outline("drift", "Drift incidents", ("drift",), leads.drift),
    _Outline("consents", "Re-consent register", ("consents",), leads.consents),
    _Outline("corrections", "Corrections and overrides", ("corrections", "waivers"), leads.corrections),
    _Outline("disclosures", "Disclosure log", ("disclosures",), leads.disclosures),
    _Outline("files", "Imports and checks", ("imports", "hashes", "rules", "checks"), leads.files),
    _Outline("availability", "Availability", ("outages", "uptime"), leads.availability),
    _Outline("erasure", "Erasure and retention", ("erasures", "forgotten"), leads.erasure),
    _Outline("access", "Access", ("access",), leads.access),
    _Outline("integrity", "Integrity", ("integrity", "reports"), leads.integrity),
    _Outline(
        "sampling",
        "Sampling annex",
        ("sample_method", "sample", "sample_steps", "sample_proofs"),
        leads.sampling,
    ),
    _Outline("exceptions", "Exceptions and remediation", ("exceptions",), leads.exceptions),
    _Outline("what-if", "What if", ("what_if", "what_if_explained")),
    _Outline("exposure", "Exposure: a maximum, not a forecast", ("exposure",), leads.exposure),
    _Outline("policies", "Policies", ("policies",), leads.policies),
    _Outline("limits", "Limits: what this report cannot know", ("limits",)),
)

_BEFORE: Mapping[str, str] = {
    "visibility": "What the usual query would have missed",
    "time_to_honour": "How long it took",
}
"""Headings inside a section, by the table that they stand before."""

_AFTER: Mapping[str, Callable[[Facts], Iterator[Block]]] = {"visibility": leads.after_visibility}
"""What is said after a table."""


def sections(facts: Facts, attachments: Sequence[Attachment] = ()) -> tuple[Section, ...]:
    """All that follows the head of the report."""
    found = {**tables(facts), "attachments": listed(attachments)}
    figures = drawn(facts)
    homes = _homes(tuple(found))
    made = []
    for outline in _OUTLINE:
        own = [found[name] for name in sorted(homes[outline.id], key=_place(outline, tuple(found)))]
        if own:
            blocks = [*outline.lead(facts)]
            for table in own:
                blocks += _told(facts, table, [Drawn(each) for each in figures.get(table.name, ())])
            made.append(Section(outline.id, outline.title, tuple(blocks)))
    return tuple(made)


def _homes(names: Sequence[str]) -> dict[str, list[str]]:
    """The tables of each section."""
    known = {name: outline.id for outline in _OUTLINE for name in outline.tables}
    homes: dict[str, list[str]] = {outline.id: [] for outline in _OUTLINE}
    latest = _OUTLINE[0].id
    for name in names:
        if name in _ON_TOP:
            continue
        latest = known.get(name, latest)
        homes[latest].append(name)
    return homes


def _place(outline: _Outline, names: Sequence[str]) -> Callable[[str], tuple[int, int]]:
    """The order of a section's tables: as named, each followed by the strangers that come after it."""

    def place(name: str) -> tuple[int, int]:
        index = names.index(name)
        before = index
        while names[before] not in outline.tables:
            before -= 1
        return outline.tables.index(names[before]), index

    return place


def _told(facts: Facts, table: Table, figures: Sequence[Drawn]) -> Iterator[Block]:
    if table.name == "limits":
        yield Points(facts.limits)
        return
    if table.name in _BEFORE:
        yield Heading(_BEFORE[table.name])
    yield from figures
    if table.name != "hidden" or _full(facts):
        columns = _columns(facts, table)
        if table.rows and sum(not table.numeric(place) for place in columns) > _WIDEST:
            for each in turned(table, _AT_ONCE):
                yield Shown(each, tuple(range(len(each.columns))))
        else:
            yield Shown(table, columns)
    if table.name in _AFTER:
        yield from _AFTER[table.name](facts)


def _columns(facts: Facts, table: Table) -> tuple[int, ...]:
    unshown = _unshown(facts, table.name)
    return tuple(place for place, name in enumerate(table.columns) if name not in unshown)


def _unshown(facts: Facts, name: str) -> tuple[str, ...]:
    """Columns that a page has no room for."""
    person = ("Person",) if _full(facts) else ()
    owners = [each.owner for each in facts.coverage.sources]
    owned = any((*owners, *(each.owner for each in facts.coverage.destinations)))
    owner = () if owned else ("Owner",)
    match name:
        case "sources":
            return (*owner, "Runs") if facts.manifest.senders else (*owner, "Sender", "Runs")
        case "destinations":
            return (*owner, "Sender", "Configured", "Receipts")
        case "missed":
            policy = ("Policy",) if len(facts.deadlines.policies) < 2 else ()
            return ("by", "Strict date", "Lenient date", *person, *policy)
        case "hidden" | "drift":
            return person
        case _:
            return ()


def _full(facts: Facts) -> bool:
    return facts.manifest.audience == "full"
