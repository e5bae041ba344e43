"""Requests and answers of whole runs hold to the vendor's own description of its API.

The description may not be copied into this repository; where it is absent, these tests are skipped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mailchimp_platform import AUDIENCE, account, numbered, opened, outcomes
from suppress_mailchimp.simulator import Fault, People, Switches

from suppress.core.suppression import Json
from suppress.plugin.kit import people
from suppress.plugin.loopback import Exchange

SPEC = Path(__file__).parents[4] / "shared" / "specs" / "mailchimp-marketing-3.0.85.openapi.json"
pytestmark = pytest.mark.skipif(
    not SPEC.is_file(), reason="the vendor's description is not there: ../shared/specs (it may not be copied)"
)
ODD = ("o'brien@example.com", "plus+tag@example.com", "per%cent@example.com", "Capital@Example.com")


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    """The description."""
    found: dict[str, Any] = json.loads(SPEC.read_text(encoding="utf-8"))
    return found


def complaints(spec: dict[str, Any], exchange: Exchange) -> Iterator[str]:
    """What of a request or its answer is not as described."""
    request, response = exchange.request, exchange.response
    path = request.path.removeprefix("/3.0")
    found = [
        (pattern.count("{"), pattern)
        for pattern in spec["paths"]
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path)
    ]
    if not found or request.method.lower() not in spec["paths"][min(found)[1]]:
        yield f"{request.method} of a path that is not described"
        return
    operation = spec["paths"][min(found)[1]][request.method.lower()]
    described = {each["name"]: each for each in operation.get("parameters", ()) if each["in"] == "query"}
    for name, value in request.query:
        if name not in described:
            yield f"query {name} is not described"
        else:
            yield from invalid(spec, described[name]["schema"], _typed(described[name]["schema"], value))
    if request.body:
        content = operation["requestBody"]["content"]["application/json"]
        yield from invalid(spec, content["schema"], json.loads(request.body))
    elif operation.get("requestBody", {}).get("required"):
        yield "a body is missing"
    answered = operation["responses"].get(str(response.status), operation["responses"].get("default"))
    content = answered.get("content", {})
    kind = response.content_type.partition(";")[0]
    if response.body and kind not in content:
        yield f"{response.status} as {kind} is not described"
    elif response.body:
        yield from invalid(spec, content[kind]["schema"], json.loads(response.body))


def invalid(spec: dict[str, Any], schema: dict[str, Any], value: object) -> Iterator[str]:
    """What of a value its schema refuses."""
    whole = {**schema, "components": spec["components"]}
    yield from (each.message for each in jsonschema.Draft202012Validator(whole).iter_errors(value))


def _typed(schema: dict[str, Any], text: str) -> object:
    match schema.get("type"):
        case "integer" if text.isdecimal():
            return int(text)
        case "boolean" if text in ("true", "false"):
            return text == "true"
        case "array":
            return text.split(",")
        case _:
            return text


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
    assert sorted({each for exchange in exchanges for each in complaints(spec, exchange)}) == []


def test_the_check_would_find_a_fault(spec: dict[str, Any]) -> None:
    """Of a request and of an answer."""
    with account(People(AUDIENCE, people=1)) as platform:
        outcomes(opened(platform), numbered(1))
        patched = next(each for each in platform.exchanges if each.request.method == "PATCH")

    bad = Exchange(
        type(patched.request)("PATCH", patched.request.path, (("skip", "1"),), {}, b'{"status": "archived"}'),
        type(patched.response)(200, b'{"status": "nonsense"}'),
    )
    assert list(complaints(spec, patched)) == []
    assert len(list(complaints(spec, bad))) == 3
