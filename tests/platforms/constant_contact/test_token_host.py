"""A sign-in host that is not the simulator: what it may leave out, spell otherwise, or get wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from suppress.config import SourceSettings
from suppress.errors import SourceFailed
from suppress.platforms.constant_contact.application import Application
from suppress.platforms.constant_contact.grant import Grant
from suppress.platforms.constant_contact.token_host import Denied, TokenHost
from suppress.plugin.errors import CallForbidden, WouldIncreaseReach
from suppress.plugin.guard import Call, permitted
from suppress.plugin.transport import Patience
from tests.plugin.serving import Asked, Says, Serving
from tests.plugin.virtual import NOON, VirtualTime

GRANT = Grant("app", "old", "refresh-s3cret", ("contact_data",), NOON, NOON)
DEVICE = {"device_code": "dev", "user_code": "ABCD", "verification_uri": "https://example.com/activate"}
SLOW_TO_GIVE_UP = Patience(tries=2, throttles=3, jitter=lambda: 0.5)


@dataclass(slots=True)
class Asking:
    """The host, what it was asked, and the time that passed."""

    host: TokenHost
    server: Serving
    time: VirtualTime


@contextmanager
def asking(tmp_path: Path, *says: Says, **options: str) -> Iterator[Asking]:
    """A host that gives these answers in turn, the last one for ever."""
    time = VirtualTime()

    def answer(_: Asked, number: int) -> Says:
        return says[min(number, len(says) - 1)]

    with Serving(answer, monotonic=time.monotonic, pass_=time.pass_) as server:
        given = {"client_id": "app", "auth_url": server.url, **options}
        application = Application.of(SourceSettings("main", "constant-contact", options=given))
        host = TokenHost(application, tmp_path, clock=time.clock, patience=SLOW_TO_GIVE_UP)
        try:
            yield Asking(host, server, time)
        finally:
            host.close()


def form(asked: Asked) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}


def error(code: str, status: int = 400) -> Says:
    return Says(status, json.dumps({"error": code, "error_description": f"about {code}"}).encode())


def test_a_device_may_need_two_more_fields(tmp_path: Path) -> None:
    """The vendor's guide does not say; they are added when the host wants them."""
    with asking(tmp_path, error("invalid_request"), Says.json(DEVICE)) as here:
        device = here.host.device("st8")
        first, second = (form(each) for each in here.server.asked)

    assert {"client_id", "scope"} == set(first)
    assert ("code", "st8") == (second["response_type"], second["state"])
    assert (5, "ABCD", None) == (device.interval, device.user_code, device.complete_url)
    assert timedelta(seconds=600) <= device.until - NOON < timedelta(seconds=610)


@pytest.mark.parametrize(
    ("changed", "interval"),
    [
        *(({"interval": 7}, 7), ({"interval": "9"}, 9), ({"interval": 0}, 5)),
        *(({"interval": "soon"}, 5), ({"interval": True}, 5), ({"interval": 0.2}, 1)),
    ],
)
def test_the_interval_that_is_asked_for_is_kept(
    changed: Mapping[str, object], interval: float, tmp_path: Path
) -> None:
    """Five seconds where none is named; never faster than one."""
    with asking(tmp_path, Says.json({**DEVICE, **changed})) as here:
        assert interval == here.host.device("s").interval


def test_an_older_spelling_of_the_page_is_understood(tmp_path: Path) -> None:
    """`verification_url`, as drafts of RFC 8628 had it; an odd complete address is left out."""
    told = {"device_code": "dev", "user_code": "ABCD", "verification_url": "https://example.com/x"}
    with asking(tmp_path, Says.json(told | {"verification_uri_complete": "javascript:alert(1)"})) as here:
        device = here.host.device("s")

    assert ("https://example.com/x", None) == (device.url, device.complete_url)


@pytest.mark.parametrize(
    "answer",
    [{}, [], {**DEVICE, "user_code": ""}, {**DEVICE, "device_code": 7}, {**DEVICE, "user_code": "A\x1b[2J"}]
    + [
        {**DEVICE, "verification_uri": each}
        for each in ("ftp://example.com", "x", "https://u@h/", "http://[")
    ],
)
def test_a_page_or_code_that_nobody_could_use_is_refused(answer: object, tmp_path: Path) -> None:
    """It is shown to a person, so it may not act on a terminal or lead anywhere odd."""
    with (
        asking(tmp_path, Says.json(answer)) as here,
        pytest.raises(SourceFailed, match="answered, but not with"),
    ):
        here.host.device("s")


def test_a_refresh_sends_the_token_in_the_form_and_nowhere_else(tmp_path: Path) -> None:
    """Not in the address, and for a public application with its key."""
    with asking(tmp_path, Says.json({"access_token": "new"})) as here:
        grant = here.host.refreshed(GRANT)
        (asked,) = here.server.asked

    assert ("new", "refresh-s3cret") == (grant.access_token, grant.refresh_token)
    assert {"grant_type": "refresh_token", "refresh_token": "refresh-s3cret", "client_id": "app"} == form(
        asked
    )
    assert ("POST", "/oauth2/default/v1/token") == (asked.method, asked.target)
    assert "application/x-www-form-urlencoded" == asked.headers["Content-Type"]


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (Says(200, b"<html>"), "answered 200 and not with JSON"),
        (Says(502, b"<html>"), r"answered 502 and not with JSON \(2 tries\)"),
        (
            Says(500, b'{"error_key": "x", "error_message": "down"}'),
            r"answered 500 \(2 tries\); it said: down",
        ),
        (Says(404, b"[]"), "answered 404$"),
        (Says(200, b"[]"), "expected an object with tokens"),
        (Says(200, b'{"access_token": "two words"}'), "expected an access_token"),
        (Says(302, b"", {"Location": "https://evil.example/?token"}), "redirects to evil.example"),
        (Says(429, b"{}"), r"answered 429 \(3 tries\)"),
        (Says(hang_up=True), "cannot reach"),
    ],
    ids=[
        "page",
        "bad-gateway",
        "own-error",
        "list",
        "no-object",
        "no-token",
        "redirect",
        "throttled",
        "gone",
    ],
)
def test_what_is_no_answer_is_a_failure_that_may_pass(says: Says, why: str, tmp_path: Path) -> None:
    """Exit code 5, with the source and the host, and never with the token."""
    with asking(tmp_path, says) as here, pytest.raises(SourceFailed, match=why) as raised:
        here.host.refreshed(GRANT)

    assert "source 'main': " in raised.value.message
    assert "s3cret" not in raised.value.message


@pytest.mark.parametrize("status", [400, 401, 403])
def test_the_words_of_the_standard_are_answers(status: int, tmp_path: Path) -> None:
    """Whatever status they come with."""
    with asking(tmp_path, error("invalid_grant", status)) as here, pytest.raises(Denied) as raised:
        here.host.refreshed(GRANT)

    assert ("invalid_grant", "about invalid_grant (invalid_grant)") == (raised.value.code, raised.value.said)


def test_one_request_a_second_over_all_programs(tmp_path: Path) -> None:
    """The token endpoint answers 429 to more (support staff)."""
    with asking(tmp_path, Says.json({"access_token": "new"})) as here:
        for _ in range(4):
            here.host.refreshed(GRANT)
        times = [each.at for each in here.server.asked]

    assert all(after - before >= 1 for before, after in pairwise(times))


def test_nothing_but_a_form_of_known_fields_may_be_sent_there() -> None:
    """The transport refuses the rest, whoever asks."""
    from suppress.platforms.constant_contact.token_host import _not_a_form

    call = (Call("POST", "/oauth2/default/v1/token", refuses=_not_a_form, repeatable=True),)
    permitted(call, "POST", "/oauth2/default/v1/token", b"grant_type=refresh_token&refresh_token=r")
    for body in ({"grant_type": "x"}, b"email=pat%40example.com"):
        with pytest.raises(WouldIncreaseReach):
            permitted(call, "POST", "/oauth2/default/v1/token", body)
    with pytest.raises(CallForbidden):
        permitted(call, "POST", "/oauth2/default/v1/token?refresh_token=r", b"")
