"""What becomes of a person in each state, and what each answer of the platform means."""

from __future__ import annotations

import pytest
from mailchimp_platform import AUDIENCE, account, asked, numbered, opened, outcomes, pushed
from suppress_mailchimp import judging
from suppress_mailchimp.judging import Change, Todo, judged
from suppress_mailchimp.simulator import Fault, People, Switches
from suppress_mailchimp.simulator.account import Refused, name_of
from suppress_mailchimp.simulator.shape import refusal

from suppress.errors import ConfigWrong, DestinationFailed
from suppress.plugin.contract import Intent, Outcome, Remote
from suppress.plugin.errors import (
    AuthFailed,
    ContractBroken,
    PermissionMissing,
    Throttled,
    Transient,
)
from suppress.plugin.kit import people

EVERY = People(
    AUDIENCE,
    subscribed=("in@example.com",),
    pending=("pending@example.com",),
    transactional=("buyer@example.com",),
    unsubscribed=("left@example.com",),
    cleaned=("bounced@example.com",),
    archived=("hidden@example.com",),
    forgotten=("erased@example.com",),
)
ADDRESSES = [
    *("in@example.com", "pending@example.com", "buyer@example.com", "left@example.com"),
    *("bounced@example.com", "hidden@example.com", "erased@example.com", "nobody@example.com"),
]
WAYS = ["patch", "list", "batches"]


@pytest.mark.parametrize("method", WAYS)
def test_each_state_has_its_outcome(method: str) -> None:
    """Who is mailed is told, who is not is left as they are, and nobody is created or brought back."""
    with account(EVERY) as platform:
        exporter = opened(platform, method=method)
        plan = {each.address: each.intent for each in exporter.plan(people(ADDRESSES))}
        found = outcomes(exporter, ADDRESSES)
        seen = {each.address: each.state for each in exporter.read_back(ADDRESSES)}
        exporter.close()
        audience = platform.account.audiences[AUDIENCE]
        states = {each.address: each.status for each in audience}

    told, left = [Intent.SUPPRESS] * 3, [Intent.ALREADY] * 3
    assert list(map(plan.__getitem__, ADDRESSES)) == [*told, *left, *[Intent.UNKNOWN_SKIP] * 2]
    assert [found[each] for each in ADDRESSES] == [
        *[Outcome.SUPPRESSED] * 3,
        Outcome.ALREADY,
        *[Outcome.NOT_MAILABLE] * 2,
        *[Outcome.SKIPPED_UNKNOWN] * 2,
    ]
    assert [seen[each] for each in ADDRESSES] == [
        *[Remote.SUPPRESSED] * 4,
        *[Remote.NOT_MAILABLE] * 2,
        *[Remote.UNKNOWN] * 2,
    ]
    assert states == {
        **dict.fromkeys(ADDRESSES[:4], "unsubscribed"),
        "bounced@example.com": "cleaned",
        "hidden@example.com": "archived",
    }


@pytest.mark.parametrize("method", WAYS)
def test_unknown_people_are_created_as_unsubscribed_where_that_was_asked_for(method: str) -> None:
    """Except who was permanently deleted, whom nothing can bring back and nobody mails."""
    with account(EVERY) as platform:
        exporter = opened(platform, method=method, unknown="create_suppressed")
        plan = {each.address: each.intent for each in exporter.plan(people(ADDRESSES))}
        found = outcomes(exporter, ADDRESSES)
        seen = {each.address: each.state for each in exporter.read_back(ADDRESSES)}
        exporter.close()
        nobody = platform.account.audiences[AUDIENCE].find("nobody@example.com")

    assert plan["nobody@example.com"] is Intent.UNKNOWN_CREATE
    assert found["nobody@example.com"] is Outcome.SUPPRESSED
    assert seen["nobody@example.com"] is Remote.SUPPRESSED
    assert (found["erased@example.com"], seen["erased@example.com"]) == (
        Outcome.NOT_MAILABLE,
        Remote.NOT_MAILABLE,
    )
    assert nobody is not None
    assert nobody.status == "unsubscribed"


@pytest.mark.parametrize("method", WAYS)
def test_a_strict_destination_unsubscribes_archived_people_and_archives_them_again(method: str) -> None:
    """So that whoever is imported again is found unsubscribed."""
    with account(EVERY) as platform:
        exporter = opened(platform, method=method, archived="strict")
        plan = {each.address: each.intent for each in exporter.plan(people(["hidden@example.com"]))}
        found = outcomes(exporter, ["hidden@example.com"])
        seen = [each.state for each in exporter.read_back(["hidden@example.com"])]
        exporter.close()
        hidden = platform.account.audiences[AUDIENCE].find("hidden@example.com")
        writes = asked(platform, "PATCH") + asked(platform, "DELETE")

    assert plan == {"hidden@example.com": Intent.SUPPRESS}
    assert found == {"hidden@example.com": Outcome.SUPPRESSED}
    assert seen == [Remote.NOT_MAILABLE]
    assert hidden is not None
    assert (hidden.status, hidden.before and hidden.before[0]) == ("archived", "unsubscribed")
    assert len(writes) == 2


def test_archived_people_who_come_back_are_told_at_once() -> None:
    """They are looked at again by every run."""
    with account(EVERY) as platform:
        exporter = opened(platform)
        before = outcomes(exporter, ["hidden@example.com"])
        with platform.lock:
            audience = platform.account.audiences[AUDIENCE]
            audience.write("hidden@example.com", "subscribed", platform.now())
        exporter.close()
        after = outcomes(opened(platform), ["hidden@example.com"])

    assert (before, after) == (
        {"hidden@example.com": Outcome.NOT_MAILABLE},
        {"hidden@example.com": Outcome.SUPPRESSED},
    )


@pytest.mark.parametrize("method", WAYS)
def test_every_audience_is_told_and_the_worst_answer_counts(method: str) -> None:
    """Unsubscribed in one and subscribed in another is subscribed."""
    shop = People("f6e7d8c9b0", "Shop", subscribed=("left@example.com", "in@example.com"))
    with account(EVERY, shop) as platform:
        exporter = opened(platform, audience="all", method=method)
        first = [each.state for each in exporter.read_back(["left@example.com", "nobody@example.com"])]
        found = outcomes(exporter, ["in@example.com", "left@example.com", "nobody@example.com"])
        after = [each.state for each in exporter.read_back(["left@example.com", "in@example.com"])]
        exporter.close()
        mailed = [platform.mails(each) for each in ("in@example.com", "left@example.com")]

    assert first == [Remote.MAILABLE, Remote.UNKNOWN]
    assert list(found.values()).count(Outcome.SUPPRESSED) == 2
    assert found["nobody@example.com"] is Outcome.SKIPPED_UNKNOWN
    assert after == [Remote.SUPPRESSED] * 2
    assert mailed == [False, False]


@pytest.mark.parametrize("method", WAYS)
def test_required_fields_of_an_audience_do_not_protect_anybody(method: str) -> None:
    """Validation of merge fields is switched off for the write."""
    with account(People(AUDIENCE, people=3), switches=Switches(required_fields=("FNAME",))) as platform:
        found = outcomes(opened(platform, method=method), numbered(3))

    assert set(found.values()) == {Outcome.SUPPRESSED}


@pytest.mark.parametrize(
    "address", ["PERSON-0@EXAMPLE.COM", "  person-0@example.com", "Person-0@Example.com"]
)
def test_one_member_has_one_name_however_it_is_spelled(address: str) -> None:
    """Capitals and white space do not hide a member."""
    with account(People(AUDIENCE, people=1)) as platform:
        found = outcomes(opened(platform), [address])
        mailed = platform.mails("person-0@example.com")

    assert (found, mailed) == ({address: Outcome.SUPPRESSED}, False)


@pytest.mark.parametrize("method", ["list", "batches"])
def test_a_member_whose_address_looks_fake_now_is_told_all_the_same(method: str) -> None:
    """The list call refuses the address; the member is reached by name."""
    odd = ("kim@fake.example", "no-at-sign", '"quoted"@example.com')
    with account(People(AUDIENCE, subscribed=odd, people=2)) as platform:
        found = outcomes(opened(platform, method=method), [*odd, *numbered(2)])
        mailed = [each for each in odd if platform.mails(each)]

    assert set(found.values()) == {Outcome.SUPPRESSED}
    assert not mailed


@pytest.mark.parametrize("method", ["patch", "list"])
def test_an_address_that_cannot_be_created_is_rejected_for_good(method: str) -> None:
    """It is no member, so nobody is mailed by it; the person is told why it is not there."""
    with account() as platform:
        exporter = opened(platform, unknown="create_suppressed", method=method)
        found = outcomes(exporter, ["kim@fake.example", "no-at-sign"])

    assert set(found.values()) == {Outcome.REJECTED_PERMANENT}


def test_two_spellings_of_one_member_are_one_member_in_a_list_call() -> None:
    """Capitals outside A to Z are spellings of their own to the engine."""
    with account(People(AUDIENCE, subscribed=("é@example.com",))) as platform:
        found = pushed(opened(platform, method="list"), ["É@example.com", "é@example.com"])
        lists = asked(platform, "POST")

    assert [each.outcome for each in found.values()] == [Outcome.SUPPRESSED] * 2
    assert len(lists) == 1


ERRORS = [
    ("bare-403", 10_000, Throttled),
    ("throttled", 10_000, Throttled),
    ("blocked", 10_000, Transient),
    ("failed", 10_000, Transient),
    ("reset", 10_000, Transient),
    ("cut", 10_000, Transient),
]


@pytest.mark.parametrize(("kind", "times", "failure"), ERRORS)
@pytest.mark.parametrize("method", WAYS)
def test_a_platform_that_stays_down_stops_the_run(
    kind: str, times: int, failure: type[Exception], method: str
) -> None:
    """With what can be done about it, and without an address."""
    down = Fault(kind, method="PATCH|POST", times=times)
    with account(People(AUDIENCE, people=4), faults=[down]) as platform:
        exporter = opened(platform, method=method)
        with pytest.raises(failure) as raised:
            outcomes(exporter, numbered(4))
        exporter.close()

    assert "@" not in str(raised.value)


@pytest.mark.parametrize("kind", ["bare-403", "throttled", "blocked", "failed-after", "reset-after", "cut"])
@pytest.mark.parametrize("method", WAYS)
def test_a_passing_trouble_is_waited_out(kind: str, method: str) -> None:
    """Whether or not the write took effect, sending it again does what sending it once does."""
    passing = Fault(kind, method="PATCH|POST", times=2)
    with account(People(AUDIENCE, people=4), faults=[passing]) as platform:
        found = outcomes(opened(platform, method=method), numbered(4))
        mailed = [each for each in numbered(4) if platform.mails(each)]

    assert set(found.values()) == {Outcome.SUPPRESSED}
    assert not mailed


@pytest.mark.parametrize("method", ["patch", "list"])
def test_one_member_that_fails_for_good_stops_nobody_else(method: str) -> None:
    """The platform has been seen to fail on one member for days."""
    poison = name_of("person-2@example.com")
    faults = [Fault("failed", "PATCH", f".*/{poison}", times=10_000), Fault("failed", "POST", times=10_000)]
    with account(People(AUDIENCE, people=6), faults=faults) as platform:
        found = outcomes(opened(platform, method=method), numbered(6))

    assert found.pop("person-2@example.com") is Outcome.RETRY_LATER
    assert set(found.values()) == {Outcome.SUPPRESSED}


def test_credentials_that_are_refused_stop_the_run_and_are_not_repeated() -> None:
    """The message names the variable to set."""
    with account(People(AUDIENCE, people=1)) as platform:
        exporter = opened(platform, api_key="f" * 32 + "-us19")
        with pytest.raises(AuthFailed) as raised:
            outcomes(exporter, numbered(1))

    assert raised.value.remedy == "set SUPPRESS_DESTINATIONS__NEWS__API_KEY"
    assert "ffff" not in str(raised.value)


def test_a_role_that_may_not_write_is_named() -> None:
    """A 403 that states a problem is no throttling."""
    with account(People(AUDIENCE, people=1), switches=Switches(role="viewer")) as platform:
        with pytest.raises(PermissionMissing, match="don't have permission"):
            outcomes(opened(platform), numbered(1))
        writes = asked(platform, "PATCH")

    assert len(writes) == 1


def test_an_audience_that_is_not_there_is_a_wrong_setting() -> None:
    """And not an audience that knows nobody."""
    with account() as platform:
        exporter = opened(platform, audience="0000000000")
        with pytest.raises(ConfigWrong, match="names no audience of this account"):
            outcomes(exporter, ["a@example.com"])


CHANGE = Change("a@example.com", AUDIENCE, name_of("a@example.com"), Todo.UNSUBSCRIBE, Remote.MAILABLE)


def _refused(status: int, title: str, detail: str) -> tuple[int, bytes]:
    return status, refusal(Refused(status, title, detail)).body


@pytest.mark.parametrize(
    ("status", "title", "detail", "outcome"),
    [
        (400, "Invalid Resource", "Please provide a valid email address.", Outcome.REJECTED_PERMANENT),
        (400, "Invalid Resource", "Your merge fields were invalid.", Outcome.REJECTED_PERMANENT),
        (400, "Forgotten Email Not Subscribed", "was permanently deleted", Outcome.NOT_MAILABLE),
        (404, "Resource Not Found", "could not be found", Outcome.SKIPPED_UNKNOWN),
        (405, "Method Not Allowed", "cannot be removed", Outcome.REJECTED_PERMANENT),
        (429, "Too Many Requests", "", Outcome.RETRY_LATER),
        (500, "Internal Server Error", "A deep, internal error", Outcome.RETRY_LATER),
    ],
)
def test_each_refusal_of_one_record_has_its_outcome(
    status: int, title: str, detail: str, outcome: Outcome
) -> None:
    """The vendor's titles, as they were seen."""
    assert judged(CHANGE, *_refused(status, title, detail), None).outcome is outcome


def test_a_compliance_state_means_that_something_subscribed_and_stops_everything() -> None:
    """Asked to unsubscribe, the platform never says it."""
    words = "is in a compliance state due to unsubscribe, bounce, or compliance review"
    with pytest.raises(ContractBroken, match="was asked to subscribe somebody"):
        judged(CHANGE, *_refused(400, "Member In Compliance State", words), None)


@pytest.mark.parametrize(
    "body", [b"{}", b"", b"<html>", b"[" * 100_000, b'{"id": 7, "status": "unsubscribed"}']
)
def test_a_success_that_does_not_show_the_member_is_none(body: bytes) -> None:
    """The person is told again."""
    assert judged(CHANGE, 200, body, None).outcome is Outcome.RETRY_LATER


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("unsubscribed", Outcome.SUPPRESSED),
        ("cleaned", Outcome.NOT_MAILABLE),
        ("subscribed", Outcome.RETRY_LATER),
        ("new-word", Outcome.RETRY_LATER),
    ],
)
def test_what_an_answer_shows_of_the_member_decides(status: str, outcome: Outcome) -> None:
    """Not that it is a 200."""
    body = f'{{"id": "{CHANGE.hash}", "email_address": "a@example.com", "status": "{status}"}}'.encode()

    assert judged(CHANGE, 200, body, None).outcome is outcome


def test_a_list_call_that_names_nobody_is_repeated_by_name() -> None:
    """A silent success accounts for nobody; PATCH answers for each."""
    silent = Fault("silent", method="POST")
    with account(People(AUDIENCE, people=30), faults=[silent]) as platform:
        found = pushed(opened(platform), numbered(30))
        patched = asked(platform, "PATCH")

    assert {each.outcome for each in found.values()} == {Outcome.SUPPRESSED}
    assert len(patched) == 30


def test_people_whom_a_list_call_created_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    """They were members a moment ago; how many is said, and not who."""
    with account(People(AUDIENCE, people=25)) as platform:
        exporter = opened(platform, method="list", connections=1)
        for each in exporter.plan(people(numbered(25))):
            assert each.intent is Intent.SUPPRESS
        with platform.lock:
            audience = platform.account.audiences[AUDIENCE]
            del audience._members[name_of("person-3@example.com")]
        outcomes(exporter, numbered(25))
        held = audience.find("person-3@example.com")

    assert "added 1 people" in caplog.text
    assert "@" not in "".join(each.getMessage() for each in caplog.records if "added" in each.getMessage())
    assert held is not None
    assert held.status == "unsubscribed"


def test_who_is_permanently_deleted_meanwhile_is_not_mailable() -> None:
    """A reading cannot tell them from people who were never there; the refusal of the write can."""
    with account(People(AUDIENCE, people=25)) as platform:
        exporter = opened(platform, method="list")
        list(exporter.plan(people(numbered(25))))
        with platform.lock:
            platform.account.audiences[AUDIENCE].forget("person-3@example.com")
        found = outcomes(exporter, numbered(25))
        seen = {each.address: each for each in exporter.read_back(numbered(25))}

    assert found["person-3@example.com"] is Outcome.NOT_MAILABLE
    assert seen["person-3@example.com"].state is Remote.NOT_MAILABLE
    assert seen["person-3@example.com"].reason == "permanently deleted"


@pytest.mark.parametrize("method", WAYS)
def test_evidence_names_call_status_request_and_digests(method: str) -> None:
    """What an auditor compares with the vendor's own log, and no address."""
    with account(People(AUDIENCE, people=3, unsubscribed=("left@example.com",))) as platform:
        found = pushed(opened(platform, method=method), [*numbered(3), "left@example.com"])

    evidence = found["person-1@example.com"].evidence
    assert evidence is not None
    names = {"patch": "PATCH member", "list": "POST /lists/{id}", "batches": "results of a batch"}
    assert (evidence.endpoint, evidence.status) == (names[method], 200)
    assert evidence.response_digest is not None
    assert evidence.vendor_time is not None
    assert "@" not in repr([each.evidence for each in found.values()])


def test_of_several_audiences_the_one_that_mails_decides() -> None:
    """Unsubscribed here and subscribed there is mailable."""
    assert judging.worst_state([Remote.UNKNOWN, Remote.SUPPRESSED]) is Remote.SUPPRESSED
    assert judging.worst_state([Remote.NOT_MAILABLE, Remote.MAILABLE]) is Remote.MAILABLE


def test_a_refusal_that_is_none_of_the_known_ones_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer to a reading that is neither found nor missing."""
    with account(People(AUDIENCE, people=1)) as platform:
        exporter = opened(platform, page_size=1)
        monkeypatch.setattr(platform._routes, "_members", _odd)
        with pytest.raises(DestinationFailed, match="answered GET member with 400; it said: Odd"):
            outcomes(exporter, ["a@example.com"])


def _odd(*_given: object) -> tuple[int, object]:
    raise Refused(400, "Odd", "")
