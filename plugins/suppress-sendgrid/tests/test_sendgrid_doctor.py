"""`suppress doctor` on a SendGrid destination: key, scopes, group, lists, and how long it takes."""

from __future__ import annotations

import pytest
from sendgrid_opening import SCOPES, account, calls_of, settings_for
from suppress_sendgrid.exporter import SendGrid
from suppress_sendgrid.simulator import Scenario
from suppress_sendgrid.simulator.scenario import SCOPES as ALL

from suppress.core.suppression import Json
from suppress.plugin.contract import Finding, Severity
from suppress.plugin.errors import AuthFailed, ContractBroken
from suppress.plugin.loopback import Loopback, Request, Response, answer
from tests.plugin.virtual import from_now


def found(scenario: Scenario | None = None, scope: str = "global", **options: Json) -> dict[str, Finding]:
    """The findings by subject."""
    with account(scenario, scope, clock=from_now().clock, **options) as (_, exporter):
        return {each.subject: each for each in exporter.check()}


@pytest.mark.parametrize("scope", list(SCOPES))
def test_a_good_account_passes_by_reading_only(scope: str) -> None:
    """With every list that a patrol reads."""
    with account(scope=scope) as (platform, exporter):
        findings = list(exporter.check())

        assert {each.severity for each in findings} == {Severity.PASS}
        assert {"bounces", "blocks", "spam reports", "invalid emails"} < {each.subject for each in findings}
        assert not {"group add", "global add"} & set(calls_of(platform))


def test_what_it_takes_is_said_before() -> None:
    """Reading the global list back takes a request a person; a group takes four for a thousand."""
    assert "100,100 requests and about 2:47 h" in found(per_minute=600)["requests"].message
    assert "400 requests and about 0:01 h" in found(scope="group", per_minute=600)["requests"].message


def test_a_group_that_is_gone_fails() -> None:
    """Before an export does."""
    finding = found(Scenario(groups=(7,)), "group")["group"]

    assert finding.severity is Severity.FAIL
    assert "has no unsubscribe group 101" in finding.message


def test_the_group_is_named() -> None:
    """So that a wrong number is seen."""
    assert "101 is there: Newsletter 101, with 0 people" in found(scope="group")["group"].message


@pytest.mark.parametrize(
    ("scope", "lacking"),
    [("global", "asm.suppressions.global.create"), ("group", "asm.groups.suppressions.create")],
)
def test_a_key_that_may_not_tell_is_warned_of(scope: str, lacking: str) -> None:
    """The names of scopes are not in the vendor's contract, so that it is no failure."""
    few = tuple(each for each in ALL if each != lacking)
    finding = found(Scenario(scopes=few), scope)["scopes"]

    assert finding.severity is Severity.WARN
    assert finding.message.endswith(f"it does not name {lacking}")


@pytest.mark.parametrize(
    ("scope", "lacking", "subject"),
    [
        ("global", "asm.suppressions.global.read", "global list"),
        ("group", "asm.groups.read", "group"),
        ("group", "asm.groups.suppressions.read", "group"),
    ],
)
def test_a_key_that_may_not_read_back_fails(scope: str, lacking: str, subject: str) -> None:
    """Nothing could be verified."""
    few = tuple(each for each in ALL if each != lacking)
    finding = found(Scenario(scopes=few), scope)[subject]

    assert finding.severity is Severity.FAIL
    assert lacking in finding.message


def test_a_list_that_cannot_be_read_is_said() -> None:
    """A patrol would end there."""
    few = tuple(each for each in ALL if each != "suppression.bounces.read")
    finding = found(Scenario(scopes=few))["bounces"]

    assert finding.severity is Severity.WARN
    assert finding.hint == "add the scope suppression.bounces.read, or leave bounces out of other_lists"


def test_a_refused_key_is_an_error_of_the_person() -> None:
    """With what to do."""
    with account(api_key="SG.old") as (_, exporter), pytest.raises(AuthFailed, match="refused the API key"):
        list(exporter.check())


def test_a_key_that_may_not_list_its_scopes_is_no_failure() -> None:
    """What it can do is tried all the same."""

    def guarded(request: Request) -> Response:
        if request.path.endswith("scopes"):
            return answer(403, {"errors": [{"field": None, "message": "access forbidden"}]})
        return answer(200, [] if request.path.startswith("/v3/suppression/") else {})

    with Loopback(guarded) as server:
        exporter = SendGrid(settings_for(server.url), clock=from_now().clock)
        findings = {each.subject: each.severity for each in exporter.check()}
        exporter.close()

    assert findings["scopes"] is Severity.WARN
    assert findings["global list"] is Severity.PASS


def test_an_answer_for_another_group_does_not_pass() -> None:
    """Nor does a group whose name and count are missing stop anything."""

    def other(number: int, request: Request) -> Response:
        match request.path.rsplit("/", 1)[-1]:
            case "scopes":
                return answer(200, {"scopes": ["a", 7]})
            case "101":
                return answer(200, {"id": number})
            case _:
                return answer(200, [])

    for number, severity in ((101, Severity.PASS), (102, Severity.FAIL)):
        with Loopback(lambda request, number=number: other(number, request)) as server:  # type: ignore[misc]
            exporter = SendGrid(settings_for(server.url, "group"), clock=from_now().clock)
            findings = {each.subject: each.severity for each in exporter.check()}
            exporter.close()

        assert findings["group"] is severity


@pytest.mark.parametrize("value", [[], {"hello": "world"}, {"scopes": "all"}])
def test_answers_of_something_else_do_not_pass(value: object) -> None:
    """A proxy that answers everything with JSON of its own."""
    with Loopback(lambda _request: answer(200, value)) as server:
        exporter = SendGrid(settings_for(server.url), clock=from_now().clock)
        with pytest.raises(ContractBroken):
            list(exporter.check())
        exporter.close()
