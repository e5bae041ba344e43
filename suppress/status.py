"""How things stand now, on one screen: what was read and told how long ago, what is due, what drifted.

The figures are those of a report over the whole ledger as of now, so that the two can never disagree. The
ledger is not verified for it: `suppress verify` does that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from suppress.config import Settings
from suppress.ledger import Ledger
from suppress.report.anchored import Anchored, last
from suppress.report.asking import Progress, Wanted, gathered
from suppress.report.coverage import DestinationCoverage, SourceCoverage
from suppress.report.integrity import UNVERIFIED
from suppress.report.judging import State
from suppress.report.verdict import Point, Weight

SOON = timedelta(days=3)
"""Before a strict date: when a waiting request counts as due soon."""
UNANCHORED = timedelta(days=40)
"""How long after the last checkpoint left us it is said: a monthly anchor was missed."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Requests that are not yet honoured everywhere."""

    open: int
    due_soon: int
    """Of the open ones, those whose strict date is three days away or less."""
    at_risk: int
    overdue: int
    next_strict: date | None
    """The next strict date of an open request."""


@dataclass(frozen=True, slots=True)
class Drifted:
    """Suppressed people whom a source or destination still showed as mailable when it was last read."""

    source: str
    people: int
    destination: bool = False
    """Found by a patrol: `source` names a destination."""


@dataclass(frozen=True, slots=True)
class Status:
    """One screen."""

    as_of: datetime
    organisation: str | None
    size: int
    root: str
    last_entry: datetime | None
    suppressed: int
    sources: tuple[SourceCoverage, ...]
    destinations: tuple[DestinationCoverage, ...]
    waiting: Waiting
    overdue: Mapping[str, int]
    """Overdue requests by destination."""
    drift: tuple[Drifted, ...]
    anchored: Anchored | None
    points: tuple[Point, ...]

    @property
    def findings(self) -> bool:
        """Whether a request is overdue or somebody drifted: exit code 1."""
        return self.waiting.overdue > 0 or bool(self.drift)


def status(
    ledger: Ledger,
    settings: Settings,
    *,
    now: datetime,
    progress: Progress = lambda _done, _total: None,
) -> Status:
    """How things stand at `now`."""
    facts = gathered(ledger, settings, Wanted(sample=0), UNVERIFIED, now=now, progress=progress)
    today = facts.manifest.period.until
    found = facts.deadlines
    opened = [each for each in found.pending if each.state is State.OPEN]
    overdue = Counter(each.destination for each in found.missed if each.state is State.OVERDUE)
    anchored = last(settings.state, facts.activity.reports)
    by_place: dict[tuple[str, bool], set[str]] = {}
    for incident in facts.drift:
        if incident.closed is None:
            by_place.setdefault((incident.source, incident.patrol), set()).add(incident.subject)
    return Status(
        as_of=now,
        organisation=settings.organisation,
        size=facts.manifest.ledger.size,
        root=facts.manifest.ledger.root,
        last_entry=facts.manifest.last_entry,
        suppressed=facts.verdict.suppressed,
        sources=facts.coverage.sources,
        destinations=facts.coverage.destinations,
        waiting=Waiting(
            open=found.overall.open,
            due_soon=sum(each.requests for each in opened if each.strict - today <= SOON),
            at_risk=found.overall.at_risk,
            overdue=found.overall.overdue,
            next_strict=min((each.strict for each in opened), default=None),
        ),
        overdue=dict(sorted(overdue.items())),
        drift=tuple(
            Drifted(name, len(people), patrol) for (name, patrol), people in sorted(by_place.items())
        ),
        anchored=anchored,
        points=(*facts.verdict.points, *_unanchored(anchored, facts.manifest.first_entry, now)),
    )


def _unanchored(anchored: Anchored | None, first: datetime | None, now: datetime) -> Iterator[Point]:
    since = first if anchored is None else anchored.at
    if since is not None and now - since > UNANCHORED:
        yield Point(
            Weight.WARNING,
            f"No checkpoint was given out for over {UNANCHORED.days} days.",
            "suppress anchor -o FILE, to be kept where nobody who runs this ledger can change it",
        )
