"""What each answer means: good ones are read, bad ones end in one clear line without anybody's address."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from suppress.config import SourceSettings
from suppress.errors import QuotaExhausted, SignInNeeded, SourceFailed
from suppress.platforms.constant_contact import ConstantContact
from suppress.platforms.constant_contact.simulator import (
    Fault,
    FaultKind,
    People,
    Scenario,
    SignIn,
    large_scenario,
)
from suppress.plugin.contract import Census
from tests.platforms.constant_contact.accounts import (
    CALM,
    Bare,
    Pulled,
    account,
    person,
    pulled,
    serving,
    window,
)
from tests.plugin.serving import Asked, Says
from tests.plugin.virtual import VirtualTime

ERROR = {"error_key": "contacts.api.validation.error", "error_message": "status pat@example.com\n is wrong"}


def always(says: Says) -> Callable[[Asked, int], Says]:
    return lambda _asked, _number: says


def then_good(*answers: Says) -> Callable[[Asked, int], Says]:
    """These, and then an account with one opt-out."""
    good = Bare([person(1, "unsubscribed")])
    return lambda asked, number: answers[number] if number < len(answers) else good(asked, number)


def failure(answers: Callable[[Asked, int], Says], state: Path) -> tuple[str, int]:
    """The message of a run that fails, with the host made constant, and the number of requests."""
    with serving(answers, state) as (server, source):
        with pytest.raises(SourceFailed) as raised:
            pulled(source, window())

        return str(raised.value).replace(server.host, "HOST"), len(server.asked)


# --- Asked again ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        Says.json(ERROR, 500),
        Says.html(503),
        Says.html(200),
        Says(status=200, body=b'{"contacts": ['),
        Says(status=200, body=b""),
        Says(status=200, body=b"\xff\xfe\x00"),
        Says.json({"contacts": [], "status": "processing"}, 202),
        Says(hang_up=True),
        Says(body=b'{"contacts": []}', cut=5),
        Says.json({"error_key": "throttled", "error_message": "Too Many Requests"}, 429),
        Says(status=429, body=b"slow down"),
        Says.json([{"error_key": "something.new"}], 429),
        Says.json({"error_key": "mashery.not.authorized.over.qps"}, 403),
        Says(status=403, headers={"X-Mashery-Error-Code": "mashery.not.authorized.over.ratelimit"}),
    ],
    ids=[
        "500",
        "html 503",
        "html 200",
        "half json",
        "nothing",
        "garbage",
        "202",
        "hang up",
        "cut",
        "throttled",
        "unreadable 429",
        "unknown 429",
        "old throttle",
        "old throttle in a header",
    ],
)
def test_what_may_pass_is_asked_again(bad: Says, tmp_path: Path) -> None:
    """Five times in a row, and the run is as good as any."""
    with serving(then_good(*[bad] * 5), tmp_path) as (_, source):
        found = pulled(source, window())

    assert {"p1@example.com"} == found.opted_out
    assert 5 + 2 == found.done.requests


# --- Given up ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("says", "message", "requests"),
    [
        (Says.html(200), "answered with a web page instead of JSON (6 tries)", 6),
        (Says(status=200, body=b" "), "answered with nothing instead of JSON (6 tries)", 6),
        (Says(status=200, body=b"oops"), "answered with something unreadable instead of JSON (6 tries)", 6),
        (Says.html(502), "answered 502 with a web page (6 tries)", 6),
        (Says(status=503), "answered 503 with JSON (6 tries)", 6),
        (
            Says.json([ERROR], 500),
            "answered 500 (6 tries); it said: status [address] is wrong (contacts.api.validation.error)",
            6,
        ),
        (
            Says.json(ERROR, 400),
            "answered 400; it said: status [address] is wrong (contacts.api.validation.error)",
            1,
        ),
        (
            Says.json({"error_key": "contacts.api.not_found"}, 404),
            "answered 404; it said: contacts.api.not_found",
            1,
        ),
        (Says.json({"error_message": "Gone"}, 410), "answered 410; it said: Gone", 1),
        (Says(status=405, body=b""), "answered 405 with nothing", 1),
        (
            Says.json({"error_message": "e" * 4_000}, 400),
            "answered 400; it said: […]",
            1,
        ),
        (
            Says.json({"error_message": "so many words " * 400}, 400),
            f"answered 400; it said: {('so many words ' * 20)[:199]}…",
            1,
        ),
        (
            Says.json([]),
            "answered, but not as its contract says: expected an object with contacts, found a list",
            1,
        ),
        (
            Says.json({"error_key": "oops"}),
            "answered, but not as its contract says: expected a list of contacts, found none; it said: oops",
            1,
        ),
        (
            Says.json({"contacts": [], "_links": {"next": {"href": "https://evil.example/v3/contacts"}}}),
            "answered, but not as its contract says: "
            "the next page lies outside /v3/contacts (at evil.example)",
            1,
        ),
        (
            Says.json({"contacts": [], "_links": {"next": {"href": "/v3/account/pat@example.com"}}}),
            "answered, but not as its contract says: the next page lies outside /v3/contacts",
            1,
        ),
        (
            Says.json({"contacts": [], "_links": {"next": {"href": "/v3/contacts?cursor=x"}}}),
            "answered, but not as its contract says: the pages lead in a circle",
            2,
        ),
        (
            Says.json({"error_key": "throttled"}, 429, **{"Retry-After": "3600"}),
            "answered 'too many requests', although no more than 4 a second were sent: another program may "
            "be using the same API key; it asks to wait (3600); it said: throttled",
            1,
        ),
    ],
)
def test_what_does_not_pass_is_one_clear_line(
    says: Says, message: str, requests: int, tmp_path: Path
) -> None:
    """With source, host, the vendor's words, and how often it was tried."""
    assert (f"source 'main': HOST {message}", requests) == failure(always(says), tmp_path)


def test_pages_without_end_end(tmp_path: Path) -> None:
    """A new cursor each time, and never a new contact."""

    def answers(_asked: Asked, number: int) -> Says:
        next_ = {"href": f"/v3/contacts?cursor={number}"}
        return Says.json({"contacts": [person(1)], "_links": {"next": next_}})

    message, requests = failure(answers, tmp_path)

    assert "100 pages in a row showed no contact that was not there before" in message
    assert 101 == requests


def test_throttles_without_end_end(tmp_path: Path) -> None:
    """With what may be the cause."""
    message, requests = failure(always(Says.json({"error_key": "throttled"}, 429)), tmp_path)

    assert "answered 'too many requests' (30 tries)" in message
    assert 30 == requests


def test_a_host_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    """With the cause."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"api_url": f"http://127.0.0.1:{port}"}
    given = SourceSettings("main", "constant-contact", access_token="tok", options=options)
    time = VirtualTime()
    source = ConstantContact(given, tmp_path, now=time.now, clock=time.clock, patience=CALM)

    with pytest.raises(SourceFailed, match=f"cannot reach 127.0.0.1:{port}: Connection refused"):
        pulled(source, Census())
    source.close()


def test_what_was_read_before_a_failure_was_yielded(tmp_path: Path) -> None:
    """Two pages of three are in the ledger when the third fails for good."""
    scenario = Scenario(
        people=People(unsubscribed=1_200), faults=(Fault(FaultKind.ERROR, page=3, times=6, status=500),)
    )
    with account(scenario, tmp_path) as cc:
        into = Pulled()
        source = cc.source()
        with pytest.raises(SourceFailed):
            pulled(source, Census(), into)
        source.close()

    assert (1_000, None) == (len(into.opted_out), into.summary)


def test_only_contacts_are_asked_for(tmp_path: Path) -> None:
    """By GET, also behind a proxy with a path of its own."""
    with serving(always(Says.json({"contacts": []})), tmp_path, prefix="/cc/v3/") as (server, source):
        pulled(source, Census())

    assert {("GET", "/cc/v3/contacts")} == {
        (asked.method, asked.target.partition("?")[0]) for asked in server.asked
    }


# --- Sign-in ----------------------------------------------------------------------------------------------


def test_without_a_token_nothing_is_asked(tmp_path: Path) -> None:
    """Exit 4, with both ways to give one."""
    with serving(always(Says.json({"contacts": []})), tmp_path, access_token=None) as (server, source):
        with pytest.raises(SignInNeeded) as raised:
            pulled(source, Census())

        assert [] == server.asked
    assert 4 == raised.value.exit_code
    assert "SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN" in str(raised.value.remedy)
    assert "access_token_file" in str(raised.value.remedy)


def test_a_refused_token_is_not_tried_twice(tmp_path: Path) -> None:
    """A variable does not change while the program runs. The token is not shown."""
    says = Says.json({"error_key": "unauthorized", "error_message": "Unauthorized"}, 401)
    with serving(always(says), tmp_path) as (server, source):
        with pytest.raises(SignInNeeded) as raised:
            pulled(source, Census())

        assert 1 == len(server.asked)
        assert (
            f"source 'main' cannot sign in to Constant Contact: {server.host} refused the access token in "
            "SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN; it said: Unauthorized (unauthorized)"
        ) == str(raised.value)


def test_a_token_that_was_rotated_meanwhile_is_read_anew(tmp_path: Path) -> None:
    """By an outside refresher, in the middle of a walk."""
    file = tmp_path / "main.token"
    file.write_text("stale")
    file.chmod(0o600)

    with account(
        Scenario(people=People(unsubscribed=3), sign_in=SignIn(access_token="fresh")), tmp_path
    ) as cc:
        source = cc.source(token_file=file)
        with pytest.raises(SignInNeeded, match=r"refused the access token in the file .*main\.token"):
            pulled(source, Census())
        file.write_text("fresh")
        found = pulled(source, Census())
        source.close()

    assert 3 == len(found.opted_out)


def test_a_token_that_expires_at_page_two_does_not_lose_the_walk(tmp_path: Path) -> None:
    """The same page is asked for with the new token."""
    file = tmp_path / "main.token"
    file.write_text("one")
    file.chmod(0o600)
    good = Bare([person(number, "unsubscribed") for number in range(700)])

    def answers(asked: Asked, number: int) -> Says:
        if number == 1:
            file.write_text("two")
        if number >= 1 and asked.headers["Authorization"] != "Bearer two":
            return Says.json({"error_key": "unauthorized"}, 401)
        return good(asked, number)

    with serving(answers, tmp_path, access_token=None, access_token_file=file) as (server, source):
        found = pulled(source, window())

        assert server.asked[1].target == server.asked[2].target
    assert (700, True) == (len(found.opted_out), found.done.complete)


def test_a_new_token_that_is_refused_too_ends_the_run(tmp_path: Path) -> None:
    """One retry, not a loop."""
    file = tmp_path / "main.token"
    file.write_text("0")
    file.chmod(0o600)

    def answers(_asked: Asked, number: int) -> Says:
        file.write_text(str(number + 1))
        return Says.json({"error_key": "unauthorized"}, 401)

    with serving(answers, tmp_path, access_token=None, access_token_file=file) as (server, source):
        with pytest.raises(SignInNeeded):
            pulled(source, Census())

        assert 2 == len(server.asked)


def test_a_forbidden_account_names_all_three_causes(tmp_path: Path) -> None:
    """Scope, privilege and a deactivated app all give the same 403."""
    says = Says.json([{"error_key": "forbidden", "error_message": "No"}], 403)
    message, requests = failure(always(says), tmp_path)

    assert 1 == requests
    for cause in ("contact_data", "contacts:read", "switched off", "No (forbidden)"):
        assert cause in message


# --- The day's requests -----------------------------------------------------------------------------------


def test_a_used_up_day_stops_at_once_and_until_midnight(tmp_path: Path) -> None:
    """The vendor's word holds for the next start of the program too; after 00:00 UTC it goes on."""
    scenario = Scenario(people=People(unsubscribed=600), faults=(Fault(FaultKind.QUOTA_EXCEEDED, page=2),))
    with account(scenario, tmp_path) as cc:
        with pytest.raises(QuotaExhausted) as raised:
            cc.census()
        asked = len(cc.simulator.requests)
        with pytest.raises(QuotaExhausted, match="said earlier today"):
            cc.census()

        assert asked == len(cc.simulator.requests) == 2
        assert "Constant Contact says that the day's requests are used up" in str(raised.value)
        assert "2026-11-24 00:00 UTC" in str(raised.value)
        cc.simulator.advance(12 * 3600)
        assert cc.simulator.truth() == cc.census().opted_out


def test_the_own_budget_is_kept_over_restarts(tmp_path: Path) -> None:
    """Three starts of the program share ten requests, and an eleventh is never sent."""
    with account(large_scenario(1_200), tmp_path, daily_budget=10) as cc:
        cc.census()
        cc.census()
        with pytest.raises(QuotaExhausted, match="allows 10 requests a day"):
            cc.first_window()

        assert 10 == len(cc.simulator.requests)


def test_two_applications_have_two_budgets(tmp_path: Path) -> None:
    """The limit belongs to the API key."""
    with account(Scenario(), tmp_path, daily_budget=3) as one:
        one.census()
        other = type(one)(one.simulator, tmp_path, {"daily_budget": 3, "client_id": "other"})

        assert other.census().done.complete


def test_the_state_holds_no_secret(tmp_path: Path) -> None:
    """Neither token nor address nor key."""
    with account(Scenario(people=People(unsubscribed=5)), tmp_path) as cc:
        cc.census()
        addresses = cc.simulator.truth()
        token = cc.simulator.token

    written = b"".join(path.read_bytes() for path in tmp_path.iterdir()).decode()
    assert token not in written
    assert not any(address in written for address in addresses)
