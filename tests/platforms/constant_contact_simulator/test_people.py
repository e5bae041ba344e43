"""The people of a simulated account are the ones that its scenario counts, and never anybody real."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from suppress.platforms.constant_contact.simulator import (
    People,
    Permission,
    Scenario,
    demo_scenario,
    large_scenario,
)
from suppress.platforms.constant_contact.simulator.account import Account
from suppress.platforms.constant_contact.simulator.people import populate

RESERVED = ("example.com", "example.org", "example.net", "test")
CLASSES = tuple(member.name for member in fields(People))


def test_the_demo_account_has_the_people_of_its_story() -> None:
    """1,000 contacts; 120 visible unsubscribes; 80 hidden ones; 50 deleted only; 5 of each rarity."""
    account = populate(demo_scenario())
    opted_out = [one for one in account if one.unsubscribed]
    hidden = [one for one in opted_out if one.deleted]

    assert len(account) == 1_000
    assert len(opted_out) - len(hidden) == 120
    assert len(hidden) == 80
    assert sum(one.deleted and not one.unsubscribed for one in account) == 50
    assert sum(one.email is None for one in account) == 5
    assert Counter(one.email.permission for one in account if one.email)[Permission.TEMP_HOLD] == 5
    assert sum(bool(one.email and one.email.opt_out and not one.unsubscribed) for one in account) == 5


def test_half_of_the_hidden_people_were_cleaned_away_in_one_go() -> None:
    """One bulk deletion took about two minutes in a real account; here 40 people went within seconds."""
    account = populate(demo_scenario())
    gone = sorted(one.deleted_at for one in account if one.deleted_at is not None and one.unsubscribed)
    together = max(sum(0 <= (later - at).total_seconds() < 120 for later in gone) for at in gone)

    assert together == 40


def test_opt_outs_are_spread_over_years_and_newer_than_the_contacts_own_clock() -> None:
    """That is why a query by `updated_after` loses them."""
    account = populate(demo_scenario())
    outs = [(one, one.email.opt_out.at) for one in account if one.email and one.email.opt_out]
    years = {at.year for _, at in outs if at is not None}

    assert len(years) >= 6
    assert all(at is not None and one.updated_at < at for one, at in outs)


def test_the_same_seed_gives_the_same_account() -> None:
    """Another seed gives other people in the same numbers."""
    first, again = populate(demo_scenario()), populate(demo_scenario())
    other = populate(Scenario(people=demo_scenario().people, seed=7))

    assert list(first) == list(again)
    assert first.campaigns == again.campaigns
    assert first.suppressed() != other.suppressed()
    assert len(first.suppressed()) == len(other.suppressed()) == 200


def test_every_address_is_at_a_reserved_domain_and_fits_the_platform() -> None:
    """RFC 2606 keeps example.* and .test for such uses; the platform takes 80 characters."""
    emails = [one.email.address for one in populate(large_scenario(3_000)) if one.email]

    assert all(address.lower().endswith(RESERVED) for address in emails)
    assert max(map(len, emails)) == 80
    assert len({address.lower() for address in emails}) == len(emails)


def test_a_large_account_holds_every_unusual_person() -> None:
    """Addresses in other scripts and cases, opt-outs without a date, reasons that attack their reader."""
    account = populate(large_scenario(3_000))
    emails = [one.email for one in account if one.email]
    outs = [(email, email.opt_out) for email in emails if email.opt_out]
    reasons = [out.reason or "" for _, out in outs]

    assert any(not email.address.isascii() for email in emails)
    assert any(email.address != email.address.lower() for email in emails)
    assert any(out.at is None for email, out in outs if email.unsubscribed)
    assert {"Contact", "Account", "System"} == {out.source for _, out in outs}
    assert any(reason.startswith("=") for reason in reasons)
    assert any("<script>" in reason for reason in reasons)
    assert max(map(len, reasons)) == 255
    assert {"explicit", "implicit", "pending_confirmation", "temp_hold", "unsubscribed"} == {
        email.permission for email in emails
    }
    assert any(one.bounces for one in account)
    assert any(not one.lists for one in account if one.mailable)
    assert any(one.sms and one.sms.permission == "unsubscribed" for one in account)
    assert any(out.complaint for _, out in outs)


def test_a_large_account_has_every_class_and_the_size_asked_for() -> None:
    """Down to the smallest one that still has all classes."""
    scenario = large_scenario(400)

    assert all(getattr(scenario.people, name) >= 1 for name in CLASSES)
    assert len(populate(scenario)) == 400


@given(counts=st.fixed_dictionaries({name: st.integers(0, 4) for name in CLASSES}), seed=st.integers())
def test_any_mixture_of_people_can_be_made(counts: dict[str, int], seed: int) -> None:
    """Everyone is in exactly one class, and nothing happens to anyone after the end of the history."""
    scenario = Scenario(people=People(**counts), seed=seed)
    account = populate(scenario)

    assert len(account) == sum(counts.values())
    assert len(account.suppressed()) == sum(count for name, count in counts.items() if name in SUPPRESSED)
    assert all(at <= scenario.until for at in _instants(account))


SUPPRESSED = {
    "unsubscribed",
    "unsubscribed_by_account",
    "complained",
    "unsubscribed_deleted",
    "unsubscribed_cleaned",
    "unsubscribed_by_partner",
    "without_date",
    "re_added",
    "odd",
}


def _instants(account: Account) -> list[datetime]:
    found: list[datetime | None] = []
    for one in account:
        found += [one.created_at, one.updated_at, one.deleted_at]
        if one.email is not None:
            found += [one.email.updated_at, one.email.opt_in_date]
            found += [one.email.opt_out.at] if one.email.opt_out else []
    return [at for at in found if at is not None]


def test_a_campaign_went_out_before_anybody_joined() -> None:
    """So that every click has one to belong to."""
    account = populate(demo_scenario())
    first = min(campaign.sent_at for campaign in account.campaigns)

    assert all(one.created_at - first > timedelta(0) for one in account)
