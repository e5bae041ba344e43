"""What a check of a file found, counted: by tier, by reason, by the age of the opt-out, and who had leave.

Both engines give every row that is not plainly kept to the same decision, and every decision comes by here,
so that the figures do not depend on the engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from suppress.check.gate import Decision
from suppress.core.spans import spans
from suppress.core.verdict import Ruling

AGES = (
    ("up to 30 days", timedelta(days=30)),
    ("up to a year", timedelta(days=365)),
    ("up to 3 years", timedelta(days=3 * 365)),
    ("older", timedelta.max),
)
"""How long ago the person asked, as the summary groups them."""
UNKNOWN_AGE = "no date"
DOUBT = "unreadable"
"""The reason of a row that is to be reviewed although nobody was recognised in it."""


@dataclass(frozen=True, slots=True)
class Found:
    """The figures of one check. Each of the first three accounts for every row that was not kept."""

    tiers: Mapping[str, int]
    reasons: Mapping[str, int]
    ages: Mapping[str, int]
    roles: int
    """Of those rows, the ones whose address is of an office, not of a person."""
    waived: int
    """Rows that were kept because of a waiver alone."""
    waivers: tuple[int, ...]
    """The entries of those waivers."""


@dataclass(slots=True)
class Tally:
    """Counts decisions as they are made."""

    now: datetime
    rows: int = 0
    counts: Counter[Ruling] = field(default_factory=Counter)
    invalid: int = 0
    """Kept rows without an address that mail systems accept."""
    _tiers: Counter[str] = field(default_factory=Counter)
    _reasons: Counter[str] = field(default_factory=Counter)
    _ages: Counter[str] = field(default_factory=Counter)
    _roles: int = 0
    _waived: int = 0
    _waivers: set[int] = field(default_factory=set)

    def clear(self, rows: int, invalid: int) -> None:
        """Count rows in which nobody is suppressed."""
        self.rows += rows
        self.counts[Ruling.CLEAR] += rows
        self.invalid += invalid

    def merge(self, other: Tally) -> None:
        """Count what another tally counted."""
        self.rows += other.rows
        self.counts.update(other.counts)
        self.invalid += other.invalid
        self._tiers.update(other._tiers)
        self._reasons.update(other._reasons)
        self._ages.update(other._ages)
        self._roles += other._roles
        self._waived += other._waived
        self._waivers |= other._waivers

    def add(self, decision: Decision) -> None:
        """Count one row."""
        verdict = decision.verdict
        self.rows += 1
        self.counts[decision.ruling] += 1
        if decision.ruling is Ruling.CLEAR:
            self.invalid += not decision.valid
            if verdict.waiver is not None:
                self._waived += 1
                self._waivers.add(verdict.waiver)
            return
        # A member of these enumerations is its own word.
        self._tiers[verdict.tier or DOUBT] += 1
        self._reasons[verdict.reason or DOUBT] += 1
        self._ages[self._age(verdict.since)] += 1
        self._roles += decision.role

    def found(self) -> Found:
        """What was counted so far, the largest first; ages from young to old."""
        ages = [name for name, _ in AGES] + [UNKNOWN_AGE]
        return Found(
            {str(each): number for each, number in self._tiers.most_common()},
            {str(each): number for each, number in self._reasons.most_common()},
            {name: self._ages[name] for name in ages if self._ages[name]},
            self._roles,
            self._waived,
            tuple(sorted(self._waivers)),
        )

    def record(self) -> tuple[int | None, tuple[int, ...] | None]:
        """Waived rows and waivers as the entry of the check keeps them: nothing where there were none."""
        return (self._waived, spans(self._waivers)) if self._waived else (None, None)

    def _age(self, since: datetime | None) -> str:
        if since is None:
            return UNKNOWN_AGE
        age = self.now - since
        return next(name for name, longest in AGES if age <= longest)
