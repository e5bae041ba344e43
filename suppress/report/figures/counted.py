"""Figures of people and requests counted: what the usual query hides, and the population carried forward."""

from __future__ import annotations

from suppress.core.suppression import Channel
from suppress.report.facts import Facts
from suppress.report.figures import bars
from suppress.report.figures.bars import LIGHT, NONE, PLAIN, Bars, Series
from suppress.report.figures.canvas import HATCHED, Figure
from suppress.report.timing import grouped


def visibility(facts: Facts) -> Figure | None:
    """Requests by when the person acted, visible against hidden; None when no request is dated."""
    months = grouped(facts.population.months)
    if not months:
        return None
    visible = sum(month.visible for month in months)
    deleted = sum(month.deleted for month in months)
    elsewhere = sum(month.elsewhere for month in months)
    description = (
        f"Stacked bars from {months[0].month} to {months[-1].month}. Of the dated requests, {visible:,} are "
        f"visible to the usual query and {deleted:,} are hidden from it because the contact was deleted"
        + (f", {elsewhere:,} came from people and files." if elsewhere else ".")
    )
    series = [Series("visible to the usual query", PLAIN), Series("deleted, so hidden from it", HATCHED)]
    if elsewhere:
        series.append(Series("from people and files", LIGHT))
    parts = [(month.month, (month.visible, month.deleted, month.elsewhere)) for month in months]
    return bars.draw(
        Bars(
            "fig-visibility",
            "Requests by when the person acted",
            description,
            tuple(series),
            tuple((name, values[: len(series)]) for name, values in parts),
        )
    )


def roll_forward(facts: Facts) -> Figure | None:
    """Opening, movements and closing of the e-mail roll-forward; None when nobody was ever suppressed."""
    total = facts.roll_forward.total(Channel.EMAIL)
    if not any((total.opening, total.new, total.re_asserted, total.closing)):
        return None
    arrived = total.new + total.re_asserted
    gone = total.re_consented + total.corrected + total.forgotten
    description = (
        f"From {total.opening:,} suppressed people at the start, plus {total.new:,} new and "
        f"{total.re_asserted:,} re-asserted, less {total.re_consented:,} re-consented, {total.corrected:,} "
        f"corrected and {total.forgotten:,} forgotten, to {total.closing:,} at the end."
    )
    drawn = (
        ("opening", (total.opening, 0, 0, 0)),
        ("arrived", (0, total.opening, arrived, 0)),
        ("left", (0, total.closing, 0, max(gone, 0))),
        ("closing", (total.closing, 0, 0, 0)),
    )
    series = (
        Series("people suppressed", PLAIN),
        Series("", NONE),
        Series("new and re-asserted", LIGHT),
        Series("re-consented, corrected, forgotten", HATCHED),
    )
    return bars.draw(Bars("fig-roll", "The population carried forward", description, series, drawn))
