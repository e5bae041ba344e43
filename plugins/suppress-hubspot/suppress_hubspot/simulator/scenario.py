"""How a simulated account is to behave: its plan, its people, and what goes wrong when.

A scenario file is TOML with the names of the fields:

```toml
enterprise = true
contacts = ["pat@example.com"]
opted_out = ["lee@example.com"]

[[faults]]
trap = "silent"              # one of the traps below
call = "unsubscribe-all"     # any call without it
times = 2
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from suppress.plugin.scenario import Strikes, loaded


class Trap(StrEnum):
    """What can happen to a call. All but the first four let the platform do what it was asked."""

    ERROR = "error"
    """`status` with an error body, and nothing is done."""
    PAGE = "page"
    """A gateway's web page, and nothing is done."""
    SILENT = "silent"
    """A 2xx whose results and errors are both empty, and nothing is done."""
    UNAPPLIED = "unapplied"
    """The right answer, and nothing is done."""
    PARTIAL = "partial"
    """A batch of which every other address is in `errors` with `category`, and is not done."""
    SILENCED = "silenced"
    """Done, and a 2xx that says nothing."""
    RESET = "reset"
    """Done, and the connection is reset before the answer."""
    CUT = "cut"
    """Done, and the connection ends within the answer."""
    DELAY = "delay"
    """Done, and the answer comes `seconds` later."""


@dataclass(slots=True)
class Fault(Strikes):
    """A trap, for which call, after how many of them, and how often."""

    trap: Trap
    call: str | None = None
    """`unsubscribe-all`, `read`, `batch unsubscribe-all`, `batch read`, `search`, `definitions` or `account`;
    any call without it."""
    after: int = 0
    times: int = 1
    status: int = 503
    category: str = "VALIDATION_ERROR"
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """Every switch of a simulated account."""

    enterprise: bool = False
    """Whether the token may use batches; without it they are a 403."""
    scopes: tuple[str, ...] = (
        "communication_preferences.read_write",
        "crm.objects.contacts.read",
    )
    contacts: tuple[str, ...] = ()
    opted_out: tuple[str, ...] = ()
    """Addresses that are opted out of everything, with or without a contact."""
    invalid: tuple[str, ...] = ()
    """Addresses that the platform calls invalid: one of them fails a whole batch."""
    brands: tuple[int, ...] = ()
    """Business units."""
    subscription_types: int = 3
    per_10_seconds: int | None = None
    """Requests in ten seconds before a 429; None: as many as come."""
    per_day: int | None = None
    """Requests before a 429 with `DAILY`."""
    search_lag: float = 0.0
    """Seconds until a search shows a change."""
    search_cap: int = 10_000
    """Results of one search that can be paged through."""
    clock_skew: float = 0.0
    """Seconds that the platform's clock is ahead."""
    time_zone: str = "UTC"
    faults: tuple[Fault, ...] = ()
    token: str = field(default="pat-na1-simulated", repr=False)


DEMO = Scenario(
    contacts=("pat@example.com", "sam@example.com", "kim@example.net", "lee@example.org"),
    opted_out=("lee@example.org",),
)
NAMED: Mapping[str, Scenario] = {
    "demo": DEMO,
    "enterprise": Scenario(enterprise=True, contacts=DEMO.contacts, opted_out=DEMO.opted_out),
}


def load(name: str | None) -> Scenario:
    """A scenario by its name, or from a file; the demo without either.

    Raises:
        BadFile: The file cannot be read, or has a key or a value that no scenario has.
    """
    return loaded(name, NAMED)
