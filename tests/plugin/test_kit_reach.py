"""The search of what was sent finds what vendors take for a yes, and lets every no pass."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from suppress.plugin.guard import Body, Call
from suppress.plugin.kit.line import Sent
from suppress.plugin.kit.reach import raising, undeclared

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
CSV = {"content-type": "text/csv"}


def sent(body: object = None, method: str = "PUT", target: str = "/v1/people/7") -> Sent:
    return Sent(method, target, JSON, b"" if body is None else json.dumps(body).encode(), 0.0)


@pytest.mark.parametrize(
    "body",
    [
        {"status": "subscribed"},
        {"status_if_new": "pending"},
        {"members": [{"status": "unsubscribed"}, {"status": "Subscribed"}]},
        {"statusState": "SUBSCRIBED"},
        {"HasOptedOutOfEmail": False},
        {"HasOptedOutOfEmail": "false"},
        {"contact": {"do_not_mail": 0}},
        {"archived": False},
        {"email_opt_in": True},
        {"operation": "re-subscribe"},
        {"operations": [{"method": "PATCH", "body": '{"status": "subscribed"}'}]},
        ["subscribed"],
    ],
)
def test_a_value_that_says_yes_is_found(body: object) -> None:
    """Deep down, in a list, in other letters, or as text in a batch of calls."""
    (found,) = raising([sent(body)])

    assert found.startswith("PUT /v1/people/7: ")


@pytest.mark.parametrize(
    "body",
    [
        {"status": "unsubscribed", "status_if_new": "unsubscribed", "email_address": "a@example.com"},
        {"statusState": "UNSUBSCRIBED", "channel": "EMAIL"},
        {"HasOptedOutOfEmail": True, "archived": True},
        {"emails": ["subscribed@example.com"]},
        {"opt_in": False, "subscribed": False},
        {"state": "UploadComplete", "note": "{no json"},
        {"update_existing": True, "sync_tags": None},
        None,
    ],
)
def test_a_value_that_says_no_is_let_pass(body: object) -> None:
    """What the platforms' own opt-out calls carry."""
    assert [] == list(raising([sent(body)]))


def test_every_kind_of_body_is_read() -> None:
    """Forms, CSV with a header, and lines of JSON; a body that is none of these has no fields."""
    form = Sent("POST", "/x", FORM, urlencode({"email": "a@example.com", "status": "subscribed"}).encode(), 0)
    csv = Sent("PUT", "/x", CSV, b"Id,HasOptedOutOfEmail\n003,true\n004,false\n", 0)
    lines = Sent("POST", "/x", JSON, b'{"status": "unsubscribed"}\n{"status": "subscribed"}\n', 0)
    picture = Sent("POST", "/x", {"content-type": "image/png"}, b"\x89PNG subscribed", 0)

    assert ["POST /x: status says 'subscribed'"] == list(raising([form]))
    assert ["PUT /x: HasOptedOutOfEmail is 'false'"] == list(raising([csv]))
    assert ["POST /x: status says 'subscribed'"] == list(raising([lines]))
    assert [] == list(raising([picture]))


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("DELETE", "/v1/suppressions/7"),
        ("POST", "/v1/people/7/actions/re-subscribe"),
        ("POST", "/v1/people?resubscribe=true"),
    ],
)
def test_a_call_that_says_yes_by_itself_is_found(method: str, target: str) -> None:
    """By its method, its path, or its query."""
    assert 1 == len(list(raising([sent(method=method, target=target)])))


def test_what_is_said_of_a_call_names_nobody() -> None:
    """A test's output ends up in logs, too."""
    (found,) = raising([sent(method="DELETE", target="/v1/people/pat%40example.com/" + "k" * 40)])

    assert found.startswith("DELETE /v1/people/…/…: ")


def _only(body: Body) -> str | None:
    return None if body == {"status": "unsubscribed"} or body == b"a@example.com" else "something else"


@pytest.mark.parametrize(
    ("each", "words"),
    [
        (sent({"status": "unsubscribed"}), ""),
        (sent(method="GET"), ""),
        (Sent("PUT", "/v1/people/7", {"content-type": "text/csv"}, b"a@example.com", 0), ""),
        (Sent("PUT", "/v1/people/7", JSON, b"no json", 0), "it tried to send something else"),
        (sent({"status": "subscribed"}), "it tried to send something else"),
        (sent(method="POST"), "it tried POST on a path that it never declared"),
        (sent({"status": "unsubscribed"}, target="/v1/people/7?notify=1"), "a query that it never declared"),
    ],
)
def test_the_plugins_own_list_is_held_against_what_was_sent(each: Sent, words: str) -> None:
    """Also of an exporter that goes around its transport."""
    calls = (Call("GET", "/v1/people/7"), Call("PUT", "/v1/people/7", refuses=_only))
    found = list(undeclared(calls, [each]))

    assert bool(words) == bool(found)
    assert words in "".join(found)
