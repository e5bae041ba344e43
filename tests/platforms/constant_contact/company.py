"""A company over days and weeks: a simulated account, the source that somebody signed in to, and a ledger.

All of them have one clock, which moves when a test says so or while the program waits, so that two weeks
with every pause between two tries take seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
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

START = datetime(2036, 11, 3, 3, tzinfo=UTC)
"""Later than any day on which the tests run: a ledger that is made today takes no entry of yesterday."""


@dataclass(slots=True)
class Program:
    """Our side: one source, `main`, whose sign-in, limits and ledger are in `folder`.

    Each start of the program opens its ledger anew, as `opened`.
    """

    host: str
    time: SimulatedClock
    folder: Path
    opened: type[Ledger] = Ledger
    given: str | None = None
    """The access token, if it comes from outside, so that nobody has to sign in."""

    @property
    def now(self) -> datetime:
        return self.time.now()

    @property
    def clock(self) -> Clock:
        time = self.time

        def epoch() -> float:
            return time.now().timestamp()

        return Clock(time.monotonic, epoch, time.advance)

    @property
    def place(self) -> Place:
        return Place(self.folder)

    @property
    def settings(self) -> SourceSettings:
        options = {"api_url": self.host, "auth_url": self.host, "client_id": "simulated-client"}
        return SourceSettings(
            "main", "constant-contact", access_token=self.given, options=options, ledger=self.place.url
        )

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

    def sound(self) -> bool:
        """Whether the ledger proves itself."""
        return verify(self.place.url, keys=self.place.keys).ok


@dataclass(slots=True)
class Company(Program):
    """Our side and theirs."""

    platform: Simulator = field(kw_only=True)

    def sign_in(self) -> None:
        """A person comes, and approves on the page that the program shows."""
        state = self.folder / "state"
        signing = ConstantContactSignIn(self.settings, state, clock=self.clock, patience=CALM)
        signing.by_device(self._approve, store=Store.FILE, consent=never)

    def _approve(self, _: Invitation) -> None:
        devices = self.platform.backend.grants.devices
        for code, device in devices.items():
            devices[code] = replace(device, approved=True)

    def truth(self) -> set[str]:
        """Of everybody who has opted out at the platform now, deleted or not."""
        return {match_key(address) for address in self.platform.truth()}

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
        Place(folder).create()
        token = platform.token if given else None
        yield Company(platform.url, clock, folder, opened, token, platform=platform)
