"""What a check says about one address: suppressed, to be reviewed, or clear, and by which rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from suppress.core.suppression import Reason, Scope


class Ruling(StrEnum):
    """The answer in one word."""

    SUPPRESSED = "suppressed"
    REVIEW = "review"
    CLEAR = "clear"


class Tier(StrEnum):
    """How a suppressed person was recognised, most certain first."""

    EXACT = "exact"
    """The match keys are equal."""
    ERASED = "erased"
    """Equal under the keyed index of a person whose address was erased."""
    ALIAS = "alias"
    """The mailbox provider delivers both addresses to one person: to be reviewed, not certain."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one address. All but `ruling` is None when it is clear."""

    ruling: Ruling
    tier: Tier | None = None
    rule: str | None = None
    """The rule that matched, in words a person reads: `everything`, `sender:Acme`, `gmail dots and tags`."""
    since: datetime | None = None
    source: str | None = None
    reason: Reason | None = None
    scope: Scope | None = None
    seq: int | None = None


CLEAR = Verdict(Ruling.CLEAR)
