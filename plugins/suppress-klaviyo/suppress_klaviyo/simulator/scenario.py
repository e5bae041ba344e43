"""How a simulated account is to behave: its people, and what goes wrong when.

A scenario file is TOML with the names of the fields, such as `profiles = ["pat@example.com"]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from suppress.plugin.scenario import loaded


@dataclass(frozen=True, slots=True)
class Scenario:
    """Every switch of a simulated account."""

    profiles: tuple[str, ...] = ()
    suppressed: tuple[str, ...] = ()
    """Addresses of profiles that are suppressed, written `REASON address`."""
    invalid: tuple[str, ...] = ()
    """Addresses that the platform refuses: one of them fails a whole job."""
    filter_minds: bool = False
    """Whether a filter by e-mail refuses such an address too."""
    pointer: bool = True
    """Whether a 400 names the address by its number."""
    minds_case: bool = False
    """Whether a filter by e-mail minds case, and profiles may differ by it."""
    polls: int = 1
    """How often a job is asked for until it has ended: queued, processing, then complete."""
    cancelled: bool = False
    """Jobs end cancelled, and nothing is done."""
    lost: bool = False
    """Jobs are accepted, done or not, and are not there when they are asked for."""
    unapplied: bool = False
    """Jobs end complete, and nothing is done."""
    behind: int = 0
    """How often profiles are read after a job until they show what it did."""
    per_minute: int | None = None
    """Requests before a 429; None: as many as come."""
    read_only: bool = False
    """The key has no scope to write."""
    line: tuple[str, ...] = ()
    """What becomes of the next answers to writes: `ok`, `reset`, `cut`, `delay`; done in any case."""
    failing: tuple[int, ...] = ()
    """Statuses that the next requests are answered with, nothing being done; 0 lets one through."""
    clock_skew: float = 0.0
    """Seconds that the platform's clock is ahead."""
    key: str = field(default="pk_simulated", repr=False)


DEMO = Scenario(
    profiles=("pat@example.com", "sam@example.com", "kim@example.net"),
    suppressed=("UNSUBSCRIBE lee@example.org",),
)
NAMED: Mapping[str, Scenario] = {"demo": DEMO}


def load(name: str | None) -> Scenario:
    """A scenario by its name, or from a file; the demo without either.

    Raises:
        BadFile: The file cannot be read, or has a key that no scenario has.
    """
    return loaded(name, NAMED)
