"""Policies and penalties: facts with a source, a version and a date."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from suppress.core.policy import (
    EVERY_DAY,
    Policy,
    Trigger,
    Unit,
    by_id,
    choose,
    maximum_penalty,
    penalties,
    policies,
    table_version,
)
from suppress.core.tables import table
from suppress.errors import ConfigWrong

ALL = [each for versions in policies().values() for each in versions]


def newest(id_: str) -> Policy:
    """The version in force now."""
    return choose(id_).versions[-1]


def test_can_spam_is_ten_business_days_from_receipt() -> None:
    """15 U.S.C. 7704(a)(4); its mechanism works for 30 days."""
    rule = newest("us.can-spam")

    assert (rule.n, rule.unit, rule.trigger) == (10, Unit.BUSINESS_DAYS, Trigger.RECEIVED)
    assert (str(rule.strict), str(rule.lenient)) == (
        "Mon-Sat count, holidays too",
        "Mon-Fri count, US public holidays do not",
    )
    assert rule.mechanism_days == 30


def test_the_mailbox_providers_give_two_days_from_the_post() -> None:
    """48 hours, counted on every day of the week."""
    rule = newest("mbp.google-yahoo")

    assert (rule.n, rule.unit, rule.trigger) == (2, Unit.CALENDAR_DAYS, Trigger.ONE_CLICK_POST)
    assert rule.strict == rule.lenient == EVERY_DAY


@pytest.mark.parametrize(
    ("id_", "n", "trigger"),
    [
        ("us.tcpa", 10, "sent"),
        ("us.ccpa", 15, "received"),
        ("ca.casl", 10, "sent"),
        ("eu.gdpr", 0, "sent"),
        ("uk.pecr", 0, "sent"),
        ("au.spam", 5, "sent"),
        ("nz.uem", 5, "used"),
        ("hk.uemo", 10, "sent"),
        ("sg.sca", 10, "sent"),
    ],
)
def test_each_regime_has_its_own_number_and_its_own_clock(id_: str, n: int, trigger: str) -> None:
    """The trigger differs by regime: no single `days=10` would do."""
    assert (newest(id_).n, newest(id_).trigger) == (n, Trigger(trigger))


def test_clocks_start_at_receipt_or_when_the_person_acted() -> None:
    """What the ledger calls `received_at` and `occurred_at`."""
    assert {each for each in Trigger if each.at_receipt} == {Trigger.RECEIVED, Trigger.ONE_CLICK_POST}


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: f"{rule.id}@{rule.version}")
def test_every_policy_has_a_source_and_counts_strictly_first(rule: Policy) -> None:
    """A row without a source is an opinion; strict days may leave out no day that lenient ones count."""
    assert rule.source
    assert rule.regime
    assert date(2026, 1, 1) <= rule.verified_on
    assert rule.strict.weekend <= rule.lenient.weekend
    assert rule.strict.holidays is None
    assert 1 <= rule.version <= table_version()


def test_an_unknown_policy_is_refused_with_those_that_exist() -> None:
    """Whoever mistypes one sees the right spelling."""
    with pytest.raises(ConfigWrong, match=r"no policy 'us\.canspam'; known are .*us\.can-spam"):
        choose("us.canspam")


def test_a_policy_is_asked_for_by_the_day_on_which_it_held() -> None:
    """The TCPA rule of 2025 says nothing about the years before."""
    assert choose("us.tcpa").on(date(2025, 4, 11)) == newest("us.tcpa")
    assert choose("us.tcpa").on(date(2025, 4, 10)) is None


def test_a_changed_rule_leaves_the_old_one_for_old_requests() -> None:
    """Two rows of one id: each day has the one in force then, and no day has both."""
    day = date(2027, 1, 31)
    old = Policy("x", 1, "", "", Trigger.RECEIVED, 10, Unit.BUSINESS_DAYS, "", day, effective_to=day)
    new = Policy(
        "x", 2, "", "", Trigger.RECEIVED, 3, Unit.BUSINESS_DAYS, "", day, effective_from=day + timedelta(1)
    )

    assert by_id([new, old]) == {"x": (old, new)}
    assert [each.in_force(day) for each in (old, new)] == [True, False]
    assert [each.in_force(day + timedelta(1)) for each in (old, new)] == [False, True]


@pytest.mark.parametrize("id_", sorted(policies()))
def test_versions_of_a_policy_never_hold_on_the_same_day(id_: str) -> None:
    """History has one answer."""
    versions = policies()[id_]
    for one, other in pairwise(versions):
        assert one.effective_to is not None
        assert other.effective_from is not None
        assert one.effective_to < other.effective_from


@pytest.mark.parametrize(
    ("assessed", "amount"),
    [
        (date(2016, 8, 1), 40_000),
        (date(2018, 12, 31), 41_484),
        (date(2019, 2, 13), 41_484),
        (date(2019, 2, 14), 42_530),
        (date(2024, 12, 31), 51_744),
        (date(2025, 1, 16), 51_744),
        (date(2025, 1, 17), 53_088),
        (date(2026, 11, 23), 53_088),
    ],
)
def test_the_maximum_penalty_is_the_one_of_the_assessments_day(assessed: date, amount: int) -> None:
    """Not of the violation's: an assessment after an adjustment uses the new amount."""
    found = maximum_penalty(assessed)

    assert found is not None
    assert found.amount == amount


def test_before_the_table_begins_no_penalty_is_invented() -> None:
    """Amounts before the adjustment of 2016 are not shipped."""
    assert maximum_penalty(date(2016, 7, 31)) is None


def test_penalties_only_rise_and_each_names_its_notice() -> None:
    """Adjustments follow inflation; each is printed in the Federal Register."""
    amounts = [each.amount for each in penalties()]

    assert amounts == sorted(set(amounts))
    assert [each for each in penalties() if " FR " not in each.source] == []


@pytest.mark.parametrize("name", ["policies", "penalties", "providers"])
def test_the_tables_are_read_from_the_installed_package(name: str) -> None:
    """They are data of the package, found without a path."""
    assert table(name)


PINNED = {
    "au.spam@1": "bce03e138e52ea07",
    "ca.casl@1": "94ce72cf57361359",
    "eu.gdpr@1": "3dd3a29754821d06",
    "hk.uemo@1": "7506d0227e456c1e",
    "mbp.google-yahoo@1": "0c7f34b8c04b6502",
    "nz.uem@1": "15b900aff709c589",
    "sg.sca@1": "6ce9147aeac52471",
    "uk.pecr@1": "fffa2cb6195db66a",
    "us.can-spam@1": "997e45bacbf3ba27",
    "us.ccpa@1": "5c8e4e909a4d4240",
    "us.child-registry@1": "dfd067899d7a4735",
    "us.mscm@1": "600d5615f921a9d2",
    "us.tcpa@1": "2c3cc80c5558ccb0",
}


def test_a_shipped_row_is_never_changed_in_place() -> None:
    """What a past report counted with stays: a rule that changes gets a new row and a new version.

    A fingerprint here may only be added, together with its row.
    """
    assert {f"{each.id}@{each.version}": each.fingerprint for each in ALL} == PINNED


@pytest.mark.parametrize(
    ("id_", "applied"),
    [("us.can-spam", True), ("us.mscm", True), ("us.tcpa", False), ("us.child-registry", False)],
)
def test_what_is_not_about_requests_by_e_mail_judges_none(id_: str, applied: bool) -> None:
    """Calls and texts; and registers that nobody's request goes into."""
    assert newest(id_).applied is applied


def test_a_version_can_be_chosen() -> None:
    """`us.can-spam@1` goes on meaning that text; a version that there is not is named with those that are."""
    assert [each.version for each in choose("us.can-spam@1").versions] == [1]
    assert choose("us.can-spam").on(date(2003, 12, 31)) is None
    with pytest.raises(ConfigWrong, match=r"no policy 'us\.can-spam@9'; known are us\.can-spam@1"):
        choose("us.can-spam@9")
