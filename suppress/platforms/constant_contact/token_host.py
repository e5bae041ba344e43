"""The vendor's sign-in host: where people are sent, and how codes and refresh tokens become tokens.

Rules kept here (the vendor's guides to its flows; RFC 6749, 7636 and 8628 where they are silent):

* About one request a second is let through at the token endpoint (support staff, in "Rate Limiting On Access
  Tokens"), counted over all processes that use this application.
* `invalid_grant` and the other words of RFC 6749 are answers, told apart by `Denied.code`. Anything else that
  is no token is a failure that may pass.
* A request whose answer was lost is sent again: at worst the vendor says that the token was used up, which
  then it was.
* Nothing but what the flow needs is in a form; codes and tokens are in bodies, never in an address.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from suppress.errors import SourceFailed
from suppress.platforms.constant_contact import wire
from suppress.platforms.constant_contact.application import ROOT, Application
from suppress.platforms.constant_contact.grant import Grant, NoGrant, issued
from suppress.plugin.guard import Body, Call
from suppress.plugin.pace import Clock, Limits, Pace
from suppress.plugin.transport import Patience, Reply, Transport

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
DEVICE_LIFE, INTERVAL = 600, 5
"""Seconds, where the answer names none (RFC 8628, section 3.2)."""
SLOWER = 5
"""Seconds that each `slow_down` adds."""

_FIELDS = frozenset(
    {"grant_type", "code", "redirect_uri", "client_id", "code_verifier", "refresh_token", "device_code"}
    | {"scope", "response_type", "state"}
)


class Denied(ValueError):
    """The host answered with an OAuth error. `said` are its words, without tokens."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(code)
        self.code = code
        self.said = said


@dataclass(frozen=True, slots=True)
class Device:
    """A device that waits for a person."""

    device_code: str = field(repr=False)
    user_code: str
    url: str
    complete_url: str | None
    until: datetime
    interval: float


def challenge(verifier: str) -> str:
    """What is shown of a PKCE verifier (S256 of RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class TokenHost:
    """Asks for tokens on behalf of one application."""

    def __init__(
        self, application: Application, state: Path, *, clock: Clock, patience: Patience | None = None
    ) -> None:
        self._application = application
        self._clock = clock
        self._root = application.prefix + ROOT
        whole = f"{application.origin}{application.prefix}\n{application.client_id}"
        key = sha256(whole.encode()).hexdigest()
        self._transport = Transport(
            application.origin,
            calls=[
                Call("POST", f"{self._root}/{name}", refuses=_not_a_form, repeatable=True)
                for name in ("token", "device/authorize")
            ],
            pace=Pace(
                state / f"constant-contact-sign-in-{key[:16]}.json",
                Limits(burst=1, spacing=1.05),
                whose="Constant Contact's sign-in",
                clock=clock,
            ),
            failed=lambda problem: SourceFailed(f"source {application.source!r}: {problem}"),
            clock=clock,
            patience=patience,
        )

    @property
    def host(self) -> str:
        """The host that is asked."""
        return self._transport.host

    def close(self) -> None:
        """Give the connection back."""
        self._transport.close()

    def authorize_url(self, *, redirect_uri: str, state: str, verifier: str) -> str:
        """Where a person decides. What is in it is no secret once the answer has come."""
        asked = {
            "client_id": self._application.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "state": state,
            "scope": " ".join(self._application.scopes),
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        return f"{self._application.origin}{self._root}/authorize?{urlencode(asked, quote_via=quote)}"

    def by_code(self, code: str, *, redirect_uri: str, verifier: str) -> Grant:
        """The grant for an authorization code. Raises `Denied` and `SourceFailed`."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        confidential = self._application.client_secret is not None
        return self._tokens(form | {"code_verifier": verifier}, confidential=confidential)

    def refreshed(self, grant: Grant) -> Grant:
        """The grant with new tokens. Raises `Denied` and `SourceFailed`."""
        form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token or ""}
        return self._tokens(form, confidential=grant.confidential, before=grant)

    def device(self, state: str) -> Device:
        """A code for a person to type somewhere. Raises `Denied` and `SourceFailed`."""
        form = {"client_id": self._application.client_id, "scope": " ".join(self._application.scopes)}
        reply = self._sent("device/authorize", form, None)
        if reply.status == 400 and _code(reply) in {"invalid_request", "unsupported_response_type"}:
            # The vendor's guide does not say whether it wants these two here as well.
            reply = self._sent("device/authorize", form | {"response_type": "code", "state": state}, None)
        return self._device(self._understood(reply))

    def polled(self, device_code: str) -> Grant:
        """The grant, once the person has decided. Until then `Denied` says how it stands."""
        return self._tokens({"grant_type": DEVICE_GRANT, "device_code": device_code}, confidential=False)

    def _device(self, found: object) -> Device:
        told: Mapping[str, object] = found if isinstance(found, dict) else {}
        device_code, user_code = told.get("device_code"), told.get("user_code")
        # Some servers say verification_url, as drafts of RFC 8628 did.
        url, complete = told.get("verification_uri") or told.get("verification_url"), None
        if not all(isinstance(each, str) and each for each in (device_code, user_code, url)):
            raise self._failed("answered, but not with a code for a device")
        if isinstance(told.get("verification_uri_complete"), str) and _is_page(
            str(told["verification_uri_complete"])
        ):
            complete = str(told["verification_uri_complete"])
        if not _is_page(str(url)) or not str(user_code).isprintable() or len(str(user_code)) > 64:
            raise self._failed("answered, but not with a page and a code that a person could use")
        life = timedelta(seconds=_number(told.get("expires_in"), DEVICE_LIFE))
        return Device(
            str(device_code),
            str(user_code),
            str(url),
            complete,
            self._clock.utc() + life,
            max(1.0, _number(told.get("interval"), INTERVAL)),
        )

    def _tokens(self, form: Mapping[str, str], *, confidential: bool, before: Grant | None = None) -> Grant:
        application = self._application
        authorization = None
        if confidential and application.client_secret is not None:
            pair = f"{quote(application.client_id, safe='')}:{quote(application.client_secret, safe='')}"
            authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form = {**form, "client_id": application.client_id}
        # From before the request, so that the token is never taken to live longer than it does.
        now = self._clock.utc()
        found = self._understood(self._sent("token", form, authorization))
        try:
            return issued(
                found,
                now=now,
                client_id=application.client_id,
                asked=application.scopes,
                before=before,
                confidential=confidential,
            )
        except NoGrant as wrong:
            raise self._failed(f"answered, but not as its guide says: {wrong}") from None

    def _sent(self, name: str, form: Mapping[str, str], authorization: str | None) -> Reply:
        return self._transport.send(
            "POST",
            f"{self._root}/{name}",
            authorization=authorization,
            body=urlencode(form).encode(),
            content_type="application/x-www-form-urlencoded",
        )

    def _understood(self, reply: Reply) -> object:
        """The JSON of a good answer. Raises `Denied` for OAuth's own errors and `SourceFailed` else."""
        tries = f" ({reply.attempts} tries)" if reply.attempts > 1 else ""
        if not reply.is_json:
            raise self._failed(f"answered {reply.status} and not with JSON{tries}")
        if reply.status == 200:
            return reply.json
        key, said = wire.complaint(reply.json)
        words = f"{said} ({key})" if key and said else key or said
        if reply.status in {400, 401, 403} and isinstance(reply.json, dict) and "error" in reply.json:
            raise Denied(_code(reply), words)
        raise self._failed(f"answered {reply.status}{tries}{f'; it said: {words}' if words else ''}")

    def _failed(self, problem: str) -> SourceFailed:
        return SourceFailed(f"source {self._application.source!r}: {self.host} {problem}")


def _code(reply: Reply) -> str:
    found = reply.json if reply.is_json else None
    code = found.get("error") if isinstance(found, dict) else None
    return code if isinstance(code, str) else ""


def _not_a_form(body: Body) -> str | None:
    """Why a body is no form of this host: nothing else may be sent there."""
    if not isinstance(body, bytes):
        return "something other than a form to the sign-in host"
    names = {name for name, _ in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)}
    return None if names <= _FIELDS else "a field to the sign-in host that signing in does not need"


def _is_page(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    plain = url.isprintable() and " " not in url and len(url) <= 2_000
    return plain and parts.scheme in {"http", "https"} and bool(host) and parts.username is None


def _number(value: object, default: int) -> float:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9:
        return float(value)
    return float(default)
