"""One SendGrid account over HTTP: signs each request, waits for its limits, says in words what went wrong.

| status | done |
|---|---|
| 200, 201 | the answer; anything but JSON is asked for again, then refused |
| 400, 413 | `RecordRejected`: this address, or this batch, is refused for good |
| 401 | the key is read once more; then `AuthFailed` |
| 403 | `PermissionMissing`, with the scope that the call needs |
| 404 | `Missing`: the group is not there |
| 429 | waited for until `X-RateLimit-Reset`; too long or too often, `Throttled` |
| 500, 502, 503, 504 | again, a few times; then `Transient` |
| others | `DestinationFailed` with the vendor's own words, without addresses |
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.errors import DestinationFailed, SuppressError
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
from suppress.plugin.transport import Patience, Reply, Retry, Transport
from suppress_sendgrid import calls, wire
from suppress_sendgrid.settings import Options

_FAILED_THERE = frozenset({500, 502, 503, 504})
_RESETS = 10
"""Limits that are waited for in one call, one after another."""


class Missing(DestinationFailed):
    """The unsubscribe group is not there."""


class Client:
    """Asks and tells. Safe to use from several threads."""

    def __init__(
        self,
        settings: DestinationSettings,
        options: Options,
        *,
        clock: Clock | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._settings = settings
        self._options = options
        self._clock = clock or Clock()
        lanes = Lanes(
            at_once=options.connections,
            per_second=options.per_second,
            whose="SendGrid",
            clock=self._clock,
        )
        self._transport = Transport.writing(
            options.origin,
            calls=calls.calls(options),
            pace=lanes,
            judge=_judge,
            clock=self._clock,
            patience=patience,
            headers={} if options.on_behalf_of is None else {"on-behalf-of": options.on_behalf_of},
        )

    @property
    def host(self) -> str:
        """The host that is talked to."""
        return self._transport.host

    def close(self) -> None:
        """Give the connections back."""
        self._transport.close()

    # --- The calls ---------------------------------------------------------------------------------------

    def scopes(self) -> Reply:
        """What the key may do."""
        return self._ask("GET", calls.SCOPES)

    def group(self) -> Reply:
        """The unsubscribe group. Raises `Missing` if it was deleted."""
        return self._ask("GET", self._group, needs="asm.groups.read")

    def suppress(self, addresses: Sequence[str]) -> Reply:
        """Put these on the list: the global one, or the group's."""
        if self._options.group is None:
            return self._ask("POST", calls.GLOBAL, _list(addresses), needs="asm.suppressions.global.create")
        target = f"{self._group}/suppressions"
        return self._ask("POST", target, _list(addresses), needs="asm.groups.suppressions.create")

    def globally(self, address: str) -> Reply:
        """Whether one address is on the global list."""
        target = f"{calls.GLOBAL}/{quote(address, safe='')}"
        return self._ask("GET", target, needs="asm.suppressions.global.read")

    def among(self, addresses: Sequence[str]) -> Reply:
        """Who of these is in the group."""
        target = f"{self._group}/suppressions/search"
        return self._ask("POST", target, _list(addresses), needs="asm.groups.suppressions.read")

    def members(self) -> Reply:
        """Everybody in the group; the vendor has no pages for it."""
        return self._ask("GET", f"{self._group}/suppressions", needs="asm.groups.suppressions.read")

    def page(self, name: str, offset: int, *, starting: str | None = None) -> Reply:
        """A page of a list under `/v3/suppression`; with `starting`, of addresses that begin so."""
        query = {"limit": str(self._options.page_size), "offset": str(offset)}
        if starting is not None:
            query["email"] = starting
        target = f"/v3/suppression/{name}?{urlencode(query, quote_via=quote)}"
        return self._ask("GET", target, needs=f"suppression.{name}.read")

    @property
    def _group(self) -> str:
        assert self._options.group is not None, "asked for with scope group only"
        return calls.group(self._options.group)

    def _ask(self, method: str, path: str, body: Json = None, *, needs: str = "") -> Reply:
        target = f"{self._options.prefix}{path}"
        reply = signed(self._settings, "api_key", lambda key: self._sent(method, target, key, body))
        if reply.status not in (200, 201):
            raise self._refused(reply, needs)
        if not reply.is_json:
            raise self._transient(f"answered with {reply.kind} instead of JSON")
        return reply

    def _sent(self, method: str, target: str, key: str, body: Json) -> Reply:
        """The last answer; a limit whose end the answer names is waited for, and the call sent again."""
        waits = 0
        while True:
            reply = self._transport.send(method, target, authorization=f"Bearer {key}", body=body)
            wait = _until_reset(reply, self._clock.utc())
            if wait is None or waits == _RESETS or wait > self._options.longest_wait:
                return reply
            waits += 1
            # The reset is given to the second, rounded by nobody knows which rule.
            self._clock.wait(wait + 1.0)

    # --- What answers mean -------------------------------------------------------------------------------

    def broken(self, problem: str) -> ContractBroken:
        """An answer that is not as promised, as an error."""
        return ContractBroken(self._said(f"answered, but not as its contract says: {problem}"))

    def _transient(self, problem: str) -> Transient:
        return Transient(self._said(problem))

    def _said(self, problem: str) -> str:
        return f"destination {self._settings.name!r}: {self.host} {problem}"

    def _refused(self, reply: Reply, needs: str) -> SuppressError:
        said = wire.complaint(reply)
        words = f"; it said: {said}" if said else ""
        match reply.status:
            case 400 | 413:
                return RecordRejected(self._said(f"refused it{words}"), code=str(reply.status))
            case 401:
                return AuthFailed(
                    self._said(f"refused the API key{words}"),
                    remedy="give it an API key that is still there, of the same region",
                )
            case 403:
                return PermissionMissing(
                    self._said(f"forbids this call (403); the key lacks {needs or 'a scope'}{words}"),
                    scope=needs,
                    remedy="add the scope to the API key in SendGrid",
                )
            case 404 if self._options.group is not None:
                return Missing(
                    self._said(f"has no unsubscribe group {self._options.group}"),
                    remedy="set group_id to a group that is there; SendGrid puts people of a group that is "
                    "gone on the global list, so look there for whoever was told last",
                )
            case 429:
                return Throttled(
                    self._said(f"answered 'too many requests' {reply.attempts} times{words}"),
                    retry_at=_reset(reply),
                )
            case status if status in _FAILED_THERE:
                return self._transient(f"failed with {status} ({reply.attempts} tries){words}")
            case status:
                return DestinationFailed(self._said(f"answered {status}{words}"))


def evidence(endpoint: str, reply: Reply, *, sent: Sequence[str] | None = None) -> Evidence:
    """What was answered, without anybody's address in it."""
    return Evidence(
        endpoint,
        reply.status,
        reply.headers.get("x-request-id"),
        None if sent is None else hashlib.sha256("\n".join(sent).encode()).hexdigest(),
        hashlib.sha256(reply.body).hexdigest(),
        reply.server_time,
        reply.attempts,
    )


def _list(addresses: Sequence[str]) -> Json:
    return {"recipient_emails": list(addresses)}


def _judge(reply: Reply) -> Retry | None:
    if reply.status == 429:
        # Where the answer says when the limit is reset, the client waits for that.
        return Retry.THROTTLED if _reset(reply) is None else None
    if reply.status in (200, 201) and not reply.is_json:
        return Retry.FAILED
    return Retry.FAILED if reply.status in _FAILED_THERE else None


def _reset(reply: Reply) -> datetime | None:
    text = reply.headers.get("x-ratelimit-reset", "")
    return datetime.fromtimestamp(int(text), UTC) if text.isdecimal() and len(text) < 11 else None


def _until_reset(reply: Reply, now: datetime) -> float | None:
    """Seconds until a limit that was hit is reset, by the platform's own clock where it tells."""
    reset = _reset(reply) if reply.status == 429 else None
    if reset is None:
        return None
    return max(0.0, (reset - (reply.server_time or now)) / timedelta(seconds=1))
