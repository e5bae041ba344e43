"""Runs a simulated account: the API on one port, the host of batch results on another."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from suppress.plugin.loopback import Exchange, Loopback, Request, Response, page
from suppress_mailchimp.simulator import shape
from suppress_mailchimp.simulator.account import Refused
from suppress_mailchimp.simulator.routes import Routes
from suppress_mailchimp.simulator.scenario import Fault, Scenario

_BLOCKED = "<!DOCTYPE html><html><body><h1>Request Blocked</h1></body></html>"


@dataclass(slots=True)
class _Pending:
    """A fault, and which of the requests that it is about it meets."""

    fault: Fault
    before: int
    left: int


class Simulator:
    """One account that listens, until it is closed. `account` may be changed under `lock`."""

    def __init__(self, scenario: Scenario | None = None, *, port: int = 0, keep: int | None = None) -> None:
        self.scenario = scenario or Scenario()
        self.account = self.scenario.account(self.now())
        self._routes = Routes(self.account, self.scenario.switches, self.now)
        self._faults = [_Pending(each, each.after, each.times) for each in self.scenario.faults]
        self._server = Loopback(self._answer, port=port, keep=keep)
        self._results = Loopback(self._routes.batches.results, keep=keep)
        self.lock = self._server.lock
        self.requests = 0
        """Requests to the API so far."""
        self._server.start()
        self._results.start()
        same = self.scenario.switches.results_host == "same"
        self._routes.batches.url = f"{self._server.url}/results" if same else self._results.url

    @property
    def url(self) -> str:
        """Where the API is."""
        return self._server.url

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What the API was asked and answered."""
        return self._server.exchanges

    @property
    def fetched(self) -> tuple[Exchange, ...]:
        """What the host of the results was asked and answered."""
        return self._results.exchanges

    @property
    def busiest(self) -> int:
        """The most requests that were under way at once."""
        return self._server.busiest

    def now(self) -> datetime:
        """The platform's clock."""
        return datetime.now(UTC) + timedelta(seconds=self.scenario.switches.skew)

    def mails(self, address: str, *, audience: str | None = None) -> bool:
        """Whether anything would be sent to this address."""
        with self.lock:
            return self.account.mails(address, audience=audience)

    def close(self) -> None:
        """Stop listening."""
        self._server.close()
        self._results.close()

    def _answer(self, request: Request) -> Response:
        self.requests += 1
        if request.path == "/oauth2/metadata":
            return Response(200, b'{"dc": "us19"}')
        if request.parts[0] == "results":
            return self._routes.batches.results(request)
        if self._server.under_way > self.scenario.switches.connections:
            words = "You have exceeded the limit of 10 simultaneous connections."
            return shape.refusal(Refused(429, "Too Many Requests", words))
        if not self._is_signed(request):
            words = "Your API key may be invalid, or you've attempted to access the wrong datacenter."
            return shape.refusal(Refused(401, "API Key Invalid", words))
        fault = self._fault(request)
        return self._routes.answered(request) if fault is None else self._faulty(fault, request)

    def _is_signed(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            try:
                given = base64.b64decode(given).decode().partition(":")[2]
            except ValueError:
                return False
        return given == self.scenario.key

    def _fault(self, request: Request) -> Fault | None:
        for each in self._faults:
            fault = each.fault
            if not (re.fullmatch(fault.method, request.method) and re.fullmatch(fault.path, request.path)):
                continue
            if each.before:
                each.before -= 1
            elif each.left:
                each.left -= 1
                return fault
        return None

    def _faulty(self, fault: Fault, request: Request) -> Response:
        match fault.kind:
            case "bare-403":
                return Response(403, b"", "text/plain")
            case "throttled":
                words = "You have exceeded the limit of 10 simultaneous connections."
                return shape.refusal(Refused(429, "Too Many Requests", words))
            case "blocked":
                return page(503, _BLOCKED)
            case "reset":
                return Response(200, reset=True)
            case "silent":
                # What the API would have said, of nobody: the members are as they were.
                empty: dict[str, object] = {"new_members": [], "updated_members": [], "errors": []}
                counts = {"total_created": 0, "total_updated": 0, "error_count": 0}
                return Response(200, json.dumps({**empty, **counts}).encode())
            case "failed":
                return shape.refusal(_deep_error())
        done = self._routes.answered(request)
        match fault.kind:
            case "failed-after":
                return shape.refusal(_deep_error())
            case "reset-after":
                return Response(200, reset=True)
            case "cut":
                return replace(done, cut=len(done.body) // 2)
            case _:
                return replace(done, delay=float(fault.seconds))


def _deep_error() -> Refused:
    words = "A deep, internal error has occurred during the processing of your request."
    return Refused(500, "Internal Server Error", words)
