"""The listener takes one answer, the right one; whatever else comes is answered and ignored."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.errors import BadUsage
from suppress.platforms.constant_contact.listener import MOST, Answered, Listener

STATE = "st-4f9a_x"
GOOD = f"/callback?code=c0de&state={STATE}"


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener(0, STATE, source="main") as listening:
        yield listening


def port_of(listener: Listener) -> int:
    return urlsplit(listener.redirect_uri).port or 0


def send(
    listener: Listener, target: str, *, method: str = "GET", host: str | None = None
) -> tuple[int, dict[str, str], str]:
    """One request, as a browser or anybody else on this machine sends it."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(listener), timeout=10)
    try:
        connection.request(method, target, headers={} if host is None else {"Host": host})
        answer = connection.getresponse()
        return (
            answer.status,
            {name.lower(): value for name, value in answer.getheaders()},
            answer.read().decode(),
        )
    finally:
        connection.close()


def test_the_right_answer_is_taken_once(listener: Listener) -> None:
    """A second one, even with the same state, is told so and changes nothing."""
    first, headers, page = send(listener, GOOD)
    second = send(listener, f"/callback?code=other&state={STATE}")[0]

    assert (200, 410) == (first, second)
    assert Answered(code="c0de") == listener.wait(0)
    assert ("no-store", "no-referrer") == (headers["cache-control"], headers["referrer-policy"])
    assert "c0de" not in page and STATE not in page
    assert "c0de" not in repr(listener.wait(0))


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/favicon.ico", 404),
        ("GET", "/callback/../callback?" + GOOD.partition("?")[2], 404),
        ("GET", "/callback", 400),
        ("GET", "/callback?code=c0de", 400),
        ("GET", "/callback?code=c0de&state=", 400),
        ("GET", "/callback?code=c0de&state=another", 400),
        ("GET", "/callback?code=c0de&state=%C3%A9%00", 400),
        ("GET", f"/callback?state={STATE}", 400),
        ("GET", f"/callback?code=&state={STATE}", 400),
        ("GET", f"/callback?code=%0d%0a&state={STATE}", 400),
        ("GET", f"/callback?code=a&code=b&state={STATE}", 400),
        ("GET", f"/callback?code=a&state=x&state={STATE}", 400),
        ("GET", f"/callback?state={STATE}&code=" + "a" * 5_000, 400),
        ("GET", f"/callback?code=a&state={STATE}&" + "&".join(f"x{i}=1" for i in range(40)), 400),
        ("POST", GOOD, 501),
        ("HEAD", GOOD, 501),
        ("GET", "http://127.0.0.1" + GOOD, 404),
        ("GET", "/" + "x" * 70_000, 414),
    ],
)
def test_everything_else_is_answered_and_ignored(
    method: str, target: str, status: int, listener: Listener
) -> None:
    """And the right one still counts afterwards."""
    assert status == send(listener, target, method=method)[0]
    assert listener.wait(0) is None
    assert 200 == send(listener, GOOD)[0]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:1", "127.0.0.1:1", ""])
def test_a_name_that_somebody_points_at_this_machine_is_not_us(host: str, listener: Listener) -> None:
    """DNS rebinding: a web page's own host name leads here."""
    assert 400 == send(listener, GOOD, host=host)[0]
    assert listener.wait(0) is None


def test_an_error_of_the_vendor_is_taken_and_cleaned(listener: Listener) -> None:
    """Its words go into a message, so nothing in them may be an address or act on a terminal."""
    said = {"error": "access_denied", "error_description": "no\x1b[2J pat@example.com", "state": STATE}
    assert 200 == send(listener, f"/callback?{urlencode(said)}")[0]

    answered = listener.wait(0)
    assert Answered(error="access_denied", said="no [2J [address]") == answered


def test_who_says_nothing_keeps_nobody_out(listener: Listener) -> None:
    """More silent connections than are held at once; the oldest make room."""
    silent = [socket.create_connection(("127.0.0.1", port_of(listener))) for _ in range(MOST + 8)]
    half = socket.create_connection(("127.0.0.1", port_of(listener)))
    half.sendall(b"GET /callback?code=")

    assert 200 == send(listener, GOOD)[0]
    for each in (*silent, half):
        each.close()


@settings(max_examples=30)
@given(noise=st.binary(min_size=1, max_size=300))
def test_noise_breaks_nothing(noise: bytes) -> None:
    """Any bytes at all: the right answer still comes through."""
    with Listener(0, STATE, source="main") as listening:
        with socket.create_connection(("127.0.0.1", port_of(listening))) as raw:
            raw.sendall(noise)
            raw.shutdown(socket.SHUT_WR)

        assert 200 == send(listening, GOOD)[0]
        assert Answered(code="c0de") == listening.wait(0)


def test_it_listens_on_this_machine_alone_and_stops(listener: Listener) -> None:
    """The port is free again when the sign-in is over."""
    port = port_of(listener)
    assert f"http://127.0.0.1:{port}/callback" == listener.redirect_uri
    with pytest.raises(BadUsage):
        Listener(port, STATE, source="main")
    listener.__exit__(None, None, None)

    with Listener(port, STATE, source="main") as again:
        assert again.wait(0.01) is None
