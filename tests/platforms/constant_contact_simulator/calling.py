"""A plain HTTP client for the tests of the simulator: it adds nothing, follows nothing, retries nothing."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from suppress.platforms.constant_contact.simulator import Clock, Limits, Scenario, Simulator

UNLIMITED = Limits(per_second=1_000_000, per_day=1_000_000_000, token_per_second=1_000_000)
"""For tests that are about something else than limits."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def standing_still(scenario: Scenario) -> Simulator:
    """A simulator whose time moves only when told to."""
    return Simulator(scenario, clock=Clock(scenario.until, frozen=True))


def call(
    cc: Simulator,
    method: str,
    path: str,
    query: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    *,
    body: object = None,
    raw: bytes | None = None,
    token: str | None = "",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One request. `token` is the simulator's own unless given; None sends none."""
    sent = dict(headers or {})
    if token is not None:
        sent.setdefault("Authorization", f"Bearer {token or cc.token}")
    if body is not None:
        raw = json.dumps(body).encode()
        sent.setdefault("Content-Type", "application/json")
    where = f"{path}?{urlencode(query)}" if query else path
    connection = http.client.HTTPConnection(urlsplit(cc.url).netloc, timeout=10)
    try:
        connection.request(method, where, raw, sent)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.headers.items()), answer.read())
    finally:
        connection.close()


def get(cc: Simulator, path: str, **query: str) -> Any:
    """The JSON of a GET that must succeed."""
    answer = call(cc, "GET", f"/v3{path}", query)
    assert answer.status == 200, answer
    return answer.json()


def pages(cc: Simulator, path: str = "/contacts", **query: str) -> Iterator[Any]:
    """Every page of a walk, by following the links as they come."""
    found = get(cc, path, **query)
    while True:
        yield found
        following = (found.get("_links") or {}).get("next")
        if not following:
            return
        answer = call(cc, "GET", following["href"])
        assert answer.status == 200, answer
        found = answer.json()


def contacts(cc: Simulator, **query: str) -> list[Any]:
    """Every contact of a walk."""
    return [one for page in pages(cc, **query) for one in page["contacts"]]


def addresses(cc: Simulator, **query: str) -> list[str]:
    """The addresses of a walk, in the order that they came."""
    return [one["email_address"]["address"] for one in contacts(cc, **query) if "email_address" in one]
