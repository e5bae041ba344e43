"""Accounts on five platforms, each behind a line that records what is sent, and strangers who use them.

A stranger is whoever has access there beside this program: staff, another integration, the person. They act
on the simulated account itself and not through calls, because no call of an exporter leads there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from suppress_hubspot import calls as hubspot_calls
from suppress_hubspot.exporter import HubSpot
from suppress_hubspot.settings import Options as HubSpotOptions
from suppress_hubspot.simulator import Scenario as HubSpotScenario
from suppress_hubspot.simulator import Simulator as HubSpotAccount
from suppress_klaviyo import calls as klaviyo_calls
from suppress_klaviyo.exporter import Klaviyo
from suppress_klaviyo.settings import Options as KlaviyoOptions
from suppress_klaviyo.simulator import Scenario as KlaviyoScenario
from suppress_klaviyo.simulator import Simulator as KlaviyoAccount
from suppress_mailchimp import calls as mailchimp_calls
from suppress_mailchimp.exporter import Mailchimp
from suppress_mailchimp.settings import Options as MailchimpOptions
from suppress_mailchimp.simulator import People
from suppress_mailchimp.simulator import Scenario as MailchimpScenario
from suppress_mailchimp.simulator import Simulator as MailchimpAccount
from suppress_mailchimp.simulator.account import name_of
from suppress_salesforce.calls import org_calls, sign_in_calls
from suppress_salesforce.exporter import Salesforce
from suppress_salesforce.settings import read as salesforce_options
from suppress_salesforce.simulator import Org
from suppress_salesforce.simulator import Simulator as SalesforceOrg
from suppress_salesforce.simulator.org import Row
from suppress_salesforce.simulator.sign_in import CLIENT_ID, CLIENT_SECRET
from suppress_sendgrid import calls as sendgrid_calls
from suppress_sendgrid.exporter import SendGrid
from suppress_sendgrid.settings import Options as SendGridOptions
from suppress_sendgrid.simulator import Scenario as SendGridScenario
from suppress_sendgrid.simulator import Simulator as SendGridAccount

from suppress.config import DestinationSettings
from suppress.core.suppression import Json, Reason
from suppress.plugin.contract import Exporter
from suppress.plugin.guard import Call
from suppress.plugin.kit.line import Hurry, Line

Touch = Callable[[str], None]
AUDIENCE = "a1b2c3d4e5"


@dataclass(frozen=True, slots=True)
class Account:
    """One account: what may be sent to it, what strangers do there, and whether it would mail somebody."""

    settings: DestinationSettings
    open: Callable[[], Exporter]
    """As each command opens it anew."""
    calls: Sequence[Call]
    line: Line
    would_mail: Callable[[str], bool]
    resubscribe: Touch
    delete: Touch
    add: Touch
    opt_out: Touch
    """Somebody whom the ledger does not know opts out there."""
    close: Callable[[], None]
    reason: Reason = Reason.UNSUBSCRIBED
    """Why, as far as the platform tells."""
    forgets: bool = True
    """Whether it knows nothing of a deleted person. HubSpot answers for any address, known or not."""


def _line(url: str) -> Line:
    return Line(
        url, shadow=lambda: url, writes=lambda method, _path: method != "GET", monotonic=time.monotonic
    )


def hubspot(people: Sequence[str]) -> Account:
    """A HubSpot account with batches."""
    there = HubSpotAccount(HubSpotScenario(enterprise=True, contacts=tuple(people)), keep=0)
    there.start()
    account, line = there.account, _line(there.url)
    given: dict[str, Json] = {"api_url": line.url, "access_token": there.token, "mode": "batch"}
    told = DestinationSettings("crm", "hubspot", options={**given, "per_10_seconds": 1_000_000})

    def opt_out(address: str) -> None:
        account.add([address], there.now())
        account.opt_out(address, there.now(), source="Unsubscribe page")

    def closed() -> None:
        line.close()
        there.close()

    return Account(
        told,
        lambda: HubSpot(told, clock=Hurry().clock),
        hubspot_calls.calls(HubSpotOptions.of(told)),
        line,
        account.would_mail,
        resubscribe=lambda address: account.opt_in(address, there.now()),
        delete=lambda address: account.opt_in(address, there.now()),
        add=lambda address: account.add([address], there.now()),
        opt_out=opt_out,
        close=closed,
        reason=Reason.UNKNOWN,
        forgets=False,
    )


def klaviyo(people: Sequence[str]) -> Account:
    """A Klaviyo account."""
    there = KlaviyoAccount(KlaviyoScenario(profiles=tuple(people)), keep=0)
    there.start()
    account, line = there.account, _line(there.url)
    given: dict[str, Json] = {"api_url": line.url, "api_key": there.key}
    fast: dict[str, Json] = {"per_second": 1_000_000, "per_minute": 1_000_000_000}
    told = DestinationSettings("crm", "klaviyo", options={**given, **fast})

    def deleted(address: str) -> None:
        del account._profiles[account.key_of(address)]

    def closed() -> None:
        line.close()
        there.close()

    return Account(
        told,
        lambda: Klaviyo(told, clock=Hurry().clock),
        klaviyo_calls.calls(KlaviyoOptions.of(told)),
        line,
        account.would_mail,
        resubscribe=account.unsuppress,
        delete=deleted,
        add=lambda address: account.add([address]),
        opt_out=lambda address: account.suppress(address, "UNSUBSCRIBE", there.now()),
        close=closed,
    )


def mailchimp(people: Sequence[str]) -> Account:
    """One audience of a Mailchimp account."""
    there = MailchimpAccount(MailchimpScenario((People(AUDIENCE, subscribed=tuple(people)),)), keep=0)
    audience, line = there.account.audiences[AUDIENCE], _line(there.url)
    given: dict[str, Json] = {"api_url": line.url, "api_key": there.scenario.key, "audience": AUDIENCE}
    told = DestinationSettings("crm", "mailchimp", options=given)

    def deleted(address: str) -> None:
        del audience._members[name_of(address)]

    def opt_out(address: str) -> None:
        member = audience.write(address, "unsubscribed", there.now())
        member.locked, member.reason = True, "Normal"

    def subscribed(address: str) -> None:
        audience.write(address, "subscribed", there.now(), source="Import")

    def closed() -> None:
        line.close()
        there.close()

    return Account(
        told,
        lambda: Mailchimp(told, clock=Hurry().clock),
        mailchimp_calls.calls(MailchimpOptions.of(told)),
        line,
        there.mails,
        resubscribe=subscribed,
        delete=deleted,
        add=subscribed,
        opt_out=opt_out,
        close=closed,
    )


def sendgrid(people: Sequence[str]) -> Account:
    """The global list of a SendGrid account: it knows who is on it and nobody else."""
    there = SendGridAccount(SendGridScenario(), keep=0)
    there.start()
    held, line = there.account.globally, _line(there.url)
    given: dict[str, Json] = {"api_url": line.url, "api_key": there.token, "scope": "global"}
    told = DestinationSettings("crm", "sendgrid", options={**given, "per_minute": 6_000_000})

    def removed(address: str) -> None:
        held.remove(address)

    def closed() -> None:
        line.close()
        there.close()

    return Account(
        told,
        lambda: SendGrid(told, clock=Hurry().clock),
        sendgrid_calls.calls(SendGridOptions.of(told)),
        line,
        there.account.would_mail,
        resubscribe=removed,
        delete=removed,
        add=lambda _address: None,
        opt_out=lambda address: there.account.suppress([address], there.now()),
        close=closed,
        forgets=False,
    )


def salesforce(people: Sequence[str]) -> Account:
    """A Salesforce org: two contacts, then a lead, and so on."""
    org = Org()
    for number, address in enumerate(people):
        org.add("Lead" if number % 3 == 2 else "Contact", Email=address)
    there = SalesforceOrg(org, keep=0)
    there.start()
    line = _line(there.url)
    given: dict[str, Json] = {"instance_url": line.url, "client_id": CLIENT_ID}
    told = DestinationSettings("crm", "salesforce", options={**given, "client_secret": CLIENT_SECRET})
    options = salesforce_options(told)

    def rows(address: str) -> list[Row]:
        return [*org._index["Contact", "Email", address], *org._index["Lead", "Email", address]]

    def resubscribe(address: str) -> None:
        for row in rows(address):
            org.update(row.kind, row.ident, {"HasOptedOutOfEmail": False})

    def deleted(address: str) -> None:
        for row in rows(address):
            del org.rows[row.kind][row.ident[:15]]
            org._index[row.kind, "Email", address].remove(row)

    def added(address: str) -> None:
        org.add("Contact", Email=address)

    def opt_out(address: str) -> None:
        org.add("Contact", Email=address, HasOptedOutOfEmail=True)

    def closed() -> None:
        line.close()
        there.close()

    return Account(
        told,
        lambda: Salesforce(told, clock=Hurry().clock),
        (*sign_in_calls(), *org_calls(options.version, options.targets)),
        line,
        org.would_mail,
        resubscribe,
        deleted,
        added,
        opt_out,
        closed,
        reason=Reason.UNKNOWN,
    )


PLATFORMS: dict[str, Callable[[Sequence[str]], Account]] = {
    "hubspot": hubspot,
    "klaviyo": klaviyo,
    "mailchimp": mailchimp,
    "salesforce": salesforce,
    "sendgrid": sendgrid,
}
