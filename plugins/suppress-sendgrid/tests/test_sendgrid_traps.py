"""What SendGrid is known to do to its clients, each a switch of the simulator, and what is made of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sendgrid_opening import GROUP, account, calls_of, outcomes, settings_for, told
from suppress_sendgrid.client import Missing
from suppress_sendgrid.exporter import SendGrid
from suppress_sendgrid.simulator import Fault, Scenario, Simulator, Trap

from suppress.config import DestinationSettings
from suppress.core.suppression import Reason
from suppress.errors import DestinationFailed
from suppress.plugin.contract import Intent, Job, Outcome, Remote
from suppress.plugin.errors import AuthFailed, ContractBroken, PermissionMissing, Throttled, Transient
from suppress.plugin.kit import people
from suppress.plugin.loopback import Loopback, Request, Response, answer
from tests.plugin.virtual import from_now

PAT, SAM, KIM = "pat@example.com", "sam@example.com", "kim@example.com"
SCOPES = ["global", "group"]
WRITES = {"global": "global add", "group": "group add"}


# --- A group that is gone --------------------------------------------------------------------------------


def test_nobody_is_told_to_a_group_that_is_gone() -> None:
    """SendGrid would take them for the global list, and their order mail would stop."""
    with account(scope="group") as (platform, exporter):
        platform.account.groups.clear()
        with pytest.raises(Missing, match="has no unsubscribe group 101") as gone:
            told(exporter, PAT)

        assert "global list" in str(gone.value.remedy)
        assert len(platform.account.globally) == 0
        assert "group add" not in calls_of(platform)


def test_the_group_is_asked_for_right_before_each_write() -> None:
    """It may be deleted in the middle of a long run."""
    with account(scope="group", batch_size=1, connections=1) as (platform, exporter):
        told(exporter, PAT, SAM)

        assert calls_of(platform) == ["group search", "group", "group add"] * 2


def test_a_group_deleted_between_two_calls_is_said_when_it_is_read_back() -> None:
    """Milliseconds in which nothing can help; the error says where to look for whoever was told."""
    gone = Fault(Trap.GROUP_GONE, "group add")
    with account(Scenario(faults=(gone,)), "group") as (platform, exporter):
        told(exporter, PAT)
        with pytest.raises(Missing) as missing:
            list(exporter.read_back([PAT]))

        assert PAT in platform.account.globally
        assert "look there for whoever was told last" in str(missing.value.remedy)


def test_an_answer_for_another_group_writes_nothing() -> None:
    """A proxy that mixes things up."""

    def mixed_up(request: Request) -> Response:
        return answer(200, []) if request.method == "POST" else answer(200, {"id": 102})

    with Loopback(mixed_up) as server:
        exporter = SendGrid(settings_for(server.url, "group"), clock=from_now().clock)
        with pytest.raises(Missing, match="another unsubscribe group"):
            told(exporter, PAT)
        exporter.close()

        assert [each.request.path.rsplit("/", 1)[-1] for each in server.exchanges] == ["search", "101"]


# --- Telling and reading ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", SCOPES)
def test_the_list_that_is_meant_holds_them_and_no_other_one(scope: str) -> None:
    """An address needs no contact, and nothing else is made."""
    with account(scope=scope) as (platform, exporter):
        found = outcomes(exporter, PAT)
        mine = platform.account.globally if scope == "global" else platform.account.groups[GROUP].held
        (seen,) = exporter.read_back([PAT])

        assert found == {PAT: Outcome.SUPPRESSED}
        assert PAT in mine
        assert len(platform.account.globally) == (scope == "global")
        assert (seen.state, seen.kind) == (Remote.SUPPRESSED, Reason.UNSUBSCRIBED)


def test_an_empty_object_means_not_suppressed() -> None:
    """With 200, like a suppressed one; the vendor's own contract has it wrong."""
    with account() as (_, exporter):
        (seen,) = exporter.read_back([PAT])
        (planned,) = exporter.plan(people([PAT]))

        assert seen.state is Remote.MAILABLE
        assert planned.intent is Intent.SUPPRESS


def test_who_is_in_the_group_already_is_not_told_again() -> None:
    """One search for the whole batch; their entry keeps its date."""
    with account(scope="group") as (platform, exporter):
        platform.account.suppress([PAT], datetime(2020, 1, 1, tzinfo=UTC), GROUP)
        found = outcomes(exporter, PAT, SAM)

        assert found == {PAT: Outcome.ALREADY, SAM: Outcome.SUPPRESSED}
        assert b"pat@" not in platform.exchanges[-1].request.body
        assert outcomes(exporter, PAT, SAM) == {PAT: Outcome.ALREADY, SAM: Outcome.ALREADY}
        assert calls_of(platform).count("group add") == 1


def test_a_global_entry_keeps_its_first_date() -> None:
    """Nobody is asked for first, so they are told again; that changes nothing."""
    with account() as (platform, exporter):
        platform.account.suppress([PAT], datetime(2020, 1, 1, tzinfo=UTC))
        assert outcomes(exporter, PAT) == {PAT: Outcome.SUPPRESSED}

        entry = platform.account.globally.find(PAT)
        assert entry is not None
        assert entry.at.year == 2020


@pytest.mark.parametrize("scope", SCOPES)
def test_answers_in_small_letters_are_matched(scope: str) -> None:
    """Mixed case is reported of this platform in both directions."""
    loud = "Pat.UPPER@Example.COM"
    with account(Scenario(lower_case=True), scope) as (_, exporter):
        assert outcomes(exporter, loud) == {loud: Outcome.SUPPRESSED}
        (seen,) = exporter.read_back([loud])

        assert (seen.address, seen.state) == (loud, Remote.SUPPRESSED)


@pytest.mark.parametrize("scope", SCOPES)
def test_the_echo_is_no_proof(scope: str) -> None:
    """The answer is right in every way; only reading tells."""
    with account(Scenario(faults=(Fault(Trap.UNAPPLIED, WRITES[scope]),)), scope) as (_, exporter):
        claimed = outcomes(exporter, PAT)
        (seen,) = exporter.read_back([PAT])

        assert claimed == {PAT: Outcome.SUPPRESSED}
        assert seen.state is Remote.MAILABLE


@pytest.mark.parametrize("scope", SCOPES)
def test_an_echo_that_repeats_nobody_took_nobody(scope: str) -> None:
    """The next run tells them again."""
    with account(Scenario(faults=(Fault(Trap.SILENT, WRITES[scope]),)), scope) as (_, exporter):
        assert outcomes(exporter, PAT, SAM) == {PAT: Outcome.RETRY_LATER, SAM: Outcome.RETRY_LATER}
        assert outcomes(exporter, PAT, SAM) == {PAT: Outcome.SUPPRESSED, SAM: Outcome.SUPPRESSED}


@pytest.mark.parametrize("scope", SCOPES)
def test_whom_an_echo_leaves_out_is_looked_for(scope: str) -> None:
    """They may be on the list all the same."""
    with account(Scenario(faults=(Fault(Trap.PARTIAL, WRITES[scope]),)), scope) as (_, exporter):
        found = told(exporter, PAT, SAM)

        assert {each.outcome for each in found.values()} == {Outcome.SUPPRESSED}
        assert sorted(str(each.after) for each in found.values()) == ["None", "suppressed"]


@pytest.mark.parametrize("scope", SCOPES)
def test_one_bad_address_fails_nobody_else(scope: str) -> None:
    """A 400 is for the whole call: it is halved until the bad one stands alone."""
    with account(Scenario(refused=(SAM,)), scope) as (platform, exporter):
        found = outcomes(exporter, PAT, SAM, KIM, "bob@example.com", "no-at-sign")
        held = {each.address: each.state for each in exporter.read_back([PAT, SAM, "no-at-sign"])}

        assert found.pop(SAM) is found.pop("no-at-sign") is Outcome.REJECTED_PERMANENT
        assert set(found.values()) == {Outcome.SUPPRESSED}
        assert not platform.account.would_mail(KIM, GROUP)
        assert held[PAT] is Remote.SUPPRESSED
        assert held["no-at-sign"] is Remote.UNREADABLE
        assert held[SAM] is (Remote.UNREADABLE if scope == "group" else Remote.MAILABLE)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_plan_says_what_cannot_be_told(scope: str) -> None:
    """And writes nothing."""
    with account(Scenario(unsubscribed=(PAT,)), scope) as (platform, exporter):
        found = [each.intent for each in exporter.plan(people([PAT, "no-at-sign"]))]

        assert sorted(found) == sorted(
            [Intent.INVALID, Intent.ALREADY if scope == "global" else Intent.SUPPRESS]
        )
        assert WRITES[scope] not in calls_of(platform)


def test_an_address_with_a_slash_is_read_by_the_filter_of_the_list() -> None:
    """Servers take an encoded slash for a real one, so that it fits no path; `%` is a wildcard there."""
    slash, wild = "a/b@example.com", "%/@example.com"
    others = tuple(f"x{number}/@example.com" for number in range(3))
    with account(Scenario(unsubscribed=(slash, *others))) as (_, exporter):
        seen = {each.address: each.state for each in exporter.read_back([slash, "b/a@example.com", wild])}

        assert seen == {slash: Remote.SUPPRESSED, "b/a@example.com": Remote.MAILABLE, wild: Remote.MAILABLE}
    with account(Scenario(unsubscribed=others), page_size=3) as (_, exporter):
        (hidden,) = exporter.read_back([wild])

        assert hidden.state is Remote.UNREADABLE


def test_there_is_no_job_to_ask_for() -> None:
    """SendGrid answers at once."""
    with account() as (_, exporter):
        assert list(exporter.poll(Job("x", "y", datetime.now(UTC)))) == []


def test_each_subuser_has_lists_of_its_own() -> None:
    """The header says whose are meant; a subuser who is not there is forbidden."""
    with account(Scenario(subusers=("brand-b",)), on_behalf_of="brand-b") as (platform, exporter):
        told(exporter, PAT)

        assert PAT in platform.subusers["brand-b"].globally
        assert PAT not in platform.account.globally
    with account(on_behalf_of="nobody") as (_, exporter), pytest.raises(PermissionMissing):
        told(exporter, PAT)


# --- Limits ----------------------------------------------------------------------------------------------


def test_a_limit_is_waited_for_until_the_answer_says_it_is_reset() -> None:
    """Not a second of guessing: the platform's own clock says how long."""
    waits = from_now()
    limit = Fault(Trap.LIMIT, "global add", seconds=40)
    with account(Scenario(faults=(limit,)), clock=waits.clock) as (platform, exporter):
        assert outcomes(exporter, PAT) == {PAT: Outcome.SUPPRESSED}
        assert calls_of(platform) == ["global add", "global add"]

    assert len([each for each in waits.slept if 38 <= each <= 42]) == 1


def test_a_limit_that_is_reset_much_later_ends_the_run() -> None:
    """With the time at which it may go on."""
    limit = Fault(Trap.LIMIT, "global add", seconds=3_600)
    with account(Scenario(faults=(limit,))) as (_, exporter):
        with pytest.raises(Throttled) as throttled:
            told(exporter, PAT)

        assert throttled.value.retry_at is not None
        assert throttled.value.retry_at > datetime.now(UTC)


def test_a_limit_that_is_never_reset_ends_the_run() -> None:
    """After ten resets that were none."""
    limit = Fault(Trap.LIMIT, "global add", seconds=1, times=99)
    with account(Scenario(faults=(limit,))) as (platform, exporter), pytest.raises(Throttled):
        told(exporter, PAT)

    assert calls_of(platform) == ["global add"] * 11


def test_real_windows_are_kept_to() -> None:
    """The simulator counts each call for itself, as the platform does."""
    waits = from_now()
    clock = waits.clock
    with Simulator(Scenario(per_window=3, window=5), clock=clock.utc) as platform:
        exporter = SendGrid(
            settings_for(platform.url, api_key=platform.token, connections=1), clock=waits.clock
        )
        seen = list(exporter.read_back([f"p{number}@example.com" for number in range(7)]))
        exporter.close()

        assert {each.state for each in seen} == {Remote.MAILABLE}
        assert {each.response.status for each in platform.exchanges} == {200, 429}


# --- What fails ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("trap", [Trap.RESET, Trap.CUT])
def test_a_lost_answer_is_asked_for_again(scope: str, trap: Trap) -> None:
    """It took effect; telling again changes nothing."""
    with account(Scenario(faults=(Fault(trap, WRITES[scope]),)), scope) as (_, exporter):
        assert outcomes(exporter, PAT) == {PAT: Outcome.SUPPRESSED}


def test_a_slow_answer_is_an_answer() -> None:
    """A tenth of a second later."""
    with account(Scenario(faults=(Fault(Trap.DELAY, seconds=0.1),))) as (_, exporter):
        assert outcomes(exporter, PAT) == {PAT: Outcome.SUPPRESSED}


@pytest.mark.parametrize("trap", [Trap.ERROR, Trap.PAGE])
def test_a_call_that_fails_makes_its_people_wait(trap: Trap) -> None:
    """The others are told; three calls in a row end the run."""
    once = Fault(trap, "global add", times=6)
    with account(Scenario(faults=(once,)), batch_size=1, connections=1) as (_, exporter):
        found = outcomes(exporter, PAT, SAM)

        assert sorted(found.values()) == [Outcome.RETRY_LATER, Outcome.SUPPRESSED]
    lasting = Fault(trap, "global add", times=99)
    with account(Scenario(faults=(lasting,)), batch_size=1) as (_, exporter), pytest.raises(Transient):
        told(exporter, PAT, SAM, KIM)


@pytest.mark.parametrize("scope", SCOPES)
def test_what_cannot_be_read_for_now_is_unreadable(scope: str) -> None:
    """Neither suppressed nor mailable."""
    call = "global read" if scope == "global" else "group search"
    with account(Scenario(faults=(Fault(Trap.ERROR, call, times=6),)), scope) as (_, exporter):
        first, second = (next(iter(exporter.read_back([PAT]))) for _ in range(2))

        assert (first.state, second.state) == (Remote.UNREADABLE, Remote.MAILABLE)


def test_an_address_that_the_platform_refuses_to_read_is_unreadable() -> None:
    """A 400 is about this one and no sign of an outage."""
    with account(Scenario(faults=(Fault(Trap.ERROR, "global read", times=5, status=400),))) as (_, exporter):
        seen = [each.state for each in exporter.read_back([PAT] * 5)]

        assert seen == [Remote.UNREADABLE] * 5


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, AuthFailed), (403, PermissionMissing), (429, Throttled), (404, DestinationFailed)],
)
def test_each_refusal_is_what_it_is(status: int, kind: type[Exception]) -> None:
    """The vendor's words go along, without anybody's address."""
    body = {"errors": [{"field": None, "message": f"nothing for {PAT} here", "help": None}]}
    headers = (("Retry-After", "86400"),)
    with Loopback(lambda _request: answer(status, body, *headers)) as server:
        exporter = SendGrid(settings_for(server.url), clock=from_now().clock)
        with pytest.raises(kind, match=r"nothing for \[address\] here"):
            told(exporter, PAT)
        exporter.close()


def test_a_key_that_was_renewed_meanwhile_is_read_again(tmp_path: Path) -> None:
    """Somebody else rotates the file."""
    file = tmp_path / "key"
    file.write_text("SG.old\n")

    def rotating(request: Request) -> Response:
        if request.headers["authorization"] == "Bearer SG.new":
            return answer(200, {})
        file.write_text("SG.new\n")
        return answer(401, {"errors": [{"field": None, "message": "authorization required"}]})

    with Loopback(rotating) as server:
        options = {"scope": "global", "api_url": server.url, "api_key_file": str(file)}
        exporter = SendGrid(DestinationSettings("mail", "sendgrid", options=options), clock=from_now().clock)
        (seen,) = exporter.read_back([PAT])
        exporter.close()

    assert seen.state is Remote.MAILABLE


@pytest.mark.parametrize(
    ("scope", "value"),
    [
        ("global", []),
        ("global", {"recipient_email": 7}),
        ("global", {"recipient_email": SAM}),
        ("group", {}),
        ("group", [7]),
    ],
)
def test_an_answer_that_is_not_as_promised_shows_nobody(scope: str, value: object) -> None:
    """Three in a row end the run."""
    with Loopback(lambda _request: answer(200, value)) as server:
        exporter = SendGrid(
            settings_for(server.url, scope, connections=1, batch_size=1), clock=from_now().clock
        )
        first = next(exporter.read_back([PAT]))
        with pytest.raises(ContractBroken):
            list(exporter.read_back([PAT, PAT]))
        exporter.close()

    assert first.state is Remote.UNREADABLE


def test_a_write_that_is_answered_with_something_else_took_nobody() -> None:
    """A 201 without an echo."""
    with Loopback(lambda _request: answer(201, {"ok": True})) as server:
        exporter = SendGrid(settings_for(server.url), clock=from_now().clock)
        found = outcomes(exporter, PAT)
        exporter.close()

    assert found == {PAT: Outcome.RETRY_LATER}
