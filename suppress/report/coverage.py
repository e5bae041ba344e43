"""What was read and what was told: every source and destination, when, how completely, and how long ago.

Rules kept here:

* A source counts as read when a run was *complete*: an interrupted run is shown, and proves nothing.
* A source is stale 26 hours after the last complete run (a daily job that was missed), its census after eight
  days (a weekly one). Staleness is a warning and not a finding.
* What is configured but was never read or told is listed; what the ledger knows and nobody configures too.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from suppress.config import DestinationSettings, SourceSettings
from suppress.core.entry import Entry, SyncDone
from suppress.core.suppression import Channel, Origin, Reason
from suppress.report.destinations import Destination, Destinations
from suppress.report.people import People
from suppress.report.period import Zone

STALE_RUN = timedelta(hours=26)
STALE_CENSUS = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class SourceCoverage:
    """One account that is asked for opt-outs."""

    name: str
    platform: str
    sender: str | None
    configured: bool
    runs: int
    incomplete_runs: int
    last_run: datetime | None
    last_run_complete: bool | None
    last_complete: datetime | None
    read_until: datetime | None
    """The end of the last complete window: opt-outs dated before it have been read."""
    last_census: datetime | None
    """The last census that was complete."""
    requests: int
    """Requests that the ledger holds from it, ever."""
    run_is_stale: bool
    census_is_stale: bool
    owner: str | None = None
    """Who answers for it, by the settings."""


@dataclass(frozen=True, slots=True)
class BroughtCoverage:
    """Requests that no source showed: people or files brought them, or a patrol from a destination."""

    name: str
    origin: Origin
    requests: int


@dataclass(frozen=True, slots=True)
class DestinationCoverage:
    """One system that is told."""

    name: str
    platform: str | None
    sender: str | None
    configured: bool
    active: bool
    exports: int
    last_export: datetime | None
    last_count: int
    verified: bool | None
    """Whether the last export was read back."""
    upto: int | None
    untold: int
    """Requests that it has not taken yet."""
    owner: str | None = None
    """Who answers for it, by the settings."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """All of them."""

    sources: tuple[SourceCoverage, ...]
    brought: tuple[BroughtCoverage, ...]
    destinations: tuple[DestinationCoverage, ...]


@dataclass(slots=True)
class _Read:
    platform: str
    runs: int = 0
    incomplete: int = 0
    first_complete: datetime | None = None
    last: SyncDone | None = None
    last_at: datetime | None = None
    last_complete: datetime | None = None
    read_until: datetime | None = None
    last_census: datetime | None = None


class Reading:
    """Follows the sources from their `sync.done` entries."""

    def __init__(self) -> None:
        self._by_name: dict[str, _Read] = {}

    def synced(self, entry: Entry, body: SyncDone) -> None:
        """One run ended."""
        read = self._by_name.setdefault(body.source, _Read(body.platform))
        read.runs += 1
        read.platform, read.last, read.last_at = body.platform, body, entry.at
        if not body.complete:
            read.incomplete += 1
            return
        read.first_complete = read.first_complete or entry.at
        read.last_complete = entry.at
        read.read_until = body.before or read.read_until
        if body.mode == "census":
            read.last_census = entry.at

    def watched(self, zone: Zone) -> Mapping[str, date]:
        """Since which day each source has been read completely."""
        return {
            name: zone.day(read.first_complete)
            for name, read in self._by_name.items()
            if read.first_complete is not None
        }

    def coverage(
        self,
        configured: Mapping[str, SourceSettings],
        people: People,
        as_of: datetime,
        *,
        told: Collection[str] = (),
    ) -> tuple[SourceCoverage, ...]:
        """Every source that is configured or was ever read, by name.

        `told` are destinations: opt-outs that a patrol found there make none of them a source that is read.
        """
        counted = _requests_by_source(people)
        brought_home = _platform_sources(counted) - set(told)
        return tuple(
            self._one(name, configured.get(name), counted[name, Origin.PLATFORM], as_of)
            for name in sorted({*configured, *self._by_name, *brought_home})
        )

    def _one(
        self, name: str, settings: SourceSettings | None, requests: int, as_of: datetime
    ) -> SourceCoverage:
        read = self._by_name.get(name) or _Read(settings.platform if settings else "unknown")
        return SourceCoverage(
            name=name,
            platform=read.platform,
            sender=settings.sender if settings else None,
            configured=settings is not None,
            runs=read.runs,
            incomplete_runs=read.incomplete,
            last_run=read.last_at,
            last_run_complete=None if read.last is None else read.last.complete,
            last_complete=read.last_complete,
            read_until=read.read_until,
            last_census=read.last_census,
            requests=requests,
            run_is_stale=_older(read.last_complete, STALE_RUN, as_of),
            census_is_stale=_older(read.last_census, STALE_CENSUS, as_of),
            owner=settings.owner if settings else None,
        )


def brought(people: People, sources: Collection[str]) -> tuple[BroughtCoverage, ...]:
    """What people and files brought, and patrols from destinations, by name: whatever is of no source."""
    return tuple(
        BroughtCoverage(name, origin, number)
        for (name, origin), number in sorted(_requests_by_source(people).items())
        if origin is not Origin.PLATFORM or name not in sources
    )


def destination_coverage(
    configured: Mapping[str, DestinationSettings], destinations: Destinations, people: People
) -> tuple[DestinationCoverage, ...]:
    """Every destination that is configured or was ever told, by name."""
    owed = _owed(people)
    seqs = array("q", (people.requests.seq[index] for index in owed))
    return tuple(
        _destination(configured.get(name), destinations.by_name.get(name) or Destination(name), owed, seqs)
        for name in sorted({*configured, *destinations.by_name})
    )


def _destination(
    settings: DestinationSettings | None, known: Destination, owed: array[int], seqs: array[int]
) -> DestinationCoverage:
    covered = 0 if known.upto is None else bisect_right(seqs, known.upto)
    refused = known.pending.intersection(owed[:covered]) if known.pending else ()
    return DestinationCoverage(
        name=known.name,
        platform=settings.platform if settings else known.platform,
        sender=settings.sender if settings else None,
        configured=settings is not None,
        active=known.active,
        exports=known.exports,
        last_export=known.last_export,
        last_count=known.last_count,
        verified=known.verified,
        upto=known.upto,
        untold=len(owed) - covered + len(refused),
        owner=settings.owner if settings else None,
    )


def _owed(people: People) -> array[int]:
    """Requests that a destination must hold today, by index."""
    requests, ended = people.requests, people.ended
    due = [each.channel is Channel.EMAIL and each.reason is not Reason.BOUNCED for each in requests.kinds]
    return array("q", (index for index, kind in enumerate(requests.kind) if due[kind] and index not in ended))


def _requests_by_source(people: People) -> Counter[tuple[str, Origin]]:
    requests = people.requests
    counted: Counter[tuple[str, Origin]] = Counter()
    for place, number in Counter(requests.kind).items():
        kind = requests.kinds[place]
        counted[kind.source, kind.origin] += number
    return counted


def _platform_sources(counted: Mapping[tuple[str, Origin], int]) -> set[str]:
    return {name for name, origin in counted if origin is Origin.PLATFORM}


def _older(moment: datetime | None, than: timedelta, as_of: datetime) -> bool:
    return moment is None or as_of - moment > than
