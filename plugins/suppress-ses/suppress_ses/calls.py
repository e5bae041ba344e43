"""Every call that may go to SES. What is not here cannot be sent, although AWS's client could make it.

Left out on purpose: `DeleteSuppressedDestination`, import jobs (whose action may be `DELETE`),
`PutAccountSuppressionAttributes` (which can switch the list off), whatever changes configuration sets or
contacts, and whatever sends mail.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from suppress.plugin.guard import Body, Call
from suppress_ses.settings import Options

REASON = "COMPLAINT"
"""SES knows no "unsubscribed": its reasons are BOUNCE and COMPLAINT, and a bounce is no request."""
OPERATIONS = frozenset(
    {
        "GetAccount",
        "GetConfigurationSet",
        "GetSuppressedDestination",
        "ListConfigurationSets",
        "ListSuppressedDestinations",
        "PutSuppressedDestination",
    }
)
"""The same by the names that AWS gives them."""
_ADDRESS = "[A-Za-z0-9_.~%-]+%40[A-Za-z0-9_.~%-]+"
_LIST = "/v2/email/suppression/addresses"
_SETS = "/v2/email/list-configuration-sets"


def calls(options: Options) -> tuple[Call, ...]:
    """What a destination with these settings may send."""
    prefix = "" if options.api_url is None else urlsplit(options.api_url).path

    def not_a_suppression(body: Body) -> str | None:
        wanted = {"Reason": REASON} | ({} if options.tenant is None else {"TenantName": options.tenant})
        if (
            not isinstance(body, Mapping)
            or {key: body[key] for key in body if key != "EmailAddress"} != wanted
        ):
            return "something else than one suppression for the reason COMPLAINT"
        return None if isinstance(body.get("EmailAddress"), str) else "a suppression of nobody"

    return (
        Call("GET", f"{prefix}/v2/email/account"),
        Call("GET", f"{prefix}/v2/email/configuration-sets/[A-Za-z0-9_-]+"),
        Call("GET", f"{prefix}{_LIST}"),
        Call("GET", f"{prefix}{_LIST}/{_ADDRESS}"),
        Call("POST", f"{prefix}{_SETS}", refuses=_not_a_listing, repeatable=True),
        # Doing it twice does nothing more.
        Call("PUT", f"{prefix}{_LIST}", refuses=not_a_suppression, repeatable=True),
    )


def reads(method: str, path: str) -> bool:
    """Whether a call changes nothing: configuration sets are listed with POST."""
    return method == "GET" or path.endswith(_SETS)


def _not_a_listing(body: Body) -> str | None:
    known = isinstance(body, Mapping) and set(body) <= {"PageSize", "NextToken"}
    return None if known else "more than a listing of configuration sets"
