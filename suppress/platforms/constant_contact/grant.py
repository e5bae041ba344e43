"""What a sign-in gives: an access token that ends in hours, and the refresh token that outlives it.

Rules kept here (the vendor's OAuth guide, and support staff in "Refresh token expiry"):

* A grant dies when its refresh token was unused for 180 days. Each refresh begins them anew.
* `expires_in` is a number or a text of digits; the guide shows 28800 and says 86400. What arrives counts.
* A refresh may bring a new refresh token, which kills the old one, or none: then the old one stays.
* Ages are counted from this machine's clock at the time of the answer, so that it need not agree with the
  vendor's. Whether a token really works only an answer tells.
* A token is in no `repr`, and in no message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

LIFE = timedelta(days=180)
"""How long an unused refresh token lives."""
EARLY = timedelta(minutes=5)
"""How long before its end an access token is replaced."""
UNSTATED = 3_600
"""Seconds that an access token is taken to live when the answer does not say."""

_TOKEN = re.compile(r"[!-~]{1,65536}")
_SCOPE = re.compile(r"[!#-\[\]-~]{1,100}")  # RFC 6749, section 3.3
_YEARS = 100 * 365 * 86_400


class NoGrant(ValueError):
    """A text is no grant; the message says what is wrong with it and never holds a token."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One sign-in of one source. `renewed_at` is when these tokens arrived."""

    client_id: str
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    scopes: tuple[str, ...]
    renewed_at: datetime
    expires_at: datetime
    confidential: bool = False
    """Whether it was given for the application's secret, which then goes with each refresh."""
    account: str | None = None
    """The organisation's name, as the platform shows it."""

    @property
    def lapses_at(self) -> datetime:
        """When it ends for good, unless it is renewed before."""
        return self.expires_at if self.refresh_token is None else self.renewed_at + LIFE

    def fresh(self, now: datetime) -> bool:
        """Whether the access token will do for the next request and some more."""
        # Of a token that lives for seconds, half the life is enough.
        early = min(EARLY, (self.expires_at - self.renewed_at) / 2)
        return now < self.expires_at - early

    def alive(self, now: datetime) -> bool:
        """Whether the access token has not ended yet."""
        return bool(self.access_token) and now < self.expires_at

    def without_access(self) -> Grant:
        """The same grant, whose access token was lost or refused: only a refresh makes it usable."""
        return replace(self, access_token="", expires_at=self.renewed_at)


def issued(
    answer: object,
    *,
    now: datetime,
    client_id: str,
    asked: tuple[str, ...],
    before: Grant | None = None,
    confidential: bool = False,
) -> Grant:
    """The grant in an answer of the token endpoint; `before` is the one that was refreshed.

    Raises:
        NoGrant: There is no usable access token in it.
    """
    if not isinstance(answer, dict):
        raise NoGrant("expected an object with tokens")
    access, refresh = answer.get("access_token"), answer.get("refresh_token")
    if not isinstance(access, str) or _TOKEN.fullmatch(access) is None:
        raise NoGrant("expected an access_token")
    kind = answer.get("token_type", "Bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise NoGrant("expected a token of the type Bearer")
    if refresh is not None and (not isinstance(refresh, str) or _TOKEN.fullmatch(refresh) is None):
        raise NoGrant("expected a text as refresh_token")
    if refresh is None and before is not None:
        refresh = before.refresh_token
    scope = answer.get("scope")
    given = _scopes(scope.split() if isinstance(scope, str) else ())
    return Grant(
        client_id=client_id,
        access_token=access,
        refresh_token=refresh,
        # RFC 6749, section 5.1: left out when it is what was asked for.
        scopes=given or (before.scopes if before is not None else asked),
        renewed_at=now,
        expires_at=now + timedelta(seconds=_seconds(answer.get("expires_in"))),
        confidential=confidential,
        account=None if before is None else before.account,
    )


def _seconds(value: object) -> int:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value[:20])
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _YEARS:
        return int(value)
    return UNSTATED


def _scopes(words: object) -> tuple[str, ...]:
    if not isinstance(words, (list, tuple)):
        return ()
    return tuple(dict.fromkeys(each for each in words if isinstance(each, str) and _SCOPE.fullmatch(each)))


def digest(token: str) -> str:
    """What tells tokens apart without being one."""
    return sha256(token.encode()).hexdigest()


def to_facts(grant: Grant) -> dict[str, object]:
    """A grant as it is kept, in plain text."""
    return {
        "client_id": grant.client_id,
        "access_token": grant.access_token,
        "refresh_token": grant.refresh_token,
        "scopes": list(grant.scopes),
        "renewed_at": grant.renewed_at.timestamp(),
        "expires_at": grant.expires_at.timestamp(),
        "confidential": grant.confidential,
        "account": grant.account,
    }


def from_facts(facts: object) -> Grant:
    """The grant that `to_facts` wrote down.

    Raises:
        NoGrant: It was not written by this program, or not whole.
    """
    if not isinstance(facts, Mapping):
        raise NoGrant("it holds no sign-in")
    access, refresh = facts.get("access_token"), facts.get("refresh_token")
    client_id, account = facts.get("client_id"), facts.get("account")
    times = [facts.get(key) for key in ("renewed_at", "expires_at")]
    plain = isinstance(access, str) and isinstance(client_id, str) and isinstance(refresh, str | None)
    if not plain or not all(isinstance(each, int | float) for each in times):
        raise NoGrant("it holds no whole sign-in")
    try:
        renewed, expires = (datetime.fromtimestamp(float(str(each)), UTC) for each in times)
    except (ValueError, OverflowError, OSError):
        raise NoGrant("it holds a time that is none") from None
    return Grant(
        client_id=str(client_id),
        access_token=str(access),
        refresh_token=None if refresh is None else str(refresh),
        scopes=_scopes(facts.get("scopes")),
        renewed_at=renewed,
        expires_at=expires,
        confidential=facts.get("confidential") is True,
        account=account if isinstance(account, str) else None,
    )


def parsed(text: str | bytes) -> object:
    """JSON that was written by this program.

    Raises:
        NoGrant: It is none, for example because writing it was cut short.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise NoGrant("it is not what was written there") from None
