"""The whole simulated platform as one value that requests are put to, one at a time, without a socket.

`Backend.handle` is the gate in front of every route: sign-in, limits, scopes, privileges, faults. The
routes themselves are listed in `routes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from suppress.platforms.constant_contact.simulator import faults as failing
from suppress.platforms.constant_contact.simulator import model, paging, routes
from suppress.platforms.constant_contact.simulator.account import Account
from suppress.platforms.constant_contact.simulator.activities import Activities
from suppress.platforms.constant_contact.simulator.clock import Clock
from suppress.platforms.constant_contact.simulator.http import (
    Refused,
    Request,
    Response,
    error,
    errors,
    not_found,
)
from suppress.platforms.constant_contact.simulator.limits import Meter, unauthorized
from suppress.platforms.constant_contact.simulator.model import Contact
from suppress.platforms.constant_contact.simulator.oauth import Grants
from suppress.platforms.constant_contact.simulator.people import populate
from suppress.platforms.constant_contact.simulator.scenario import Scenario, Switches


@dataclass(slots=True)
class Backend:
    """State of one simulated account and of the application that asks it."""

    scenario: Scenario
    clock: Clock
    account: Account = field(init=False)
    grants: Grants = field(init=False)
    meter: Meter = field(init=False)
    faults: failing.Faults = field(init=False)
    activities: Activities = field(init=False)
    walks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Snapshots that are being paged through, by name: contact ids in order."""
    segment_calls: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        limits = self.scenario.limits
        self.account = populate(self.scenario)
        self.grants = Grants(self.scenario.sign_in, limits, self.clock)
        self.meter = Meter(limits.per_second, limits.per_day, limits.retry_after)
        self.faults = failing.Faults(self.scenario.faults)
        self.activities = Activities(self.switches, limits.queued_activities)

    @property
    def switches(self) -> Switches:
        """The readings of this scenario."""
        return self.scenario.switches

    def seen(self) -> Iterator[Contact]:
        """The contacts as queries show them now."""
        now, delay = self.clock.now(), self.switches.visibility_delay
        return (contact.as_seen(now, delay) for contact in self.account)

    def shown(self, contact_id: str) -> Contact | None:
        """One contact as queries show it now."""
        found = self.account.get(contact_id)
        return None if found is None else found.as_seen(self.clock.now(), self.switches.visibility_delay)

    def revived(self, contact: Contact) -> Contact:
        """The contact, visible again if it was deleted, still opted out if it was."""
        keep = self.switches.revived_keep_opt_out_date
        return model.revive(contact, opt_out_date=None if keep else self.clock.now())

    def known_lists(self, list_ids: tuple[str, ...]) -> tuple[str, ...]:
        """The same ids.

        Raises:
            Refused: 404 for one that the account has not.
        """
        if not set(list_ids) <= {one.list_id for one in self.account.lists}:
            raise not_found("list_id was not found.")
        return list_ids

    def handle(self, request: Request) -> Response:
        """Answer one request, with the fault that strikes it."""
        fault = self.faults.due(request.path, paging.page_number(request.query))
        if fault is None:
            return self._answer(request)
        shift = failing.SHIFTS.get(fault.kind, 0)
        return failing.struck(self._answer(replace(request, shift=shift)), fault)

    def _answer(self, request: Request) -> Response:
        try:
            if not request.path.startswith("/v3/"):
                found = routes.find(routes.SIGN_IN, request)
                if found is None:
                    # The vendor's gateway answers 403, not 404, for whatever is not the API.
                    return error(403, "forbidden", "Forbidden")
            else:
                self._admit(request)
                found = routes.find(routes.API, request)
                if found is None:
                    return self._unknown(request)
                self._permit(found[0], request)
                self.activities.settle(self.clock.now())
            route, path = found
            return route.handler(self, request, path)
        except Refused as refusal:
            return refusal.response

    def _admit(self, request: Request) -> None:
        token = self.grants.token_of(request)
        if token is None:
            raise Refused(unauthorized())
        refused = self.meter.take(token.client_id, now=self.clock.now(), monotonic=self.clock.monotonic())
        if refused is not None:
            raise Refused(refused)

    def _permit(self, route: routes.Route, request: Request) -> None:
        token = self.grants.token_of(request)
        allowed = token is not None and route.scope in {None, *token.scopes}
        if not allowed or route.privilege not in {None, *self.scenario.sign_in.privileges}:
            raise Refused(errors(403, "contacts.api.forbidden", "You lack a scope or a user privilege."))

    def _unknown(self, request: Request) -> Response:
        if routes.exists(request.path):
            return errors(405, "contacts.api.method_not_allowed", "The method is not supported.")
        return errors(404, "contacts.api.not_found", "The requested resource was not found.")
