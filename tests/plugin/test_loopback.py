"""The web server that simulators stand on: what goes in and out, and the faults of a line."""

from __future__ import annotations

import socket
import threading

import httpx2
import pytest

from suppress.plugin.loopback import Loopback, Request, Response, answer, page


def echo(request: Request) -> Response:
    return answer(200, {"method": request.method, "parts": request.parts, "asked": request.asked("q")})


def test_a_request_arrives_whole_and_its_answer_goes_back() -> None:
    with Loopback(echo) as server:
        reply = httpx2.patch(f"{server.url}/lists/a%2Fb?q=1&q=2", content=b"{}")

        assert reply.json() == {"method": "PATCH", "parts": ["lists", "a/b"], "asked": "2"}
        assert server.exchanges[0].request.json() == {}
        assert server.exchanges[0].response.status == 200


def test_credentials_are_not_remembered() -> None:
    """A recording can be searched and shown."""
    with Loopback(echo) as server:
        httpx2.get(server.url, headers={"Authorization": "Bearer s3cret", "X-Kept": "yes"})
        headers = server.exchanges[0].request.headers

    assert headers["x-kept"] == "yes"
    assert "authorization" not in headers


def test_only_so_many_exchanges_are_kept() -> None:
    with Loopback(echo, keep=1) as server:
        for name in ("first", "second"):
            httpx2.get(f"{server.url}/{name}")

        assert [each.request.path for each in server.exchanges] == ["/second"]


def test_an_answer_can_be_cut_short() -> None:
    cut = Response(200, b"x" * 100, cut=10)
    with Loopback(lambda _request: cut) as server, pytest.raises(httpx2.RemoteProtocolError):
        httpx2.get(server.url)


def test_a_reset_comes_after_the_platform_did_its_work() -> None:
    """The time-out after a write that took effect, in its sharpest form."""
    done: list[str] = []

    def take(request: Request) -> Response:
        done.append(request.path)
        return Response(200, reset=True)

    with Loopback(take) as server, pytest.raises(httpx2.TransportError):
        httpx2.post(f"{server.url}/write", content=b"{}")

    assert done == ["/write"]


def test_a_slow_answer_lets_others_in_and_is_counted() -> None:
    """Platforms limit connections, so a simulator must see how many there are."""
    waiting = threading.Event()

    def handle(request: Request) -> Response:
        if request.path == "/slow":
            waiting.set()
            return Response(200, b"{}", delay=30)
        return answer(200, {})

    with Loopback(handle) as server:

        def ask() -> None:
            with pytest.raises(httpx2.TransportError):
                httpx2.get(f"{server.url}/slow", timeout=0.5)

        slow = threading.Thread(target=ask)
        slow.start()
        waiting.wait(10)
        assert httpx2.get(f"{server.url}/quick").status_code == 200
        slow.join()
        assert server.busiest == 2


def test_a_body_of_unknown_length_is_refused() -> None:
    with Loopback(echo) as server:
        reply = httpx2.post(server.url, content=iter([b"chunk"]))

    assert reply.status_code == 411


def test_a_page_is_html() -> None:
    with Loopback(lambda _request: page(502, "<h1>Bad gateway</h1>")) as server:
        reply = httpx2.get(server.url)

    assert reply.headers["content-type"].startswith("text/html")


def test_closing_frees_the_port_and_may_be_repeated() -> None:
    server = Loopback(echo)
    server.start()
    port = int(server.url.rpartition(":")[2])
    server.close()
    server.close()

    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))


def test_what_befalls_an_answer_on_its_way_is_part_of_it() -> None:
    """Words that are no trouble of the line leave it as it is."""
    whole = answer(200, {"done": True})

    assert whole.on_the_line("reset").reset
    assert whole.on_the_line("cut").cut == len(whole.body) // 2
    assert whole.on_the_line("delay", 0.5).delay == 0.5
    assert whole.on_the_line("silent", 0.5) == whole
