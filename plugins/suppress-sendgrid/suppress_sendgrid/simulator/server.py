"""The calls of a simulated SendGrid account, and what they answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from suppress.plugin.loopback import Loopback, Request, Response, answer, page
from suppress_sendgrid.simulator.account import GLOBAL, OTHERS, Account, Listed
from suppress_sendgrid.simulator.scenario import Fault, Scenario, Trap

_LARGEST_PAGE = 500
_NEEDS: Mapping[str, str] = {
    "group": "asm.groups.read",
    "group add": "asm.groups.suppressions.create",
    "group search": "asm.groups.suppressions.read",
    "group list": "asm.groups.suppressions.read",
    "group remove": "asm.groups.suppressions.delete",
    "global add": "asm.suppressions.global.create",
    "global read": "asm.suppressions.global.read",
    "global remove": "asm.suppressions.global.delete",
    **{each: f"suppression.{each}.read" for each in (GLOBAL, *OTHERS)},
}
"""The scope that opens a call; `scopes` needs none."""


class Invalid(ValueError):
    """The request cannot be carried out: a 400, with the field and these words."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Simulator(Loopback):
    """A SendGrid account on loopback. `account` is what it knows; a test may change it under `lock`."""

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
        self.account = Account(self.scenario.groups)
        self.subusers = {each: Account(self.scenario.groups) for each in self.scenario.subusers}
        self.faults: list[Fault] = [replace(each) for each in self.scenario.faults]
        self.used = 0
        """Requests that were let in."""
        self._clock = clock
        self._windows: dict[str, tuple[int, int]] = {}
        """Call → when its window ends, and how many requests it has seen."""
        self._number = 0
        self.account.globally.add(self.scenario.unsubscribed, self.now())
        for name in OTHERS:
            self.account.lists[name].add(getattr(self.scenario, name), self.now())

    @property
    def token(self) -> str:
        """The key that it takes."""
        return self.scenario.token

    def now(self) -> datetime:
        """The platform's clock, by which it dates things."""
        return self._clock() + timedelta(seconds=self.scenario.clock_skew)

    # --- Every call --------------------------------------------------------------------------------------

    def _answered(self, request: Request) -> Response:
        self._number += 1
        call = name_of(request)
        ends, left = self._counted(call)
        reply = self._refused(request, call, left)
        if reply is None:
            self.used += 1
            fault = next((each for each in self.faults if each.strikes(call)), None)
            if fault is not None and fault.trap is Trap.LIMIT:
                ends, left = int((self._clock() + timedelta(seconds=fault.seconds)).timestamp()), -1
                reply = _error(429, "too many requests")
            else:
                reply = self._carried_out(request, call, fault)
        most = self.scenario.per_window or 600
        return reply.with_headers(
            ("X-RateLimit-Limit", str(most)),
            ("X-RateLimit-Remaining", str(max(0, left))),
            ("X-RateLimit-Reset", str(ends)),
            ("X-Request-Id", f"request-{self._number}"),
        )

    def _counted(self, call: str) -> tuple[int, int]:
        """When the window of this call ends, and how many requests are left in it; below zero is too many."""
        now = int(self._clock().timestamp())
        ends, seen = self._windows.get(call, (0, 0))
        if now >= ends:
            ends, seen = now + self.scenario.window, 0
        self._windows[call] = ends, seen + 1
        return ends, (self.scenario.per_window or 600) - seen - 1

    def _refused(self, request: Request, call: str, left: int) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return _error(401, "The provided authorization grant is invalid, expired, or revoked")
        if self.scenario.per_window is not None and left < 0:
            return _error(429, "too many requests")
        needed = _NEEDS.get(call)
        return (
            _error(403, "access forbidden")
            if (needed is not None and needed not in self.scenario.scopes)
            or self._account_of(request) is None
            else None
        )

    def _account_of(self, request: Request) -> Account | None:
        subuser = request.headers.get("on-behalf-of")
        return self.account if subuser is None else self.subusers.get(subuser)

    def _carried_out(self, request: Request, call: str, fault: Fault | None) -> Response:
        trap = None if fault is None else fault.trap
        if fault is not None and trap is Trap.ERROR:
            return _error(fault.status, "internal error")
        if trap is Trap.PAGE:
            return page(502, "<html><body><h1>502 Bad Gateway</h1></body></html>")
        handler = self._handlers().get(call)
        account = self._account_of(request)
        assert account is not None, "refused before"
        if handler is None:
            return _error(404, "not found")
        try:
            reply = handler(account, request, trap)
        except Invalid as invalid:
            return _error(400, str(invalid), invalid.field)
        return reply if fault is None else reply.on_the_line(fault.trap, fault.seconds)

    def _handlers(self) -> Mapping[str, Callable[[Account, Request, Trap | None], Response]]:
        return {
            "scopes": lambda *_: answer(200, {"scopes": list(self.scenario.scopes)}),
            "group": self._group,
            "group add": self._add,
            "group search": self._search,
            "group list": self._members,
            "group remove": self._remove,
            "global add": self._add,
            "global read": self._read,
            "global remove": self._remove,
            **dict.fromkeys((GLOBAL, *OTHERS), self._list),
        }

    # --- Suppressions ------------------------------------------------------------------------------------

    def _add(self, account: Account, request: Request, trap: Trap | None) -> Response:
        addresses = self._given(request)
        group = None if request.parts[2] == "suppressions" else int(request.parts[3])
        if trap is Trap.GROUP_GONE and group is not None:
            account.groups.pop(group, None)
        if trap not in (Trap.SILENT, Trap.UNAPPLIED):
            # A group that is gone is no error: its people are suppressed globally.
            account.suppress(addresses, self.now(), group)
        shown = {Trap.SILENT: [], Trap.PARTIAL: addresses[::2]}.get(trap, addresses) if trap else addresses
        return answer(201, {"recipient_emails": [self._spelled(each) for each in shown]})

    def _read(self, account: Account, request: Request, _trap: Trap | None) -> Response:
        found = account.globally.find(request.parts[4])
        return answer(200, {} if found is None else {"recipient_email": self._spelled(found.email)})

    def _remove(self, account: Account, request: Request, _trap: Trap | None) -> Response:
        held = account.globally
        if request.parts[2] == "groups":
            found = account.groups.get(int(request.parts[3]))
            if found is None:
                return _error(404, "not found", "group_id")
            held = found.held
        return Response(204) if held.remove(request.parts[-1]) else _error(404, "not found")

    def _group(self, account: Account, request: Request, _trap: Trap | None) -> Response:
        found = account.groups.get(int(request.parts[3]))
        if found is None:
            return _error(404, "group not found", "group_id")
        return answer(
            200,
            {
                "id": found.number,
                "name": found.name,
                "description": "What the account sends",
                "is_default": found.is_default,
                "unsubscribes": len(found.held),
            },
        )

    def _search(self, account: Account, request: Request, _trap: Trap | None) -> Response:
        found = account.groups.get(int(request.parts[3]))
        if found is None:
            return _error(404, "group not found", "group_id")
        held = [entry for each in self._given(request) if (entry := found.held.find(each)) is not None]
        return answer(200, [self._spelled(each.email) for each in held])

    def _members(self, account: Account, request: Request, _trap: Trap | None) -> Response:
        found = account.groups.get(int(request.parts[3]))
        if found is None:
            return _error(404, "group not found", "group_id")
        return answer(200, [self._spelled(each.email) for each in found.held])

    def _list(self, account: Account, request: Request, _trap: Trap | None) -> Response:
        name = request.parts[2]
        limit, offset = self._whole(request, "limit", _LARGEST_PAGE), self._whole(request, "offset", 0)
        if not 0 < limit <= _LARGEST_PAGE:
            raise Invalid(f"limit must be between 1 and {_LARGEST_PAGE}", "limit")
        rows = list(account.lists[name])
        if (wanted := request.asked("email")) is not None:
            pattern = ".*".join(re.escape(each) for each in wanted.lower().split("%")) + ".*"
            rows = [each for each in rows if re.fullmatch(pattern, each.email.lower(), re.DOTALL)]
        return answer(200, [self._row(name, each) for each in rows[offset : offset + limit]])

    def _row(self, name: str, listed: Listed) -> dict[str, object]:
        row: dict[str, object] = {
            "created": int(listed.at.timestamp()),
            "email": self._spelled(listed.email),
        }
        match name:
            case "bounces":
                return {**row, "reason": "550 5.1.1 The account does not exist.", "status": "5.1.1"}
            case "blocks":
                return {**row, "reason": "451 4.7.1 Try again later.", "status": "4.7.1"}
            case "spam_reports":
                return {**row, "ip": "192.0.2.1"}
            case "invalid_emails":
                return {**row, "reason": "Mail domain mentioned in email address is unknown"}
            case _:
                return row

    def _given(self, request: Request) -> list[str]:
        try:
            body = request.json()
        except ValueError:
            raise Invalid("request body is not valid JSON") from None
        given = body.get("recipient_emails") if isinstance(body, dict) else None
        if not isinstance(given, list) or not given:
            raise Invalid("recipient_emails is required", "recipient_emails")
        for each in given:
            plain = isinstance(each, str) and re.fullmatch(r"\S.*@\S*[^\s@]", each, re.DOTALL)
            if not plain or each in self.scenario.refused:
                raise Invalid("one of the addresses is invalid", "recipient_emails")
        return given

    def _spelled(self, address: str) -> str:
        return address.lower() if self.scenario.lower_case else address

    @staticmethod
    def _whole(request: Request, name: str, usual: int) -> int:
        text = request.asked(name)
        if text is None:
            return usual
        if not text.isdecimal():
            raise Invalid(f"{name} must be a number", name)
        return int(text)


def name_of(request: Request) -> str:
    """Which call a request is, by method and path; empty for none that is known."""
    match request.method, *request.parts:
        case "GET", "v3", "scopes":
            return "scopes"
        case "POST", "v3", "asm", "suppressions", "global":
            return "global add"
        case method, "v3", "asm", "suppressions", "global", _ if method in ("GET", "DELETE"):
            return "global read" if method == "GET" else "global remove"
        case "GET", "v3", "asm", "groups", number if number.isdecimal():
            return "group"
        case method, "v3", "asm", "groups", number, "suppressions" if number.isdecimal() and method in (
            "GET",
            "POST",
        ):
            return "group list" if method == "GET" else "group add"
        case "POST", "v3", "asm", "groups", number, "suppressions", "search" if number.isdecimal():
            return "group search"
        case "DELETE", "v3", "asm", "groups", number, "suppressions", _ if number.isdecimal():
            return "group remove"
        case "GET", "v3", "suppression", name if name in (GLOBAL, *OTHERS):
            return name
        case _:
            return ""


def _error(status: int, message: str, field: str | None = None) -> Response:
    return answer(status, {"errors": [{"field": field, "message": message}]})
