"""Requests and answers of a whole run hold to a description of HubSpot's calls that is not ours.

The description is not part of this repository; where it is absent, these tests are skipped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hubspot_opening import SINGLY, account
from suppress_hubspot.simulator import Fault, Scenario, Trap

from suppress.plugin.kit import POSITION, people
from suppress.plugin.loopback import Exchange

SPEC = Path(__file__).parents[4] / "shared" / "specs" / "hubspot-optout.facts.openapi.json"
pytestmark = pytest.mark.skipif(
    not SPEC.is_file(), reason="no description of HubSpot's calls beside this one"
)


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    """The description."""
    found: dict[str, Any] = json.loads(SPEC.read_text(encoding="utf-8"))
    return found


def complaints(spec: dict[str, Any], exchange: Exchange) -> Iterator[str]:
    """What of a request or its answer is not as described."""
    request, response = exchange.request, exchange.response
    found = [
        (len(re.findall(r"\{", path)), path)
        for path in spec["paths"]
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), request.path)
    ]
    if not found or request.method.lower() not in spec["paths"][min(found)[1]]:
        yield f"{request.method} of a path that is not described"
        return
    operation = spec["paths"][min(found)[1]][request.method.lower()]
    query = dict(request.query)
    described = {each["name"]: each for each in operation.get("parameters", ()) if each["in"] == "query"}
    yield from (f"query {name} is not described" for name in query.keys() - described.keys())
    for name, each in described.items():
        if each.get("required") and name not in query:
            yield f"query {name} is missing"
        if name in query and query[name] not in each["schema"].get("enum", [query[name]]):
            yield f"query {name} has another value"
    if request.body:
        content = operation["requestBody"]["content"]["application/json"]
        yield from invalid(spec, content["schema"], json.loads(request.body))
    elif operation.get("requestBody", {}).get("required"):
        yield "a body is missing"
    answered = operation["responses"].get(str(response.status))
    if answered is None:
        yield f"status {response.status} is not described"
    else:
        yield from invalid(spec, answered["content"]["application/json"]["schema"], json.loads(response.body))


def invalid(spec: dict[str, Any], schema: dict[str, Any], value: object) -> Iterator[str]:
    """What of a value its schema refuses."""
    whole = {**schema, "components": spec["components"]}
    checker = jsonschema.Draft202012Validator(whole)
    yield from (each.message for each in checker.iter_errors(value))


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
