"""What `suppress doctor` says about an account, from five small requests, and its queries side by side."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from suppress.platforms.constant_contact.simulator import (
    Fault,
    FaultKind,
    Limits,
    Scenario,
    demo_scenario,
)
from suppress.plugin.contract import Finding, Severity
from tests.platforms.constant_contact.accounts import Bare, account, person, serving
from tests.plugin.serving import Asked, Says
from tests.plugin.virtual import NOON, VirtualTime


def by_subject(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings}


def examined(scenario: Scenario, state: Path, **options: int) -> dict[str, Finding]:
    with account(scenario, state, **options) as cc:
        source = cc.source()
        try:
            return by_subject(list(source.check()))
        finally:
            source.close()


def test_a_healthy_account(tmp_path: Path) -> None:
    """Signed in, and the size of the hole that a naive sync leaves."""
    found = examined(demo_scenario(), tmp_path)

    assert ["sign-in", "privileges", "clock", "coverage", "quota"] == list(found)
    assert "accepted the access token in SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN" in found["sign-in"].message
    assert (
        "200 contacts show an opt-out date; a plain status=unsubscribed sync would see 120 "
        "and miss about 80 (130 contacts are deleted)"
    ) == found["coverage"].message
    assert Severity.PASS is found["coverage"].severity
    assert "9,995 of 10,000 requests are left today; they are reset at 00:00 UTC" == found["quota"].message


def test_it_only_reads_one_row_at_a_time(tmp_path: Path) -> None:
    """Four requests and one for privileges, and nothing else."""
    with account(demo_scenario(), tmp_path) as cc:
        source = cc.source()
        list(source.check())
        source.close()

        asked = [
            (exchange.method, dict(exchange.query))
            for exchange in cc.simulator.requests
            if exchange.path == "/v3/contacts"
        ]
        others = {exchange.path for exchange in cc.simulator.requests} - {"/v3/contacts"}
    assert {"/v3/account/user/privileges"} == others
    assert [("GET", "all"), ("GET", "unsubscribed"), ("GET", "deleted"), ("GET", "all")] == [
        (method, query["status"]) for method, query in asked
    ]
    assert {"1"} == {query["limit"] for _, query in asked}


def test_a_day_that_is_nearly_used_up_is_a_warning(tmp_path: Path) -> None:
    """One of five is left."""
    found = examined(Scenario(), tmp_path, daily_budget=41)

    assert Severity.PASS is found["quota"].severity
    with account(Scenario(), tmp_path / "new", daily_budget=5) as cc:
        source = cc.source()
        found = by_subject(list(source.check()))
        source.close()
    assert Severity.WARN is found["quota"].severity


@pytest.mark.parametrize(
    ("fault", "subject"),
    [
        (Fault(FaultKind.TOKEN_EXPIRED), "sign-in"),
        (Fault(FaultKind.QUOTA_EXCEEDED), "quota"),
        (Fault(FaultKind.ERROR, times=6), "connection"),
    ],
)
def test_a_failure_is_a_finding_with_what_to_do(fault: Fault, subject: str, tmp_path: Path) -> None:
    """It is not raised."""
    found = examined(Scenario(faults=(fault,), limits=Limits()), tmp_path)

    assert [subject] == list(found)
    assert Severity.FAIL is found[subject].severity
    assert found[subject].hint


def at(skew: timedelta | None) -> Callable[[Asked, int], Says]:
    good = Bare([person(1)])

    def answers(asked: Asked, number: int) -> Says:
        says = good(asked, number)
        date = "sometime" if skew is None else format_datetime(NOON + skew, usegmt=True)
        return Says(says.status, says.body, {**says.headers, "Date": date})

    return answers


@pytest.mark.parametrize(
    ("skew", "severity", "words"),
    [
        (timedelta(seconds=30), Severity.PASS, "agrees with the platform's"),
        (timedelta(seconds=600), Severity.WARN, "is 600 seconds behind the platform's"),
        (timedelta(seconds=-120), Severity.WARN, "is 120 seconds ahead of the platform's"),
        (timedelta(seconds=-3_600), Severity.FAIL, "is 3,600 seconds ahead of the platform's"),
        (None, Severity.WARN, "did not say what time it is"),
    ],
)
def test_the_clock_is_compared(
    skew: timedelta | None, severity: Severity, words: str, tmp_path: Path
) -> None:
    """Ahead by more than the lag, windows would end in the platform's future."""
    with serving(at(skew), tmp_path, time=VirtualTime()) as (_, source):
        found = by_subject(list(source.check()))["clock"]

    assert (severity, True) == (found.severity, words in found.message)


def test_an_account_that_does_not_count_says_so(tmp_path: Path) -> None:
    """And what will."""
    with serving(Bare([person(1)], count=lambda _rows, _given, _page: None), tmp_path) as (_, source):
        found = by_subject(list(source.check()))["coverage"]

    assert (Severity.WARN, "suppress sync --full") == (found.severity, found.hint)
