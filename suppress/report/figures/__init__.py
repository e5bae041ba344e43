"""The figures of a report, each beside the table that holds its numbers.

Which figure stands where is decided here; what each shows is in `counted` (people and requests), `timed`
(how long it took, what is due) and `reached` (what arrived where). They are drawn by `bars`, `curves`,
`boxes`, `heat` and `flow`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from suppress.report.facts import Facts
from suppress.report.figures import counted, reached, timed
from suppress.report.figures.canvas import Figure

_BESIDE: Mapping[str, tuple[Callable[[Facts], Figure | None], ...]] = {
    "matrix": (reached.losses,),
    "reach_by_week": (reached.verified_by_week,),
    "visibility": (counted.visibility,),
    "roll_forward": (counted.roll_forward,),
    "pending": (timed.open_requests,),
    "time_to_honour": (timed.time_to_honour, timed.honoured_within),
    "delays": (timed.delay_by_destination,),
    "drift": (timed.drift_by_month,),
    "uptime": (reached.uptime,),
}
"""Figures by the table that they stand before."""


def drawn(facts: Facts) -> dict[str, tuple[Figure, ...]]:
    """The figures for which the facts have something to show, by table."""
    return {
        table: tuple(figure for draw in figures if (figure := draw(facts)) is not None)
        for table, figures in _BESIDE.items()
    }
