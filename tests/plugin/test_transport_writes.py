"""Writes through the transport: nothing leaves that is not on the list, and what was lost is repeated only
where twice is as once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import AF_INET6
from typing import Any

import httpx2
import pytest

from suppress.core.suppression import Json
from suppress.errors import QuotaExhausted, SuppressError
from suppress.plugin import transport as module
from suppress.plugin.errors import CallForbidden, Transient, WouldIncreaseReach
from suppress.plugin.guard import Body, Call
from suppress.plugin.lanes import Lanes
from suppress.plugin.loopback import Loopback, Request, Response, answer, page
from suppress.plugin.transport import Patience, Reply, Retry, Transport, usual
from suppress.plugin.workers import concurrently
from tests.plugin.virtual import NOON, VirtualTime

OPT_OUT: Json = {"status": "unsubscribed"}
SECRET = "Bearer tok-4f9a-secret"


def refuses(body: Body) -> str | None:
    return None if body == OPT_OUT else "a status other than unsubscribed"


PUT = Call("PUT", r"/v1/members/[0-9a-f]+", refuses=refuses, query=frozenset({"fields"}), repeatable=True)
POST = Call("POST", r"/v1/batches", refuses=refuses)
DELETE = Call("DELETE", r"/v1/batches/[0-9]+", repeatable=True)


class Platform:
    """Answers from a list, then 200; counts what took effect."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        return self.answers.pop(0) if self.answers else answer(200, {"done": True})


def transport(url: str, time: VirtualTime, **options: Any) -> Transport:
    lanes = options.pop("pace", None) or Lanes(at_once=4, whose="Acme", clock=time.clock)
    patience = Patience(jitter=lambda: 0.0)
    calls = (PUT, POST, DELETE, Call("GET", r"/v1/members"))
    return Transport.writing(url, calls=calls, pace=lanes, clock=time.clock, patience=patience, **options)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform that says nothing is given up soon."""
    monkeypatch.setattr(module, "_TIMEOUT", httpx2.Timeout(0.3))


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("PUT", "/v1/members/ab", {"status": "subscribed"}),
        ("PUT", "/v1/members/ab", {"status": "unsubscribed", "status_if_new": "subscribed"}),
        ("PUT", "/v1/members/ab", {}),
        ("PUT", "/v1/members/ab", b'{"status": "unsubscribed"}'),
        ("PUT", "/v1/members/ab?skip_merge_validation=true", OPT_OUT),
        ("PUT", "/v1/members/../lists/ab", OPT_OUT),
        ("PUT", "/v1/members/ab%2f..%2fcd", OPT_OUT),
        ("PUT", "//evil.example/v1/members/ab", OPT_OUT),
        ("PUT", "http://evil.example/v1/members/ab", OPT_OUT),
        ("PUT", "/v1/members/ab#x", OPT_OUT),
        ("PUT", "/v1/members/ab\r\nX: y", OPT_OUT),
        ("put", "/v1/members/ab", OPT_OUT),
        ("POST", "/v1/members/ab", OPT_OUT),
        ("DELETE", "/v1/members/ab", None),
        ("DELETE", "/v1/batches/7", {"any": "body"}),
        ("GET", "/v1/members", OPT_OUT),
        ("GET", "/v1/members/ab", None),
        ("PATCH", "/v1/members/ab", OPT_OUT),
    ],
)
def test_what_is_not_on_the_list_never_leaves(method: str, target: str, body: Body) -> None:
    """Not a byte of it: no connection is opened, and no token goes anywhere."""
    platform = Platform()
    with Loopback(platform) as server:
        sender = transport(server.url, VirtualTime())
        with pytest.raises((CallForbidden, WouldIncreaseReach)):
            sender.send(method, target, authorization=SECRET, body=body)
        sender.close()

    assert ([], 0) == (platform.asked, sender.requests)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "fault",
    [
        answer(200, {"done": True}),
        Response(200, b'{"done": true}', reset=True),
        Response(200, b'{"done": true}', cut=4),
    ],
    ids=["time-out", "reset", "cut"],
)
def test_an_answer_that_is_lost_after_the_write_took_effect(fault: Response) -> None:
    """Set again what is set: repeated where twice is as once, and said, not repeated, where it is not."""
    lost = fault if fault.reset or fault.cut else Response(fault.status, fault.body, delay=60)
    again, once = Platform(lost), Platform(lost)
    with Loopback(again) as server:
        sender = transport(server.url, VirtualTime())
        reply = sender.send("PUT", "/v1/members/ab", body=OPT_OUT)
        sender.close()
    with Loopback(once) as server:
        sender = transport(server.url, VirtualTime())
        with pytest.raises(Transient, match=r"cannot reach 127\.0\.0\.1"):
            sender.send("POST", "/v1/batches", body=OPT_OUT)
        sender.close()

    assert (2, 2, 1) == (reply.attempts, len(again.asked), len(once.asked))


def test_a_redirect_of_a_write_takes_neither_token_nor_body_along() -> None:
    """To another host or to another path of this one."""
    elsewhere = Platform()
    with Loopback(elsewhere) as other:
        for where in (f"{other.url}/v1/members/ab", "/v1/members/cd"):
            platform = Platform(Response(307, headers=(("Location", where),)))
            with Loopback(platform) as server:
                sender = transport(server.url, VirtualTime())
                with pytest.raises(Transient, match="redirects to 127") as raised:
                    sender.send("PUT", "/v1/members/ab", authorization=SECRET, body=OPT_OUT)
                sender.close()
            assert 1 == len(platform.asked)
            assert "tok-4f9a" not in str(raised.value)

    assert [] == elsewhere.asked


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (
            page(200, "<!doctype html><h1>Sign in</h1>"),
            "answered 200 with a page for people",
        ),
        (Response(200, b"OK"), "answered 200 with something else in place of JSON"),
        (Response(202, b""), "answered 202 with something else in place of JSON"),
    ],
    ids=["sign-in wall", "text", "nothing"],
)
def test_a_page_in_place_of_json_is_no_success(reply: Response, words: str) -> None:
    """A 2xx is not 'suppressed'."""
    with Loopback(Platform(reply)) as server:
        sender = transport(server.url, VirtualTime())
        got = sender.send("PUT", "/v1/members/ab", body=OPT_OUT)
        with pytest.raises(Transient, match=words):
            sender.json_of(got)
        assert {"done": True} == sender.json_of(sender.send("GET", "/v1/members"))
        sender.close()


def test_a_plugin_says_what_a_bare_403_means() -> None:
    """Mailchimp answers so to an eleventh connection: it is a throttle, and no permission is missing."""

    def judge(reply: Reply) -> Retry | None:
        return Retry.THROTTLED if reply.status == 403 and not reply.is_json else usual(reply)

    time = VirtualTime()
    platform = Platform(page(403, "<html>"), page(403, "<html>"), answer(403, {"title": "Forbidden"}))
    with Loopback(platform) as server:
        sender = transport(server.url, time, judge=judge)
        reply = sender.send("POST", "/v1/batches", body=OPT_OUT)
        sender.close()

    assert (403, True, 3) == (reply.status, reply.is_json, reply.attempts)
    assert time.slept == [1.0, 1.0]


def test_a_days_limit_is_not_waited_for_and_holds_for_the_next_run(tmp_path: Path) -> None:
    """429 of the second is waited out, 429 of the day ends the run until the time that the platform names."""
    time = VirtualTime()
    until = NOON + timedelta(hours=3)

    def lanes() -> Lanes:
        return Lanes(at_once=1, whose="Acme", file=tmp_path / "acme.json", clock=time.clock)

    def sent(pace: Lanes, url: str) -> Reply:
        sender = transport(url, time, pace=pace, judge=judge)
        try:
            reply = sender.send("PUT", "/v1/members/ab", body=OPT_OUT)
        finally:
            sender.close()
        if reply.status == 429:
            raise pace.shut(until)
        return reply

    def judge(reply: Reply) -> Retry | None:
        return None if reply.is_json and reply.json == {"policy": "DAILY"} else usual(reply)

    platform = Platform(answer(429, {"policy": "SECOND"}), answer(429, {"policy": "DAILY"}))
    with Loopback(platform) as server:
        for pace in (lanes(), lanes()):
            with pytest.raises(QuotaExhausted) as exhausted:
                sent(pace, server.url)
            assert until == exhausted.value.resets_at
        assert 2 == len(platform.asked)
        time.pass_(3 * 3600)
        assert 200 == sent(lanes(), server.url).status


def test_several_threads_share_a_transport() -> None:
    """Each answer goes to who asked, none is lost, no more run at once than lanes."""

    def echo(request: Request) -> Response:
        return answer(200, {"path": request.path})

    with Loopback(echo) as server:
        sender = transport(server.url, VirtualTime(), pace=Lanes(at_once=4, whose="Acme"))

        def one(number: int) -> tuple[int, Json]:
            reply = sender.send("PUT", f"/v1/members/{number:x}", body=OPT_OUT)
            found: Any = sender.json_of(reply)
            return number, found["path"]

        found = dict(concurrently(one, range(200), workers=8))
        sender.close()

    assert {number: f"/v1/members/{number:x}" for number in range(200)} == found
    assert (200, True) == (sender.requests, server.busiest <= 4)


class _Six(ThreadingHTTPServer):
    address_family = AF_INET6


class _Said(BaseHTTPRequestHandler):
    hosts: list[str] = []  # noqa: RUF012 (one server, one test)

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.hosts.append(self.headers["Host"])
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing."""


@pytest.fixture
def six() -> Iterator[str]:
    try:
        server = _Six(("::1", 0), _Said)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://[::1]:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_this_machine_may_be_meant_by_ipv6(six: str) -> None:
    """Plain http to [::1] is this machine, and the host is written as it was configured."""
    sender = transport(six, VirtualTime())
    reply = sender.send("PUT", "/v1/members/ab", body=OPT_OUT)
    sender.close()

    assert 200 == reply.status
    assert [six.removeprefix("http://")] == _Said.hosts


@pytest.mark.parametrize("url", ["http://[::2]:80", "http://[::ffff:8.8.8.8]", "http://0.0.0.0:1"])
def test_other_machines_are_never_talked_to_in_plain_text(url: str) -> None:
    """The token and the addresses would be readable on the way."""
    with pytest.raises(SuppressError, match="must begin with https://"):
        transport(url, VirtualTime())
