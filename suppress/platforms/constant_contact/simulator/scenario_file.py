"""Scenario files: TOML or JSON in the shape of `Scenario`, one table for each of its parts.

    [people]
    unsubscribed = 100

    [switches]
    last_page = "null"

    [[faults]]
    kind = "error"
    status = 503

An unknown key or a value of the wrong kind is refused with its place; nothing is guessed.
"""

from __future__ import annotations

from pathlib import Path

from suppress.platforms.constant_contact.simulator.scenario import Scenario, demo_scenario, large_scenario
from suppress.plugin.scenario import read

BUILT_IN = {"demo": demo_scenario, "large": large_scenario}
"""Scenarios that go by name instead of by file."""


def load(path: Path) -> Scenario:
    """Read a scenario file.

    Raises:
        BadFile: It cannot be read, is neither TOML nor JSON, or does not describe a scenario.
    """
    return read(Scenario, path, named=BUILT_IN)
