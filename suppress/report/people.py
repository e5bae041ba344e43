"""Who stands suppressed, person by person, from the entries in order.

Rules kept here:

* What holds for a person is decided by `suppress.core.standing` and by nothing else; here it is only
  remembered. Most people have one opt-out and nothing more, and cost a few columns; the others are folded.
* An entry that `corrected` names no longer counts; a forgotten person leaves altogether; an erased one stays.
* Memory: about 220 bytes for a person with one request, whatever the number of destinations.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from suppress.core.entry import Entry, OptInRecorded, OptOutRecorded
from suppress.core.standing import UNHEARD, Lift, Standing, Suppression
from suppress.core.suppression import Channel, Origin, Reason, Scope, Visibility
from suppress.report.period import Zone

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


class Clock(StrEnum):
    """The date from which a request's deadline counts, when the law counts from receipt."""

    RECEIVED = "received"
    ACTED = "acted"
    """No date of receipt is on record: the person's own act stands in, which can only be earlier."""
    LEARNED = "learned"
    """No date at all is on record: the entry's own time stands in."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What many requests have in common, kept once."""

    channel: Channel
    scope: Scope
    reason: Reason
    source: str
    origin: Origin
    visibility: Visibility | None
    clock: Clock
    dated: bool
    """Whether the request says when the person acted."""


@dataclass(frozen=True, slots=True)
class Request:
    """One opt-out entry, put together from its columns."""

    index: int
    seq: int
    subject: str
    kind: Kind
    received: date
    """The day from which a clock that starts at receipt counts."""
    acted: date
    """The day from which a clock that starts when the person acts counts."""
    learned: date


class Requests:
    """Every opt-out of the ledger, in columns."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._kinds: dict[Kind, int] = {}
        self.kinds: list[Kind] = []
        self.seq = array("q")
        self.person = array("l")
        self.kind = array("l")
        self.received = array("l")
        self.acted = array("l")
        self.learned = array("l")
        self._latest = array("q")

    def __len__(self) -> int:
        return len(self.seq)

    def add(self, entry: Entry, body: OptOutRecorded, person: int) -> int:
        """Keep one entry and return its index."""
        clock, received = _started(body.received_at, body.occurred_at, entry.at)
        _, acted = _started(None, body.occurred_at, body.received_at or entry.at)
        kind = Kind(
            body.channel, body.scope, body.reason, body.source, body.origin, body.visibility,
            clock, body.occurred_at is not None,
        )  # fmt: skip
        if kind not in self._kinds:
            self._kinds[kind] = len(self.kinds)
            self.kinds.append(kind)
        self.seq.append(entry.seq)
        self.person.append(person)
        self.kind.append(self._kinds[kind])
        self.received.append(self._zone.day(received).toordinal())
        self.acted.append(self._zone.day(acted).toordinal())
        self.learned.append(self._zone.day(entry.at).toordinal())
        self._latest.append((_latest(body, entry.at) - EPOCH) // _TICK)
        return len(self.seq) - 1

    def at_seq(self, seq: int) -> int | None:
        """The index of the request that entry `seq` recorded, or None if that entry is something else."""
        index = bisect_left(self.seq, seq)
        return index if index < len(self.seq) and self.seq[index] == seq else None

    def from_seq(self, seq: int) -> int:
        """The index of the first request recorded at entry `seq` or later."""
        return bisect_left(self.seq, seq)

    def kind_of(self, index: int) -> Kind:
        """What this request shares with others."""
        return self.kinds[self.kind[index]]

    def suppression(self, index: int) -> Suppression:
        """The request as `suppress.core.standing` folds it."""
        kind = self.kind_of(index)
        latest = EPOCH + self._latest[index] * _TICK
        since = latest if kind.dated else None
        return Suppression(
            kind.channel,
            kind.scope,
            kind.reason,
            since,
            latest,
            kind.source,
            self.seq[index],
            kind.visibility,
        )


def _started(first: datetime | None, second: datetime | None, third: datetime) -> tuple[Clock, datetime]:
    if first is not None:
        return Clock.RECEIVED, first
    if second is not None:
        return Clock.ACTED, second
    return Clock.LEARNED, third


def _latest(body: OptOutRecorded, learned: datetime) -> datetime:
    """An opt-out without a date counts from when the ledger learned of it, the latest it can have been."""
    return body.occurred_at or learned


class Ending(StrEnum):
    """Why a request is no longer owed to anyone."""

    CONSENT = "consent"
    CORRECTED = "corrected"
    ERASED = "erased"
    """The address is gone: who was not told by then cannot be told any more."""
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class Change:
    """What one entry did to one person in one channel: suppressed for which reason before and after."""

    channel: Channel
    before: Reason | None
    after: Reason | None
    again: bool
    """The person had been suppressed before, and was not when this entry came."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What a correction did: to people, and which entries it struck out or let count again."""

    changes: tuple[Change, ...]
    struck: frozenset[int]
    restored: frozenset[int]


class People:
    """Every person the ledger has heard of, and the requests and consents that count for them."""

    def __init__(self, zone: Zone) -> None:
        self.requests = Requests(zone)
        self.subjects: list[str] = []
        self.ended: dict[int, tuple[date, Ending]] = {}
        """Requests that are no longer owed, by index: since when, and why."""
        self._zone = zone
        self._index: dict[str, int] = {}
        self._only = array("q")
        """The person's single request, or -1 when there is none or when `_events` holds several."""
        self._events: dict[int, list[int | Lift]] = {}
        self._standings: dict[int, Standing] = {}
        self._lifts: dict[int, tuple[int, Lift]] = {}
        self._left: set[tuple[int, Channel]] = set()
        self._corrections: list[tuple[int, int]] = []
        self._correcting: set[int] = set()
        self._annulled: set[int] = set()

    def opted_out(self, entry: Entry, body: OptOutRecorded) -> Change:
        """One more request."""
        person = self._person(body.subject)
        before = self._reason(person, body.channel)
        index = self.requests.add(entry, body, person)
        if self._only[person] < 0 and person not in self._events:
            self._only[person] = index
        else:
            standing = self.standing(person)
            self._several(person).append(index)
            self._standings[person] = standing.with_opt_out(self.requests.suppression(index))
            self._settle(person, entry.at)
        return self._change(person, body.channel, before)

    def consented(self, entry: Entry, body: OptInRecorded) -> Change:
        """One more consent; the requests that it lifts are owed no longer."""
        person = self._person(body.subject)
        before = self._reason(person, body.channel)
        # As the ledger folds it: a consent dated into the future lifts nothing that has not happened yet.
        lift = Lift(body.channel, body.scope, min(body.occurred_at, entry.at), entry.seq)
        standing = self.standing(person).with_consent(lift)
        self._several(person).append(lift)
        self._standings[person] = standing
        self._lifts[entry.seq] = (person, lift)
        self._settle(person, entry.at)
        return self._change(person, body.channel, before)

    def corrected(self, entry: Entry, seq: int) -> Correction:
        """Entry `seq` no longer counts; if it was itself a correction, what it named counts again."""
        before = set(self._annulled)
        self._corrections.append((entry.seq, seq))
        if seq in self._correcting:
            self._annulled = _annulled_by(self._corrections)
        else:
            self._annulled.add(seq)
        self._correcting.add(entry.seq)
        changes = [
            change
            for changed in sorted(before ^ self._annulled)
            if (change := self._recounted(changed, entry.at)) is not None
        ]
        return Correction(
            tuple(changes), frozenset(self._annulled - before), frozenset(before - self._annulled)
        )

    def erased(self, entry: Entry, subject: str) -> None:
        """A person's address was erased; they stay suppressed."""
        person = self._index.get(subject)
        for index in () if person is None else self.requests_of(person):
            self.ended.setdefault(index, (self._zone.day(entry.at), Ending.ERASED))

    def forgotten(self, entry: Entry, subject: str) -> tuple[Change, ...]:
        """A person leaves the ledger altogether."""
        person = self._index.get(subject)
        if person is None:
            return ()
        before = [(channel, self._reason(person, channel)) for channel in Channel]
        for index in self.requests_of(person):
            self.ended.setdefault(index, (self._zone.day(entry.at), Ending.FORGOTTEN))
        self._only[person] = -1
        self._events[person] = []
        self._standings[person] = UNHEARD
        return tuple(self._change(person, channel, reason) for channel, reason in before if reason)

    def standing(self, person: int) -> Standing:
        """What holds now for this person."""
        if (known := self._standings.get(person)) is not None:
            return known
        index = self._only[person]
        return UNHEARD if index < 0 else UNHEARD.with_opt_out(self.requests.suppression(index))

    def requests_of(self, person: int) -> Sequence[int]:
        """The requests that count for this person, by index."""
        if person in self._events:
            return [each for each in self._counting(person) if isinstance(each, int)]
        index = self._only[person]
        return () if index < 0 else (index,)

    def suppressed(self) -> Iterator[tuple[Channel, Reason, Scope]]:
        """Everyone who stands suppressed now, once for each channel, with the leading reason and scope."""
        for person, index in enumerate(self._only):
            if index >= 0:
                kind = self.requests.kind_of(index)
                yield kind.channel, kind.reason, kind.scope
                continue
            standing = self.standing(person)
            for channel in Channel:
                against = standing.against(channel)
                if against is not None:
                    yield channel, against.reason, against.scope

    def _person(self, subject: str) -> int:
        person = self._index.get(subject)
        if person is None:
            person = self._index[subject] = len(self.subjects)
            self.subjects.append(subject)
            self._only.append(-1)
        return person

    def _several(self, person: int) -> list[int | Lift]:
        if person not in self._events:
            index = self._only[person]
            self._events[person] = [] if index < 0 else [index]
            self._standings[person] = self._folded(person)
            self._only[person] = -1
        return self._events[person]

    def _folded(self, person: int) -> Standing:
        standing = UNHEARD
        for event in self._counting(person):
            if isinstance(event, Lift):
                standing = standing.with_consent(event)
            else:
                standing = standing.with_opt_out(self.requests.suppression(event))
        return standing

    def _counting(self, person: int) -> list[int | Lift]:
        """The events of a person that no correction has struck out."""
        return [
            event
            for event in self._events[person]
            if (event.seq if isinstance(event, Lift) else self.requests.seq[event]) not in self._annulled
        ]

    def _recounted(self, seq: int, at: datetime) -> Change | None:
        """Fold a person anew after entry `seq` began or ceased to count."""
        index = self.requests.at_seq(seq)
        if index is not None:
            person, channel = self.requests.person[index], self.requests.kind_of(index).channel
        elif seq in self._lifts:
            person, lift = self._lifts[seq]
            channel = lift.channel
        else:
            return None
        before = self._reason(person, channel)
        self._several(person)
        self._standings[person] = self._folded(person)
        if index is not None:
            self.ended.pop(index, None)
            if seq in self._annulled:
                self.ended[index] = (self._zone.day(at), Ending.CORRECTED)
        self._settle(person, at)
        return self._change(person, channel, before)

    def _reason(self, person: int, channel: Channel) -> Reason | None:
        index = self._only[person]
        if index >= 0:
            kind = self.requests.kind_of(index)
            return kind.reason if kind.channel is channel else None
        against = self.standing(person).against(channel)
        return None if against is None else against.reason

    def _change(self, person: int, channel: Channel, before: Reason | None) -> Change:
        after = self._reason(person, channel)
        again = before is None and after is not None and (person, channel) in self._left
        if before is not None and after is None:
            self._left.add((person, channel))
        return Change(channel, before, after, again)

    def _settle(self, person: int, at: datetime) -> None:
        """Mark which of this person's requests a consent has lifted, each by itself."""
        lifts = self.standing(person).lifts
        for index in self.requests_of(person):
            asked = self.requests.suppression(index)
            lifted = Standing(None, (asked,), lifts).against(asked.channel, asked.scope) is None
            if lifted:
                self.ended.setdefault(index, (self._zone.day(at), Ending.CONSENT))
            elif index in self.ended and self.ended[index][1] is Ending.CONSENT:
                del self.ended[index]


def _annulled_by(corrections: Sequence[tuple[int, int]]) -> set[int]:
    """The entries that do not count. A correction names an earlier entry, so the newest decides first."""
    annulled: set[int] = set()
    for correction, named in reversed(corrections):
        if correction not in annulled:
            annulled.add(named)
    return annulled
