"""Stacked bars: one for each month, step or day, with its sum above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from suppress.report.figures.canvas import WIDTH, Canvas, Figure, ticks

PLAIN, LIGHT, NONE = "plain", "light", "none"
_HEIGHT, _LEFT, _TOP, _BOTTOM, _RIGHT = 250, 52, 30, 42, 8
_BASE = _HEIGHT - _BOTTOM
_FEW = 9
"""Up to so many bars, each has its number, a nought too."""
_MOST_NAMES = 12


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of bar: its name and how it is filled (a class of the style sheet)."""

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


def draw(chart: Bars) -> Figure:
    """Axis, bars from below, a name under each, the sum above, a legend."""
    canvas = Canvas(chart.id, chart.title, chart.description)
    highest = max((sum(values) for _, values in chart.bars), default=0) or 1
    for tick in ticks(highest):
        y = _up(tick, highest)
        canvas.line(_LEFT, y, WIDTH - _RIGHT, y, "grid")
        canvas.text(_LEFT - 6, y + 4, f"{tick:,}", "tick")
    canvas.line(_LEFT, _BASE, WIDTH - _RIGHT, _BASE, "axis")
    room = (WIDTH - _RIGHT - _LEFT) / len(chart.bars)
    every = max(1, -(-len(chart.bars) // _MOST_NAMES))
    for place, (name, values) in enumerate(chart.bars):
        middle = _LEFT + room * (place + 0.5)
        _bar(canvas, chart, values, middle, min(room * 0.72, 84), highest)
        if place % every == 0:
            canvas.text(middle, _BASE + 16, name, "name")
    shown = [(series.name, series.fill) for series in chart.series if series.fill != NONE]
    canvas.legend(_LEFT, _HEIGHT - 12, shown)
    return canvas.figure()


def _bar(
    canvas: Canvas, chart: Bars, values: Sequence[int], middle: float, wide: float, highest: int
) -> None:
    so_far = drawn = 0
    for series, value in zip(chart.series, values, strict=True):
        top, bottom = _up(so_far + value, highest), _up(so_far, highest)
        so_far += value
        if value and series.fill != NONE:
            drawn += value
            canvas.rect(middle - wide / 2, top, wide, bottom - top, series.fill)
    if drawn or len(chart.bars) <= _FEW:
        canvas.text(middle, _up(so_far, highest) - 5, f"{drawn:,}", "value")


def _up(value: int, highest: int) -> float:
    return _BASE - (_BASE - _TOP) * value / highest
