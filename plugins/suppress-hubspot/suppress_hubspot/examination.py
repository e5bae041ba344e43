"""What `suppress doctor` says about a HubSpot account; reads only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from suppress.plugin.contract import Finding, Severity
from suppress.plugin.errors import PermissionMissing
from suppress.plugin.transport import Reply
from suppress_hubspot import sweep, wire
from suppress_hubspot.client import Client
from suppress_hubspot.settings import Options

_NOBODY = "nobody@example.invalid"
"""No mailbox can have this address (RFC 2606), so that reading it is about nobody."""
_MANY = 100_000


def examined(client: Client, options: Options) -> Iterator[Finding]:
    """Token and scopes, batches, the account's day, what is left of it, and the time that a long list takes.

    Raises:
        AuthFailed, DestinationFailed: The account cannot be asked at all.
    """
    reply = client.definitions()
    types = _count(client, reply)
    yield Finding(
        "token", Severity.PASS, f"{client.host} takes it; the account has {types} subscription types"
    )
    if options.batch:
        yield _batches(client)
    yield _contacts(client)
    yield from _day(client, options)
    yield _budget(client, options, reply)


def _count(client: Client, reply: Reply) -> int:
    try:
        return wire.count(reply.json)
    except wire.NotAsPromised as wrong:
        raise client.broken(str(wrong)) from None


def _batches(client: Client) -> Finding:
    try:
        client.opted_out_many([_NOBODY])
    except PermissionMissing as missing:
        hint = 'set mode = "single"; batches need Marketing Hub Enterprise'
        return Finding("batches", Severity.FAIL, missing.message, hint=hint)
    return Finding("batches", Severity.PASS, "the account takes a hundred addresses a call")


def _contacts(client: Client) -> Finding:
    try:
        sweep.page(client.search, sweep.Cursor(), most=1)
    except PermissionMissing:
        hint = "add the scope crm.objects.contacts.read, with which a patrol finds opt-outs of HubSpot"
        return Finding("contacts", Severity.WARN, "cannot be searched", hint=hint)
    except wire.NotAsPromised as wrong:
        raise client.broken(str(wrong)) from None
    return Finding("contacts", Severity.PASS, "can be searched for opt-outs")


def _day(client: Client, options: Options) -> Iterator[Finding]:
    """The day of the request limit begins at midnight in the account's time zone."""
    try:
        there = wire.time_zone(client.account().json)
    except PermissionMissing:
        there = None
    if there is not None and there != options.zone.key:
        message = f"the account is in {there}, and its day of requests begins there"
        yield Finding("time zone", Severity.WARN, message, hint=f'set time_zone = "{there}"')


def _budget(client: Client, options: Options, reply: Reply) -> Finding:
    """Two requests a person, one to tell and one to read back; three for a hundred with batches."""
    requests = 3 * _MANY // options.batch_size if options.batch else 2 * _MANY
    takes = timedelta(seconds=round(requests / options.per_second / 60) * 60)
    told = reply.headers.get("x-hubspot-ratelimit-daily-remaining", "")
    left = int(told) if told.isdecimal() and len(told) < 12 else client.lanes.left() or 0
    message = f"{_MANY:,} people take {requests:,} requests and about {str(takes)[:-3]} h"
    low = left < requests // 100
    return Finding(
        "requests",
        Severity.WARN if low else Severity.PASS,
        f"{left:,} are left today; {message}",
        hint="run the export after the account's midnight; it goes on where it stopped" if low else None,
    )
