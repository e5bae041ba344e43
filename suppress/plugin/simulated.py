"""What a plugin brings so that `suppress simulate PLATFORM` can run its platform on loopback.

A plugin names a launcher in the entry-point group `suppress.simulators`, under the platform's name:

```toml
[project.entry-points."suppress.simulators"]
acme = "suppress_acme.simulator:launch"
```

The launcher takes a port (0: any free one) and a scenario (a file, or a name that the simulator knows; None:
its demo) and returns what is running. It raises `BadFile` for a scenario that it cannot read, and lets the
`OSError` of a port that is taken pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

GROUP = "suppress.simulators"
"""The entry-point group of launchers."""


class Simulated(Protocol):
    """A simulator that is running."""

    @property
    def label(self) -> str:
        """The vendor's own name for the platform."""

    @property
    def url(self) -> str:
        """Where it listens."""

    @property
    def token(self) -> str:
        """An access token that it takes."""

    @property
    def settings(self) -> str:
        """The table to paste into suppress.toml."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables to set beside that table, such as the token's."""

    @property
    def holds(self) -> Mapping[str, int]:
        """What the account starts with, by name: for the first line that a person reads."""

    def close(self) -> None:
        """Stop listening."""


REMEMBERED = 1_000
"""Exchanges to keep in a simulator that runs for hours."""


@dataclass(frozen=True, slots=True)
class Running:
    """A simulator that listens, with what a person needs of it; `stop` ends it."""

    label: str
    url: str
    token: str
    settings: str
    environment: Mapping[str, str]
    """The secrets of these settings, which do not belong into a file that is committed."""
    holds: Mapping[str, int]
    stop: Callable[[], None]

    def close(self) -> None:
        """Stop listening."""
        self.stop()


Launcher: TypeAlias = Callable[[int, str | None], Simulated]
