"""One account's way to the API, for reading: signs each request, and says in words what a bad answer means.

What each status means is section "errors" of the vendor's contract; the answers to it:

| status | done |
|---|---|
| 200 | the page; HTML or broken JSON is asked for again, then refused |
| 202 | the platform is still computing: again |
| 401 | the token is renewed, or its file read once more; then `SignInNeeded` |
| 403 | a missing scope, a missing privilege and a deactivated app all look the same, so all three are named |
| 429 | `throttled`: again; `quota_exceeded`: `QuotaExhausted` until 00:00 UTC |
| 500, 502, 503, 504 | again, a few times |
| others | `SourceFailed` with the vendor's own words, without addresses |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

from suppress.config import SourceSettings
from suppress.errors import SourceFailed, SuppressError
from suppress.platforms.constant_contact import wire
from suppress.platforms.constant_contact.options import Options
from suppress.platforms.constant_contact.quota import Refusal, pace_of, refusal
from suppress.platforms.constant_contact.signing_in import access_token
from suppress.plugin.pace import Clock
from suppress.plugin.transport import Patience, Reply, Retry, Transport, usual
from suppress.plugin.words import vendor_words


@dataclass(frozen=True, slots=True)
class Fetched:
    """One page, and what the platform's clock said."""

    answer: wire.Answer
    server_time: datetime | None


@dataclass(frozen=True, slots=True)
class Needs:
    """What a call needs besides a token that is accepted: named when the platform forbids it."""

    act: str
    acting: str
    scope: str
    privilege: str


READING = Needs("read contacts", "reading contacts", "contact_data", "contacts:read")
ASKING = Needs("sign in", "asking what this user may do", "contact_data", "contacts:read")
REPORTING = Needs("read campaign reports", "reading campaign reports", "campaign_data", "ui:campaign:metrics")
PRIVILEGES = "/v3/account/user/privileges"
SUMMARIES = "/v3/reports/summary_reports/email_campaign_summaries"
_ELSEWHERE = (
    PRIVILEGES,
    SUMMARIES,
    r"/v3/emails/[0-9A-Za-z-]{1,64}",
    r"/v3/reports/email_reports/[0-9A-Za-z-]{1,64}/tracking/(?:optouts|bounces)",
)


class Client:
    """Asks for pages of contacts, and reads what else the account tells. `requests` counts every attempt."""

    def __init__(
        self,
        settings: SourceSettings,
        options: Options,
        *,
        state: Path,
        clock: Clock,
        patience: Patience | None = None,
    ) -> None:
        self._name = settings.name
        self._origin = options.origin
        self._prefix = options.prefix
        self.budget = options.daily_budget
        self.token = access_token(settings, state, clock=clock, patience=patience)
        self.pace = pace_of(options, state, clock)
        self.forbidden = False
        """Whether the platform knew the token and refused all the same: 403."""
        self._transport = Transport.reading(
            options.origin,
            paths=[f"{options.prefix}{path}" for path in (wire.CONTACTS, *_ELSEWHERE)],
            pace=self.pace,
            judge=_judge,
            clock=clock,
            patience=patience,
        )

    @property
    def source(self) -> str:
        """The name of its `[sources.NAME]` table."""
        return self._name

    @property
    def host(self) -> str:
        """The host that is asked."""
        return self._transport.host

    @property
    def requests(self) -> int:
        """Attempts so far, retries included."""
        return self._transport.requests

    def close(self) -> None:
        """Give the connection back."""
        self._transport.close()
        self.token.close()

    def first(self, parameters: dict[str, str]) -> Fetched:
        """The first page of a query."""
        return self._page(f"{wire.CONTACTS}?{urlencode(parameters)}")

    def following(self, href: str) -> Fetched:
        """The page that an earlier one named as its next."""
        try:
            target = wire.next_target(href, origin=self._origin)
        except wire.NotAsPromised as wrong:
            raise self.failed(str(wrong)) from None
        return self._page(target)

    def failed(self, problem: str) -> SourceFailed:
        """An answer that breaks the contract, as an error."""
        return self._failed(f"answered, but not as its contract says: {problem}")

    def told(self, path: str, parameters: Mapping[str, str | tuple[str, ...]], *, needs: Needs) -> object:
        """The JSON of one answer; a value of several words is repeated. Raises what `first` raises."""
        query = f"?{urlencode(parameters, doseq=True)}" if parameters else ""
        return self._granted(f"{path}{query}", needs).json

    def told_next(self, href: str, path: str, *, needs: Needs) -> object:
        """The page of `path` that an earlier one named as its next."""
        try:
            target = wire.next_target(href, origin=self._origin, path=path)
        except wire.NotAsPromised as wrong:
            raise self.failed(str(wrong)) from None
        return self._granted(target, needs).json

    def _page(self, target: str) -> Fetched:
        reply = self._granted(target, READING)
        try:
            return Fetched(wire.answer(reply.json), reply.server_time)
        except wire.NotAsPromised as wrong:
            said = _said(reply)
            raise self.failed(f"{wrong}{f'; it said: {said}' if said else ''}") from None

    def _granted(self, target: str, needs: Needs) -> Reply:
        reply = self._ask(target)
        for _ in range(self.token.renewals):
            if reply.status != 401 or not self.token.renewed():
                break
            reply = self._ask(target)
        if reply.status != 200:
            raise self._refused(reply, needs)
        if not reply.is_json:
            raise self._failed(f"answered with {reply.kind} instead of JSON{_tries(reply)}")
        return reply

    def _ask(self, target: str) -> Reply:
        authorization = self.token.authorization()
        return self._transport.send("GET", self._prefix + target, authorization=authorization)

    def _refused(self, reply: Reply, needs: Needs) -> SuppressError:
        said = _said(reply)
        words = f"; it said: {said}" if said else ""
        limit = refusal(reply)
        if limit is Refusal.QUOTA:
            return self.pace.shut()
        if limit is Refusal.THROTTLED:
            return self._failed(
                f"answered 'too many requests'{_tries(reply)}, although no more than 4 a second were sent: "
                f"another program may be using the same API key{_wait(reply)}{words}"
            )
        match reply.status:
            case 401:
                return self.token.refused(
                    f"{self.host} refused the access token in {self.token.place}{words}"
                )
            case 403:
                self.forbidden = True
                return SourceFailed(
                    f"{self.host} forbids {needs.acting} (403){words}. One of three things is missing: the "
                    f"token's scope {needs.scope}, the user's privilege {needs.privilege}, or the "
                    "application is switched off",
                    remedy=f"sign in again with the scope {needs.scope}, as a user who may {needs.act}, "
                    "and see that the application is active in the developer portal",
                )
            case _:
                body = "" if said else f" with {reply.kind}"
                return self._failed(f"answered {reply.status}{body}{_tries(reply)}{words}")

    def _failed(self, problem: str) -> SourceFailed:
        return SourceFailed(f"source {self._name!r}: {self.host} {problem}")


def _judge(reply: Reply) -> Retry | None:
    limit = refusal(reply)
    if limit is not None:
        return Retry.THROTTLED if limit is Refusal.THROTTLED else None
    if reply.status == 202 or (reply.status == 200 and not reply.is_json):
        return Retry.FAILED
    return usual(reply)


def _said(reply: Reply) -> str:
    key, message = wire.complaint(reply.json) if reply.is_json else ("", "")
    return f"{message} ({key})" if key and message else key or message


def _tries(reply: Reply) -> str:
    return f" ({reply.attempts} tries)" if reply.attempts > 1 else ""


def _wait(reply: Reply) -> str:
    asked = vendor_words(reply.headers.get("retry-after", ""), longest=40)
    return f"; it asks to wait ({asked})" if asked else ""
