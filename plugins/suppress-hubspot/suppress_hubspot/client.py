"""One HubSpot account over HTTP: signs each request, keeps to its limits, says in words what went wrong.

| status | done |
|---|---|
| 200, 207 | the answer; anything but JSON is asked for again, then refused |
| 400 | `RecordRejected`: this address, or this batch, is refused for good |
| 401 | the token is read once more; then `AuthFailed` |
| 403 | `PermissionMissing`, with the scopes that the answer names |
| 429 | `policyName` decides: `DAILY` ends the day (`QuotaExhausted`), the others are waited for |
| 423, 477, 500, 502, 503, 504 | again, a few times; then `Transient` |
| others | `ContractBroken` with the vendor's own words, without addresses |
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, time, timedelta
from urllib.parse import quote, urlencode

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
from suppress.plugin.transport import Patience, Reply, Retry, Transport
from suppress_hubspot import wire
from suppress_hubspot.calls import ACCOUNT, SEARCH, calls
from suppress_hubspot.settings import Options

_FAILED_THERE = frozenset({423, 477, 500, 502, 503, 504})
"""423 is a lock and 477 a migration of the account, both over soon (vendor's page on errors)."""


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
        self._preferences = f"{options.prefix}/communication-preferences/{options.version}"
        self.lanes = self._lanes()
        self._transport = self._connected(self.lanes, patience)
        # Searches have a limit of their own, and do not count in the ten seconds' one.
        searching = Lanes(
            at_once=1,
            per_second=options.searches_per_second * 0.95,
            whose=self._whose,
            clock=self._clock,
        )
        self._searches = self._connected(searching, patience)

    def _lanes(self) -> Lanes:
        state = self._settings.state
        key = f"{self._options.origin}{self._options.prefix}\n{self._settings.name}"
        name = f"hubspot-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
        return Lanes(
            at_once=self._options.connections,
            per_second=self._options.per_second,
            per_day=self._options.per_day,
            whose=self._whose,
            file=None if state is None else state / name,
            resets=self._midnight(),
            clock=self._clock,
        )

    def _connected(self, lanes: Lanes, patience: Patience | None) -> Transport:
        return Transport.writing(
            self._options.origin,
            calls=calls(self._options),
            pace=lanes,
            judge=_judge,
            clock=self._clock,
            patience=patience,
        )

    @property
    def host(self) -> str:
        """The host that is talked to."""
        return self._transport.host

    @property
    def _whose(self) -> str:
        return "HubSpot"

    def close(self) -> None:
        """Give the connections back."""
        self._transport.close()
        self._searches.close()

    # --- The calls ---------------------------------------------------------------------------------------

    def opt_out(self, address: str) -> Reply:
        """Opt one address out of everything."""
        # Without verbose=true the answer accounts for nobody: its results are empty.
        return self._ask("POST", f"{self._of(address)}?{self._query()}")

    def opted_out(self, address: str) -> Reply:
        """Whether one address is opted out of everything: the authoritative word."""
        return self._ask("GET", f"{self._of(address)}?{self._query()}")

    def opt_out_many(self, addresses: list[str]) -> Reply:
        """Opt up to a hundred addresses out."""
        target = f"{self._preferences}/statuses/batch/unsubscribe-all?{self._query()}"
        return self._ask("POST", target, {"inputs": list(addresses)})

    def opted_out_many(self, addresses: list[str]) -> Reply:
        """Whether up to a hundred addresses are opted out."""
        target = f"{self._preferences}/statuses/batch/unsubscribe-all/read?{self._query(verbose=False)}"
        return self._ask("POST", target, {"inputs": list(addresses)})

    def definitions(self) -> Reply:
        """The subscription types of the account."""
        return self._ask("GET", f"{self._preferences}/definitions")

    def account(self) -> Reply:
        """The account's number and time zone."""
        return self._ask("GET", f"{self._options.prefix}{ACCOUNT}")

    def search(self, body: dict[str, Json]) -> Reply:
        """A page of contacts."""
        return self._ask("POST", f"{self._options.prefix}{SEARCH}", body, self._searches)

    def _of(self, address: str) -> str:
        return f"{self._preferences}/statuses/{quote(address, safe='')}/unsubscribe-all"

    def _query(self, *, verbose: bool = True) -> str:
        parameters = {"channel": "EMAIL"}
        if verbose:
            parameters["verbose"] = "true"
        if self._options.business_unit is not None:
            parameters["businessUnitId"] = str(self._options.business_unit)
        return urlencode(parameters)

    def _ask(self, method: str, target: str, body: Json = None, over: Transport | None = None) -> Reply:
        transport = over or self._transport
        reply = signed(
            self._settings,
            "access_token",
            lambda token: transport.send(method, target, authorization=f"Bearer {token}", body=body),
        )
        if reply.status not in (200, 207):
            raise self._refused(reply)
        if not reply.is_json:
            raise self._transient(f"answered with {reply.kind} instead of JSON")
        return reply

    # --- What answers mean -------------------------------------------------------------------------------

    def broken(self, problem: str) -> ContractBroken:
        """An answer that is not as promised, as an error."""
        return ContractBroken(self._said(f"answered, but not as its contract says: {problem}"))

    def _transient(self, problem: str) -> Transient:
        return Transient(self._said(problem))

    def _said(self, problem: str) -> str:
        return f"destination {self._settings.name!r}: {self.host} {problem}"

    def _refused(self, reply: Reply) -> SuppressError:
        said = wire.complaint(reply)
        words = f"; it said: {said.message}" if said.message else ""
        match reply.status:
            case 400:
                return RecordRejected(self._said(f"refused it{words}"), code=said.category or "400")
            case 401:
                return AuthFailed(
                    self._said(f"refused the access token{words}"),
                    remedy="give it the token of a private app that is still there",
                )
            case 403:
                return self._forbidden(said, words)
            case 429 if said.policy == "DAILY":
                return self.lanes.shut(self._next_midnight())
            case 429:
                return Throttled(
                    self._said(f"answered 'too many requests' {reply.attempts} times{words}"),
                    retry_at=_asked_to_wait_until(reply, self._clock.utc()),
                )
            case status if status in _FAILED_THERE:
                return self._transient(f"failed with {status} ({reply.attempts} tries){words}")
            case status:
                return ContractBroken(self._said(f"answered {status}{words}"))

    def _forbidden(self, said: wire.Complaint, words: str) -> PermissionMissing:
        scope = ", ".join(said.scopes) or "a scope that it does not name"
        batch = any(".batch." in each for each in said.scopes) and self._options.batch
        return PermissionMissing(
            self._said(f"forbids this call (403); the token lacks {scope}{words}"),
            scope=", ".join(said.scopes),
            remedy='set mode = "single": only Marketing Hub Enterprise can grant it'
            if batch
            else "add the scope to the private app, and give its new token",
        )

    def _midnight(self) -> time:
        """When the account's day begins, as a time of day in UTC; it moves with daylight saving."""
        return self._next_midnight().timetz().replace(tzinfo=None)

    def _next_midnight(self) -> datetime:
        """`DAILY` limits begin anew at midnight in the account's time zone (usage guidelines)."""
        there = self._clock.utc().astimezone(self._options.zone)
        tomorrow = datetime.combine(there.date() + timedelta(days=1), time(), self._options.zone)
        return tomorrow.astimezone(UTC)


def evidence(
    endpoint: str, reply: Reply, *, at: datetime | None = None, sent: bytes | None = None
) -> Evidence:
    """What was answered, without anybody's address in it."""
    correlation = reply.headers.get("x-hubspot-correlation-id") or wire.complaint(reply).correlation
    return Evidence(
        endpoint,
        reply.status,
        correlation,
        None if sent is None else hashlib.sha256(sent).hexdigest(),
        hashlib.sha256(reply.body).hexdigest(),
        at or reply.server_time,
        reply.attempts,
    )


def _judge(reply: Reply) -> Retry | None:
    if reply.status == 429:
        # The day's limit is not over in a second; spinning on it would only add errors.
        return None if wire.complaint(reply).policy == "DAILY" else Retry.THROTTLED
    if reply.status in (200, 207) and not reply.is_json:
        return Retry.FAILED
    return Retry.FAILED if reply.status in _FAILED_THERE else None


def _asked_to_wait_until(reply: Reply, now: datetime) -> datetime | None:
    text = reply.headers.get("retry-after", "")
    return now + timedelta(seconds=int(text)) if text.isdecimal() and len(text) < 9 else None
