"""What a check of a file found, counted: by tier, by reason, by the age of the opt-out, and who had leave.

Both engines give every row that is not plainly kept to the same decision, and every decision comes by here,
so that the figures do not depend on the engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from suppress.check.gate import Decision
from suppress.core.entry import CheckDone
from suppress.core.spans import spans
from suppress.core.verdict import Ruling

AGES = (
    ("up to 30 days", timedelta(days=30)),
    ("up to a year", timedelta(days=365)),
    ("up to 3 years", timedelta(days=3 * 365)),
)
"""How long ago the person asked at most, as the summary groups them."""
_OLDEST = "older"
UNKNOWN_AGE = "no date"
_NAMES = (*(name for name, _ in AGES), _OLDEST, UNKNOWN_AGE)

_Kind: TypeAlias = tuple[str, str, str, bool]
"""Tier, reason, age, and whether the address is of an office."""
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
    _others: Counter[_Kind] = field(default_factory=Counter)
    """Rows that were not kept."""
    _waived: int = 0
    _waivers: set[int] = field(default_factory=set)
    _starts: tuple[tuple[str, datetime], ...] = ()
    """From when on each age is, from young to old."""

    def __post_init__(self) -> None:
        self._starts = tuple((name, self.now - longest) for name, longest in AGES)

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
        self._others.update(other._others)
        self._waived += other._waived
        self._waivers |= other._waivers

    def add(self, decision: Decision, rows: int = 1) -> None:
        """Count one row, or several of which the same is to be said."""
        verdict = decision.verdict
        self.rows += rows
        self.counts[decision.ruling] += rows
        if decision.ruling is Ruling.CLEAR:
            self.invalid += rows * (not decision.valid)
            if verdict.waiver is not None:
                self._waived += rows
                self._waivers.add(verdict.waiver)
            return
        # A member of these enumerations is its own word.
        age = self._age(verdict.since)
        self._others[(verdict.tier or DOUBT, verdict.reason or DOUBT, age, decision.role)] += rows

    def found(self) -> Found:
        """What was counted so far, the largest first; ages from young to old."""
        tiers, reasons, ages = (self._by(place) for place in range(3))
        return Found(
            {str(each): number for each, number in tiers.most_common()},
            {str(each): number for each, number in reasons.most_common()},
            {name: ages[name] for name in _NAMES if ages[name]},
            self._by(3)[True],
            self._waived,
            tuple(sorted(self._waivers)),
        )

    def _by(self, place: int) -> Counter[str | bool]:
        """Rows that were not kept, by one of the things that are known of each."""
        found: Counter[str | bool] = Counter()
        for kind, number in self._others.items():
            found[kind[place]] += number
        return found

    def record(self, digest: str, terms: Mapping[str, str]) -> CheckDone:
        """The counts and what was asked, as the ledger keeps them; of waivers only where there were some."""
        return CheckDone(
            digest=digest,
            rows=self.rows,
            kept=self.counts[Ruling.CLEAR],
            withheld=self.counts[Ruling.SUPPRESSED],
            review=self.counts[Ruling.REVIEW],
            invalid=self.invalid,
            terms=terms or None,
            waived=self._waived or None,
            waivers=spans(self._waivers) if self._waived else None,
        )

    def _age(self, since: datetime | None) -> str:
        if since is None:
            return UNKNOWN_AGE
        for name, start in self._starts:
            if since >= start:
                return name
        return _OLDEST
