"""How `suppress simulate constant-contact` starts the simulator, and what it tells the person."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from suppress.platforms.constant_contact.simulator.scenario_file import BUILT_IN, load
from suppress.platforms.constant_contact.simulator.server import Simulator

REMEMBERED = 1_000
"""Exchanges kept in a simulator that runs for hours."""


class Running:
    """A simulator that listens, described for `suppress simulate` (`suppress.plugin.simulated`)."""

    label = "Constant Contact"

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.url = simulator.url
        self.token = simulator.token
        account = simulator.backend.account
        self.holds: Mapping[str, int] = {
            "contacts": len(account),
            "suppressed": len(account.suppressed()),
            "deleted": sum(contact.deleted for contact in account),
        }

    @property
    def settings(self) -> str:
        """The `[sources.main]` table."""
        client_id = self._simulator.backend.scenario.sign_in.client_id
        return (
            "[sources.main]\n"
            'platform = "constant-contact"\n'
            f'client_id = "{client_id}"\n'
            f'api_url = "{self.url}"\n'
            f'auth_url = "{self.url}"\n'
            "# Sign in with: suppress login main; or give the token, which needs no sign-in.\n"
        )

    @property
    def environment(self) -> Mapping[str, str]:
        """The token, which does not belong into a file that is committed."""
        return {"SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN": self.token}

    def close(self) -> None:
        """Stop listening."""
        self._simulator.close()


def launch(port: int, scenario: str | None) -> Running:
    """Start an account on loopback: `demo` (also without a scenario), `large`, or a scenario file.

    Raises:
        BadFile: The scenario file cannot be read.
        OSError: The port cannot be had.
    """
    named = BUILT_IN.get(scenario or "demo")
    chosen = named() if named is not None else load(Path(scenario or ""))
    simulator = Simulator(chosen, port=port, keep=REMEMBERED)
    simulator.start()
    return Running(simulator)
