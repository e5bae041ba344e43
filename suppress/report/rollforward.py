"""The population carried forward, line by line, with sums that must hold.

    opening + new + re-asserted - re-consented - corrected - forgotten = closing

The unit is a person in a channel, with the reason that stands and the source that gave it. Opening and
closing are *counted*, person by person, on the first and after the last entry of the period; the movements
between are taken one by one as entries arrive. So the sum is a check and not a definition, and a line says
whether it holds.

* *new*: suppressed for the first time. *re-asserted*: suppressed again after a consent or a correction.
* *re-consented*: a later, evidenced consent lifted the last opt-out that stood.
* *corrected*: an entry was struck out as wrong, and nothing else held; less those who stand suppressed again
  because it was a consent that was struck out.
* *forgotten*: the person was removed from the ledger and is no longer protected.
* *restated*: the same person, now for another reason or from another source; only between lines, so it adds
  up to nothing.

A line of a sender holds those whose leading reason came from that sender's sources; people and files that
belong to no source count for no particular sender.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from suppress.core.suppression import Channel, Reason
from suppress.report.people import Change, Held, People

MOVEMENTS = ("new", "re_asserted", "re_consented", "corrected", "forgotten", "restated")


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the roll-forward: a channel's total, or that of one reason or one sender in it."""

    channel: Channel
    reason: Reason | None
    opening: int
    new: int
    re_asserted: int
    re_consented: int
    corrected: int
    forgotten: int
    restated: int
    closing: int
    sender: str | None = None
    """For a line of a sender; empty for those of no particular sender."""

    @property
    def expected(self) -> int:
        """What closing must be, from opening and the movements."""
        arrived = self.new + self.re_asserted
        left = self.re_consented + self.corrected + self.forgotten
        return self.opening + arrived - left + self.restated

    @property
    def holds(self) -> bool:
        """Whether closing, counted person by person, is what the movements say."""
        return self.expected == self.closing


@dataclass(frozen=True, slots=True)
class ScopeCount:
    """How many people a scope protects at the end of the period."""

    channel: Channel
    scope: str
    people: int


@dataclass(frozen=True, slots=True)
class RollForward:
    """The roll-forward of a period: a total for each channel in use, then its reasons, senders and scopes."""

    totals: tuple[Movement, ...]
    reasons: tuple[Movement, ...]
    senders: tuple[Movement, ...]
    scopes: tuple[ScopeCount, ...]

    @property
    def holds(self) -> bool:
        """Whether every line adds up, and the lines add up to their totals."""
        return all(line.holds for line in (*self.totals, *self.reasons, *self.senders)) and all(
            total.restated == 0
            and total.closing == sum(line.closing for line in lines if line.channel is total.channel)
            for total in self.totals
            for lines in (self.reasons, self.senders)
        )

    def total(self, channel: Channel) -> Movement:
        """The line of a whole channel, all noughts for one that was never used."""
        empty = Movement(channel, None, 0, 0, 0, 0, 0, 0, 0, 0)
        return next((line for line in self.totals if line.channel is channel), empty)


Count = Counter[tuple[Channel, Held]]


class Carried:
    """Counts movements as entries arrive; told when the period opens and closes."""

    def __init__(self) -> None:
        self._opening: Count = Counter()
        self._closing: Count = Counter()
        self._scopes: Counter[tuple[Channel, str]] = Counter()
        self._moved: dict[str, Count] = {name: Counter() for name in MOVEMENTS}

    def opens(self, people: People) -> None:
        """The period begins with the next entry."""
        self._opening = Counter((channel, held) for channel, held, _ in people.suppressed())

    def closes(self, people: People) -> None:
        """The period ended with the last entry."""
        for (channel, held, scope), number in Counter(people.suppressed()).items():
            self._closing[channel, held] += number
            self._scopes[channel, str(scope)] += number

    def opted_out(self, change: Change) -> None:
        """A request arrived."""
        self._arrived(change, "re_asserted" if change.again else "new")

    def consented(self, change: Change) -> None:
        """A consent arrived."""
        self._gone(change, "re_consented")

    def corrected(self, change: Change) -> None:
        """An entry was struck out."""
        if change.before is None and change.after is not None:
            self._moved["corrected"][change.channel, change.after] -= 1
        else:
            self._gone(change, "corrected")

    def forgotten(self, changes: Iterable[Change]) -> None:
        """A person was forgotten."""
        for change in changes:
            self._gone(change, "forgotten")

    def result(self, senders: Mapping[str, str | None]) -> RollForward:
        """The lines, in order of channel and strength of reason. `senders` says whose each source is."""
        used = {place for count in (self._opening, self._closing, *self._moved.values()) for place in count}
        channels = [channel for channel in Channel if any(place[0] is channel for place in used)]
        reasons = tuple(
            self._line(channel, held, reason=reason)
            for channel in channels
            for reason in Reason
            if (held := {each for at, each in used if at is channel and each.reason is reason})
        )
        names = sorted({senders.get(held.source) or "" for _, held in used})
        by_sender = tuple(
            self._line(channel, held, sender=name)
            for channel in channels
            for name in names
            if (
                held := {
                    each for at, each in used if at is channel and (senders.get(each.source) or "") == name
                }
            )
        )
        totals = tuple(self._line(channel, {each for _, each in used}) for channel in channels)
        scopes = sorted(self._scopes.items(), key=lambda item: (item[0][0], -item[1], item[0][1]))
        counts = tuple(ScopeCount(channel, scope, number) for (channel, scope), number in scopes)
        return RollForward(totals, reasons, by_sender, counts)

    def _line(
        self,
        channel: Channel,
        held: Iterable[Held],
        *,
        reason: Reason | None = None,
        sender: str | None = None,
    ) -> Movement:
        places = list(held)

        def summed(count: Count) -> int:
            return sum(count[channel, each] for each in places)

        moved = {movement: summed(count) for movement, count in self._moved.items()}
        return Movement(
            channel, reason, summed(self._opening), closing=summed(self._closing), sender=sender, **moved
        )

    def _arrived(self, change: Change, movement: str) -> None:
        if change.before is None and change.after is not None:
            self._moved[movement][change.channel, change.after] += 1
        else:
            self._restated(change)

    def _gone(self, change: Change, movement: str) -> None:
        if change.before is not None and change.after is None:
            self._moved[movement][change.channel, change.before] += 1
        else:
            self._restated(change)

    def _restated(self, change: Change) -> None:
        if change.before is not None and change.after is not None and change.before != change.after:
            self._moved["restated"][change.channel, change.before] -= 1
            self._moved["restated"][change.channel, change.after] += 1
