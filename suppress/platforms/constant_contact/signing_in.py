"""Signing in to Constant Contact: in a browser on this machine, or on any other one; and signing out.

Rules kept here:

* Where the tokens will be kept is settled before anybody is sent to the vendor: in the keyring, or in plain
  text in a private file if the person says so. Never without a word in the second instead of the first.
* A token that is given from outside outweighs a sign-in, so a sign-in that would have no effect is refused.
* Each sign-in has its own `state` and PKCE verifier, which live in this process alone.
* A grant that does not allow to read contacts is not kept.
* The tokens are durable before one is used, here to ask whose account it is.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from suppress.config import SourceSettings
from suppress.errors import BadUsage, ConfigWrong, SignInNeeded
from suppress.platforms.constant_contact.application import LABEL, READ, Application
from suppress.platforms.constant_contact.claims import claims
from suppress.platforms.constant_contact.grant import LIFE, Grant
from suppress.platforms.constant_contact.granted import Granted, needed
from suppress.platforms.constant_contact.keyring_entry import NoKeyring
from suppress.platforms.constant_contact.options import Options
from suppress.platforms.constant_contact.owner import organisation
from suppress.platforms.constant_contact.safe import Safe
from suppress.platforms.constant_contact.token import AccessToken, Token
from suppress.platforms.constant_contact.token_host import SLOWER, Denied, Device, TokenHost
from suppress.plugin.pace import Clock
from suppress.plugin.signing import Consent, Invitation, Invite, Origin, SignedIn, Store
from suppress.plugin.transport import Patience

if TYPE_CHECKING:
    from suppress.platforms.constant_contact.listener import Answered

FOLDER = "sign-in"
"""Below the folder for state: a folder of its own, that nobody else may enter."""
PLATFORM = "constant-contact"
REVOKING = (
    "Constant Contact has no call that ends a sign-in. There it lapses after 180 days without use; to end it "
    "at once, remove the application's access in the settings of the account, or switch the application off "
    "in the developer portal"
)


def safe_of(application: Application, state: Path, clock: Clock) -> Safe:
    """Where the grant of a source is kept."""
    return Safe(state / FOLDER, application.key, source=application.source, clock=clock)


def access_token(
    settings: SourceSettings, state: Path, *, clock: Clock, patience: Patience | None = None
) -> AccessToken:
    """The access token of a source: what was given from outside, else what somebody signed in to.

    Raises:
        ConfigWrong: What a sign-in needs is wrong.
    """
    outside = Token(settings)
    if is_given(settings) or not settings.options.get("client_id"):
        # Without a client_id nobody can have signed in; the error then says what can be done at all.
        return outside
    application = Application.of(settings)
    host = TokenHost(application, state, clock=clock, patience=patience)
    return Granted(application, safe_of(application, state, clock), host, clock=clock)


def is_given(settings: SourceSettings) -> bool:
    """Whether the access token comes from outside."""
    return settings.access_token is not None or settings.access_token_file is not None


class ConstantContactSignIn:
    """The sign-in of one source (`suppress.plugin.signing.SignIn`). Opens nothing before it is asked to."""

    def __init__(
        self,
        settings: SourceSettings,
        state: Path,
        *,
        clock: Clock | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._settings = settings
        self._state = state
        self._clock = clock or Clock()
        self._patience = patience

    # --- How it stands -----------------------------------------------------------------------------------

    def status(self) -> SignedIn:
        """How it is signed in, from what this machine knows."""
        if is_given(self._settings):
            return self._status_of_given()
        none = SignedIn(self._settings.name, PLATFORM, Origin.NONE)
        try:
            safe = safe_of(Application.of(self._settings), self._state, self._clock)
            grant = safe.read()
        except (ConfigWrong, SignInNeeded) as wrong:
            return replace(none, problem=wrong.message, remedy=wrong.remedy)
        if grant is None:
            return replace(none, problem="nobody has signed in", remedy=self._again)
        return self._status_of(grant, safe)

    @property
    def _again(self) -> str:
        return f"suppress login {self._settings.name}"

    def _status_of(self, grant: Grant, safe: Safe) -> SignedIn:
        now = self._clock.utc()
        problem = None
        if READ not in grant.scopes:
            problem = f"the sign-in lacks the scope {READ}"
        elif safe.has_ended(grant):
            problem = "the platform takes the sign-in no longer, as the last attempt to renew it showed"
        elif now >= grant.lapses_at:
            problem = (
                "the sign-in lapsed: it was unused for 180 days"
                if grant.refresh_token is not None
                else "the access token has ended, and the sign-in was one that cannot be renewed"
            )
        # A clock that was set back since would show more days than there ever are.
        left = min(LIFE, max(timedelta(), grant.lapses_at - now))
        return SignedIn(
            self._settings.name,
            PLATFORM,
            Origin.GRANT,
            problem=problem,
            remedy=None if problem is None else self._again,
            account=grant.account,
            scopes=grant.scopes,
            expires_at=grant.expires_at,
            renews=grant.refresh_token is not None,
            renewed_at=grant.renewed_at,
            lapses_at=grant.lapses_at,
            # A day that has begun counts, so that a fresh sign-in shows all 180.
            days_left=-(-left // timedelta(days=1)),
            place=safe.place,
            plain_text=safe.where() is Store.FILE,
        )

    def _status_of_given(self) -> SignedIn:
        token = Token(self._settings)
        given = SignedIn(self._settings.name, PLATFORM, Origin.GIVEN, place=token.place, plain_text=True)
        try:
            said = claims(token.authorization().removeprefix("Bearer "))
        except SignInNeeded as wrong:
            return replace(given, problem=wrong.message, remedy=wrong.remedy)
        given = replace(given, scopes=said.scopes, expires_at=said.expires_at, lapses_at=said.expires_at)
        if said.expires_at is None or said.expires_at > self._clock.utc():
            return given
        ended = token.refused(f"the access token in {token.place} has ended")
        return replace(given, problem=ended.message, remedy=ended.remedy)

    # --- In ----------------------------------------------------------------------------------------------

    def by_browser(
        self,
        invite: Invite,
        *,
        store: Store | None,
        consent: Consent,
        patience: timedelta,
        port: int | None,
    ) -> SignedIn:
        """Authorization code with PKCE; the browser comes back to this machine."""
        # Only who signs in needs a web server; every sync imports this module.
        from suppress.platforms.constant_contact.listener import Listener

        with self._signing(store, consent) as (application, safe, host, kept):
            verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(32)
            at = application.port if port is None else port
            with Listener(at, state, source=application.source) as listener:
                back = listener.redirect_uri
                url = host.authorize_url(redirect_uri=back, state=state, verifier=verifier)
                invite(Invitation(url, self._clock.utc() + patience))
                code = self._code(listener.wait(patience.total_seconds()), patience)
            return self._keep(host.by_code(code, redirect_uri=back, verifier=verifier), safe, kept)

    def by_device(self, invite: Invite, *, store: Store | None, consent: Consent) -> SignedIn:
        """A code that a person types on any machine (RFC 8628)."""
        with self._signing(store, consent) as (_, safe, host, kept):
            device = host.device(secrets.token_urlsafe(32))
            invite(Invitation(device.url, device.until, device.user_code, device.complete_url))
            return self._keep(self._polled(host, device), safe, kept)

    @contextmanager
    def _signing(
        self, store: Store | None, consent: Consent
    ) -> Iterator[tuple[Application, Safe, TokenHost, Store]]:
        application = Application.of(self._settings)
        Options.of(self._settings)  # a wrong value elsewhere in the table shows before a person is sent away
        if is_given(self._settings):
            raise BadUsage(
                f"source {application.source!r} is given its access token by {Token(self._settings).place}, "
                "which outweighs a sign-in",
                remedy="take that away first, or go on without signing in",
            )
        safe = safe_of(application, self._state, self._clock)
        kept = _chosen(application, safe, store, consent)
        host = TokenHost(application, self._state, clock=self._clock, patience=self._patience)
        try:
            yield application, safe, host, kept
        except Denied as denied:
            raise self._denied(denied, host) from None
        finally:
            host.close()

    def _code(self, answered: Answered | None, patience: timedelta) -> str:
        if answered is None:
            minutes = patience.total_seconds() / 60
            raise SignInNeeded(
                f"nobody signed in to source {self._settings.name!r} within {minutes:g} minutes",
                remedy=f"{self._again}; without a browser on this machine: {self._again} --device",
            )
        if answered.code is None:
            raise Denied(answered.error or "", answered.said)
        return answered.code

    def _polled(self, host: TokenHost, device: Device) -> Grant:
        interval = device.interval
        until = self._clock.monotonic() + (device.until - self._clock.utc()).total_seconds()
        while True:
            try:
                return host.polled(device.device_code)
            except Denied as denied:
                if denied.code == "slow_down":
                    interval += SLOWER
                elif denied.code != "authorization_pending":
                    raise
            if self._clock.monotonic() + interval >= until:
                raise Denied("expired_token", "")
            self._clock.wait(interval)

    def _denied(self, denied: Denied, host: TokenHost) -> SignInNeeded:
        said = f"; it said: {denied.said}" if denied.said else ""
        match denied.code:
            case "access_denied":
                why = f"the person refused{said}"
            case "expired_token":
                why = "nobody typed the code in time"
            case "invalid_grant":
                why = f"{host.host} does not take the answer; it lasts five minutes and works once{said}"
            case "invalid_client" | "unauthorized_client":
                why = (
                    f"{host.host} does not know the application, or not this way to sign in: check client_id "
                    f"and client_secret{said}"
                )
            case "invalid_scope":
                why = f"the application may not ask for one of the scopes{said}"
            case other:
                why = f"{host.host} answered {other or 'with an error'}{said}"
        return needed(self._settings.name, why)

    def _keep(self, grant: Grant, safe: Safe, kept: Store) -> SignedIn:
        if READ not in grant.scopes:
            raise needed(
                self._settings.name,
                f"the sign-in would not allow to read contacts; it was given {' '.join(grant.scopes)}",
            )
        with safe.alone():
            before = None
            with contextlib.suppress(SignInNeeded):
                before = safe.read()
            held = safe.where() if before is not None else None
            safe.write(grant, store=kept, before=before)
            safe.settle(known=True)
            if held is Store.KEYRING and kept is Store.FILE:
                # It works no longer, and a keyring that cannot be used now was the reason to leave it.
                with contextlib.suppress(NoKeyring):
                    safe.keyring.forget()
            if LABEL in grant.scopes:
                account = organisation(self._settings, grant, self._state, clock=self._clock)
                if account is not None:
                    grant = replace(grant, account=account)
                    safe.write(grant, store=kept, before=grant)
        return self._status_of(grant, safe)

    # --- Out ---------------------------------------------------------------------------------------------

    def forget(self) -> str | None:
        """Remove what is kept here; how to end it at the platform, if there was anything."""
        safe = safe_of(Application.of(self._settings), self._state, self._clock)
        with safe.alone():
            return REVOKING if safe.forget() else None


def _chosen(application: Application, safe: Safe, store: Store | None, consent: Consent) -> Store:
    """Where the tokens may be kept."""
    wanted = store or application.store
    if wanted is Store.FILE:
        return wanted
    try:
        safe.keyring.probe()
    except NoKeyring as none:
        if wanted is Store.KEYRING:
            raise BadUsage(
                f"the keyring cannot be used: {none}",
                remedy=f"suppress login {application.source} --store file keeps tokens in plain text",
            ) from None
        if not consent(str(none)):
            raise BadUsage("nobody was signed in: there is no place to keep the tokens") from None
        return Store.FILE
    return Store.KEYRING
