"""Requests and answers of whole runs hold to the vendor's own description of its API.

The description may not be copied into this repository; where it is absent, these tests are skipped.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from mailchimp_platform import AUDIENCE, account, numbered, opened, outcomes
from suppress_mailchimp.simulator import Fault, People, Switches

from suppress.core.suppression import Json
from suppress.plugin.kit import people
from suppress.plugin.loopback import Exchange
from tests.described import ABSENT, SPECS, complaints, description

SPEC = "mailchimp-marketing-3.0.85.openapi.json"
pytestmark = pytest.mark.skipif(not (SPECS / SPEC).is_file(), reason=ABSENT)
BELOW = "/3.0"
ODD = ("o'brien@example.com", "plus+tag@example.com", "per%cent@example.com", "Capital@Example.com")


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    """The description."""
    return description(SPEC)


RUNS: list[dict[str, Json]] = [
    {"method": "patch"},
    {"method": "list"},
    {"method": "batches"},
    {"method": "list", "unknown": "create_suppressed"},
    {"method": "patch", "unknown": "create_suppressed", "archived": "strict"},
    {"audience": "all", "page_size": 10},
]


@pytest.mark.parametrize("more", RUNS)
def test_a_whole_run_is_as_described(spec: dict[str, Any], more: dict[str, Json]) -> None:
    """Check, plan, push, read back and sweep, with trouble on the way."""
    everyone = People(
        AUDIENCE,
        people=30,
        subscribed=ODD,
        unsubscribed=("left@example.com",),
        cleaned=("bounced@example.com",),
        archived=("hidden@example.com",),
        forgotten=("erased@example.com",),
    )
    faults = [
        Fault("throttled", after=3),
        Fault("failed", method="PATCH|POST"),
        Fault("failed-after", after=9),
    ]
    addresses = [
        *numbered(30),
        *ODD,
        "left@example.com",
        "hidden@example.com",
        "erased@example.com",
        "no@example.com",
    ]
    switches = Switches(required_fields=("FNAME",))
    with account(everyone, People("f6e7d8c9b0", people=3), switches=switches, faults=faults) as platform:
        exporter = opened(platform, **more)
        list(exporter.check())
        list(exporter.read_back(addresses))
        list(exporter.plan(people(addresses)))
        outcomes(exporter, addresses)
        list(exporter.read_back(addresses))
        cursor = None
        while (cursor := exporter.sweep(cursor)[1]) is not None:
            pass
        exchanges = platform.exchanges

    assert len(exchanges) > 10
    assert sorted({each for exchange in exchanges for each in complaints(spec, exchange, below=BELOW)}) == []


def test_the_check_would_find_a_fault(spec: dict[str, Any]) -> None:
    """Of a request and of an answer."""
    with account(People(AUDIENCE, people=1)) as platform:
        outcomes(opened(platform), numbered(1))
        patched = next(each for each in platform.exchanges if each.request.method == "PATCH")

    asked = replace(patched.request, query=(("skip", "1"),), body=b'{"status": "archived"}')
    bad = Exchange(
        asked,
        type(patched.response)(200, b'{"status": "nonsense"}'),
    )
    assert list(complaints(spec, patched, below=BELOW)) == []
    assert len(list(complaints(spec, bad, below=BELOW))) == 3
