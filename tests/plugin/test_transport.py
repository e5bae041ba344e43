"""HTTP for plugins: it keeps trying within reason, says what failed, and never gives the token away."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from email.utils import format_datetime
from pathlib import Path

import pytest

from suppress.errors import ConfigWrong, QuotaExhausted, SourceFailed
from suppress.plugin import transport as module
from suppress.plugin.errors import CallForbidden, Transient, WouldIncreaseReach
from suppress.plugin.guard import Body, Call
from suppress.plugin.pace import Clock, Limits, Pace
from suppress.plugin.transport import Patience, Transport
from tests.plugin.serving import Asked, Says, Serving
from tests.plugin.virtual import NOON, VirtualTime

SECRET = "Bearer tok-4f9a-secret"
MIDDLE = Patience(jitter=lambda: 0.5)


def always(says: Says) -> Callable[[Asked, int], Says]:
    return lambda _asked, _number: says


def first(*answers: Says) -> Callable[[Asked, int], Says]:
    """These, and then what is good."""
    return lambda _asked, number: answers[number] if number < len(answers) else Says.json({"good": True})


def pace(folder: Path, time: VirtualTime, per_day: int | None = None) -> Pace:
    return Pace(folder / "pace.json", Limits(burst=4, per_day=per_day), whose="Acme Mail", clock=time.clock)


def reading(url: str, folder: Path, time: VirtualTime, *, per_day: int | None = None) -> Transport:
    return Transport.reading(
        url, paths=["/v3/contacts"], pace=pace(folder, time, per_day), clock=time.clock, patience=MIDDLE
    )


def writing(url: str, folder: Path, time: VirtualTime, call: Call) -> Transport:
    return Transport.writing(url, calls=[call], pace=pace(folder, time), clock=time.clock, patience=MIDDLE)


def refuses(body: Body) -> str | None:
    return None if isinstance(body, bytes) or body == {"status": "unsubscribed"} else "a subscription"


POST = Call("POST", "/v1/batch", refuses=refuses)
PUT = Call("PUT", "/v1/batch", refuses=refuses, repeatable=True)


def test_an_answer_comes_back_whole(tmp_path: Path) -> None:
    """Status, headers in lower case, body, and how many attempts it took."""
    with Serving(always(Says.json({"a": 1}, 404, **{"X-Thing": "y"}))) as server:
        transport = reading(server.url, tmp_path, VirtualTime())
        reply = transport.send("GET", "/v3/contacts?limit=1", authorization=SECRET)
        transport.close()

    assert (404, {"a": 1}, "y", 1) == (reply.status, reply.json, reply.headers["x-thing"], reply.attempts)
    assert [("GET", "/v3/contacts?limit=1")] == [(asked.method, asked.target) for asked in server.asked]
    assert SECRET == server.asked[0].headers["Authorization"]
    assert server.asked[0].headers["User-Agent"].startswith("suppress/")


@pytest.mark.parametrize(
    "bad",
    [
        Says(status=500),
        Says(status=502),
        Says.html(503),
        Says(status=504),
        Says(hang_up=True),
        Says(body=b"x" * 100, cut=50),
        Says(body=b"no gzip", headers={"Content-Encoding": "gzip"}),
    ],
    ids=["500", "502", "503", "504", "hang-up", "cut", "gzip"],
)
def test_a_failure_on_their_side_is_tried_again(bad: Says, tmp_path: Path) -> None:
    """Five bad answers, then a good one."""
    with Serving(first(*[bad] * 5)) as server:
        transport = reading(server.url, tmp_path, VirtualTime())
        reply = transport.send("GET", "/v3/contacts")
        transport.close()

    assert ({"good": True}, 6, 6) == (reply.json, reply.attempts, transport.requests)


def test_the_last_bad_answer_goes_to_the_plugin(tmp_path: Path) -> None:
    """It knows the vendor's words."""
    with Serving(always(Says.json({"why": "maintenance"}, 503))) as server:
        transport = reading(server.url, tmp_path, VirtualTime())
        reply = transport.send("GET", "/v3/contacts")
        transport.close()

    assert (503, {"why": "maintenance"}, 6) == (reply.status, reply.json, reply.attempts)


def test_waits_double_and_are_random(tmp_path: Path) -> None:
    """Full jitter: half of 0.5, 1, 2, 4 and 8 seconds with a jitter of a half."""
    time = VirtualTime()
    with Serving(always(Says(status=500))) as server:
        transport = reading(server.url, tmp_path, time)
        transport.send("GET", "/v3/contacts")
        transport.close()

    assert [0.25, 0.5, 1.0, 2.0, 4.0] == [
        slept for slept in time.slept if slept in (0.25, 0.5, 1.0, 2.0, 4.0)
    ]


@pytest.mark.parametrize("status", [200, 201, 400, 401, 403, 404, 409, 415])
def test_other_answers_are_not_tried_again(status: int, tmp_path: Path) -> None:
    """They would be the same."""
    with Serving(always(Says(status=status))) as server:
        transport = reading(server.url, tmp_path, VirtualTime())
        transport.send("GET", "/v3/contacts")
        transport.close()

    assert 1 == len(server.asked)


def test_a_throttle_is_waited_out_patiently(tmp_path: Path) -> None:
    """Twenty times 'too many requests' do not end a run; each wait is more than a second."""
    time = VirtualTime()
    with Serving(first(*[Says(status=429)] * 20)) as server:
        transport = reading(server.url, tmp_path, time)
        reply = transport.send("GET", "/v3/contacts")
        transport.close()

    assert (200, 21) == (reply.status, reply.attempts)
    assert 20 == sum(slept > 1.05 for slept in time.slept)


def test_a_throttle_without_end_ends(tmp_path: Path) -> None:
    """After thirty answers the plugin is told."""
    with Serving(always(Says(status=429))) as server:
        transport = reading(server.url, tmp_path, VirtualTime())
        reply = transport.send("GET", "/v3/contacts")
        transport.close()

    assert (429, 30) == (reply.status, len(server.asked))


@pytest.mark.parametrize(
    ("text", "least"),
    [("7", 7), ("2.5", 2.5), (format_datetime(NOON.replace(second=30), usegmt=True), 20)],
    ids=["seconds", "parts", "date"],
)
def test_retry_after_is_obeyed(text: str, least: float, tmp_path: Path) -> None:
    """In seconds or as a date, for a throttle and for a failure."""
    for status in (429, 503):
        time = VirtualTime()
        with Serving(first(Says(status=status, headers={"Retry-After": text}))) as server:
            transport = reading(server.url, tmp_path / str(status), time)
            transport.send("GET", "/v3/contacts")
            transport.close()

        assert max(time.slept) >= least


@pytest.mark.parametrize("text", ["", "soon", "-5", "1e9", "Mon, 99 Nov 2026 25:00:00 GMT"])
def test_an_unreadable_retry_after_is_passed_over(text: str, tmp_path: Path) -> None:
    """The own wait is taken instead."""
    time = VirtualTime()
    with Serving(first(Says(status=429, headers={"Retry-After": text}))) as server:
        transport = reading(server.url, tmp_path, time)
        reply = transport.send("GET", "/v3/contacts")
        transport.close()

    assert 200 == reply.status
    assert 1.5 in time.slept


def test_an_hour_of_retry_after_is_not_waited_for(tmp_path: Path) -> None:
    """The plugin is told at once."""
    with Serving(always(Says(status=429, headers={"Retry-After": "3600"}))) as server:
        transport = reading(server.url, tmp_path, VirtualTime())
        reply = transport.send("GET", "/v3/contacts")
        transport.close()

    assert (429, 1) == (reply.status, len(server.asked))


def test_retries_keep_the_pace_as_the_server_sees_it(tmp_path: Path) -> None:
    """Slow answers, failures, throttles and cut bodies, and never five requests in a second."""
    time = VirtualTime()
    moods = [
        Says(seconds=0.01),
        Says(status=500, seconds=0.4),
        Says(status=429),
        Says(body=b"x" * 9, cut=3, seconds=0.9),
        Says(hang_up=True, seconds=2.0),
        Says(seconds=0.0),
    ]
    impatient = Patience(first=0.0, jitter=lambda: 0.0)
    with Serving(
        lambda _asked, number: moods[number * 7 % 6], monotonic=time.monotonic, pass_=time.pass_
    ) as server:
        for _ in range(30):
            transport = Transport.reading(
                server.url,
                paths=["/v3/contacts"],
                pace=pace(tmp_path, time),
                clock=time.clock,
                patience=impatient,
            )
            transport.send("GET", "/v3/contacts")
            transport.close()

    arrivals = [asked.at for asked in server.asked]
    assert len(arrivals) > 60
    assert all(later - earlier > 1.0 for earlier, later in zip(arrivals, arrivals[4:], strict=False))


def test_every_attempt_uses_up_the_days_budget(tmp_path: Path) -> None:
    """Three failures are three requests."""
    with Serving(always(Says(status=500))) as server:
        transport = reading(server.url, tmp_path, VirtualTime(), per_day=3)
        with pytest.raises(QuotaExhausted):
            transport.send("GET", "/v3/contacts")
        transport.close()

    assert 3 == len(server.asked)


def test_a_write_is_not_sent_twice(tmp_path: Path) -> None:
    """No platform here has idempotency keys, so a lost answer to a POST stays lost."""
    with Serving(always(Says(hang_up=True))) as server:
        transport = writing(server.url, tmp_path, VirtualTime(), POST)
        with pytest.raises(Transient, match=r"cannot reach 127\.0\.0\.1:\d+: "):
            transport.send("POST", "/v1/batch", body={"status": "unsubscribed"})
        transport.close()

    assert 1 == len(server.asked)


def test_a_failed_write_is_given_back_at_once(tmp_path: Path) -> None:
    """It may have been carried out."""
    with Serving(always(Says(status=503))) as server:
        transport = writing(server.url, tmp_path, VirtualTime(), POST)
        reply = transport.send("POST", "/v1/batch", body={"status": "unsubscribed"})
        transport.close()

    assert (503, 1) == (reply.status, len(server.asked))


def test_a_throttled_write_is_sent_again(tmp_path: Path) -> None:
    """It was not carried out."""
    with Serving(first(Says(status=429))) as server:
        transport = writing(server.url, tmp_path, VirtualTime(), POST)
        reply = transport.send("POST", "/v1/batch", body={"status": "unsubscribed"})
        transport.close()

    assert (200, 2) == (reply.status, len(server.asked))


def test_a_repeatable_write_is_repeated(tmp_path: Path) -> None:
    """Its list entry says that twice is as once. Text goes out as UTF-8."""
    with Serving(first(Says(hang_up=True), Says(status=502))) as server:
        transport = writing(server.url, tmp_path, VirtualTime(), PUT)
        transport.send("PUT", "/v1/batch", body={"status": "unsubscribed"})
        transport.close()

    assert [b'{"status": "unsubscribed"}'] * 3 == [asked.body for asked in server.asked]
    assert "application/json" == server.asked[0].headers["Content-Type"]


def test_bytes_are_sent_as_they_are(tmp_path: Path) -> None:
    """A CSV file, with its own content type."""
    with Serving(first()) as server:
        transport = writing(server.url, tmp_path, VirtualTime(), POST)
        transport.send("POST", "/v1/batch", body=b"Email\npat\n", content_type="text/csv")
        transport.close()

    assert b"Email\npat\n" == server.asked[0].body
    assert "text/csv" == server.asked[0].headers["Content-Type"]


def test_a_refused_call_is_not_sent(tmp_path: Path) -> None:
    """Neither what a source may not do, nor what would subscribe somebody."""
    with Serving(first()) as server:
        source = reading(server.url, tmp_path, VirtualTime())
        exporter = writing(server.url, tmp_path, VirtualTime(), PUT)
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            with pytest.raises(CallForbidden):
                source.send(method, "/v3/contacts")
        with pytest.raises(WouldIncreaseReach):
            exporter.send("PUT", "/v1/batch", body={"status": "subscribed"})

    assert [] == server.asked


@pytest.mark.parametrize(
    ("where", "named"),
    [
        ("https://evil.example/v3/contacts", "evil.example"),
        ("/v3/contacts?again", "127.0.0.1"),
        ("http://[", "somewhere that is no URL"),
    ],
)
def test_a_redirect_is_refused(where: str, named: str, tmp_path: Path) -> None:
    """The token would go along; the host is named, the query is not."""
    with Serving(always(Says(status=302, headers={"Location": where}))) as server:
        transport = reading(server.url, tmp_path, VirtualTime())
        with pytest.raises(SourceFailed) as raised:
            transport.send("GET", "/v3/contacts", authorization=SECRET)
        transport.close()

    assert f"redirects to {named}" in str(raised.value)
    assert "again" not in str(raised.value)
    assert 1 == len(server.asked)


def test_a_host_that_refuses_is_named(tmp_path: Path) -> None:
    """With the system's reason and the number of tries."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    transport = reading(f"http://127.0.0.1:{port}", tmp_path, VirtualTime())

    with pytest.raises(SourceFailed) as raised:
        transport.send("GET", "/v3/contacts", authorization=SECRET)
    transport.close()

    assert f"cannot reach 127.0.0.1:{port}: Connection refused (6 tries)" == str(raised.value)


def test_a_host_that_speaks_no_tls_is_named(tmp_path: Path) -> None:
    """https to a plain server."""
    with Serving(first()) as server:
        transport = reading(f"https://{server.host}", tmp_path, VirtualTime())
        with pytest.raises(SourceFailed, match=f"cannot reach {server.host}: "):
            transport.send("GET", "/v3/contacts")
        transport.close()


def test_an_answer_that_drips_for_ever_ends(tmp_path: Path) -> None:
    """Each byte comes in time, the whole does not."""
    time = VirtualTime()
    with Serving(always(Says(body=b"x" * 10))) as server:
        ticks = iter(range(10**9))
        flying = Clock(lambda: next(ticks) * 1_000.0, time.epoch, time.sleep)
        slow = Transport.reading(
            server.url, paths=["/v3/contacts"], pace=pace(tmp_path, time), clock=flying, patience=MIDDLE
        )
        with pytest.raises(SourceFailed, match="its answer took longer than 180 seconds"):
            slow.send("GET", "/v3/contacts")
        slow.close()


def test_an_answer_without_end_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runaway answer must not fill the memory."""
    monkeypatch.setattr(module, "LARGEST_BODY", 1_000)
    with Serving(always(Says(body=b"x" * 1_001))) as server:
        transport = reading(server.url, tmp_path, VirtualTime())
        with pytest.raises(SourceFailed, match="answered with more than 1,000 bytes"):
            transport.send("GET", "/v3/contacts")
        transport.close()


@pytest.mark.parametrize("credentials", ["Bearer a\nb", "Bearer ü", ""])
def test_unusable_credentials_are_not_quoted(credentials: str, tmp_path: Path) -> None:
    """The HTTP library would put the whole header into its error."""
    transport = reading("http://127.0.0.1:9", tmp_path, VirtualTime())

    with pytest.raises(SourceFailed) as raised:
        transport.send("GET", "/v3/contacts", authorization=credentials)
    transport.close()

    assert "the credentials hold a character that no header may have" == str(raised.value)


def test_a_target_beyond_all_measure_is_refused(tmp_path: Path) -> None:
    """The HTTP library refuses it; the error is ours."""
    transport = reading("http://127.0.0.1:9", tmp_path, VirtualTime())

    with pytest.raises(SourceFailed, match="too long or malformed"):
        transport.send("GET", "/v3/contacts?" + "x" * 70_000)
    transport.close()


def test_neither_log_nor_error_gives_anything_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The token, and the address in the query, with every logger at its most talkative."""
    caplog.set_level(logging.DEBUG)
    with Serving(first(Says(status=500), *[Says(hang_up=True)] * 9)) as server:
        transport = reading(server.url, tmp_path, VirtualTime())
        with pytest.raises(SourceFailed) as raised:
            transport.send("GET", "/v3/contacts?email=pat%40example.com", authorization=SECRET)
        transport.close()

    told = caplog.text + str(raised.value)
    assert "/v3/contacts" in caplog.text
    assert "tok-4f9a" not in told
    assert "example.com" not in told
    # What the HTTP library raised holds the request, and so the token: it must not hang on to our error.
    assert raised.value.__context__ is None


def test_a_person_in_a_path_is_not_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Some platforms name the person in the path; the rest of it is logged, for whoever looks for a fault."""
    caplog.set_level(logging.DEBUG)
    named = Call("POST", "/v1/people/[^/]+/opt-out", query=frozenset({"verbose"}))
    with Serving(first(Says(status=200), Says(status=200))) as server:
        transport = writing(server.url, tmp_path, VirtualTime(), named)
        transport.send("POST", "/v1/people/Pat%40example.com/opt-out")
        transport.send("POST", "/v1/people/pat@example.com/opt-out?verbose=true")
        transport.close()

    assert "/v1/people/…/opt-out" in caplog.text
    assert "example.com" not in caplog.text


def test_other_records_of_the_library_are_left_as_they_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Only URLs are cut."""
    caplog.set_level(logging.DEBUG)
    transport = reading("http://127.0.0.1:9", tmp_path, VirtualTime())
    with pytest.raises(SourceFailed):
        transport.send("GET", "/v3/contacts")
    transport.close()

    logging.getLogger("httpx2").info("%(said)s", {"said": "as it is"})

    assert "as it is" in caplog.text


def test_a_broken_proxy_setting_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named by its variables, without the proxy's password."""
    monkeypatch.setenv("ALL_PROXY", "what://pat:secret@proxy.example")
    transport = reading("https://api.example.com", tmp_path, VirtualTime())

    with pytest.raises(ConfigWrong) as raised:
        transport.send("GET", "/v3/contacts")

    assert "secret" not in f"{raised.value} {raised.value.remedy}"
    assert "ALL_PROXY" in str(raised.value.remedy)


def test_proxies_are_not_for_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulator on loopback is reached whatever the environment says."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with Serving(first()) as server:
        transport = reading(server.url, tmp_path, VirtualTime())
        reply = transport.send("GET", "/v3/contacts")
        transport.close()

    assert 200 == reply.status


def test_a_closed_transport_opens_again(tmp_path: Path) -> None:
    """Closing twice does no harm."""
    with Serving(first()) as server:
        transport = reading(server.url, tmp_path, VirtualTime())
        transport.send("GET", "/v3/contacts")
        transport.close()
        transport.close()
        transport.send("GET", "/v3/contacts")
        transport.close()

    assert 2 == len(server.asked)
