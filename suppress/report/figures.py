"""The figures of a report, drawn as SVG that stands in the page and needs nothing else.

Rules kept here:

* Every figure has a title and a description that says in words what it shows; the table beside it holds the
  same figures. Nothing is told by colour alone: series differ by pattern too, bars carry their numbers.
* Text from outside is escaped here, because SVG is put into the page as it is.
* Numbers in coordinates are rounded, so that the same facts draw the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from suppress.core.suppression import Channel
from suppress.report.census import Month
from suppress.report.facts import Facts
from suppress.report.timing import grouped, median_days, steps
from suppress.report.words import number

WIDTH = 760
"""Units of the drawing; the page scales it."""
_HEIGHT = 250
_LEFT, _TOP, _BOTTOM = 52, 30, 42
_PLAIN, _HATCHED, _LIGHT = "plain", "hatched", "light"


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing and what it says in words."""

    svg: Markup
    says: str


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of bar: its name and how it is filled (a class of the page's style sheet)."""

    name: str
    fill: str


@dataclass(frozen=True, slots=True)
class Bars:
    """A chart of stacked bars: for each bar its name and one number a series."""

    id: str
    title: str
    description: str
    series: tuple[Series, ...]
    bars: tuple[tuple[str, tuple[int, ...]], ...]


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
    series = [Series("visible to the usual query", _PLAIN), Series("deleted, so hidden from it", _HATCHED)]
    if elsewhere:
        series.append(Series("from people and files", _LIGHT))
    return _drawn(
        Bars(
            "fig-visibility",
            "Requests by when the person acted",
            description,
            tuple(series),
            tuple((month.month, _parts(month)[: len(series)]) for month in months),
        )
    )


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
    return _drawn(
        Bars(
            "fig-time",
            "Time from request to each destination",
            description,
            (Series("by their own clock", _PLAIN), Series("inherited", _HATCHED)),
            tuple((step.name, (step.timely, step.inherited)) for step in found),
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
    bars = (
        ("opening", (total.opening, 0, 0, 0)),
        ("arrived", (0, total.opening, arrived, 0)),
        ("left", (0, total.closing, 0, max(gone, 0))),
        ("closing", (total.closing, 0, 0, 0)),
    )
    series = (
        Series("people suppressed", _PLAIN),
        Series("", "none"),
        Series("new and re-asserted", _LIGHT),
        Series("re-consented, corrected, forgotten", _HATCHED),
    )
    return _drawn(Bars("fig-roll", "The population carried forward", description, series, bars))


def _parts(month: Month) -> tuple[int, ...]:
    return (month.visible, month.deleted, month.elsewhere)


def _drawn(chart: Bars) -> Figure:
    """The chart as SVG: axis, bars from below, a name under each, the sum above, a legend."""
    highest = max((sum(values) for _, values in chart.bars), default=0) or 1
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {_HEIGHT}" role="img" class="chart" '
        f'aria-labelledby="{chart.id}-title {chart.id}-desc" focusable="false">',
        f'<title id="{chart.id}-title">{escape(chart.title)}</title>',
        f'<desc id="{chart.id}-desc">{escape(chart.description)}</desc>',
        f'<defs><pattern id="{chart.id}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect width="6" height="6" class="hatch-ground"/>'
        '<line x1="0" y1="0" x2="0" y2="6" class="hatch-line"/></pattern></defs>',
        *_axis(highest),
        *_all_bars(chart, highest),
        *_legend(chart),
        "</svg>",
    ]
    # Every text above went through escape().
    return Figure(Markup("\n".join(parts)), chart.description)  # noqa: S704


def _axis(highest: int) -> Iterator[str]:
    base = _HEIGHT - _BOTTOM
    for tick in _ticks(highest):
        y = _up(tick, highest)
        yield f'<line x1="{_LEFT}" x2="{WIDTH - 8}" y1="{y}" y2="{y}" class="grid"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4}" class="tick" text-anchor="end">{tick:,}</text>'
    yield f'<line x1="{_LEFT}" x2="{WIDTH - 8}" y1="{base}" y2="{base}" class="axis"/>'


def _all_bars(chart: Bars, highest: int) -> Iterator[str]:
    room = (WIDTH - 8 - _LEFT) / len(chart.bars)
    wide = round(min(room * 0.72, 84), 1)
    every = max(1, -(-len(chart.bars) // 12))
    for place, (name, values) in enumerate(chart.bars):
        middle = round(_LEFT + room * (place + 0.5), 1)
        left = round(middle - wide / 2, 1)
        so_far = 0
        for series, value in zip(chart.series, values, strict=True):
            top, bottom = _up(so_far + value, highest), _up(so_far, highest)
            so_far += value
            if value and series.fill != "none":
                fill = f' fill="url(#{chart.id}-hatch)"' if series.fill == _HATCHED else ""
                yield (
                    f'<rect x="{left}" y="{top}" width="{wide}" height="{round(max(bottom - top, 1), 1)}" '
                    f'class="bar {series.fill}"{fill}/>'
                )
        drawn = sum(v for s, v in zip(chart.series, values, strict=True) if s.fill != "none")
        if drawn or len(chart.bars) <= 9:
            above = round(_up(so_far, highest) - 5, 1)
            yield f'<text x="{middle}" y="{above}" class="value">{drawn:,}</text>'
        if place % every == 0:
            yield f'<text x="{middle}" y="{_HEIGHT - _BOTTOM + 16}" class="name">{escape(name)}</text>'


def _legend(chart: Bars) -> Iterator[str]:
    x = _LEFT
    y = _HEIGHT - 12
    for series in chart.series:
        if series.fill == "none":
            continue
        fill = f' fill="url(#{chart.id}-hatch)"' if series.fill == _HATCHED else ""
        yield f'<rect x="{x}" y="{y - 9}" width="11" height="11" class="bar {series.fill}"{fill}/>'
        yield f'<text x="{x + 17}" y="{y}" class="legend">{escape(series.name)}</text>'
        x += 38 + round(6.4 * len(series.name))


def _up(value: int, highest: int) -> float:
    room = _HEIGHT - _BOTTOM - _TOP
    return round(_HEIGHT - _BOTTOM - room * value / highest, 1)


def _ticks(highest: int) -> Sequence[int]:
    """A few round numbers up to the highest."""
    step = 1
    while highest / step > 5:
        # 1, 2, 5, 10, 20, 50, ...
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return range(step, highest + 1, step)
