"""Who stands suppressed, person by person, from the entries in order.

Rules kept here:

* What holds for a person is decided by `suppress.core.standing` and by nothing else; here it is only
  remembered. Most people have one opt-out and nothing more, and cost a few columns; the others are folded.
* An entry that `corrected` names no longer counts; a forgotten person leaves altogether; an erased one stays.
* With a *target* only what binds that sender is remembered: its own opt-outs, and those that bind everybody.
* Memory: about 200 bytes for a person with one request, whatever the number of destinations.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from suppress.core.entry import Entry, OptInRecorded
from suppress.core.standing import UNHEARD, Lift, Standing, Suppression
from suppress.core.suppression import EVERYTHING, Channel, Reason, Scope
from suppress.report.period import Zone
from suppress.report.rows import EPOCH, TICK, Clock, Kind, Row

__all__ = ["Change", "Clock", "Correction", "Ending", "Held", "Kind", "People", "Requests"]


@dataclass(frozen=True, slots=True)
class Held:
    """Why a person stands suppressed in a channel: the leading reason, and the source that gave it."""

    reason: Reason
    source: str


class Requests:
    """Every opt-out of the ledger, in columns."""

    def __init__(self) -> None:
        self._kinds: dict[Kind, int] = {}
        self.kinds: list[Kind] = []
        self.seq = array("q")
        self.person = array("i")
        self.kind = array("i")
        self.received = array("i")
        self.acted = array("i")
        self.learned = array("i")
        self._latest = array("q")

    def __len__(self) -> int:
        return len(self.seq)

    def add(self, row: Row, person: int) -> int:
        """Keep one opt-out and return its index."""
        kind = self._kinds.get(row.kind)
        if kind is None:
            kind = self._kinds[row.kind] = len(self.kinds)
            self.kinds.append(row.kind)
        self.seq.append(row.seq)
        self.person.append(person)
        self.kind.append(kind)
        self.received.append(row.received)
        self.acted.append(row.acted)
        self.learned.append(row.learned)
        self._latest.append(row.latest)
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
        latest = EPOCH + self._latest[index] * TICK
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


class Ending(StrEnum):
    """Why a request is no longer owed to anyone."""

    CONSENT = "consent"
    CORRECTED = "corrected"
    ERASED = "erased"
    """The address is gone: who was not told by then cannot be told any more."""
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class Change:
    """What one entry did to one person in one channel: suppressed for what before and after."""

    channel: Channel
    before: Held | None
    after: Held | None
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

    def __init__(self, zone: Zone, target: Scope = EVERYTHING) -> None:
        self.requests = Requests()
        self.subjects: list[str] = []
        self.ended: dict[int, tuple[date, Ending]] = {}
        """Requests that are no longer owed, by index: since when, and why."""
        self.not_binding = 0
        """Opt-outs that bind other senders than the target, and are left out."""
        self._zone = zone
        self.target = target
        self._new: dict[Kind, Change | None] = {}
        """What the first opt-out of a kind does to a person; None if the kind does not bind the target."""
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

    def opted_out(self, row: Row) -> Change | None:
        """One more request. None if it does not bind the target."""
        try:
            change = self._new[row.kind]
        except KeyError:
            change = self._first_of(row.kind)
        if change is None:
            self.not_binding += 1
            return None
        person = self._index.get(row.subject)
        if person is None:
            person = self._person(row.subject)
            self._only[person] = self.requests.add(row, person)
            return change
        channel = row.kind.channel
        before = self._held(person, channel)
        index = self.requests.add(row, person)
        if self._only[person] < 0 and person not in self._events:
            self._only[person] = index
        else:
            standing = self.standing(person)
            self._several(person).append(index)
            self._standings[person] = standing.with_opt_out(self.requests.suppression(index))
            self._settle(person, row.learned)
        return self._change(person, channel, before)

    def _first_of(self, kind: Kind) -> Change | None:
        binds = kind.scope.covers(self.target) or self.target.covers(kind.scope)
        change = Change(kind.channel, None, Held(kind.reason, kind.source), False) if binds else None
        self._new[kind] = change
        return change

    def consented(self, entry: Entry, body: OptInRecorded) -> Change:
        """One more consent; the requests that it lifts are owed no longer."""
        person = self._person(body.subject)
        before = self._held(person, body.channel)
        # As the ledger folds it: a consent dated into the future lifts nothing that has not happened yet.
        lift = Lift(body.channel, body.scope, min(body.occurred_at, entry.at), entry.seq)
        standing = self.standing(person).with_consent(lift)
        self._several(person).append(lift)
        self._standings[person] = standing
        self._lifts[entry.seq] = (person, lift)
        self._settle(person, self._day(entry))
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
            if (change := self._recounted(changed, self._day(entry))) is not None
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
        before = [(channel, self._held(person, channel)) for channel in Channel]
        for index in self.requests_of(person):
            self.ended.setdefault(index, (self._zone.day(entry.at), Ending.FORGOTTEN))
        self._only[person] = -1
        self._events[person] = []
        self._standings[person] = UNHEARD
        return tuple(self._change(person, channel, held) for channel, held in before if held)

    @property
    def annulled(self) -> Set[int]:
        """The entries that some correction strikes out, and that no later one lets count again."""
        return self._annulled

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

    def counts(self, index: int) -> bool:
        """Whether a request was neither struck out nor forgotten with its person."""
        _, why = self.ended.get(index, (None, None))
        return why not in (Ending.CORRECTED, Ending.FORGOTTEN)

    def suppressed_by_email(self, person: int) -> bool:
        """Whether this person may not be e-mailed now."""
        return self._held(person, Channel.EMAIL) is not None

    def suppressed(self) -> Iterator[tuple[Channel, Held, Scope]]:
        """Everyone who stands suppressed now, once for each channel, with the leading reason and scope."""
        kinds = [(each.channel, Held(each.reason, each.source), each.scope) for each in self.requests.kinds]
        kind_of = self.requests.kind
        for person, index in enumerate(self._only):
            if index >= 0:
                yield kinds[kind_of[index]]
                continue
            standing = self.standing(person)
            for channel in Channel:
                against = standing.against(channel, self.target)
                if against is not None:
                    yield channel, Held(against.reason, against.source), against.scope

    def _day(self, entry: Entry) -> int:
        return self._zone.day(entry.at).toordinal()

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

    def _recounted(self, seq: int, day: int) -> Change | None:
        """Fold a person anew after entry `seq` began or ceased to count."""
        index = self.requests.at_seq(seq)
        if index is not None:
            person, channel = self.requests.person[index], self.requests.kind_of(index).channel
        elif seq in self._lifts:
            person, lift = self._lifts[seq]
            channel = lift.channel
        else:
            return None
        before = self._held(person, channel)
        self._several(person)
        self._standings[person] = self._folded(person)
        if index is not None:
            self.ended.pop(index, None)
            if seq in self._annulled:
                self.ended[index] = (date.fromordinal(day), Ending.CORRECTED)
        self._settle(person, day)
        return self._change(person, channel, before)

    def _held(self, person: int, channel: Channel) -> Held | None:
        index = self._only[person]
        if index >= 0:
            kind = self.requests.kind_of(index)
            return Held(kind.reason, kind.source) if kind.channel is channel else None
        against = self.standing(person).against(channel, self.target)
        return None if against is None else Held(against.reason, against.source)

    def _change(self, person: int, channel: Channel, before: Held | None) -> Change:
        after = self._held(person, channel)
        again = before is None and after is not None and (person, channel) in self._left
        if before is not None and after is None:
            self._left.add((person, channel))
        return Change(channel, before, after, again)

    def _settle(self, person: int, day: int) -> None:
        """Mark which of this person's requests a consent has lifted, each by itself."""
        lifts = self.standing(person).lifts
        for index in self.requests_of(person):
            asked = self.requests.suppression(index)
            lifted = Standing(None, (asked,), lifts).against(asked.channel, asked.scope) is None
            if lifted:
                self.ended.setdefault(index, (date.fromordinal(day), Ending.CONSENT))
            elif index in self.ended and self.ended[index][1] is Ending.CONSENT:
                del self.ended[index]


def _annulled_by(corrections: Sequence[tuple[int, int]]) -> set[int]:
    """The entries that do not count. A correction names an earlier entry, so the newest decides first."""
    annulled: set[int] = set()
    for correction, named in reversed(corrections):
        if correction not in annulled:
            annulled.add(named)
    return annulled
