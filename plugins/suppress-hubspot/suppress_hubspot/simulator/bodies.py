"""The JSON that a simulated HubSpot account answers with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from suppress.plugin.loopback import Request, Response, answer
from suppress_hubspot.simulator.account import PORTAL, Account, Contact, written


class Invalid(ValueError):
    """The request cannot be carried out: a 400, with these words."""


def check_address(address: object) -> None:
    """Refuse what no mail system takes."""
    if not isinstance(address, str) or not re.fullmatch(r"[^\s@]+(?:@[^\s@]*)*@[^\s@]+", address):
        raise Invalid(f"Email address {address} is invalid")


def envelope(results: Sequence[object], now: datetime) -> dict[str, object]:
    """What every preferences call answers."""
    at = written(now)
    return {"status": "COMPLETE", "results": list(results), "startedAt": at, "completedAt": at}


def definition(number: int, now: datetime) -> dict[str, object]:
    """A subscription type."""
    at = written(now)
    return {
        "id": str(number),
        "name": f"Newsletter {number}",
        "description": "What the account sends",
        "isActive": True,
        "isDefault": number == 1,
        "isInternal": False,
        "createdAt": at,
        "updatedAt": at,
    }


def status(address: str, number: int, why: str, now: datetime) -> dict[str, object]:
    """Where an address stands with one subscription type after an opt-out."""
    return {
        "subscriberIdString": address,
        "subscriptionId": number,
        "subscriptionName": f"Newsletter {number}",
        "channel": "EMAIL",
        "status": "UNSUBSCRIBED",
        "source": "PUBLIC_STATUS_API",
        "timestamp": written(now),
        "setStatusSuccessReason": why,
    }


def old_status(number: int, *, mailed: bool) -> dict[str, object]:
    """The same in version 3."""
    return {
        "id": str(number),
        "name": f"Newsletter {number}",
        "description": "What the account sends",
        "status": "SUBSCRIBED" if mailed else "NOT_SUBSCRIBED",
        "sourceOfStatus": "SUBSCRIPTION_STATUS" if mailed else "PORTAL_WIDE_STATUS",
    }


def wide(address: str, unit: int, at: datetime) -> dict[str, object]:
    """An opt-out of everything."""
    kind = "PORTAL_WIDE" if unit == PORTAL else "BUSINESS_UNIT_WIDE"
    found: dict[str, object] = {
        "subscriberIdString": address,
        "channel": "EMAIL",
        "status": "UNSUBSCRIBED",
        "wideStatusType": kind,
        "timestamp": written(at),
    }
    return found if unit == PORTAL else {**found, "businessUnitId": unit}


def record_error(category: str, address: str) -> dict[str, object]:
    """Why one address of a batch was not done."""
    return {
        "status": "error",
        "category": category,
        "message": f"{address} could not be processed",
        "errors": [],
        "context": {"ids": [address]},
        "links": {},
    }


def error(code: int, category: str, message: str, correlation: str) -> Response:
    """What a call that failed answers."""
    body = {"status": "error", "message": message, "correlationId": correlation, "category": category}
    return answer(code, {**body, "errors": [], "links": {}})


def missing_scopes(scopes: Sequence[str], correlation: str) -> Response:
    """The token may not do this."""
    message = "This app hasn't been granted all required scopes to make this call."
    context = {"requiredGranularScopes": list(scopes)}
    body = {"status": "error", "message": message, "correlationId": correlation, "category": "MISSING_SCOPES"}
    detail = {"message": message, "context": context}
    return answer(403, {**body, "context": context, "errors": [detail], "links": {}})


def too_many(words: str, policy: str, correlation: str) -> Response:
    """A limit was hit."""
    return answer(
        429,
        {
            "status": "error",
            "message": f"You have reached your {words} limit.",
            "errorType": "RATE_LIMIT",
            "correlationId": correlation,
            "policyName": policy,
            "requestId": correlation,
        },
    )


def contact(found: Contact, modified: datetime, *, opted_out: bool) -> dict[str, object]:
    """A contact."""
    return {
        "id": str(found.id),
        "properties": {
            "email": found.email.lower(),
            "hs_email_optout": "true" if opted_out else None,
            "hs_object_id": str(found.id),
            "lastmodifieddate": written(modified),
        },
        "createdAt": written(found.created),
        "updatedAt": written(modified),
        "archived": False,
    }


def contacts(account: Account, request: Request, now: datetime) -> Response:
    """`batch/read` by e-mail address: whom it does not know is in `errors` of a 207."""
    body = request.json()
    if not isinstance(body, dict) or not {"inputs", "properties", "propertiesWithHistory"} <= body.keys():
        raise Invalid("inputs, properties and propertiesWithHistory are required.")
    asked = [str(each.get("id")) for each in body["inputs"]]
    if not 0 < len(asked) <= 100:
        raise Invalid("inputs holds 1 to 100 ids.")
    found, missing = [], []
    for address in asked:
        known = account.contact(address)
        seen = None if known is None else known.seen(now)
        if known is None or seen is None:
            missing.append(address)
        else:
            found.append(contact(known, seen[0], opted_out=seen[1]))
    answered = envelope(found, now)
    if not missing:
        return answer(200, answered)
    lacking = {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": "Could not get some CONTACT objects",
        "errors": [],
        "context": {"ids": missing},
        "links": {},
    }
    return answer(207, {**answered, "numErrors": 1, "errors": [lacking]})
