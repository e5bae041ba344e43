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

_CLEAR = str(Ruling.CLEAR)

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
class Counts:
    """What was counted, in plain numbers and words: processes send it to one another."""

    rows: int = 0
    rulings: dict[str, int] = field(default_factory=dict)
    invalid: int = 0
    """Kept rows without an address that mail systems accept."""
    others: dict[_Kind, int] = field(default_factory=dict)
    """Rows that were not kept."""
    waived: int = 0
    waivers: set[int] = field(default_factory=set)

    def __reduce__(self) -> tuple[type[Counts], tuple[object, ...]]:
        """Of a tally, too, only this is sent."""
        return Counts, (self.rows, self.rulings, self.invalid, self.others, self.waived, self.waivers)

    def merge(self, other: Counts) -> None:
        """Count what another one counted."""
        self.rows += other.rows
        for ruling, number in other.rulings.items():
            self.rulings[ruling] = self.rulings.get(ruling, 0) + number
        self.invalid += other.invalid
        for kind, number in other.others.items():
            self.others[kind] = self.others.get(kind, 0) + number
        self.waived += other.waived
        self.waivers |= other.waivers

    def found(self) -> Found:
        """What was counted so far, the largest first; ages from young to old."""
        tiers, reasons, ages = (self._by(place) for place in range(3))
        return Found(
            {str(each): number for each, number in tiers.most_common()},
            {str(each): number for each, number in reasons.most_common()},
            {name: ages[name] for name in _NAMES if ages[name]},
            self._by(3)[True],
            self.waived,
            tuple(sorted(self.waivers)),
        )

    def _by(self, place: int) -> Counter[str | bool]:
        """Rows that were not kept, by one of the things that are known of each."""
        found: Counter[str | bool] = Counter()
        for kind, number in self.others.items():
            found[kind[place]] += number
        return found

    def record(self, digest: str, terms: Mapping[str, str]) -> CheckDone:
        """The counts and what was asked, as the ledger keeps them; of waivers only where there were some."""
        return CheckDone(
            digest=digest,
            rows=self.rows,
            kept=self.rulings.get(Ruling.CLEAR, 0),
            withheld=self.rulings.get(Ruling.SUPPRESSED, 0),
            review=self.rulings.get(Ruling.REVIEW, 0),
            invalid=self.invalid,
            terms=terms or None,
            waived=self.waived or None,
            waivers=spans(self.waivers) if self.waived else None,
        )


class Tally(Counts):
    """Counts decisions as they are made."""

    __slots__ = ("_starts",)

    def __init__(self, now: datetime) -> None:
        super().__init__()
        # From when on each age is, from young to old.
        self._starts = tuple((name, now - longest) for name, longest in AGES)

    def clear(self, rows: int, invalid: int) -> None:
        """Count rows in which nobody is suppressed."""
        self.rows += rows
        self.rulings[_CLEAR] = self.rulings.get(_CLEAR, 0) + rows
        self.invalid += invalid

    def add(self, decision: Decision, rows: int = 1) -> None:
        """Count one row, or several of which the same is to be said."""
        verdict = decision.verdict
        if decision.ruling is Ruling.CLEAR:
            self.clear(rows, rows * (not decision.valid))
            if verdict.waiver is not None:
                self.waived += rows
                self.waivers.add(verdict.waiver)
            return
        ruling, kind = str(decision.ruling), self._kind(decision)
        self.rows += rows
        self.rulings[ruling] = self.rulings.get(ruling, 0) + rows
        self.others[kind] = self.others.get(kind, 0) + rows

    def _kind(self, decision: Decision) -> _Kind:
        verdict = decision.verdict
        age = self._age(verdict.since)
        return str(verdict.tier or DOUBT), str(verdict.reason or DOUBT), age, decision.role

    def _age(self, since: datetime | None) -> str:
        if since is None:
            return UNKNOWN_AGE
        for name, start in self._starts:
            if since >= start:
                return name
        return _OLDEST
