"""How `suppress simulate hubspot` starts the simulator, and what it tells the person."""

from __future__ import annotations

from collections.abc import Mapping

from suppress_hubspot.simulator.scenario import load
from suppress_hubspot.simulator.server import Simulator

REMEMBERED = 1_000
"""Exchanges kept in a simulator that runs for hours."""


class Running:
    """A simulator that listens, described for `suppress simulate` (`suppress.plugin.simulated`)."""

    label = "HubSpot"

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.url = simulator.url
        self.token = simulator.token
        account = simulator.account
        self.holds: Mapping[str, int] = {"contacts": len(account), "opted out": account.opted_out}

    @property
    def settings(self) -> str:
        """The `[destinations.hubspot]` table."""
        mode = 'mode = "batch"\n' if self._simulator.scenario.enterprise else ""
        return f'[destinations.hubspot]\nplatform = "hubspot"\napi_url = "{self.url}"\n{mode}'

    @property
    def environment(self) -> Mapping[str, str]:
        """The token, which does not belong into a file that is committed."""
        return {"SUPPRESS_DESTINATIONS__HUBSPOT__ACCESS_TOKEN": self.token}

    def close(self) -> None:
        """Stop listening."""
        self._simulator.close()


def launch(port: int, scenario: str | None) -> Running:
    """Start an account on loopback: `demo` (also without a scenario), `enterprise`, or a scenario file.

    Raises:
        BadFile: The scenario file cannot be read.
        OSError: The port cannot be had.
    """
    simulator = Simulator(load(scenario), port=port, keep=REMEMBERED)
    simulator.start()
    return Running(simulator)
