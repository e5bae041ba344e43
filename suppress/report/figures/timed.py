"""Figures of time: how long destinations took, what is due when, and who was mailable again."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from suppress.report.delays import delays, shares
from suppress.report.facts import Facts
from suppress.report.figures import bars, boxes, curves
from suppress.report.figures.bars import LIGHT, PLAIN, Bars, Series
from suppress.report.figures.canvas import HATCHED, Figure
from suppress.report.figures.curves import KINDS, Curve
from suppress.report.judging import State
from suppress.report.period import Zone
from suppress.report.timing import median_days, spread, steps
from suppress.report.words import number

_MOST_BOXES = 20
_AWAY = (
    ("over", -1),
    ("today", 0),
    ("1-2 days", 2),
    ("3-5 days", 5),
    ("6-9 days", 9),
    ("10-14 days", 14),
    ("15-30 days", 30),
    ("later", None),
)
"""How far away a last day is: name and last day of each step."""


def time_to_honour(facts: Facts) -> Figure | None:
    """How many days destinations took; None when none was told."""
    taken = facts.deadlines.taken
    if not taken:
        return None
    found = steps(taken)
    timely = sum(step.timely for step in found)
    inherited = sum(step.inherited for step in found)
    median = median_days(taken)
    description = (
        f"Bars of calendar days from the clock's start until a destination held the request. "
        f"{number(timely, 'request', 'requests')} by their own clock"
        + (f", half of them within {median:,} days" if median is not None else "")
        + f"; {number(inherited, 'inherited request', 'inherited requests')}, found when the time was up."
    )
    return bars.draw(
        Bars(
            "fig-time",
            "Time from request to each destination",
            description,
            (Series("by their own clock", PLAIN), Series("inherited", HATCHED)),
            tuple((step.name, (step.timely, step.inherited)) for step in found),
        )
    )


def honoured_within(facts: Facts) -> Figure | None:
    """The share honoured within so many days; None when no request was honoured by its own clock."""
    taken = [each for each in facts.deadlines.taken if not each.inherited]
    if not taken:
        return None
    names = sorted({each.destination for each in taken})
    found = [Curve("all destinations", shares(taken))]
    if 1 < len(names) < len(KINDS):
        found += [Curve(name, shares([each for each in taken if each.destination == name])) for name in names]
    said = [f"{_by(found[0].points, days):.0f} % within {days} days" for days in (2, 5, 14)]
    description = (
        "Rising steps: the share of requests that a destination held within so many calendar days of the "
        f"clock's start. {', '.join(said)}. The lines stand at 2, at 5 and at about 10 business days."
    )
    return curves.draw("fig-within", "Share honoured, by days from the request", description, found)


def delay_by_destination(facts: Facts) -> Figure | None:
    """A box for each destination; None when no request was honoured by its own clock."""
    found = delays(facts.deadlines.taken)[:_MOST_BOXES]
    if not found:
        return None
    said = "; ".join(
        f"{each.destination}: half within {number(each.half, 'day', 'days')}, the slowest "
        f"{number(each.slowest, 'day', 'days')}"
        for each in found
    )
    description = f"Boxes from a quarter to three quarters of the requests, over calendar days. {said}."
    return boxes.draw("fig-delay", "Days to each destination", description, found)


def open_requests(facts: Facts) -> Figure | None:
    """Waiting requests by how far their last day is away; None when none is waiting."""
    pending = facts.deadlines.pending
    if not pending:
        return None
    today = Zone.named(facts.manifest.period.timezone).day(facts.manifest.as_of)
    counted: Counter[tuple[str, State]] = Counter()
    for each in pending:
        counted[_away(each.lenient - today), each.state] += each.requests
    names = [name for name, _ in _AWAY]
    states = (State.OVERDUE, State.AT_RISK, State.OPEN)
    totals = [sum(counted[name, state] for name in names) for state in states]
    description = (
        "Stacked bars of requests that are not yet honoured everywhere, by how far away their last day is. "
        f"{totals[0]:,} overdue, {totals[1]:,} past the strict date, {totals[2]:,} open."
    )
    return bars.draw(
        Bars(
            "fig-open",
            "Open requests against their last day",
            description,
            (Series("overdue", HATCHED), Series("at risk", LIGHT), Series("open", PLAIN)),
            tuple((name, tuple(counted[name, state] for state in states)) for name in names),
        )
    )


def drift_by_month(facts: Facts) -> Figure | None:
    """People found mailable again, by month, and whether that has ended; None when nobody was."""
    if not facts.drift:
        return None
    closed: Counter[str] = Counter()
    still: Counter[str] = Counter()
    for incident in facts.drift:
        (still if incident.closed is None else closed)[incident.found.date().isoformat()[:7]] += 1
    months = spread({month: (closed[month], still[month], 0) for month in {*closed, *still}})
    description = (
        "Stacked bars by the month in which suppressed people were found mailable again: "
        f"{closed.total():,} since closed, {still.total():,} still open."
    )
    return bars.draw(
        Bars(
            "fig-drift",
            "Mailable again, by month found",
            description,
            (Series("closed since", PLAIN), Series("still open", HATCHED)),
            tuple((month, (ended, lasting)) for month, (ended, lasting, _) in months),
        )
    )


def _away(left: timedelta) -> str:
    return next(name for name, most in _AWAY if most is None or left.days <= most)


def _by(points: tuple[tuple[int, float], ...], days: int) -> float:
    return max((share for day, share in points if day <= days), default=0)
