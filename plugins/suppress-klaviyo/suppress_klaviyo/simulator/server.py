"""The calls of a simulated Klaviyo account, and what they answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from suppress.plugin.loopback import Loopback, Request, Response
from suppress_klaviyo.simulator import bodies
from suppress_klaviyo.simulator.account import Account, Job, Profile
from suppress_klaviyo.simulator.bodies import Invalid
from suppress_klaviyo.simulator.scenario import Scenario

_LARGEST = 100
_TIME = "subscriptions.email.marketing.suppression.timestamp"
_REASON = "subscriptions.email.marketing.suppression.reason"


class Simulator(Loopback):
    """A Klaviyo account on loopback. `account` is what it knows; a test may change it under `lock`."""

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
        self.account = Account(minds_case=self.scenario.minds_case)
        self.used = 0
        """Requests so far."""
        self._clock = clock
        self._line = list(self.scenario.line)
        self._failing = list(self.scenario.failing)
        self._behind = 0
        """How many readings of profiles are still behind."""
        self.account.add(self.scenario.profiles)
        for each in self.scenario.suppressed:
            reason, _, address = each.partition(" ")
            self.account.suppress(address, reason, self.now())

    @property
    def key(self) -> str:
        """What it takes."""
        return self.scenario.key

    def now(self) -> datetime:
        """The platform's clock."""
        return self._clock() + timedelta(seconds=self.scenario.clock_skew)

    # --- Every call --------------------------------------------------------------------------------------

    def _answered(self, request: Request) -> Response:
        self.used += 1
        status = self._failing.pop(0) if self._failing else 0
        if status:
            return bodies.error(status, "error", "Something went wrong.")
        refused = self._refused(request)
        if refused is not None:
            return refused
        try:
            return self._carried_out(request)
        except Invalid as invalid:
            pointer = invalid.pointer if self.scenario.pointer else None
            return bodies.error(400, "invalid", str(invalid), pointer=pointer)

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Klaviyo-API-Key {self.key}":
            return bodies.error(401, "not_authenticated", "Authentication credentials were not provided.")
        if "revision" not in request.headers:
            return bodies.error(400, "invalid", "Missing required header: revision.")
        if self.scenario.per_minute is not None and self.used > self.scenario.per_minute:
            self.used = 0
            limit = bodies.error(429, "throttled", "Request was throttled. Expected available in 1 second.")
            return limit.with_headers(("Retry-After", "1"))
        if request.method == "POST" and self.scenario.read_only:
            return bodies.error(403, "permission_denied", "The key lacks a scope.")
        return None

    def _carried_out(self, request: Request) -> Response:
        match request.method, *request.parts:
            case "GET", "api", "accounts":
                return bodies.document(200, [bodies.account()], {"self": f"{self.url}/api/accounts"})
            case "GET", "api", "profiles":
                return self._profiles(request)
            case "POST", "api", "profile-suppression-bulk-create-jobs":
                return self._start(request).on_the_line(self._line.pop(0) if self._line else "ok", 0.05)
            case "GET", "api", "profile-suppression-bulk-create-jobs", token:
                return self._look(token)
            case _:
                return bodies.error(404, "not_found", "There is nothing here.")

    def _start(self, request: Request) -> Response:
        addresses = self._addresses(request)
        job = self.account.start(addresses, self.now())
        return self._job(202, job)

    def _addresses(self, request: Request) -> list[str]:
        try:
            data = json.loads(request.body)["data"]
            profiles = data["attributes"]["profiles"]["data"]
            addresses = [each["attributes"]["email"] for each in profiles]
            kinds = {data["type"], *(each["type"] for each in profiles)}
        except (ValueError, KeyError, TypeError):
            raise Invalid("The payload is not a suppression of profiles.") from None
        if kinds != {bodies.JOB, "profile"} or len(addresses) > _LARGEST:
            raise Invalid(f"A job takes 1 to {_LARGEST} profiles.")
        for number, each in enumerate(addresses):
            if not re.fullmatch(r"[^\s@]+(?:@[^\s@]*)*@[^\s@]+", each) or each in self.scenario.invalid:
                pointer = f"/data/attributes/profiles/data/{number}/attributes/email"
                raise Invalid(f"Invalid email address {each}", pointer)
        return addresses

    def _look(self, token: str) -> Response:
        job = self.account.jobs.get(token)
        if job is None or self.scenario.lost:
            return bodies.error(404, "not_found", "A job with that id does not exist.")
        job.asked += 1
        if job.ended is None:
            job.status = "processing"
            if job.asked >= self.scenario.polls:
                self._end(job)
        return self._job(200, job)

    def _end(self, job: Job) -> None:
        job.ended = self.now()
        job.status = "cancelled" if self.scenario.cancelled else "complete"
        if self.scenario.cancelled or self.scenario.unapplied:
            return
        for address in job.addresses:
            # Whom it does not know it makes a profile of, suppressed (vendor's contract of the call).
            self.account.suppress(address, "USER_SUPPRESSED", job.ended)
        self._behind = self.scenario.behind

    def _job(self, status: int, job: Job) -> Response:
        links = {"self": f"{self.url}/api/{bodies.JOB}s/{job.id}"}
        return bodies.document(status, bodies.job(job, self.url), links)

    # --- Profiles ----------------------------------------------------------------------------------------

    def _profiles(self, request: Request) -> Response:
        asked = dict(request.query)
        size, cursor = asked.get("page[size]", "20"), asked.get("page[cursor]", "0")
        if not (size.isdecimal() and 0 < int(size) <= _LARGEST and cursor.isdecimal()):
            raise Invalid(f"page[size] is 1 to {_LARGEST}.")
        shown = self._behind == 0
        self._behind -= not shown
        found = self._filtered(asked.get("filter", ""))
        if asked.get("sort") == _TIME:
            found.sort(key=lambda each: (min(each.suppressions.values()), each.id))
        start, end = int(cursor), int(cursor) + int(size)
        links = {"self": f"{self.url}{request.path}"}
        if end < len(found):
            links["next"] = f"{self.url}{request.path}?{_query({**asked, 'page[cursor]': str(end)})}"
        if "subscriptions" not in asked.get("additional-fields[profile]", ""):
            plain = [
                {"type": "profile", "id": each.id, "attributes": {"email": each.email}} for each in found
            ]
            return bodies.document(200, plain[start:end], links)
        data = [bodies.profile(each, self.url, shown=shown) for each in found[start:end]]
        return bodies.document(200, data, links)

    def _filtered(self, condition: str) -> list[Profile]:
        if named := re.fullmatch(r"any\(email,(\[.*\])\)|equals\(email,(\".*\")\)", condition, re.DOTALL):
            try:
                wanted = json.loads(named[1] or f"[{named[2]}]")
            except ValueError:
                raise Invalid("The filter is malformed.") from None
            bad = set(wanted) & set(self.scenario.invalid)
            if bad and self.scenario.filter_minds:
                raise Invalid(f"Invalid email address {min(bad)}")
            profiles = map(self.account.found, wanted)
            return list({each.id: each for each in profiles if each is not None}.values())
        if since := re.fullmatch(rf"greater-or-equal\({re.escape(_TIME)},(.+)\)", condition):
            at = datetime.fromisoformat(since[1])
            return [
                each
                for each in self.account.profiles()
                if each.suppressions and max(each.suppressions.values()) >= at
            ]
        if reason := re.fullmatch(rf'equals\({re.escape(_REASON)},"(\w+)"\)', condition):
            return [each for each in self.account.profiles() if reason[1] in each.suppressions]
        if not condition:
            return list(self.account.profiles())
        raise Invalid("That filter is not understood here.")


def _query(parts: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parts.items())
