"""What HubSpot is known to do to its clients, each a switch of the simulator, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hubspot_opening import FAST, account, calls_of, opened, settings_for
from suppress_hubspot.exporter import HubSpot
from suppress_hubspot.simulator import Fault, Scenario, Simulator, Trap

from suppress.config import DestinationSettings
from suppress.errors import QuotaExhausted
from suppress.plugin.contract import Intent, Job, Outcome, Pushed, Remote, Result, Suppressed
from suppress.plugin.errors import AuthFailed, ContractBroken, PermissionMissing, Throttled, Transient
from suppress.plugin.kit import POSITION, people
from suppress.plugin.loopback import Loopback, Request, Response, answer
from tests.plugin.virtual import VirtualTime

PAT, SAM, KIM = "pat@example.com", "sam@example.com", "kim@example.com"
MODES = [pytest.param(False, id="single"), pytest.param(True, id="batch")]
WRITES = {False: "unsubscribe-all", True: "batch unsubscribe-all"}


def told(exporter: HubSpot, entries: Iterable[Suppressed]) -> dict[str, Result]:
    """What became of each, by address."""
    return {each.address: each for each in map(result, exporter.push(iter(entries), POSITION))}


def result(pushed: Pushed) -> Result:
    """HubSpot answers with results and nothing else."""
    assert isinstance(pushed, Result)
    return pushed


def outcomes(exporter: HubSpot, *addresses: str) -> dict[str, Outcome]:
    """What became of these addresses."""
    return {address: each.outcome for address, each in told(exporter, people(addresses)).items()}


@pytest.mark.parametrize("enterprise", MODES)
def test_an_address_without_a_contact_is_opted_out_and_no_contact_is_made(enterprise: bool) -> None:
    """The preference belongs to the address, so that a contact that is made later is opted out too."""
    with account(Scenario(enterprise=enterprise)) as (platform, exporter):
        found = outcomes(exporter, PAT)
        platform.account.add([PAT], platform.now())
        contact = platform.account.contact(PAT)

        assert found == {PAT: Outcome.SUPPRESSED}
        assert contact is not None
        assert contact.history[-1][1] is True
        assert len(platform.account) == 1


@pytest.mark.parametrize("enterprise", MODES)
def test_who_is_out_already_stays_as_it_was(enterprise: bool) -> None:
    """Their own opt-out is older, and keeps its time and source."""
    with account(Scenario(enterprise=enterprise, opted_out=(PAT,))) as (platform, exporter):
        before = platform.account.opt_outs(PAT)[0]

        assert outcomes(exporter, PAT) == {PAT: Outcome.ALREADY}
        assert platform.account.opt_outs(PAT)[0] is before


@pytest.mark.parametrize("enterprise", MODES)
def test_empty_results_mean_that_nobody_is_opted_out(enterprise: bool) -> None:
    """`results: []` is how HubSpot says that an address can be mailed."""
    with account(Scenario(enterprise=enterprise)) as (_, exporter):
        (seen,) = exporter.read_back([PAT])
        (planned,) = exporter.plan(people([PAT]))

        assert seen.state is Remote.MAILABLE
        assert planned.intent is Intent.SUPPRESS


def test_without_verbose_an_answer_names_nobody_so_it_is_always_asked_for() -> None:
    """The vendor's answer is empty without it; every write of ours has it."""
    with account() as (platform, exporter):
        outcomes(exporter, PAT)
        (write,) = [each for each in platform.exchanges if each.request.method == "POST"]

        assert write.request.asked("verbose") == "true"
        assert write.request.asked("channel") == "EMAIL"


@pytest.mark.parametrize("enterprise", MODES)
def test_a_silent_success_is_told_again(enterprise: bool) -> None:
    """A 2xx with neither results nor errors was not applied, as reading shows; one of two was."""
    silent = Fault(Trap.SILENT, WRITES[enterprise])
    with account(Scenario(enterprise=enterprise, faults=(silent,))) as (platform, exporter):
        first = outcomes(exporter, PAT)
        second = outcomes(exporter, PAT)

        assert first == {PAT: Outcome.RETRY_LATER}
        assert second == {PAT: Outcome.SUPPRESSED}
        assert not platform.account.would_mail(PAT)


@pytest.mark.parametrize("enterprise", MODES)
def test_a_silent_success_that_was_applied_is_found_by_reading(enterprise: bool) -> None:
    """The answer accounts for nobody, the account-wide check does."""
    silenced = Fault(Trap.SILENCED, WRITES[enterprise])
    with account(Scenario(enterprise=enterprise, faults=(silenced,))) as (_, exporter):
        (found,) = told(exporter, people([PAT])).values()

        assert (found.outcome, found.after) == (Outcome.SUPPRESSED, Remote.SUPPRESSED)


@pytest.mark.parametrize("enterprise", MODES)
def test_what_was_accepted_and_not_applied_shows_when_it_is_read_back(enterprise: bool) -> None:
    """The answer is right in every way; only reading tells."""
    unapplied = Fault(Trap.UNAPPLIED, WRITES[enterprise])
    with account(Scenario(enterprise=enterprise, faults=(unapplied,))) as (_, exporter):
        claimed = outcomes(exporter, PAT)
        (seen,) = exporter.read_back([PAT])

        assert claimed == {PAT: Outcome.SUPPRESSED}
        assert seen.state is Remote.MAILABLE


@pytest.mark.parametrize(
    ("category", "outcome"),
    [("VALIDATION_ERROR", Outcome.REJECTED_PERMANENT), ("RATE_LIMITS", Outcome.RETRY_LATER)],
)
@pytest.mark.parametrize("status", [200, 207])
def test_a_2xx_with_errors_is_taken_apart_by_address(status: int, category: str, outcome: Outcome) -> None:
    """Whoever is in `errors` was not told; only what no later call would change is for good."""
    partial = Fault(Trap.PARTIAL, "batch unsubscribe-all", status=status, category=category)
    with account(Scenario(enterprise=True, faults=(partial,))) as (platform, exporter):
        found = outcomes(exporter, PAT, SAM)
        mailed = [each for each in (PAT, SAM) if platform.account.would_mail(each)]

        assert sorted(found.values()) == sorted([outcome, Outcome.SUPPRESSED])
        assert [each for each in found if found[each] is outcome] == mailed


def test_whom_a_batch_reading_does_not_tell_is_asked_for_alone() -> None:
    """`errors` of a 207 reading leave the state unreadable, never suppressed."""
    partial = Fault(Trap.PARTIAL, "batch read", category="INTERNAL_ERROR")
    silent = Fault(Trap.SILENT, "batch read", after=1)
    with account(Scenario(enterprise=True, opted_out=(PAT, SAM), faults=(partial, silent))) as (_, exporter):
        mixed = [each.state for each in exporter.read_back([PAT, SAM])]
        alone = [each.state for each in exporter.read_back([PAT, SAM])]

        assert mixed == [Remote.SUPPRESSED, Remote.UNREADABLE]
        assert alone == [Remote.SUPPRESSED, Remote.SUPPRESSED]


def test_one_bad_address_does_not_hold_up_its_batch() -> None:
    """It fails the whole call; the batch is halved until it stands alone."""
    with account(Scenario(enterprise=True, invalid=(SAM,))) as (_, exporter):
        found = outcomes(exporter, PAT, SAM, KIM)
        states = {each.address: each.state for each in exporter.read_back([PAT, SAM, KIM])}

        assert found == {PAT: Outcome.SUPPRESSED, KIM: Outcome.SUPPRESSED, SAM: Outcome.REJECTED_PERMANENT}
        assert states == {PAT: Remote.SUPPRESSED, KIM: Remote.SUPPRESSED, SAM: Remote.UNREADABLE}


def test_a_bad_address_is_refused_alone() -> None:
    """A single call with it is a 400, and evidence of that is kept."""
    with account(Scenario(invalid=(SAM,))) as (_, exporter):
        found = told(exporter, people([PAT, SAM]))
        (seen,) = exporter.read_back([SAM])
        proof = found[SAM].evidence

        assert found[PAT].outcome is Outcome.SUPPRESSED
        assert found[SAM].outcome is Outcome.REJECTED_PERMANENT
        assert proof is not None
        assert proof.status == 400
        assert seen.state is Remote.UNREADABLE


@pytest.mark.parametrize("enterprise", MODES)
def test_what_no_mail_system_takes_is_never_sent(enterprise: bool) -> None:
    """Too many errors cost an app its certification; such an address is refused here."""
    bad = ["no-at-sign", "two\nlines@example.com", "x" * 300 + "@example.com"]
    with account(Scenario(enterprise=enterprise)) as (platform, exporter):
        found = outcomes(exporter, *bad)
        planned = {each.intent for each in exporter.plan(people(bad))}
        states = {each.state for each in exporter.read_back(bad)}

        assert set(found.values()) == {Outcome.REJECTED_PERMANENT}
        assert planned == {Intent.INVALID}
        assert states == {Remote.UNREADABLE}
        assert platform.exchanges == ()


def test_an_address_with_a_slash_cannot_be_in_a_path_and_can_be_in_a_batch() -> None:
    """A server may decode it before it routes; the run says so instead of calling something else."""
    slashed = "a/b@example.com"
    with account() as (platform, exporter):
        (planned,) = exporter.plan(people([slashed]))

        assert planned.intent is Intent.BLOCKED
        assert outcomes(exporter, slashed) == {slashed: Outcome.REJECTED_PERMANENT}
        assert platform.exchanges == ()
    with account(Scenario(enterprise=True)) as (_, exporter):
        assert outcomes(exporter, slashed) == {slashed: Outcome.SUPPRESSED}


def test_batches_without_enterprise_name_the_scope_and_the_other_mode() -> None:
    """Only Marketing Hub Enterprise can grant it."""
    with account(mode="batch") as (_, exporter):
        with pytest.raises(PermissionMissing) as raised:
            outcomes(exporter, PAT)

        assert raised.value.scope == "communication_preferences.statuses.batch.read"
        assert raised.value.remedy is not None
        assert 'mode = "single"' in raised.value.remedy


def test_a_missing_scope_is_named() -> None:
    """The private app lacks it; the person can add it."""
    with (
        account(Scenario(scopes=("communication_preferences.read",))) as (_, exporter),
        pytest.raises(PermissionMissing, match=r"lacks communication_preferences\.write"),
    ):
        outcomes(exporter, PAT)


@pytest.mark.parametrize("status", [423, 477, 500, 502, 503, 504])
def test_what_is_over_soon_is_tried_again(status: int) -> None:
    """A lock, a migration of the account, a fault on the server side."""
    failing = Fault(Trap.ERROR, "unsubscribe-all", times=2, status=status)
    with account(Scenario(faults=(failing,))) as (_, exporter):
        (found,) = told(exporter, people([PAT])).values()
        proof = found.evidence

        assert found.outcome is Outcome.SUPPRESSED
        assert proof is not None
        assert proof.attempts == 3


@pytest.mark.parametrize("trap", [Trap.RESET, Trap.CUT, Trap.PAGE])
@pytest.mark.parametrize("enterprise", MODES)
def test_a_write_whose_answer_is_lost_is_sent_again(trap: Trap, enterprise: bool) -> None:
    """It sets what is set already, so that nobody is told in vain."""
    lost = Fault(trap, WRITES[enterprise])
    with account(Scenario(enterprise=enterprise, faults=(lost,))) as (platform, exporter):
        found = outcomes(exporter, PAT)

        assert found[PAT] in (Outcome.ALREADY, Outcome.SUPPRESSED)
        assert calls_of(platform).count(WRITES[enterprise]) == 2


def test_a_late_answer_is_waited_for() -> None:
    """The simulator lets others in meanwhile."""
    with account(Scenario(faults=(Fault(Trap.DELAY, seconds=0.05),))) as (_, exporter):
        assert outcomes(exporter, PAT) == {PAT: Outcome.SUPPRESSED}


def test_the_ten_seconds_limit_is_waited_for() -> None:
    """It is over in a second, as `Retry-After` says."""
    waits = VirtualTime()
    scenario = Scenario(per_10_seconds=2)
    with Simulator(scenario, clock=waits.now) as platform:
        exporter = opened(platform, clock=waits.clock, connections=1)
        found = outcomes(exporter, PAT, SAM, KIM)
        exporter.close()

        assert set(found.values()) == {Outcome.SUPPRESSED}
        assert max(waits.slept) >= 1
        assert 429 in [each.response.status for each in platform.exchanges]


def test_the_days_limit_ends_the_run_until_midnight_there(tmp_path: Path) -> None:
    """Not a request more, in this run and in the next ones, until the account's day is over."""
    waits = VirtualTime()
    with Simulator(Scenario(per_day=2)) as platform:
        options = {
            **FAST,
            "api_url": platform.url,
            "access_token": platform.token,
            "time_zone": "America/New_York",
            "connections": 1,
        }
        settings = DestinationSettings("crm", "hubspot", options=options, state=tmp_path)
        exporter = HubSpot(settings, clock=waits.clock)
        answers = exporter.push(iter(people([PAT, SAM, KIM])), POSITION)
        done = [result(next(answers)).outcome, result(next(answers)).outcome]
        with pytest.raises(QuotaExhausted) as raised:
            next(answers)
        asked = len(platform.exchanges)
        exporter.close()
        later = HubSpot(settings, clock=waits.clock)
        with pytest.raises(QuotaExhausted):
            list(later.read_back([PAT]))
        later.close()

        assert done == [Outcome.SUPPRESSED] * 2
        assert asked == len(platform.exchanges) == 3
        assert raised.value.resets_at is not None
        assert raised.value.resets_at.hour in (4, 5)  # midnight in New York, summer or winter


def test_endless_throttling_says_when_to_come_back() -> None:
    """`Retry-After` of an hour is not waited for."""
    limit = answer(429, {"message": "slow down", "policyName": "SECONDLY"}, ("Retry-After", "3600"))
    with Loopback(lambda _request: limit) as server:
        waits = VirtualTime()
        exporter = HubSpot(settings_for(server.url), clock=waits.clock)
        with pytest.raises(Throttled) as raised:
            outcomes(exporter, PAT)
        exporter.close()

    at = waits.now() + timedelta(hours=1)
    assert raised.value.retry_at == at


def test_one_odd_answer_makes_one_person_wait_and_several_end_the_run() -> None:
    """A proxy may stumble over one odd address in a path; in the vendor's words, without the address."""
    with Loopback(lambda _request: answer(404, {"message": "nothing here for pat@example.com"})) as server:
        exporter = HubSpot(settings_for(server.url, connections=1), clock=VirtualTime().clock)
        found = outcomes(exporter, PAT)
        with pytest.raises(ContractBroken, match=r"answered 404; it said: nothing here for \[address\]"):
            outcomes(exporter, PAT, SAM, KIM)
        exporter.close()

    assert found == {PAT: Outcome.RETRY_LATER}


def test_a_refused_token_is_said() -> None:
    """It is the person who must do something."""
    with account(access_token="pat-na1-old") as (_, exporter), pytest.raises(AuthFailed):
        outcomes(exporter, PAT)


def test_a_renewed_token_is_picked_up(tmp_path: Path) -> None:
    """OAuth tokens live half an hour; whoever renews them writes the file anew."""
    file = tmp_path / "token"
    file.write_text("old-token\n")

    def renewing(request: Request) -> Response:
        if request.headers["authorization"] == "Bearer new-token":
            return answer(200, {"status": "COMPLETE", "results": []})
        file.write_text("new-token\n")
        return answer(401, {"message": "expired"})

    with Loopback(renewing) as server:
        options = {**FAST, "api_url": server.url, "access_token_file": str(file)}
        exporter = HubSpot(DestinationSettings("crm", "hubspot", options=options), clock=VirtualTime().clock)
        (seen,) = exporter.read_back([PAT])
        exporter.close()

    assert seen.state is Remote.MAILABLE


@pytest.mark.parametrize("enterprise", MODES)
def test_one_failure_makes_one_wait_and_several_in_a_row_end_the_run(enterprise: bool) -> None:
    """Each is tried six times before it counts."""
    once = Fault(Trap.ERROR, WRITES[enterprise], times=6)
    with account(Scenario(enterprise=enterprise, faults=(once,)), connections=1, batch_size=1) as (
        _,
        exporter,
    ):
        found = outcomes(exporter, PAT, SAM)

        assert sorted(found.values()) == sorted([Outcome.RETRY_LATER, Outcome.SUPPRESSED])
    down = Fault(Trap.ERROR, WRITES[enterprise], times=1_000)
    with (
        account(Scenario(enterprise=enterprise, faults=(down,)), connections=1, batch_size=1) as (
            _,
            exporter,
        ),
        pytest.raises(Transient, match="failed with 503"),
    ):
        outcomes(exporter, PAT, SAM, KIM, "lee@example.com", "max@example.com")


def test_a_brand_that_stopped_is_not_the_account() -> None:
    """For the account only `PORTAL_WIDE` counts; for a brand its own opt-out, or the account's."""
    with account(Scenario(brands=(7, 8))) as (platform, whole):
        brand = opened(platform, clock=VirtualTime().clock, business_unit=7)
        other = opened(platform, clock=VirtualTime().clock, business_unit=8)
        found = outcomes(brand, PAT)
        states = [next(iter(each.read_back([PAT]))).state for each in (brand, other, whole)]
        outcomes(whole, PAT)
        after = [next(iter(each.read_back([PAT]))) for each in (brand, other, whole)]
        brand.close()
        other.close()

        assert found == {PAT: Outcome.SUPPRESSED}
        assert states == [Remote.SUPPRESSED, Remote.MAILABLE, Remote.MAILABLE]
        assert {each.state for each in after} == {Remote.SUPPRESSED}
        assert after[2].reason == "PORTAL_WIDE"


def test_the_platforms_clock_dates_the_opt_out() -> None:
    """It may be ahead of ours; what it says is what an auditor will find there."""
    with account(Scenario(clock_skew=3600)) as (platform, exporter):
        outcomes(exporter, PAT)
        (seen,) = exporter.read_back([PAT])

        assert seen.at is not None
        assert seen.at == platform.account.opt_outs(PAT)[0].at.replace(microsecond=seen.at.microsecond)
        assert seen.at > datetime.now(UTC) + timedelta(minutes=50)


def test_an_answer_that_says_it_subscribed_somebody_stops_everything() -> None:
    """No call of ours can do that; if it happens, a person must look."""
    status = {
        "subscriberIdString": PAT,
        "subscriptionId": 1,
        "channel": "EMAIL",
        "status": "UNSUBSCRIBED",
        "source": "x",
        "timestamp": "2026-11-23T00:00:00Z",
        "setStatusSuccessReason": "RESUBSCRIBE_OCCURRED",
    }
    with Loopback(lambda _request: answer(200, {"status": "COMPLETE", "results": [status]})) as server:
        exporter = HubSpot(settings_for(server.url), clock=VirtualTime().clock)
        with pytest.raises(ContractBroken, match="subscribed somebody"):
            outcomes(exporter, PAT)
        exporter.close()


def test_there_are_no_jobs() -> None:
    """HubSpot answers at once."""
    with account() as (_, exporter):
        assert list(exporter.poll(Job("x", "none", datetime.now(UTC)))) == []
