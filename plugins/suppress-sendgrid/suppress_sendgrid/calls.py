"""Every call that may go to SendGrid. What is not here cannot be sent.

Left out on purpose: every `DELETE` (of a suppression, of a bounce, of a whole list with `delete_all`, of a
group, which lets all its people be mailed again), whatever makes or changes a group, and
`PUT /v3/marketing/contacts`, which belongs to another product and would make people mailable.
"""

from __future__ import annotations

from collections.abc import Mapping

from suppress.plugin.guard import Body, Call
from suppress_sendgrid.settings import LARGEST_BATCH, OTHER_LISTS, Options

_ADDRESS = "[A-Za-z0-9_.~%-]+%40[A-Za-z0-9_.~%-]+"
"""A whole address, percent-encoded: it has an `@`, so that it can be no other call's name."""
SCOPES = "/v3/scopes"
GLOBAL = "/v3/asm/suppressions/global"
UNSUBSCRIBES = "/v3/suppression/unsubscribes"


def group(number: int) -> str:
    """The path of an unsubscribe group."""
    return f"/v3/asm/groups/{number}"


def calls(options: Options) -> tuple[Call, ...]:
    """What a destination with these settings may send: it writes to its own list and to no other one."""
    reads = [SCOPES, *(f"/v3/suppression/{each}" for each in OTHER_LISTS)]
    if options.group is None:
        reads += [f"{GLOBAL}/{_ADDRESS}", UNSUBSCRIBES]
        writes = [GLOBAL]
    else:
        mine = group(options.group)
        reads += [mine, f"{mine}/suppressions"]
        writes = [f"{mine}/suppressions", f"{mine}/suppressions/search"]
    return (
        *(Call("GET", f"{options.prefix}{each}") for each in reads),
        # Adding whom it holds already changes nothing.
        *(
            Call("POST", f"{options.prefix}{each}", refuses=_not_addresses, repeatable=True)
            for each in writes
        ),
    )


def reads(method: str, path: str) -> bool:
    """Whether a call changes nothing: the search of a group is sent with POST."""
    return method == "GET" or path.endswith("/suppressions/search")


def _not_addresses(body: Body) -> str | None:
    if not isinstance(body, Mapping) or set(body) != {"recipient_emails"}:
        return "more than a list of addresses"
    given = body["recipient_emails"]
    if not isinstance(given, list | tuple) or not all(isinstance(each, str) for each in given):
        return "something else than addresses"
    return None if 0 < len(given) <= LARGEST_BATCH else f"none or more than {LARGEST_BATCH} addresses"
