"""What is told to the people who run this, and what a way of telling them has to do.

Rule kept here: no value of this module holds an address of a subject, or a token. Alerts leave the machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from suppress.errors import SuppressError


class AlertFailed(SuppressError):
    """A way of alerting refused or did not answer. The alert is tried again with the next ones."""

    exit_code = 5
    default_remedy: ClassVar[str | None] = "suppress alerts test NAME"


class Condition(StrEnum):
    """What is watched."""

    OVERDUE = "overdue"
    DUE_SOON = "due-soon"
    CENSUS = "incomplete-census"
    STALE = "stale-source"
    SPIKE = "spike"
    DRIFT = "drift"
    QUOTA = "quota"
    SIGN_IN = "sign-in"
    TEST = "test"
    """Nothing is wrong: somebody tries whether alerts arrive."""


class Change(StrEnum):
    """Why it is told now."""

    RAISED = "raised"
    WORSE = "worse"
    REMINDED = "reminded"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that is wrong, or no longer."""

    id: str
    """Stays the same while it lasts: the condition, and what it is about."""
    condition: Condition
    change: Change
    says: str
    next_step: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent at once."""

    at: datetime
    organisation: str | None
    alerts: tuple[Alert, ...]

    @property
    def subject(self) -> str:
        """One line that says how many of what."""
        conditions = ", ".join(dict.fromkeys(each.condition.value for each in self.alerts))
        over = all(each.change is Change.RESOLVED for each in self.alerts)
        return f"suppress: {'resolved: ' if over else ''}{conditions}"

    def facts(self) -> Mapping[str, object]:
        """The same for programs."""
        return {
            "schema": "suppress/alert@1",
            "at": _time(self.at),
            "organisation": self.organisation,
            "alerts": [
                {
                    "id": each.id,
                    "condition": each.condition.value,
                    "change": each.change.value,
                    "says": each.says,
                    "next_step": each.next_step,
                    "since": _time(each.since),
                }
                for each in self.alerts
            ],
        }


class AlertChannel(Protocol):
    """A way of telling people."""

    def send(self, message: Message) -> None:
        """Deliver it, or raise `AlertFailed`. Takes a minute at most."""


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
