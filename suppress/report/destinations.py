"""When each destination was told: an export honours every request up to its watermark, but for its failures.

Rules kept here:

* A destination honours request n from its first `honoured` entry with `upto >= n` that does not name n as
  failed, or from a later one that covers it.
* A failure named by one entry of a person counts for all of that person's requests: exporters name the entry
  that leads, and the person was not suppressed there under any of them.
* A destination is active from its first `honoured` entry or from `added` on, until it is `removed`.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import date, datetime

from suppress.core.entry import DestinationChanged, Entry, Honoured
from suppress.report.people import People
from suppress.report.period import Zone


@dataclass(frozen=True, slots=True)
class Told:
    """By which receipt a destination honours a request: since when, by which entry, and whether read back."""

    day: date
    seq: int
    verified: bool


@dataclass(slots=True)
class Stretch:
    """Days on which a destination was active; `end` is None while it is."""

    start: date
    end: date | None = None


@dataclass(slots=True)
class Destination:
    """One destination as the ledger knows it."""

    name: str
    platform: str | None = None
    stretches: list[Stretch] = field(default_factory=list)
    exports: int = 0
    last_export: datetime | None = None
    last_count: int = 0
    upto: int | None = None
    verified: bool | None = None
    """Whether the last export was read back, not only accepted; None before the first."""
    pending: set[int] = field(default_factory=set)
    """Requests under the watermark that the destination has not taken, by index."""
    taken_later: dict[int, Told] = field(default_factory=dict)
    marks: list[int] = field(default_factory=list)
    """Its watermarks, rising."""
    _told: list[Told] = field(default_factory=list)
    _covered: int = 0
    """How many requests the highest watermark covers."""

    @property
    def active(self) -> bool:
        """Whether it is told of new requests now."""
        return bool(self.stretches) and self.stretches[-1].end is None

    def honoured(self, index: int, seq: int) -> Told | None:
        """By which receipt it holds this request, or None."""
        if index in self.pending:
            return None
        if index in self.taken_later:
            return self.taken_later[index]
        return self.covering(seq)

    def covering(self, seq: int) -> Told | None:
        """The receipt whose watermark first reached an entry, or None."""
        place = bisect_left(self.marks, seq)
        return self._told[place] if place < len(self._told) else None

    def begin(self, day: date) -> None:
        """It is active from this day on, if it was not already."""
        if not self.active:
            self.stretches.append(Stretch(day))

    def stop(self, day: date) -> None:
        """It is told nothing from this day on."""
        if self.active:
            self.stretches[-1].end = day

    def told(self, entry: Entry, body: Honoured, failed: set[int], requests_upto: int, day: date) -> None:
        """One export: `failed` are requests by index, `requests_upto` how many the watermark covers."""
        self.begin(day)
        self.exports += 1
        self.last_export, self.last_count, self.verified = entry.at, body.count, body.verified
        taken = {index for index in self.pending if index < requests_upto} - failed
        self.pending -= taken
        told = Told(day, entry.seq, body.verified)
        self.taken_later.update(dict.fromkeys(taken, told))
        self.pending |= {index for index in failed if self._covered <= index < requests_upto}
        if self.upto is None or body.upto > self.upto:
            self.upto = body.upto
            self.marks.append(body.upto)
            self._told.append(told)
            self._covered = requests_upto


class Destinations:
    """All destinations, from the entries in order."""

    def __init__(self, people: People, zone: Zone) -> None:
        self._people = people
        self._zone = zone
        self.by_name: dict[str, Destination] = {}

    def changed(self, entry: Entry, body: DestinationChanged) -> None:
        """A destination was added, removed or reconfigured."""
        destination = self._named(body.destination)
        destination.platform = body.platform
        if body.change == "removed":
            destination.stop(self._zone.day(entry.at))
        elif body.change == "added":
            destination.begin(self._zone.day(entry.at))

    def honoured(self, entry: Entry, body: Honoured) -> None:
        """A destination was told."""
        requests = self._people.requests
        failed: set[int] = set()
        for seq in body.exceptions:
            index = requests.at_seq(seq)
            if index is not None:
                failed.update((index, *self._people.requests_of(requests.person[index])))
        covered = requests.from_seq(body.upto + 1)
        self._named(body.destination).told(entry, body, failed, covered, self._zone.day(entry.at))

    def _named(self, name: str) -> Destination:
        if name not in self.by_name:
            self.by_name[name] = Destination(name)
        return self.by_name[name]
