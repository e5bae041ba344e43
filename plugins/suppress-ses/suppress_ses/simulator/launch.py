"""How `suppress simulate ses` starts the simulator, and what it tells the person."""

from __future__ import annotations

from suppress.plugin.simulated import REMEMBERED, Running
from suppress_ses.simulator.scenario import load
from suppress_ses.simulator.server import Simulator


def launch(port: int, scenario: str | None) -> Running:
    """Start an account on loopback: `demo` (also without a scenario), `off`, or a scenario file.

    Raises:
        BadFile: The scenario file cannot be read.
        OSError: The port cannot be had.
    """
    simulator = Simulator(load(scenario), port=port, keep=REMEMBERED)
    simulator.start()
    chosen = simulator.scenario
    return Running(
        label="Amazon SES",
        url=simulator.url,
        token=chosen.secret,
        settings=(
            f'[destinations.ses]\nplatform = "ses"\nregion = "{chosen.regions[0]}"\n'
            f'access_key_id = "{chosen.key}"\napi_url = "{simulator.url}"\nper_second = 100\n'
        ),
        environment={"SUPPRESS_DESTINATIONS__SES__SECRET_ACCESS_KEY": chosen.secret},
        holds={
            "suppressed addresses": len(simulator.account.held),
            "regions": len(chosen.regions),
        },
        stop=simulator.close,
    )
