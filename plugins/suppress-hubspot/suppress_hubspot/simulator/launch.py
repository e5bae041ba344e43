"""How `suppress simulate hubspot` starts the simulator, and what it tells the person."""

from __future__ import annotations

from suppress.plugin.simulated import REMEMBERED, Running
from suppress_hubspot.simulator.scenario import load
from suppress_hubspot.simulator.server import Simulator


def launch(port: int, scenario: str | None) -> Running:
    """Start an account on loopback: `demo` (also without a scenario), `enterprise`, or a scenario file.

    Raises:
        BadFile: The scenario file cannot be read.
        OSError: The port cannot be had.
    """
    simulator = Simulator(load(scenario), port=port, keep=REMEMBERED)
    simulator.start()
    mode = 'mode = "batch"\n' if simulator.scenario.enterprise else ""
    return Running(
        label="HubSpot",
        url=simulator.url,
        token=simulator.token,
        settings=f'[destinations.hubspot]\nplatform = "hubspot"\napi_url = "{simulator.url}"\n{mode}',
        environment={"SUPPRESS_DESTINATIONS__HUBSPOT__ACCESS_TOKEN": simulator.token},
        holds={"contacts": len(simulator.account), "opted out": simulator.account.opted_out},
        stop=simulator.close,
    )
