"""What all figures are drawn with: SVG that stands in the page, or by itself in the document.

Rules kept here:

* Every figure has a title and a description that says in words what it shows; the table beside it holds the
  same numbers. Nothing is told by colour alone: series differ by pattern too, and marks carry their numbers.
* Text from outside is escaped here, because SVG is put into the page as it is.
* Numbers in coordinates are rounded, so that the same facts draw the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from markupsafe import Markup, escape

from suppress.report.words import harmless

WIDTH = 760
"""Units of the drawing; the page scales it."""
HATCHED = "hatched"
"""The fill of what went wrong or was hidden: a pattern, which a print without colours keeps."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing and what it says in words."""

    title: str
    svg: Markup
    says: str

    def alone(self) -> str:
        """The drawing as a file of its own, with its styles."""
        style = f'<style>{styles()} .chart text {{ font-family: "Libertinus Serif"; }}</style>'
        # As plain text: Markup would escape what is put in.
        plain = str.replace(self.svg, "<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
        return plain.replace("<defs>", f"<defs>{style}", 1)


class Canvas:
    """A drawing in the making. `id` is unique in the report."""

    def __init__(self, id_: str, title: str, description: str, height: int = 250) -> None:
        self._id, self._title, self._description, self._height = id_, title, harmless(description), height
        self._parts: list[str] = []

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """A straight line."""
        self._parts.append(
            f'<line x1="{_round(x1)}" y1="{_round(y1)}" x2="{_round(x2)}" y2="{_round(y2)}" class="{kind}"/>'
        )

    def rect(self, x: float, y: float, width: float, height: float, fill: str) -> None:
        """A box. Its fill is a class of the style sheet, or `hatched`."""
        pattern = f' fill="url(#{self._id}-hatch)"' if fill == HATCHED else ""
        self._parts.append(
            f'<rect x="{_round(x)}" y="{_round(y)}" width="{_round(width)}" '
            f'height="{_round(max(height, 1))}" class="bar {fill}"{pattern}/>'
        )

    def path(self, points: Sequence[tuple[float, float]], kind: str) -> None:
        """A line through these points."""
        steps = " L".join(f"{_round(x)} {_round(y)}" for x, y in points)
        self._parts.append(f'<path d="M{steps}" class="{kind}"/>')

    def shape(self, commands: str, kind: str) -> None:
        """A closed shape, by SVG path commands of ours."""
        self._parts.append(f'<path d="{commands}" class="{kind}"/>')

    def text(self, x: float, y: float, text: str, kind: str) -> None:
        """Words or a number; the class says how they are set."""
        self._parts.append(
            f'<text x="{_round(x)}" y="{_round(y)}" class="{kind}">{escape(harmless(text))}</text>'
        )

    def legend(self, x: float, y: float, entries: Sequence[tuple[str, str]]) -> None:
        """Fill and name of each series, in one line."""
        for name, fill in entries:
            self.rect(x, y - 9, 11, 11, fill)
            self.text(x + 17, y, name, "legend")
            x += 38 + 6.4 * len(name)

    def figure(self) -> Figure:
        """The finished drawing."""
        parts = [
            f'<svg viewBox="0 0 {WIDTH} {self._height}" role="img" class="chart" '
            f'aria-labelledby="{self._id}-title {self._id}-desc" focusable="false">',
            f'<title id="{self._id}-title">{escape(self._title)}</title>',
            f'<desc id="{self._id}-desc">{escape(self._description)}</desc>',
            f'<defs><pattern id="{self._id}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
            'patternTransform="rotate(45)"><rect width="6" height="6" class="hatch-ground"/>'
            '<line x1="0" y1="0" x2="0" y2="6" class="hatch-line"/></pattern></defs>',
            *self._parts,
            "</svg>",
        ]
        # Every text above went through escape().
        return Figure(self._title, Markup("\n".join(parts)), self._description)  # noqa: S704


def styles() -> str:
    """The style sheet of all figures; it holds no value from outside."""
    return (files("suppress.report") / "page" / "figures.css").read_text(encoding="utf-8")


def ticks(highest: int) -> Sequence[int]:
    """A few round numbers up to the highest."""
    step = 1
    while highest / step > 5:
        # 1, 2, 5, 10, 20, 50, ...
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return range(step, highest + 1, step)


def _round(value: float) -> str:
    return f"{round(value, 1):g}"
