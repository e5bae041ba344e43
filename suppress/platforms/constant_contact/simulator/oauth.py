"""Sign-in: authorization code with or without PKCE, device, refresh, and the page where a person approves.

Rules kept here, as the vendor's guides state them:

* A refresh token comes only with the scope `offline_access`; without it there is none, and no error.
* A rotating refresh kills the old token: whoever presents that one gets `invalid_grant`.
* A code lasts 300 seconds and works once. Parameters may come in the query or in a form body.
* Access tokens are opaque to us but look like the vendor's: a JWT of more than 1,000 characters. Nobody
  can verify its signature; it is random.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from suppress.platforms.constant_contact.simulator.clock import Clock
from suppress.platforms.constant_contact.simulator.http import Refused, Request, oauth_error
from suppress.platforms.constant_contact.simulator.limits import Meter
from suppress.platforms.constant_contact.simulator.scenario import Limits, Refresh, SignIn

ISSUER = "https://identity.constantcontact.com/oauth2/aus1lm3ry9mF7x2Ja0h8"
AUDIENCE = "https://api.cc.email/v3"
OFFLINE = "offline_access"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SLOWER = 5
"""Seconds that RFC 8628 adds to the interval after each `slow_down`."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token: whose application, what it may do, until when."""

    client_id: str
    scopes: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """What an application asked a person for, until the person decides."""

    client_id: str
    scopes: tuple[str, ...]
    redirect_uri: str
    state: str
    challenge: str | None


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code that was handed out."""

    asked: Asked
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A grant that outlives its access token. `public`: it came without the application's secret."""

    client_id: str
    scopes: tuple[str, ...]
    used_at: datetime
    public: bool
    rotated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A device that waits for a person. `approved` is None until they decide."""

    client_id: str
    scopes: tuple[str, ...]
    user_code: str
    expires_at: datetime
    interval: int
    polled_at: datetime | None = None
    approved: bool | None = None


@dataclass(slots=True)
class Grants:
    """Every token, code and pending question of one application."""

    sign_in: SignIn
    limits: Limits
    clock: Clock
    tokens: dict[str, Token] = field(default_factory=dict)
    asked: dict[str, Asked] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    refreshes: dict[str, RefreshToken] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    meter: Meter = field(init=False)

    def __post_init__(self) -> None:
        self.meter = Meter(self.limits.token_per_second, self.limits.per_day, self.limits.retry_after)
        self.tokens[self.sign_in.access_token] = Token(
            self.sign_in.client_id, self.sign_in.scopes, self._in(self.sign_in.access_token_life)
        )

    def token_of(self, request: Request) -> Token | None:
        """The valid token that a request carries, None for a missing, unknown or expired one."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        token = self.tokens.get(text.strip()) if scheme.lower() == "bearer" else None
        return token if token is not None and self.clock.now() < token.expires_at else None

    def scopes(self, text: str) -> tuple[str, ...] | None:
        """The scopes asked for, None if one of them is not to be had."""
        wanted = tuple(dict.fromkeys(text.split()))
        return wanted if wanted and set(wanted) <= set(self.sign_in.scopes) else None

    # --- Codes -------------------------------------------------------------------------------------------

    def code(self, asked: Asked) -> str:
        """A new authorization code."""
        text = secrets.token_urlsafe(24)
        self.codes[text] = Code(asked, self._in(self.sign_in.code_life))
        return text

    def by_code(self, form: dict[str, str], request: Request) -> dict[str, object]:
        """Tokens for a code.

        Raises:
            Refused: `invalid_grant`, or `invalid_client` for the wrong secret.
        """
        code = self.codes.pop(form.get("code", ""), None)
        if code is None or self.clock.now() >= code.expires_at:
            raise invalid_grant("The authorization code is invalid or has expired.")
        asked = code.asked
        public = asked.challenge is not None
        self._client(form, request, client_id=asked.client_id, public=public)
        if form.get("redirect_uri") != asked.redirect_uri:
            raise invalid_grant("The redirect_uri does not match the authorization request.")
        if public and _challenge(form.get("code_verifier", "")) != asked.challenge:
            raise invalid_grant("PKCE verification failed.")
        return self._issued(asked.scopes, public=public)

    # --- Refresh -----------------------------------------------------------------------------------------

    def by_refresh(self, form: dict[str, str], request: Request) -> dict[str, object]:
        """Tokens for a refresh token: a new one if they rotate, else the same one again.

        Raises:
            Refused: `invalid_grant` for one that is unknown, used up or unused for too long.
        """
        text = form.get("refresh_token", "")
        held = self.refreshes.get(text)
        now, life = self.clock.now(), timedelta(seconds=self.sign_in.refresh_life)
        if held is None or now >= held.used_at + life or self._used_up(held, now):
            raise invalid_grant("The refresh token is invalid or expired.")
        self._client(form, request, client_id=held.client_id, public=held.public)
        if self.sign_in.refresh is Refresh.ROTATING:
            self.refreshes[text] = replace(held, rotated_at=held.rotated_at or now)
            return self._issued(held.scopes, public=held.public)
        self.refreshes[text] = replace(held, used_at=now)
        return self._issued(held.scopes, public=held.public, refresh=text)

    def _used_up(self, held: RefreshToken, now: datetime) -> bool:
        grace = timedelta(seconds=self.sign_in.refresh_grace)
        return held.rotated_at is not None and now >= held.rotated_at + grace

    # --- Devices -----------------------------------------------------------------------------------------

    def device(self, scopes: tuple[str, ...]) -> tuple[str, Device]:
        """A device begins to wait; its code and what the person types."""
        text = secrets.token_urlsafe(24)
        letters = "BCDFGHJKLMNPQRSTVWXZ"
        user_code = "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(2))
        expires = self._in(self.sign_in.device_life)
        device = Device(self.sign_in.client_id, scopes, user_code, expires, self.sign_in.device_interval)
        self.devices[text] = device
        return text, device

    def waiting(self, user_code: str) -> str | None:
        """The device code of a device that still waits for this user code."""
        for text, device in self.devices.items():
            if device.user_code == user_code.strip().upper() and device.approved is None:
                return text
        return None

    def by_device(self, form: dict[str, str], request: Request) -> dict[str, object]:
        """Tokens for a device code once the person has approved.

        Raises:
            Refused: The polling errors of RFC 8628 section 3.5.
        """
        text = form.get("device_code", "")
        device = self.devices.get(text)
        if device is None:
            raise invalid_grant("The device code is invalid.")
        self._client(form, request, client_id=device.client_id, public=True)
        now = self.clock.now()
        if now >= device.expires_at:
            raise Refused(oauth_error(400, "expired_token", "The device code has expired."))
        if device.approved is None:
            early = device.polled_at is not None and now < device.polled_at + timedelta(
                seconds=device.interval
            )
            interval = device.interval + SLOWER if early else device.interval
            self.devices[text] = replace(device, polled_at=now, interval=interval)
            code = "slow_down" if early else "authorization_pending"
            raise Refused(oauth_error(400, code, "The person has not decided yet."))
        del self.devices[text]
        if not device.approved:
            raise Refused(oauth_error(400, "access_denied", "The person refused."))
        scopes = device.scopes if self.sign_in.device_refresh_token else _without(device.scopes, OFFLINE)
        return self._issued(scopes, public=True)

    # --- Tokens ------------------------------------------------------------------------------------------

    def _issued(
        self, scopes: tuple[str, ...], *, public: bool, refresh: str | None = None
    ) -> dict[str, object]:
        life, now = self.sign_in.token_life, self.clock.now()
        client_id = self.sign_in.client_id
        access = _jwt({"iss": ISSUER, "aud": AUDIENCE, "cid": client_id, "scp": list(scopes)}, now, life)
        self.tokens[access] = Token(client_id, scopes, self._in(life))
        issued: dict[str, object] = {
            "token_type": "Bearer",
            "expires_in": str(life) if self.sign_in.expires_in_text else life,
            "access_token": access,
            "scope": " ".join(scopes),
            "id_token": _jwt({"iss": ISSUER, "aud": client_id}, now, life),
        }
        if OFFLINE in scopes:
            text = refresh or secrets.token_urlsafe(32)
            self.refreshes[text] = RefreshToken(client_id, scopes, now, public)
            issued["refresh_token"] = text
        return issued

    def _client(self, form: dict[str, str], request: Request, *, client_id: str, public: bool) -> None:
        """Check that the application is the one that the grant belongs to."""
        given, secret = _basic(request)
        if given is None:
            given, secret = form.get("client_id"), form.get("client_secret")
        known = given == client_id and secret in {None, self.sign_in.client_secret}
        if not known or (secret is None and not public):
            raise Refused(oauth_error(401, "invalid_client", "Client authentication failed."))

    def _in(self, seconds: int) -> datetime:
        return self.clock.now() + timedelta(seconds=seconds)


def invalid_grant(description: str) -> Refused:
    """400: the person has to sign in again."""
    return Refused(oauth_error(400, "invalid_grant", description))


def _without(scopes: Sequence[str], one: str) -> tuple[str, ...]:
    return tuple(scope for scope in scopes if scope != one)


def _challenge(verifier: str) -> str:
    """S256 of RFC 7636 section 4.2."""
    return _base64url(hashlib.sha256(verifier.encode()).digest())


def _basic(request: Request) -> tuple[str | None, str | None]:
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None, None
    try:
        client_id, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except ValueError:
        raise Refused(oauth_error(401, "invalid_client", "Client authentication failed.")) from None
    return client_id, secret


def _jwt(claims: dict[str, object], now: datetime, life: int) -> str:
    issued = int(now.timestamp())
    about = {"ver": 1, "jti": f"AT.{secrets.token_urlsafe(32)}", "iat": issued, "exp": issued + life}
    about |= claims | {"sub": "simulated.user", "platform_user_id": "00000000-0000-4000-8000-000000000000"}
    parts = ({"kid": secrets.token_urlsafe(32), "alg": "RS256"}, about)
    head = ".".join(_base64url(json.dumps(part).encode()) for part in parts)
    return f"{head}.{_base64url(secrets.token_bytes(512))}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
