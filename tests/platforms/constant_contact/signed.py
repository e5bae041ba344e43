"""A source that somebody signed in to, the simulated vendor, and time that a test moves."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from suppress.config import SourceSettings
from suppress.core.suppression import Json
from suppress.platforms.constant_contact.application import Application
from suppress.platforms.constant_contact.granted import Granted
from suppress.platforms.constant_contact.safe import Safe
from suppress.platforms.constant_contact.signing_in import (
    ConstantContactSignIn,
    access_token,
    safe_of,
)
from suppress.platforms.constant_contact.simulator import Clock as SimulatedClock
from suppress.platforms.constant_contact.simulator import Fault, Limits, Scenario, SignIn, Simulator
from suppress.plugin.pace import Clock
from suppress.plugin.signing import Invitation, SignedIn, Store
from suppress.plugin.transport import Patience
from tests.plugin.virtual import NOON

TOKEN_PATH = "/oauth2/default/v1/token"
CALM = Patience(jitter=lambda: 0.5)
FREE = Limits(per_second=1_000_000, per_day=1_000_000_000, token_per_second=1_000_000)
APPROVING = SignIn(auto_approve=True)


def never(_why: str) -> bool:
    """A person who must not be asked."""
    raise AssertionError("nobody was to be asked")


def follow(invitation: Invitation) -> None:
    """A browser that opens the address and goes where it is sent."""
    threading.Thread(target=urllib.request.urlopen, args=(invitation.url,), daemon=True).start()


def ignore(_invitation: Invitation) -> None:
    """Nobody comes."""


@dataclass(frozen=True, slots=True)
class World:
    """The vendor and one source of ours, which share a clock unless `skew` parts them."""

    vendor: Simulator
    state: Path
    options: Mapping[str, Json] = field(default_factory=dict)
    skew: timedelta = timedelta()

    @property
    def settings(self) -> SourceSettings:
        url = self.vendor.url
        given = {"api_url": url, "auth_url": url, "client_id": "simulated-client", **self.options}
        return SourceSettings("main", "constant-contact", options=given, ledger="sqlite:////srv/s.db")

    @property
    def clock(self) -> Clock:
        theirs = self.vendor.clock

        def epoch() -> float:
            return (theirs.now() + self.skew).timestamp()

        return Clock(theirs.monotonic, epoch, theirs.advance)

    @property
    def signing(self) -> ConstantContactSignIn:
        return ConstantContactSignIn(self.settings, self.state, clock=self.clock, patience=CALM)

    def sign_in(self, store: Store | None = Store.FILE) -> SignedIn:
        return self.signing.by_device(ignore, store=store, consent=never)

    @contextmanager
    def token(self) -> Iterator[Granted]:
        """Another start of the program."""
        token = access_token(self.settings, self.state, clock=self.clock, patience=CALM)
        assert isinstance(token, Granted)
        try:
            yield token
        finally:
            token.close()

    def use(self) -> str:
        """One start of the program that needs a token once, and the vendor takes it."""
        with self.token() as token:
            header = token.authorization()
        assert self.accepts(header)
        return header

    def accepts(self, header: str) -> bool:
        """Whether the vendor takes this token."""
        request = urllib.request.Request(
            f"{self.vendor.url}/v3/account/user/privileges", headers={"Authorization": header}
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as refused:
            refused.close()
            return False

    @property
    def safe(self) -> Safe:
        return safe_of(Application.of(self.settings), self.state, self.clock)

    @property
    def file(self) -> Path:
        """Where the sign-in is kept, or would be."""
        return self.state / "sign-in" / f"{Application.of(self.settings).key}.json"

    def refreshes(self) -> list[int]:
        """The answers to every refresh so far, by status."""
        return [
            each.status
            for each in self.vendor.requests
            if each.path == TOKEN_PATH and b"grant_type=refresh_token" in each.request.body
        ]

    def set_apart(self, skew: timedelta) -> World:
        """The same world, where our clock is wrong."""
        return replace(self, skew=skew)


@contextmanager
def world(
    state: Path, sign_in: SignIn = APPROVING, *, faults: tuple[Fault, ...] = (), **options: Json
) -> Iterator[World]:
    """A vendor at noon, where nobody has signed in yet."""
    scenario = Scenario(sign_in=sign_in, limits=FREE, faults=faults)
    with Simulator(scenario, clock=SimulatedClock(NOON, frozen=True)) as vendor:
        yield World(vendor, state, options)
