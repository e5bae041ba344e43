"""One org's way to Salesforce's REST API: signs each call in, and says in words what a bad answer means.

| answer | done |
|---|---|
| 401 `INVALID_SESSION_ID` | signed in again, a few times; then `AuthFailed` |
| 403 `REQUEST_LIMIT_EXCEEDED` | `QuotaExhausted`: the allowance of 24 hours is used up |
| 403, others | `PermissionMissing` |
| 400 `INVALID_FIELD`, `INVALID_TYPE` | `PermissionMissing`: field security hides the field, or the object |
| 429, 500, 503 | again, a few times; then `Throttled` or `Transient` |
| a page for people in place of an answer | again; then `ContractBroken` |
| others | `DestinationFailed` with the vendor's code, without addresses |

`Sforce-Limit-Info` comes with each answer. When the configured share of the day is used, nothing more is
sent: an org whose allowance is gone refuses everybody's integrations, not only ours.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn

from suppress.core.suppression import Json
from suppress.errors import DestinationFailed, QuotaExhausted, SuppressError
from suppress.plugin.contract import Evidence
from suppress.plugin.errors import ContractBroken, PermissionMissing, Throttled, Transient
from suppress.plugin.guard import Body
from suppress.plugin.lanes import Lanes
from suppress.plugin.pace import Clock
from suppress.plugin.transport import Patience, Reply, Retry, Transport, usual
from suppress.plugin.words import vendor_words
from suppress_salesforce import soql, wire
from suppress_salesforce.calls import org_calls
from suppress_salesforce.settings import Options
from suppress_salesforce.sign_in import Session

HEADERS = {"Sforce-Auto-Assign": "FALSE", "Sforce-Duplicate-Rule-Header": "allowSave=true"}
"""Without the first, setting a checkbox may run assignment rules; without the second, a duplicate rule may
refuse it (`DUPLICATES_DETECTED`). Sent with every call, because a read does not mind."""
RENEWALS = 3
"""Sessions that a call may find ended: several calls share one, and all of them find it ended at once."""
_HIDDEN = frozenset({"INVALID_FIELD", "INVALID_TYPE", "INVALID_FIELD_FOR_INSERT_UPDATE"})


class Client:
    """Asks and tells one org. `requests` counts every attempt."""

    def __init__(
        self, name: str, options: Options, *, clock: Clock | None = None, patience: Patience | None = None
    ) -> None:
        self._name = name
        self._options = options
        self.clock = clock or Clock()
        self._root = f"/services/data/v{options.version}"
        pace = Lanes(at_once=options.at_once, whose="Salesforce", clock=self.clock)
        self.session = Session(name, options, pace=pace, clock=self.clock, patience=patience)
        self._transport = Transport.writing(
            options.instance_url,
            calls=org_calls(options.version, options.targets),
            pace=pace,
            judge=_judge,
            clock=self.clock,
            patience=patience,
            headers=HEADERS,
        )
        self._used_up: tuple[int, int] | None = None

    @property
    def requests(self) -> int:
        """Attempts so far, retries included."""
        return self._transport.requests

    def close(self) -> None:
        """Give the connections back."""
        self._transport.close()
        self.session.close()

    # --- Reading -----------------------------------------------------------------------------------------

    def query(self, statement: str) -> Iterator[tuple[Mapping[str, object], Reply]]:
        """Every row of a query, page after page.

        Raises:
            ContractBroken: It ended with another number of rows than it promised.
        """
        target: str | None = f"/query?q={soql.encoded(statement)}"
        seen, total = 0, 0
        while target is not None:
            page, reply = self.query_page(target)
            seen, total, target = seen + len(page.records), page.total, page.following
            for each in page.records:
                yield each, reply
        if seen != total:
            raise self.broken(f"{seen} of {total} rows of a query")

    def query_page(self, target: str) -> tuple[wire.QueryPage, Reply]:
        """One page; `target` is below the version's path."""
        reply = self.asked("GET", target)
        try:
            page = wire.query_page(reply)
        except wire.NotAsPromised as wrong:
            raise self.broken(str(wrong)) from None
        if page.following is None:
            return page, reply
        below = page.following.removeprefix(self._root)
        if below in {page.following, target}:
            raise self.broken("a next page that leads elsewhere")
        return wire.QueryPage(page.total, page.records, below), reply

    def describe(self, name: str) -> dict[str, wire.Field]:
        """The fields of an object, as this user may see them."""
        try:
            return wire.fields(self.asked("GET", f"/sobjects/{name}/describe"))
        except wire.NotAsPromised as wrong:
            raise self.broken(str(wrong)) from None

    # --- Telling -----------------------------------------------------------------------------------------

    def update(self, kind: str, field: str, idents: Sequence[str]) -> tuple[list[wire.Saved], Evidence]:
        """Set the checkbox on up to 200 records; what became of each, in order."""
        records: list[Json] = [{"attributes": {"type": kind}, "id": each, field: True} for each in idents]
        body: Json = {"allOrNone": False, "records": records}
        reply = self.asked("PATCH", "/composite/sobjects", body)
        try:
            return wire.saves(reply, idents), evidence("composite/sobjects", reply, json.dumps(body).encode())
        except wire.NotAsPromised as wrong:
            raise self.broken(str(wrong)) from None

    # --- Every call --------------------------------------------------------------------------------------

    def asked(
        self, method: str, target: str, body: Body = None, *, content_type: str = "application/json"
    ) -> Reply:
        """A good answer.

        Raises:
            AuthFailed, PermissionMissing, QuotaExhausted, Throttled, Transient, DestinationFailed: As the
                table of this module says.
        """
        if self._used_up is not None:
            used, most = self._used_up
            raise QuotaExhausted(
                f"destination {self._name!r}: {used:,} of the org's {most:,} requests in 24 hours are used, "
                f"and allowance_percent is {self._options.allowance_percent}",
                remedy="run the same command again tomorrow, or raise allowance_percent",
            )
        token = self.session.token()
        reply = self._send(method, target, body, content_type, token)
        for _ in range(RENEWALS):
            if reply.status != 401 or not self.session.renewed(token):
                break
            token = self.session.token()
            reply = self._send(method, target, body, content_type, token)
        if not 200 <= reply.status < 300:
            self._refuse(reply, target)
        if reply.looks_like_html:
            raise self.broken("a web page")
        return reply

    def _send(self, method: str, target: str, body: Body, content_type: str, token: str) -> Reply:
        reply = self._transport.send(
            method, self._root + target, authorization=f"Bearer {token}", body=body, content_type=content_type
        )
        used = wire.usage(reply)
        if used is not None:
            over = used[0] * 100 >= used[1] * self._options.allowance_percent
            self._used_up = used if over else None
        return reply

    def _refuse(self, reply: Reply, target: str) -> NoReturn:
        code, message = wire.complaint(reply)
        # A malformed query is quoted back, and an address in pieces is not recognised as one.
        said = code if code in ("", "MALFORMED_QUERY") else vendor_words(f"{message} ({code})")
        call = target.partition("?")[0].strip("/").partition("/")[0]
        what = f"destination {self._name!r}: Salesforce answered {reply.status} to {call}"
        raise self._error(reply, code, f"{what}{': ' if said else ''}{said}")

    def _error(self, reply: Reply, code: str, words: str) -> SuppressError:
        match reply.status, code:
            case 401, _:
                return self.session.failed("the session is not valid (INVALID_SESSION_ID)")
            case 403, "REQUEST_LIMIT_EXCEEDED":
                return QuotaExhausted(
                    words,
                    remedy="run the same command again when some of the last 24 hours' requests are over",
                )
            case 403, _:
                return PermissionMissing(words, scope=code or "API Enabled")
            case 400, _ if code in _HIDDEN:
                return PermissionMissing(
                    words, scope="field-level security", remedy="let the run-as user see and edit the field"
                )
            case 429, _:
                return Throttled(words)
            case status, _ if status >= 500:
                return Transient(words)
            case _:
                return DestinationFailed(words)

    def broken(self, what: str) -> ContractBroken:
        """An answer that does not account for what was asked."""
        return ContractBroken(f"destination {self._name!r}: Salesforce answered with {what}")


def evidence(endpoint: str, reply: Reply, sent: bytes | None = None) -> Evidence:
    """What was answered. Only what holds record ids is digested: from a digest an address can be guessed."""
    headers = reply.headers
    return Evidence(
        endpoint,
        status=reply.status,
        request_id=headers.get("x-sfdc-request-id") or headers.get("x-request-id"),
        request_digest=None if sent is None else hashlib.sha256(sent).hexdigest(),
        response_digest=None if sent is None else hashlib.sha256(reply.body).hexdigest(),
        vendor_time=reply.server_time,
        attempts=reply.attempts,
    )


def _judge(reply: Reply) -> Retry | None:
    if reply.status == 200 and reply.looks_like_html:
        return Retry.FAILED
    return usual(reply)
