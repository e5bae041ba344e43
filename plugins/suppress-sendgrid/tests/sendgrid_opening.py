"""What the tests of the SendGrid plugin share: an exporter in front of a simulator, and addresses to tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from suppress_sendgrid.exporter import SendGrid
from suppress_sendgrid.simulator import Scenario, Simulator
from suppress_sendgrid.simulator.server import name_of

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.plugin.addresses import flaw
from suppress.plugin.contract import Outcome, Pushed, Result
from suppress.plugin.kit import HOSTILE, POSITION, people
from suppress.plugin.pace import Clock
from tests.plugin.virtual import from_now

FAST: dict[str, Json] = {"per_minute": 6_000_000}
"""The simulator's limits are switched on where a test is about them."""
GROUP = 101
SPEAKABLE = tuple(each for each in HOSTILE if flaw(each) is None)
"""Whom SendGrid can be told about at all."""
SCOPES: dict[str, dict[str, Json]] = {
    "global": {"scope": "global"},
    "group": {"scope": "group", "group_id": GROUP},
}


def settings_for(url: str, scope: str = "global", **options: Json) -> DestinationSettings:
    """Settings for whatever answers at `url`."""
    given = {"api_url": url, "api_key": "SG.key-of-a-test", **FAST, **SCOPES[scope], **options}
    return DestinationSettings("mail", "sendgrid", options=given)


@contextmanager
def account(
    scenario: Scenario | None = None, scope: str = "global", *, clock: Clock | None = None, **options: Json
) -> Iterator[tuple[Simulator, SendGrid]]:
    """A simulator, and an exporter for it on clocks that do not wait."""
    with Simulator(scenario) as simulator:
        given = {"api_key": simulator.token, **options}
        exporter = SendGrid(settings_for(simulator.url, scope, **given), clock=clock or from_now().clock)
        try:
            yield simulator, exporter
        finally:
            exporter.close()


def result(pushed: Pushed) -> Result:
    """SendGrid answers with results and nothing else."""
    assert isinstance(pushed, Result)
    return pushed


def told(exporter: SendGrid, *addresses: str) -> dict[str, Result]:
    """What became of each, by address."""
    return {each.address: each for each in map(result, exporter.push(iter(people(addresses)), POSITION))}


def outcomes(exporter: SendGrid, *addresses: str) -> dict[str, Outcome]:
    """The same, in a word."""
    return {address: each.outcome for address, each in told(exporter, *addresses).items()}


def calls_of(simulator: Simulator) -> list[str]:
    """What was asked so far: the names of the calls."""
    return [name_of(each.request) for each in simulator.exchanges]
