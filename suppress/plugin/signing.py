"""How a platform is signed in to: what `suppress login` and `logout` ask of a plugin, and what it answers.

Rules kept here:

* No value of this module holds a token, so that all of them may be printed.
* Whether a sign-in still works is said without asking the platform: from what is kept on this machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol


class Store(StrEnum):
    """Where tokens are kept."""

    KEYRING = "keyring"
    """The system's own store of secrets."""
    FILE = "file"
    """A file that only its owner can read, in plain text."""


class Origin(StrEnum):
    """Where the access token of a source comes from."""

    GIVEN = "given"
    """From outside, by variable or file; nothing here renews it."""
    GRANT = "grant"
    """From a sign-in that is kept here and renews itself."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """How a source is signed in, as far as this machine knows. Unknown and inapplicable values are None."""

    source: str
    platform: str
    origin: Origin
    problem: str | None = None
    """Why a person has to sign in; None if nobody has to."""
    remedy: str | None = None
    account: str | None = None
    """Whose account it is, in the platform's words."""
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None
    """When the access token ends. A sign-in that renews itself outlives it."""
    renews: bool = False
    renewed_at: datetime | None = None
    lapses_at: datetime | None = None
    """When the sign-in ends unless it is renewed before."""
    days_left: int | None = None
    """Days until then; one that has begun counts."""
    place: str | None = None
    """Where the token is kept, in words."""
    plain_text: bool | None = None
    """Whether whoever can read that place can read the token."""

    @property
    def needed(self) -> bool:
        """Whether a person has to sign in."""
        return self.problem is not None


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a person has to open. With a `code`, they may do so on any machine, and type it there."""

    url: str
    until: datetime
    code: str | None = None
    complete_url: str | None = None
    """An address that holds the code already."""


Invite = Callable[[Invitation], None]
"""Shows an invitation to a person. It returns at once; the waiting is done elsewhere."""
Consent = Callable[[str], bool]
"""Asks whether tokens may be kept in plain text, given why no keyring can be used. Raises `BadUsage`."""


class SignIn(Protocol):
    """Signing in to one configured source."""

    def status(self) -> SignedIn:
        """How it is signed in. Asks nobody."""

    def by_browser(
        self,
        invite: Invite,
        *,
        store: Store | None,
        consent: Consent,
        patience: timedelta,
        port: int | None,
    ) -> SignedIn:
        """Sign in with a browser on this machine. `port` overrides where the answer is waited for.

        Raises:
            ConfigWrong: A key that it needs is missing or wrong.
            BadUsage: The tokens may not be kept where they would have to be, or the port is taken.
            SignInNeeded: The person refused, or did not come in time.
            SourceFailed: The platform did not answer, or not as its contract says.
            StorageFailed: The tokens cannot be kept.
        """

    def by_device(self, invite: Invite, *, store: Store | None, consent: Consent) -> SignedIn:
        """Sign in with a browser on any machine. Raises what `by_browser` raises."""

    def forget(self) -> str | None:
        """Remove what is kept here. Returns how to end the sign-in at the platform, None if none was kept.

        Raises:
            StorageFailed: It cannot be removed.
        """
