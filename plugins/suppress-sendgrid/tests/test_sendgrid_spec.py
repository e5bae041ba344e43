"""Requests and answers of a whole run hold to the vendor's own description of these calls.

The description is not part of this repository; where it is absent, these tests are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sendgrid_opening import SPEAKABLE, account
from suppress_sendgrid.simulator import Scenario

from suppress.core.suppression import Json
from suppress.plugin.kit import POSITION, people
from suppress.plugin.loopback import Exchange
from tests.described import ABSENT, SPECS, complaints, description
from tests.plugin.virtual import from_now

SPEC = "sendgrid-suppressions-v3.openapi.json"
pytestmark = pytest.mark.skipif(not (SPECS / SPEC).is_file(), reason=ABSENT)

WHOLE = Scenario(
    unsubscribed=SPEAKABLE[:2],
    bounces=("b@example.com",),
    blocks=("c@example.com",),
    spam_reports=("d@example.com",),
    invalid_emails=("e@example.com",),
    subusers=("brand-b",),
)


def described(exchange: Exchange) -> bool:
    """Whether the description is about this exchange.

    It has nothing on the scopes of a key, and calls `recipient_email` required where `{}` is answered.
    """
    return exchange.request.path != "/v3/scopes" and exchange.response.body != b"{}"


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    """The description, with its references to parameters and bodies followed."""
    found = description(SPEC)
    for operation in (each for path in found["paths"].values() for each in path.values()):
        if isinstance(operation, dict):
            operation["parameters"] = [followed(found, each) for each in operation.get("parameters", ())]
            operation["requestBody"] = followed(found, operation.get("requestBody", {}))
    return found


def followed(spec: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """What a reference refers to."""
    *_, kind, name = value.get("$ref", "//").split("/")
    found: dict[str, Any] = spec["components"][kind][name] if name else value
    # Headers are compared without case.
    return {**found, "name": found["name"].lower()} if found.get("in") == "header" else found


def wrong(spec: dict[str, Any], exchanges: tuple[Exchange, ...]) -> Iterator[str]:
    """What is not as described."""
    for each in exchanges:
        if described(each):
            yield from complaints(spec, each)


@pytest.mark.parametrize("scope", ["global", "group"])
@pytest.mark.parametrize("subuser", [None, "brand-b"])
def test_a_whole_run_is_as_described(spec: dict[str, Any], scope: str, subuser: str | None) -> None:
    """Check, plan, push, read back and sweep."""
    options: dict[str, Json] = {} if subuser is None else {"on_behalf_of": subuser}
    with account(WHOLE, scope, clock=from_now().clock, batch_size=10, **options) as (platform, exporter):
        list(exporter.check())
        entries = people(SPEAKABLE)
        list(exporter.plan(iter(entries)))
        list(exporter.push(iter(entries), POSITION))
        list(exporter.read_back([each.address for each in entries]))
        cursor = None
        for _ in range(20):
            _, cursor = exporter.sweep(cursor)
            if cursor is None:
                break

        assert cursor is None
        assert len([each for each in platform.exchanges if described(each)]) > 10
        assert list(wrong(spec, platform.exchanges)) == []
