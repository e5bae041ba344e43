"""What `suppress doctor` says about a Klaviyo account; reads only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from suppress.plugin.contract import Finding, Severity
from suppress.plugin.errors import PermissionMissing
from suppress_klaviyo import wire
from suppress_klaviyo.client import Client
from suppress_klaviyo.settings import REVISION, Options

_MANY = 100_000
_REQUESTS_A_BATCH = 5
"""Read, start the job, look at it, read what it did, and read back."""


def examined(client: Client, options: Options) -> Iterator[Finding]:
    """Key and scopes, the revision's age, and the time that a long list takes.

    Raises:
        AuthFailed, DestinationFailed: The account cannot be asked at all.
    """
    try:
        wire.profiles(client.profiles(wire.query('equals(email,"nobody@example.invalid")', size=1)).json)
        yield Finding("key", Severity.PASS, f"{client.host} takes it; profiles can be read")
    except wire.NotAsPromised as wrong:
        raise client.broken(str(wrong)) from None
    except PermissionMissing as missing:
        yield Finding("key", Severity.FAIL, missing.message, hint=missing.remedy)
        return
    yield _account(client)
    if (old := date.fromisoformat(REVISION) - date.fromisoformat(options.revision[:10])) > timedelta(
        days=600
    ):
        message = f"revision {options.revision} is {old.days} days older than {REVISION}"
        hint = f'set revision = "{REVISION}"; Klaviyo serves a revision for about two years'
        yield Finding("revision", Severity.WARN, message, hint=hint)
    requests = _REQUESTS_A_BATCH * _MANY // options.batch_size
    takes = timedelta(seconds=round(requests / options.per_second / 60) * 60)
    message = f"{_MANY:,} people take about {requests:,} requests and {str(takes)[:-3]} h"
    yield Finding("requests", Severity.PASS, message)


def _account(client: Client) -> Finding:
    try:
        count = wire.accounts(client.accounts().json)
    except PermissionMissing:
        # Nothing here needs it; a key with fewer scopes is the better one.
        return Finding("account", Severity.PASS, "the key may not read the account, and need not")
    except wire.NotAsPromised as wrong:
        raise client.broken(str(wrong)) from None
    return Finding("account", Severity.PASS, f"the key opens {count} account")
