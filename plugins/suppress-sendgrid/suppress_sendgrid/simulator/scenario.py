"""How a simulated account is to behave: its lists, its key, and what goes wrong when.

A scenario file is TOML with the names of the fields:

```toml
groups = [101, 102]
unsubscribed = ["lee@example.com"]

[[faults]]
trap = "group_gone"          # one of the traps below
call = "group add"           # any call without it
times = 2
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from suppress.plugin.scenario import Strikes, loaded

SCOPES = (
    "asm.groups.read",
    "asm.groups.suppressions.create",
    "asm.groups.suppressions.delete",
    "asm.groups.suppressions.read",
    "asm.suppressions.global.create",
    "asm.suppressions.global.delete",
    "asm.suppressions.global.read",
    "suppression.blocks.read",
    "suppression.bounces.read",
    "suppression.invalid_emails.read",
    "suppression.spam_reports.read",
    "suppression.unsubscribes.read",
)


class Trap(StrEnum):
    """What can happen to a call. All but the first five let the platform do what it was asked."""

    ERROR = "error"
    """`status` with an error body, and nothing is done."""
    PAGE = "page"
    """A gateway's web page, and nothing is done."""
    SILENT = "silent"
    """An echo that repeats nobody, and nothing is done."""
    UNAPPLIED = "unapplied"
    """The right echo, and nothing is done."""
    LIMIT = "limit"
    """429 with `X-RateLimit-Reset` in `seconds`, and nothing is done."""
    GROUP_GONE = "group_gone"
    """The group is deleted just before: its people go to the global list."""
    PARTIAL = "partial"
    """Done, and an echo that repeats every other address."""
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
    """`scopes`, `group`, `group add`, `group search`, `group list`, `global add`, `global read`, or the name
    of a list such as `bounces`; any call without it."""
    after: int = 0
    times: int = 1
    status: int = 503
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """Every switch of a simulated account."""

    groups: tuple[int, ...] = (101,)
    """Unsubscribe groups; the first is the default one."""
    subusers: tuple[str, ...] = ()
    """Names that `on-behalf-of` may hold; each has lists and groups of its own."""
    unsubscribed: tuple[str, ...] = ()
    """Addresses on the global list."""
    bounces: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    spam_reports: tuple[str, ...] = ()
    invalid_emails: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    """Addresses that the platform takes for none: one of them fails a whole call."""
    scopes: tuple[str, ...] = SCOPES
    lower_case: bool = False
    """Whether answers spell addresses in small letters."""
    per_window: int | None = None
    """Requests of one call in `window` seconds before a 429; None: as many as come."""
    window: int = 60
    clock_skew: float = 0.0
    """Seconds that the platform's clock is ahead, by which it dates what is put on a list."""
    faults: tuple[Fault, ...] = ()
    token: str = field(default="SG.simulated.key", repr=False)


NAMED: Mapping[str, Scenario] = {
    "demo": Scenario(unsubscribed=("lee@example.org",), bounces=("gone@example.net",)),
    "busy": Scenario(unsubscribed=("lee@example.org",), per_window=60, window=10),
}


def load(name: str | None) -> Scenario:
    """A scenario by its name, or from a file; the demo without either.

    Raises:
        BadFile: The file cannot be read, or has a key or a value that no scenario has.
    """
    return loaded(name, NAMED)
