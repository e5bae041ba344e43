"""A company over days and weeks: a simulated account, the source that somebody signed in to, and a ledger.

All of them have one clock, which moves when a test says so or while the program waits, so that two weeks
with every pause between two tries take seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from suppress.audit import verify
from suppress.config import SourceSettings
from suppress.core.address import match_key
from suppress.ledger import Ledger
from suppress.platforms.constant_contact import ConstantContact
from suppress.platforms.constant_contact.signing_in import ConstantContactSignIn
from suppress.platforms.constant_contact.simulator import Clock as SimulatedClock
from suppress.platforms.constant_contact.simulator import Scenario, Simulator
from suppress.plugin.pace import Clock
from suppress.plugin.signing import Invitation, Store
from suppress.sync import SourceResult, sync
from tests.ledger.making import Place
from tests.platforms.constant_contact.signed import CALM, never

START = datetime(2026, 11, 2, 3, tzinfo=UTC)


@dataclass(slots=True)
class Company:
    """One source, `main`. Each start of the program opens its ledger anew, as `opened`."""

    platform: Simulator
    folder: Path
    opened: type[Ledger] = Ledger
    given: bool = False
    """Whether the access token comes from outside, so that nobody has to sign in."""

    @property
    def now(self) -> datetime:
        return self.platform.clock.now()

    @property
    def clock(self) -> Clock:
        theirs = self.platform.clock
        return Clock(theirs.monotonic, lambda: theirs.now().timestamp(), theirs.advance)

    @property
    def place(self) -> Place:
        return Place(self.folder)

    @property
    def settings(self) -> SourceSettings:
        host = self.platform.url
        options = {"api_url": host, "auth_url": host, "client_id": "simulated-client"}
        token = self.platform.token if self.given else None
        return SourceSettings(
            "main", "constant-contact", access_token=token, options=options, ledger=self.place.url
        )

    def sign_in(self) -> None:
        """A person comes, and approves on the page that the program shows."""
        state = self.folder / "state"
        signing = ConstantContactSignIn(self.settings, state, clock=self.clock, patience=CALM)
        signing.by_device(self._approve, store=Store.FILE, consent=never)

    def _approve(self, _: Invitation) -> None:
        devices = self.platform.backend.grants.devices
        for code, device in devices.items():
            devices[code] = replace(device, approved=True)

    def sync(self, *, full: bool = False) -> SourceResult:
        """One start of `suppress sync`."""
        source = ConstantContact(
            self.settings, self.folder / "state", now=lambda: self.now, clock=self.clock, patience=CALM
        )
        try:
            with self.ledger() as ledger:
                (result,) = sync(ledger, [source], full=full, now=self.now, actor="test")
        finally:
            source.close()
        return result

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        with self.opened.open(self.place.url, keys=self.place.keys, clock=lambda: self.now) as ledger:
            yield ledger

    def suppressed(self) -> set[str]:
        """The match keys of everybody whom the ledger suppresses."""
        with self.ledger() as ledger:
            return {each.key for each in ledger.suppressed()}

    def truth(self) -> set[str]:
        """Of everybody who has opted out at the platform now, deleted or not."""
        return {match_key(address) for address in self.platform.truth()}

    def sound(self) -> bool:
        """Whether the ledger proves itself."""
        return verify(self.place.url, keys=self.place.keys).ok

    def later(self, **step: float) -> None:
        """Time passes."""
        self.platform.advance(timedelta(**step))


@contextmanager
def company(
    scenario: Scenario, folder: Path, *, opened: type[Ledger] = Ledger, given: bool = False
) -> Iterator[Company]:
    """A new one, where nobody has signed in yet."""
    clock = SimulatedClock(START, frozen=True)
    with Simulator(scenario, clock=clock) as platform:
        made = Company(platform, folder, opened, given)
        Place(folder).create()
        yield made
