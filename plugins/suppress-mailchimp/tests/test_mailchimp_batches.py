"""Batches: their states, their results on another host, and what is done when these are not to be had."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from urllib.parse import urlsplit

import pytest
from mailchimp_platform import AUDIENCE, account, asked, numbered, opened, outcomes, pushed
from suppress_mailchimp import results, wire
from suppress_mailchimp.results import Expired, fetch, unpacked
from suppress_mailchimp.simulator import Fault, People, Switches

from suppress.errors import DestinationFailed
from suppress.plugin.contract import Job, Outcome, Remote
from suppress.plugin.errors import ContractBroken, Transient
from suppress.plugin.kit import POSITION, people
from suppress.plugin.lanes import Lanes
from suppress.plugin.loopback import Loopback, Request, Response
from suppress.plugin.transport import Patience


def packed(**files: bytes) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{name}.json")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return whole.getvalue()


def fetched(url: str, *, origin: str = "http://127.0.0.1:1") -> list[wire.OperationAnswer]:
    patience = Patience(tries=1)
    return fetch(url, origin=origin, turns=Lanes(at_once=1, whose="Mailchimp"), patience=patience)


def test_a_batch_goes_through_its_states_before_anybody_is_said_to_be_suppressed() -> None:
    """Accepted is not suppressed."""
    with account(People(AUDIENCE, people=5)) as platform:
        exporter = opened(platform, method="batches")
        started = list(exporter.push(people(numbered(5)), POSITION))
        stages = []
        jobs = [each for each in started if isinstance(each, Job)]
        answers = started
        while jobs:
            stages += [each.stage for each in jobs]
            answers = [answer for job in jobs for answer in exporter.poll(job)]
            jobs = [each for each in answers if isinstance(each, Job)]

    assert stages == ["pending", "preprocessing", "started", "finalizing"]
    assert len(answers) == 5


def test_results_are_fetched_from_another_host_without_credentials() -> None:
    """The key would go to whoever runs that host."""
    with account(People(AUDIENCE, people=5)) as platform:
        found = pushed(opened(platform, method="batches", batch_size=2), numbered(5))
        requests = [each.request for each in platform.fetched]

    assert {each.outcome for each in found.values()} == {Outcome.SUPPRESSED}
    assert len(requests) == 3
    assert not any("authorization" in each.headers for each in requests)
    evidence = found["person-0@example.com"].evidence
    assert evidence is not None
    assert evidence.request_id is not None
    assert evidence.request_id.startswith("batch0000")


def test_results_on_the_api_host_are_fetched_without_credentials_too() -> None:
    """A store refuses a second kind of credentials."""
    with account(People(AUDIENCE, people=3), switches=Switches(results_host="same")) as platform:
        assert set(outcomes(opened(platform, method="batches"), numbered(3)).values()) == {Outcome.SUPPRESSED}


@pytest.mark.parametrize("dead", [1, 2, 5])
def test_an_address_that_ran_out_is_asked_for_again(dead: int) -> None:
    """It works for some minutes only; the batch names a new one."""
    with account(People(AUDIENCE, people=3), switches=Switches(results_dead=dead)) as platform:
        found = outcomes(opened(platform, method="batches"), numbered(3))
        refused = [each.response.status for each in platform.fetched].count(403)

    assert set(found.values()) == {Outcome.SUPPRESSED}
    assert refused == dead


def test_people_of_a_batch_that_is_lost_are_told_again() -> None:
    """Nobody knows what it did."""
    with account(People(AUDIENCE, people=3), switches=Switches(batches_lost=True)) as platform:
        found = outcomes(opened(platform, method="batches"), numbered(3))

    assert set(found.values()) == {Outcome.RETRY_LATER}


def test_a_batch_of_a_killed_run_is_waited_for() -> None:
    """Its token says nothing of anybody: when it has ended, the audience shows what it did."""
    with account(People(AUDIENCE, people=3)) as platform:
        (job,) = opened(platform, method="batches").push(people(numbered(3)), POSITION)
        assert isinstance(job, Job)
        later = opened(platform, method="batches")
        stages = []
        while jobs := [each for each in later.poll(job) if isinstance(each, Job)]:
            stages += [each.stage for each in jobs]
        seen = {each.state for each in later.read_back(numbered(3))}

    assert stages == ["preprocessing", "started", "finalizing"]
    assert seen == {Remote.SUPPRESSED}


def test_a_batch_of_a_killed_run_that_is_gone_is_said_to_be() -> None:
    """The engine then looks for its people itself."""
    with account(People(AUDIENCE, people=3), switches=Switches(batches_lost=True)) as platform:
        (job,) = opened(platform, method="batches").push(people(numbered(3)), POSITION)
        assert isinstance(job, Job)
        with pytest.raises(DestinationFailed, match="no longer knows a batch"):
            list(opened(platform, method="batches").poll(job))


def test_too_many_changes_for_list_calls_go_as_batches() -> None:
    """By themselves, from the number that is configured."""
    with account(People(AUDIENCE, people=30)) as platform:
        found = outcomes(opened(platform, batches_from=25, batch_size=10), numbered(30))
        posts = asked(platform, "POST")

    assert set(found.values()) == {Outcome.SUPPRESSED}
    assert posts == ["POST /3.0/batches"] * 3


def test_operations_that_fail_are_told_from_those_that_did_not() -> None:
    """Members who vanish between reading and batch, and a platform that drops rows."""
    with account(People(AUDIENCE, people=4)) as platform:
        exporter = opened(platform, method="batches")
        started = [each for each in exporter.push(people(numbered(4)), POSITION) if isinstance(each, Job)]
        with platform.lock:
            platform.account.audiences[AUDIENCE].forget("person-1@example.com")
        found = {}
        while started:
            answers = [answer for job in started for answer in exporter.poll(job)]
            started = [each for each in answers if isinstance(each, Job)]
            found = {each.address: each.outcome for each in answers if not isinstance(each, Job)}  # type: ignore[union-attr]  # no snapshots

    assert found["person-1@example.com"] is Outcome.SKIPPED_UNKNOWN
    assert list(found.values()).count(Outcome.SUPPRESSED) == 3


def test_an_operation_without_an_answer_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that lacks rows accounts for fewer than were sent."""
    whole = wire.operations

    def lacking(files: list[bytes]) -> list[wire.OperationAnswer]:
        return whole(files)[1:]

    monkeypatch.setattr(wire, "operations", lacking)
    with account(People(AUDIENCE, people=3)) as platform:
        found = outcomes(opened(platform, method="batches"), numbered(3))

    assert sorted(found.values()) == [Outcome.RETRY_LATER, Outcome.SUPPRESSED, Outcome.SUPPRESSED]


def test_five_hundred_waiting_batches_are_the_most() -> None:
    """A further one is throttled, which ends the run in the end."""
    with account(People(AUDIENCE, people=2)) as platform:
        body = {"operations": [{"method": "GET", "path": "/ping"}]}
        for _ in range(500):
            platform._routes.batches.start(body)
        exporter = opened(platform, method="batches")
        with pytest.raises(DestinationFailed, match="429"):
            outcomes(exporter, numbered(2))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://results.example.com/a.tar.gz?k=1", "must begin with https"),
        ("https://user:pass@results.example.com/a", "may not hold a user name"),
        ("", "must begin with https"),
        ("file:///etc/passwd", "must begin with https"),
    ],
)
def test_a_place_that_is_no_place_for_results_is_not_fetched(url: str, why: str) -> None:
    """The address comes from an answer."""
    with pytest.raises(ContractBroken, match=why):
        fetched(url)


def test_results_on_this_machine_are_for_simulators_only() -> None:
    """A real API has nothing to fetch from here."""
    with pytest.raises(ContractBroken, match="lie on this machine"):
        fetched("http://127.0.0.1:9/a", origin="https://us19.api.mailchimp.com")


@pytest.mark.parametrize(
    ("response", "failure"),
    [
        (Response(403, b"<Error/>", "application/xml"), Expired),
        (Response(404, b""), Expired),
        (Response(503, b"", "text/plain"), Transient),
        (Response(200, b"no archive"), ContractBroken),
        (Response(200, packed(a=b"no json")), ContractBroken),
        (Response(200, packed(a=b'{"status_code": 200}')), ContractBroken),
        (Response(200, packed(a=b"[7]")), ContractBroken),
        (Response(200, packed(a=b'[{"operation_id": 1, "status_code": 200}]')), ContractBroken),
        (Response(200, packed(a=b"[" * 100_000)), ContractBroken),
    ],
)
def test_what_lies_there_is_read_or_refused(response: Response, failure: type[Exception]) -> None:
    """Never taken for results of nobody."""

    def handle(_request: Request) -> Response:
        return response

    with Loopback(handle) as server, pytest.raises(failure):
        fetched(f"{server.url}/batch-response.tar.gz?X-Signature=a%2Fb")


def test_an_address_is_fetched_as_it_is_given() -> None:
    """Its query is the key to it."""
    content = json.dumps([{"operation_id": "0", "status_code": 200, "response": "{}"}]).encode()
    with Loopback(lambda _request: Response(200, packed(a=content), "application/gzip")) as server:
        found = fetched(f"{server.url}/b/r.tar.gz?X-Signature=a%2Fb&X-Expires=600")
        (exchange,) = server.exchanges

    assert [(each.id, each.status, each.body) for each in found] == [("0", 200, b"{}")]
    assert exchange.request.query == (("X-Signature", "a/b"), ("X-Expires", "600"))
    assert urlsplit(server.url).hostname == "127.0.0.1"


def test_a_tar_that_was_unpacked_on_the_way_is_read_too() -> None:
    """A store may name gzip as the transfer's coding."""
    assert unpacked(gzip.decompress(packed(a=b"[]"))) == [b"[]"]


def test_no_more_is_unpacked_than_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small archive can hold a huge file."""
    monkeypatch.setattr(results, "LARGEST", 1_000)
    with pytest.raises(wire.NotAsPromised, match="more than 1,000 bytes"):
        unpacked(packed(a=b"0" * 600, b=b"0" * 600))


def test_what_is_beside_the_files_in_an_archive_is_passed_over() -> None:
    """Folders and links."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        link = tarfile.TarInfo("passwd")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)

    assert unpacked(whole.getvalue()) == []


def test_results_that_never_come_are_put_off() -> None:
    """The engine looks again later, and in the end gives up."""
    with account(People(AUDIENCE, people=2), switches=Switches(results_dead=10_000)) as platform:
        exporter = opened(platform, method="batches")
        (job,) = exporter.push(people(numbered(2)), POSITION)
        for _ in range(6):
            assert isinstance(job, Job)
            (job,) = exporter.poll(job)

        assert isinstance(job, Job)
        assert "not to be had" in job.stage


def test_a_failing_look_at_a_batch_is_an_error_and_the_batch_is_not_forgotten() -> None:
    """The next look finds it."""
    down = Fault("failed", method="GET", path=".*/batches/.*", times=6)
    with account(People(AUDIENCE, people=2), faults=[down]) as platform:
        exporter = opened(platform, method="batches")
        (job,) = exporter.push(people(numbered(2)), POSITION)
        assert isinstance(job, Job)
        with pytest.raises(Transient):
            list(exporter.poll(job))

        assert [type(each) for each in exporter.poll(job)] == [Job]


def test_answers_that_are_no_batch_are_refused() -> None:
    """An id decides what is asked for next."""
    bodies: list[object] = [{}, {"id": "../lists", "status": "finished"}, {"id": "b", "status": 7}, []]
    for body in bodies:
        with pytest.raises(wire.NotAsPromised):
            wire.batch(body)
