"""The application that people sign in to, as `[sources.NAME]` describes it, checked and with its defaults."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from suppress.config import SourceSettings, wrong_at
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong
from suppress.plugin.guard import checked_origin
from suppress.plugin.signing import Store

AUTH = "https://authz.constantcontact.com"
ROOT = "/oauth2/default/v1"
"""There is no discovery document (both well-known addresses answer 404), so the paths are written down."""

READ, LABEL, OFFLINE = "contact_data", "account_read", "offline_access"
SCOPES = (READ, LABEL, OFFLINE)
"""To read contacts (there is no read-only scope for them), to name the account, to renew."""
REPORTS = "campaign_data"
"""To read campaign reports; asked for only where they are wanted."""
PORT = 8351
CALLBACK = "/callback"

_SCOPE = re.compile(r"[a-z][a-z_]{0,63}")


@dataclass(frozen=True, slots=True)
class Application:
    """One application at the vendor, and the grant of one source through it."""

    source: str
    client_id: str
    client_secret: str | None = field(repr=False)
    origin: str
    prefix: str
    scopes: tuple[str, ...]
    port: int
    store: Store | None
    ledger: str = field(repr=False, default="")

    @classmethod
    def of(cls, settings: SourceSettings) -> Application:
        """Read it from a `[sources.NAME]` table.

        Raises:
            ConfigWrong: A value cannot be what it should be, or there is no client_id.
        """
        given, table = settings.options, f"sources.{settings.name}"
        client_id = str(given.get("client_id") or "")
        if not client_id:
            raise ConfigWrong(
                f"[{table}] names no client_id, and without one nobody can sign in",
                remedy=f"add client_id to [{table}]: the API key of your application in the developer portal",
            )
        if not re.fullmatch(r"[!-~]{1,256}", client_id):
            raise wrong_at(
                _where(settings, "client_id"), f"{table}.client_id holds a space or a letter of no key"
            )
        url = str(given.get("auth_url") or AUTH)
        origin, path = checked_origin(url, setting=f"{table}.auth_url")
        secret, store = given.get("client_secret"), given.get("token_store")
        return cls(
            source=settings.name,
            client_id=client_id,
            client_secret=None if secret is None else str(secret),
            origin=origin,
            # The host, and the whole address that the guide shows, are what people write.
            prefix=path.removesuffix("/authorize").removesuffix(ROOT),
            scopes=_scopes(settings, given, table),
            port=_port(settings, given, table),
            store=None if store is None else Store(str(store)),
            ledger=settings.ledger,
        )

    @property
    def key(self) -> str:
        """Names what is kept for this grant. Another application, sign-in host or ledger is another grant."""
        place, file = self.ledger.split(":///", 1) if ":///" in self.ledger else (self.ledger, "")
        ledger = f"{place}:///{os.path.realpath(file)}" if file else place
        whole = "\n".join([self.origin + self.prefix, self.client_id, ledger, self.source])
        return f"{self.source}-{sha256(whole.encode()).hexdigest()[:16]}"


def _where(settings: SourceSettings, key: str) -> str:
    return settings.origins.get(key, "settings")


def _scopes(settings: SourceSettings, given: Mapping[str, Json], table: str) -> tuple[str, ...]:
    named = given.get("scopes", ())
    scopes = tuple(str(each) for each in named) if isinstance(named, (list, tuple)) else ()
    for scope in scopes:
        if _SCOPE.fullmatch(scope) is None:
            raise wrong_at(_where(settings, "scopes"), f"{table}.scopes: {scope!r} is no scope")
    if given.get("campaign_evidence") is True or given.get("bounces") is True:
        scopes = (*(scopes or (LABEL,)), REPORTS)
    # Without the first nothing can be read, without the last a person would have to come every day.
    return tuple(dict.fromkeys((READ, *(scopes or (LABEL,)), OFFLINE)))


def _port(settings: SourceSettings, given: Mapping[str, Json], table: str) -> int:
    port = given.get("redirect_port", PORT)
    if not isinstance(port, int) or not 0 <= port <= 65_535:
        raise wrong_at(
            _where(settings, "redirect_port"), f"{table}.redirect_port must be between 0 and 65535"
        )
    return port
