"""A mail server with a deny list, over HTTP, and the plugin for it: one call a person, batches, or jobs."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TypeVar

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.errors import DestinationFailed
from suppress.plugin.contract import (
    Capabilities,
    Delivery,
    Detail,
    Finding,
    Intent,
    Job,
    Kept,
    LedgerPosition,
    Observation,
    Outcome,
    Planned,
    Pushed,
    Reach,
    Remote,
    Result,
    Severity,
    Suppressed,
    Unit,
    Unknowns,
)
from suppress.plugin.guard import Body, Call
from suppress.plugin.hookspec import ExporterDescription, hookimpl
from suppress.plugin.lanes import Lanes
from suppress.plugin.loopback import Loopback, Request, Response, answer
from suppress.plugin.transport import Reply, Transport
from suppress.plugin.workers import concurrently, in_order

_T = TypeVar("_T")

BATCH = 100
_RECORD = Capabilities(
    unit=Unit.RECORD,
    delivery=Delivery.SYNC,
    detail=Detail.PER_RECORD,
    creates_unknown=Unknowns.NEVER,
    target="deny list",
    max_concurrency=8,
    can_read_one=True,
    reach=Reach.ACCOUNT,
    keeps=frozenset({Kept.DATE}),
    config={
        "properties": {
            "api_url": {"type": "string"},
            "mode": {"type": "string", "enum": ("record", "batch", "job"), "default": "batch"},
        },
        "required": ["api_url"],
    },
)
_BATCH = replace(_RECORD, unit=Unit.BATCH, max_batch=BATCH, can_read_many=True)
_MODES = {"record": _RECORD, "batch": _BATCH, "job": replace(_BATCH, delivery=Delivery.JOB)}


def _refuses(body: Body) -> str | None:
    denies = (
        isinstance(body, dict) and body.get("deny") is True and body.keys() <= {"deny", "email", "emails"}
    )
    return None if denies else "anything but a denial"


def _looks(body: Body) -> str | None:
    return None if isinstance(body, dict) and body.keys() == {"emails"} else "more than a question"


CALLS = (
    Call("GET", r"/v1/(deny|jobs)/[0-9a-f]{1,64}"),
    Call("POST", r"/v1/look", refuses=_looks, repeatable=True),
    Call("POST", r"/v1/deny", refuses=_refuses, repeatable=True),
    Call("POST", r"/v1/jobs", refuses=_refuses),
)


class DenyList:
    """One deny list."""

    def __init__(self, settings: DestinationSettings) -> None:
        self.name = settings.name
        self._mode = str(settings.options.get("mode", "batch"))
        self.capabilities = _MODES[self._mode]
        lanes = Lanes(at_once=self.capabilities.max_concurrency, whose="the deny list")
        self._transport = Transport.writing(str(settings.options["api_url"]), calls=CALLS, pace=lanes)

    def check(self) -> Iterable[Finding]:
        yield Finding("deny list", Severity.PASS, "there")

    def plan(self, entries: Iterable[Suppressed]) -> Iterator[Planned]:
        for batch in _batches(entries):
            for seen in self.read_back([each.address for each in batch]):
                held = seen.state is Remote.SUPPRESSED
                yield Planned(seen.address, Intent.ALREADY if held else Intent.SUPPRESS, seen.state)

    def push(self, entries: Iterable[Suppressed], position: LedgerPosition) -> Iterator[Pushed]:
        if self._mode == "record":
            yield from concurrently(self._one, entries, workers=self.capabilities.max_concurrency)
            return
        for batch in _batches(entries):
            addresses: list[Json] = [each.address for each in batch]
            if self._mode == "job":
                reply = self._sent("/v1/jobs", {"deny": True, "emails": addresses})
                yield Job(str(_object(reply)["id"]), "queued", datetime.now(UTC) + timedelta(milliseconds=1))
            else:
                self._sent("/v1/deny", {"deny": True, "emails": addresses})
                yield from (Result(each.address, Outcome.SUPPRESSED) for each in batch)

    def poll(self, job: Job) -> Iterator[Pushed]:
        reply = self._transport.send("GET", f"/v1/jobs/{job.token}")
        if reply.status != 200:
            raise DestinationFailed("the job is not there")
        found = _object(reply)
        if found["state"] != "done":
            yield replace(job, stage="running")
        else:
            yield from (Result(str(each), Outcome.SUPPRESSED) for each in _list(found["emails"]))

    def read_back(self, addresses: Sequence[str]) -> Iterator[Observation]:
        if self._mode == "record":
            yield from in_order(self._seen, addresses, workers=self.capabilities.max_concurrency)
            return
        for batch in _batches(addresses):
            held = set(_list(_object(self._sent("/v1/look", {"emails": tuple(batch)}))["denied"]))
            for address in batch:
                yield Observation(address, Remote.SUPPRESSED if address in held else Remote.MAILABLE)

    def sweep(self, cursor: str | None) -> tuple[tuple[Observation, ...], str | None]:
        return (), None

    def close(self) -> None:
        self._transport.close()

    def _one(self, entry: Suppressed) -> Result:
        self._sent("/v1/deny", {"deny": True, "email": entry.address})
        return Result(entry.address, Outcome.SUPPRESSED)

    def _seen(self, address: str) -> Observation:
        reply = self._transport.send("GET", f"/v1/deny/{_key(address)}")
        return Observation(address, Remote.SUPPRESSED if reply.status == 200 else Remote.MAILABLE)

    def _sent(self, path: str, body: Json) -> Reply:
        reply = self._transport.send("POST", path, body=body)
        if reply.status not in (200, 202):
            raise DestinationFailed(f"the deny list answered {reply.status}")
        return reply


def _batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _object(reply: Reply) -> dict[str, object]:
    found = reply.json
    assert isinstance(found, dict)
    return found


def _list(found: object) -> list[object]:
    assert isinstance(found, list)
    return found


def _key(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()


@hookimpl
def suppress_exporters() -> Iterator[ExporterDescription]:
    yield ExporterDescription(name="deny-list", label="Deny list", capabilities=_RECORD, factory=DenyList)


# --- The server ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Server:
    """What is denied, and what was asked; it can end the process that asks."""

    denied: set[str] = field(default_factory=set)
    sent: list[list[str]] = field(default_factory=list)
    """The addresses of each write, in order."""
    jobs: dict[str, list[str]] = field(default_factory=dict)
    polls: list[str] = field(default_factory=list)
    jobs_done: bool = True
    keep: bool = True
    """Whether writes are remembered."""
    requests: int = 0
    before: Callable[[int], None] = lambda _number: None
    """Called with the number of each request before it takes effect."""
    after: Callable[[int], None] = lambda _number: None

    def __call__(self, request: Request) -> Response:
        self.requests += 1
        self.before(self.requests)
        response = self._answered(request)
        self.after(self.requests)
        return response

    def _answered(self, request: Request) -> Response:
        match request.method, request.parts:
            case "POST", ("v1", "deny"):
                self._deny(_addresses(request))
                return answer(200, {})
            case "POST", ("v1", "jobs"):
                name = f"{len(self.jobs) + 1:x}"
                self.jobs[name] = _addresses(request)
                self.sent.append(self.jobs[name])
                return answer(202, {"id": name})
            case "GET", ("v1", "jobs", name):
                self.polls.append(name)
                if name not in self.jobs:
                    return answer(404, {})
                if not self.jobs_done:
                    return answer(200, {"state": "running"})
                self.denied.update(map(_key, self.jobs[name]))
                return answer(200, {"state": "done", "emails": self.jobs[name]})
            case "POST", ("v1", "look"):
                asked = _addresses(request)
                return answer(200, {"denied": [each for each in asked if _key(each) in self.denied]})
            case "GET", ("v1", "deny", key):
                return answer(200 if key in self.denied else 404, {})
            case _:
                return answer(404, {})

    def _deny(self, addresses: list[str]) -> None:
        if self.keep:
            self.sent.append(addresses)
        self.denied.update(map(_key, addresses))


def _addresses(request: Request) -> list[str]:
    found = request.json()
    assert isinstance(found, dict)
    return list(found.get("emails") or [found["email"]])


def installed(site: Path) -> Path:
    """A folder for PYTHONPATH in which the plugin is a distribution of its own."""
    about = site / "deny_list-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: deny-list\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[suppress]\ndeny-list = tests.export.deny_list\n")
    return site


def main() -> None:
    """Serve until told to stop: `python -m tests.export.deny_list PORT`."""
    server, stops = Server(keep=False), {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    with Loopback(server, port=int(sys.argv[1]), keep=0) as loopback:
        print(loopback.url, flush=True)
        signal.sigwait(stops)
    times = os.times()
    print(f"{server.requests} requests, {times.user + times.system:.1f} s of the processor", flush=True)


if __name__ == "__main__":
    main()
