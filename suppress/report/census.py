"""What the sources showed, counted several ways, and the people whom the usual query does not show.

Rules kept here:

* The census of a source is its last complete one up to the end of the period. Its counts are the source's
  own, with the identities that must hold between them; an identity that does not hold is said, never mended.
* A *hidden* person is one whom a platform reported as deleted and unsubscribed. Asking the platform for its
  unsubscribed contacts does not show them, and an import can bring them back.
* When a person acted is the platform's claim. Requests without a date are counted apart and never dated.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from suppress.core.entry import Entry, SyncDone
from suppress.core.suppression import Channel, Origin, Reason, Visibility
from suppress.report.people import People
from suppress.report.period import Period

LISTED = 5_000
"""People listed one by one in a report. Who wants the others makes reports of shorter periods."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A sum that must hold, in words, with both sides."""

    says: str
    left: int
    right: int

    @property
    def holds(self) -> bool:
        """Whether both sides are equal."""
        return self.left == self.right


@dataclass(frozen=True, slots=True)
class Census:
    """One source's last complete census."""

    seq: int
    at: datetime
    source: str
    platform: str
    counts: Mapping[str, int]
    opted_out: int
    deleted: int
    missed_by_naive_sync: int
    new: int
    known: int
    identities: tuple[Identity, ...]


@dataclass(frozen=True, slots=True)
class Hidden:
    """One deleted-but-unsubscribed person, by the entry that first recorded it. No address."""

    seq: int
    subject: str
    source: str
    reason: Reason
    acted: date | None
    recorded: date


@dataclass(frozen=True, slots=True)
class Month:
    """Requests of the period by the month in which the person acted."""

    month: str
    """As 2026-11."""
    visible: int
    deleted: int
    elsewhere: int
    """From people and files, for which no platform said whether it shows the person."""


@dataclass(frozen=True, slots=True)
class Population:
    """The censuses, and who was found in the period."""

    censuses: tuple[Census, ...]
    hidden: tuple[Hidden, ...]
    """The first of them, one by one."""
    hidden_count: int
    """All people who were found in the period and whom the usual query does not show."""
    months: tuple[Month, ...]
    visible: int
    deleted: int
    elsewhere: int
    undated: int
    """Of the requests counted here, those without a date of the person's own act."""


class Counting:
    """Remembers each source's last complete census of the period."""

    def __init__(self, period: Period) -> None:
        self._period = period
        self._last: dict[str, Census] = {}

    def synced(self, entry: Entry, body: SyncDone) -> None:
        """One run ended."""
        if body.census is None or not body.complete or entry.at >= self._period.end:
            return
        self._last[body.source] = Census(
            seq=entry.seq,
            at=entry.at,
            source=body.source,
            platform=body.platform,
            counts=dict(body.census),
            opted_out=body.observed,
            deleted=body.deleted,
            missed_by_naive_sync=body.missed_by_naive_sync,
            new=body.new,
            known=body.known,
            identities=_identities(body),
        )

    def population(self, people: People, first: int, stop: int) -> Population:
        """The censuses and the requests from index `first` to before `stop`."""
        requests = people.requests
        shown_of = [
            _shown(each.origin, each.visibility) if each.channel is Channel.EMAIL else None
            for each in requests.kinds
        ]
        counted: Counter[tuple[int | None, str]] = Counter()
        hidden = array("i")
        seen: set[int] = set()
        for index, place in enumerate(requests.kind[:stop]):
            shown = shown_of[place]
            if shown is None:
                continue
            fresh = shown == "deleted" and requests.person[index] not in seen
            if fresh:
                seen.add(requests.person[index])
            if index < first:
                continue
            counted[requests.acted[index] if requests.kinds[place].dated else None, shown] += 1
            if fresh:
                hidden.append(index)
        shown_one_by_one = [_hidden(people, index) for index in hidden[:LISTED]]
        censuses = tuple(self._last[name] for name in sorted(self._last))
        return _population(censuses, shown_one_by_one, len(hidden), _by_month(counted))


def _hidden(people: People, index: int) -> Hidden:
    requests = people.requests
    kind = requests.kind_of(index)
    return Hidden(
        requests.seq[index],
        people.subjects[requests.person[index]],
        kind.source,
        kind.reason,
        date.fromordinal(requests.acted[index]) if kind.dated else None,
        date.fromordinal(requests.learned[index]),
    )


def _by_month(counted: Counter[tuple[int | None, str]]) -> Counter[tuple[str | None, str]]:
    months: Counter[tuple[str | None, str]] = Counter()
    for (acted, shown), number in counted.items():
        months[None if acted is None else date.fromordinal(acted).isoformat()[:7], shown] += number
    return months


def _population(
    censuses: tuple[Census, ...],
    hidden: list[Hidden],
    hidden_count: int,
    counted: Counter[tuple[str | None, str]],
) -> Population:
    totals: Counter[str] = Counter()
    for (_, shown), number in counted.items():
        totals[shown] += number
    return Population(
        censuses=censuses,
        hidden=tuple(hidden),
        hidden_count=hidden_count,
        months=tuple(
            Month(month, counted[month, "visible"], counted[month, "deleted"], counted[month, "elsewhere"])
            for month in sorted({month for month, _ in counted if month is not None})
        ),
        visible=totals["visible"],
        deleted=totals["deleted"],
        elsewhere=totals["elsewhere"],
        undated=sum(number for (month, _), number in counted.items() if month is None),
    )


def _shown(origin: Origin, visibility: Visibility | None) -> str:
    if origin is not Origin.PLATFORM or visibility is None:
        return "elsewhere"
    return visibility.value


def _identities(body: SyncDone) -> tuple[Identity, ...]:
    counts = body.census or {}
    # Contacts that share an address are one person: a request of theirs, and nobody new.
    sharing = f" + {body.shared} of an address counted already" if body.shared else ""
    found = [
        Identity(
            f"opted out = new in this run + already known{sharing}",
            body.observed,
            body.new + body.known + (body.shared or 0),
        )
    ]
    if "opted_out" in counts:
        says = "opted out in the census = opted out in the run"
        found.append(Identity(says, counts["opted_out"], body.observed))
    if {"opted_out", "opted_out_visible", "opted_out_deleted"} <= counts.keys():
        parts = counts["opted_out_visible"] + counts["opted_out_deleted"]
        found.append(Identity("opted out = visible + deleted", counts["opted_out"], parts))
    if "opted_out_deleted" in counts:
        says = "deleted opt-outs in the census = deleted opt-outs in the run"
        found.append(Identity(says, counts["opted_out_deleted"], body.deleted))
    if counts.get("rounds", 1) > 1:
        # The account changed while it was read. The source compared the rounds with one another instead.
        return tuple(found)
    found += [
        Identity(f"contacts shown by {_asked(name)} = the platform's own count", counts[name], counted)
        for name in counts
        if (counted := counts.get(f"{name}_counted")) is not None
    ]
    return tuple(found)


def _asked(name: str) -> str:
    return name.replace("status_", "status=", 1)
