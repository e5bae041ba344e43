"""The guard: what a plugin never declared, and what would make somebody mailable, is never sent."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from suppress.config.values import is_loopback
from suppress.errors import ConfigWrong
from suppress.plugin.errors import CallForbidden, WouldIncreaseReach
from suppress.plugin.guard import Body, Call, checked_origin, checked_url, permitted, reads


def refuses(body: Body) -> str | None:
    return None if body == {"status": "unsubscribed"} else "a status other than unsubscribed"


READ = reads(r"/v3/contacts")
WRITE = (
    Call("PUT", r"/v1/people/[0-9a-f]+", refuses=refuses, query=frozenset({"quiet"}), repeatable=True),
    Call("DELETE", r"/v1/people/[0-9a-f]+/consent"),
    Call("POST", r"/v1/unchecked"),
)


def test_a_source_may_get_its_paths() -> None:
    """With any query."""
    assert "GET" == permitted(READ, "GET", "/v3/contacts?status=all&cursor=a/b").method


@settings(deadline=None)
@given(st.sampled_from(["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", "HEAD", "GET "]) | st.text())
def test_a_source_may_do_nothing_but_get(method: str) -> None:
    """Whatever the method is called."""
    if method == "GET":
        return

    with pytest.raises(CallForbidden, match="never declared"):
        permitted(READ, method, "/v3/contacts")


def test_a_source_may_not_hide_a_write_in_a_body() -> None:
    """Some servers read the body of a GET."""
    with pytest.raises(CallForbidden, match="GET with a body"):
        permitted(READ, "GET", "/v3/contacts", {"method": "DELETE"})


@settings(deadline=None)
@given(st.text(max_size=60))
@example("/v3/contacts/../account")
@example("/v3/contacts/%2e%2e/account")
@example("/v3%2fcontacts")
@example("//evil.example/v3/contacts")
@example("/v3/contacts\r\nX: y")
@example("/v3/contacts#")
@example("https://evil.example/v3/contacts")
@example("\\\\evil.example\\v3\\contacts")
@example("@evil.example/v3/contacts")
@example("/v3/contacts?a=b#c")
@example("/v3/contactsX")
@example("")
def test_no_path_leads_elsewhere(target: str) -> None:
    """Only the declared path passes, as it goes on the wire."""
    try:
        permitted(READ, "GET", target)
    except CallForbidden:
        return

    assert target.partition("?")[0] == "/v3/contacts"
    assert target.isascii() and target.isprintable()


def test_a_declared_write_passes() -> None:
    """With its query and a body that only suppresses."""
    body: Body = {"status": "unsubscribed"}

    assert permitted(WRITE, "PUT", "/v1/people/0af3?quiet=1", body).repeatable


@pytest.mark.parametrize(
    "body", [{"status": "subscribed"}, {"status": "unsubscribed", "status_if_new": "subscribed"}, [], b"x"]
)
def test_a_value_that_subscribes_is_refused(body: Body) -> None:
    """The check of the body decides, and the value is not repeated."""
    with pytest.raises(WouldIncreaseReach) as raised:
        permitted(WRITE, "PUT", "/v1/people/0af3", body)

    assert "a plugin tried to send a status other than unsubscribed; nothing was sent" == str(raised.value)


def test_a_body_that_nothing_checks_is_refused() -> None:
    """Forgetting the check must not subscribe anybody."""
    with pytest.raises(CallForbidden, match="a body that nothing checks"):
        permitted(WRITE, "POST", "/v1/unchecked", {"status": "subscribed"})


def test_a_write_without_a_body_needs_no_check() -> None:
    """There is nothing in it."""
    assert "DELETE" == permitted(WRITE, "DELETE", "/v1/people/0af3/consent").method


@pytest.mark.parametrize("query", ["resubscribe=true", "quiet=1&resubscribe=", "%71uiet2=1"])
def test_a_write_may_not_bring_a_query_that_it_never_declared(query: str) -> None:
    """A parameter can subscribe as well as a body."""
    with pytest.raises(CallForbidden, match="a query that it never declared"):
        permitted(WRITE, "DELETE", f"/v1/people/0af3/consent?{query}")


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://api.cc.email/v3/", "https://api.cc.email/v3"),
        ("https://api.cc.email", "https://api.cc.email"),
        ("https://proxy.example.com:8443/cc/v3", "https://proxy.example.com:8443/cc/v3"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:80/", "http://localhost:80"),
        ("http://[::1]:80/v3", "http://[::1]:80/v3"),
        ("HTTPS://api.cc.email", "https://api.cc.email"),
    ],
)
def test_https_and_this_machine_may_be_talked_to(url: str, clean: str) -> None:
    """A trailing slash is dropped."""
    assert clean == checked_url(url, setting="sources.main.api_url")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://api.cc.email", "must begin with https://"),
        ("http://127.0.0.1.example.com", "must begin with https://"),
        ("http://localhost.example.com", "must begin with https://"),
        ("ftp://api.cc.email", "must begin with https://"),
        ("api.cc.email", "must begin with https://"),
        ("", "must begin with https://"),
        ("https://", "write https://host/path"),
        ("https://pat:secret@api.cc.email", "may not hold a user name or password"),
        ("https://api.cc.email?key=secret", "may not hold a query"),
        ("https://api.cc.email#secret", "may not hold a query or a fragment"),
        ("https://api.cc.email:port", "is no URL"),
        ("https://[::1", "is no URL"),
        ("https://api.cc.email/../x", "write https://host/path"),
        ("https://api.cc email", "write https://host/path"),
        ("https://api.cc.email/a b", "write https://host/path"),
        ("https://bücher.example", "write https://host/path"),
    ],
)
def test_any_other_url_is_refused(url: str, why: str) -> None:
    """The setting is named, the URL is not repeated: it may hold a password."""
    with pytest.raises(ConfigWrong) as raised:
        checked_url(url, setting="sources.main.api_url")

    assert str(raised.value).startswith("sources.main.api_url ")
    assert why in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("host", "local"), [("::1", True), ("10.0.0.1", False), ("localhost", True), ("", False)]
)
def test_loopback_is_this_machine_only(host: str, local: bool) -> None:
    """A private network is not this machine."""
    assert local is is_loopback(host)


def test_an_origin_is_in_small_letters_and_its_path_as_it_is_written() -> None:
    """One host has one limit, however somebody writes it."""
    origin, path = checked_origin("HTTPS://Proxy.Example.com:8443/CC/v3/", setting="sources.main.api_url")

    assert origin == "https://proxy.example.com:8443"
    assert path == "/CC/v3"
