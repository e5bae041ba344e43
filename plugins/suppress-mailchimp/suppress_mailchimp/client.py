"""One account's way to the Marketing API: signs each call, and says in words what a bad answer means.

| answer | done |
|---|---|
| 200, 204 | read; a page or broken JSON is asked for again |
| 401 | `AuthFailed` |
| 403 with a problem in it | `PermissionMissing` |
| 403 without one, 429 | too many requests: again after 1, 2, 4 … 60 seconds, then `Throttled` |
| 500, 502, 503 (also the firewall's page), 504 | again, a few times, then `Transient` |
| 400, 404, 405 | handed to the caller, who knows what was asked |

The vendor names no limit in its answers and sends no `Retry-After`. A repeated write does what one does.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TypeVar
from urllib.parse import urlencode

from suppress.core.suppression import Json
from suppress.errors import ConfigWrong, DestinationFailed, SuppressError
from suppress.plugin.contract import Evidence
from suppress.plugin.errors import AuthFailed, ContractBroken, PermissionMissing, Throttled, Transient
from suppress.plugin.guard import reads
from suppress.plugin.lanes import Lanes
from suppress.plugin.pace import Clock
from suppress.plugin.transport import Patience, Reply, Retry, Transport, usual
from suppress_mailchimp import results, wire
from suppress_mailchimp.calls import PATCH, PATCH_TEXT, SKIP, UNSUBSCRIBED, calls
from suppress_mailchimp.settings import Options, host_of

_T = TypeVar("_T")
_ONE = "id,email_address,status,unsubscribe_reason,last_changed,source"
_MANY = "members.id,members.status,members.last_changed,total_items"
"""A roster needs nobody's address, so none is fetched for it."""
_SWEPT = "members.id,members.email_address,members.status,members.last_changed,members.unsubscribe_reason"
_LIST = "id,name,stats.member_count,stats.unsubscribe_count,stats.cleaned_count"
_LISTS = ",".join(f"lists.{each}" for each in _LIST.split(","))

_SIGNUPS = "signup,generic_signup,website_signup,landing_page_signup,ecommerce_signup,squatter_signup"


class Doubling(Patience):
    """Waits 1, 2, 4 … 60 seconds, with jitter, between two answers that say "too many requests"."""

    def after_throttle(self, throttles: int) -> float:
        """Seconds to wait: from half of the next step up to the whole of it."""
        return min(2.0 ** (throttles - 1), 60.0) * (0.5 + self.jitter() / 2)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that the caller judges, with what is kept of it as evidence."""

    status: int
    body: bytes
    evidence: Evidence


class Client:
    """Makes the calls; several threads may. Every method may raise what the module's table says."""

    def __init__(
        self, options: Options, *, clock: Clock | None = None, patience: Patience | None = None
    ) -> None:
        self._options = options
        self._clock = clock or Clock()
        self._patience = patience or Doubling(throttles=10)
        self._lanes = Lanes(at_once=options.connections, whose="Mailchimp", clock=clock)
        self._made: Transport | None = None
        if options.oauth:
            self._authorization = f"Bearer {options.token}"
        else:
            self._authorization = f"Basic {base64.b64encode(f'suppress:{options.token}'.encode()).decode()}"

    @property
    def host(self) -> str:
        """The host that is talked to."""
        return self._transport.host

    def close(self) -> None:
        """Give the connections back."""
        if self._made is not None:
            self._made.close()

    def ping(self) -> None:
        """Prove that the credentials work."""
        self._answer("GET /ping", "GET", "/ping")

    def audiences(self) -> tuple[wire.Audience, ...]:
        """Every audience of the account."""
        found: dict[str, wire.Audience] = {}
        while True:
            query = {"count": 1000, "offset": len(found), "fields": f"{_LISTS},total_items"}
            page = self._read("GET /lists", f"/lists?{urlencode(query)}", wire.audiences)
            new = [each for each in page if each.id not in found]
            found |= {each.id: each for each in new}
            if not new:
                return tuple(found.values())

    def audience(self, identity: str) -> wire.Audience:
        """One audience.

        Raises:
            ConfigWrong: There is no such audience.
        """
        answered = self._answer("GET /lists/{id}", "GET", f"/lists/{identity}?fields={_LIST}")
        if answered.status == 404:
            raise ConfigWrong(
                f"destinations.{self._options.name}.audience names no audience of this account",
                remedy="copy the audience ID from the audience's settings",
            )
        return self._as("GET /lists/{id}", answered, wire.audience)

    def members(
        self, audience: str, *, offset: int, count: int, status: str | None, since: datetime | None
    ) -> wire.MemberPage:
        """A page of members, those who were changed longest ago first; without addresses."""
        return self._members(audience, offset, count, status, since, _MANY)

    def suppressed(
        self, audience: str, *, offset: int, count: int, status: str, since: datetime | None
    ) -> wire.MemberPage:
        """The same of one status, with addresses."""
        return self._members(audience, offset, count, status, since, f"{_SWEPT},total_items")

    def member(self, audience: str, name: str) -> tuple[wire.Member | None, Evidence]:
        """One member, archived ones too; None if the audience does not hold it."""
        answered = self._answer("GET member", "GET", f"{_member(audience, name)}?fields={_ONE}")
        if answered.status == 404:
            return None, answered.evidence
        return self._as("GET member", answered, wire.member), answered.evidence

    def came_back(self, audience: str, name: str) -> str | None:
        """How a member last signed up, as far as the platform tells."""
        target = f"{_member(audience, name)}/activity-feed?count=20&activity_filters={_SIGNUPS}"
        try:
            answered = self._answer("GET activity-feed", "GET", target)
        except DestinationFailed:
            # Who is mailed again matters more than who did it.
            return None
        return wire.came_back(json.loads(answered.body)) if answered.status == 200 else None

    def unsubscribe(self, audience: str, name: str) -> Answered:
        """Unsubscribe a member who is there; it can never create one."""
        return self._answer("PATCH member", "PATCH", f"{_member(audience, name)}?{SKIP}=true", PATCH)

    def create(self, audience: str, name: str, address: str) -> Answered:
        """Add somebody as unsubscribed; who is there already is unsubscribed."""
        body = {"email_address": address, "status": UNSUBSCRIBED, "status_if_new": UNSUBSCRIBED}
        return self._answer("PUT member", "PUT", f"{_member(audience, name)}?{SKIP}=true", body)

    def archive(self, audience: str, name: str) -> Answered:
        """Archive a member; 405 if the platform will not."""
        return self._answer("DELETE member", "DELETE", _member(audience, name))

    def list_call(self, audience: str, addresses: list[str]) -> tuple[wire.ListAnswer, Evidence]:
        """Unsubscribe up to 500 people at once. It would create whom the audience does not hold."""
        members: list[Json] = [{"email_address": each, **PATCH} for each in addresses]
        target = f"/lists/{audience}?{SKIP}=true&skip_duplicate_check=true"
        answered = self._answer(
            "POST /lists/{id}", "POST", target, {"members": members, "update_existing": True}
        )
        return self._as("POST /lists/{id}", answered, wire.list_answer), answered.evidence

    def start(self, changes: list[tuple[str, str, str]]) -> wire.Batch:
        """Start a batch that unsubscribes members: operation id, audience, hash."""
        operations: list[Json] = [
            {
                "method": "PATCH",
                "path": _member(audience, name),
                "params": {SKIP: "true"},
                "body": PATCH_TEXT,
                "operation_id": identity,
            }
            for identity, audience, name in changes
        ]
        answered = self._answer("POST /batches", "POST", "/batches", {"operations": operations})
        return self._as("POST /batches", answered, wire.batch)

    def batch(self, identity: str) -> tuple[wire.Batch | None, Evidence]:
        """How a batch is doing; None if the platform no longer knows it."""
        answered = self._answer("GET /batches/{id}", "GET", f"/batches/{identity}")
        if answered.status == 404:
            return None, answered.evidence
        return self._as("GET /batches/{id}", answered, wire.batch), answered.evidence

    def results(self, url: str) -> list[wire.OperationAnswer]:
        """A finished batch's answers; raises `results.Expired` when the address has run out."""
        return results.fetch(
            url, origin=self._origin, turns=self._lanes, clock=self._clock, patience=self._patience
        )

    # --- One call ----------------------------------------------------------------------------------------

    @property
    def _transport(self) -> Transport:
        if self._made is None:
            self._made = Transport.writing(
                self._origin,
                calls=calls(self._options),
                pace=self._lanes,
                judge=_judge,
                clock=self._clock,
                patience=self._patience,
            )
        return self._made

    @cached_property
    def _origin(self) -> str:
        return self._options.origin or self._asked_origin()

    def _asked_origin(self) -> str:
        """Where an OAuth token's account lives, by the sign-in host's word."""
        transport = Transport(
            self._options.login,
            calls=reads("/oauth2/metadata"),
            pace=self._lanes,
            failed=Transient,
            clock=self._clock,
            patience=self._patience,
        )
        try:
            reply = transport.send("GET", "/oauth2/metadata", authorization=f"OAuth {self._options.token}")
        finally:
            transport.close()
        facts = reply.json if reply.status == 200 and reply.is_json else None
        dc = facts.get("dc") if isinstance(facts, dict) else None
        if not isinstance(dc, str) or not re.fullmatch(r"[a-z]{2,4}[0-9]{1,4}", dc):
            raise AuthFailed(
                f"{transport.host} does not say where the account of this access token is ({reply.status})",
                remedy=f"check the token, or set destinations.{self._options.name}.dc",
            )
        return host_of(dc)

    def _members(
        self, audience: str, offset: int, count: int, status: str | None, since: datetime | None, fields: str
    ) -> wire.MemberPage:
        query: dict[str, str | int] = {
            "count": count,
            "offset": offset,
            "sort_field": "last_changed",
            "sort_dir": "ASC",
            "fields": fields,
        }
        if status is not None:
            query["status"] = status
        if since is not None:
            query["since_last_changed"] = since.isoformat()
        target = f"/lists/{audience}/members?{urlencode(query)}"
        return self._read("GET /lists/{id}/members", target, wire.members)

    def _read(self, endpoint: str, target: str, read: Callable[[object], _T]) -> _T:
        return self._as(endpoint, self._answer(endpoint, "GET", target), read)

    def _as(self, endpoint: str, answered: Answered, read: Callable[[object], _T]) -> _T:
        if answered.status != 200:
            raise self._refused(endpoint, answered.status, answered.body)
        try:
            return read(json.loads(answered.body))
        except wire.NotAsPromised as wrong:
            raise ContractBroken(f"{self.host} answered {endpoint} with {wrong}") from None

    def _answer(
        self, endpoint: str, method: str, target: str, body: Mapping[str, Json] | None = None
    ) -> Answered:
        """One call; whatever stops the whole run is raised."""
        reply = self._transport.send(
            method, self._options.prefix + target, authorization=self._authorization, body=body
        )
        evidence = Evidence(
            endpoint=endpoint,
            status=reply.status,
            request_id=wire.request_id(reply),
            request_digest=None if body is None else _digest(json.dumps(body).encode()),
            response_digest=_digest(reply.body),
            vendor_time=reply.server_time,
            attempts=reply.attempts,
        )
        stops = reply.status in (401, 403, 408, 425, 429) or reply.status >= 500
        if stops or (reply.status == 200 and not reply.is_json):
            raise self._refused(endpoint, reply.status, reply.body)
        return Answered(reply.status, reply.body, evidence)

    def _refused(self, endpoint: str, status: int, body: bytes) -> SuppressError:
        problem = wire.problem(body)
        said = "" if problem is None or not problem.words else f"; it said: {problem.words}"
        name = self._options.name
        what = f"destination {name!r}: {self.host} answered {endpoint} with {status}"
        if status == 401:
            variable = f"SUPPRESS_DESTINATIONS__{name.upper()}__"
            return AuthFailed(
                f"destination {name!r}: {self.host} refused the credentials{said}",
                remedy=f"set {variable}{'ACCESS_TOKEN' if self._options.oauth else 'API_KEY'}",
            )
        if status == 403 and problem is not None:
            return PermissionMissing(f"{what}{said}", scope="a role that may manage the audience")
        if status in (403, 429):
            return Throttled(f"{what}: too many requests at once; other programs may use the same account")
        if status >= 500 or status in (200, 408, 425):
            return Transient(f"{what}{' and a web page' if status == 200 else ''}{said}")
        return DestinationFailed(f"{what}{said}")


def _judge(reply: Reply) -> Retry | None:
    if reply.status == 403 and wire.problem(reply.body) is None:
        # High volume can be refused so, with nothing that says why (the vendor's page on throttling).
        return Retry.THROTTLED
    if reply.status == 200 and not reply.is_json:
        return Retry.FAILED
    return usual(reply)


def _member(audience: str, name: str) -> str:
    return f"/lists/{audience}/members/{name}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
