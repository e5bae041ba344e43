"""The calls of a simulated SES account, and what they answer.

The region is told from the scope of the signature, as AWS does; the signature itself is not computed again.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from suppress.plugin.loopback import Loopback, Request, Response, answer, page
from suppress_ses.simulator.account import BOUNCE, COMPLAINT, Account
from suppress_ses.simulator.scenario import Fault, Scenario, Trap

_SCOPE = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/ses/aws4_request, .*Signature=\w+")
_LARGEST_PAGE = 1_000


class Refused(Exception):
    """A call that fails, with AWS's name for why."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Simulator(Loopback):
    """An SES account on loopback. `account` is its first region; a test may change it under `lock`."""

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
        self.regions = {each: Account(self.scenario.reasons) for each in self.scenario.regions}
        self.tenants = {each: Account(self.scenario.reasons) for each in self.scenario.tenants}
        self.faults: list[Fault] = [replace(each) for each in self.scenario.faults]
        self.used = 0
        """Requests that were let in."""
        self._clock = clock
        self._recent: deque[datetime] = deque()
        self._number = 0
        for reason, addresses in ((COMPLAINT, self.scenario.complaints), (BOUNCE, self.scenario.bounces)):
            for each in addresses:
                self.account.put(each, reason, self.now())

    @property
    def account(self) -> Account:
        """The list of the first region."""
        return self.regions[self.scenario.regions[0]]

    def now(self) -> datetime:
        """The platform's clock."""
        return self._clock() + timedelta(seconds=self.scenario.clock_skew)

    # --- Every call --------------------------------------------------------------------------------------

    def _answered(self, request: Request) -> Response:
        self._number += 1
        call = name_of(request)
        try:
            account = self._let_in(request, call)
            self.used += 1
            fault = next((each for each in self.faults if each.strikes(call)), None)
            reply = self._carried_out(account, request, call, fault)
        except Refused as refused:
            headers = (("x-amzn-ErrorType", refused.code),)
            reply = answer(refused.status, {"message": str(refused)}, *headers)
        return reply.with_headers(("x-amzn-RequestId", f"00000000-0000-4000-8000-{self._number:012d}"))

    def _let_in(self, request: Request, call: str) -> Account:
        signed = _SCOPE.fullmatch(request.headers.get("authorization", ""))
        if signed is None:
            raise Refused(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        if signed[1] != self.scenario.key:
            message = "The security token included in the request is invalid."
            raise Refused(403, "UnrecognizedClientException", message)
        if signed[2] not in self.regions:
            raise Refused(403, "InvalidSignatureException", "Credential should be scoped to a valid region.")
        if call in self.scenario.forbidden:
            raise Refused(403, "AccessDeniedException", f"User is not authorized to perform: ses:{call}")
        self._count()
        tenant = request.asked("TenantName")
        return self._tenant(tenant) if tenant else self.regions[signed[2]]

    def _count(self) -> None:
        if self.scenario.per_second is None:
            return
        while self._recent and self._clock() - self._recent[0] >= timedelta(seconds=1):
            self._recent.popleft()
        if len(self._recent) >= self.scenario.per_second:
            raise Refused(429, "TooManyRequestsException", "Too Many Requests")
        self._recent.append(self._clock())

    def _tenant(self, name: str) -> Account:
        if name not in self.tenants:
            raise Refused(404, "NotFoundException", "The tenant does not exist.")
        return self.tenants[name]

    def _carried_out(self, account: Account, request: Request, call: str, fault: Fault | None) -> Response:
        trap = None if fault is None else fault.trap
        if fault is not None and trap is Trap.ERROR:
            raise Refused(fault.status or 500, fault.code, "something went wrong")
        if fault is not None and trap is Trap.THROTTLED:
            code = "ThrottlingException" if fault.status == 400 else "TooManyRequestsException"
            raise Refused(fault.status or 429, code, "Maximum sending rate exceeded.")
        if trap is Trap.PAGE:
            return page(200, "<html><body><h1>Please sign in</h1></body></html>")
        handler = self._handlers().get(call)
        if handler is None:
            raise Refused(404, "UnknownOperationException", "There is no such operation.")
        reply = handler(account, request, trap)
        return reply if fault is None else reply.on_the_line(fault.trap, fault.seconds)

    def _handlers(self) -> Mapping[str, Callable[[Account, Request, Trap | None], Response]]:
        return {
            "GetAccount": self._account,
            "GetConfigurationSet": self._set,
            "GetSuppressedDestination": self._get,
            "ListConfigurationSets": lambda *_: answer(200, {"ConfigurationSets": list(self.scenario.sets)}),
            "ListSuppressedDestinations": self._list,
            "PutSuppressedDestination": self._put,
            "DeleteSuppressedDestination": self._delete,
        }

    # --- What they do ------------------------------------------------------------------------------------

    def _put(self, account: Account, request: Request, trap: Trap | None) -> Response:
        try:
            body = request.json()
        except ValueError:
            raise Refused(400, "BadRequestException", "The body is no JSON.") from None
        given = body if isinstance(body, dict) else {}
        address, reason = given.get("EmailAddress"), given.get("Reason")
        if reason not in (BOUNCE, COMPLAINT):
            raise Refused(400, "BadRequestException", "Reason must be BOUNCE or COMPLAINT.")
        self._check(address)
        if given.get("TenantName"):
            account = self._tenant(str(given["TenantName"]))
        if trap is not Trap.UNAPPLIED:
            account.put(str(address), str(reason), self.now())
        return answer(200, {})

    def _get(self, account: Account, request: Request, _trap: Trap | None) -> Response:
        address = request.parts[-1]
        self._check(address)
        entry = account.find(address)
        if entry is None:
            raise Refused(404, "NotFoundException", "Email address does not exist on your suppression list.")
        found = {
            "EmailAddress": entry.address,
            "Reason": entry.reason,
            "LastUpdateTime": entry.at.timestamp(),
        }
        return answer(200, {"SuppressedDestination": found})

    def _delete(self, account: Account, request: Request, _trap: Trap | None) -> Response:
        if not account.remove(request.parts[-1]):
            raise Refused(404, "NotFoundException", "Email address does not exist on your suppression list.")
        return answer(200, {})

    def _list(self, account: Account, request: Request, _trap: Trap | None) -> Response:
        size, token = request.asked("PageSize") or "100", request.asked("NextToken") or "at-0"
        at = re.fullmatch(r"at-([0-9]+)", token)
        if at is None or not size.isdecimal() or not 0 < int(size) <= _LARGEST_PAGE:
            raise Refused(400, "BadRequestException", "NextToken or PageSize is not valid.")
        begin, end = int(at[1]), int(at[1]) + int(size)
        entries = list(account.held.values())
        rows = [
            {"EmailAddress": each.address, "Reason": each.reason, "LastUpdateTime": each.at.timestamp()}
            for each in entries[begin:end]
        ]
        more = {"NextToken": f"at-{end}"} if end < len(entries) else {}
        return answer(200, {"SuppressedDestinationSummaries": rows, **more})

    def _account(self, account: Account, _request: Request, _trap: Trap | None) -> Response:
        return answer(
            200,
            {
                "DedicatedIpAutoWarmupEnabled": False,
                "EnforcementStatus": "HEALTHY",
                "ProductionAccessEnabled": True,
                "SendingEnabled": self.scenario.sending,
                "SuppressionAttributes": {"SuppressedReasons": sorted(account.reasons)},
            },
        )

    def _set(self, _account: Account, request: Request, _trap: Trap | None) -> Response:
        name = request.parts[-1]
        if name not in self.scenario.sets:
            raise Refused(404, "NotFoundException", "The configuration set does not exist.")
        own = {"SuppressedReasons": list(self.scenario.sets[name])}
        return answer(200, {"ConfigurationSetName": name, "SuppressionOptions": own})

    def _check(self, address: object) -> None:
        plain = isinstance(address, str) and re.fullmatch(r"[^\s@].*@\S*[^\s@]", address, re.DOTALL)
        if not plain or address in self.scenario.refused:
            raise Refused(400, "BadRequestException", "The email address is not valid.")


def name_of(request: Request) -> str:
    """Which operation a request is, by AWS's name; empty for none that is known."""
    match request.method, *request.parts:
        case "GET", "v2", "email", "account":
            return "GetAccount"
        case "POST", "v2", "email", "list-configuration-sets":
            return "ListConfigurationSets"
        case "GET", "v2", "email", "configuration-sets", _:
            return "GetConfigurationSet"
        case "GET", "v2", "email", "suppression", "addresses":
            return "ListSuppressedDestinations"
        case "PUT", "v2", "email", "suppression", "addresses":
            return "PutSuppressedDestination"
        case "GET", "v2", "email", "suppression", "addresses", _:
            return "GetSuppressedDestination"
        case "DELETE", "v2", "email", "suppression", "addresses", _:
            return "DeleteSuppressedDestination"
        case _:
            return ""
