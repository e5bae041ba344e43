"""Everything that a report says, gathered from the ledger's entries in one pass.

Rules kept here:

* `Facts` is a value: every format renders it and nothing else, so all formats say the same.
* No clock is read. The instant *as of* comes in, and what is still open is judged at it. Same entries, same
  options, same instant: the same facts.
* A report that is asked for as of an earlier instant is made of the entries up to it and of nothing later, so
  it equals the one that could have been made then.
* Entries are streamed. What is kept of each request and person is a few numbers (`people`).
* No address is in the facts, but for those that `addresses` (the full variant) was asked to look up.

How they are gathered is in `gathering`, from which ledger in `asking`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from suppress.config import Settings
from suppress.core.policy import Chosen
from suppress.report.activity import Activity
from suppress.report.census import Population
from suppress.report.coverage import Coverage
from suppress.report.deadlines import Deadlines
from suppress.report.drift import Incident
from suppress.report.exceptions import Exceptional
from suppress.report.exposure import Exposure
from suppress.report.integrity import Integrity
from suppress.report.outages import Availability
from suppress.report.period import Period, Zone
from suppress.report.policies import AppliedPolicy
from suppress.report.rollforward import RollForward
from suppress.report.sampling import Sample
from suppress.report.verdict import Verdict
from suppress.report.what_if import Replayed, Scenario


@dataclass(frozen=True, slots=True)
class Quoted:
    """The state of the ledger that a report is about."""

    size: int
    root: str
    checkpoint: str
    """The signed note, verbatim: a copy of it kept elsewhere is an anchor."""
    signed_size: int | None = None
    """The size that the note signs where the report is about an earlier one, else None."""
    consistency: tuple[str, ...] = ()
    """The proof (RFC 6962, hexadecimal) that the ledger of that size begins with the one reported."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Who made this report of what, and how to check it."""

    organisation: str | None
    senders: tuple[str, ...]
    period: Period
    as_of: datetime
    audience: str
    """`redacted` (people are subject ids) or `full` (addresses where the report names a person)."""
    only_sender: str | None
    """Only what binds this sender is counted; None for all."""
    only_destinations: tuple[str, ...]
    """Only these destinations are judged; empty for all."""
    ledger: Quoted
    origin: str | None
    first_entry: datetime | None
    last_entry: datetime | None
    entries_in_period: int
    first_seq: int | None
    last_seq: int | None
    """The first and last entry of the period by number, both included."""
    tool: str
    verify_command: str


@dataclass(frozen=True, slots=True)
class Facts:
    """A whole report."""

    manifest: Manifest
    verdict: Verdict
    coverage: Coverage
    population: Population
    roll_forward: RollForward
    deadlines: Deadlines
    drift: tuple[Incident, ...]
    availability: Availability
    exceptions: tuple[Exceptional, ...]
    activity: Activity
    integrity: Integrity
    policies: tuple[AppliedPolicy, ...]
    exposure: Exposure | None
    sample: Sample
    what_if: tuple[Replayed, ...]
    limits: tuple[str, ...]
    addresses: Mapping[int, str]
    """Addresses by the entry that recorded them, for the people named one by one; empty when redacted."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is asked for."""

    period: Period
    as_of: datetime
    zone: Zone
    settings: Settings
    policies: tuple[Chosen, ...]
    tool: str
    """Name and version of this program."""
    cut: bool = False
    """Leave out every entry after `as_of`; otherwise what a wrong clock dated later is counted, and said."""
    sender: str | None = None
    destinations: tuple[str, ...] = ()
    sample: int = 0
    seed: str | None = None
    """By default the ledger's root, which nobody can choose."""
    what_if: tuple[Scenario, ...] = ()
