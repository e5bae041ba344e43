"""A made-up platform on loopback, and exporters for it: one that is right, and many with one fault each."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice

import httpx2

from suppress.core.spelling import comparable
from suppress.core.suppression import Json
from suppress.plugin.contract import (
    Capabilities,
    Delivery,
    Detail,
    Evidence,
    Finding,
    Intent,
    Job,
    LedgerPosition,
    Observation,
    Outcome,
    Planned,
    Pushed,
    Reach,
    Remote,
    Result,
    Severity,
    Snapshot,
    Suppressed,
    Unit,
    Unknowns,
)
from suppress.plugin.errors import AuthFailed, ContractBroken, PermissionMissing, Throttled, Transient
from suppress.plugin.guard import Body, Call, reads
from suppress.plugin.lanes import Lanes
from suppress.plugin.loopback import Loopback, Request, Response, answer
from suppress.plugin.pace import Clock
from suppress.plugin.transport import Reply, Transport

TOKEN = "s3cret-token-of-acme"
PAGE = 7


@dataclass
class Acme:
    """Contacts and one list, `news`. Whoever is in `everywhere` gets nothing from any list."""

    contacts: dict[str, str] = field(default_factory=dict)
    """Address as it compares → `subscribed` or `archived`."""
    left: dict[str, str] = field(default_factory=dict)
    """Address as it compares → as it was sent: who left the list."""
    everywhere: set[str] = field(default_factory=set)
    jobs: dict[str, list[str]] = field(default_factory=dict)
    has_list: bool = True

    def __post_init__(self) -> None:
        self._serving = Loopback(self.answer, keep=0)
        self._serving.start()

    @property
    def url(self) -> str:
        return self._serving.url

    def close(self) -> None:
        self._serving.close()

    def mails(self, address: str) -> bool:
        held = comparable(address)
        subscribed = self.contacts.get(held) == "subscribed"
        return subscribed and held not in self.left and held not in self.everywhere

    def add(self, addresses: Iterable[str], status: str = "subscribed") -> None:
        for each in addresses:
            self.contacts.setdefault(comparable(each), status)

    def answer(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return answer(401, {"message": "no such token"})
        match request.method, request.parts:
            case "GET", ("v1", "account"):
                return answer(200, {"name": "Acme"})
            case "POST", ("v1", "search"):
                return answer(200, {"contacts": [self._shown(each) for each in self._addresses(request)]})
            case "POST", ("v1", "optouts"):
                self.everywhere.update(map(comparable, self._addresses(request)))
                return answer(200, {"results": [{"email": each} for each in self._addresses(request)]})
            case "PUT", ("v1", "contacts"):
                for each in self._addresses(request):
                    self.contacts[comparable(each)] = "subscribed"
                return answer(200, {})
            case _, ("v1", "lists", "news", *_) if not self.has_list:
                return answer(404, {"message": "no such list"})
            case "GET", ("v1", "lists", "news", "optouts"):
                start = int(request.asked("from") or 0)
                rows = sorted(self.left.values())
                following = start + PAGE if start + PAGE < len(rows) else None
                return answer(200, {"emails": rows[start : start + PAGE], "next": following})
            case "POST", ("v1", "lists", "news", "optouts"):
                return answer(200, {"results": [self._opted_out(each) for each in self._addresses(request)]})
            case "PUT", ("v1", "lists", "news", "optouts"):
                self.left = {comparable(each): each for each in self._addresses(request)}
                return answer(200, {"rows": len(self.left)})
            case "POST", ("v1", "lists", "news", "jobs"):
                number = str(len(self.jobs))
                self.jobs[number] = self._addresses(request)
                return answer(202, {"id": number, "state": "queued"})
            case "GET", ("v1", "lists", "news", "jobs", number) if number in self.jobs:
                done = [self._opted_out(each) for each in self.jobs[number]]
                return answer(200, {"state": "done", "results": done})
        return answer(404, {"message": "there is nothing here"})

    def _addresses(self, request: Request) -> list[str]:
        body = request.json()
        assert isinstance(body, dict)
        return list(body["emails"])

    def _opted_out(self, address: str) -> dict[str, str]:
        held = comparable(address)
        if self.contacts.get(held) != "subscribed":
            return {"email": address, "status": "unknown"}
        status = "already" if held in self.left else "unsubscribed"
        self.left[held] = address
        return {"email": address, "status": status}

    def _shown(self, address: str) -> dict[str, str]:
        held = comparable(address)
        if self.contacts.get(held) != "subscribed":
            return {"email": address, "status": "unknown"}
        return {"email": address, "status": "subscribed" if self.mails(address) else "unsubscribed"}


BATCH = Capabilities(
    unit=Unit.BATCH,
    delivery=Delivery.SYNC,
    detail=Detail.PER_RECORD,
    creates_unknown=Unknowns.NEVER,
    target="list",
    max_batch=2,
    can_read_many=True,
    can_list_all=True,
    reach=Reach.TARGET,
)
RECORD = replace(BATCH, unit=Unit.RECORD, max_batch=None)
JOBS = replace(BATCH, delivery=Delivery.JOB)
SNAPSHOT = replace(BATCH, unit=Unit.SNAPSHOT, max_batch=None, detail=Detail.NONE)
EVENTUAL = replace(BATCH, delivery=Delivery.EVENTUAL)
WRITE_ONLY = replace(BATCH, can_read_many=False, can_list_all=False)

_OUTCOMES = {
    "unsubscribed": Outcome.SUPPRESSED,
    "already": Outcome.ALREADY,
    "unknown": Outcome.SKIPPED_UNKNOWN,
}
_STATES = {
    "subscribed": Remote.MAILABLE,
    "unsubscribed": Remote.SUPPRESSED,
    "unknown": Remote.UNKNOWN,
}
_INTENTS = {
    Remote.MAILABLE: Intent.SUPPRESS,
    Remote.SUPPRESSED: Intent.ALREADY,
    Remote.UNKNOWN: Intent.UNKNOWN_SKIP,
}


def _refuses(body: Body) -> str | None:
    return None if isinstance(body, dict) and set(body) == {"emails"} else "anything but addresses"


CALLS = (
    *reads("/v1/account", "/v1/lists/news/optouts", "/v1/lists/news/jobs/[0-9]+"),
    Call("POST", "/v1/search", refuses=_refuses, repeatable=True),
    Call("POST", "/v1/lists/news/(?:optouts|jobs)", refuses=_refuses, repeatable=True),
    Call("PUT", "/v1/lists/news/optouts", refuses=_refuses, repeatable=True),
)
TOO_MUCH = (
    *CALLS,
    Call("POST", "/v1/optouts", refuses=lambda _body: None),
    Call("PUT", "/v1/contacts", refuses=lambda _body: None),
)
"""What a careless author allows."""


class Exporter:
    """Right without `faults`; each of them is one mistake that authors make."""

    name = "acme"

    def __init__(
        self, url: str, clock: Clock, capabilities: Capabilities = BATCH, faults: frozenset[str] = frozenset()
    ) -> None:
        self.capabilities = capabilities
        self.faults = faults
        self._clock = clock
        self._url = url
        self._seen: dict[str, Remote] = {}
        self._own = httpx2.Client(trust_env=False, verify=False)
        lanes = Lanes(at_once=1, whose="Acme", clock=clock)
        self._transport = Transport.writing(url, calls=TOO_MUCH, pace=lanes, clock=clock)

    # --- The contract ------------------------------------------------------------------------------------

    def check(self) -> Iterable[Finding]:
        if "finds all well" in self.faults:
            yield Finding("acme", Severity.PASS, "configured")
            return
        self._read("GET", "/v1/account")
        yield Finding("acme", Severity.PASS, "there")

    def plan(self, entries: Iterable[Suppressed]) -> Iterator[Planned]:
        for batch in self._batches(entries):
            for address, state in self._states([each.address for each in batch]):
                yield Planned(address, _INTENTS[state], state)

    def push(self, entries: Iterable[Suppressed], position: LedgerPosition) -> Iterator[Pushed]:
        if self.capabilities.unit is Unit.SNAPSHOT:
            yield self._replaced([each.address for each in entries])
            return
        for batch in self._batches(entries):
            addresses = [each.address for each in batch]
            if "logs people" in self.faults:
                logging.getLogger("acme").info("telling %s", addresses)
            if self.capabilities.delivery is Delivery.JOB:
                body = self._read("POST", "/v1/lists/news/jobs", _emails(addresses))
                token = json.dumps([body["id"], addresses])
                yield Job(token, "queued", datetime(2026, 11, 23, tzinfo=UTC))
                continue
            yield from self._told(addresses)

    def poll(self, job: Job) -> Iterator[Pushed]:
        number, addresses = json.loads(job.token)
        reply = self._send("GET", f"/v1/lists/news/jobs/{number}")
        if reply.status == 404:
            gone = Outcome.SUPPRESSED if "takes a lost job for done" in self.faults else Outcome.RETRY_LATER
            yield from (Result(each, gone) for each in addresses)
            return
        yield from self._results(addresses, self._fine(reply))

    def read_back(self, addresses: Sequence[str]) -> Iterator[Observation]:
        if "believes itself" in self.faults:
            yield from (Observation(each, self._seen.get(each, Remote.MAILABLE)) for each in addresses)
            return
        rest = iter(addresses)
        while batch := list(islice(rest, 2)):
            yield from (Observation(address, state) for address, state in self._states(batch))

    def sweep(self, cursor: str | None) -> tuple[tuple[Observation, ...], str | None]:
        reply = self._send("GET", f"/v1/lists/news/optouts?from={cursor or 0}")
        if "sweeps what it can" in self.faults and reply.status != 200:
            return (), None
        page = self._fine(reply)
        following = page["next"]
        found = tuple(Observation(str(each), Remote.SUPPRESSED) for each in _list(page["emails"]))
        return found, None if following is None else str(following)

    def close(self) -> None:
        self._transport.close()
        self._own.close()

    # --- How ---------------------------------------------------------------------------------------------

    def _batches(self, entries: Iterable[Suppressed]) -> Iterator[list[Suppressed]]:
        rest = iter(entries)
        while batch := list(islice(rest, self.capabilities.max_batch or 1)):
            yield batch

    def _told(self, addresses: list[str]) -> Iterator[Pushed]:
        if self.faults & {"creates people", "brings people back"}:
            self._send("PUT", "/v1/contacts", {**_emails(addresses), "status": "subscribed"})
        if "brings people back for good" in self.faults:
            self._send("PUT", "/v1/contacts", _emails(addresses))
            yield from (Result(each, Outcome.SUPPRESSED) for each in addresses)
            return
        path = "/v1/optouts" if "widens" in self.faults else "/v1/lists/news/optouts"
        try:
            reply = self._send("POST", path, _emails(addresses))
        except Transient:
            if "takes silence for consent" not in self.faults:
                raise
            yield from (Result(each, Outcome.SUPPRESSED) for each in addresses)
            return
        if reply.status == 404 and "widens when lost" in self.faults:
            reply = self._send("POST", "/v1/optouts", _emails(addresses))
        if "counts on 2xx" in self.faults and reply.status < 300:
            yield from (Result(each, Outcome.SUPPRESSED) for each in addresses)
            return
        if "shrugs at failures" in self.faults and reply.status >= 500:
            yield from (Result(each, Outcome.SUPPRESSED) for each in addresses)
            return
        yield from self._results(addresses, self._fine(reply))

    def _replaced(self, addresses: list[str]) -> Snapshot:
        reply = self._send("PUT", "/v1/lists/news/optouts", _emails(addresses))
        if "counts on 2xx" not in self.faults and self._fine(reply).get("rows") != len(addresses):
            raise ContractBroken("Acme did not take everyone")
        return Snapshot("the list news", len(addresses), hashlib.sha256(reply.body).hexdigest())

    def _results(self, addresses: Sequence[str], body: dict[str, Json]) -> Iterator[Pushed]:
        rows = [each for each in _list(body["results"]) if isinstance(each, dict)]
        if [row.get("email") for row in rows] != list(addresses):
            raise ContractBroken("Acme's answer does not account for everyone")
        for address, row in zip(addresses, rows, strict=True):
            outcome = _OUTCOMES.get(str(row.get("status")), Outcome.SUPPRESSED)
            if outcome is Outcome.ALREADY and "stumbles over what is done" in self.faults:
                outcome = Outcome.REJECTED_PERMANENT
            self._seen[address] = Remote.SUPPRESSED
            yield Result(address, outcome, evidence=Evidence("list.optout", 200))

    def _states(self, addresses: Sequence[str]) -> Iterator[tuple[str, Remote]]:
        reply = self._send("POST", "/v1/search", _emails(addresses))
        if "reads nothing as unknown" in self.faults and not reply.is_json:
            yield from ((each, Remote.UNKNOWN) for each in addresses)
            return
        rows = [each for each in _list(self._fine(reply)["contacts"]) if isinstance(each, dict)]
        yield from ((str(row["email"]), _STATES[str(row["status"])]) for row in rows)

    def _read(self, method: str, target: str, body: Body = None) -> dict[str, Json]:
        return self._fine(self._send(method, target, body))

    def _send(self, method: str, target: str, body: Body = None) -> Reply:
        if self.faults & {"goes on at once", "never stops"}:
            return self._impatient(method, target, body)
        if "goes its own way" in self.faults:
            self._own.get(f"{self._url}/v1/statistics")
        token = f"Bearer {TOKEN}"
        return self._transport.send(method, target, authorization=token, body=body)

    def _impatient(self, method: str, target: str, body: Body) -> Reply:
        """A client of its own: it tries again and again."""
        while True:
            there = self._own.request(
                method, self._url + target, headers={"Authorization": f"Bearer {TOKEN}"}, json=body
            )
            if there.status_code != 429 or "never stops" not in self.faults:
                break
        if there.status_code == 429:
            return self._impatient(method, target, body)
        return Reply(there.status_code, {}, there.content)

    def _fine(self, reply: Reply) -> dict[str, Json]:
        """The body of an answer that is one."""
        if "quotes the platform" in self.faults and reply.status >= 400:
            raise Transient(f"Acme said no to the token {TOKEN}")
        match reply.status:
            case 401 if "takes 401 for weather" not in self.faults:
                raise AuthFailed("Acme refused the token")
            case 404:
                raise PermissionMissing("Acme has no such list", scope="list")
            case 429:
                raise Throttled("Acme had too many requests")
            case status if status >= 300:
                raise Transient(f"Acme answered {status}")
        if "assumes JSON" in self.faults:
            body = json.loads(reply.body)
            assert isinstance(body, dict)
            return body
        if not reply.is_json or not isinstance(reply.json, dict):
            raise ContractBroken("Acme's answer is no object")
        return reply.json


def _emails(addresses: Sequence[str]) -> dict[str, Json]:
    return {"emails": list[Json](addresses)}


def _list(value: Json) -> Sequence[Json]:
    if not isinstance(value, (list, tuple)):
        raise ContractBroken("Acme's answer lacks a list")
    return value
