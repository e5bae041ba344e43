"""Requests and answers of a whole run hold to a description of HubSpot's calls that is not ours.

The description is not part of this repository; where it is absent, these tests are skipped.
"""

from __future__ import annotations

from typing import Any

import pytest
from hubspot_opening import SINGLY, account
from suppress_hubspot.simulator import Fault, Scenario, Trap

from suppress.plugin.kit import POSITION, people
from tests.described import ABSENT, SPECS, complaints, description

SPEC = "hubspot-optout.facts.openapi.json"
pytestmark = pytest.mark.skipif(not (SPECS / SPEC).is_file(), reason=ABSENT)


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    """The description."""
    return description(SPEC)


@pytest.mark.parametrize("version", ["v4", "2026-03"])
@pytest.mark.parametrize("enterprise", [False, True])
def test_a_whole_run_is_as_described(spec: dict[str, Any], version: str, enterprise: bool) -> None:
    """Check, plan, push, read back and sweep, with failures in between."""
    faults = (
        Fault(Trap.ERROR, "batch read", after=1),
        Fault(Trap.PARTIAL, "batch unsubscribe-all"),
        Fault(Trap.PARTIAL, "batch read", after=4),
        Fault(Trap.ERROR, "unsubscribe-all", after=2),
        Fault(Trap.SILENT, "unsubscribe-all", after=4),
    )
    scenario = Scenario(enterprise=enterprise, contacts=SINGLY, opted_out=SINGLY[:2], faults=faults)
    with account(scenario, api_version=version, batch_size=10) as (platform, exporter):
        list(exporter.check())
        entries = people(SINGLY)
        list(exporter.plan(iter(entries)))
        list(exporter.push(iter(entries), POSITION))
        list(exporter.read_back([each.address for each in entries]))
        exporter.sweep(None)
        wrong = [each for exchange in platform.exchanges for each in complaints(spec, exchange)]

        assert len(platform.exchanges) > 10
        assert wrong == []


def test_refusals_are_as_described(spec: dict[str, Any]) -> None:
    """401, 403, 400 and 429."""
    scenario = Scenario(invalid=("pat@example.com",), per_day=1)
    wrong: list[str] = []
    statuses: set[int] = set()
    for options in ({"access_token": "other"}, {"mode": "batch"}, {}):
        with account(scenario, **options) as (platform, exporter):
            for _ in range(2):
                try:
                    list(exporter.push(iter(people(["pat@example.com"])), POSITION))
                except Exception as refused:
                    assert "pat@" not in str(refused)
            wrong += [each for exchange in platform.exchanges for each in complaints(spec, exchange)]
            statuses |= {each.response.status for each in platform.exchanges}

    assert wrong == []
    assert statuses == {400, 401, 403, 429}
