"""The first words of a report: how things stand, for every format."""

from __future__ import annotations

from dataclasses import dataclass

from suppress.report.verdict import Verdict, Weight

_ALL_WELL = "No request is overdue and nobody is mailable again."


@dataclass(frozen=True, slots=True)
class Standing:
    """The headline of a report: a kind for its style, a symbol, and the same in words."""

    kind: str
    symbol: str
    headline: str
    says: str


def standing(verdict: Verdict) -> Standing:
    """The headline for a verdict."""
    if verdict.action_needed:
        count = sum(point.weight is Weight.ACTION for point in verdict.points)
        says = "One point needs action now." if count == 1 else f"{count} points need action now."
        return Standing("bad", "▲", "Action needed", says)
    if verdict.late:
        missed = "1 deadline was" if verdict.late == 1 else f"{verdict.late:,} deadlines were"
        headline = f"In order now; {missed} missed"
        return Standing("warn", "◆", headline, f"{_ALL_WELL} The late requests are listed one by one.")
    if verdict.points:
        return Standing("warn", "◆", "In order, with warnings", _ALL_WELL)
    return Standing("good", "✓", "In order", _ALL_WELL)
