"""Curves of how much was done within how many days: one for each destination, told apart by their dashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from suppress.report.figures.canvas import WIDTH, Canvas, Figure
from suppress.report.figures.days import Days

_HEIGHT, _LEFT, _TOP, _BOTTOM, _RIGHT = 290, 52, 36, 58, 20
_BASE = _HEIGHT - _BOTTOM
KINDS = ("curve solid", "curve dashed", "curve dotted", "curve mixed")
"""How the first curves are drawn; there are no more of them than a reader can tell apart."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A name, and for each number of days the share done by then, in per cent."""

    name: str
    points: tuple[tuple[int, float], ...]


def draw(id_: str, title: str, description: str, curves: Sequence[Curve]) -> Figure:
    """Steps that rise from nothing to the last share, over an axis of days."""
    canvas = Canvas(id_, title, description, _HEIGHT)
    axis = Days(_LEFT, WIDTH - _RIGHT, max(days for curve in curves for days, _ in curve.points))
    for share in (25, 50, 75, 100):
        canvas.line(_LEFT, _up(share), WIDTH - _RIGHT, _up(share), "grid")
        canvas.text(_LEFT - 6, _up(share) + 4, f"{share} %", "tick")
    axis.draw(canvas, _TOP, _BASE)
    canvas.text((_LEFT + WIDTH - _RIGHT) / 2, _BASE + 31, "calendar days from the clock's start", "name")
    x = float(_LEFT)
    for kind, curve in zip(KINDS, curves, strict=False):
        canvas.path(_steps(curve, axis), kind)
        canvas.line(x, _HEIGHT - 10, x + 24, _HEIGHT - 10, kind)
        canvas.text(x + 30, _HEIGHT - 6, curve.name, "legend")
        x += 52 + 6.4 * len(curve.name)
    return canvas.figure()


def _steps(curve: Curve, axis: Days) -> list[tuple[float, float]]:
    points = [(axis.at(0), _up(0))]
    for days, share in curve.points:
        points += [(axis.at(days), points[-1][1]), (axis.at(days), _up(share))]
    return [*points, (axis.right, points[-1][1])]


def _up(share: float) -> float:
    return _BASE - (_BASE - _TOP) * share / 100
