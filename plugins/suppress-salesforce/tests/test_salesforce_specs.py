"""A full run's requests and answers are as the published facts of the platform say.

The description lies beside the work tree and is never shipped; without it, there is nothing to compare with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from jsonschema import Draft202012Validator
from salesforce_org import Watched, opened, told
from suppress_salesforce.simulator import Org, Switches
from suppress_salesforce.simulator.launch import demo

from suppress.errors import SuppressError
from suppress.plugin.loopback import Exchange

SPEC = Path(__file__).parents[4] / "shared" / "specs" / "salesforce-optout.facts.openapi.json"
pytestmark = pytest.mark.skipif(not SPEC.exists(), reason="the platform's description is not beside the tree")
PEOPLE = ["pat@example.com", "o'brien@example.com", "lee@example.com", "robin@example.com", "x@example.com"]


@pytest.fixture(scope="module")
def spec() -> Mapping[str, Any]:
    """The description, parsed."""
    whole = json.loads(SPEC.read_text(encoding="utf-8"))
    assert isinstance(whole, dict)
    return whole


def _operation(spec: Mapping[str, Any], exchange: Exchange) -> Mapping[str, Any]:
    for path, operations in spec["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
        if re.fullmatch(pattern, exchange.request.path):
            found = operations.get(exchange.request.method.lower())
            if found is not None:
                assert isinstance(found, dict)
                return found
    raise AssertionError(f"{exchange.request.method} {exchange.request.path} is not described")


def _wrong(spec: Mapping[str, Any], schema: Mapping[str, Any], value: object) -> Iterator[str]:
    whole = {**schema, "components": spec["components"]}
    for each in Draft202012Validator(whole).iter_errors(value):
        yield each.message


def _violations(spec: Mapping[str, Any], exchange: Exchange) -> Iterator[str]:
    request, response = exchange.request, exchange.response
    operation = _operation(spec, exchange)
    query = dict(request.query)
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query" and parameter["name"] in query:
            integer = parameter["schema"].get("type") == "integer"
            value: object = int(query[parameter["name"]]) if integer else query[parameter["name"]]
            yield from _wrong(spec, parameter["schema"], value)
        elif parameter["in"] == "query" and parameter.get("required"):
            yield f"no {parameter['name']}"
    content = operation.get("requestBody", {}).get("content", {})
    for kind, described in content.items():
        assert request.headers["content-type"] == kind
        body: object = request.body.decode()
        if kind == "application/json":
            body = request.json()
        elif kind == "application/x-www-form-urlencoded":
            body = dict(parse_qsl(request.body.decode()))
        yield from _wrong(spec, described["schema"], body)
    answers = operation["responses"].get(str(response.status))
    if answers is None:
        yield f"status {response.status} is not described"
        return
    described = answers.get("content", {}).get(response.content_type)
    if described is not None and response.content_type == "application/json":
        yield from _wrong(spec, described["schema"], json.loads(response.body))
    elif described is None and answers.get("content"):
        yield f"content type {response.content_type} is not described"


def _run(org: Org, spec: Mapping[str, Any], mode: str) -> int:
    with Watched(org) as simulator:
        exporter = opened(simulator, mode=mode, bulk_page=2)
        try:
            list(exporter.check())
            told(exporter, PEOPLE)
            list(exporter.read_back(PEOPLE))
            cursor = None
            for _ in range(20):
                _, cursor = exporter.sweep(cursor)
                if cursor is None:
                    break
        except SuppressError:
            pass
        wrong = [
            f"{each.request.method} {each.request.path}: {said}"
            for each in simulator.exchanges
            for said in _violations(spec, each)
        ]

        assert not wrong
        return len(simulator.exchanges)


@pytest.mark.parametrize("mode", ["composite", "bulk"])
@pytest.mark.parametrize(
    "switches",
    [
        Switches(person_accounts=True),
        Switches(person_accounts=True, page=1),
        Switches(person_accounts=True, hidden_field=True),
        Switches(person_accounts=True, validation_rule=2, row_locks=1),
        Switches(person_accounts=True, job_fails_after=1),
        Switches(person_accounts=True, daily_requests=5),
        Switches(person_accounts=True, session_requests=4),
        Switches(person_accounts=True, failures=3),
    ],
    ids=["plain", "pages", "hidden", "refused", "half-way", "allowance", "session", "failures"],
)
def test_every_exchange_is_as_described(mode: str, switches: Switches, spec: Mapping[str, Any]) -> None:
    """Both ways, with what can go wrong; query, path, body and answer of each."""
    org = demo()
    org.switches = replace(switches)

    assert _run(org, spec, mode) > 4


def test_a_wrong_exchange_is_found(spec: Mapping[str, Any]) -> None:
    """The comparison itself can fail: clearing a checkbox is against the description."""
    with Watched(demo()) as simulator:
        told(opened(simulator), ["pat@example.com"])
        write = next(each for each in simulator.exchanges if each.request.method == "PATCH")
    body = json.dumps({"records": [{"attributes": {"type": "Contact"}, "HasOptedOutOfEmail": False}]})
    cleared = Exchange(
        type(write.request)("PATCH", write.request.path, (), write.request.headers, body.encode()),
        write.response,
    )

    assert list(_violations(spec, cleared))
