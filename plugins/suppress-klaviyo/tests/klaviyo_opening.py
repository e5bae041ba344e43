"""What the tests of the Klaviyo plugin share: an exporter in front of a simulator, and whole runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from suppress_klaviyo.exporter import Klaviyo
from suppress_klaviyo.simulator import Scenario, Simulator

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.plugin.addresses import flaw
from suppress.plugin.contract import Job, Outcome, Result
from suppress.plugin.kit import HOSTILE, POSITION, people
from tests.plugin.virtual import VirtualTime

FAST: dict[str, Json] = {"per_second": 1_000_000, "per_minute": 1_000_000_000}
"""The simulator's limits are switched on where a test is about them."""
SPEAKABLE = tuple(each for each in HOSTILE if flaw(each) is None)
"""Whom Klaviyo can be told about at all."""


def settings_for(url: str, **options: Json) -> DestinationSettings:
    """Settings for whatever answers at `url`."""
    given = {"api_url": url, "api_key": "pk_simulated", **FAST, **options}
    return DestinationSettings("shop", "klaviyo", options=given)


@contextmanager
def opened(url: str, *, waits: VirtualTime | None = None, **options: Json) -> Iterator[Klaviyo]:
    """An exporter on clocks that do not wait."""
    exporter = Klaviyo(settings_for(url, **options), clock=(waits or VirtualTime()).clock)
    try:
        yield exporter
    finally:
        exporter.close()


@contextmanager
def account(
    scenario: Scenario | None = None, *, waits: VirtualTime | None = None, **options: Json
) -> Iterator[tuple[Simulator, Klaviyo]]:
    """A simulator and an exporter for it."""
    with Simulator(scenario) as simulator, opened(simulator.url, waits=waits, **options) as exporter:
        yield simulator, exporter


def told(exporter: Klaviyo, *addresses: str, waits: VirtualTime | None = None) -> dict[str, Outcome]:
    """What became of these addresses, after asking for every job until it has ended."""
    jobs: Sequence[Job] = ()
    results: list[Result] = []
    answers = exporter.push(iter(people(addresses)), POSITION)
    for _ in range(100):
        following: list[Job] = []
        for each in answers:
            if isinstance(each, Job):
                following.append(each)
            else:
                assert isinstance(each, Result)
                results.append(each)
        if not following:
            return {each.address: each.outcome for each in results}
        if waits is not None:
            waits.pass_(5)
        jobs = following
        answers = (answer for job in jobs for answer in exporter.poll(job))
    raise AssertionError("a job never ended")
