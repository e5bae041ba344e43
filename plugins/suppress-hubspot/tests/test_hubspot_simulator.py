"""The simulator is a HubSpot account by the vendor's reference, whatever the exporter does with it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from suppress_hubspot.simulator import Fault, Scenario, Simulator, Trap, launch
from suppress_hubspot.simulator.scenario import load

from suppress.errors import BadFile
from suppress.plugin.loopback import Request

_ONE = "/communication-preferences/v4/statuses/pat%40example.com/unsubscribe-all"
_CONTACTS = "/crm/v3/objects/contacts"


def ask(
    platform: Simulator,
    method: str,
    target: str,
    body: object = None,
    *,
    token: str | None = None,
) -> tuple[int, dict[str, object]]:
    """What the platform answers, asked without a network."""
    path, _, query = target.partition("?")
    pairs = tuple(
        (name, value) for name, _, value in (each.partition("=") for each in query.split("&") if each)
    )
    sent = b"" if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {token or platform.token}"}
    found = platform.respond(Request(method, path, pairs, headers, sent))
    value: dict[str, object] = json.loads(found.body)
    return found.status, value


def results(answered: tuple[int, dict[str, object]]) -> list[dict[str, object]]:
    """The results of an answer that worked."""
    status, value = answered
    assert status in (200, 207)
    found = value["results"]
    assert isinstance(found, list)
    return found


def test_a_write_without_verbose_names_nobody_and_is_done() -> None:
    """The trap that made people believe nothing had happened."""
    platform = Simulator()

    assert results(ask(platform, "POST", f"{_ONE}?channel=EMAIL")) == []
    assert not platform.account.would_mail("pat@example.com")


def test_a_second_write_says_that_nothing_changed() -> None:
    """So that a write can be repeated, and the receipt can tell who was out already."""
    platform = Simulator()
    first = results(ask(platform, "POST", f"{_ONE}?channel=EMAIL&verbose=true"))
    second = results(ask(platform, "POST", f"{_ONE}?channel=EMAIL&verbose=true"))

    assert {each["setStatusSuccessReason"] for each in first} == {"UNSUBSCRIBE_FROM_ALL_OCCURRED"}
    assert {each["setStatusSuccessReason"] for each in second} == {"NO_STATUS_CHANGE"}


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", _ONE, None),
        ("POST", f"{_ONE}?channel=SMS", None),
        ("POST", f"{_ONE}?channel=EMAIL", {"statusState": "SUBSCRIBED"}),
        ("POST", f"{_ONE}?channel=EMAIL&businessUnitId=9", None),
        ("GET", f"{_ONE.replace('pat%40', '')}?channel=EMAIL", None),
        (
            "POST",
            "/communication-preferences/v4/statuses/batch/unsubscribe-all?channel=EMAIL",
            {"inputs": []},
        ),
        (
            "POST",
            "/communication-preferences/v4/statuses/batch/unsubscribe-all?channel=EMAIL",
            {"inputs": [7]},
        ),
        ("POST", f"{_CONTACTS}/search", []),
        ("POST", f"{_CONTACTS}/search", {"filterGroups": []}),
        ("POST", f"{_CONTACTS}/search", {"filterGroups": [{"filters": [{"propertyName": "phone"}]}]}),
        ("POST", f"{_CONTACTS}/search", {"filterGroups": [{"filters": []}], "limit": 201}),
        ("POST", f"{_CONTACTS}/search", {"filterGroups": [{"filters": []}], "after": "9999", "limit": 2}),
        ("POST", f"{_CONTACTS}/batch/read", {"inputs": [{"id": "pat@example.com"}]}),
        ("POST", f"{_CONTACTS}/batch/read", {"inputs": [], "properties": [], "propertiesWithHistory": []}),
        ("PATCH", f"{_CONTACTS}/101", {"properties": {"hs_email_optout": "true"}}),
        ("PATCH", f"{_CONTACTS}/101", {"properties": {"hs_email_optout_7": "false"}}),
    ],
)
def test_what_the_vendor_refuses_is_a_validation_error(method: str, target: str, body: object) -> None:
    """The mirror `hs_email_optout` is read-only; parameters are required; limits hold."""
    platform = Simulator(Scenario(enterprise=True, scopes=(*Scenario().scopes, "crm.objects.contacts.write")))
    status, value = ask(platform, method, target, body)

    assert (status, value["category"]) == (400, "VALIDATION_ERROR")


def test_a_body_that_is_no_json_is_refused() -> None:
    """In a batch call."""
    platform = Simulator(Scenario(enterprise=True))
    path = "/communication-preferences/v4/statuses/batch/unsubscribe-all"
    headers = {"authorization": f"Bearer {platform.token}"}
    found = platform.respond(Request("POST", path, (("channel", "EMAIL"),), headers, b"a@example.com"))

    assert found.status == 400


def test_other_properties_of_a_contact_can_be_written_by_others() -> None:
    """The simulator knows that call so that a test sees what its opposite would do."""
    platform = Simulator(Scenario(scopes=("crm.objects.contacts.write",)))

    assert ask(platform, "PATCH", f"{_CONTACTS}/101", {"properties": {"city": "Bonn"}})[0] == 200


def test_contacts_it_does_not_know_are_errors_of_a_207() -> None:
    """`OBJECT_NOT_FOUND`, with their addresses."""
    platform = Simulator(Scenario(contacts=("pat@example.com",)))
    asked = {
        "idProperty": "email",
        "inputs": [{"id": "PAT@example.com"}, {"id": "sam@example.com"}],
        "properties": ["email"],
        "propertiesWithHistory": [],
    }
    status, value = ask(platform, "POST", f"{_CONTACTS}/batch/read", asked)
    all_known = ask(platform, "POST", f"{_CONTACTS}/batch/read", {**asked, "inputs": asked["inputs"][:1]})

    assert status == 207
    assert len(results((status, value))) == 1
    assert value["numErrors"] == 1
    assert all_known[0] == 200


def test_another_token_and_an_unknown_path_are_refused() -> None:
    """401 and 404, in the vendor's shape."""
    platform = Simulator()

    assert ask(platform, "GET", _ONE, token="other")[1]["category"] == "INVALID_AUTHENTICATION"
    assert ask(platform, "GET", "/crm/v3/objects/deals")[1]["category"] == "OBJECT_NOT_FOUND"


def test_a_persons_own_consent_shows_in_the_mirror() -> None:
    """What no call of an exporter can do: the account is asked to mail somebody again."""
    platform = Simulator(Scenario(contacts=("pat@example.com",), opted_out=("PAT@example.com",)))
    platform.account.opt_in("Pat@example.com", datetime.now(UTC))
    (contact,) = platform.account.contacts()

    assert platform.account.would_mail("pat@example.com")
    assert [out for _, out in contact.history] == [True, False]


def test_launching_says_how_to_use_it() -> None:
    """The table for suppress.toml, and the token beside it."""
    running = launch(0, None)
    running.close()
    enterprise = launch(0, "enterprise")
    enterprise.close()

    assert running.holds == {"contacts": 4, "opted out": 1}
    assert 'platform = "hubspot"' in running.settings
    assert "mode" not in running.settings
    assert 'mode = "batch"' in enterprise.settings
    assert running.environment == {"SUPPRESS_DESTINATIONS__HUBSPOT__ACCESS_TOKEN": running.token}


def test_a_scenario_file_has_every_switch(tmp_path: Path) -> None:
    """Lists and faults included."""
    file = tmp_path / "bad-day.toml"
    file.write_text(
        'enterprise = true\nper_day = 50\ncontacts = ["pat@example.com"]\n'
        '[[faults]]\ntrap = "silent"\ncall = "unsubscribe-all"\nafter = 1\ntimes = 2\n'
    )
    scenario = load(str(file))

    assert (scenario.enterprise, scenario.per_day, scenario.contacts) == (True, 50, ("pat@example.com",))
    assert scenario.faults == (Fault(Trap.SILENT, "unsubscribe-all", after=1, times=2),)
    assert [scenario.faults[0].strikes("unsubscribe-all") for _ in range(4)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("plan = 'free'\n", "plan: there is no such key"),
        ("enterprise = \n", "Invalid value"),
        ("faults = 3\n", "faults: must be a list"),
        ("[[faults]]\ntrap = 'flood'\n", "trap: must be one of error, page"),
        ("[[faults]]\ntrap = 'page'\nwho = 'pat'\n", "who: there is no such key"),
    ],
)
def test_a_scenario_that_is_none_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """One line that says what is wrong with it."""
    file = tmp_path / "scenario.toml"
    file.write_text(text)
    with pytest.raises(BadFile, match=words):
        load(str(file))


def test_a_scenario_that_is_not_there_names_those_that_are() -> None:
    """By name."""
    with pytest.raises(BadFile, match="demo, enterprise"):
        load("/nowhere/else.toml")
