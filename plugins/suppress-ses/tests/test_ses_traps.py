"""What SES is known to do to its clients, each a switch of the simulator, and what is made of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ses_opening import account, calls_of, outcomes, settings_for, told
from suppress_ses.exporter import Ses
from suppress_ses.simulator import Fault, Scenario, Trap

from suppress.core.suppression import Reason
from suppress.errors import DestinationFailed
from suppress.plugin.contract import Intent, Job, Observation, Outcome, Remote
from suppress.plugin.errors import (
    AuthFailed,
    ContractBroken,
    PermissionMissing,
    Throttled,
    Transient,
)
from suppress.plugin.kit import people
from suppress.plugin.loopback import Loopback, Request, Response, answer
from tests.plugin.virtual import from_now

PAT, SAM, KIM, LEE = "pat@example.com", "sam@example.com", "kim@example.com", "lee@example.com"
PUT, GET, LIST = "PutSuppressedDestination", "GetSuppressedDestination", "ListSuppressedDestinations"


def swept(exporter: Ses) -> list[Observation]:
    """Everyone of a whole sweep."""
    found: list[Observation] = []
    cursor = None
    for _ in range(100):
        page, cursor = exporter.sweep(cursor)
        found += page
        if cursor is None:
            break
    assert cursor is None
    return found


# --- Reasons ---------------------------------------------------------------------------------------------


def test_nobody_is_told_while_the_reason_is_switched_off() -> None:
    """SES takes them, shows them on its list, and mails them: the top silent failure."""
    with account(Scenario(reasons=("BOUNCE",))) as (platform, exporter):
        with pytest.raises(DestinationFailed, match="does not suppress for the reason COMPLAINT") as off:
            told(exporter, PAT)

        assert "put-account-suppression-attributes" in str(off.value.remedy)
        assert calls_of(platform) == ["GetAccount"]


def test_who_is_on_the_list_for_a_reason_that_was_switched_off_reads_as_mailable() -> None:
    """Which is drift, and what SES does."""
    with account(Scenario(bounces=(LEE,))) as (platform, exporter):
        told(exporter, PAT)
        platform.account.reasons.discard("COMPLAINT")
        states = {each.address: each.state for each in exporter.read_back([PAT, LEE])}
        listed = {each.address: each.state for each in swept(exporter)}

        assert states == listed == {PAT: Remote.MAILABLE, LEE: Remote.NOT_MAILABLE}
        assert platform.account.would_mail(PAT)


def test_an_existing_bounce_is_kept() -> None:
    """It is the platform's own finding, and nobody is mailed either way."""
    with account(Scenario(bounces=(LEE,))) as (platform, exporter):
        assert outcomes(exporter, LEE) == {LEE: Outcome.NOT_MAILABLE}
        assert PUT not in calls_of(platform)

        entry = platform.account.find(LEE)
        assert entry is not None
        assert entry.reason == "BOUNCE"


def test_a_bounce_that_stops_nothing_gives_way() -> None:
    """With BOUNCE switched off, keeping it would mean to mail."""
    with account(Scenario(bounces=(LEE,), reasons=("COMPLAINT",))) as (platform, exporter):
        assert outcomes(exporter, LEE) == {LEE: Outcome.SUPPRESSED}
        assert not platform.account.would_mail(LEE)


def test_reasons_are_told_in_our_words() -> None:
    """A bounce is no legal opt-out."""
    with account(Scenario(bounces=(LEE,), complaints=(PAT,))) as (_, exporter):
        kinds = {each.address: (each.state, each.kind, each.reason) for each in swept(exporter)}

    assert kinds == {
        LEE: (Remote.NOT_MAILABLE, Reason.BOUNCED, "BOUNCE"),
        PAT: (Remote.SUPPRESSED, Reason.COMPLAINT, "COMPLAINT"),
    }


# --- Telling and reading ---------------------------------------------------------------------------------


def test_each_is_read_told_and_read_back() -> None:
    """The answer to a write is empty and proves nothing."""
    with account() as (platform, exporter):
        found = told(exporter, PAT)[PAT]
        (seen,) = exporter.read_back([PAT])

        assert (found.outcome, found.before) == (Outcome.SUPPRESSED, Remote.MAILABLE)
        assert found.evidence is not None
        assert found.evidence.request_id is not None
        assert (seen.state, seen.kind) == (Remote.SUPPRESSED, Reason.COMPLAINT)
        assert seen.at is not None
        assert calls_of(platform) == ["GetAccount", GET, PUT, "GetAccount", GET]
        assert outcomes(exporter, PAT) == {PAT: Outcome.ALREADY}


def test_accepted_and_not_applied_shows_when_it_is_read_back() -> None:
    """The answer is right in every way."""
    with account(Scenario(faults=(Fault(Trap.UNAPPLIED, PUT),))) as (_, exporter):
        assert outcomes(exporter, PAT) == {PAT: Outcome.SUPPRESSED}
        (seen,) = exporter.read_back([PAT])

        assert seen.state is Remote.MAILABLE


def test_each_region_has_a_list_of_its_own() -> None:
    """Told in one, somebody is mailed from the other; a region that is not used refuses."""
    with account(Scenario(regions=("eu-west-1", "us-east-1"))) as (platform, here):
        there = Ses(settings_for(platform.url, region="us-east-1"), clock=from_now().clock)
        nowhere = Ses(settings_for(platform.url, region="ap-south-1"), clock=from_now().clock)
        told(here, PAT)
        (seen,) = there.read_back([PAT])
        with pytest.raises(AuthFailed, match="refused the credentials"):
            list(nowhere.read_back([PAT]))
        there.close()
        nowhere.close()

        assert seen.state is Remote.MAILABLE


def test_a_tenant_has_a_list_of_its_own() -> None:
    """Every call names it."""
    with account(Scenario(tenants=("brand-b",)), tenant="brand-b") as (platform, exporter):
        assert outcomes(exporter, PAT) == {PAT: Outcome.SUPPRESSED}
        (seen,) = exporter.read_back([PAT])

        assert seen.state is Remote.SUPPRESSED
        assert [each.address for each in swept(exporter)] == [PAT]
        assert platform.account.find(PAT) is None


def test_a_list_is_paged_through() -> None:
    """However long it is."""
    many = tuple(f"p{number}@example.com" for number in range(250))
    with account(Scenario(complaints=many), page_size=100) as (platform, exporter):
        assert [each.address for each in swept(exporter)] == list(many)
        assert calls_of(platform).count(LIST) == 3


def test_a_plan_reads_and_writes_nothing() -> None:
    """What cannot be told is said."""
    with account(Scenario(complaints=(LEE,))) as (platform, exporter):
        entries = people([PAT, LEE, "no-at-sign"])
        found = {each.address: each.intent for each in exporter.plan(iter(entries))}

        assert found == {PAT: Intent.SUPPRESS, LEE: Intent.ALREADY, "no-at-sign": Intent.INVALID}
        assert PUT not in calls_of(platform)


def test_an_address_with_a_slash_is_told_and_cannot_be_verified() -> None:
    """A path cannot hold it; the body of the write can."""
    with account() as (platform, exporter):
        assert outcomes(exporter, "a/b@example.com", "no-at-sign") == {
            "a/b@example.com": Outcome.UNVERIFIABLE,
            "no-at-sign": Outcome.REJECTED_PERMANENT,
        }
        (seen,) = exporter.read_back(["a/b@example.com"])

        assert seen.state is Remote.UNREADABLE
        assert not platform.account.would_mail("a/b@example.com")


def test_an_address_that_the_platform_refuses_is_rejected() -> None:
    """For good, and no sign of an outage."""
    with account(Scenario(refused=(SAM, KIM, LEE))) as (_, exporter):
        found = outcomes(exporter, PAT, SAM, KIM, LEE)

        assert found.pop(PAT) is Outcome.SUPPRESSED
        assert set(found.values()) == {Outcome.REJECTED_PERMANENT}
    only_when_told = Fault(Trap.ERROR, PUT, status=400, code="BadRequestException")
    with account(Scenario(faults=(only_when_told,))) as (_, exporter):
        assert outcomes(exporter, PAT) == {PAT: Outcome.REJECTED_PERMANENT}


def test_there_is_no_job_to_ask_for() -> None:
    """SES answers at once; import jobs are not used."""
    with account() as (_, exporter):
        assert list(exporter.poll(Job("x", "y", datetime.now(UTC)))) == []


# --- What fails ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 400])
def test_throttling_slows_down_and_loses_nobody(status: int) -> None:
    """`TooManyRequestsException`, or `ThrottlingException` as a 400; no header says how long."""
    waits = from_now()
    limit = Fault(Trap.THROTTLED, PUT, times=4, status=status)
    with account(Scenario(faults=(limit,)), clock=waits.clock, per_second=10) as (platform, exporter):
        assert outcomes(exporter, PAT) == {PAT: Outcome.SUPPRESSED}
        assert calls_of(platform).count(PUT) == 5

    assert len([each for each in waits.slept if each >= 1]) >= 4


def test_endless_throttling_ends_the_run() -> None:
    """After thirty of them."""
    limit = Fault(Trap.THROTTLED, PUT, times=999)
    with account(Scenario(faults=(limit,))) as (platform, exporter), pytest.raises(Throttled):
        told(exporter, PAT)

    assert calls_of(platform).count(PUT) == 30


@pytest.mark.parametrize("trap", [Trap.RESET, Trap.CUT])
@pytest.mark.parametrize("call", [GET, PUT, "GetAccount"])
def test_a_lost_answer_is_asked_for_again(trap: Trap, call: str) -> None:
    """A write that took effect may be repeated."""
    with account(Scenario(complaints=(LEE,), faults=(Fault(trap, call),))) as (_, exporter):
        assert outcomes(exporter, PAT, LEE) == {PAT: Outcome.SUPPRESSED, LEE: Outcome.ALREADY}


def test_a_slow_answer_is_an_answer() -> None:
    """A tenth of a second later."""
    with account(Scenario(faults=(Fault(Trap.DELAY, seconds=0.1),))) as (_, exporter):
        assert outcomes(exporter, PAT) == {PAT: Outcome.SUPPRESSED}


@pytest.mark.parametrize("trap", [Trap.ERROR, Trap.PAGE])
def test_a_call_that_fails_makes_one_person_wait(trap: Trap) -> None:
    """A page for people with status 200 is no success, although botocore reads it as one."""
    with account(Scenario(faults=(Fault(trap, PUT, times=6),)), connections=1) as (platform, exporter):
        found = outcomes(exporter, PAT, SAM)

        assert sorted(found.values()) == [Outcome.RETRY_LATER, Outcome.SUPPRESSED]
        assert len(platform.account.held) == 1
    with account(Scenario(faults=(Fault(trap, PUT, times=99),))) as (_, exporter), pytest.raises(Transient):
        told(exporter, PAT, SAM, KIM, LEE)


def test_what_cannot_be_read_for_now_is_told_later() -> None:
    """Its entry may be one to keep."""
    with account(Scenario(faults=(Fault(Trap.ERROR, GET, times=6),)), connections=1) as (_, exporter):
        assert sorted(outcomes(exporter, PAT, SAM).values()) == [Outcome.RETRY_LATER, Outcome.SUPPRESSED]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "ExpiredTokenException", AuthFailed),
        (403, "InvalidSignatureException", AuthFailed),
        (400, "UnrecognizedClientException", AuthFailed),
        (401, "Unheard", AuthFailed),
        (403, "AccessDeniedException", PermissionMissing),
        (403, "Unheard", PermissionMissing),
        (503, "ServiceUnavailable", Transient),
        (404, "NotFoundException", DestinationFailed),
        (409, "ConflictException", DestinationFailed),
    ],
)
def test_each_refusal_is_what_it_is(status: int, code: str, kind: type[Exception]) -> None:
    """AWS's own words go along, without anybody's address."""
    body = {"message": f"nothing for {PAT}"}
    with Loopback(lambda _request: answer(status, body, ("x-amzn-ErrorType", code))) as server:
        exporter = Ses(settings_for(server.url), clock=from_now().clock)
        with pytest.raises(kind) as refused:
            told(exporter, PAT)
        exporter.close()

    assert "pat@" not in str(refused.value)
    assert refused.value.__context__ is None, "what caused it would be written beside it, with the address"


def test_a_redirect_is_not_followed() -> None:
    """It would carry the signature to wherever it points."""
    with account() as (elsewhere, _):
        location = ("Location", f"{elsewhere.url}/v2/email/account")
        with Loopback(lambda _request: answer(302, {}, location)) as server:
            exporter = Ses(settings_for(server.url), clock=from_now().clock)
            with pytest.raises(DestinationFailed, match="answered 302"):
                told(exporter, PAT)
            exporter.close()

        assert elsewhere.exchanges == ()


def test_a_wait_of_a_day_ends_the_run() -> None:
    """With the time at which it may go on."""
    headers = (("x-amzn-ErrorType", "TooManyRequestsException"), ("Retry-After", "86400"))
    with Loopback(lambda _request: answer(429, {}, *headers)) as server:
        exporter = Ses(settings_for(server.url), clock=from_now().clock)
        with pytest.raises(Throttled) as throttled:
            told(exporter, PAT)
        exporter.close()

    assert throttled.value.retry_at is not None


def on_account(value: Any, *, status: int = 200) -> Any:
    """A platform whose account is fine and which answers everything else so."""

    def handle(request: Request) -> Response:
        if request.path.endswith("/account"):
            return answer(200, {"SuppressionAttributes": {"SuppressedReasons": ["COMPLAINT", "BOUNCE"]}})
        return answer(status, value)

    return handle


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"SuppressedDestination": {"Reason": "COMPLAINT"}},
        {"SuppressedDestination": {"EmailAddress": SAM, "Reason": "COMPLAINT"}},
    ],
)
def test_an_answer_that_is_not_as_promised_shows_nobody(value: object) -> None:
    """Three in a row end the run."""
    with Loopback(on_account(value)) as server:
        exporter = Ses(settings_for(server.url, connections=1), clock=from_now().clock)
        first = next(exporter.read_back([PAT]))
        with pytest.raises(ContractBroken):
            list(exporter.read_back([PAT, PAT]))
        exporter.close()

    assert first.state is Remote.UNREADABLE


@pytest.mark.parametrize("value", [{}, {"SuppressedDestinationSummaries": [{"Reason": "BOUNCE"}]}])
def test_a_list_that_is_not_as_promised_is_no_list(value: object) -> None:
    """It would look as if everybody had been let go."""
    with Loopback(on_account(value)) as server:
        exporter = Ses(settings_for(server.url), clock=from_now().clock)
        with pytest.raises(ContractBroken):
            exporter.sweep(None)
        exporter.close()


def test_a_reason_that_is_new_to_us_counts_if_it_is_switched_on() -> None:
    """AWS may add one; what is not switched on stops nothing."""
    entry = {"SuppressedDestination": {"EmailAddress": PAT, "Reason": "NEW", "LastUpdateTime": 1.0}}
    with Loopback(on_account(entry)) as server:
        exporter = Ses(settings_for(server.url), clock=from_now().clock)
        (seen,) = exporter.read_back([PAT])
        exporter.close()

    assert (seen.state, seen.kind, seen.reason) == (Remote.MAILABLE, None, "NEW")


def test_an_account_that_does_not_say_its_reasons_is_not_believed() -> None:
    """Nothing is told on a guess."""
    with Loopback(lambda _request: answer(200, {"SendingEnabled": True})) as server:
        exporter = Ses(settings_for(server.url), clock=from_now().clock)
        with pytest.raises(ContractBroken, match="does not say for which reasons"):
            told(exporter, PAT)
        exporter.close()
