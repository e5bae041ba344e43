"""How `suppress simulate mailchimp` starts the simulator, and what it tells the person."""

from __future__ import annotations

from pathlib import Path

from suppress.plugin.simulated import REMEMBERED, Running
from suppress_mailchimp.simulator.scenario import BUILT_IN, load
from suppress_mailchimp.simulator.server import Simulator


def launch(port: int, scenario: str | None) -> Running:
    """Start an account on loopback: `demo` (also without a scenario), `large`, or a scenario file.

    Raises:
        BadFile: The scenario file cannot be read.
        OSError: The port cannot be had.
    """
    named = BUILT_IN.get(scenario or "demo")
    chosen = named() if named is not None else load(Path(scenario or ""))
    simulator = Simulator(chosen, port=port, keep=REMEMBERED)
    audiences = list(simulator.account.audiences.values())
    members = [each for audience in audiences for each in audience]
    first = next(iter(simulator.account.audiences), "")
    return Running(
        label="Mailchimp",
        url=simulator.url,
        token=chosen.key,
        settings=(
            "[destinations.newsletter]\n"
            'platform = "mailchimp"\n'
            f'audience = "{first}"\n'
            f'api_url = "{simulator.url}"\n'
        ),
        environment={"SUPPRESS_DESTINATIONS__NEWSLETTER__API_KEY": chosen.key},
        holds={
            "audiences": len(audiences),
            "contacts": len(members),
            "subscribed": sum(each.status == "subscribed" for each in members),
        },
        stop=simulator.close,
    )
