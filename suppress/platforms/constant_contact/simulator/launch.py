"""How `suppress simulate constant-contact` starts the simulator, and what it tells the person."""

from __future__ import annotations

from pathlib import Path

from suppress.platforms.constant_contact.simulator.scenario_file import BUILT_IN, load
from suppress.platforms.constant_contact.simulator.server import Simulator
from suppress.plugin.simulated import REMEMBERED, Running


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
    account = simulator.backend.account
    return Running(
        label="Constant Contact",
        url=simulator.url,
        token=simulator.token,
        settings=(
            "[sources.main]\n"
            'platform = "constant-contact"\n'
            f'client_id = "{chosen.sign_in.client_id}"\n'
            f'api_url = "{simulator.url}"\n'
            f'auth_url = "{simulator.url}"\n'
            "# Sign in with: suppress login main; or give the token, which needs no sign-in.\n"
        ),
        environment={"SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN": simulator.token},
        holds={
            "contacts": len(account),
            "suppressed": len(account.suppressed()),
            "deleted": sum(contact.deleted for contact in account),
        },
        stop=simulator.close,
    )
