"""Figures of what reached which destination, and how that is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from suppress.report.annexes import WEEKS
from suppress.report.deadlines import Outcome, Reach
from suppress.report.facts import Facts
from suppress.report.figures import flow, heat
from suppress.report.figures.canvas import HATCHED, Figure
from suppress.report.figures.flow import Flow, Stream
from suppress.report.remedies import shown_weeks

_MOST = 12
"""Names on one side of the flow; the rest stand together."""
_REST = "all others"
_KINDS = (
    (Outcome.READ_BACK, "read back", "plain"),
    (Outcome.ACCEPTED, "accepted", "light"),
    (Outcome.WAITING, "waiting", HATCHED),
    (Outcome.NEVER_TOLD, "ended before it was told", "shade-3"),
)


def verified_by_week(facts: Facts) -> Figure | None:
    """The share of each week's requests that was read back; None when no destination was owed any."""
    weeks = sorted({each.week for each in facts.deadlines.reach})[-WEEKS:]
    if not weeks:
        return None
    owed: Counter[tuple[str, str]] = Counter()
    seen: Counter[tuple[str, str]] = Counter()
    for each in facts.deadlines.reach:
        if each.week >= weeks[0]:
            place = (each.destination, each.week.isoformat())
            owed[place] += each.requests
            seen[place] += each.requests * (each.outcome is Outcome.READ_BACK)
    description = (
        f"One row a destination, one column a week from {weeks[0]} to {weeks[-1]}: the share of the requests "
        f"recorded in that week that were read back there. Of {owed.total():,} in all, {seen.total():,}."
    )
    return heat.draw(
        "fig-verified",
        "Read back, by destination and week",
        description,
        sorted({destination for destination, _ in owed}),
        [week.isoformat() for week in weeks],
        {place: 100 * seen[place] // number for place, number in owed.items()},
        "per cent of the week's requests that were read back there",
    )


def uptime(facts: Facts) -> Figure | None:
    """The share of each week's runs that ended whole, a strip for each system; None when nothing ran."""
    weeks = shown_weeks(facts)
    if not weeks:
        return None
    columns = sorted({each.week for each in weeks})
    every = [columns[0] + timedelta(days=7 * n) for n in range((columns[-1] - columns[0]).days // 7 + 1)]
    names = {each: f"{each.system}, {each.run.value}" for each in weeks}
    runs, whole = sum(each.runs for each in weeks), sum(each.whole for each in weeks)
    description = (
        f"One strip a system and kind of run, one column a week from {columns[0]} to {columns[-1]}: the "
        f"share of the runs that ended whole, {whole:,} of {runs:,}. An empty cell is a week without a run."
    )
    return heat.draw(
        "fig-uptime",
        "Runs that ended whole, by system and week",
        description,
        sorted(set(names.values())),
        [week.isoformat() for week in every],
        {(names[each], each.week.isoformat()): 100 * each.whole // each.runs for each in weeks},
        "per cent of the week's runs that ended whole; empty: no run",
    )


def losses(facts: Facts) -> Figure | None:
    """From sources through the ledger to destinations; None when no destination was owed anything."""
    reach = facts.deadlines.reach
    if not reach:
        return None
    totals = {outcome: sum(r.requests for r in reach if r.outcome is outcome) for outcome, _, _ in _KINDS}
    description = (
        "Bands from sources through the ledger to destinations. Each request is owed once to each "
        f"destination, {sum(totals.values()):,} in all: "
        + ", ".join(f"{totals[outcome]:,} {name}" for outcome, name, _ in _KINDS)
        + "."
    )
    return flow.draw(
        "fig-flow",
        "From sources to destinations",
        description,
        Flow(
            tuple(Stream(name, (sum(parts),)) for name, parts in _sides([r.source for r in reach], reach)),
            tuple(Stream(name, parts) for name, parts in _sides([r.destination for r in reach], reach)),
            tuple((name, fill) for _, name, fill in _KINDS),
        ),
    )


def _sides(names: Sequence[str], reach: Sequence[Reach]) -> list[tuple[str, tuple[int, ...]]]:
    """Requests by name, the greatest first, each by outcome."""
    counted: dict[str, Counter[Outcome]] = {}
    for name, each in zip(names, reach, strict=True):
        counted.setdefault(name, Counter())[each.outcome] += each.requests
    order = sorted(counted, key=lambda name: (-counted[name].total(), name))
    if len(order) > _MOST:
        rest: Counter[Outcome] = Counter()
        for name in order[_MOST - 1 :]:
            rest += counted[name]
        counted[_REST] = rest
        order = [*order[: _MOST - 1], _REST]
    return [(name, tuple(counted[name][outcome] for outcome, _, _ in _KINDS)) for name in order]
