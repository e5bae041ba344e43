"""Whether an exporter's answers account for everyone it was handed: exactly once each, nobody else.

An exporter answers for addresses. People are counted: one of whom a single spelling was not taken, or does
not read back, may still be mailed, so the worst answer for any of their addresses is what became of them.

A 2xx that hides failed records is a known trouble of more than one vendor (HubSpot has been seen to answer
207 with neither results nor errors), so nothing is taken as done because nothing was said about it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypeVar

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

_A = TypeVar("_A", Outcome, Intent)


@dataclass(slots=True)
class Tally:
    """What one destination was handed and what it said about it."""

    destination: str
    unit: Unit
    handed: dict[str, int] = field(default_factory=dict)
    """Address → its person, in the order handed over."""
    people: int = 0
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """Address → what became of it."""
    jobs: list[Job] = field(default_factory=list)
    snapshot: Snapshot | None = None

    def handing(self, entries: Iterable[Suppressed]) -> Iterator[Suppressed]:
        """`entries` as they are, remembered as they go by."""
        last = None
        for entry in entries:
            self.handed[entry.address] = entry.seq
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

    def close(self) -> Mapping[Outcome, int]:
        """How many people had which outcome.

        Raises:
            ContractBroken: The answers do not account for every entry.
        """
        if self.unit is Unit.SNAPSHOT:
            if self.snapshot is None:
                raise self._broken("ended without a snapshot")
            if self.snapshot.rows != len(self.handed):
                raise self._broken(f"wrote {self.snapshot.rows:,} of {len(self.handed):,} entries")
            return {Outcome.SUPPRESSED: self.people}
        silent = len(self.handed) - len(self.outcomes)
        if silent and not self.jobs:
            raise self._broken(f"did not account for {silent:,} of {len(self.handed):,} entries")
        return self._by_person(lambda address: self.outcomes.get(address, Outcome.PENDING), _WORST)

    def forecast(self, planned: Iterable[Planned]) -> Mapping[Intent, int]:
        """How many people a dry run says would meet with what.

        Raises:
            ContractBroken: The plan is not about each entry that was handed over, once.
        """
        intents: dict[str, Intent] = {}
        for each in planned:
            if each.address not in self.handed or each.address in intents:
                raise self._broken("planned for an entry that it was not handed, or twice for one")
            intents[each.address] = each.intent
        if len(intents) != len(self.handed):
            raise self._broken(f"planned for {len(intents):,} of {len(self.handed):,} entries")
        return self._by_person(intents.__getitem__, _FOREMOST)

    def missed(self) -> frozenset[int]:
        """The people whom the destination may still mail, under any spelling, as far as it has said."""
        if self.unit is Unit.SNAPSHOT:
            return frozenset()
        return frozenset(
            person for address, person in self.handed.items() if self.outcomes.get(address) not in TAKEN
        )

    def _by_person(self, answer: Callable[[str], _A], ranks: Sequence[_A]) -> dict[_A, int]:
        """How many people have which answer, each the first in rank of their addresses."""
        counts: Counter[_A] = Counter()
        for _, addresses in groupby(self.handed, key=self.handed.__getitem__):
            counts[min(map(answer, addresses), key=ranks.index)] += 1
        return dict(counts)

    def _take_result(self, result: Result) -> None:
        if result.address not in self.handed:
            raise self._broken("answered for an entry that it was not handed")
        if self.outcomes.get(result.address, Outcome.PENDING) is not Outcome.PENDING:
            raise self._broken(f"answered twice for an address of entry {self.handed[result.address]}")
        self.outcomes[result.address] = result.outcome

    def _broken(self, what: str) -> ContractBroken:
        return ContractBroken(
            f"destination {self.destination!r} {what}; nothing of this is recorded as done",
            remedy="report it to the author of the plugin: suppress plugins",
        )
