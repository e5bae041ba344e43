"""The calls of a simulated HubSpot account, and what they answer."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from suppress.plugin.loopback import Loopback, Request, Response, answer, page
from suppress_hubspot.simulator import bodies
from suppress_hubspot.simulator.account import PORTAL, Account
from suppress_hubspot.simulator.scenario import Fault, Scenario, Trap
from suppress_hubspot.simulator.searching import search

_VERSIONS = ("v4", "2026-03", "2026-09")
_LARGEST = 100
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "definitions": ("communication_preferences.read", "communication_preferences.read_write"),
    "read": ("communication_preferences.read", "communication_preferences.read_write"),
    "unsubscribe-all": ("communication_preferences.write", "communication_preferences.read_write"),
    "batch read": ("communication_preferences.statuses.batch.read",),
    "batch unsubscribe-all": ("communication_preferences.statuses.batch.write",),
    "search": ("crm.objects.contacts.read",),
    "old status": ("communication_preferences.read", "communication_preferences.read_write"),
    "contacts": ("crm.objects.contacts.read",),
    "contact write": ("crm.objects.contacts.write",),
}
"""Any of these scopes opens a call. Those for batches come with Marketing Hub Enterprise only."""


class Simulator(Loopback):
    """A HubSpot account on loopback. `account` is what it knows; a test may change it under `lock`."""

    def __init__(
        self,
        scenario: Scenario | None = None,
        *,
        port: int = 0,
        keep: int | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(self._answered, port=port, keep=keep)
        self.scenario = scenario or Scenario()
        self.account = Account()
        self.faults: list[Fault] = [replace(each) for each in self.scenario.faults]
        self.used = 0
        """Requests of the day."""
        self._clock = clock
        self._recent: deque[datetime] = deque()
        self._number = 0
        for address in self.scenario.opted_out:
            self.account.opt_out(address, self.now(), source="Unsubscribe page")
        self.account.add(self.scenario.contacts, self.now())

    @property
    def token(self) -> str:
        """What it takes."""
        return self.scenario.token

    def now(self) -> datetime:
        """The platform's clock."""
        return self._clock() + timedelta(seconds=self.scenario.clock_skew)

    # --- Every call --------------------------------------------------------------------------------------

    def _answered(self, request: Request) -> Response:
        self._number += 1
        correlation = f"00000000-0000-4000-8000-{self._number:012d}"
        call = name_of(request)
        reply = self._refused(request, call, correlation)
        if reply is None:
            self.used += 1
            self._recent.append(self.now())
            fault = next((each for each in self.faults if each.strikes(call)), None)
            reply = self._carried_out(request, call, correlation, fault)
        return reply.with_headers(("X-HubSpot-Correlation-Id", correlation), *self._limits(call))

    def _refused(self, request: Request, call: str, correlation: str) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return bodies.error(401, "INVALID_AUTHENTICATION", "The access token is not valid.", correlation)
        if self.scenario.per_day is not None and self.used >= self.scenario.per_day:
            return bodies.too_many("daily", "DAILY", correlation)
        if self.scenario.per_10_seconds is not None and call != "search":
            while self._recent and self.now() - self._recent[0] >= timedelta(seconds=10):
                self._recent.popleft()
            if len(self._recent) >= self.scenario.per_10_seconds:
                limit = bodies.too_many("ten_secondly_rolling", "TEN_SECONDLY_ROLLING", correlation)
                return limit.with_headers(("Retry-After", "1"))
        needed = _NEEDS.get(call, ())
        held = {*self.scenario.scopes, *(_NEEDS["batch read"] + _NEEDS["batch unsubscribe-all"])}
        if not self.scenario.enterprise:
            held = set(self.scenario.scopes)
        return bodies.missing_scopes(needed, correlation) if needed and held.isdisjoint(needed) else None

    def _limits(self, call: str) -> tuple[tuple[str, str], ...]:
        if call == "search":
            return ()
        most, day = self.scenario.per_10_seconds or 100, self.scenario.per_day or 250_000
        return (
            ("X-HubSpot-RateLimit-Max", str(most)),
            ("X-HubSpot-RateLimit-Remaining", str(max(0, most - len(self._recent)))),
            ("X-HubSpot-RateLimit-Interval-Milliseconds", "10000"),
            ("X-HubSpot-RateLimit-Daily", str(day)),
            ("X-HubSpot-RateLimit-Daily-Remaining", str(max(0, day - self.used))),
        )

    def _carried_out(self, request: Request, call: str, correlation: str, fault: Fault | None) -> Response:
        trap = None if fault is None else fault.trap
        if fault is not None and trap is Trap.ERROR:
            return bodies.error(fault.status, "INTERNAL_ERROR", "Something went wrong.", correlation)
        if trap is Trap.PAGE:
            return page(502, "<html><body><h1>502 Bad Gateway</h1></body></html>")
        if trap is Trap.SILENT:
            return answer(207 if call.startswith("batch") else 200, bodies.envelope([], self.now()))
        handler = self._handlers().get(call)
        if handler is None:
            return bodies.error(404, "OBJECT_NOT_FOUND", "There is nothing here.", correlation)
        try:
            reply = handler(request, fault)
        except bodies.Invalid as invalid:
            return bodies.error(400, "VALIDATION_ERROR", str(invalid), correlation)
        if fault is None:
            return reply
        if fault.trap is Trap.SILENCED:
            return answer(207 if call.startswith("batch") else 200, bodies.envelope([], self.now()))
        return reply.on_the_line(fault.trap, fault.seconds)

    def _handlers(self) -> Mapping[str, Callable[[Request, Fault | None], Response]]:
        return {
            "definitions": lambda _request, _fault: answer(200, bodies.envelope(self._types(), self.now())),
            "account": lambda _request, _fault: answer(
                200, {"portalId": 62515, "accountType": "STANDARD", "timeZone": self.scenario.time_zone}
            ),
            "read": self._read,
            "unsubscribe-all": self._opt_out,
            "batch read": self._read_many,
            "batch unsubscribe-all": self._opt_out_many,
            "search": lambda request, _fault: search(self.account, self.scenario, request, self.now()),
            "contacts": lambda request, _fault: bodies.contacts(self.account, request, self.now()),
            "contact write": self._write_contact,
            "old status": self._old_status,
        }

    # --- Preferences -------------------------------------------------------------------------------------

    def _read(self, request: Request, _fault: Fault | None) -> Response:
        address, unit = request.parts[3], self._unit(request)
        self._check(address)
        return answer(200, bodies.envelope(self._wides(address, unit), self.now()))

    def _opt_out(self, request: Request, fault: Fault | None) -> Response:
        address, unit = request.parts[3], self._unit(request)
        self._check(address)
        if request.body:
            raise bodies.Invalid("This call takes no body.")
        applied = fault is None or fault.trap is not Trap.UNAPPLIED
        found = self._set(address, unit, applied=applied)
        # Without it the answer names nobody (vendor's reference of the call).
        verbose = request.asked("verbose") == "true"
        return answer(200, bodies.envelope(found if verbose else [], self.now()))

    def _old_status(self, request: Request, _fault: Fault | None) -> Response:
        """Version 3, which the vendor's own client speaks: one status for each subscription type."""
        address = request.parts[-1]
        mailed = self.account.would_mail(address)
        found = [bodies.old_status(each, mailed=mailed) for each in range(1, self._count() + 1)]
        return answer(200, {"recipient": address, "subscriptionStatuses": found})

    def _read_many(self, request: Request, fault: Fault | None) -> Response:
        unit = self._unit(request)
        found: list[object] = []
        failed: list[str] = []
        for number, address in enumerate(self._inputs(request)):
            if fault is not None and fault.trap is Trap.PARTIAL and number % 2:
                failed.append(address)
            else:
                found.append({"subscriberIdString": address, "wideStatuses": self._wides(address, unit)})
        return self._many(found, failed, fault, status=207)

    def _opt_out_many(self, request: Request, fault: Fault | None) -> Response:
        unit = self._unit(request)
        verbose = request.asked("verbose") == "true"
        found: list[object] = []
        failed: list[str] = []
        for number, address in enumerate(self._inputs(request)):
            if fault is not None and fault.trap is Trap.PARTIAL and number % 2:
                failed.append(address)
                continue
            statuses = self._set(address, unit, applied=fault is None or fault.trap is not Trap.UNAPPLIED)
            if verbose:
                found.append({"subscriberIdString": address, "statuses": statuses})
        # The reference has no 207 for this call and errors in its 200; people have seen both.
        status = 207 if fault is not None and fault.status == 207 else 200
        return self._many(found, failed, fault, status=status)

    def _many(
        self, found: list[object], failed: Sequence[str], fault: Fault | None, *, status: int
    ) -> Response:
        body = bodies.envelope(found, self.now())
        if failed and fault is not None:
            errors = [bodies.record_error(fault.category, each) for each in failed]
            body |= {"numErrors": len(errors), "errors": errors}
        return answer(status if failed else 200, body)

    def _set(self, address: str, unit: int, *, applied: bool) -> list[object]:
        changed = self.account.would_mail(address, unit)
        if applied:
            self.account.opt_out(address, self.now(), unit=unit)
        why = "UNSUBSCRIBE_FROM_ALL_OCCURRED" if changed else "NO_STATUS_CHANGE"
        return [bodies.status(address, each, why, self.now()) for each in range(1, self._count() + 1)]

    def _wides(self, address: str, unit: int) -> list[object]:
        return [
            bodies.wide(address, brand, each.at)
            for brand, each in sorted(self.account.opt_outs(address).items())
            if unit in (PORTAL, brand) or brand == PORTAL
        ]

    def _unit(self, request: Request) -> int:
        if request.asked("channel") != "EMAIL":
            raise bodies.Invalid("The query parameter channel is required.")
        asked = request.asked("businessUnitId")
        if asked is None:
            return PORTAL
        if not asked.isdecimal() or int(asked) not in self.scenario.brands:
            raise bodies.Invalid("There is no such business unit.")
        return int(asked)

    def _inputs(self, request: Request) -> list[str]:
        try:
            body = request.json()
        except ValueError:
            raise bodies.Invalid("The body is no JSON.") from None
        inputs = body.get("inputs") if isinstance(body, dict) else None
        if not isinstance(inputs, list) or not 0 < len(inputs) <= _LARGEST:
            raise bodies.Invalid(f"inputs holds 1 to {_LARGEST} addresses.")
        for each in inputs:
            self._check(each)
        return inputs

    def _check(self, address: object) -> None:
        bodies.check_address(address)
        if address in self.scenario.invalid:
            raise bodies.Invalid(f"Email address {address} is invalid")

    def _types(self) -> list[object]:
        return [bodies.definition(each, self.now()) for each in range(1, self._count() + 1)]

    def _count(self) -> int:
        return self.scenario.subscription_types

    # --- Contacts ----------------------------------------------------------------------------------------

    def _write_contact(self, request: Request, _fault: Fault | None) -> Response:
        properties = json.loads(request.body or b"{}").get("properties", {})
        for name in properties:
            if re.fullmatch(r"hs_email_optout(_\d+)?", name):
                raise bodies.Invalid(f'"{name}" is a read only property; its value cannot be set.')
        return answer(200, {"id": request.parts[-1], "properties": properties})


def name_of(request: Request) -> str:
    """Which call a request is, by method and path; empty for none that is known."""
    parts = request.parts
    match request.method, *parts:
        case "GET", "account-info", "v3", "details":
            return "account"
        case "GET", "communication-preferences", version, "definitions" if version in _VERSIONS:
            return "definitions"
        case "POST", "communication-preferences", version, "statuses", "batch", "unsubscribe-all" if (
            version in _VERSIONS
        ):
            return "batch unsubscribe-all"
        case "POST", "communication-preferences", version, "statuses", "batch", "unsubscribe-all", "read" if (
            version in _VERSIONS
        ):
            return "batch read"
        case method, "communication-preferences", version, "statuses", _, "unsubscribe-all" if (
            version in _VERSIONS and method in ("GET", "POST")
        ):
            return "read" if method == "GET" else "unsubscribe-all"
        case "GET", "communication-preferences", "v3", "status", "email", _:
            return "old status"
        case "POST", "crm", "v3", "objects", "contacts", "search":
            return "search"
        case "POST", "crm", "v3", "objects", "contacts", "batch", "read":
            return "contacts"
        case "PATCH", "crm", "v3", "objects", "contacts", _:
            return "contact write"
        case _:
            return ""
