"""Klaviyo's documents are read as its contract says; anything else is said, without an address."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from klaviyo_opening import opened, told
from suppress_klaviyo import wire
from suppress_klaviyo.reading import seen

from suppress.core.suppression import Reason
from suppress.plugin.contract import Job, Observation, Outcome, Remote
from suppress.plugin.errors import ContractBroken
from suppress.plugin.loopback import Loopback, Request, Response, answer
from suppress.plugin.transport import Reply

PAT = "pat@example.com"
AT = datetime(2026, 11, 1, tzinfo=UTC)
READERS: list[Callable[[object], object]] = [wire.profiles, wire.job, wire.accounts]
_KEYS = [
    "data",
    "links",
    "attributes",
    "id",
    "email",
    "errors",
    "source",
    "next",
    "subscriptions",
    "marketing",
]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize("read", READERS)
@settings(max_examples=100)
@given(value=_JSON)
def test_any_json_is_read_or_refused(read: Callable[[object], object], value: object) -> None:
    """Nothing but `NotAsPromised`, whatever a gateway sends."""
    try:
        read(value)
    except wire.NotAsPromised as wrong:
        assert "@" not in str(wrong)


@settings(max_examples=100)
@given(value=_JSON)
def test_any_error_body_is_read(value: object) -> None:
    """The status decides; the words are a help."""
    assert isinstance(wire.complaint(Reply(400, {}, json.dumps(value).encode())), wire.Complaint)


@pytest.mark.parametrize(
    ("pointer", "number"),
    [
        ("/data/attributes/profiles/data/7/attributes/email", 7),
        ("/data/attributes/profiles/data/99", 99),
        ("/data/attributes/profiles/data/1234/attributes/email", None),
        ("/data/attributes", None),
    ],
)
def test_an_error_names_one_of_the_addresses_by_number(pointer: str, number: int | None) -> None:
    """Or none; its words are without the address that they quote."""
    error = {"code": "invalid", "detail": f"Invalid {PAT}", "source": {"pointer": pointer}, "id": "e-1"}
    found = wire.complaint(Reply(400, {}, json.dumps({"errors": [error]}).encode()))

    assert found == wire.Complaint("invalid", "Invalid [address]", "e-1", number)


def profile(*reasons: str, mailable: bool | None = False, consent: str = "") -> wire.Profile:
    """A profile of Pat's."""
    return wire.Profile(PAT, mailable, consent, tuple(wire.Suppression(each, AT) for each in reasons))


@pytest.mark.parametrize(
    ("profiles", "state", "reason"),
    [
        ([], Remote.UNKNOWN, None),
        ([profile(mailable=True)], Remote.MAILABLE, None),
        ([profile("USER_SUPPRESSED", mailable=True)], Remote.MAILABLE, None),
        ([profile(mailable=None)], Remote.UNREADABLE, None),
        ([profile("HARD_BOUNCE", "USER_SUPPRESSED")], Remote.SUPPRESSED, "USER_SUPPRESSED"),
        ([profile("USER_SUPPRESSED", "UNSUBSCRIBE")], Remote.SUPPRESSED, "UNSUBSCRIBE"),
        ([profile("UNSUBSCRIBE", "SPAM_COMPLAINT")], Remote.SUPPRESSED, "SPAM_COMPLAINT"),
        ([profile("INVALID_EMAIL")], Remote.NOT_MAILABLE, "INVALID_EMAIL"),
        ([profile("SOMETHING_NEW")], Remote.SUPPRESSED, "SOMETHING_NEW"),
        ([profile(consent="UNSUBSCRIBED")], Remote.SUPPRESSED, "UNSUBSCRIBED"),
        ([profile(consent="NEVER_SUBSCRIBED")], Remote.NOT_MAILABLE, "NEVER_SUBSCRIBED"),
        ([profile("UNSUBSCRIBE"), profile(mailable=True)], Remote.MAILABLE, None),
        ([profile("UNSUBSCRIBE"), profile("HARD_BOUNCE")], Remote.NOT_MAILABLE, "HARD_BOUNCE"),
        ([profile("UNSUBSCRIBE"), profile(mailable=None)], Remote.UNREADABLE, None),
    ],
)
def test_what_profiles_come_to(profiles: list[wire.Profile], state: Remote, reason: str | None) -> None:
    """The strongest reason of a profile, and the weakest profile of an address."""
    found = seen(PAT, profiles, None).observation

    assert (found.state, found.reason) == (state, reason)


def test_reasons_are_told_in_our_words() -> None:
    """A patrol tells opt-outs from bounces by them."""
    kinds = [seen(PAT, [profile(each)], None).observation.kind for each in (*wire.KINDS, "SOMETHING_NEW")]

    assert kinds == [
        Reason.COMPLAINT,
        Reason.UNSUBSCRIBED,
        Reason.ACCOUNT,
        Reason.BOUNCED,
        Reason.BOUNCED,
        None,
    ]


@pytest.mark.parametrize("text", ["2026-11-01T00:00:00+00:00", "2026-11-01T00:00:00"])
def test_times_are_aware(text: str) -> None:
    """Klaviyo writes both."""
    assert wire.instant(text) == AT


@pytest.mark.parametrize("text", ["yesterday", None, 7])
def test_what_is_no_time_is_none(text: object) -> None:
    """The state counts without it."""
    assert wire.instant(text) is None


def test_a_next_page_is_followed_on_the_same_host_only() -> None:
    """Of a link only its query is used, so that the key goes nowhere else."""
    following = "https://elsewhere.example/api/profiles?page%5Bcursor%5D=abc"

    assert wire.profiles({"data": [], "links": {"next": following}}) == ((), "page%5Bcursor%5D=abc")


@pytest.mark.parametrize("following", ["https://a.klaviyo.com/api/profiles", "x?cursor=a b", 7])
def test_a_next_page_without_a_cursor_is_not_as_promised(following: object) -> None:
    """Following it would read the first page for ever."""
    with pytest.raises(wire.NotAsPromised, match="without a cursor"):
        wire.profiles({"data": [], "links": {"next": following}})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"data": []}, "data is no object"),
        ({"data": {"id": "../x", "attributes": {}}}, "without an id"),
        ({"data": {"id": "j", "attributes": {}}}, "without a count"),
        ({"data": {"id": "j", "attributes": {"total_count": 1, "status": "odd"}}}, "not known"),
    ],
)
def test_a_job_that_is_not_as_promised(body: object, words: str) -> None:
    """Neither asked for nor believed."""
    with pytest.raises(wire.NotAsPromised, match=words):
        wire.job(body)


MAILED = {"attributes": {"email": PAT, "subscriptions": {"email": {"marketing": {}}}}}
MARKETING = {"can_receive_email_marketing": True}


def answering(write: object, look: object = None) -> Callable[[Request], Response]:
    """Pat has a profile that is mailed; writes and looks at jobs are answered so."""
    shown = {"attributes": {"email": PAT, "subscriptions": {"email": {"marketing": MARKETING}}}}

    def answered(request: Request) -> Response:
        if request.method == "POST":
            return answer(202, write)
        return answer(200, {"data": [shown]} if request.path.endswith("profiles") else look)

    return answered


@pytest.mark.parametrize("write", [[], {"data": {}}, {"data": {"id": "j", "attributes": {"total_count": 1}}}])
def test_a_write_that_is_not_answered_as_promised_is_told_again(write: object) -> None:
    """There is no job to ask for."""
    with Loopback(answering(write)) as server, opened(server.url) as exporter:
        assert told(exporter, PAT) == {PAT: Outcome.RETRY_LATER}


def test_a_look_at_a_job_that_is_not_as_promised_is_an_error() -> None:
    """The engine keeps the job and asks again in the next run."""
    with (
        Loopback(answering({}, look={"data": 7})) as server,
        opened(server.url) as exporter,
        pytest.raises(ContractBroken, match="data is no object"),
    ):
        list(exporter.poll(Job("j", "queued", AT)))


@pytest.mark.parametrize("body", [[], {"data": [7]}, {"data": [{}]}, {"data": [MAILED]}])
def test_a_reading_that_is_not_as_promised_is_unreadable(body: object) -> None:
    """Never unknown: whoever is unknown is not told."""
    with Loopback(lambda _request: answer(200, body)) as server, opened(server.url) as exporter:
        (found,) = exporter.read_back([PAT])

    assert found == Observation(PAT, Remote.UNREADABLE, evidence=found.evidence)


@pytest.mark.parametrize("body", [[], {"data": [{}]}, {"data": [], "links": {"next": "x"}}])
def test_a_sweep_that_is_not_as_promised_is_an_error(body: object) -> None:
    """It would look like people who were let go."""
    with (
        Loopback(lambda _request: answer(200, body)) as server,
        opened(server.url) as exporter,
        pytest.raises(ContractBroken),
    ):
        exporter.sweep(None)


def test_all_pages_of_a_reading_count() -> None:
    """Also when a page holds somebody who was not asked for."""
    stranger = {"attributes": {"email": "x@example.com"}}
    out = {"can_receive_email_marketing": False, "suppression": [{"reason": "UNSUBSCRIBE"}, "odd"]}
    mine = {"attributes": {"email": PAT, "subscriptions": {"email": {"marketing": out}}}}

    def paged(request: Request) -> Response:
        if request.asked("page[cursor]") == "2":
            return answer(200, {"data": [mine], "links": {"next": None}})
        following = "https://a.klaviyo.com/api/profiles?page%5Bcursor%5D=2"
        return answer(200, {"data": [stranger], "links": {"next": following}})

    with Loopback(paged) as server, opened(server.url) as exporter:
        (found,) = exporter.read_back([PAT])

    assert (found.state, found.reason, found.at) == (Remote.SUPPRESSED, "UNSUBSCRIBE", None)


@pytest.mark.parametrize("content", [b"<html>", b"\x00"])
def test_a_web_page_is_no_answer(content: bytes) -> None:
    """A sign-in wall says 200 to everything; something unreadable is no better."""
    wall = Response(200, content, "text/plain")
    with Loopback(lambda _request: wall) as server, opened(server.url) as exporter:
        (found,) = exporter.read_back([PAT])

    assert found.state is Remote.UNREADABLE
