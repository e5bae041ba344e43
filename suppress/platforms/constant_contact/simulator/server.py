"""The simulator over HTTP on loopback: a thin shell around `Backend`.

    with Simulator(demo_scenario()) as cc:
        ...                       # cc.url, cc.token for a client; cc.truth() for what it must find
        cc.unsubscribe("pat@example.com")
        cc.advance(3600)

One lock lets one request in at a time, so that writes made in process never race with answers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import TracebackType

from suppress.platforms.constant_contact.simulator import model
from suppress.platforms.constant_contact.simulator.backend import Backend
from suppress.platforms.constant_contact.simulator.clock import Clock
from suppress.platforms.constant_contact.simulator.faults import Faults
from suppress.platforms.constant_contact.simulator.http import Request, Response
from suppress.platforms.constant_contact.simulator.model import Contact, OptOut, Permission
from suppress.platforms.constant_contact.simulator.people import newcomer
from suppress.platforms.constant_contact.simulator.scenario import Fault, Scenario
from suppress.plugin import loopback
from suppress.plugin.loopback import Loopback


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as it came in, and its answer. Tokens are not kept."""

    at: datetime
    tick: float
    """Seconds on the simulator's monotonic clock."""
    request: Request
    response: Response

    @property
    def method(self) -> str:
        """GET, POST, …"""
        return self.request.method

    @property
    def path(self) -> str:
        """The path without the query."""
        return self.request.path

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """Names and values in the order sent."""
        return self.request.query

    @property
    def status(self) -> int:
        """The status answered."""
        return self.response.status


class Simulator:
    """A simulated account that listens on a loopback port while the context is open.

    `keep` bounds how many exchanges are remembered: None all of them, for tests.
    """

    def __init__(
        self,
        scenario: Scenario | None = None,
        *,
        clock: Clock | None = None,
        port: int = 0,
        keep: int | None = None,
    ) -> None:
        scenario = scenario or Scenario()
        self.clock = clock or Clock(scenario.clock)
        self.backend = Backend(scenario, self.clock)
        self._line = Loopback(self.answer, port=port, keep=0)
        self._lock = self._line.lock
        self._exchanges: deque[Exchange] = deque(maxlen=keep)
        self._actions: dict[int, list[Callable[[Simulator], object]]] = {}
        self._pages = 0

    # --- Running -----------------------------------------------------------------------------------------

    def __enter__(self) -> Simulator:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Listen in a background thread.

        Raises:
            OSError: The port cannot be had.
        """
        self._line.start()

    def close(self) -> None:
        """End every connection and stop listening. Safe to repeat."""
        self._line.close()

    # --- What a client needs -----------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The base address of both hosts, API and sign-in, once it has started."""
        return self._line.url

    @property
    def token(self) -> str:
        """An access token that is valid from the start."""
        return self.backend.scenario.sign_in.access_token

    # --- What a test asks --------------------------------------------------------------------------------

    def truth(self) -> frozenset[str]:
        """Every address that may not be mailed, deleted or not, as the platform spells it."""
        with self._lock:
            return self.backend.account.suppressed()

    @property
    def requests(self) -> tuple[Exchange, ...]:
        """What was asked and answered so far, oldest first."""
        with self._lock:
            return tuple(self._exchanges)

    def busiest_second(self) -> int:
        """The most API requests in any second, wherever it begins."""
        ticks = sorted(one.tick for one in self.requests if one.path.startswith("/v3/"))
        busiest = first = 0
        for last, tick in enumerate(ticks):
            while tick - ticks[first] >= 1.0:
                first += 1
            busiest = max(busiest, last - first + 1)
        return busiest

    def contact(self, address: str) -> Contact:
        """The contact with this address, deleted or not.

        Raises:
            LookupError: The account has none.
        """
        with self._lock:
            found = self.backend.account.find(address)
        if found is None:
            raise LookupError(f"the simulated account has no contact {address!r}")
        return found

    # --- What happens to people --------------------------------------------------------------------------

    def add(self, address: str, permission: Permission = Permission.IMPLICIT) -> Contact:
        """Somebody new on the first list, added by staff. `unsubscribed` is not a way to begin."""
        with self._lock:
            now, account = self.clock.now(), self.backend.account
            contact = newcomer(account, address, now)
            if permission is not Permission.IMPLICIT:
                contact = model.permit(contact, permission, at=now, source="Account")
            account.put(model.join(contact, tuple(one.list_id for one in account.lists[:1])))
            return account[contact.contact_id]

    def unsubscribe(
        self, address: str, *, source: str = "Contact", reason: str | None = None, at: datetime | None = None
    ) -> Contact:
        """The person clicks the link, or with `source="Account"` staff do it. `at` dates it."""
        now = self.clock.now()
        return self._change(
            address, lambda one: model.unsubscribe(one, OptOut(source, at or now, now, reason))
        )

    def delete(self, address: str) -> Contact:
        """Somebody deletes the contact in the product."""
        return self._change(address, lambda one: model.delete(one, self.clock.now()))

    def revive(self, address: str) -> Contact:
        """Somebody re-adds a deleted contact."""
        return self._change(address, self.backend.revived)

    def resubscribe(self, address: str) -> Contact:
        """The person opts in again."""

        def agree(contact: Contact) -> Contact:
            back = replace(contact, deleted_at=None)
            return model.permit(back, Permission.EXPLICIT, at=self.clock.now(), source="Contact")

        return self._change(address, agree)

    def confirm_resubscribe(self, address: str) -> Contact:
        """The person clicks the confirmation that a resubscribe message carried.

        Raises:
            LookupError: The account has no such contact, or sent it no message.
        """
        contact = self.contact(address)
        if contact.resubscribe_sent_at is None:
            raise LookupError(f"no resubscribe message went to {address!r}")
        lists = contact.resubscribe_lists
        self.resubscribe(address)
        return self._change(address, lambda one: model.join(one, lists))

    def rename(self, address: str, to: str) -> Contact:
        """Somebody changes the contact's address."""
        return self._change(address, lambda one: model.rename(one, to, self.clock.now()))

    def merge(self, address: str, into: str) -> Contact:
        """Somebody merges two contacts in the product: the first is gone, and the other one stays as it was.

        That an opt-out is not carried over is our choice, the worst for a client; it is documented nowhere.
        """
        with self._lock:
            gone, kept = self.contact(address), self.contact(into)
            self.backend.account.remove(gone)
            return kept

    def _change(self, address: str, write: Callable[[Contact], Contact]) -> Contact:
        with self._lock:
            contact = write(self.contact(address))
            self.backend.account.put(contact)
            return contact

    def advance(self, step: timedelta | float) -> None:
        """Move the simulator's time forward, by a duration or by seconds."""
        self.clock.advance(step)

    def before_page(self, number: int, action: Callable[[Simulator], object]) -> None:
        """Run `action` just before the `number`-th request for contacts is answered, counted from 1."""
        self._actions.setdefault(number, []).append(action)

    # --- What goes wrong ---------------------------------------------------------------------------------

    def strike(self, *faults: Fault) -> None:
        """From now on these faults, and none of those before."""
        with self._lock:
            self.backend.faults = Faults(faults)

    # --- The shell ---------------------------------------------------------------------------------------

    def answer(self, came: loopback.Request) -> Response:
        """Put one request to the platform and remember it."""
        request = Request.of(came)
        with self._lock:
            if request.method == "GET" and request.path == "/v3/contacts":
                self._pages += 1
                for action in self._actions.pop(self._pages, ()):
                    action(self)
            at, tick = self.clock.now(), self.clock.monotonic()
            response = self.backend.handle(request)
            kept = {name: value for name, value in request.headers.items() if name != "authorization"}
            self._exchanges.append(Exchange(at, tick, replace(request, headers=kept), response))
        return response
