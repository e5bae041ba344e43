"""What the tests of the SES plugin share: an exporter in front of a simulator, and addresses to tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from suppress_ses.exporter import Ses, fits_a_path
from suppress_ses.simulator import Scenario, Simulator
from suppress_ses.simulator.server import name_of

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.plugin.addresses import flaw
from suppress.plugin.contract import Outcome, Pushed, Result
from suppress.plugin.kit import HOSTILE, POSITION, people
from suppress.plugin.pace import Clock
from tests.plugin.virtual import from_now

REGION = "eu-west-1"
SECRET = "secret-of-a-test"
SPEAKABLE = tuple(each for each in HOSTILE if flaw(each) is None and fits_a_path(each))
"""Whom SES can be told about and asked for."""


def settings_for(url: str, **options: Json) -> DestinationSettings:
    """Settings for whatever answers at `url`."""
    given: dict[str, Json] = {
        "api_url": url,
        "region": REGION,
        "access_key_id": "AKIASIMULATED",
        "secret_access_key": SECRET,
        "per_second": 100_000,
    }
    return DestinationSettings("mail", "ses", options={**given, **options})


@contextmanager
def account(
    scenario: Scenario | None = None, *, clock: Clock | None = None, **options: Json
) -> Iterator[tuple[Simulator, Ses]]:
    """A simulator, and an exporter for it on clocks that do not wait."""
    with Simulator(scenario) as simulator:
        exporter = Ses(settings_for(simulator.url, **options), clock=clock or from_now().clock)
        try:
            yield simulator, exporter
        finally:
            exporter.close()


def result(pushed: Pushed) -> Result:
    """SES answers with results and nothing else."""
    assert isinstance(pushed, Result)
    return pushed


def told(exporter: Ses, *addresses: str) -> dict[str, Result]:
    """What became of each, by address."""
    return {each.address: each for each in map(result, exporter.push(iter(people(addresses)), POSITION))}


def outcomes(exporter: Ses, *addresses: str) -> dict[str, Outcome]:
    """The same, in a word."""
    return {address: each.outcome for address, each in told(exporter, *addresses).items()}


def calls_of(simulator: Simulator) -> list[str]:
    """What was asked so far: the names of the operations."""
    return [name_of(each.request) for each in simulator.exchanges]
