"""What it means that a suppressed person is seen so or so at a destination. Pure.

Rules kept here:

* Whoever is mailable there although the destination was told is drift; how it came about is told from what
  was seen before. One who was never told is not drift: the next export tells them.
* A destination that takes its time has a day until what it accepted counts as not done; a job has as long as
  exports ask for it.
* A person who was deleted there and is known again, mailable, was laundered: deleting a contact is how an
  opt-out gets lost (docs/explanation/hidden-opt-outs.md).
* A reason that became weaker is a way of losing an opt-out later: bounces are reset, opt-outs are not.
* Nothing here asks about consent: whoever consented is not suppressed, and is not asked about.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from suppress.core.suppression import Reason
from suppress.ledger.sightings import Sighting
from suppress.plugin.contract import Observation, Remote


class Finding(StrEnum):
    """What a patrol says about one suppressed person."""

    HELD = "held"
    """Not mailable there."""
    UNKNOWN = "unknown"
    """The destination does not know the person, and so does not mail them."""
    GONE = "gone"
    """It knew them as suppressed, and knows them no longer: added again, they would be mailable."""
    UNREADABLE = "unreadable"
    NOT_TOLD = "not told"
    """Mailable, and no export has told the destination yet."""
    PENDING = "pending"
    """Mailable, and the destination has accepted a request that has not taken effect."""
    WEAKENED = "weakened"
    """Not mailable, for a weaker reason than before."""
    MAILABLE = "mailable"
    """Drift: told, and mailable."""
    RECREATED = "recreated"
    """Drift: deleted there and added again, mailable."""
    ARRIVED = "arrived"
    """Drift: unknown there when it was told, and added since, mailable."""
    NOT_TAKEN = "not taken"
    """Drift: accepted, and never seen to take effect."""


DRIFT = frozenset({Finding.MAILABLE, Finding.RECREATED, Finding.ARRIVED, Finding.NOT_TAKEN})
STOPPED = frozenset({Remote.SUPPRESSED, Remote.NOT_MAILABLE})
_FOREMOST = (
    Remote.MAILABLE,
    Remote.UNREADABLE,
    Remote.SUPPRESSED,
    Remote.NOT_MAILABLE,
    Remote.UNKNOWN,
)
"""A person with several spellings is as mailable as the most mailable of them."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the ledger says about telling one person at one destination."""

    told: bool
    """A receipt covers them."""
    verified: bool = True
    """And says that reading back showed it."""
    settling: bool = False
    """It is of the last day, and the destination takes its time."""
    drifted: Finding | None = None
    """How the last patrol found them. No receipt covers them since, and it is drift all the same."""
    waiting: bool = False
    """A job that an export began is about them, and has not ended."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One person at one destination."""

    finding: Finding
    sighting: Sighting
    """What to remember of it."""
    observation: Observation | None = None
    """The one that decided, of the spelling that is mailable where one is."""
    before: str | None = None
    """The stronger reason that it had."""

    @property
    def since(self) -> datetime | None:
        """When it became so, if the platform tells."""
        return None if self.observation is None else self.observation.at

    @property
    def by(self) -> str | None:
        """What made it so, if the platform tells."""
        return None if self.observation is None else self.observation.by

    @property
    def words(self) -> str:
        """For an entry of the ledger: what was seen, and by whom it came about."""
        return str(self.finding) if self.by is None else f"{self.finding}, by {self.by}"


def recorded(words: str) -> Finding:
    """The finding that an entry of the ledger says (`Judged.words`); the plain one where it says another."""
    word = words.partition(", by ")[0]
    return next((each for each in DRIFT if each == word), Finding.MAILABLE)


def judged(seen: Iterable[Observation], before: Sighting | None, told: Told) -> Judged:
    """What all spellings of one person, read just now, come to."""
    foremost = min(seen, key=lambda each: _FOREMOST.index(each.state))
    state = foremost.state
    earlier = None if before is None or before.kind is None else Reason(before.kind)
    kind = _strongest(earlier, foremost.kind) if state in STOPPED else earlier
    was_held = before is not None and before.held
    sighting = Sighting(state.value, None if kind is None else kind.value, was_held or state in STOPPED)
    finding = _finding(foremost, before, earlier, told)
    weaker = str(earlier) if finding is Finding.WEAKENED else None
    return Judged(finding, sighting, foremost, weaker)


def _finding(seen: Observation, before: Sighting | None, earlier: Reason | None, told: Told) -> Finding:
    was_held = before is not None and before.held
    match seen.state:
        case Remote.UNREADABLE:
            return Finding.UNREADABLE
        case Remote.UNKNOWN:
            return Finding.GONE if was_held else Finding.UNKNOWN
        case Remote.SUPPRESSED | Remote.NOT_MAILABLE:
            weaker = earlier is not None and seen.kind is not None and seen.kind.strength < earlier.strength
            return Finding.WEAKENED if weaker else Finding.HELD
        case Remote.MAILABLE if told.drifted is not None:
            # Laundering stays laundering, however often it is seen before somebody mends it.
            return told.drifted
        case Remote.MAILABLE if told.waiting:
            return Finding.PENDING
        case Remote.MAILABLE if not told.told:
            return Finding.NOT_TOLD
        case Remote.MAILABLE if before is not None and before.state == Remote.UNKNOWN:
            return Finding.RECREATED if was_held else Finding.ARRIVED
        case Remote.MAILABLE if was_held or told.verified:
            return Finding.MAILABLE
        case Remote.MAILABLE:
            return Finding.PENDING if told.settling else Finding.NOT_TAKEN


def _strongest(one: Reason | None, other: Reason | None) -> Reason | None:
    known = [each for each in (one, other) if each is not None]
    return max(known, key=lambda each: each.strength, default=None)
