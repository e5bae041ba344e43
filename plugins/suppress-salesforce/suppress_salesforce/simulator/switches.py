"""What can go wrong in the simulated org, each as a switch of a scenario file."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Switches:
    """All off: an org in which everything is as it should be."""

    person_accounts: bool = False
    """The org has person accounts, with their fields."""
    hidden_field: bool = False
    """Field-level security hides the contact's checkbox from this user."""
    read_only_field: bool = False
    """The user sees the contact's checkbox and may not edit it."""
    validation_rule: int = 0
    """Of each so many contacts one is refused with `FIELD_CUSTOM_VALIDATION_EXCEPTION`; 0: none."""
    row_locks: int = 0
    """How often the next records answer `UNABLE_TO_LOCK_ROW` before they take an update."""
    wrapped_locks: bool = False
    """Such an answer comes inside `CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY`."""
    session_requests: int = 0
    """A session ends after so many requests; 0: never."""
    daily_requests: int = 100_000
    """The allowance of 24 hours."""
    used_requests: int = 0
    """How many of these others have used already."""
    job_looks: int = 1
    """How often a job is looked at before it is done."""
    job_fails_after: int = -1
    """A bulk job fails after so many rows and leaves the others unprocessed; -1: never."""
    lost_jobs: bool = False
    """The org forgets a job as soon as it was handed over."""
    lost_answers: int = 0
    """So many of the next updates take effect, and the connection is reset in place of an answer."""
    cut_answers: int = 0
    """So many of the next answers break off in the middle of their body."""
    failures: int = 0
    """So many of the next requests are answered 503 `SERVER_UNAVAILABLE`."""
    clock_skew: int = 0
    """Seconds that the org's clock is ahead."""
    page: int = 2_000
    """Rows in one page of a query."""


NAMES = frozenset(each.name for each in fields(Switches))
