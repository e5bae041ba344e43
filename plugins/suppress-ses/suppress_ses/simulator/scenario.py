"""How a simulated account is to behave: its regions, its list, and what goes wrong when.

A scenario file is TOML with the names of the fields:

```toml
reasons = ["BOUNCE"]         # COMPLAINT is switched off: the top silent failure
complaints = ["lee@example.com"]

[[faults]]
trap = "throttled"           # one of the traps below
call = "PutSuppressedDestination"
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
    """`status` with `code`, and nothing is done."""
    PAGE = "page"
    """A gateway's web page with status 200, and nothing is done."""
    THROTTLED = "throttled"
    """`TooManyRequestsException` (429), or `ThrottlingException` with `status = 400`; nothing is done."""
    UNAPPLIED = "unapplied"
    """The right answer, and nothing is done."""
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
    """An operation by AWS's name, such as `PutSuppressedDestination`; any call without it."""
    after: int = 0
    times: int = 1
    status: int = 0
    code: str = "InternalServiceErrorException"
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """Every switch of a simulated account."""

    regions: tuple[str, ...] = ("eu-west-1",)
    """Regions in which the account uses SES; each has a list of its own. Others refuse every call."""
    tenants: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ("BOUNCE", "COMPLAINT")
    """For which reasons the account suppresses."""
    complaints: tuple[str, ...] = ()
    bounces: tuple[str, ...] = ()
    sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Configuration sets with reasons of their own."""
    refused: tuple[str, ...] = ()
    """Addresses that the platform takes for none."""
    forbidden: tuple[str, ...] = ()
    """Operations that the credentials lack."""
    sending: bool = True
    per_second: int | None = None
    """Requests in a second before a `TooManyRequestsException`; None: as many as come."""
    clock_skew: float = 0.0
    """Seconds that the platform's clock is ahead."""
    faults: tuple[Fault, ...] = ()
    key: str = "AKIASIMULATED"
    secret: str = field(default="simulated-secret", repr=False)


NAMED: Mapping[str, Scenario] = {
    "demo": Scenario(complaints=("lee@example.org",), bounces=("gone@example.net",)),
    "off": Scenario(reasons=("BOUNCE",)),
}


def load(name: str | None) -> Scenario:
    """A scenario by its name, or from a file; the demo without either.

    Raises:
        BadFile: The file cannot be read, or has a key or a value that no scenario has.
    """
    return loaded(name, NAMED)
