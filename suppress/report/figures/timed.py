"""Figures of time: how long destinations took, and what is due when."""

from __future__ import annotations

from suppress.report.facts import Facts
from suppress.report.figures import bars
from suppress.report.figures.bars import PLAIN, Bars, Series
from suppress.report.figures.canvas import HATCHED, Figure
from suppress.report.timing import median_days, steps
from suppress.report.words import number


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
