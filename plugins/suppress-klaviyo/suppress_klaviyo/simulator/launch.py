"""How `suppress simulate klaviyo` starts the simulator, and what it tells the person."""

from __future__ import annotations

from suppress.plugin.simulated import REMEMBERED, Running
from suppress_klaviyo.simulator.scenario import load
from suppress_klaviyo.simulator.server import Simulator


def launch(port: int, scenario: str | None) -> Running:
    """Start an account on loopback: `demo` (also without a scenario), or a scenario file.

    Raises:
        BadFile: The scenario file cannot be read.
        OSError: The port cannot be had.
    """
    simulator = Simulator(load(scenario), port=port, keep=REMEMBERED)
    simulator.start()
    url = simulator.url
    return Running(
        label="Klaviyo",
        url=url,
        token=simulator.key,
        # Jobs here end at once, so that none is waited for.
        settings=f'[destinations.klaviyo]\nplatform = "klaviyo"\napi_url = "{url}"\npoll_seconds = 1\n',
        environment={"SUPPRESS_DESTINATIONS__KLAVIYO__API_KEY": simulator.key},
        holds={"profiles": len(simulator.account), "suppressed": simulator.account.suppressed},
        stop=simulator.close,
    )
