"""Every exporter once through a contract proxy that strangers wrote, in front of its simulator.

Prism (Stoplight) holds each request and each answer against the vendor's description and turns a breach into
an error: a request that the vendor would refuse never reaches the simulator, and an answer that the vendor
would not give never reaches the exporter. The description may not be copied into this repository; Prism is
what `.ci/run` installs beside it. Where either is absent the test says so.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import httpx2
import pytest

from suppress.config import DestinationSettings
from suppress.plugin.contract import Exporter, Job
from suppress.plugin.kit import POSITION, people
from suppress.plugin.loopback import Loopback, Request, Response
from suppress.plugin.registry import Registry
from suppress.plugin.simulated import GROUP, Simulated
from suppress.plugin.tally import Tally
from tests.described import ABSENT, SPECS

PRISM = os.environ.get("SUPPRESS_TEST_PRISM", "")
"""Where Prism's `dist/index.js` is."""
ADDRESSES = (
    *("pat@example.com", "sam@example.com", "kim@example.net", "lee@example.org", "unknown@example.com"),
    *("o'brien@example.com", "a+tag@example.com", "UPPER.Case@Example.com", "pat@xn--bcher-kva.example"),
)
"""In ASCII: the proxy's idea of an address's format ends there."""

pytestmark = [
    pytest.mark.skipif(not SPECS.is_dir(), reason=ABSENT),
    pytest.mark.skipif(not PRISM, reason="SUPPRESS_TEST_PRISM does not name Prism: npm install it"),
]


@dataclass(frozen=True, slots=True)
class Held:
    """One platform, what it is held against, and the calls that the description does not know."""

    name: str
    spec: str
    url: str = "api_url"
    base: str = ""
    """The path of the description's own server."""
    undescribed: str = "(?!)"
    headers: tuple[tuple[str, str], ...] = ()


PLATFORMS = [
    Held("mailchimp", "mailchimp-marketing-3.0.85.openapi.json", base="/3.0"),
    Held("hubspot", "hubspot-optout.facts.openapi.json"),
    Held("klaviyo", "klaviyo-suppression-2026-07-15.openapi.json"),
    # Who asks for a token is another host's business, and describes no contract of these calls.
    Held(
        "salesforce",
        "salesforce-optout.facts.openapi.json",
        "instance_url",
        undescribed="/services/oauth2/.*",
    ),
    # The vendor's own description forbids the answer that it gives for an address that is not suppressed.
    Held(
        "sendgrid",
        "sendgrid-suppressions-v3.openapi.json",
        undescribed="/v3/scopes|/v3/asm/suppressions/global/.+",
    ),
]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("held", PLATFORMS, ids=lambda held: held.name)
def test_everything_that_is_said_is_as_the_vendor_describes_it(held: Held, tmp_path: Path) -> None:
    """Check, plan, push, jobs, reading back and sweep: no breach, and nobody unaccounted for."""
    (point,) = entry_points(group=GROUP, name=held.name)
    with ExitStack() as stack:
        simulated: Simulated = stack.enter_context(closing(point.load()(0, None)))
        log = tmp_path / "prism.log"
        proxy = stack.enter_context(_prism(SPECS / held.spec, f"{simulated.url}{held.base}", log))
        switch = stack.enter_context(closing(_Switch(held, simulated.url, proxy)))
        line = stack.enter_context(Loopback(switch))
        exporter = stack.enter_context(closing(_opened(held, simulated, line.url)))
        tally = _whole_run(exporter)
        described = [each for each in line.exchanges if not re.fullmatch(held.undescribed, each.request.path)]
        breaches = [each for each in described if "sl-violations" in dict(each.response.headers)]

    assert tally.close()
    assert len(described) > 5
    assert not [(each.request.method, each.request.path, each.response.headers) for each in breaches]


def _whole_run(exporter: Exporter) -> Tally:
    entries = people(ADDRESSES)
    assert list(exporter.check())
    assert len(list(exporter.plan(iter(entries)))) == len(entries)
    tally = Tally(exporter.name, exporter.capabilities.unit)
    tally.take(exporter.push(tally.handing(iter(entries)), POSITION))
    for _ in range(100):
        jobs: list[Job] = tally.jobs
        tally.jobs = []
        tally.take(answer for job in jobs for answer in exporter.poll(job))
        if not tally.jobs:
            break
    assert len(list(exporter.read_back([each.address for each in entries]))) == len(entries)
    cursor: str | None = None
    for _ in range(100):
        _, cursor = exporter.sweep(cursor)
        if cursor is None:
            break
    return tally


def _opened(held: Held, simulated: Simulated, url: str) -> Exporter:
    ((name, table),) = tomllib.loads(simulated.settings)["destinations"].items()
    secrets = {
        variable.rpartition("__")[2].lower(): value for variable, value in simulated.environment.items()
    }
    options = {key: value for key, value in table.items() if key != "platform"}
    return Registry.load().exporter(
        DestinationSettings(name, held.name, options={**options, **secrets, held.url: url})
    )


class _Switch:
    """Sends what is described through the proxy, and the rest past it."""

    def __init__(self, held: Held, simulator: str, proxy: str) -> None:
        self._held, self._simulator, self._proxy = held, simulator, proxy
        self._client = httpx2.Client(trust_env=False, timeout=30)

    def __call__(self, request: Request) -> Response:
        path = request.path
        if re.fullmatch(self._held.undescribed, path):
            base = self._simulator
        else:
            base, path = self._proxy, path.removeprefix(self._held.base)
        answer = self._client.request(
            request.method,
            f"{base}{path}",
            params=list(request.query) or None,
            headers={name: value for name, value in request.headers.items() if name not in _HOPS},
            content=request.body or None,
        )
        said = {name.lower(): value for name, value in answer.headers.items()}
        kind = said.pop("content-type", "application/json")
        kept = tuple((name, value) for name, value in said.items() if name not in _HOPS)
        return Response(answer.status_code, answer.content, kind, kept)

    def close(self) -> None:
        self._client.close()


_HOPS = frozenset(
    {"host", "connection", "content-length", "content-encoding", "transfer-encoding", "keep-alive"}
)


@contextmanager
def _prism(spec: Path, upstream: str, log: Path) -> Iterator[str]:
    """Prism's proxy on a free port, once it says that it listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["node", PRISM, "proxy", "-h", "127.0.0.1", "-p", str(port), "--errors", str(spec), upstream]
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, stdout=written, stderr=subprocess.STDOUT, env={**os.environ, "SCARF_ANALYTICS": "false"}
        )
        try:
            until = time.monotonic() + 90
            while b"Prism is listening" not in log.read_bytes():
                assert process.poll() is None, log.read_text(errors="replace")
                assert time.monotonic() < until, "Prism did not start"
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)
