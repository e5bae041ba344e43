"""What the tests of the HubSpot plugin share: an exporter in front of a simulator, and addresses to tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from suppress_hubspot.exporter import HubSpot
from suppress_hubspot.segments import fits_a_path
from suppress_hubspot.simulator import Scenario, Simulator
from suppress_hubspot.simulator.server import name_of

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.plugin.addresses import flaw
from suppress.plugin.kit import HOSTILE
from suppress.plugin.pace import Clock
from tests.plugin.virtual import VirtualTime

FAST: dict[str, Json] = {"per_10_seconds": 1_000_000}
"""The simulator's limits are switched on where a test is about them."""
SPEAKABLE = tuple(each for each in HOSTILE if flaw(each) is None)
"""Whom HubSpot can be told about at all."""
SINGLY = tuple(each for each in SPEAKABLE if fits_a_path(each))
"""Of those, whom a single call can name."""


def settings_for(url: str, **options: Json) -> DestinationSettings:
    """Settings for whatever answers at `url`."""
    given = {"api_url": url, "access_token": "pat-na1-of-a-test", **FAST, **options}
    return DestinationSettings("crm", "hubspot", options=given)


def opened(simulator: Simulator, *, clock: Clock | None = None, **options: Json) -> HubSpot:
    """An exporter for this account."""
    options = {"access_token": simulator.token, **options}
    return HubSpot(settings_for(simulator.url, **options), clock=clock)


@contextmanager
def account(scenario: Scenario | None = None, **options: Json) -> Iterator[tuple[Simulator, HubSpot]]:
    """A simulator, and an exporter for it on clocks that do not wait: with batches if it is Enterprise."""
    with Simulator(scenario) as simulator:
        if simulator.scenario.enterprise:
            options = {"mode": "batch", **options}
        exporter = opened(simulator, clock=VirtualTime().clock, **options)
        try:
            yield simulator, exporter
        finally:
            exporter.close()


def calls_of(simulator: Simulator) -> list[str]:
    """What was asked so far: the names of the calls."""
    return [name_of(each.request) for each in simulator.exchanges]
