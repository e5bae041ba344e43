"""What a check says about one address: suppressed, to be reviewed, or clear, and by which rule."""

from __future__ import annotations

from collections.abc import Iterable
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
    HASHED = "hashed"
    """Equal to a digest in a partner's list, under a recipe that its canaries proved."""
    DOMAIN = "domain"
    """A rule holds for everybody at the domain."""
    ALIAS = "alias"
    """The mailbox provider delivers both addresses to one person: to be reviewed, not certain."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one address. All but `ruling` is None when it is clear, unless a waiver made it so."""

    ruling: Ruling
    tier: Tier | None = None
    rule: str | None = None
    """The rule that matched, in words a person reads: `everything`, `sender:Acme`, `gmail dots and tags`."""
    since: datetime | None = None
    source: str | None = None
    reason: Reason | None = None
    scope: Scope | None = None
    seq: int | None = None
    waiver: int | None = None
    """The entry that lets this one person through, although all of the above holds."""


CLEAR = Verdict(Ruling.CLEAR)

_GRAVITY = {Ruling.SUPPRESSED: 2, Ruling.REVIEW: 1, Ruling.CLEAR: 0}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Of several addresses in one cell or row the gravest answer; the first of those as grave.

    One that a waiver let through says more than one that is clear.
    """
    return max(verdicts, key=lambda each: (_GRAVITY[each.ruling], each.waiver is not None), default=CLEAR)
