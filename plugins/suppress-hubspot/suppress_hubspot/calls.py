"""Every call that may go to HubSpot. What is not here cannot be sent.

Left out on purpose, because each could make somebody mailable or spoil the record: setting the status of one
subscription type (it takes `SUBSCRIBED` too), `/resubscribe` (2026-09), every write to contacts
(`hs_email_optout` is a read-only mirror; a contact that is created may become a marketing contact), the
imports, and whatever deletes.
"""

from __future__ import annotations

from collections.abc import Mapping

from suppress.plugin.guard import Body, Call
from suppress_hubspot.settings import LARGEST_BATCH, Options

_ADDRESS = "[A-Za-z0-9_.~%-]+%40[A-Za-z0-9_.~%-]+"
"""A whole address, percent-encoded: it has an `@`, so that it can be no other call's name."""
_OPT_OUT = frozenset({"channel", "verbose", "businessUnitId"})

PROPERTIES = ("email", "hs_email_optout", "lastmodifieddate")
"""What is asked of a contact: nothing of the person beyond the address."""
SEARCH = "/crm/v3/objects/contacts/search"
ACCOUNT = "/account-info/v3/details"


def calls(options: Options) -> tuple[Call, ...]:
    """What a destination with these settings may send."""
    preferences = f"{options.prefix}/communication-preferences/{options.version}"
    one = f"{preferences}/statuses/{_ADDRESS}/unsubscribe-all"
    many = f"{preferences}/statuses/batch/unsubscribe-all"
    return (
        Call("GET", f"{options.prefix}{ACCOUNT}"),
        Call("GET", f"{preferences}/definitions"),
        Call("GET", one),
        # It has no body, and can only opt out; doing it twice does nothing more.
        Call("POST", one, query=_OPT_OUT, repeatable=True),
        Call("POST", many, refuses=_not_addresses, query=_OPT_OUT, repeatable=True),
        Call("POST", f"{many}/read", refuses=_not_addresses, query=_OPT_OUT, repeatable=True),
        Call("POST", f"{options.prefix}{SEARCH}", refuses=_not_a_search, repeatable=True),
    )


def reads(method: str, path: str) -> bool:
    """Whether a call changes nothing: some reads are sent with POST."""
    return method == "GET" or path.endswith(("/batch/unsubscribe-all/read", SEARCH))


def _not_addresses(body: Body) -> str | None:
    if not isinstance(body, Mapping) or set(body) != {"inputs"}:
        return "more than a list of addresses"
    inputs = body["inputs"]
    if not isinstance(inputs, list | tuple) or not all(isinstance(each, str) for each in inputs):
        return "something else than addresses"
    return None if 0 < len(inputs) <= LARGEST_BATCH else f"none or more than {LARGEST_BATCH} addresses"


def _not_a_search(body: Body) -> str | None:
    known = {"filterGroups", "sorts", "properties", "limit", "after"}
    if not isinstance(body, Mapping) or not set(body) <= known:
        return "more than a search of contacts"
    return None if body.get("properties") == list(PROPERTIES) else "a search for more than who is opted out"
