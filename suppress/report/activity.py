"""What was done with the ledger in the period: imports, checks, disclosures, all that lessens protection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from suppress.core.entry import (
    Body,
    CheckDone,
    Corrected,
    DestinationChanged,
    Disclosed,
    DomainLifted,
    DomainSuppressed,
    Entry,
    Erased,
    Forgotten,
    HashesTrusted,
    Honoured,
    ImportDone,
    IndexKeyRotated,
    KeyRotated,
    OptInRecorded,
    ReportIssued,
    Restored,
    WaiverRecorded,
)
from suppress.report.period import Period

B = TypeVar("B", bound=Body)


@dataclass(frozen=True, slots=True)
class Act(Generic[B]):
    """One entry: its number, when, by whom, and what it says."""

    seq: int
    at: datetime
    actor: str
    body: B


@dataclass(frozen=True, slots=True)
class Activity:
    """The entries of the period that are told one by one, by kind."""

    imports: tuple[Act[ImportDone], ...]
    checks: tuple[Act[CheckDone], ...]
    exports: tuple[Act[Honoured], ...]
    disclosures: tuple[Act[Disclosed], ...]
    consents: tuple[Act[OptInRecorded], ...]
    corrections: tuple[Act[Corrected], ...]
    waivers: tuple[Act[WaiverRecorded], ...]
    rules: tuple[Act[DomainSuppressed | DomainLifted], ...]
    hashes: tuple[Act[HashesTrusted], ...]
    erasures: tuple[Act[Erased], ...]
    forgotten: tuple[Act[Forgotten], ...]
    destinations: tuple[Act[DestinationChanged], ...]
    reports: tuple[Act[ReportIssued], ...]
    keys: tuple[Act[KeyRotated] | Act[IndexKeyRotated], ...]
    restored: tuple[Act[Restored], ...]
    actors: tuple[Actor, ...] = ()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who wrote to the ledger in the period, and how many entries."""

    name: str
    entries: int


_KINDS: Mapping[type[Body], str] = {
    ImportDone: "imports",
    CheckDone: "checks",
    Honoured: "exports",
    Disclosed: "disclosures",
    OptInRecorded: "consents",
    Corrected: "corrections",
    WaiverRecorded: "waivers",
    DomainSuppressed: "rules",
    DomainLifted: "rules",
    HashesTrusted: "hashes",
    Erased: "erasures",
    Forgotten: "forgotten",
    DestinationChanged: "destinations",
    ReportIssued: "reports",
    KeyRotated: "keys",
    IndexKeyRotated: "keys",
    Restored: "restored",
}


class Diary:
    """Keeps the entries of the period that are told one by one."""

    def __init__(self, period: Period, destinations: Sequence[str] = ()) -> None:
        self.actors: Counter[str] = Counter()
        self._period = period
        self._destinations = destinations
        self._kept: dict[str, list[Act[Body]]] = {name: [] for name in dict.fromkeys(_KINDS.values())}

    def add(self, entry: Entry) -> None:
        """Keep the entry if it is of a kind that is told and lies in the period."""
        name = _KINDS.get(type(entry.body))
        if name is not None and self._period.holds(entry.at) and self._about(entry.body):
            self._kept[name].append(Act(entry.seq, entry.at, entry.actor, entry.body))

    def activity(self) -> Activity:
        """What was kept."""
        actors = tuple(Actor(name, number) for name, number in sorted(self.actors.items()))
        # The kinds above put each entry under the name that its class has there.
        kept = {name: tuple(acts) for name, acts in self._kept.items()}
        return Activity(**kept, actors=actors)  # type: ignore[arg-type]

    def _about(self, body: Body) -> bool:
        """Whether it is about no destination, or about one that the report is about."""
        match body:
            case Honoured() | Disclosed() | DestinationChanged():
                return not self._destinations or body.destination in self._destinations
            case _:
                return True
