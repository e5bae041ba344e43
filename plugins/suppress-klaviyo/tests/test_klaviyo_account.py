"""Settings, `suppress doctor`, sweeps, and the simulator by itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from klaviyo_opening import FAST, account, opened, settings_for
from suppress_klaviyo.exporter import Klaviyo
from suppress_klaviyo.settings import Options
from suppress_klaviyo.simulator import Scenario, Simulator, bodies, launch
from suppress_klaviyo.simulator.scenario import load

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.errors import BadFile, ConfigWrong
from suppress.plugin.contract import Finding, Observation, Remote, Severity
from suppress.plugin.errors import AuthFailed, ContractBroken
from suppress.plugin.kit import people
from suppress.plugin.loopback import Loopback, Request, Response, answer
from suppress.plugin.registry import Registry

PAT = "pat@example.com"


def swept(exporter: Klaviyo) -> list[Observation]:
    """A whole sweep."""
    found: list[Observation] = []
    cursor = None
    while True:
        page, cursor = exporter.sweep(cursor)
        found += page
        if cursor is None:
            return found


def test_a_sweep_shows_everyone_with_reason_and_time() -> None:
    """Also bounces, which are no opt-outs; page after page."""
    addresses = [f"p{number}@example.com" for number in range(230)]
    scenario = Scenario(
        profiles=("mailable@example.com",),
        suppressed=(*(f"UNSUBSCRIBE {each}" for each in addresses), f"HARD_BOUNCE {PAT}"),
    )
    with account(scenario) as (platform, exporter):
        found = swept(exporter)
        states = {each.address: each.state for each in found}

        assert len(found) == 231
        assert states == {**dict.fromkeys(addresses, Remote.SUPPRESSED), PAT: Remote.NOT_MAILABLE}
        assert all(each.at is not None for each in found)
        assert len(platform.exchanges) == 3


def findings(scenario: Scenario | None = None, **options: Json) -> dict[str, Finding]:
    """What `suppress doctor` says, by subject; nothing may be written meanwhile."""
    with account(scenario, waits=None, **options) as (platform, exporter):
        found = {each.subject: each for each in exporter.check()}

        assert {each.request.method for each in platform.exchanges} == {"GET"}
    return found


def test_doctor_finds_all_well() -> None:
    """Key, account, and the time that a long list takes."""
    found = findings(per_second=75, per_minute=750)

    assert {each.severity for each in found.values()} == {Severity.PASS}
    assert found["requests"].message == "100,000 people take about 5,000 requests and 0:07 h"


def test_doctor_knows_old_revisions() -> None:
    """Klaviyo serves one for about two years."""
    assert findings(revision="2024-10-15")["revision"].severity is Severity.WARN


def test_doctor_says_what_a_key_lacks() -> None:
    """Reading profiles is needed; reading the account is not."""

    def lacking(path: str) -> Response:
        return bodies.error(403, "permission_denied", "The key lacks a scope.") if path else answer(200, {})

    with Loopback(lambda request: lacking(request.path)) as server, opened(server.url) as exporter:
        (found,) = exporter.check()

    assert found.severity is Severity.FAIL
    assert found.hint == "make a private key with the scopes profiles:read"


def test_doctor_does_not_need_the_account() -> None:
    """A key with fewer scopes is the better one."""

    def narrow(request: Request) -> Response:
        forbidden = bodies.error(403, "permission_denied", "The key lacks a scope.")
        return forbidden if request.path.endswith("accounts") else answer(200, {"data": []})

    with Loopback(narrow) as server, opened(server.url) as exporter:
        found = {each.subject: each for each in exporter.check()}

    assert found["account"].message == "the key may not read the account, and need not"


@pytest.mark.parametrize("broken", ["profiles", "accounts"])
def test_answers_of_something_else_do_not_pass(broken: str) -> None:
    """A proxy that answers everything with an object."""

    def odd(request: Request) -> Response:
        return answer(200, {} if request.path.endswith(broken) else {"data": []})

    with (
        Loopback(odd) as server,
        opened(server.url) as exporter,
        pytest.raises(ContractBroken, match="data is no list"),
    ):
        list(exporter.check())


def test_a_refused_key_is_the_persons_to_mend() -> None:
    """With what to do."""
    with account(api_key="pk_old") as (_, exporter), pytest.raises(AuthFailed, match="refused the API key"):
        list(exporter.check())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"api_url": "http://a.klaviyo.com"}, "api_url must begin with https"),
        ({"revision": "latest"}, "revision must be a date such as 2026-07-15"),
        ({"batch_size": 101}, "batch_size must be a whole number, 1 to 100"),
        ({"per_minute": 0}, "per_minute must be a whole number, 1 or more"),
        ({"settle_seconds": -1}, "settle_seconds must be a whole number, 0 to 86,400"),
    ],
)
def test_what_cannot_be_is_said_by_its_key(options: dict[str, Json], words: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigWrong, match=words):
        Options.of(DestinationSettings("shop", "klaviyo", options=options))


def test_the_pace_is_the_smaller_of_both_limits() -> None:
    """75 a second in a burst, 750 a minute in the long run."""
    assert Options.of(DestinationSettings("shop", "klaviyo")).per_second == 750 / 60 * 0.95
    fast = Options.of(settings_for("https://a.klaviyo.com", **FAST))
    assert fast.per_second == 950_000


def test_the_registry_opens_it_with_checked_options() -> None:
    """As `suppress export` does: a policy that is none is refused."""
    registry = Registry.load()
    wrong = DestinationSettings("shop", "klaviyo", options={"unknown": "create"})
    registry.exporter(DestinationSettings("shop", "klaviyo", options={"api_key": "pk_x"})).close()
    with pytest.raises(ConfigWrong, match="unknown must be one of skip, create_suppressed"):
        registry.exporter(wrong)

    assert "api_key" in registry.secrets()


def ask(
    platform: Simulator,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    revision: str | None = "2026-07-15",
    **query: str,
) -> tuple[int, dict[str, object]]:
    """What the platform answers, asked without a network."""
    headers = {"authorization": f"Klaviyo-API-Key {platform.key}"}
    if revision is not None:
        headers["revision"] = revision
    named = {
        name.replace("page_", "page[") + "]" if "page_" in name else name: value
        for name, value in query.items()
    }
    with platform:
        found = platform.respond(Request(method, path, tuple(named.items()), headers, body))
    value: dict[str, object] = json.loads(found.body)
    return found.status, value


@pytest.mark.parametrize(
    ("method", "path", "body", "query"),
    [
        ("POST", "/api/profile-suppression-bulk-create-jobs", b"{}", {}),
        ("POST", "/api/profile-suppression-bulk-create-jobs", b"pat", {}),
        ("GET", "/api/profiles", b"", {"filter": "any(email,[pat])"}),
        ("GET", "/api/profiles", b"", {"filter": 'contains(email,"pat")'}),
        ("GET", "/api/profiles", b"", {"page_size": "101"}),
        ("GET", "/api/profiles", b"", {"page_cursor": "x"}),
    ],
)
def test_what_the_vendor_refuses_is_an_error(
    method: str, path: str, body: bytes, query: dict[str, str]
) -> None:
    """Bodies, filters and pages that are none."""
    assert ask(Simulator(), method, path, body, **query)[0] == 400


def test_more_than_a_hundred_profiles_are_no_job() -> None:
    """So says the contract of the call."""
    from suppress_klaviyo.calls import suppression

    body = json.dumps(suppression([PAT] * 101)).encode()

    assert ask(Simulator(), "POST", "/api/profile-suppression-bulk-create-jobs", body)[0] == 400


def test_a_missing_revision_and_an_unknown_path_are_refused() -> None:
    """400 and 404."""
    assert ask(Simulator(), "GET", "/api/profiles", revision=None)[0] == 400
    assert ask(Simulator(), "GET", "/api/events")[0] == 404


def test_profiles_are_shown_without_subscriptions_unless_they_are_asked_for() -> None:
    """`additional-fields[profile]=subscriptions`: forgotten, nobody looks suppressed."""
    platform = Simulator(Scenario(profiles=(PAT,)))
    _, value = ask(platform, "GET", "/api/profiles")

    assert value["data"] == [{"type": "profile", "id": "01P00000001", "attributes": {"email": PAT}}]


def test_profiles_are_found_by_their_reason() -> None:
    """For drift of one kind."""
    platform = Simulator(Scenario(suppressed=(f"UNSUBSCRIBE {PAT}", "HARD_BOUNCE sam@example.com")))
    wanted = 'equals(subscriptions.email.marketing.suppression.reason,"HARD_BOUNCE")'
    _, value = ask(platform, "GET", "/api/profiles", filter=wanted)

    assert isinstance(value["data"], list)
    assert [each["attributes"]["email"] for each in value["data"]] == ["sam@example.com"]


def test_launching_says_how_to_use_it() -> None:
    """The table for suppress.toml, and the key beside it."""
    running = launch(0, None)
    running.close()

    assert running.holds == {"profiles": 4, "suppressed": 1}
    assert 'platform = "klaviyo"' in running.settings
    assert running.environment == {"SUPPRESS_DESTINATIONS__KLAVIYO__API_KEY": running.token}


def test_a_scenario_file_has_every_switch(tmp_path: Path) -> None:
    """Lists included."""
    file = tmp_path / "bad-day.toml"
    file.write_text('polls = 3\nprofiles = ["pat@example.com"]\nfailing = [503, 0]\n')

    assert load(str(file)) == Scenario(polls=3, profiles=(PAT,), failing=(503, 0))


@pytest.mark.parametrize(
    ("text", "words"), [("plan = 1\n", "plan: there is no such key"), ("polls = \n", "Invalid value")]
)
def test_a_scenario_that_is_none_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """One line that says what is wrong with it."""
    file = tmp_path / "scenario.toml"
    file.write_text(text)
    with pytest.raises(BadFile, match=words):
        load(str(file))


def test_a_scenario_that_is_not_there_is_said() -> None:
    """With those that are known by name."""
    with pytest.raises(BadFile, match="by name: demo"):
        load("/nowhere/else.toml")


def test_the_platforms_clock_dates_the_suppression() -> None:
    """It may be ahead of ours; what it says is what an auditor will find there."""
    with account(Scenario(suppressed=(f"UNSUBSCRIBE {PAT}",), clock_skew=3_600)) as (platform, exporter):
        (seen,) = exporter.read_back([PAT])
        profile = platform.account.found(PAT)

        assert profile is not None
        assert seen.at == profile.suppressions["UNSUBSCRIBE"].replace(microsecond=0)


def test_a_plan_of_nobody_asks_for_nobody() -> None:
    """Not a request."""
    with account() as (platform, exporter):
        assert list(exporter.plan(people([]))) == []
        assert platform.exchanges == ()
