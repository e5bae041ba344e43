"""Whether an exporter's answers account for everyone it was handed: exactly once each, nobody else.

A 2xx that hides failed records is a known trouble of more than one vendor (HubSpot has been seen to answer
207 with neither results nor errors), so nothing is taken as done because nothing was said about it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from suppress.plugin.contract import Job, Outcome, Pushed, Result, Snapshot, Suppressed, Unit
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


@dataclass(slots=True)
class Tally:
    """What one destination was handed and what it said about it."""

    destination: str
    unit: Unit
    handed: dict[str, int] = field(default_factory=dict)
    """Key → seq of its entry, in the order handed over."""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    snapshot: Snapshot | None = None

    def handing(self, entries: Iterable[Suppressed]) -> Iterator[Suppressed]:
        """`entries` as they are, remembered as they go by."""
        for entry in entries:
            self.handed[entry.key] = entry.seq
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
        """How many entries had which outcome.

        Raises:
            ContractBroken: The answers do not account for every entry.
        """
        if self.unit is Unit.SNAPSHOT:
            if self.snapshot is None:
                raise self._broken("ended without a snapshot")
            if self.snapshot.rows != len(self.handed):
                raise self._broken(f"wrote {self.snapshot.rows:,} of {len(self.handed):,} entries")
            return {Outcome.SUPPRESSED: self.snapshot.rows}
        silent = len(self.handed) - len(self.outcomes)
        if silent and not self.jobs:
            raise self._broken(f"did not account for {silent:,} of {len(self.handed):,} entries")
        counts = Counter(self.outcomes.values())
        counts[Outcome.PENDING] += silent
        return {outcome: count for outcome, count in counts.items() if count}

    def missed(self) -> frozenset[str]:
        """The keys that the destination may still mail, as far as it has said."""
        if self.unit is Unit.SNAPSHOT:
            return frozenset()
        return frozenset(key for key in self.handed if self.outcomes.get(key) not in TAKEN)

    def _take_result(self, result: Result) -> None:
        if result.key not in self.handed:
            raise self._broken("answered for an entry that it was not handed")
        if self.outcomes.get(result.key, Outcome.PENDING) is not Outcome.PENDING:
            raise self._broken(f"answered twice for entry {self.handed[result.key]}")
        self.outcomes[result.key] = result.outcome

    def _broken(self, what: str) -> ContractBroken:
        return ContractBroken(
            f"destination {self.destination!r} {what}; nothing of this is recorded as done",
            remedy="report it to the author of the plugin: suppress plugins",
        )
