"""The vendor's own client library finds the simulated account to be one.

It was written by others, against the real platform: what it reads here, the simulator says rightly.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any
from urllib.request import ProxyHandler, build_opener

import mailchimp_marketing
import pytest
from mailchimp_marketing.api_client import ApiClientError
from mailchimp_platform import AUDIENCE, KEY, account, opened, outcomes
from suppress_mailchimp.roster import subscriber_hashes
from suppress_mailchimp.simulator import People, Simulator

from suppress.plugin.contract import Outcome

PAT = subscriber_hashes("pat@example.com")[0]
EVERY = People(
    AUDIENCE,
    subscribed=("pat@example.com", "kim@example.com"),
    unsubscribed=("left@example.com",),
    archived=("hidden@example.com",),
    forgotten=("erased@example.com",),
)


@pytest.fixture
def platform() -> Iterator[Simulator]:
    """One audience."""
    with account(EVERY) as simulator:
        yield simulator


def client(platform: Simulator, key: str = KEY) -> Any:
    """Its host is fixed unless it is overwritten; it carries no types."""
    made = mailchimp_marketing.Client({"api_key": key, "server": "us19"})
    made.api_client.host = f"{platform.url}/3.0"
    return made


def refusal(call: Any, *arguments: Any) -> dict[str, Any]:
    """The problem that the library was told; it hands on a text."""
    with pytest.raises(ApiClientError) as refused:
        call(*arguments)
    found: dict[str, Any] = json.loads(refused.value.text)
    return found


def test_it_signs_in_and_finds_the_audience(platform: Simulator) -> None:
    """With the key, and not with another one."""
    them = client(platform)

    assert them.ping.get() == {"health_status": "Everything's Chimpy!"}
    assert [each["id"] for each in them.lists.get_all_lists()["lists"]] == [AUDIENCE]
    assert refusal(client(platform, "0" * 32 + "-us19").ping.get)["title"] == "API Key Invalid"


def test_it_reads_and_writes_members(platform: Simulator) -> None:
    """By hash, in each of the ways that the exporter uses."""
    lists = client(platform).lists

    assert lists.get_list_member(AUDIENCE, PAT)["status"] == "subscribed"
    patched = lists.update_list_member(AUDIENCE, PAT, {"status": "unsubscribed"}, skip_merge_validation=True)
    assert patched["status"] == "unsubscribed"
    whole = {"email_address": "new@example.com", "status_if_new": "unsubscribed", "status": "unsubscribed"}
    assert (
        lists.set_list_member(AUDIENCE, subscriber_hashes("new@example.com")[0], whole)["status"]
        == "unsubscribed"
    )
    lists.delete_list_member(AUDIENCE, PAT)
    assert lists.get_list_member(AUDIENCE, PAT)["status"] == "archived"
    assert lists.get_list_members_info(AUDIENCE, status="archived", count=10)["total_items"] == 2


def test_it_hears_the_refusals_that_the_exporter_knows(platform: Simulator) -> None:
    """By their titles."""
    lists = client(platform).lists
    left = subscriber_hashes("left@example.com")[0]
    erased = {"email_address": "erased@example.com", "status": "subscribed"}

    assert refusal(lists.get_list_member, AUDIENCE, "0" * 32)["title"] == "Resource Not Found"
    locked = refusal(lists.update_list_member, AUDIENCE, left, {"status": "subscribed"})
    assert locked["title"] == "Member In Compliance State"
    assert refusal(lists.add_list_member, AUDIENCE, erased)["title"] == "Forgotten Email Not Subscribed"


def test_its_list_call_and_batches_do_what_ours_do(platform: Simulator) -> None:
    """And its results unpack."""
    them = client(platform)
    members = [{"email_address": "kim@example.com", "status": "unsubscribed"}]
    done = them.lists.batch_list_members(AUDIENCE, {"members": members, "update_existing": True})
    operation = {
        "method": "PATCH",
        "path": f"/lists/{AUDIENCE}/members/{PAT}",
        "body": json.dumps({"status": "unsubscribed"}),
        "operation_id": "7",
    }
    batch = them.batches.start({"operations": [operation]})
    while batch["status"] != "finished":
        batch = them.batches.status(batch["id"])
    # As a stranger fetches it: without credentials, and past the proxies of the environment.
    packed = build_opener(ProxyHandler({})).open(batch["response_body_url"]).read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        files = [tar.extractfile(each) for each in tar if each.isfile()]
        rows = [row for each in files if each is not None for row in json.load(each)]

    assert (done["total_updated"], done["error_count"]) == (1, 0)
    assert [(each["operation_id"], each["status_code"]) for each in rows] == [("7", 200)]
    assert json.loads(rows[0]["response"])["status"] == "unsubscribed"


def test_whom_the_exporter_told_is_unsubscribed_in_its_eyes(platform: Simulator) -> None:
    """Read past our own client."""
    found = outcomes(opened(platform), ["pat@example.com", "hidden@example.com"])
    lists = client(platform).lists

    assert found == {"pat@example.com": Outcome.SUPPRESSED, "hidden@example.com": Outcome.NOT_MAILABLE}
    assert lists.get_list_member(AUDIENCE, PAT)["status"] == "unsubscribed"
    assert lists.get_list_member(AUDIENCE, subscriber_hashes("hidden@example.com")[0])["status"] == "archived"
