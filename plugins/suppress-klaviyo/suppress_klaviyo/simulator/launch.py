"""How `suppress simulate klaviyo` starts the simulator, and what it tells the person."""

from __future__ import annotations

from collections.abc import Mapping

from suppress_klaviyo.simulator.scenario import load
from suppress_klaviyo.simulator.server import Simulator

REMEMBERED = 1_000
"""Exchanges kept in a simulator that runs for hours."""


class Running:
    """A simulator that listens, described for `suppress simulate` (`suppress.plugin.simulated`)."""

    label = "Klaviyo"

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.url = simulator.url
        self.token = simulator.key
        account = simulator.account
        self.holds: Mapping[str, int] = {"profiles": len(account), "suppressed": account.suppressed}

    @property
    def settings(self) -> str:
        """The `[destinations.klaviyo]` table; jobs here end at once, so that none is waited for."""
        return f'[destinations.klaviyo]\nplatform = "klaviyo"\napi_url = "{self.url}"\npoll_seconds = 1\n'

    @property
    def environment(self) -> Mapping[str, str]:
        """The key, which does not belong into a file that is committed."""
        return {"SUPPRESS_DESTINATIONS__KLAVIYO__API_KEY": self.token}

    def close(self) -> None:
        """Stop listening."""
        self._simulator.close()


def launch(port: int, scenario: str | None) -> Running:
    """Start an account on loopback: `demo` (also without a scenario), or a scenario file.

    Raises:
        BadFile: The scenario file cannot be read.
        OSError: The port cannot be had.
    """
    simulator = Simulator(load(scenario), port=port, keep=REMEMBERED)
    simulator.start()
    return Running(simulator)
