"""Requests and answers of a whole run hold to the vendor's own description of its API.

The description is not part of this repository; where it is absent, these tests are skipped.
"""

from __future__ import annotations

from typing import Any

import pytest
from klaviyo_opening import SPEAKABLE, account, told
from suppress_klaviyo.simulator import Scenario

from suppress.core.suppression import Json
from suppress.plugin.kit import people
from tests.described import ABSENT, SPECS, complaints, description
from tests.plugin.virtual import VirtualTime

SPEC = "klaviyo-suppression-2026-07-15.openapi.json"
pytestmark = pytest.mark.skipif(not (SPECS / SPEC).is_file(), reason=ABSENT)
BAD = "bad@example.com"


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    """The description."""
    return description(SPEC)


@pytest.mark.parametrize("unknown", ["skip", "create_suppressed"])
def test_a_whole_run_is_as_described(spec: dict[str, Any], unknown: str) -> None:
    """Check, plan, push, poll, read back and sweep, with failures in between."""
    scenario = Scenario(
        profiles=(*SPEAKABLE[::2], BAD),
        suppressed=tuple(f"UNSUBSCRIBE p{number}@example.com" for number in range(150)),
        invalid=(BAD,),
        polls=2,
        behind=1,
        failing=(0, 503),
    )
    waits = VirtualTime()
    with account(scenario, waits=waits, unknown=unknown, batch_size=10) as (platform, exporter):
        list(exporter.check())
        list(exporter.plan(iter(people(SPEAKABLE))))
        told(exporter, *SPEAKABLE, BAD, waits=waits)
        list(exporter.read_back(SPEAKABLE))
        cursor = exporter.sweep(None)[1]
        exporter.sweep(cursor)
        wrong = [each for exchange in platform.exchanges for each in complaints(spec, exchange)]
        statuses = {each.response.status for each in platform.exchanges}

        assert wrong == []
        assert statuses == {200, 202, 400, 503}


def test_refusals_are_as_described(spec: dict[str, Any]) -> None:
    """401, 403, 404 and 429."""
    cases: list[tuple[Scenario, dict[str, Json]]] = [
        (Scenario(profiles=(BAD,)), {"api_key": "pk_old"}),
        (Scenario(profiles=(BAD,), read_only=True), {}),
        (Scenario(profiles=(BAD,), lost=True), {}),
        (Scenario(profiles=(BAD,), per_minute=2), {}),
    ]
    wrong: list[str] = []
    statuses: set[int] = set()
    for scenario, options in cases:
        with account(scenario, waits=None, **options) as (platform, exporter):
            try:
                told(exporter, BAD)
            except Exception as refused:
                assert BAD not in str(refused)
            wrong += [each for exchange in platform.exchanges for each in complaints(spec, exchange)]
            statuses |= {each.response.status for each in platform.exchanges}

    assert wrong == []
    assert {401, 403, 404, 429} <= statuses
