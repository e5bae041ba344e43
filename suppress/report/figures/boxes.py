"""Boxes of how long each destination took: from a quarter to three quarters, a line at half."""

from __future__ import annotations

from collections.abc import Sequence

from suppress.report.delays import Delay
from suppress.report.figures.canvas import WIDTH, Canvas, Figure
from suppress.report.figures.days import Days

_LEFT, _RIGHT, _TOP, _ROW, _BOTTOM = 150, 90, 36, 34, 42
_NAME = 22
"""Characters of a destination's name that there is room for."""


def draw(id_: str, title: str, description: str, delays: Sequence[Delay]) -> Figure:
    """A row for each destination over a shared axis of days."""
    base = _TOP + _ROW * len(delays) + 6
    canvas = Canvas(id_, title, description, base + _BOTTOM)
    axis = Days(_LEFT, WIDTH - _RIGHT, max(each.slowest for each in delays))
    axis.draw(canvas, _TOP, base)
    canvas.text((_LEFT + WIDTH - _RIGHT) / 2, base + 32, "calendar days from the clock's start", "name")
    for row, delay in enumerate(delays):
        middle = _TOP + _ROW * (row + 0.5)
        name = delay.destination
        canvas.text(_LEFT - 10, middle + 4, name if len(name) <= _NAME else f"{name[: _NAME - 1]}…", "tick")
        first, last = axis.at(delay.fastest), axis.at(delay.slowest)
        canvas.line(first, middle, last, middle, "axis")
        for end in (first, last):
            canvas.line(end, middle - 5, end, middle + 5, "axis")
        left, right = axis.at(delay.quarter), axis.at(delay.three_quarters)
        canvas.rect(left, middle - 9, max(right - left, 2), 18, "plain")
        canvas.line(axis.at(delay.half), middle - 9, axis.at(delay.half), middle + 9, "curve solid")
    return canvas.figure()
