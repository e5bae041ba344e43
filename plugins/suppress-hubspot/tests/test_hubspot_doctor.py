"""`suppress doctor` on a HubSpot account: reads only, and says what to do."""

from __future__ import annotations

import pytest
from hubspot_opening import account, settings_for
from suppress_hubspot.calls import reads
from suppress_hubspot.exporter import HubSpot
from suppress_hubspot.simulator import Scenario

from suppress.core.suppression import Json
from suppress.plugin.contract import Finding, Severity
from suppress.plugin.errors import AuthFailed, ContractBroken
from suppress.plugin.loopback import Loopback, answer
from tests.plugin.virtual import VirtualTime

PREFERENCES = ("communication_preferences.read_write",)


def found(scenario: Scenario | None = None, **options: Json) -> dict[str, Finding]:
    """The findings by subject; nothing may be written meanwhile."""
    with account(scenario, **options) as (platform, exporter):
        findings = {each.subject: each for each in exporter.check()}

        assert all(reads(each.request.method, each.request.path) for each in platform.exchanges)
    return findings


def test_all_is_well() -> None:
    """Token, searches, and what is left of the day."""
    findings = found(per_10_seconds=100)

    assert {each.severity for each in findings.values()} == {Severity.PASS}
    assert "3 subscription types" in findings["token"].message
    assert "249,999 are left today" in findings["requests"].message
    assert "100,000 people take 200,000 requests and about 5:51 h" in findings["requests"].message


def test_batches_are_much_faster() -> None:
    """Three requests a hundred people."""
    findings = found(Scenario(enterprise=True), per_10_seconds=100)

    assert findings["batches"].severity is Severity.PASS
    assert "3,000 requests and about 0:05 h" in findings["requests"].message


def test_batches_without_enterprise_fail() -> None:
    """Before an export does."""
    finding = found(mode="batch")["batches"]

    assert finding.severity is Severity.FAIL
    assert finding.hint == 'set mode = "single"; batches need Marketing Hub Enterprise'


def test_without_contacts_a_patrol_finds_less() -> None:
    """Exports work all the same."""
    finding = found(Scenario(scopes=PREFERENCES))["contacts"]

    assert finding.severity is Severity.WARN
    assert "crm.objects.contacts.read" in str(finding.hint)


def test_another_time_zone_is_said() -> None:
    """The day's limit is reset at midnight there."""
    finding = found(Scenario(time_zone="America/New_York"))["time zone"]

    assert finding.hint == 'set time_zone = "America/New_York"'
    assert "time zone" not in found(Scenario(time_zone="America/New_York"), time_zone="America/New_York")


def test_a_day_that_is_nearly_used_up_is_said() -> None:
    """The run goes on after midnight."""
    finding = found(Scenario(per_day=900))["requests"]

    assert finding.severity is Severity.WARN
    assert "goes on where it stopped" in str(finding.hint)


def test_a_refused_token_is_an_error_of_the_person() -> None:
    """With what to do."""
    with account(access_token="pat-na1-old") as (_, exporter), pytest.raises(AuthFailed, match="refused"):
        list(exporter.check())


def test_answers_of_something_else_do_not_pass() -> None:
    """A proxy that answers everything with an object."""
    with Loopback(lambda _request: answer(200, {"hello": "world"})) as server:
        exporter = HubSpot(settings_for(server.url), clock=VirtualTime().clock)
        with pytest.raises(ContractBroken):
            list(exporter.check())
        exporter.close()


def test_an_account_that_may_not_be_asked_for_details_is_fine() -> None:
    """The time zone stays as it is set; without the header, our own count is what is left."""

    def guarded(path: str) -> tuple[int, object]:
        match path.rsplit("/", 1)[-1]:
            case "definitions":
                return 200, {"results": []}
            case "search":
                return 200, {"total": 0, "results": []}
            case _:
                return 403, {"category": "MISSING_SCOPES"}

    with Loopback(lambda request: answer(*guarded(request.path))) as server:
        exporter = HubSpot(settings_for(server.url, per_day=500), clock=VirtualTime().clock)
        findings = {each.subject: each for each in exporter.check()}
        exporter.close()

    assert set(findings) == {"token", "contacts", "requests"}
    assert "498 are left today" in findings["requests"].message


def test_a_search_that_is_not_as_promised_does_not_pass() -> None:
    """It would look like an account without opt-outs."""

    def broken(path: str) -> object:
        return {"results": []} if path.endswith("definitions") else {"total": "many", "results": []}

    with Loopback(lambda request: answer(200, broken(request.path))) as server:
        exporter = HubSpot(settings_for(server.url), clock=VirtualTime().clock)
        with pytest.raises(ContractBroken, match="without a total"):
            list(exporter.check())
        exporter.close()
