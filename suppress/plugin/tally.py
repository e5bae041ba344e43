"""Whether an exporter's answers account for everyone it was handed: exactly once each, nobody else.

An exporter answers for addresses. People are counted: one of whom a single spelling was not taken, or does
not read back, may still be mailed, so the worst answer for any of their addresses is what became of them.

A 2xx that hides failed records is a known trouble of more than one vendor (HubSpot has been seen to answer
207 with neither results nor errors), so nothing is taken as done because nothing was said about it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from suppress.plugin.contract import (
    Intent,
    Job,
    Outcome,
    Planned,
    Pushed,
    Result,
    Snapshot,
    Suppressed,
    Unit,
)
from suppress.plugin.errors import ContractBroken

TAKEN = frozenset(
    {
        Outcome.SUPPRESSED,
        Outcome.ALREADY,
        Outcome.NOT_MAILABLE,
        Outcome.SKIPPED_UNKNOWN,
        Outcome.UNVERIFIABLE,
    }
)
"""Outcomes after which the destination, by its own word, does not mail the person; an address that it does
not know is not mailed there. What was taken is still to be verified."""


_WORST = (
    Outcome.REJECTED_PERMANENT,
    Outcome.RETRY_LATER,
    Outcome.PENDING,
    Outcome.UNVERIFIABLE,
    Outcome.SUPPRESSED,
    Outcome.NOT_MAILABLE,
    Outcome.ALREADY,
    Outcome.SKIPPED_UNKNOWN,
)
"""Of a person's addresses, whose outcome is theirs."""
_FOREMOST = (
    Intent.BLOCKED,
    Intent.INVALID,
    Intent.SUPPRESS,
    Intent.UNKNOWN_CREATE,
    Intent.ALREADY,
    Intent.UNKNOWN_SKIP,
)


@dataclass(slots=True)
class Tally:
    """What one destination was handed and what it said about it."""

    destination: str
    unit: Unit
    handed: dict[str, int] = field(default_factory=dict)
    """Address → its person, in the order handed over. Of a snapshot, which may be of a million people and is
    answered for by its number of rows, they are only counted."""
    addresses: int = 0
    people: int = 0
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """Address → what became of it."""
    jobs: list[Job] = field(default_factory=list)
    snapshot: Snapshot | None = None
    _going: Iterator[Suppressed] = field(default_factory=lambda: iter(()))

    def handing(self, entries: Iterable[Suppressed]) -> Iterator[Suppressed]:
        """`entries` as they are, remembered as they go by."""
        self._going = self.recalling(entries)
        return self._going

    def recalling(self, entries: Iterable[Suppressed]) -> Iterator[Suppressed]:
        """The same for entries that an earlier run handed over."""
        last = None
        for entry in entries:
            if self.unit is not Unit.SNAPSHOT:
                self.handed[entry.address] = entry.seq
            self.addresses += 1
            self.people += entry.seq != last
            last = entry.seq
            yield entry

    def take(self, answers: Iterable[Pushed]) -> None:
        """Take answers to a push or a poll.

        Raises:
            ContractBroken: One is about an entry that was not handed over, or answers one twice.
        """
        for answer in answers:
            match answer:
                case Result():
                    self._take_result(answer)
                case Job():
                    self.jobs.append(answer)
                case Snapshot():
                    if self.unit is not Unit.SNAPSHOT or self.snapshot is not None:
                        raise self._broken("answered with a snapshot that was not asked for")
                    self.snapshot = answer

    def require_end(self) -> None:
        """Refuse a push that ended before what it was handed: of the rest nothing was sent or said.

        Raises:
            ContractBroken: It did.
        """
        if next(self._going, None) is not None:
            raise self._broken("stopped before the end of what it was handed")

    def close(self) -> Mapping[Outcome, int]:
        """How many people had which outcome.

        Raises:
            ContractBroken: The answers do not account for every entry, or it stopped before the last one.
        """
        self.require_end()
        if self.unit is Unit.SNAPSHOT:
            if self.snapshot is None:
                raise self._broken("ended without a snapshot")
            if self.snapshot.rows != self.addresses:
                raise self._broken(f"wrote {self.snapshot.rows:,} of {self.addresses:,} entries")
            return {Outcome.SUPPRESSED: self.people}
        silent = len(self.handed) - len(self.outcomes)
        if silent and not self.jobs:
            raise self._broken(f"did not account for {silent:,} of {len(self.handed):,} entries")
        return self._by_person()

    def missed(self) -> frozenset[int]:
        """The people whom the destination may still mail, under any spelling, as far as it has said."""
        if self.unit is Unit.SNAPSHOT:
            return frozenset()
        return frozenset(
            person for address, person in self.handed.items() if self.outcomes.get(address) not in TAKEN
        )

    def _by_person(self) -> dict[Outcome, int]:
        """How many people have which outcome, each the worst of their addresses."""
        counts: Counter[Outcome] = Counter()
        for _, addresses in groupby(self.handed, key=self.handed.__getitem__):
            said = (self.outcomes.get(address, Outcome.PENDING) for address in addresses)
            counts[min(said, key=_WORST.index)] += 1
        return dict(counts)

    def _take_result(self, result: Result) -> None:
        if result.address not in self.handed:
            raise self._broken("answered for an entry that it was not handed")
        if self.outcomes.get(result.address, Outcome.PENDING) is not Outcome.PENDING:
            raise self._broken(f"answered twice for an address of entry {self.handed[result.address]}")
        self.outcomes[result.address] = result.outcome

    def _broken(self, what: str) -> ContractBroken:
        return _broken(self.destination, what)


@dataclass(slots=True)
class _Open:
    """A person of whom not every address is planned for."""

    waiting: int = 0
    whole: bool = False
    """Every address of theirs was handed over."""
    foremost: Intent | None = None


@dataclass(slots=True)
class Forecast:
    """What a dry run says would happen, counted as it is said: nobody is kept whose plan is complete."""

    destination: str
    people: int = 0
    addresses: Counter[Intent] = field(default_factory=Counter)
    """How many addresses would meet with what."""
    intents: Counter[Intent] = field(default_factory=Counter)
    """How many people: each the foremost of their addresses."""
    _waiting: dict[str, int] = field(default_factory=dict)
    _open: dict[int, _Open] = field(default_factory=dict)
    _going: Iterator[Suppressed] = field(default_factory=lambda: iter(()))

    def handing(self, entries: Iterable[Suppressed]) -> Iterator[Suppressed]:
        """`entries` as they are, remembered until they are planned for."""
        self._going = self._handing(entries)
        return self._going

    def _handing(self, entries: Iterable[Suppressed]) -> Iterator[Suppressed]:
        for person, same in groupby(entries, key=lambda entry: entry.seq):
            self.people += 1
            person_open = self._open[person] = _Open()
            for entry in same:
                self._waiting[entry.address] = person
                person_open.waiting += 1
                yield entry
            person_open.whole = True
            self._closed(person)

    def take(self, planned: Iterable[Planned]) -> None:
        """Take a whole plan.

        Raises:
            ContractBroken: It is not about each entry that was handed over, once.
        """
        for each in planned:
            person = self._waiting.pop(each.address, None)
            if person is None:
                raise _broken(
                    self.destination, "planned for an entry that it was not handed, or twice for one"
                )
            self.addresses[each.intent] += 1
            found = self._open[person]
            found.waiting -= 1
            others = () if found.foremost is None else (found.foremost,)
            found.foremost = min((each.intent, *others), key=_FOREMOST.index)
            self._closed(person)
        if next(self._going, None) is not None:
            raise _broken(self.destination, "stopped before the end of what it was to plan for")
        if self._waiting:
            handed = self.addresses.total() + len(self._waiting)
            raise _broken(self.destination, f"planned for {self.addresses.total():,} of {handed:,} entries")

    def _closed(self, person: int) -> None:
        found = self._open[person]
        if found.whole and not found.waiting and found.foremost is not None:
            self.intents[found.foremost] += 1
            del self._open[person]


def _broken(destination: str, what: str) -> ContractBroken:
    return ContractBroken(
        f"destination {destination!r} {what}; nothing of this is recorded as done",
        remedy="report it to the author of the plugin: suppress plugins",
    )
