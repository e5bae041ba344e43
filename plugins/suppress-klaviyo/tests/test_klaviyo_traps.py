"""What Klaviyo is known to do to its clients, each a switch of the simulator, and what is made of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from klaviyo_opening import account, opened, told
from suppress_klaviyo.simulator import Scenario, bodies

from suppress.plugin.contract import Intent, Job, Outcome, Pushed, Remote, Result
from suppress.plugin.errors import AuthFailed, ContractBroken, PermissionMissing, Throttled, Transient
from suppress.plugin.kit import POSITION, people
from suppress.plugin.loopback import Loopback, Request, Response, answer
from tests.plugin.virtual import VirtualTime

PAT, SAM, KIM = "pat@example.com", "sam@example.com", "kim@example.com"


def outcome(pushed: Pushed) -> Outcome:
    """Of an answer that is a result."""
    assert isinstance(pushed, Result)
    return pushed.outcome


def test_an_address_without_a_profile_is_left_alone() -> None:
    """A job would make a profile of it; nobody who is not there is mailed."""
    with account(Scenario(profiles=(PAT,))) as (platform, exporter):
        planned = {each.address: each.intent for each in exporter.plan(people([PAT, SAM]))}

        assert planned == {PAT: Intent.SUPPRESS, SAM: Intent.UNKNOWN_SKIP}
        assert told(exporter, PAT, SAM) == {PAT: Outcome.SUPPRESSED, SAM: Outcome.SKIPPED_UNKNOWN}
        assert platform.account.found(SAM) is None
        assert [each.state for each in exporter.read_back([PAT, SAM])] == [Remote.SUPPRESSED, Remote.UNKNOWN]


def test_an_address_without_a_profile_is_made_one_where_that_is_asked_for() -> None:
    """Suppressed at once: it keeps whoever is imported later from being mailed."""
    with account(unknown="create_suppressed") as (platform, exporter):
        (planned,) = exporter.plan(people([SAM]))

        assert planned.intent is Intent.UNKNOWN_CREATE
        assert told(exporter, SAM) == {SAM: Outcome.SUPPRESSED}
        assert platform.account.found(SAM) is not None
        assert not platform.account.would_mail(SAM)


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("UNSUBSCRIBE", Outcome.ALREADY),
        ("SPAM_COMPLAINT", Outcome.ALREADY),
        ("USER_SUPPRESSED", Outcome.ALREADY),
        ("HARD_BOUNCE", Outcome.NOT_MAILABLE),
        ("INVALID_EMAIL", Outcome.NOT_MAILABLE),
    ],
)
def test_who_is_suppressed_stays_as_they_are(reason: str, outcome: Outcome) -> None:
    """No job is started: what stands is as strong or stronger."""
    with account(Scenario(suppressed=(f"{reason} {PAT}",))) as (platform, exporter):
        assert told(exporter, PAT) == {PAT: outcome}
        assert platform.account.jobs == {}
        (planned,) = exporter.plan(people([PAT]))
        assert planned.intent is Intent.ALREADY


def test_staff_can_end_what_a_job_did_and_nothing_else() -> None:
    """`USER_SUPPRESSED` is the weakest of the reasons: it is looked at again, and told again."""
    with account(Scenario(profiles=(PAT,), suppressed=(f"UNSUBSCRIBE {SAM}",))) as (platform, exporter):
        told(exporter, PAT)
        platform.account.unsuppress(PAT)
        platform.account.unsuppress(SAM)

        assert [each.state for each in exporter.read_back([PAT, SAM])] == [Remote.MAILABLE, Remote.SUPPRESSED]
        assert told(exporter, PAT) == {PAT: Outcome.SUPPRESSED}


@pytest.mark.parametrize("pointer", [True, False])
@pytest.mark.parametrize("filter_minds", [True, False])
def test_one_bad_address_does_not_hold_up_its_batch(pointer: bool, filter_minds: bool) -> None:
    """It is dropped where the answer names it; else the batch is halved until it stands alone."""
    bad = "bad@example.com"
    scenario = Scenario(invalid=(bad,), pointer=pointer, filter_minds=filter_minds)
    with account(scenario, unknown="create_suppressed") as (_, exporter):
        found = told(exporter, PAT, bad, SAM, KIM)
        (seen,) = exporter.read_back([bad])

        assert found == {
            PAT: Outcome.SUPPRESSED,
            SAM: Outcome.SUPPRESSED,
            KIM: Outcome.SUPPRESSED,
            bad: Outcome.REJECTED_PERMANENT,
        }
        assert seen.state is (Remote.UNREADABLE if filter_minds else Remote.UNKNOWN)


def test_what_no_mail_system_takes_is_never_sent() -> None:
    """It would fail the whole batch."""
    bad = ["no-at-sign", "two\nlines@example.com", "x" * 300 + "@example.com"]
    with account() as (platform, exporter):
        assert set(told(exporter, *bad).values()) == {Outcome.REJECTED_PERMANENT}
        assert {each.intent for each in exporter.plan(people(bad))} == {Intent.INVALID}
        assert {each.state for each in exporter.read_back(bad)} == {Remote.UNREADABLE}
        assert platform.exchanges == ()


def test_a_job_is_asked_for_until_it_has_ended() -> None:
    """Queued, processing, complete; each look says when to look again."""
    with account(Scenario(profiles=(PAT,), polls=3)) as (_, exporter):
        (answered,) = exporter.push(iter(people([PAT])), POSITION)
        stages = []
        while isinstance(answered, Job):
            stages.append(answered.stage)
            (answered,) = exporter.poll(answered)

        assert stages == ["queued", "processing", "processing"]
        assert isinstance(answered, Result)
        assert answered.outcome is Outcome.SUPPRESSED
        assert answered.evidence is not None
        assert answered.evidence.request_id == "job00000002"


@pytest.mark.parametrize("scenario", [Scenario(cancelled=True), Scenario(lost=True)])
def test_people_of_a_job_that_came_to_nothing_are_told_again(scenario: Scenario) -> None:
    """Cancelled, or gone when it is asked for."""
    with account(scenario) as (platform, exporter):
        platform.account.add([PAT])

        assert told(exporter, PAT) == {PAT: Outcome.RETRY_LATER}


def test_a_lost_job_that_was_done_is_found_done() -> None:
    """Only the profiles count, in both ways."""
    with account(Scenario(profiles=(PAT,))) as (platform, exporter):
        (job,) = exporter.push(iter(people([PAT])), POSITION)
        assert isinstance(job, Job)
        with platform.lock:
            platform.account.suppress(PAT, "USER_SUPPRESSED", platform.now())
            platform.account.jobs.clear()
        (found,) = exporter.poll(job)

        assert outcome(found) is Outcome.SUPPRESSED


def test_a_complete_job_that_did_nothing_is_no_success() -> None:
    """Its counts say that everybody was done. The profiles are waited for, and then it is told again."""
    waits = VirtualTime()
    with account(Scenario(profiles=(PAT,), unapplied=True), waits=waits, settle_seconds=30) as (_, exporter):
        assert told(exporter, PAT, waits=waits) == {PAT: Outcome.RETRY_LATER}
        assert waits.passed >= 30


def test_profiles_may_be_behind_their_job() -> None:
    """By seconds to minutes, in which the job goes on as `applying`."""
    waits = VirtualTime()
    with account(Scenario(profiles=(PAT, SAM), behind=2), waits=waits) as (_, exporter):
        answers = list(exporter.push(iter(people([PAT, SAM])), POSITION))
        (job,) = answers
        assert isinstance(job, Job)
        (again,) = exporter.poll(job)

        assert isinstance(again, Job)
        assert (again.token, again.stage) == (job.token, "applying")
        assert again.next_poll == waits.now() + timedelta(seconds=5)
        (still,) = exporter.poll(again)
        assert isinstance(still, Job)
        assert {outcome(each) for each in exporter.poll(still)} == {Outcome.SUPPRESSED}


def test_a_job_of_another_run_says_nothing_of_anybody() -> None:
    """Its counts name nobody; whose they are is known to the run that started it. The engine reads then."""
    with account(Scenario(profiles=(PAT,), polls=2)) as (platform, exporter):
        (job,) = exporter.push(iter(people([PAT])), POSITION)
        assert isinstance(job, Job)
        with opened(platform.url) as later:
            (running,) = later.poll(job)
            assert isinstance(running, Job)
            ended = list(later.poll(running))
            (seen,) = later.read_back([PAT])

        assert ended == []
        assert seen.state is Remote.SUPPRESSED


def test_a_hundred_addresses_are_a_job() -> None:
    """More than a hundred are several."""
    addresses = [f"p{number}@example.com" for number in range(250)]
    with account(Scenario(profiles=tuple(addresses))) as (platform, exporter):
        found = told(exporter, *addresses)

        assert set(found.values()) == {Outcome.SUPPRESSED}
        assert sorted(len(each.addresses) for each in platform.account.jobs.values()) == [50, 100, 100]


def test_long_addresses_are_asked_for_in_urls_that_servers_take() -> None:
    """A filter stands in the URL; those over 8,000 characters are cut or refused on the way."""
    addresses = [f"{number}{'ü' * 60}@example.com" for number in range(40)]
    with account(Scenario(profiles=tuple(addresses))) as (platform, exporter):
        states = {each.state for each in exporter.read_back(addresses)}
        longest = max(len(str(dict(each.request.query)["filter"])) for each in platform.exchanges)

        assert states == {Remote.MAILABLE}
        assert longest < 8_000
        assert len(platform.exchanges) > 1


def test_profiles_that_differ_by_case_are_all_told() -> None:
    """Both may be mailed; the address is one."""
    scenario = Scenario(profiles=("Pat@Example.com", PAT), minds_case=True)
    with account(scenario) as (platform, exporter):
        found = told(exporter, "Pat@Example.com")

        assert found == {"Pat@Example.com": Outcome.SUPPRESSED}
        assert not platform.account.would_mail(PAT)
        assert platform.account.suppressed == 2


def test_a_job_takes_a_hundred_spellings_and_parts_nobody() -> None:
    """Two profiles a person are two addresses of a job."""
    people_there = [f"P{number}@Example.com" for number in range(80)]
    both = (*people_there, *(each.lower() for each in people_there))
    with account(Scenario(profiles=both, minds_case=True)) as (platform, exporter):
        found = told(exporter, *people_there)

        assert set(found.values()) == {Outcome.SUPPRESSED}
        assert platform.account.suppressed == 160
        assert sorted(len(each.addresses) for each in platform.account.jobs.values()) == [60, 100]


def test_every_request_names_the_revision() -> None:
    """What an account answers without one is not written down; this one refuses it."""
    with account(Scenario(profiles=(PAT,))) as (platform, exporter):
        told(exporter, PAT)
        kinds = {each.request.headers["accept"] for each in platform.exchanges}
        posted = {each.request.headers["content-type"] for each in platform.exchanges if each.request.body}

        assert {each.request.headers["revision"] for each in platform.exchanges} == {"2026-07-15"}
        assert kinds == posted == {"application/vnd.api+json"}


@pytest.mark.parametrize("line", ["reset", "cut", "delay"])
def test_a_write_whose_answer_is_lost_is_sent_again(line: str) -> None:
    """Two jobs about the same people do what one does."""
    with account(Scenario(profiles=(PAT,), line=(line,))) as (platform, exporter):
        assert told(exporter, PAT) == {PAT: Outcome.SUPPRESSED}
        assert len(platform.account.jobs) == (1 if line == "delay" else 2)


def test_throttling_is_waited_for() -> None:
    """As `Retry-After` says."""
    waits = VirtualTime()
    with account(Scenario(profiles=(PAT,), per_minute=1), waits=waits) as (_, exporter):
        assert told(exporter, PAT) == {PAT: Outcome.SUPPRESSED}
        assert max(waits.slept) >= 1


def test_endless_throttling_says_when_to_come_back() -> None:
    """An hour is not waited for."""
    limit = bodies.error(429, "throttled", "slow down").with_headers(("Retry-After", "3600"))
    waits = VirtualTime()
    with (
        Loopback(lambda _request: limit) as server,
        opened(server.url, waits=waits) as exporter,
        pytest.raises(Throttled) as raised,
    ):
        told(exporter, PAT)

    assert raised.value.retry_at == waits.now() + timedelta(hours=1)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_what_is_over_soon_is_tried_again(status: int) -> None:
    """Reading and writing."""
    with account(Scenario(profiles=(PAT,), failing=(status, 0, status, 0))) as (_, exporter):
        assert told(exporter, PAT) == {PAT: Outcome.SUPPRESSED}


def test_one_failure_makes_a_batch_wait() -> None:
    """Each call is tried six times before it counts."""
    addresses = [f"p{number}@example.com" for number in range(4)]
    once = Scenario(profiles=tuple(addresses), failing=(0, *[503] * 6))
    with account(once, connections=1, batch_size=1) as (_, exporter):
        found = told(exporter, *addresses)

        assert sorted(found.values()) == [Outcome.RETRY_LATER, *[Outcome.SUPPRESSED] * 3]


@pytest.mark.parametrize("failing", [(503,) * 1_000, (0, *[503] * 6) * 4])
def test_a_platform_that_is_down_ends_the_run(failing: tuple[int, ...]) -> None:
    """Whether it can still be read or not."""
    addresses = [f"p{number}@example.com" for number in range(4)]
    with (
        account(Scenario(profiles=tuple(addresses), failing=failing), connections=1, batch_size=1) as (
            _,
            exporter,
        ),
        pytest.raises(Transient, match="failed with 503"),
    ):
        told(exporter, *addresses)


def test_a_key_that_may_not_write_names_what_it_lacks() -> None:
    """The person can make another key."""
    with account(Scenario(profiles=(PAT,), read_only=True)) as (_, exporter):
        with pytest.raises(PermissionMissing) as raised:
            told(exporter, PAT)

        assert raised.value.scope == "profiles:write, subscriptions:write"


def test_a_refused_key_is_said() -> None:
    """It is the person who must do something."""
    with account(api_key="pk_old") as (_, exporter), pytest.raises(AuthFailed, match="refused the API key"):
        told(exporter, PAT)


def test_one_odd_answer_makes_a_batch_wait_and_several_end_the_run() -> None:
    """In the vendor's words, without the address that they quote."""
    odd = bodies.error(418, "teapot", "a teapot for pat@example.com")
    with (
        Loopback(lambda _request: odd) as server,
        opened(server.url, connections=1, batch_size=1) as exporter,
    ):
        assert told(exporter, PAT) == {PAT: Outcome.RETRY_LATER}
        with pytest.raises(ContractBroken, match=r"answered 418; it said: a teapot for \[address\]"):
            told(exporter, PAT, SAM, KIM)


def test_a_token_of_oauth_is_a_bearers() -> None:
    """Private keys begin with `pk_`."""
    seen: list[str] = []

    def empty(request: Request) -> Response:
        seen.append(request.headers["authorization"])
        return answer(200, {"data": []})

    with Loopback(empty) as server, opened(server.url, api_key="oauth-token") as exporter:
        told(exporter, PAT)

    assert set(seen) == {"Bearer oauth-token"}


def test_a_renewed_key_is_picked_up(tmp_path: Path) -> None:
    """OAuth tokens are short-lived; whoever renews them writes the file anew."""
    file = tmp_path / "key"
    file.write_text("old-token")

    def renewing(request: Request) -> Response:
        if request.headers["authorization"] == "Bearer new-token":
            return answer(200, {"data": []})
        file.write_text("new-token")
        return answer(401, {"errors": []})

    with Loopback(renewing) as server, opened(server.url, api_key="", api_key_file=str(file)) as exporter:
        (seen,) = exporter.read_back([PAT])

    assert seen.state is Remote.UNKNOWN
