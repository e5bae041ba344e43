"""An axis of calendar days on which a day and a year both have room, with the lines that deadlines draw."""

from __future__ import annotations

import math
from dataclasses import dataclass

from suppress.report.figures.canvas import Canvas

_TICKS = (0, 1, 2, 5, 10, 14, 30, 60, 90, 180, 365, 730, 1825, 3650, 7300)
LINES = ((2, "2 days"), (5, "5 days"), (14, "10 business days"))
"""What mailbox providers ask, what Australia asks, and about what CAN-SPAM allows, in calendar days."""


@dataclass(frozen=True, slots=True)
class Days:
    """From `left` to `right`, up to `longest` days; equal steps are equal ratios, so short times show."""

    left: float
    right: float
    longest: int

    def at(self, days: int) -> float:
        """Where this many days stand."""
        share = math.log1p(days) / math.log1p(max(self.longest, 14))
        return self.left + (self.right - self.left) * share

    def draw(self, canvas: Canvas, top: float, base: float) -> None:
        """The axis at `base`, its names under it, and the deadlines' lines to their names above `top`."""
        canvas.line(self.left, base, self.right, base, "axis")
        last = -math.inf
        for tick in _TICKS:
            x = self.at(tick)
            if tick > max(self.longest, 14) or x - last < 24:
                continue
            last = x
            canvas.line(x, base, x, base + 4, "axis")
            canvas.text(x, base + 16, f"{tick:,}", "name")
        for row, (days, name) in enumerate(LINES):
            x = self.at(days)
            y = top - 18 + 12 * (row % 2)
            canvas.line(x, y - 8, x, base, "deadline")
            canvas.text(x + 4, y, name, "note")
