"""A flow from sources through the ledger to destinations: what each was owed, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from suppress.report.figures.canvas import Canvas, Figure

_TOP, _GAP, _LEAST, _BAR, _NAME, _ROW = 16, 10, 2, 14, 22, 18
_LEFT, _MIDDLE, _RIGHT = 190, 360, 530
_TALL = 150
"""Units of height that everything together takes; more where many names need room."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A name, and how much of each kind."""

    name: str
    parts: tuple[int, ...]

    @property
    def total(self) -> int:
        """All parts together."""
        return sum(self.parts)


@dataclass(frozen=True, slots=True)
class Flow:
    """What comes in from the left, and what became of it on the right; both sides have the same sum."""

    sources: tuple[Stream, ...]
    destinations: tuple[Stream, ...]
    kinds: tuple[tuple[str, str], ...]
    """Word and fill of each part of a destination."""


def draw(id_: str, title: str, description: str, flow: Flow) -> Figure:
    """Bands as high as what they carry; what did not arrive is hatched."""
    rows = max(len(flow.sources), len(flow.destinations))
    tall = max(_TALL, _ROW * rows)
    height = tall + _GAP * (rows - 1)
    canvas = Canvas(id_, title, description, round(_TOP + height + 52))
    centre = _TOP + height / 2
    scale = tall / (sum(each.total for each in flow.sources) or 1)
    inside = centre - tall / 2
    for stream, y in _placed(flow.sources, centre, scale):
        thick = stream.total * scale
        _band(canvas, (_LEFT + _BAR, y), (_MIDDLE, inside), thick)
        canvas.rect(_LEFT, y, _BAR, max(thick, _LEAST), "plain")
        canvas.text(_LEFT - 8, y + thick / 2 + 4, f"{_short(stream.name)}: {stream.total:,}", "tick")
        inside += thick
    canvas.rect(_MIDDLE, centre - tall / 2, _BAR, tall, "plain")
    canvas.text(_MIDDLE + _BAR / 2, centre + tall / 2 + 15, "the ledger", "name")
    inside = centre - tall / 2
    for stream, y in _placed(flow.destinations, centre, scale):
        _band(canvas, (_MIDDLE + _BAR, inside), (_RIGHT, y), stream.total * scale)
        _destination(canvas, flow, stream, y, scale)
        inside += stream.total * scale
    canvas.legend(_LEFT - 120, _TOP + height + 40, flow.kinds)
    return canvas.figure()


def _destination(canvas: Canvas, flow: Flow, stream: Stream, y: float, scale: float) -> None:
    top = y
    for (_, fill), number in zip(flow.kinds, stream.parts, strict=True):
        if number:
            canvas.rect(_RIGHT, top, _BAR, number * scale, fill)
        top += number * scale
    says = f"{_short(stream.name)}: {stream.total:,}"
    canvas.text(_RIGHT + _BAR + 8, y + stream.total * scale / 2 + 4, says, "legend")


def _placed(streams: Sequence[Stream], centre: float, scale: float) -> list[tuple[Stream, float]]:
    """Each with the height at which it begins, a gap between them."""
    y = centre - (sum(each.total for each in streams) * scale + _GAP * (len(streams) - 1)) / 2
    found = []
    for stream in streams:
        found.append((stream, y))
        y += stream.total * scale + _GAP
    return found


def _band(canvas: Canvas, start: tuple[float, float], end: tuple[float, float], thick: float) -> None:
    (x, y), (to_x, to_y) = start, end
    bend, thick = (x + to_x) / 2, max(thick, 1)
    canvas.shape(
        f"M{x:.1f} {y:.1f} C{bend:.1f} {y:.1f} {bend:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f} "
        f"v{thick:.1f} C{bend:.1f} {to_y + thick:.1f} {bend:.1f} {y + thick:.1f} {x:.1f} {y + thick:.1f} Z",
        "band",
    )


def _short(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
