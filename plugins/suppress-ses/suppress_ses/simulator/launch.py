"""How `suppress simulate ses` starts the simulator, and what it tells the person."""

from __future__ import annotations

from collections.abc import Mapping

from suppress_ses.simulator.scenario import load
from suppress_ses.simulator.server import Simulator

REMEMBERED = 1_000
"""Exchanges kept in a simulator that runs for hours."""


class Running:
    """A simulator that listens, described for `suppress simulate` (`suppress.plugin.simulated`)."""

    label = "Amazon SES"

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.url = simulator.url
        self.token = simulator.scenario.secret
        self.holds: Mapping[str, int] = {
            "suppressed addresses": len(simulator.account.held),
            "regions": len(simulator.scenario.regions),
        }

    @property
    def settings(self) -> str:
        """The `[destinations.ses]` table."""
        scenario = self._simulator.scenario
        return (
            f'[destinations.ses]\nplatform = "ses"\nregion = "{scenario.regions[0]}"\n'
            f'access_key_id = "{scenario.key}"\napi_url = "{self.url}"\nper_second = 100\n'
        )

    @property
    def environment(self) -> Mapping[str, str]:
        """The key's secret, which does not belong into a file that is committed."""
        return {"SUPPRESS_DESTINATIONS__SES__SECRET_ACCESS_KEY": self.token}

    def close(self) -> None:
        """Stop listening."""
        self._simulator.close()


def launch(port: int, scenario: str | None) -> Running:
    """Start an account on loopback: `demo` (also without a scenario), `off`, or a scenario file.

    Raises:
        BadFile: The scenario file cannot be read.
        OSError: The port cannot be had.
    """
    simulator = Simulator(load(scenario), port=port, keep=REMEMBERED)
    simulator.start()
    return Running(simulator)
