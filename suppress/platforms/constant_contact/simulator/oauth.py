"""Sign-in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from suppress.platforms.constant_contact.simulator.clock import Clock
from suppress.platforms.constant_contact.simulator.http import Request
from suppress.platforms.constant_contact.simulator.scenario import Limits, SignIn


@dataclass(frozen=True, slots=True)
class Token:
    """An access token: whose application, what it may do, until when."""

    client_id: str
    scopes: tuple[str, ...]
    expires_at: datetime


@dataclass(slots=True)
class Grants:
    """Tokens."""

    sign_in: SignIn
    limits: Limits
    clock: Clock
    tokens: dict[str, Token] = field(default_factory=dict)

    def __post_init__(self) -> None:
        life = timedelta(seconds=self.sign_in.token_life)
        expires = self.clock.now() + life
        self.tokens[self.sign_in.access_token] = Token(self.sign_in.client_id, self.sign_in.scopes, expires)

    def token_of(self, request: Request) -> Token | None:
        """The valid token that a request carries, None for a missing, unknown or expired one."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        token = self.tokens.get(text.strip()) if scheme.lower() == "bearer" else None
        return token if token is not None and self.clock.now() < token.expires_at else None
