"""How `suppress simulate sendgrid` starts the simulator, and what it tells the person."""

from __future__ import annotations

from collections.abc import Mapping

from suppress_sendgrid.simulator.scenario import load
from suppress_sendgrid.simulator.server import Simulator

REMEMBERED = 1_000
"""Exchanges kept in a simulator that runs for hours."""


class Running:
    """A simulator that listens, described for `suppress simulate` (`suppress.plugin.simulated`)."""

    label = "SendGrid"

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.url = simulator.url
        self.token = simulator.token
        account = simulator.account
        self.holds: Mapping[str, int] = {
            "global suppressions": len(account.globally),
            "unsubscribe groups": len(account.groups),
        }

    @property
    def settings(self) -> str:
        """The `[destinations.sendgrid]` table, for the first group if there is one."""
        group = next(iter(self._simulator.account.groups), None)
        scope = 'scope = "global"' if group is None else f'scope = "group"\ngroup_id = {group}'
        return f'[destinations.sendgrid]\nplatform = "sendgrid"\n{scope}\napi_url = "{self.url}"\n'

    @property
    def environment(self) -> Mapping[str, str]:
        """The key, which does not belong into a file that is committed."""
        return {"SUPPRESS_DESTINATIONS__SENDGRID__API_KEY": self.token}

    def close(self) -> None:
        """Stop listening."""
        self._simulator.close()


def launch(port: int, scenario: str | None) -> Running:
    """Start an account on loopback: `demo` (also without a scenario), `busy`, or a scenario file.

    Raises:
        BadFile: The scenario file cannot be read.
        OSError: The port cannot be had.
    """
    simulator = Simulator(load(scenario), port=port, keep=REMEMBERED)
    simulator.start()
    return Running(simulator)
