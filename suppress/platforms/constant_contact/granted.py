"""The access token of a sign-in that is kept here: read when it is needed, renewed before it ends.

Rules kept here:

* One process at a time renews a grant. Whoever waited for another one takes what that one got, so that a
  refresh token, which works once, is never sent twice.
* The new refresh token is durable before the new access token is used, and before anything is asked for it is
  made sure that it can be kept.
* `invalid_grant` says that a person has to come, but not at once: somebody who does not share the lock (a
  program on another machine, with the same folder) may have renewed it, so the store is read once more.
* While renewing fails for another reason, a token that has not ended yet goes on being used.
* A token that the platform refuses is renewed, whatever the clock says about its end; what is refused
  although it has just been renewed is not renewed again.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from suppress.errors import SignInNeeded, SourceFailed
from suppress.platforms.constant_contact.application import Application
from suppress.platforms.constant_contact.grant import Grant
from suppress.platforms.constant_contact.safe import Safe
from suppress.platforms.constant_contact.token_host import Denied, TokenHost
from suppress.plugin.pace import Clock

PAUSE = timedelta(seconds=60)
"""Until renewing is tried again: after it failed while the old token still works, or did not help."""


class Granted:
    """The access token of one source that somebody signed in to."""

    renewals = 2
    """What another process kept meanwhile, and what is renewed."""

    def __init__(self, application: Application, safe: Safe, host: TokenHost, *, clock: Clock) -> None:
        self._application = application
        self._safe = safe
        self._host = host
        self._clock = clock
        self._grant: Grant | None = None
        self._pause_until: datetime | None = None
        self._renew_after = clock.monotonic()
        self._mine = threading.Lock()

    @property
    def place(self) -> str:
        """Where the token is kept, for messages."""
        return self._safe.place

    def close(self) -> None:
        """Give the connection back."""
        self._host.close()

    def authorization(self) -> str:
        """The header's value.

        Raises:
            SignInNeeded: Nobody has signed in, or the platform takes the sign-in no longer.
            SourceFailed: It could not be renewed, and the token has ended.
            StorageFailed: What renewing it gives could not be kept.
        """
        with self._mine:
            if self._grant is None or not self._grant.fresh(self._clock.utc()):
                self._grant = self._current()
            return f"Bearer {self._grant.access_token}"

    def renewed(self) -> bool:
        """Get another token, after a refusal. Whether there is one. Raises what `authorization` raises."""
        with self._mine:
            before = self._grant
            if before is None:
                return False
            stored = self._stored()
            if stored.access_token in {"", before.access_token}:
                if stored.refresh_token is None or self._clock.monotonic() < self._renew_after:
                    return False
                stored = self._refresh(refused=before.access_token)
                self._renew_after = self._clock.monotonic() + PAUSE.total_seconds()
            self._grant = stored
            return True

    def refused(self, why: str) -> SignInNeeded:
        """The error for a source that cannot sign in, with the way out."""
        return needed(self._application.source, why)

    def _stored(self) -> Grant:
        found = self._safe.read()
        if found is None:
            raise self.refused("nobody has signed in")
        return found

    def _current(self) -> Grant:
        stored, now = self._stored(), self._clock.utc()
        paused = self._pause_until is not None and now < self._pause_until
        if stored.fresh(now) or (stored.alive(now) and (paused or stored.refresh_token is None)):
            return stored
        try:
            return self._refresh(refused=None)
        except SourceFailed:
            if not stored.alive(self._clock.utc()):
                raise
            self._pause_until = self._clock.utc() + PAUSE
            return stored

    def _refresh(self, *, refused: str | None) -> Grant:
        """Renew what is kept, unless somebody else just has. `refused`: a token that the platform refuses."""
        with self._safe.alone() as cut_off:
            stored = self._stored()
            if self._usable(stored, refused):
                return stored
            if stored.refresh_token is None:
                raise self.refused("the sign-in has ended, and it was one that cannot be renewed")
            try:
                return self._kept(stored)
            except Denied as denied:
                if denied.code != "invalid_grant":
                    raise self._denied(denied) from None
                return self._once_more(stored, refused, denied, cut_off=cut_off)

    def _once_more(self, tried: Grant, refused: str | None, denied: Denied, *, cut_off: bool) -> Grant:
        """Another machine may have renewed it: then what it kept is there to be read."""
        stored = self._stored()
        if stored.refresh_token == tried.refresh_token or stored.refresh_token is None:
            raise self._ended(stored, denied, cut_off=cut_off)
        if self._usable(stored, refused):
            return stored
        try:
            return self._kept(stored)
        except Denied as again:
            raise self._ended(stored, again, cut_off=False) from None

    def _kept(self, stored: Grant) -> Grant:
        """Ask for new tokens and keep them, before anybody uses them."""
        self._safe.begin()
        try:
            grant = self._host.refreshed(stored)
        except Denied:
            self._safe.settle(known=True)
            raise
        except SourceFailed:
            # An answer may have been lost, and a new token with it.
            self._safe.settle(known=False)
            raise
        self._safe.write(grant, before=stored)
        self._safe.settle(known=True)
        return grant

    def _usable(self, stored: Grant, refused: str | None) -> bool:
        return stored.access_token != refused and stored.fresh(self._clock.utc())

    def _ended(self, grant: Grant, denied: Denied, *, cut_off: bool) -> SignInNeeded:
        self._safe.note_end(grant, cut_off=cut_off)
        why = (
            "an earlier run was cut off while it renewed the sign-in, before it could keep the new token"
            if cut_off
            else "it was unused for 180 days, the sign-in was ended at the platform, or somebody else used it"
        )
        said = f"; it said: {denied.said}" if denied.said else ""
        return self.refused(f"{self._host.host} takes its refresh token no longer: {why}{said}")

    def _denied(self, denied: Denied) -> SignInNeeded:
        return self.refused(
            f"{self._host.host} refused to renew the sign-in; it said: {denied.said}. "
            "See that client_id is right and that the application is active in the developer portal"
        )


def needed(source: str, why: str) -> SignInNeeded:
    """A person has to sign in."""
    return SignInNeeded(
        f"source {source!r} is not signed in to Constant Contact: {why}", remedy=f"suppress login {source}"
    )
