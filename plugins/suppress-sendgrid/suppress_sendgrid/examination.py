"""What `suppress doctor` says about a SendGrid account; reads only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from suppress.plugin.contract import Finding, Severity
from suppress.plugin.errors import PermissionMissing
from suppress_sendgrid import wire
from suppress_sendgrid.client import Client, Missing
from suppress_sendgrid.settings import Options

_NOBODY = "nobody@example.invalid"
"""No mailbox can have this address (RFC 2606), so that reading it is about nobody."""
_MANY = 100_000


def examined(client: Client, options: Options) -> Iterator[Finding]:
    """Key and scopes, the group, the other lists, and the time that a long list takes.

    Raises:
        AuthFailed, DestinationFailed: The account cannot be asked at all.
    """
    try:
        yield _scopes(client, options)
        yield _global(client) if options.group is None else _group(client, options.group)
        for name in options.other_lists:
            yield _other(client, name)
    except wire.NotAsPromised as wrong:
        raise client.broken(str(wrong)) from None
    yield _time(options)


def _scopes(client: Client, options: Options) -> Finding:
    """The names are not in the vendor's contract, so that one that is missing warns and does not fail."""
    try:
        has = wire.scopes(client.scopes().json)
    except PermissionMissing as missing:
        return Finding("scopes", Severity.WARN, missing.message, hint=missing.remedy)
    needed = (
        ("asm.suppressions.global.create", "asm.suppressions.global.read", "suppression.unsubscribes.read")
        if options.group is None
        else ("asm.groups.read", "asm.groups.suppressions.create", "asm.groups.suppressions.read")
    )
    lacking = [each for each in needed if each not in has]
    if not lacking:
        return Finding("scopes", Severity.PASS, f"{client.host} takes the key, and it has what is needed")
    names = ", ".join(lacking)
    hint = "add them to the API key in SendGrid"
    return Finding(
        "scopes", Severity.WARN, f"{client.host} takes the key; it does not name {names}", hint=hint
    )


def _global(client: Client) -> Finding:
    try:
        wire.held(client.globally(_NOBODY).json)
    except PermissionMissing as missing:
        return Finding("global list", Severity.FAIL, missing.message, hint=missing.remedy)
    return Finding("global list", Severity.PASS, "can be read; it stops all mail, order mail too")


def _group(client: Client, number: int) -> Finding:
    try:
        found = wire.group(client.group().json)
        client.among([_NOBODY])
    except (Missing, PermissionMissing) as problem:
        return Finding("group", Severity.FAIL, problem.message, hint=problem.remedy)
    if found.number != number:
        return Finding("group", Severity.FAIL, "SendGrid answers for another group", hint="check group_id")
    count = "" if found.unsubscribes is None else f", with {found.unsubscribes:,} people"
    return Finding("group", Severity.PASS, f"{number} is there: {found.name or 'without a name'}{count}")


def _other(client: Client, name: str) -> Finding:
    words = name.replace("_", " ")
    try:
        wire.rows(client.page(name, 0).json)
    except PermissionMissing as missing:
        hint = f"add the scope {missing.scope}, or leave {name} out of other_lists"
        return Finding(words, Severity.WARN, "cannot be read, and a patrol reads it", hint=hint)
    return Finding(words, Severity.PASS, "can be read")


def _time(options: Options) -> Finding:
    """To tell and to read back; for a group also to look before, and to see that it is there."""
    batches = -(-_MANY // options.batch_size)
    requests = batches + _MANY if options.group is None else 4 * batches
    takes = timedelta(seconds=max(60, round(requests / options.per_second / 60) * 60))
    message = f"{_MANY:,} people take {requests:,} requests and about {str(takes)[:-3]} h"
    return Finding("requests", Severity.PASS, message)
