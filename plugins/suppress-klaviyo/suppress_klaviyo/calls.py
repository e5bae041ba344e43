"""Every call that may go to Klaviyo. What is not here cannot be sent.

Left out on purpose: `profile-suppression-bulk-delete-jobs` un-suppresses,
`profile-subscription-bulk-create-jobs` subscribes, `data-privacy-deletion-jobs` deletes a person and their
suppression with them, and a suppression job with a list or a segment instead of addresses suppresses all that
are in it. `profile-subscription-bulk-delete-jobs` (unsubscribing) only makes people less mailable; it answers
without a job, so that there would be no receipt.
"""

from __future__ import annotations

from collections.abc import Sequence

from suppress.core.suppression import Json
from suppress.plugin.guard import Body, Call
from suppress_klaviyo.settings import LARGEST_BATCH, Options

JOB = "profile-suppression-bulk-create-job"
JOBS, PROFILES, ACCOUNTS = f"/api/{JOB}s", "/api/profiles", "/api/accounts"


def calls(options: Options) -> tuple[Call, ...]:
    """What a destination with these settings may send."""
    return (
        Call("GET", f"{options.prefix}{ACCOUNTS}"),
        Call("GET", f"{options.prefix}{PROFILES}"),
        Call("GET", f"{options.prefix}{JOBS}/[A-Za-z0-9_-]+"),
        # Two jobs about the same people do what one does.
        Call("POST", f"{options.prefix}{JOBS}", refuses=_not_addresses, repeatable=True),
    )


def suppression(addresses: Sequence[str]) -> dict[str, Json]:
    """The body of a suppression job for these addresses."""
    profiles: list[Json] = [{"type": "profile", "attributes": {"email": each}} for each in addresses]
    return {"data": {"type": JOB, "attributes": {"profiles": {"data": profiles}}}}


def _not_addresses(body: Body) -> str | None:
    match body:
        case {"data": {"attributes": {"profiles": {"data": [*profiles]}}}}:
            addresses = [address for each in profiles if (address := _address_of(each)) is not None]
            # A list or a segment would stand under `relationships`, anything of a person beside the address.
            if len(addresses) != len(profiles) or body != suppression(addresses):
                return "a suppression of more than the addresses that it names"
            many = len(addresses)
            return None if 0 < many <= LARGEST_BATCH else f"none or more than {LARGEST_BATCH} addresses"
        case _:
            return "something else than a suppression of addresses"


def _address_of(profile: object) -> str | None:
    match profile:
        case {"attributes": {"email": str(address)}}:
            return address
        case _:
            return None
