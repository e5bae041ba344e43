"""The highest penalty that the law allows, by the day of assessment: a maximum, never a forecast.

The ledger knows requests and not messages, so no total can be known. What is said is the amount for one
message, and what it would come to if every missed request had been followed by exactly one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from suppress.core.policy import maximum_penalty


@dataclass(frozen=True, slots=True)
class Exposure:
    """The maximum for one message, the requests missed, and their product."""

    dollars: int
    since: date
    source: str
    missed: int

    @property
    def one_message_each(self) -> int:
        """The maximum if exactly one message was sent after each missed request."""
        return self.dollars * self.missed


def exposure(missed: int, assessed: date) -> Exposure | None:
    """The maximum on the day of assessment, or None before the first amount on record."""
    penalty = maximum_penalty(assessed)
    return (
        None if penalty is None else Exposure(penalty.amount, penalty.assessed_from, penalty.source, missed)
    )
