"""Ways of asking side by side: whom each one misses, in numbers that are those of the account."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from suppress.errors import QuotaExhausted, SourceFailed
from suppress.platforms.constant_contact.simulator import People, Scenario, SignIn
from suppress.plugin.contract import Compared, Severity
from tests.platforms.constant_contact.accounts import Bare, account, person, serving
from tests.platforms.constant_contact.test_examination import by_subject
from tests.plugin.serving import Asked, Says

CROWD = People(
    active=12, unsubscribed=7, unsubscribed_deleted=5, unsubscribed_cleaned=4, deleted=3, without_date=2,
    resubscribed=2, sms_only=2,
)  # fmt: skip


def compared(scenario: Scenario, state: Path, **options: int) -> tuple[tuple[Compared, ...], int, int]:
    """The table, what it was said to cost, and what it did."""
    with account(scenario, state, **options) as cc:
        source = cc.source()
        try:
            cost = source.comparison_cost()
            before = len(cc.simulator.requests)
            return source.compare(), cost, len(cc.simulator.requests) - before
        finally:
            source.close()


def test_each_query_misses_exactly_whom_the_account_hides_from_it(tmp_path: Path) -> None:
    """Nine deleted opt-outs and two without a date, of whom one is deleted too."""
    table, cost, asked = compared(Scenario(people=CROWD), tmp_path)
    by_query = {each.query.partition("=20")[0]: each for each in table}

    assert cost == asked == sum(each.requests for each in table)
    assert {
        "status=unsubscribed": (8, 8, 10, 10),
        "(no status)": (24, 8, 10, 10),
        "status=deleted": (13, 10, 8, 0),
        "status=all&optout_after": (16, 16, 2, 1),
        "status=all": (37, 18, 0, 0),
    } == {
        query: (each.contacts, each.found, each.missed, each.missed_deleted)
        for query, each in by_query.items()
        if each.since is None
    }


def test_the_contacts_own_clock_is_held_against_the_last_year_alone(tmp_path: Path) -> None:
    """Who opted out this year, and was edited long before: the query that public projects still ship."""
    with account(Scenario(people=People(unsubscribed=6)), tmp_path) as cc:
        cc.simulator.add("old@example.com")
        cc.simulator.advance(86_400 * 400)
        cc.simulator.add("new@example.com")
        for address in ("old@example.com", "new@example.com"):
            cc.simulator.unsubscribe(address)
        cc.simulator.advance(60)
        source = cc.source()
        (naive,) = [each for each in source.compare() if each.since is not None]
        source.close()

    assert (1, 1, 0) == (naive.found, naive.missed, naive.missed_deleted)


def test_a_large_account_is_paged_and_its_cost_is_known_before(tmp_path: Path) -> None:
    """Six requests of one row each tell it: 650 contacts are two pages."""
    table, cost, asked = compared(Scenario(people=People(active=900, unsubscribed=650)), tmp_path)

    assert cost == asked == sum(each.requests for each in table)
    assert (2, 650, 0) == (table[0].requests, table[0].contacts, table[0].missed)
    assert (4, 1_550) == (table[-1].requests, table[-1].contacts)


def test_more_than_is_left_of_the_day_is_not_begun(tmp_path: Path) -> None:
    """The night's sync would stand still."""
    with account(Scenario(people=People(active=4, unsubscribed=4)), tmp_path, daily_budget=9) as cc:
        source = cc.source()
        with pytest.raises(QuotaExhausted, match="would take 6 requests, and 3 are left today"):
            source.comparison_cost()
        source.close()


def test_a_row_that_cannot_be_read_ends_the_comparison(tmp_path: Path) -> None:
    """A table that leaves somebody out would look like one that is complete."""
    people = [person(1), {"contact_id": "x", "email_address": 5}]

    def answers(asked: Asked, number: int) -> Says:
        return Says.json({"contacts": people, "contacts_count": 2, "_links": {}})

    with serving(answers, tmp_path) as (_, source), pytest.raises(SourceFailed, match="email_address"):
        source.compare()


def test_pages_that_lead_in_a_circle_are_not_followed_for_ever(tmp_path: Path) -> None:
    """The same link twice."""

    def answers(asked: Asked, number: int) -> Says:
        link = {"next": {"href": "/v3/contacts?cursor=again"}}
        return Says.json({"contacts": [person(1)], "contacts_count": 1, "_links": link})

    with serving(answers, tmp_path) as (_, source), pytest.raises(SourceFailed, match="circle"):
        source.compare()


@pytest.mark.parametrize(
    ("sign_in", "subject", "words"),
    [
        (SignIn(privileges=("campaign:read",)), "privileges", "lacks contacts:read"),
        (SignIn(scopes=("account_read",)), "connection", "the token's scope contact_data"),
    ],
)
def test_what_forbids_reading_is_told_apart(
    sign_in: SignIn, subject: str, words: str, tmp_path: Path
) -> None:
    """Scope, privilege and a deactivated application all answer 403."""
    with account(replace(Scenario(), sign_in=sign_in), tmp_path) as cc:
        source = cc.source()
        found = by_subject(list(source.check()))
        source.close()

    assert Severity.FAIL is found[subject].severity
    assert words in found[subject].message
    assert found[subject].hint


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Says.json([]), "lists none"),
        (Says.json({"privileges": "?"}), "lists none"),
        (Says.json({"error_key": "x", "error_message": "gone"}, 404), "unknown: "),
    ],
)
def test_privileges_that_the_platform_does_not_tell_are_no_failure(
    answer: Says, words: str, tmp_path: Path
) -> None:
    """Reading worked."""
    bare = Bare([person(1)])

    def answers(asked: Asked, number: int) -> Says:
        return answer if "privileges" in asked.target else bare(asked, number)

    with serving(answers, tmp_path) as (_, source):
        found = by_subject(list(source.check()))

    assert (Severity.WARN, True) == (found["privileges"].severity, words in found["privileges"].message)
    assert "quota" in found
