"""The first words of a report: how things stand, for every format."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

from suppress.report.facts import Manifest
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


@dataclass(frozen=True, slots=True)
class Number:
    """One of the five numbers: its name, a word beside it, and whether it is a finding."""

    name: str
    value: int
    note: str = ""
    bad: bool = False


def five(verdict: Verdict) -> tuple[Number, ...]:
    """The five numbers, short."""
    missed = verdict.late + verdict.overdue
    return (
        Number("People who may not be e-mailed", verdict.suppressed),
        Number("Found that the usual query hides", verdict.hidden),
        Number("Requests in time", verdict.in_time, f"of {verdict.requests:,}"),
        Number("Late or overdue", missed, f"{verdict.late:,} late, {verdict.overdue:,} overdue", missed > 0),
        Number("Mailable again (drift)", verdict.drift_open, "open", verdict.drift_open > 0),
    )


def spoken(manifest: Manifest) -> str:
    """The period in one line."""
    since = "From the first entry" if manifest.period.since is None else manifest.period.since.isoformat()
    as_of = manifest.as_of.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"{since} to {manifest.period.until} · as of {as_of} · days in {manifest.period.timezone}"


def variant(manifest: Manifest) -> str:
    """Whether people are named."""
    if manifest.audience == "full":
        return "Full variant: holds personal data"
    return "Redacted variant: people by subject id and entry number"
