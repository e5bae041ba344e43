"""Nothing that could make somebody mailable, or that widens the target, passes the guard."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from mailchimp_platform import AUDIENCE, account, numbered, opened, outcomes, settings
from suppress_mailchimp.calls import PATCH_TEXT, calls
from suppress_mailchimp.settings import Options
from suppress_mailchimp.simulator import People

from suppress.core.suppression import Json
from suppress.plugin.contract import Outcome
from suppress.plugin.errors import CallForbidden, WouldIncreaseReach
from suppress.plugin.guard import permitted
from suppress.plugin.lanes import Lanes
from suppress.plugin.transport import Transport

HASH = "0cba00ca3da1b283a57287bcceb17e35"
MEMBER = f"/3.0/lists/{AUDIENCE}/members/{HASH}"
LIST = f"/3.0/lists/{AUDIENCE}"


def operation(**more: Json) -> dict[str, Json]:
    whole: dict[str, Json] = {
        "method": "PATCH",
        "path": f"/lists/{AUDIENCE}/members/{HASH}",
        "params": {"skip_merge_validation": "true"},
        "body": PATCH_TEXT,
        "operation_id": "0",
    }
    return {**whole, **more}


def tried(method: str, target: str, body: Json = None, **more: Json) -> None:
    permitted(calls(Options.of(settings("http://127.0.0.1:1", **more))), method, target, body)


@pytest.mark.parametrize(
    "status", ["subscribed", "pending", "transactional", "cleaned", "archived", "", None]
)
def test_no_status_but_unsubscribed_is_sent(status: Json) -> None:
    """By any of the four ways to write a member."""
    both = {"email_address": "a@example.com", "status": status, "status_if_new": status}
    one = {"email_address": "a@example.com", "status": status}
    tries: list[tuple[str, str, Json]] = [
        ("PATCH", MEMBER, {"status": status}),
        ("PUT", MEMBER, both),
        ("PUT", MEMBER, {**both, "status": "unsubscribed"}),
        ("PUT", MEMBER, {**both, "status_if_new": "unsubscribed"}),
        ("POST", LIST, {"members": [one], "update_existing": True}),
        ("POST", "/3.0/batches", {"operations": [operation(body=json.dumps({"status": status}))]}),
    ]
    for method, target, body in tries:
        with pytest.raises(WouldIncreaseReach):
            tried(method, target, body, unknown="create_suppressed")


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("DELETE", MEMBER),
        ("POST", f"{MEMBER}/actions/delete-permanent"),
        ("POST", f"{LIST}/members"),
        ("PUT", MEMBER),
        ("DELETE", LIST),
        ("DELETE", "/3.0/batches/abc"),
        ("POST", f"{MEMBER}/tags"),
        ("PATCH", LIST),
        ("POST", "/3.0/lists"),
        ("PATCH", f"/3.0/lists/f6e7d8c9b0/members/{HASH}"),
        ("POST", "/3.0/lists/f6e7d8c9b0"),
        ("PATCH", f"/3.0/lists/{AUDIENCE}/members/jane.doe@example.com"),
        ("POST", f"{LIST}/webhooks"),
    ],
)
def test_calls_that_are_not_declared_never_leave(method: str, target: str) -> None:
    """Permanent deletion, archiving, creating, other audiences, addresses in a path."""
    with pytest.raises(CallForbidden):
        tried(method, target, {"status": "unsubscribed"})


def test_archiving_is_only_for_strict_destinations_and_creating_for_those_that_say_so() -> None:
    """The list of calls is made from the settings."""
    whole = {"email_address": "a@example.com", "status": "unsubscribed", "status_if_new": "unsubscribed"}

    tried("DELETE", MEMBER, archived="strict")
    tried("PUT", f"{MEMBER}?skip_merge_validation=true", whole, unknown="create_suppressed")
    with pytest.raises(CallForbidden):
        tried("DELETE", MEMBER, unknown="create_suppressed")
    with pytest.raises(CallForbidden):
        tried("PUT", MEMBER, whole, archived="strict")


def test_every_audience_may_be_written_where_all_are_configured() -> None:
    """And nothing else changes."""
    tried("PATCH", f"/3.0/lists/f6e7d8c9b0/members/{HASH}", {"status": "unsubscribed"}, audience="all")
    with pytest.raises(CallForbidden):
        tried("PATCH", f"/3.0/lists/a-b/members/{HASH}", {"status": "unsubscribed"}, audience="all")


@pytest.mark.parametrize(
    "body",
    [
        {"status": "unsubscribed", "email_address": "other@example.com"},
        {"status": "unsubscribed", "merge_fields": {}},
        {"status": "unsubscribed", "tags": ["x"]},
        {},
        [],
        "unsubscribed",
    ],
)
def test_a_patch_says_unsubscribed_and_nothing_else(body: Json) -> None:
    """No merge field, tag, or new address goes along."""
    with pytest.raises(WouldIncreaseReach):
        tried("PATCH", MEMBER, body)


@pytest.mark.parametrize(
    "body",
    [
        {"members": [], "update_existing": True},
        {"members": [{"email_address": "a@example.com", "status": "unsubscribed"}]},
        {"members": [{"email_address": "a@example.com", "status": "unsubscribed"}], "update_existing": False},
        {"members": [{"email_address": "a@example.com", "status": "unsubscribed"}], "update_existing": 1},
        {
            "members": [{"email_address": "a@example.com", "status": "unsubscribed"}],
            "update_existing": True,
            "sync_tags": True,
        },
        {"members": [{"status": "unsubscribed"}], "update_existing": True},
        {"members": ["a@example.com"], "update_existing": True},
        {"members": "a@example.com", "update_existing": True},
        {
            "members": [{"email_address": f"{n}@example.com", "status": "unsubscribed"} for n in range(501)],
            "update_existing": True,
        },
        [],
    ],
)
def test_a_list_call_is_exact(body: Json) -> None:
    """Without update_existing it would change nobody who is there; with sync_tags it would change tags."""
    with pytest.raises(WouldIncreaseReach):
        tried("POST", LIST, body)


@pytest.mark.parametrize(
    "operations",
    [
        [],
        "PATCH",
        [operation(method="PUT")],
        [operation(method="DELETE")],
        [operation(path=f"/lists/f6e7d8c9b0/members/{HASH}")],
        [operation(path=f"/lists/{AUDIENCE}/members/{HASH}/actions/delete-permanent")],
        [operation(path=7)],
        [operation(params={})],
        [operation(operation_id=7)],
        [operation(more="x")],
        ["PATCH"],
        [operation(body='{"status": "unsubscribed", "status": "subscribed"}')],
        [operation(body={"status": "unsubscribed"})],
        [operation()] * 501,
        [operation(), operation(method="POST")],
    ],
)
def test_an_operation_of_a_batch_is_held_to_what_the_call_would_be(operations: Json) -> None:
    """One bad operation among good ones stops the whole batch."""
    with pytest.raises(WouldIncreaseReach):
        tried("POST", "/3.0/batches", {"operations": operations})


def test_a_batch_of_anything_but_operations_is_refused() -> None:
    """A webhook or a name beside them is nothing that this plugin sends."""
    bodies: list[Json] = [{"operations": [operation()], "more": 1}, [operation()]]
    for body in bodies:
        with pytest.raises(WouldIncreaseReach):
            tried("POST", "/3.0/batches", body)


def test_a_put_without_an_address_is_refused() -> None:
    """Whom it would create nobody could say."""
    bodies: list[Json] = [{"status": "unsubscribed", "status_if_new": "unsubscribed"}, []]
    for body in bodies:
        with pytest.raises(WouldIncreaseReach):
            tried("PUT", MEMBER, body, unknown="create_suppressed")


TEXTS = st.text(max_size=12)
KEYS = TEXTS | st.sampled_from(["status", "members", "email_address", "update_existing"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS | st.sampled_from(["unsubscribed", "subscribed"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


@given(JSON)
@hypothesis_settings(max_examples=150, deadline=None)
def test_whatever_passes_unsubscribes_and_does_nothing_else(body: Json) -> None:
    """Of all values that could be sent, only those pass that say unsubscribed for everybody in them."""
    for method, target in (("PATCH", MEMBER), ("POST", LIST), ("POST", "/3.0/batches")):
        try:
            tried(method, target, body)
        except WouldIncreaseReach:
            continue
        # Only reached with a body (None is no body, and changes nothing).
        assert body is None or '"subscribed"' not in json.dumps(body)
        assert body is None or "unsubscribed" in json.dumps(body)


def test_a_forbidden_call_raises_before_anything_is_sent() -> None:
    """The platform never hears of it."""
    with account(People(AUDIENCE, people=1)) as platform:
        options = Options.of(settings(platform.url))
        transport = Transport.writing(
            platform.url, calls=calls(options), pace=Lanes(at_once=1, whose="Mailchimp")
        )
        with pytest.raises(WouldIncreaseReach):
            transport.send("PATCH", MEMBER, body={"status": "subscribed"})
        transport.close()

        assert platform.requests == 0


@pytest.mark.parametrize("method", ["patch", "list", "batches"])
def test_no_byte_of_a_whole_run_could_raise_reach(method: str) -> None:
    """All bodies that an account received, searched for every word that would make somebody mailable."""
    people = People(AUDIENCE, people=60, archived=("hidden@example.com",), cleaned=("bounced@example.com",))
    with account(people) as platform:
        exporter = opened(platform, method=method)
        found = outcomes(exporter, [*numbered(60), "hidden@example.com", "nobody@example.com"])
        list(exporter.read_back(numbered(60)))
        exporter.close()
        sent = [each.request for each in platform.exchanges]

    assert set(found.values()) == {Outcome.SUPPRESSED, Outcome.NOT_MAILABLE, Outcome.SKIPPED_UNKNOWN}
    for each in sent:
        text = each.body.decode().replace("unsubscribed", "")
        assert not any(
            word in text for word in ("subscribed", "pending", "transactional", "sync_tags", "vip")
        )
        assert "@" not in each.path, "an address in a path ends up in logs"
        assert "delete-permanent" not in each.path + text
        assert each.method != "DELETE"
