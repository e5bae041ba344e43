"""What the simulated API answers: from a request to an account's state and a JSON answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from suppress.plugin.loopback import Request, Response, answer
from suppress_mailchimp.simulator import shape
from suppress_mailchimp.simulator.account import STATUSES, Account, Audience, Member, Refused
from suppress_mailchimp.simulator.batches import Batches
from suppress_mailchimp.simulator.scenario import Switches
from suppress_mailchimp.simulator.shape import Table

MOST_IN_LIST_CALL = 500
MOST_ON_PAGE = 1_000
_ADDRESS = re.compile(r"[^\s@\"(),:;<>\[\]\\]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_NOT_FOUND = Refused(404, "Resource Not Found", "The requested resource could not be found.")


class Routes:
    """Every call, in and out of batches."""

    def __init__(self, account: Account, switches: Switches, now: Callable[[], datetime]) -> None:
        self._account = account
        self._switches = switches
        self._now = now
        self.batches = Batches(switches, self._in_batch, now)

    def answered(self, request: Request) -> Response:
        """The answer to a request that is allowed in."""
        try:
            status, body = self._routed(request)
        except Refused as refused:
            return shape.refusal(refused)
        if status == 204:
            return Response(204)
        shown = shape.chosen(body, request.asked("fields") if request.method == "GET" else None)
        described = ("Link", '<https://us19.api.mailchimp.com/schema/3.0/>; rel="describedBy"')
        return answer(status, shown, described)

    def _in_batch(self, request: Request) -> Response:
        try:
            status, body = self._routed(request)
        except Refused as refused:
            return shape.refusal(refused, in_batch=True)
        return answer(status, body) if status != 204 else Response(204)

    def _routed(self, request: Request) -> tuple[int, object]:
        if request.method != "GET" and self._switches.role == "viewer":
            raise Refused(403, "Forbidden", "You don't have permission to access the requested resource.")
        _, *parts = request.parts
        match request.method, parts:
            case "GET", ["ping"]:
                return 200, {"health_status": "Everything's Chimpy!"}
            case "GET", ["lists"]:
                return 200, self._audiences(request)
            case "GET", ["lists", one]:
                return 200, shape.audience(self._audience(one))
            case "POST", ["lists", one]:
                return 200, self._list_call(self._audience(one), request)
            case _, ["lists", one, "members", *rest]:
                return self._members(request, self._audience(one), rest)
            case "GET", ["search-members"]:
                return 200, self._search(request)
            case "GET", ["batches"]:
                return 200, self.batches.listed()
            case "POST", ["batches"]:
                return 200, self.batches.start(_table(request))
            case "GET", ["batches", one]:
                return 200, self.batches.look(one)
            case _:
                raise _NOT_FOUND

    def _members(self, request: Request, audience: Audience, rest: list[str]) -> tuple[int, object]:
        match request.method, rest:
            case "GET", []:
                return 200, self._listing(audience, request)
            case "POST", []:
                return 200, self._add(audience, request)
            case "GET", [named]:
                return 200, shape.member(audience, audience.required_member(named))
            case "PATCH", [named]:
                member = audience.required_member(named)
                return 200, self._write(
                    audience, request, member.address, _status(_table(request), patch=True)
                )
            case "PUT", [named]:
                return 200, self._put(audience, request, named)
            case "DELETE", [named]:
                audience.archive(named, self._now())
                return 204, None
            case "GET", [named, "activity-feed"]:
                return 200, shape.feed(audience, audience.required_member(named))
            case "POST", [named, "actions", "delete-permanent"]:
                audience.forget(named)
                return 204, None
            case _:
                raise _NOT_FOUND

    def _audience(self, identity: str) -> Audience:
        audience = self._account.audiences.get(identity)
        if audience is None:
            raise _NOT_FOUND
        return audience

    def _audiences(self, request: Request) -> Table:
        count, offset = _page(request)
        every = list(self._account.audiences.values())
        shown = [shape.audience(each) for each in every[offset : offset + count]]
        return {"lists": shown, "total_items": len(every), "_links": []}

    def _listing(self, audience: Audience, request: Request) -> Table:
        count, offset = _page(request)
        status, since = request.asked("status"), request.asked("since_last_changed")
        if status is not None and status not in STATUSES | {"archived"}:
            raise Refused(
                400, "Invalid Resource", "The status is not one of those there are.", field="status"
            )
        if request.asked("unsubscribed_since") is not None and status != "unsubscribed":
            raise Refused(400, "Invalid Resource", "unsubscribed_since needs status=unsubscribed.")
        if self._switches.drift and offset:
            audience.stir(offset, self._switches.drift, self._now())
        after = None if since is None else datetime.fromisoformat(since)
        lagging = self._switches.lagging
        rows = audience.listing(status, after, lagging=lagging)
        if status is None and self._switches.archived_listed:
            rows = sorted(
                [*rows, *audience.listing("archived", after, lagging=lagging)], key=lambda each: each.changed
            )
        if request.asked("sort_dir") == "DESC":
            rows.reverse()
        shown = [shape.member(audience, each) for each in rows[offset : offset + count]]
        return {"members": shown, "list_id": audience.id, "total_items": len(rows), "_links": []}

    def _add(self, audience: Audience, request: Request) -> Table:
        body = _table(request)
        address = self._valid(body.get("email_address"))
        there = audience.find(address)
        if there is not None and there.status != "archived":
            raise _exists(there)
        return self._write(audience, request, address, _status(body))

    def _put(self, audience: Audience, request: Request, named: str) -> Table:
        body = _table(request)
        there = audience.find(named)
        if there is not None:
            status = _status(body) if "status" in body else there.status
            return self._write(audience, request, there.address, status)
        address = self._valid(body.get("email_address"))
        new = body.get("status_if_new", body.get("status"))
        return self._write(audience, request, address, _status({"status": new}))

    def _list_call(self, audience: Audience, request: Request) -> Table:
        body = _table(request)
        members = body.get("members")
        if not isinstance(members, list) or len(members) > MOST_IN_LIST_CALL:
            raise Refused(400, "Invalid Resource", "members must be a list of at most 500.", field="members")
        created: list[Table] = []
        updated: list[Table] = []
        errors: list[Table] = []
        seen: set[str] = set()
        for each in members:
            address = str(each.get("email_address", ""))
            try:
                there = audience.find(address)
                known = there is not None
                if address.lower() in seen:
                    if request.asked("skip_duplicate_check") == "true":
                        continue
                    raise Refused(400, "Duplicate", f"{address} appears more than once.")
                seen.add(address.lower())
                if there is not None and body.get("update_existing") is not True:
                    raise _exists(there)
                shown = self._write(audience, request, self._valid(address), _status(each))
                (updated if known else created).append(shown)
            except Refused as refused:
                errors.append(_list_error(address, refused))
        return {
            "new_members": created,
            "updated_members": updated,
            "errors": errors,
            "total_created": len(created),
            "total_updated": len(updated),
            "error_count": len(errors),
            "_links": [],
        }

    def _write(self, audience: Audience, request: Request, address: str, status: str) -> Table:
        there = audience.find(address)
        lacking = [each for each in audience.required if each not in (there.fields if there else ())]
        if lacking and request.asked("skip_merge_validation") != "true":
            raise Refused(400, "Invalid Resource", "Your merge fields were invalid.", field=lacking[0])
        return shape.member(audience, audience.write(address, status, self._now()))

    def _valid(self, address: object) -> str:
        if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
            raise Refused(
                400, "Invalid Resource", "Please provide a valid email address.", field="email_address"
            )
        if address.rpartition("@")[2].lower() in self._switches.fakes:
            words = f"{address} looks fake or invalid, please enter a real email address."
            raise Refused(400, "Invalid Resource", words)
        return address

    def _search(self, request: Request) -> Table:
        asked = (request.asked("query") or "").lower()
        found = [
            shape.member(audience, member)
            for audience in self._account.audiences.values()
            for member in audience
            if member.address.lower() == asked
        ]
        matches = {"members": found, "total_items": len(found)}
        return {"exact_matches": matches, "full_search": {"members": [], "total_items": 0}, "_links": []}


def _exists(member: Member) -> Refused:
    words = f"{member.address} is already a list member. Use PUT to insert or update list members."
    return Refused(400, "Member Exists", words)


def _list_error(address: str, refused: Refused) -> Table:
    exists = refused.title == "Member Exists"
    return {
        "email_address": address,
        "error": refused.detail,
        "error_code": "ERROR_CONTACT_EXISTS" if exists else "ERROR_GENERIC",
        "field": refused.field or "",
        "field_message": refused.detail if refused.field else "",
    }


def _status(body: Any, *, patch: bool = False) -> str:
    status = body.get("status")
    if status not in STATUSES or (patch and status == "transactional"):
        raise Refused(
            400, "Invalid Resource", "The resource submitted could not be validated.", field="status"
        )
    return str(status)


def _table(request: Request) -> Table:
    try:
        body = request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(400, "JSON Parse Error", "We encountered an unspecified JSON parsing error.")
    return body


def _page(request: Request) -> tuple[int, int]:
    count, offset = request.asked("count") or "10", request.asked("offset") or "0"
    if not (count.isdecimal() and offset.isdecimal()) or int(count) > MOST_ON_PAGE:
        raise Refused(400, "Invalid Resource", "count must be at most 1000.", field="count")
    return int(count), int(offset)
