"""What `suppress doctor` says about a Constant Contact account, from five small requests.

The last finding answers the question behind this program: how many opt-outs would a plain
`status=unsubscribed` sync of this account never see?
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from suppress.errors import QuotaExhausted, SignInNeeded, SourceFailed, SuppressError
from suppress.platforms.constant_contact.client import (
    ASKING,
    PRIVILEGES,
    READING,
    REPORTING,
    Client,
    Fetched,
    Needs,
)
from suppress.platforms.constant_contact.options import Options
from suppress.plugin.contract import Finding, Severity
from suppress.plugin.signing import SignedIn

_SKEW = timedelta(seconds=60)
_LOW = 0.1
"""The part of the day's requests below which the rest is worth a warning."""


def findings(
    client: Client, options: Options, signed: SignedIn, *, now: Callable[[], datetime]
) -> Iterator[Finding]:
    """Signed in, scopes, privileges, clock, how much a naive sync misses, quota. Raises nothing."""
    reports = options.campaign_evidence or options.bounces
    needed = (READING, REPORTING) if reports else (READING,)
    try:
        try:
            everyone = client.first({"status": "all", "limit": "1", "include_count": "true"})
        except SourceFailed:
            if client.forbidden:
                # Which of the three causes it is can be told apart.
                yield from _scopes(signed, needed)
                yield from _privileges(client, needed)
            raise
        yield Finding(
            "sign-in", Severity.PASS, f"{client.host} accepted the access token in {client.token.place}"
        )
        yield from _scopes(signed, needed)
        yield from _privileges(client, needed)
        yield from _clock(everyone, now(), options.lag)
        yield from _naive(client)
        yield from _quota(client)
    except QuotaExhausted as failure:
        yield Finding("quota", Severity.FAIL, failure.message, failure.remedy)
    except SignInNeeded as failure:
        yield Finding("sign-in", Severity.FAIL, failure.message, failure.remedy)
    except SuppressError as failure:
        yield Finding("connection", Severity.FAIL, failure.message, failure.remedy)


def _scopes(signed: SignedIn, needed: tuple[Needs, ...]) -> Iterator[Finding]:
    # A token from outside may be opaque; then only calls show what it may do.
    missing = {each.scope for each in needed} - set(signed.scopes)
    if signed.scopes and missing:
        yield Finding(
            "scopes",
            Severity.FAIL,
            f"the token lacks {', '.join(sorted(missing))}; it has {', '.join(signed.scopes)}",
            f"suppress login {signed.source}",
        )
    elif signed.scopes:
        yield Finding("scopes", Severity.PASS, ", ".join(signed.scopes))


def _privileges(client: Client, needed: tuple[Needs, ...]) -> Iterator[Finding]:
    """The rights of the user who signed in apply on top of the token's scopes."""
    try:
        listed = client.told(PRIVILEGES, {}, needs=ASKING)
    except (QuotaExhausted, SignInNeeded):
        raise
    except SourceFailed as failure:
        yield Finding("privileges", Severity.WARN, f"unknown: {failure.message}", failure.remedy)
        return
    rows = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    acts = " and ".join(each.act for each in needed)
    held = {str(each.get("privilege_name")) for each in rows}
    missing = {each.privilege for each in needed} - held
    if not held:
        yield Finding("privileges", Severity.WARN, "the platform lists none for this user")
    elif missing:
        yield Finding(
            "privileges",
            Severity.FAIL,
            f"the user who signed in lacks {', '.join(sorted(missing))}",
            f"suppress login {client.source}, as a user who may {acts}",
        )
    else:
        yield Finding("privileges", Severity.PASS, f"the user may {acts}")


def _clock(fetched: Fetched, now: datetime, lag: timedelta) -> Iterator[Finding]:
    if fetched.server_time is None:
        yield Finding("clock", Severity.WARN, "the platform did not say what time it is")
        return
    skew = (now - fetched.server_time).total_seconds()
    if abs(skew) <= _SKEW.total_seconds():
        yield Finding("clock", Severity.PASS, "this machine's clock agrees with the platform's")
        return
    direction = "ahead of" if skew > 0 else "behind"
    # A clock that is ahead ends windows in the platform's future, where opt-outs are still to come.
    severity = Severity.FAIL if skew > lag.total_seconds() else Severity.WARN
    yield Finding(
        "clock",
        severity,
        f"this machine's clock is {abs(skew):,.0f} seconds {direction} the platform's",
        "set the clock, for example by NTP: windows of opt-outs are cut by it",
    )


def _naive(client: Client) -> Iterator[Finding]:
    queries = (
        {"status": "unsubscribed"},
        {"status": "deleted"},
        {"status": "all", "optout_after": "2000-01-01T00:00:00.000Z"},
    )
    counts = [
        client.first({**query, "limit": "1", "include_count": "true"}).answer.count for query in queries
    ]
    visible, deleted, opted_out = counts
    if visible is None or deleted is None or opted_out is None:
        yield Finding(
            "coverage", Severity.WARN, "the platform did not count, so coverage shows only after a census",
            "suppress sync --full",
        )  # fmt: skip
        return
    yield Finding(
        "coverage",
        Severity.PASS,
        f"{opted_out:,} contacts show an opt-out date; a plain status=unsubscribed sync would see "
        f"{visible:,} and miss about {max(0, opted_out - visible):,} ({deleted:,} contacts are deleted)",
    )


def _quota(client: Client) -> Iterator[Finding]:
    left, budget = client.pace.left() or 0, client.budget
    severity = Severity.WARN if left < budget * _LOW else Severity.PASS
    yield Finding(
        "quota", severity, f"{left:,} of {budget:,} requests are left today; they are reset at 00:00 UTC"
    )
