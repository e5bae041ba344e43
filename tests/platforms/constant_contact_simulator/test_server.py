"""The simulator as a server and as a test's tool: it ends cleanly, remembers, and keeps no token."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from suppress.platforms.constant_contact.simulator import Permission, Scenario, Simulator
from tests.platforms.constant_contact_simulator.calling import UNLIMITED, addresses, call, standing_still

EMPTY = Scenario(limits=UNLIMITED)


def raw(cc: Simulator, request: bytes) -> bytes:
    """What comes back for these bytes, until the connection ends."""
    parts = urlsplit(cc.url)
    with closing(socket.create_connection((parts.hostname, parts.port or 0), timeout=10)) as connection:
        connection.sendall(request)
        received = b""
        while piece := connection.recv(65_536):
            received += piece
    return received


def test_it_listens_on_loopback_only() -> None:
    """On a free port of its own."""
    with standing_still(EMPTY) as one, standing_still(EMPTY) as other:
        hosts = {urlsplit(cc.url).hostname for cc in (one, other)}
        ports = {urlsplit(cc.url).port for cc in (one, other)}

    assert hosts == {"127.0.0.1"}
    assert len(ports) == 2


def test_a_port_that_is_taken_is_an_os_error() -> None:
    """Nothing is left behind by the attempt."""
    with standing_still(EMPTY) as cc:
        second = Simulator(EMPTY, port=urlsplit(cc.url).port or 0)
        with pytest.raises(OSError, match="in use"):
            second.start()
        second.close()


def test_it_closes_while_clients_hold_connections_open() -> None:
    """Twice, if need be; afterwards nobody listens."""
    with standing_still(EMPTY) as cc:
        connection = http.client.HTTPConnection(urlsplit(cc.url).netloc, timeout=10)
        connection.request("GET", "/v3/contacts", headers={"Authorization": f"Bearer {cc.token}"})
        connection.getresponse().read()
        cc.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", urlsplit(cc.url).port or 0), timeout=10)
    connection.close()


def test_one_connection_serves_many_requests() -> None:
    """As every client of today expects."""
    with standing_still(EMPTY) as cc:
        connection = http.client.HTTPConnection(urlsplit(cc.url).netloc, timeout=10)
        connection.connect()
        local = connection.sock.getsockname()
        for _ in range(3):
            connection.request("GET", "/v3/contacts", headers={"Authorization": f"Bearer {cc.token}"})
            connection.getresponse().read()
        same = connection.sock.getsockname() == local
        connection.close()

    assert same


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: many", b"Content-Length: -1", b"Transfer-Encoding: chunked"],
)
def test_a_body_without_a_length_is_refused(head: bytes) -> None:
    """411, and the connection ends, since nobody knows where the next request begins."""
    with standing_still(EMPTY) as cc:
        received = raw(cc, b"POST /v3/contacts HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n")

    assert received.startswith(b"HTTP/1.1 411 ")


def test_a_client_that_goes_away_harms_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    """Half a request, then a reset: the next client is served, and nothing is printed."""
    with standing_still(EMPTY) as cc:
        parts = urlsplit(cc.url)
        connection = socket.create_connection((parts.hostname, parts.port or 0), timeout=10)
        connection.sendall(b"POST /v3/contacts HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
        status = call(cc, "GET", "/v3/contacts").status

    assert status == 200
    assert capfd.readouterr() == ("", "")


def test_exchanges_are_remembered_without_their_tokens() -> None:
    """Method, path, query in its order, time, status; not what opens the account."""
    with standing_still(EMPTY) as cc:
        cc.advance(3)
        call(cc, "GET", "/v3/contacts", [("limit", "1"), ("status", "all")])
        (one,) = cc.requests

    assert (one.method, one.path, one.status) == ("GET", "/v3/contacts", 200)
    assert one.query == (("limit", "1"), ("status", "all"))
    assert (one.at, one.tick) == (cc.clock.now(), 3)
    assert cc.token not in repr(one)


def test_a_long_run_remembers_only_so_many() -> None:
    """`suppress simulate` runs for days."""
    cc = Simulator(EMPTY, keep=2)
    with cc:
        for _ in range(5):
            call(cc, "GET", "/v3/contacts")
        kept = len(cc.requests)

    assert kept == 2


def test_what_happens_to_people_is_seen_at_once() -> None:
    """Every in-process act, by what the main query shows afterwards."""
    with standing_still(EMPTY) as cc:
        cc.add("pat@example.com", Permission.EXPLICIT)
        seen = []
        first = cc.unsubscribe("pat@example.com")
        cc.advance(1)
        again = cc.unsubscribe("pat@example.com", source="Account")
        acts: tuple[Callable[[], object], ...] = (
            lambda: cc.unsubscribe("pat@example.com"),
            lambda: cc.delete("pat@example.com"),
            lambda: cc.revive("pat@example.com"),
            lambda: cc.rename("pat@example.com", "new@example.com"),
            lambda: cc.resubscribe("new@example.com"),
        )
        for act in acts:
            act()
            found = addresses(cc, status="all", optout_after="2000-01-01")
            seen.append((found, sorted(cc.truth())))

    assert first == again
    pat, new = ["pat@example.com"], ["new@example.com"]
    assert seen == [(pat, pat), (pat, pat), (pat, pat), (new, new), ([], [])]


def test_an_address_can_be_given_to_one_contact_only() -> None:
    """As on the platform, without regard to case."""
    with standing_still(EMPTY) as cc:
        cc.add("pat@example.com")
        with pytest.raises(ValueError, match="belongs to contact"):
            cc.add("PAT@example.com")
        with pytest.raises(LookupError, match="has no contact"):
            cc.contact("sam@example.com")
        cc.rename("pat@example.com", "pat@example.com")
        with pytest.raises(ValueError, match="cannot be given"):
            cc.add("out@example.com", Permission.UNSUBSCRIBED)


def test_a_merged_contact_is_gone_and_its_address_free() -> None:
    """No query shows it, not even that for deleted people, and the other contact stays as it was."""
    with standing_still(EMPTY) as cc:
        cc.add("pat@example.com")
        cc.unsubscribe("pat@example.com")
        cc.add("pat@work.example")
        kept = cc.merge("pat@example.com", "pat@work.example")
        shown = call(cc, "GET", "/v3/contacts", {"status": "all"}).json()["contacts"]
        back = cc.add("pat@example.com")

    assert [kept.contact_id] == [one["contact_id"] for one in shown]
    assert not kept.unsubscribed
    assert not back.unsubscribed


def test_somebody_without_an_address_can_be_given_one() -> None:
    """A contact known by name, completed later."""
    with standing_still(EMPTY) as cc:
        made = call(cc, "POST", "/v3/contacts", body={"first_name": "Nameless", "create_source": "Account"})
        put = {"update_source": "Account", "email_address": {"address": "named@example.com"}}
        answer = call(cc, "PUT", f"/v3/contacts/{made.json()['contact_id']}", body=put)

    assert answer.json()["email_address"]["permission_to_send"] == "implicit"


def test_many_clients_at_once_are_answered_one_after_the_other() -> None:
    """No request is lost and no answer is mixed up."""
    with standing_still(EMPTY) as cc:
        cc.add("pat@example.com")
        statuses: list[int] = []
        threads = [
            threading.Thread(target=lambda: statuses.append(call(cc, "GET", "/v3/contacts").status))
            for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert statuses == [200] * 20
    assert len(cc.requests) == 20


def test_a_mistake_in_a_tests_own_action_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    """On stderr; the client only sees that the connection ended."""

    def stumble(_: Simulator) -> None:
        raise ZeroDivisionError

    with standing_still(EMPTY) as cc:
        cc.before_page(1, stumble)
        with pytest.raises(http.client.RemoteDisconnected):
            call(cc, "GET", "/v3/contacts")
        after = call(cc, "GET", "/v3/contacts").status

    assert after == 200
    assert "ZeroDivisionError" in capfd.readouterr().err
