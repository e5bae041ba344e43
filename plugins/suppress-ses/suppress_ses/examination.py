"""What `suppress doctor` says about an SES account; reads only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from suppress.plugin.contract import Finding, Severity
from suppress.plugin.errors import PermissionMissing
from suppress.plugin.words import vendor_words
from suppress_ses.calls import REASON
from suppress_ses.client import Answer, Client
from suppress_ses.settings import Options

_MANY = 1_000
_SETS = 100
"""Configuration sets that are looked at; an account may have ten thousand."""


def switched_on(client: Client) -> frozenset[str]:
    """For which reasons the account suppresses at all; an entry with another one stops nothing.

    Raises:
        ContractBroken: The account does not say.
    """
    return _reasons(client, client.account())


def examined(client: Client, options: Options) -> Iterator[Finding]:
    """Credentials, reasons, sending, configuration sets, the list, and the time it takes.

    Raises:
        AuthFailed, DestinationFailed: The account cannot be asked at all.
    """
    account = client.account()
    yield Finding("credentials", Severity.PASS, f"SES in {client.place} takes them")
    yield _reason(_reasons(client, account))
    yield from _sending(account)
    yield _sets(client)
    yield _list(client)
    requests = 3 * _MANY
    takes = timedelta(seconds=max(60, round(requests / options.per_second / 60) * 60))
    message = f"{_MANY:,} people take {requests:,} requests and about {str(takes)[:-3]} h"
    yield Finding("requests", Severity.PASS, message)


def _reasons(client: Client, account: Answer) -> frozenset[str]:
    attributes = account.found.get("SuppressionAttributes")
    if not isinstance(attributes, dict):
        raise client.broken("an account that does not say for which reasons it suppresses")
    return frozenset(map(str, attributes.get("SuppressedReasons") or ()))


def _reason(on: frozenset[str]) -> Finding:
    if REASON in on:
        return Finding("reasons", Severity.PASS, f"the account suppresses for {', '.join(sorted(on))}")
    return Finding(
        "reasons",
        Severity.FAIL,
        f"the account does not suppress for {REASON}: everybody on its list would be mailed",
        hint="aws sesv2 put-account-suppression-attributes --suppressed-reasons BOUNCE COMPLAINT",
    )


def _sending(account: Answer) -> Iterator[Finding]:
    if account.found.get("SendingEnabled") is False:
        message = "the account's sending is paused; after 90 days AWS empties its list"
        yield Finding("sending", Severity.WARN, message, hint="export again before sending is resumed")


def _sets(client: Client) -> Finding:
    """A configuration set may suppress for fewer reasons than the account; mail that names it goes out."""
    looked, wrong = 0, []
    try:
        for each in client.configuration_sets():
            looked += 1
            own = each.found.get("SuppressionOptions")
            if isinstance(own, dict) and REASON not in (own.get("SuppressedReasons") or ()):
                wrong.append(vendor_words(str(each.found.get("ConfigurationSetName")), longest=64))
            if looked >= _SETS:
                break
    except PermissionMissing as missing:
        hint = f"allow {missing.scope}, or look at their suppression options in the console"
        return Finding("configuration sets", Severity.WARN, "cannot be read", hint=hint)
    if wrong:
        return Finding(
            "configuration sets",
            Severity.WARN,
            f"mail with {', '.join(wrong)} is not stopped: their options leave out {REASON}",
            hint="aws sesv2 put-configuration-set-suppression-options --suppressed-reasons BOUNCE COMPLAINT",
        )
    return Finding("configuration sets", Severity.PASS, f"none of {looked} leaves out {REASON}")


def _list(client: Client) -> Finding:
    try:
        client.page(None)
    except PermissionMissing as missing:
        return Finding(
            "list", Severity.WARN, "cannot be read", hint=f"allow {missing.scope} for suppress patrol"
        )
    return Finding("list", Severity.PASS, "can be read")
