"""One Klaviyo account over HTTP: signs each request, names the revision, says in words what went wrong.

| status | done |
|---|---|
| 200, 202 | the answer; anything but JSON is asked for again, then refused |
| 400 | `Refused`: one bad address fails the whole call, and may be named by its number |
| 401 | the key is read once more; then `AuthFailed` |
| 403 | `PermissionMissing` with the scopes of the call |
| 404 | `None` for a job: it is lost |
| 429 | waited for as `Retry-After` says; then `Throttled` |
| 500, 502, 503, 504 | again, a few times; then `Transient` |
| others | `ContractBroken` with the vendor's own words, without addresses |
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.errors import SuppressError
from suppress.plugin.contract import Evidence
from suppress.plugin.errors import (
    AuthFailed,
    ContractBroken,
    PermissionMissing,
    RecordRejected,
    Throttled,
    Transient,
)
from suppress.plugin.lanes import Lanes
from suppress.plugin.pace import Clock
from suppress.plugin.secret import signed
from suppress.plugin.transport import Patience, Reply, Retry, Transport, usual
from suppress_klaviyo import wire
from suppress_klaviyo.calls import ACCOUNTS, JOBS, PROFILES, calls, suppression
from suppress_klaviyo.settings import Options

_TYPE = "application/vnd.api+json"
_READS, _WRITES = "profiles:read", "profiles:write, subscriptions:write"


class Refused(RecordRejected):
    """A call that one bad address failed; `number` says which, if the answer does."""

    def __init__(self, message: str, *, code: str, number: int | None) -> None:
        super().__init__(message, code=code)
        self.number = number


class Client:
    """Asks and tells. Safe to use from several threads."""

    def __init__(
        self,
        settings: DestinationSettings,
        options: Options,
        *,
        clock: Clock,
        patience: Patience | None = None,
    ) -> None:
        self._settings = settings
        self._prefix = options.prefix
        self._clock = clock
        self._transport = Transport.writing(
            options.origin,
            calls=calls(options),
            pace=Lanes(
                at_once=options.connections, per_second=options.per_second, whose="Klaviyo", clock=clock
            ),
            judge=_judge,
            clock=clock,
            patience=patience,
            headers={"revision": options.revision, "Accept": _TYPE},
        )

    @property
    def host(self) -> str:
        """The host that is talked to."""
        return self._transport.host

    def close(self) -> None:
        """Give the connection back."""
        self._transport.close()

    def suppress(self, addresses: Sequence[str]) -> Reply:
        """Start a job that suppresses these addresses."""
        return self._ask("POST", JOBS, scope=_WRITES, body=suppression(addresses))

    def job(self, token: str) -> Reply | None:
        """How a job is doing; None if there is none of that name."""
        reply = self._sent("GET", f"{self._prefix}{JOBS}/{token}")
        return None if reply.status == 404 else self._good(reply, "subscriptions:read")

    def profiles(self, query: str) -> Reply:
        """A page of profiles."""
        return self._ask("GET", f"{PROFILES}?{query}", scope=_READS)

    def accounts(self) -> Reply:
        """The account that the key opens."""
        return self._ask("GET", ACCOUNTS, scope="accounts:read")

    def broken(self, problem: str) -> ContractBroken:
        """An answer that is not as promised, as an error."""
        return ContractBroken(self._said(f"answered, but not as its contract says: {problem}"))

    def _ask(self, method: str, target: str, *, scope: str, body: Json = None) -> Reply:
        return self._good(self._sent(method, f"{self._prefix}{target}", body), scope)

    def _sent(self, method: str, target: str, body: Json = None) -> Reply:
        return signed(self._settings, "api_key", lambda key: self._signed(method, target, body, key))

    def _signed(self, method: str, target: str, body: Json, key: str) -> Reply:
        scheme = "Klaviyo-API-Key" if key.startswith("pk_") else "Bearer"
        return self._transport.send(
            method, target, authorization=f"{scheme} {key}", body=body, content_type=_TYPE
        )

    def _good(self, reply: Reply, scope: str) -> Reply:
        if reply.status not in (200, 202):
            raise self._refused(reply, scope)
        if not reply.is_json:
            raise Transient(self._said(f"answered with {reply.kind} instead of JSON"))
        return reply

    def _said(self, problem: str) -> str:
        return f"destination {self._settings.name!r}: {self.host} {problem}"

    def _refused(self, reply: Reply, scope: str) -> SuppressError:
        said = wire.complaint(reply)
        words = f"; it said: {said.words}" if said.words else ""
        match reply.status:
            case 400:
                return Refused(self._said(f"refused it{words}"), code=said.code or "400", number=said.number)
            case 401:
                return AuthFailed(
                    self._said(f"refused the API key{words}"),
                    remedy="give it a private key that is still there",
                )
            case 403:
                return PermissionMissing(
                    self._said(f"forbids this call (403); the key lacks {scope}{words}"),
                    scope=scope,
                    remedy=f"make a private key with the scopes {scope}",
                )
            case 429:
                return Throttled(
                    self._said(f"answered 'too many requests' {reply.attempts} times{words}"),
                    retry_at=_asked_to_wait_until(reply, self._clock.utc()),
                )
            case 500 | 502 | 503 | 504:
                return Transient(self._said(f"failed with {reply.status} ({reply.attempts} tries){words}"))
            case status:
                return ContractBroken(self._said(f"answered {status}{words}"))


def evidence(endpoint: str, reply: Reply, *, name: str | None = None) -> Evidence:
    """What was answered, without anybody's address in it; `name` is a job's."""
    return Evidence(
        endpoint,
        reply.status,
        name,
        None,
        hashlib.sha256(reply.body).hexdigest(),
        reply.server_time,
        reply.attempts,
    )


def _judge(reply: Reply) -> Retry | None:
    return Retry.FAILED if reply.status in (200, 202) and not reply.is_json else usual(reply)


def _asked_to_wait_until(reply: Reply, now: datetime) -> datetime | None:
    text = reply.headers.get("retry-after", "")
    return now + timedelta(seconds=int(text)) if text.isdecimal() and len(text) < 9 else None
