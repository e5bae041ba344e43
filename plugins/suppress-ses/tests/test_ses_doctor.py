"""`suppress doctor` on an SES destination: credentials, reasons, configuration sets, and the time."""

from __future__ import annotations

import pytest
from ses_opening import account, calls_of, settings_for
from suppress_ses.exporter import Ses
from suppress_ses.simulator import Scenario

from suppress.core.suppression import Json
from suppress.plugin.contract import Finding, Severity
from suppress.plugin.errors import AuthFailed
from suppress.plugin.loopback import Loopback, Request, Response, answer
from tests.plugin.virtual import from_now


def found(scenario: Scenario | None = None, **options: Json) -> dict[str, Finding]:
    """The findings by subject."""
    with account(scenario, clock=from_now().clock, **options) as (_, exporter):
        return {each.subject: each for each in exporter.check()}


def test_a_good_account_passes_by_reading_only() -> None:
    """With a configuration set that suppresses as the account does."""
    with account(Scenario(sets={"news": ("BOUNCE", "COMPLAINT")})) as (platform, exporter):
        findings = {each.subject: each for each in exporter.check()}

        assert {each.severity for each in findings.values()} == {Severity.PASS}
        assert set(findings) == {"credentials", "reasons", "configuration sets", "list", "requests"}
        assert "PutSuppressedDestination" not in calls_of(platform)


def test_a_reason_that_is_switched_off_fails() -> None:
    """Before an export does, and with the command that switches it on."""
    finding = found(Scenario(reasons=("BOUNCE",)))["reasons"]

    assert finding.severity is Severity.FAIL
    assert (
        finding.hint == "aws sesv2 put-account-suppression-attributes --suppressed-reasons BOUNCE COMPLAINT"
    )


def test_a_configuration_set_that_leaves_the_reason_out_is_named() -> None:
    """Mail that names it is not stopped, whatever the account says."""
    finding = found(Scenario(sets={"news": ("BOUNCE",), "orders": (), "good": ("COMPLAINT",)}))[
        "configuration sets"
    ]

    assert finding.severity is Severity.WARN
    assert "mail with news, orders is not stopped" in finding.message


def test_no_more_than_a_hundred_configuration_sets_are_looked_at() -> None:
    """At one request a second a doctor must come to an end."""
    many = {f"set-{number}": ("COMPLAINT",) for number in range(105)}
    assert "none of 100 leaves out" in found(Scenario(sets=many))["configuration sets"].message


@pytest.mark.parametrize(
    ("operation", "subject"),
    [("ListConfigurationSets", "configuration sets"), ("ListSuppressedDestinations", "list")],
)
def test_a_permission_that_is_lacking_is_named(operation: str, subject: str) -> None:
    """Exports work without these two."""
    finding = found(Scenario(forbidden=(operation,)))[subject]

    assert finding.severity is Severity.WARN
    assert f"ses:{operation}" in str(finding.hint)


def test_an_account_that_is_paused_is_said() -> None:
    """AWS empties its list after 90 days."""
    finding = found(Scenario(sending=False))["sending"]

    assert finding.severity is Severity.WARN
    assert "90 days" in finding.message


def test_what_it_takes_is_said_before() -> None:
    """At one request a second a thousand people take 50 minutes."""
    assert "1,000 people take 3,000 requests and about 0:50 h" in found(per_second=1)["requests"].message


def test_keys_that_are_refused_are_an_error_of_the_person() -> None:
    """With what to look at."""
    with account(access_key_id="AKIAOTHER") as (_, exporter), pytest.raises(AuthFailed) as refused:
        list(exporter.check())

    assert "region" in str(refused.value.remedy)


def test_configuration_sets_are_paged_through() -> None:
    """As far as the account has pages of them."""

    def paged(request: Request) -> Response:
        match request.method, request.path.rsplit("/", 1)[-1]:
            case _, "account":
                return answer(200, {"SuppressionAttributes": {"SuppressedReasons": ["COMPLAINT"]}})
            case "POST", _:
                second = "NextToken" in (request.json() if request.body else {})  # type: ignore[operator]
                return answer(
                    200,
                    {"ConfigurationSets": ["b" if second else "a"], **({} if second else {"NextToken": "n"})},
                )
            case _, "addresses":
                return answer(200, {"SuppressedDestinationSummaries": []})
            case _, name:
                return answer(200, {"ConfigurationSetName": name})

    with Loopback(paged) as server:
        exporter = Ses(settings_for(server.url), clock=from_now().clock)
        findings = {each.subject: each.message for each in exporter.check()}
        exporter.close()

    assert findings["configuration sets"] == "none of 2 leaves out COMPLAINT"
