"""The first thing a reader sees: is all well, five numbers, and what needs action with the next step.

Rules kept here:

* Action is needed for what breaks the law or the evidence: an overdue request, open drift, a ledger that does
  not verify, a sum that does not hold. `report` and `status` end with exit code 1 for the first two.
* What is merely unwise (a stale source, no census, nobody told) is a warning.
* What went wrong in the past and is over, such as a request honoured late, is reported and needs no action.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from suppress.core.suppression import Channel
from suppress.report.census import Population
from suppress.report.coverage import Coverage
from suppress.report.deadlines import Deadlines
from suppress.report.drift import Incident
from suppress.report.integrity import Integrity
from suppress.report.rollforward import RollForward
from suppress.report.words import number


class Weight(StrEnum):
    """How much a point matters."""

    ACTION = "action"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to do or to know, and the next step."""

    weight: Weight
    says: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Five numbers and the points, most important first."""

    suppressed: int
    """People who may not be e-mailed, at the end of the period."""
    hidden: int
    """People found in the period whom the usual query does not show."""
    requests: int
    in_time: int
    """Of the requests judged, those that are neither late nor overdue."""
    late: int
    overdue: int
    drift_open: int
    points: tuple[Point, ...]

    @property
    def findings(self) -> bool:
        """Whether the commands end with exit code 1."""
        return self.overdue > 0 or self.drift_open > 0

    @property
    def action_needed(self) -> bool:
        """Whether any point calls for action."""
        return any(point.weight is Weight.ACTION for point in self.points)


def verdict(
    coverage: Coverage,
    population: Population,
    roll: RollForward,
    deadlines: Deadlines,
    drift: tuple[Incident, ...],
    integrity: Integrity,
) -> Verdict:
    """The verdict over all parts of a report."""
    overall = deadlines.overall
    drift_open = sum(1 for incident in drift if incident.closed is None)
    return Verdict(
        suppressed=roll.total(Channel.EMAIL).closing,
        hidden=population.hidden_count,
        requests=overall.requests,
        in_time=overall.requests - overall.late - overall.overdue,
        late=overall.late,
        overdue=overall.overdue,
        drift_open=drift_open,
        points=(
            *_integrity_points(integrity, roll, deadlines, population),
            *_deadline_points(deadlines),
            *_drift_points(drift),
            *_coverage_points(coverage),
        ),
    )


def _integrity_points(
    integrity: Integrity, roll: RollForward, deadlines: Deadlines, population: Population
) -> list[Point]:
    points = []
    if integrity.ok is False:
        points.append(
            _action("The ledger does not verify: someone or something changed it.", "suppress verify")
        )
    broken = [each.says for census in population.censuses for each in census.identities if not each.holds]
    if not roll.holds or not deadlines.holds or broken:
        points.append(
            _action("A sum in this report does not hold; it is marked where it stands.", "suppress verify")
        )
    return points


def _deadline_points(deadlines: Deadlines) -> list[Point]:
    points = []
    overdue, at_risk = deadlines.overall.overdue, deadlines.overall.at_risk
    if overdue:
        points.append(
            _action(
                f"{number(overdue, 'request is', 'requests are')} overdue: not honoured everywhere, "
                "and the last day has passed.",
                "suppress export DESTINATION, today",
            )
        )
    if at_risk:
        points.append(
            _warning(
                f"{number(at_risk, 'request is', 'requests are')} past the strict date and must be "
                "honoured before the lenient one.",
                "suppress export DESTINATION",
            )
        )
    return points


def _drift_points(drift: Sequence[Incident]) -> list[Point]:
    opened = [incident for incident in drift if incident.closed is None]
    at_destinations = sum(incident.patrol for incident in opened)
    mends = (
        (
            len(opened) - at_destinations,
            "source",
            "unsubscribe them there, find out what re-subscribed them, then suppress sync --full",
        ),
        (
            at_destinations,
            "destination",
            "suppress export it, find out what made them mailable, then suppress patrol",
        ),
    )
    return [
        _action(
            f"{number(count, 'suppressed person is', 'suppressed people are')} mailable at a {where} again.",
            mend,
        )
        for count, where, mend in mends
        if count
    ]


def _coverage_points(coverage: Coverage) -> list[Point]:
    points = []
    for source in coverage.sources:
        if not source.configured:
            points.append(
                _warning(
                    f"Source {source.name} is known to the ledger and not configured.", "suppress config"
                )
            )
        elif source.last_complete is None:
            points.append(
                _warning(f"Source {source.name} was never read completely.", "suppress sync --full")
            )
        elif source.run_is_stale:
            points.append(
                _warning(f"Source {source.name} was not read completely for over 26 hours.", "suppress sync")
            )
        if source.configured and source.last_complete is not None and source.census_is_stale:
            points.append(
                _warning(
                    f"Source {source.name} had no complete census for over 8 days.", "suppress sync --full"
                )
            )
    if not any(destination.active for destination in coverage.destinations):
        points.append(
            _warning(
                "No destination has been told; requests are honoured only by checking imports.",
                "suppress export csv -o FILE, or configure a destination",
            )
        )
    return points


def _action(says: str, next_step: str) -> Point:
    return Point(Weight.ACTION, says, next_step)


def _warning(says: str, next_step: str) -> Point:
    return Point(Weight.WARNING, says, next_step)
