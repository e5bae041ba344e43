"""How `suppress simulate sendgrid` starts the simulator, and what it tells the person."""

from __future__ import annotations

from suppress.plugin.simulated import REMEMBERED, Running
from suppress_sendgrid.simulator.scenario import load
from suppress_sendgrid.simulator.server import Simulator


def launch(port: int, scenario: str | None) -> Running:
    """Start an account on loopback: `demo` (also without a scenario), `busy`, or a scenario file.

    Raises:
        BadFile: The scenario file cannot be read.
        OSError: The port cannot be had.
    """
    simulator = Simulator(load(scenario), port=port, keep=REMEMBERED)
    simulator.start()
    account = simulator.account
    group = next(iter(account.groups), None)
    scope = 'scope = "global"' if group is None else f'scope = "group"\ngroup_id = {group}'
    return Running(
        label="SendGrid",
        url=simulator.url,
        token=simulator.token,
        settings=f'[destinations.sendgrid]\nplatform = "sendgrid"\n{scope}\napi_url = "{simulator.url}"\n',
        environment={"SUPPRESS_DESTINATIONS__SENDGRID__API_KEY": simulator.token},
        holds={
            "global suppressions": len(account.globally),
            "unsubscribe groups": len(account.groups),
        },
        stop=simulator.close,
    )
