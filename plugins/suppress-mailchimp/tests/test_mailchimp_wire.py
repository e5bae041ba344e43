"""Mailchimp's JSON is read for what it says, and refused where it does not say it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from suppress_mailchimp import wire
from suppress_mailchimp.roster import Status

from suppress.core.suppression import Reason
from suppress.plugin.contract import Remote
from suppress.plugin.transport import Reply

HASH = "0cba00ca3da1b283a57287bcceb17e35"
MEMBER = {"id": HASH, "email_address": "jane.doe@example.com", "status": "unsubscribed"}


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {**MEMBER, "id": "../x"},
        {**MEMBER, "id": None},
        {**MEMBER, "status": None},
        {**MEMBER, "status": ["unsubscribed"]},
    ],
)
def test_a_member_without_name_or_status_is_refused(body: object) -> None:
    """Silence is not taken for unsubscribed."""
    with pytest.raises(wire.NotAsPromised):
        wire.member(body)


def test_a_member_is_read_with_time_reason_and_source() -> None:
    """Reasons are the vendor's words, without addresses."""
    found = wire.member(
        {
            **MEMBER,
            "last_changed": "2026-01-05T09:00:00+00:00",
            "unsubscribe_reason": "Told to by boss@example.com",
            "source": "Import",
            "something_new": {"a": 1},
        }
    )

    assert (found.hash, found.status, found.remote) == (HASH, Status.UNSUBSCRIBED, Remote.SUPPRESSED)
    assert found.changed == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert (found.reason, found.source) == ("Told to by [address]", "Import")


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        ("cleaned", None, Reason.BOUNCED),
        ("unsubscribed", "I no longer want these", Reason.UNSUBSCRIBED),
        ("unsubscribed", "N/A (Unsubscribed by an admin)", Reason.ACCOUNT),
        ("unsubscribed", None, None),
        ("unsubscribed", "", None),
        ("subscribed", "Normal", None),
        ("archived", None, None),
    ],
)
def test_a_bounce_is_told_from_an_opt_out(status: str, reason: object, kind: Reason | None) -> None:
    """And the person's own act from staff's, as far as the platform says."""
    assert wire.member({**MEMBER, "status": status, "unsubscribe_reason": reason}).kind is kind


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-05T09:00:00", datetime(2026, 1, 5, 9, tzinfo=UTC)),
        ("2026-01-05T10:00:00+01:00", datetime(2026, 1, 5, 9, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        (7, None),
        (None, None),
    ],
)
def test_a_time_is_read_or_left_out(text: object, at: datetime | None) -> None:
    """None is ever made up."""
    assert wire.moment(text) == at


@pytest.mark.parametrize(
    "body", [{}, {"members": []}, {"members": [], "total_items": True}, {"members": {}, "total_items": 1}, []]
)
def test_a_listing_without_members_or_count_is_refused(body: object) -> None:
    """It would look like an audience of nobody."""
    with pytest.raises(wire.NotAsPromised):
        wire.members(body)


@pytest.mark.parametrize("body", [{}, {"lists": 7}, {"lists": [{"id": "a-b"}]}, {"lists": [{}]}, None])
def test_audiences_without_ids_are_refused(body: object) -> None:
    """An id becomes part of a path."""
    with pytest.raises(wire.NotAsPromised):
        wire.audiences(body)


def test_an_audience_without_statistics_is_one() -> None:
    """Its size is then not known, and taken for nothing."""
    assert wire.audience({"id": "a1", "name": 7}) == wire.Audience("a1", "", 0)


LIST: dict[str, object] = {"new_members": [], "updated_members": [], "errors": []}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {**LIST, "errors": [7]},
        {**LIST, "total_updated": 1},
        {**LIST, "total_created": 1},
        {**LIST, "error_count": 1},
        {**LIST, "updated_members": [MEMBER], "total_updated": 2},
    ],
)
def test_a_list_call_whose_counts_do_not_agree_is_refused(body: object) -> None:
    """An answer that accounts for other people than it lists accounts for nobody."""
    with pytest.raises(wire.NotAsPromised):
        wire.list_answer(body)


def test_refusals_of_a_list_call_are_found_by_address() -> None:
    """In any capitals, and one without an address is nobody's."""
    errors = [
        {"email_address": "Jane@Example.com", "error": "no", "error_code": "ERROR_GENERIC"},
        {"error": "?"},
    ]
    found = wire.list_answer({**LIST, "errors": errors})

    assert found.refused["jane@example.com"] == wire.Problem("ERROR_GENERIC", "no")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"status": 403}', b"[" * 100_000])
def test_a_body_that_states_no_problem_states_none(body: bytes) -> None:
    """A bare 403 is throttling."""
    assert wire.problem(body) is None


def test_a_problem_is_read_without_type_and_instance() -> None:
    """As in the results of a batch; fields that were refused are said with it, addresses are not."""
    stated = wire.problem(
        b'{"title": "Invalid Resource", "detail": "a@example.com looks odd", '
        b'"errors": [{"message": "bad"}, 7]}'
    )

    assert stated is not None
    assert stated.words == "Invalid Resource — [address] looks odd; bad"
    assert not stated.forgotten
    assert not stated.compliance


@pytest.mark.parametrize(
    ("headers", "status", "body", "found"),
    [
        ({"x-request-id": "abc-1"}, 200, b"{}", "abc-1"),
        ({"x-request-id": "a b"}, 200, b"{}", None),
        ({}, 400, b'{"title": "x", "instance": "def-2"}', "def-2"),
        ({}, 200, b'{"title": "x", "instance": "def-2"}', None),
        ({}, 400, b"", None),
    ],
)
def test_the_request_id_is_the_header_or_a_problems_instance(
    headers: dict[str, str], status: int, body: bytes, found: str | None
) -> None:
    """The vendor's support asks for it."""
    assert wire.request_id(Reply(status, headers, body)) == found


@pytest.mark.parametrize(
    ("body", "by"),
    [
        ({"activity": [{"activity_type": "open"}, {"activity_type": "website_signup"}]}, "website signup"),
        (
            {"activity": [{"activity_type": "ecommerce_signup", "store_name": "Shop of a@example.com"}]},
            "ecommerce signup: Shop of [address]",
        ),
        ({"activity": [7, {"activity_type": 7}]}, None),
        ({"activity": {}}, None),
        ([], None),
    ],
)
def test_how_a_member_came_back_is_read_from_the_newest_sign_up(body: object, by: str | None) -> None:
    """In the vendor's words, without addresses."""
    assert wire.came_back(body) == by


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "status", "email_address", "members", "total_items", "lists", "new_members", "errors"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=10,
)


@given(JSON)
@settings(max_examples=150, deadline=None)
def test_any_answer_is_read_or_refused_and_breaks_nothing(body: object) -> None:
    """Whatever a platform sends."""
    for read in (wire.member, wire.members, wire.audiences, wire.list_answer, wire.batch):
        try:
            read(body)
        except wire.NotAsPromised as refused:
            assert "@" not in str(refused)
