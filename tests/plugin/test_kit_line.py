"""The line between exporter and simulator carries on what it is given, and remembers it."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from suppress.errors import DestinationFailed
from suppress.plugin.contract import Exporter
from suppress.plugin.kit import HttpExporterContract, disturbing, people
from suppress.plugin.kit.attempting import improper, leaks, listening, words_of
from suppress.plugin.kit.line import ENOUGH, Hurry, Line
from suppress.plugin.loopback import Loopback, Request, Response, answer
from tests.plugin.acme import Acme


def _echo(request: Request) -> Response:
    if request.path == "/broken":
        return Response(200, b"half", cut=1)
    host = request.headers["host"]
    body = {"path": request.path, "asked": request.asked("q"), "body": request.body.decode(), "host": host}
    return answer(201, body, ("X-Request-Id", "7"), ("Link", f"<{request.asked('me')}/next>"))


@contextmanager
def echoing() -> Iterator[tuple[Line, httpx2.Client]]:
    """A platform that says what it was asked, behind a line."""
    with Loopback(_echo) as there, Loopback(lambda _request: answer(200, "shadow")) as shadow:
        line = Line(
            there.url,
            shadow=lambda: shadow.url,
            writes=lambda method, _path: method != "GET",
            monotonic=Hurry().monotonic,
        )
        try:
            with httpx2.Client(base_url=line.url, trust_env=False, verify=False) as client:
                yield line, client
        finally:
            line.close()


def test_what_is_sent_arrives_and_is_remembered() -> None:
    """Method, path as it went over the wire, query, headers, body; and the answer comes back."""
    with echoing() as (line, client):
        reply = client.patch("/a%2Fb?q=%2B1", content=b"x", headers={"Authorization": "Bearer s3cret"})
        (sent,) = line.sent

    assert (201, "7") == (reply.status_code, reply.headers["X-Request-Id"])
    assert ("/a%2Fb", "+1", "x") == tuple(reply.json()[key] for key in ("path", "asked", "body"))
    assert ("PATCH", "/a%2Fb", b"x") == (sent.method, sent.path, sent.body)
    assert "Bearer s3cret" == sent.headers["authorization"]
    assert "s3cret" not in repr(sent)


def test_the_platforms_own_address_is_the_lines() -> None:
    """A next link leads through the line again, in bodies and headers."""
    with echoing() as (line, client):
        reply = client.get("/", params={"me": line.there, "q": line.there})

    assert line.url == reply.json()["asked"]
    assert f"<{line.url}/next>" == reply.headers["Link"]


def test_a_broken_platform_is_a_broken_line() -> None:
    """The simulator's own faults reach the exporter as faults."""
    with echoing() as (_line, client), pytest.raises(httpx2.TransportError):
        client.get("/broken")


def test_a_disturbance_ends_when_it_is_lifted_or_has_gone_on_for_long() -> None:
    """An exporter that never stops ends a test instead of hanging it."""
    with echoing() as (line, client):
        line.disturb(disturbing.answered(Response(503)))
        disturbed = client.get("/").status_code
        gave_up = line.gave_up
        line.lift()
        lifted = client.get("/").status_code
        line.disturb(disturbing.astray)
        astray = client.get("/").json()
        line.disturb(disturbing.answered(Response(503)))
        statuses = [client.get("/").status_code for _ in range(ENOUGH + 1)]

        assert (503, True, 201, "shadow") == (disturbed, gave_up, lifted, astray)
        assert [503] * ENOUGH + [201] == statuses
        assert not line.gave_up


def test_silence_is_told_from_an_answer_that_has_no_lists() -> None:
    """Only what had something to lose counts, and reads are left alone."""
    silenced = disturbing.Silenced()
    with echoing() as (line, client):
        line.disturb(silenced)
        written, read = client.post("/", content=b"{}").json(), client.get("/").json()

    assert ("shadow", 0) == (written, silenced.emptied)
    assert "/" == read["path"]


def test_a_list_is_emptied_wherever_it_is() -> None:
    """Numbers and words stay, so that the answer still looks like one."""
    silenced = disturbing.Silenced()
    with Loopback(lambda _request: answer(207, {"results": [1], "more": {"errors": []}, "n": 1})) as there:
        line = Line(there.url, shadow=lambda: there.url, writes=lambda *_: True, monotonic=Hurry().monotonic)
        line.disturb(silenced)
        reply = httpx2.post(line.url, trust_env=False)
        line.close()

    assert ({"results": [], "more": {"errors": []}, "n": 1}, 1) == (reply.json(), silenced.emptied)


def test_what_is_no_json_cannot_be_emptied_and_reads_never_fail_in_part() -> None:
    """An answer without a body is as silent as it was; every other write fails, whatever is read."""
    with Loopback(lambda _request: Response(202)) as there:
        line = Line(
            there.url,
            shadow=lambda: there.url,
            writes=lambda method, _path: method != "GET",
            monotonic=Hurry().monotonic,
        )
        with httpx2.Client(base_url=line.url, trust_env=False, verify=False) as client:
            line.disturb(disturbing.Silenced())
            silent = client.post("/").status_code
            line.disturb(disturbing.Alternating(Response(500)))
            statuses = [client.request(method, path).status_code for method, path in _CALLS]
        line.close()

    assert 202 == silent
    assert [202, 500, 202, 500, 202] == statuses


_CALLS = (("GET", "/"), ("POST", "/1"), ("POST", "/2"), ("POST", "/1"), ("GET", "/1"))


def test_waiting_takes_no_time_and_moves_both_clocks() -> None:
    """A pause of a day is over at once."""
    clock = Hurry().clock
    before, day = clock.monotonic(), clock.epoch()
    clock.wait(86_400)

    assert clock.monotonic() - before >= 86_400
    assert clock.epoch() - day >= 86_400


@pytest.mark.parametrize(
    "words", ["no O'Brien@example.com here", "GET /people/o'brien%40example.com", "o%27brien%40EXAMPLE.com"]
)
def test_an_address_is_found_in_every_form(words: str) -> None:
    """As it is, in other capitals, and as it goes into a URL."""
    entries = people(["o'brien@example.com", "sam@example.com"])

    assert ["the address of entry 0"] == leaks([words], entries, ())


def test_a_secret_is_found_and_a_word_is_not_one() -> None:
    """A token of two letters would be found in everything."""
    assert ["a secret"] == leaks(["token S3CRET-token refused"], (), ["s3cret-token", "ok"])
    assert [] == leaks(["all is ok"], (), ["s3cret-token", "ok"])


def test_what_a_failure_says_is_all_looked_at() -> None:
    """The message, what a traceback shows, and the remedy."""
    failure = DestinationFailed("it failed", remedy="ask pat@example.com")
    entries = people(["pat@example.com"])

    assert [] == words_of(None)
    assert None is improper(failure)
    assert ["the address of entry 0"] == leaks(words_of(failure), entries, ())
    assert "it raised KeyError" in str(improper(KeyError("x")))
    assert "x" in " ".join(words_of(KeyError("x")))


@pytest.mark.parametrize("level", [logging.NOTSET, logging.DEBUG, logging.ERROR])
def test_the_log_is_heard_whatever_its_level(level: int) -> None:
    """And is as it was afterwards."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(level)
    try:
        with listening() as said:
            logging.getLogger("acme.wire").info("hello %s", "there")
            logging.getLogger("acme.wire").debug("not this")

        assert (["hello there"], level) == (said, root.level)
    finally:
        root.setLevel(before)


class _Bare(HttpExporterContract[Acme]):
    """Says only what it must; everything else is as the kit has it."""

    secrets = ("given-by-hand",)
    harmless = (r"DELETE /jobs/[0-9]+",)

    def simulator(self, place: Path) -> Acme:
        return Acme()

    def opened(self, place: Path, url: str) -> Exporter:
        raise AssertionError("not opened here")

    def mails(self, place: Path, address: str) -> bool:
        return False


@pytest.fixture
def bare() -> Iterator[_Bare]:
    """Closed at the end, as pytest does it."""
    contract = _Bare()
    yield contract
    contract.teardown_method()


def test_what_an_author_leaves_out_is_the_careful_choice(bare: _Bare, tmp_path: Path) -> None:
    """Every call but a read and a sign-in counts as a write; there is no archive and nothing beyond."""
    assert [False, True, False, True] == [
        bare.writes("GET", "/people"),
        bare.writes("POST", "/people/search"),
        bare.writes("POST", "/oauth/token"),
        bare.writes("DELETE", "/people/7"),
    ]
    assert (False, (), False) == (
        bare.archived(tmp_path, ()),
        bare.widened(tmp_path, ()),
        bare.remove_target(tmp_path),
    )


def test_credentials_are_known_from_what_was_sent(bare: _Bare, tmp_path: Path) -> None:
    """The password in Basic, whatever follows the scheme otherwise, and what the author names."""
    line = bare.line(tmp_path)
    basic = base64.b64encode(b"anystring:the-api-key").decode()
    for value in (f"Basic {basic}", "Bearer the-token", "Basic ???", "bare-key"):
        httpx2.get(f"{line.url}/", headers={"Authorization": value}, trust_env=False)
    httpx2.get(f"{line.url}/", headers={"X-Api-Key": "a-key"}, trust_env=False)

    assert {
        "given-by-hand",
        basic,
        "the-api-key",
        "the-token",
        "???",
        "bare-key",
        "a-key",
    } == bare.known_secrets(tmp_path)


def test_what_only_looks_as_if_it_raised_reach_can_be_excused(bare: _Bare, tmp_path: Path) -> None:
    """By method and path, so that nothing else is excused with it."""
    bare.calls = ()
    line = bare.line(tmp_path)
    httpx2.delete(f"{line.url}/jobs/7", trust_env=False)

    assert [] == bare.raising(tmp_path)
    httpx2.delete(f"{line.url}/people/7", trust_env=False)
    (found,) = bare.raising(tmp_path)
    assert found.startswith("DELETE /people/7: deleting")
