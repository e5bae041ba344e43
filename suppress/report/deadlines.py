"""Every request against every destination and policy: what the report says of it.

Rules kept here:

* The clock starts where the policy's trigger says. For a trigger of *receipt* that is `received_at`; without
  it the day the person acted, which can only be earlier; without either the day the ledger learned of it,
  and the report says how many.
* A request that a platform reported was honoured at that platform when the person acted. Every active
  destination must honour it as well. A request that people or files brought, and that no destination was
  there to take, is judged against "no destination".
* A request counts once in each policy's line, as its worst destination does, so that the line adds up to the
  number of requests; the destinations' lines count it once each.
* Counted are requests recorded in the period, and older ones that were not yet honoured everywhere when it
  began. Left out, and counted apart: bounces (no legal opt-out), other channels than e-mail (no destination
  takes them), entries struck out as wrong.

* A request under several policies is due at the earliest of their dates: `binding` says how often each gave
  it.
* *Unverifiable* are requests that count as honoured and rest on a receipt that was not read back.

How one request is judged is in `judging`; `timeliness` judges them all, `tallying` counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from suppress.core.suppression import Origin, Reason
from suppress.report.judging import State
from suppress.report.people import Clock

NOBODY = "(no destination)"
"""Stands for a destination where there was none to tell."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many requests ended up in each state, for one policy and one destination or all of them."""

    policy: str
    destination: str | None
    requests: int
    met: int
    met_after_strict: int
    late: int
    overdue: int
    at_risk: int
    open: int
    inherited: int
    inherited_open: int
    ended: int
    unverifiable: int = 0
    """Of those that count as honoured, how many rest on a receipt that was not read back."""
    first_entry: int | None = None
    last_entry: int | None = None
    """The lowest and highest numbered entry among them."""

    def count(self, state: State) -> int:
        """How many requests are in this state."""
        number: int = getattr(self, state.value)
        return number

    @property
    def holds(self) -> bool:
        """Whether the states add up to the requests."""
        return self.requests == sum(self.count(state) for state in State)


@dataclass(frozen=True, slots=True)
class Miss:
    """One request that was honoured late, or is overdue, at one destination. No address."""

    seq: int
    subject: str
    source: str
    origin: Origin
    reason: Reason
    clock: Clock
    started: date
    recorded: date
    policy: str
    strict: date
    lenient: date
    last_day: date
    """The lenient date, or for an inherited request that of a clock from the day we knew."""
    destination: str
    honoured: date | None
    state: State
    days_over: int
    """Calendar days after the last day, up to now when it is still overdue."""
    days_used: int
    """Days of the policy, by its lenient calendar, from the clock's start until it was honoured."""
    receipt: int | None
    """The entry of the receipt by which it was honoured in the end."""
    cause: str


@dataclass(frozen=True, slots=True)
class Pending:
    """Requests not yet honoured everywhere that fall due on the same days, each under its worst policy."""

    policy: str
    strict: date
    lenient: date
    requests: int
    state: State
    first_entry: int
    last_entry: int


@dataclass(frozen=True, slots=True)
class Inherited:
    """Requests of one source whose time was already up when this process could first know."""

    source: str
    destination: str
    requests: int
    still_open: int
    honoured_first: date | None
    honoured_last: date | None
    first_entry: int
    last_entry: int


@dataclass(frozen=True, slots=True)
class Taken:
    """How many requests took this many calendar days from the clock's start to one destination."""

    destination: str
    days: int
    inherited: bool
    requests: int


class Outcome(StrEnum):
    """What is known of a request at one destination."""

    READ_BACK = "read_back"
    ACCEPTED = "accepted"
    """The destination accepted it, and nobody read it back."""
    WAITING = "waiting"
    NEVER_TOLD = "never_told"
    """It ended, or the destination did, before it was told."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Requests of one source that the ledger learned of in one week, at one destination, by outcome."""

    source: str
    destination: str
    week: date
    """Its Monday."""
    outcome: Outcome
    requests: int


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The result for a period."""

    overall: Tally
    policies: tuple[Tally, ...]
    destinations: tuple[Tally, ...]
    missed: tuple[Miss, ...]
    pending: tuple[Pending, ...]
    inherited: tuple[Inherited, ...]
    taken: tuple[Taken, ...]
    reach: tuple[Reach, ...]
    binding: Mapping[str, int]
    """By policy, the requests for which it gave the earliest last day."""
    clocks: Mapping[Clock, int]
    bounced: int
    other_channels: int
    struck_out: int
    not_judged: Mapping[str, int]
    """Requests, by policy, that it is not about, or whose clock started before it was in force."""

    @property
    def registered(self) -> int:
        """The lines of the register: requests that are judged, and those of the period that are not."""
        return self.overall.requests + self.bounced + self.other_channels + self.struck_out

    @property
    def holds(self) -> bool:
        """Whether every line adds up, and no policy and no last day lost a request."""
        waiting = self.overall.open + self.overall.at_risk + self.overall.overdue
        checks = [tally.holds for tally in (self.overall, *self.policies, *self.destinations)]
        checks += [
            tally.requests + self.not_judged[tally.policy] == self.overall.requests for tally in self.policies
        ]
        return waiting == sum(each.requests for each in self.pending) and all(checks)
