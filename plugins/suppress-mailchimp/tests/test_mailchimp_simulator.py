"""The simulated platform behaves as the vendor's does, switch by switch."""

from __future__ import annotations

import re
import threading
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import httpx2
import pytest
from mailchimp_platform import AUDIENCE, KEY, account, numbered, opened, outcomes, settings
from suppress_mailchimp.client import Client
from suppress_mailchimp.settings import Options
from suppress_mailchimp.simulator import Fault, People, Simulator, Switches, launch, scenario
from suppress_mailchimp.simulator.account import name_of

from suppress.errors import BadFile
from suppress.plugin.contract import Observation, Outcome, Remote, Severity
from suppress.plugin.errors import AuthFailed
from suppress.plugin.loopback import Loopback, answer
from suppress.plugin.registry import Registry


def called(platform: Simulator, method: str, path: str, body: object = None) -> httpx2.Response:
    with httpx2.Client(trust_env=False, auth=("any", KEY)) as client:
        return client.request(method, f"{platform.url}/3.0{path}", json=body)


MEMBERS = f"/lists/{AUDIENCE}/members"
EVERY = People(
    AUDIENCE,
    subscribed=("in@example.com",),
    unsubscribed=("left@example.com",),
    unsubscribed_by_api=("told@example.com",),
    cleaned=("bounced@example.com",),
    archived=("hidden@example.com",),
    forgotten=("erased@example.com",),
)


def test_gone_archived_and_permanently_deleted_look_as_they_do_there() -> None:
    """Archived members can be read; of the other two the API does not tell which."""
    with account(EVERY) as platform:
        found = {
            each: called(platform, "GET", f"{MEMBERS}/{name_of(each)}").status_code
            for each in ("hidden@example.com", "erased@example.com", "nobody@example.com")
        }
        hidden = called(platform, "GET", f"{MEMBERS}/hidden@example.com").json()
        listed = called(
            platform, "GET", f"{MEMBERS}?count=100&fields=members.email_address,total_items"
        ).json()

    assert hidden["id"] == name_of("hidden@example.com")
    assert found == {"hidden@example.com": 200, "erased@example.com": 404, "nobody@example.com": 404}
    assert hidden["status"] == "archived"
    assert {"email_address": "hidden@example.com"} not in listed["members"]
    assert listed["total_items"] == 4


def test_who_left_is_locked_and_whom_the_api_unsubscribed_is_not() -> None:
    """So that any other integration undoes the latter."""
    body = {"status": "subscribed"}
    with account(EVERY) as platform:
        answers = {
            each: called(platform, "PATCH", f"{MEMBERS}/{name_of(each)}", body)
            for each in ("left@example.com", "bounced@example.com", "told@example.com")
        }

    assert [each.status_code for each in answers.values()] == [400, 400, 200]
    assert answers["left@example.com"].json()["title"] == "Member In Compliance State"
    assert answers["told@example.com"].json()["status"] == "subscribed"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "title"),
    [
        ("POST", MEMBERS, {"email_address": "in@example.com", "status": "subscribed"}, 400, "Member Exists"),
        ("POST", MEMBERS, {"email_address": "no-at", "status": "subscribed"}, 400, "Invalid Resource"),
        (
            "POST",
            MEMBERS,
            {"email_address": "a@fake.example", "status": "subscribed"},
            400,
            "Invalid Resource",
        ),
        (
            "POST",
            MEMBERS,
            {"email_address": "erased@example.com", "status": "subscribed"},
            400,
            "Forgotten Email Not Subscribed",
        ),
        ("PATCH", f"{MEMBERS}/in@example.com", {"status": "archived"}, 400, "Invalid Resource"),
        ("PATCH", f"{MEMBERS}/in@example.com", {"status": "transactional"}, 400, "Invalid Resource"),
        ("PATCH", f"{MEMBERS}/in@example.com", [], 400, "JSON Parse Error"),
        ("DELETE", f"{MEMBERS}/bounced@example.com", None, 405, "Method Not Allowed"),
        ("DELETE", f"{MEMBERS}/nobody@example.com", None, 404, "Resource Not Found"),
        ("GET", f"{MEMBERS}?count=1001", None, 400, "Invalid Resource"),
        ("GET", f"{MEMBERS}?status=gone", None, 400, "Invalid Resource"),
        ("GET", f"{MEMBERS}?unsubscribed_since=2026-01-01", None, 400, "Invalid Resource"),
        ("POST", f"/lists/{AUDIENCE}", {"members": [{}] * 501}, 400, "Invalid Resource"),
        ("POST", "/batches", {"operations": []}, 400, "Invalid Resource"),
        ("GET", "/batches/none", None, 404, "Resource Not Found"),
        ("GET", "/lists/none", None, 404, "Resource Not Found"),
        ("GET", "/nothing", None, 404, "Resource Not Found"),
        ("PUT", MEMBERS, {}, 404, "Resource Not Found"),
    ],
)
def test_what_is_refused_is_refused_in_the_vendors_words(
    method: str, path: str, body: object, status: int, title: str
) -> None:
    """As a problem document whose instance is the request's id."""
    with account(EVERY) as platform:
        refused = called(platform, method, path, body)

    assert (refused.status_code, refused.json()["title"]) == (status, title)
    assert refused.headers["content-type"].startswith("application/problem+json")
    assert refused.json()["instance"] == refused.headers["x-request-id"]


def test_the_list_call_creates_updates_and_refuses_as_it_does_there() -> None:
    """Without update_existing everybody who is there is an error; unknown people are created."""
    members = [
        {"email_address": each, "status": "unsubscribed"}
        for each in ("in@example.com", "IN@example.com", "new@example.com", "erased@example.com", "no-at")
    ]
    with account(EVERY) as platform:
        path = f"/lists/{AUDIENCE}"
        without = called(platform, "POST", path, {"members": members[:1]}).json()
        whole = {"members": members, "update_existing": True}
        strict = called(platform, "POST", path, whole).json()
        lenient = called(platform, "POST", f"{path}?skip_duplicate_check=true", whole).json()

    assert [each["error_code"] for each in without["errors"]] == ["ERROR_CONTACT_EXISTS"]
    assert (strict["total_created"], strict["total_updated"], strict["error_count"]) == (1, 1, 3)
    assert (lenient["total_created"], lenient["total_updated"], lenient["error_count"]) == (0, 2, 2)


def test_a_put_without_a_status_leaves_a_member_as_it_is() -> None:
    """`status_if_new` is for new members alone."""
    body = {"email_address": "left@example.com", "status_if_new": "subscribed"}
    with account(EVERY) as platform:
        kept = called(platform, "PUT", f"{MEMBERS}/{name_of('left@example.com')}", body).json()
        odd = called(platform, "GET", f"{MEMBERS}/left@example.com?fields=id.x,status").json()

    assert kept["status"] == "unsubscribed"
    assert odd == {"id": name_of("left@example.com"), "status": "unsubscribed"}


def test_the_store_of_results_refuses_a_second_kind_of_credentials() -> None:
    """As such stores do: whoever sends the key along gets nothing."""
    with account(EVERY) as platform, httpx2.Client(trust_env=False) as client:
        url = f"{platform._results.url}/batch00000-response.tar.gz"
        statuses = [client.get(url, auth=("any", KEY)).status_code, client.get(url).status_code]

    assert statuses == [400, 403]


def test_required_fields_refuse_a_write_that_does_not_skip_them() -> None:
    """With the field's name."""
    with account(EVERY, switches=Switches(required_fields=("FNAME",))) as platform:
        path, body = f"{MEMBERS}/in@example.com", {"status": "unsubscribed"}
        refused = called(platform, "PATCH", path, body)
        taken = called(platform, "PATCH", f"{path}?skip_merge_validation=true", body)

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "FNAME")
    assert taken.status_code == 200


def test_the_eleventh_request_at_once_is_turned_away() -> None:
    """Requests of one key, of all programs together."""
    slow = Fault("slow", times=10_000, path=".*/ping", seconds=1)
    with account(EVERY, switches=Switches(connections=2), faults=[slow]) as platform:
        statuses: list[int] = []
        threads = [
            threading.Thread(target=lambda: statuses.append(called(platform, "GET", "/ping").status_code))
            for _ in range(6)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    assert set(statuses) == {200, 429}


def test_no_more_connections_are_opened_than_were_configured() -> None:
    """Eight by default, so that two are left for others."""
    slow = Fault("slow", method="GET|PATCH", path=".*/members/.*", times=3, seconds=1)
    with account(People(AUDIENCE, people=200), faults=[slow]) as platform:
        found = outcomes(opened(platform, method="patch", connections=3, page_size=1), numbered(20))
        busiest = platform.busiest

    assert set(found.values()) == {Outcome.SUPPRESSED}
    assert 2 <= busiest <= 3


def test_a_search_names_the_audiences_that_hold_an_address() -> None:
    """By its exact spelling in any capitals; other calls that a stranger's client makes answer, too."""
    with account(EVERY, People("f6e7d8c9b0", subscribed=("In@Example.com",))) as platform:
        found = called(platform, "GET", "/search-members?query=in@example.com").json()
        feed = called(platform, "GET", f"{MEMBERS}/in@example.com/activity-feed").json()
        batches = called(platform, "GET", "/batches").json()
        gone = called(platform, "POST", f"{MEMBERS}/in@example.com/actions/delete-permanent")
        after = called(platform, "GET", f"{MEMBERS}/in@example.com")
        newest = called(platform, "GET", f"{MEMBERS}?sort_field=last_changed&sort_dir=DESC&count=1").json()

    assert {each["list_id"] for each in found["exact_matches"]["members"]} == {AUDIENCE, "f6e7d8c9b0"}
    assert (feed["activity"], batches["total_items"]) == ([], 0)
    assert (gone.status_code, after.status_code) == (204, 404)
    assert len(newest["members"]) == 1


def test_wrong_credentials_are_refused() -> None:
    """Of whatever kind."""
    with account(EVERY) as platform, httpx2.Client(trust_env=False) as client:
        given = [None, "Basic !!!", "Basic /w==", "Bearer wrong", f"Bearer {KEY}"]
        statuses = [
            client.get(
                f"{platform.url}/3.0/ping", headers={} if each is None else {"Authorization": each}
            ).status_code
            for each in given
        ]

    assert statuses == [401, 401, 401, 401, 200]


def test_a_token_finds_its_data_centre_by_the_sign_in_host() -> None:
    """A token does not carry it, and one that is refused is a matter of signing in again."""
    with account(EVERY) as platform:
        plain = settings("", api_key="", access_token="t0ken", login_url=platform.url)
        client = Client(Options.of(plain))
        assert client.host == "us19.api.mailchimp.com"
        client.close()
    with Loopback(lambda _request: answer(200, {"error": "invalid_token"})) as refusing:
        wrong = settings("", api_key="", access_token="t0ken", login_url=refusing.url)
        with pytest.raises(AuthFailed, match="does not say where the account"):
            _ = Client(Options.of(wrong)).host


def test_a_token_is_sent_as_a_bearer() -> None:
    """And taken."""
    with account(EVERY) as platform:
        exporter = opened(platform, api_key="", access_token=KEY)
        assert outcomes(exporter, ["in@example.com"]) == {"in@example.com": Outcome.SUPPRESSED}


def test_a_check_says_what_is_there_and_what_the_settings_cost() -> None:
    """And is a warning where people are created or brought back."""
    with account(EVERY) as platform:
        fine = list(opened(platform).check())
        warned = list(opened(platform, unknown="create_suppressed", archived="strict").check())
        failed = list(opened(platform, api_key="f" * 32 + "-us19").check())

    assert [each.severity for each in fine] == [Severity.PASS, Severity.PASS]
    assert "4 contacts" in fine[1].message
    assert [each.severity for each in warned][2:] == [Severity.WARN, Severity.WARN]
    assert [each.severity for each in failed] == [Severity.FAIL]


def test_a_sweep_brings_people_who_left_by_themselves_and_tells_them_from_bounces() -> None:
    """With reason and time, audience by audience, in pages."""
    shop = People("f6e7d8c9b0", "Shop", unsubscribed=("gone@example.com", "away@example.com"))
    with account(EVERY, shop) as platform:
        exporter = opened(platform, audience="all", page_size=1)
        found: dict[str, Observation] = {}
        cursor, pages = None, 0
        while True:
            page, cursor = exporter.sweep(cursor)
            found |= {each.address: each for each in page}
            pages += 1
            if cursor is None:
                break

        assert exporter.sweep("[7, 0, null, 0]") == ((), None)

    assert set(found) == {
        *("left@example.com", "told@example.com", "bounced@example.com"),
        *("gone@example.com", "away@example.com"),
    }
    assert found["bounced@example.com"].state is Remote.NOT_MAILABLE
    assert str(found["bounced@example.com"].kind) == "bounced"
    assert str(found["left@example.com"].kind) == "unsubscribed"
    assert found["left@example.com"].at is not None
    assert 5 <= pages <= 12


def test_a_sweep_shows_nobody_twice() -> None:
    """Pages overlap where many changed in one second."""
    with account(People(AUDIENCE, people=45)) as platform:
        exporter = opened(platform, page_size=10, method="list")
        outcomes(exporter, numbered(45))
        found: list[str] = []
        cursor = None
        while True:
            page, cursor = exporter.sweep(cursor)
            found += [each.address for each in page]
            if cursor is None:
                break

    assert sorted(found) == sorted(numbered(45))


SCENARIO = """
key = "00000000000000000000000000000000-us1"

[switches]
connections = 4
required_fields = ["FNAME"]
batches_lost = true

[[audiences]]
id = "a1b2c3d4e5"
people = 3
unsubscribed = ["pat@example.com"]

[[faults]]
kind = "bare-403"
method = "PATCH"
times = 3
"""


def test_a_scenario_file_says_who_is_there_and_how_the_platform_behaves(tmp_path: Path) -> None:
    """As the manual shows it."""
    (tmp_path / "a.toml").write_text(SCENARIO)
    read = scenario.load(tmp_path / "a.toml")

    assert read.audiences == (People(AUDIENCE, people=3, unsubscribed=("pat@example.com",)),)
    assert read.switches == Switches(connections=4, required_fields=("FNAME",), batches_lost=True)
    assert read.faults == (Fault("bare-403", method="PATCH", times=3),)
    with closing(launch(0, str(tmp_path / "a.toml"))) as running:
        assert running.holds == {"audiences": 1, "contacts": 4, "subscribed": 3}


def test_the_scenario_of_the_manual_is_one(tmp_path: Path) -> None:
    """It names every switch and every kind of person and fault."""
    manual = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (tmp_path / "a.toml").write_text(re.findall(r"```toml\n(.*?)```", manual, re.DOTALL)[-1])
    read = scenario.load(tmp_path / "a.toml")

    assert read.switches == Switches(required_fields=("FNAME",))
    for each in (*fields(Switches), *fields(People), *fields(Fault)):
        assert re.search(rf"^{each.name} = ", (tmp_path / "a.toml").read_text(), re.MULTILINE), each.name
    assert all(kind in manual for kind in scenario.KINDS)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[switches]\nconnection = 1", r"switches\.connection: there is no such key"),
        ("[switches]\nconnections = true", r"switches\.connections: must be a whole number"),
        ('[switches]\nfakes = "a"', r"switches\.fakes: must be a list"),
        ("switches = 1", "switches: must be a table"),
        ("[[audiences]]\npeople = 1", r"audiences\[0\]: lacks one of id"),
        ('[[faults]]\nkind = "flood"', "kind must be one of bare-403"),
        ("[people]", "people: there is no such key"),
        ("[", "Invalid initial character"),
    ],
)
def test_a_wrong_scenario_is_refused_with_its_place(tmp_path: Path, text: str, why: str) -> None:
    """Nothing is guessed."""
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(BadFile, match=why):
        scenario.load(tmp_path / "a.toml")


def test_a_scenario_that_is_not_there_is_named() -> None:
    """As any file."""
    with pytest.raises(BadFile, match=r"nowhere\.toml: cannot be read: No such file"):
        launch(0, "nowhere.toml")


def test_the_demo_says_what_to_put_into_the_settings() -> None:
    """And its table opens the exporter through the registry."""
    with closing(launch(0, None)) as running:
        assert 'audience = "a1b2c3d4e5"' in running.settings
        assert running.environment == {"SUPPRESS_DESTINATIONS__NEWSLETTER__API_KEY": running.token}
        assert running.holds["audiences"] == 2
        with closing(Registry.load().exporter(settings(running.url))) as exporter:
            assert [each.severity for each in exporter.check()] == [Severity.PASS, Severity.PASS]


def test_the_large_account_has_a_hundred_thousand_subscribers() -> None:
    """To measure with."""
    assert scenario.BUILT_IN["large"]().audiences[0].people == 100_000
