"""`POST /crm/v3/objects/contacts/search` of a simulated account: filters, sorting, cursor, cap, and lag."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from suppress.plugin.loopback import Request, Response, answer
from suppress_hubspot.simulator.account import Account
from suppress_hubspot.simulator.bodies import Invalid, contact
from suppress_hubspot.simulator.scenario import Scenario

_LARGEST = 200


def search(account: Account, scenario: Scenario, request: Request, now: datetime) -> Response:
    """The contacts that match, as they were `search_lag` seconds ago."""
    body = request.json()
    if not isinstance(body, dict):
        raise Invalid("The body is no object.")
    limit, after = body.get("limit", 10), body.get("after", "0")
    if not isinstance(limit, int) or not 0 < limit <= _LARGEST or not str(after).isdecimal():
        raise Invalid(f"limit is 1 to {_LARGEST}, after a cursor.")
    start = int(after)
    if start + limit > scenario.search_cap:
        raise Invalid(f"There are more than {scenario.search_cap} results; paging ends there.")
    opted_out, since = _filters(body)
    then = now - timedelta(seconds=scenario.search_lag)
    found = []
    for each in account.contacts():
        seen = each.seen(then)
        if seen is not None and seen[1] == opted_out and seen[0] >= since:
            found.append((seen[0], each))
    if body.get("sorts") == ["lastmodifieddate"]:
        found.sort(key=lambda pair: (pair[0], pair[1].id))
    results = [contact(each, at, opted_out=opted_out) for at, each in found[start : start + limit]]
    answered: dict[str, object] = {"total": len(found), "results": results}
    if start + limit < len(found):
        answered["paging"] = {"next": {"after": str(start + limit)}}
    return answer(200, answered)


def _filters(body: Mapping[str, object]) -> tuple[bool, datetime]:
    """Whether the opted-out are asked for, and since when changed."""
    groups = body.get("filterGroups")
    if not isinstance(groups, list) or len(groups) != 1:
        raise Invalid("One filter group is understood here.")
    opted_out, since = True, datetime.min.replace(tzinfo=UTC)
    for each in groups[0]["filters"]:
        match each:
            case {"propertyName": "hs_email_optout", "operator": "EQ" | "NEQ" as operator, "value": "true"}:
                opted_out = operator == "EQ"
            case {"propertyName": "lastmodifieddate", "operator": "GTE", "value": str(value)} if (
                value.isdecimal()
            ):
                since = datetime.fromtimestamp(int(value) / 1000, UTC)
            case _:
                raise Invalid("That filter is not understood here.")
    return opted_out, since
