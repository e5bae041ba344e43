"""HubSpot's JSON is read as its reference says; anything else is said, without an address."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hubspot_opening import settings_for
from hypothesis import given, settings
from hypothesis import strategies as st
from suppress_hubspot import wire
from suppress_hubspot.exporter import HubSpot
from suppress_hubspot.reading import observed, settled

from suppress.plugin.contract import Remote
from suppress.plugin.loopback import Loopback, answer
from suppress.plugin.transport import Reply
from tests.plugin.virtual import VirtualTime

AT = "2026-11-01T09:00:00.000Z"
READERS: list[Callable[[object], object]] = [
    wire.statuses,
    wire.many_statuses,
    wire.wides,
    wire.many_wides,
    wire.contacts,
    wire.count,
]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["status", "results", "errors", "total", "context"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


def reply(body: object, status: int = 400) -> Reply:
    """An answer."""
    return Reply(status, {}, json.dumps(body).encode())


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
    assert isinstance(wire.complaint(reply(value)), wire.Complaint)


def test_an_error_is_taken_apart() -> None:
    """Category, correlation and scopes; its words without the address that they quote."""
    found = wire.complaint(
        reply(
            {
                "status": "error",
                "message": "Email address pat@example.com is invalid",
                "correlationId": "c-1",
                "category": "VALIDATION_ERROR",
                "context": {"requiredGranularScopes": ["crm.objects.contacts.read", "pat@example.com"]},
                "errors": [{"message": "x", "context": {"requiredGranularScopes": ["oauth"]}}, "odd"],
            }
        )
    )

    assert found == wire.Complaint(
        "VALIDATION_ERROR",
        "Email address [address] is invalid",
        "c-1",
        scopes=("crm.objects.contacts.read", "oauth"),
    )


def test_the_daily_limit_is_told_by_its_policy() -> None:
    """The category is called `errorType` there."""
    found = wire.complaint(reply({"errorType": "RATE_LIMIT", "policyName": "Daily"}, 429))

    assert (found.category, found.policy) == ("RATE_LIMIT", "DAILY")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-01T09:00:00Z", datetime(2026, 11, 1, 9, tzinfo=UTC)),
        ("2026-11-01T09:00:00", datetime(2026, 11, 1, 9, tzinfo=UTC)),
        ("1793523600000", datetime(2026, 11, 1, 9, tzinfo=UTC)),
        ("yesterday", None),
        ("9" * 40, None),
        (7, None),
    ],
)
def test_times_are_read_in_both_forms(text: object, at: datetime | None) -> None:
    """ISO 8601 in answers, milliseconds in filters and in some properties."""
    assert wire.instant(text) == at


def wide(kind: str, unit: int | None = None, status: str = "UNSUBSCRIBED") -> wire.Wide:
    """An opt-out of everything."""
    return wire.Wide(kind, status, unit, None)


@pytest.mark.parametrize(
    ("found", "unit", "state"),
    [
        ([], None, Remote.MAILABLE),
        ([wide("PORTAL_WIDE")], None, Remote.SUPPRESSED),
        ([wide("PORTAL_WIDE")], 7, Remote.SUPPRESSED),
        ([wide("PORTAL_WIDE", status="SUBSCRIBED")], None, Remote.MAILABLE),
        ([wide("PORTAL_WIDE", status="NOT_SPECIFIED")], None, Remote.MAILABLE),
        ([wide("BUSINESS_UNIT_WIDE", 7)], None, Remote.MAILABLE),
        ([wide("BUSINESS_UNIT_WIDE", 7)], 7, Remote.SUPPRESSED),
        ([wide("BUSINESS_UNIT_WIDE", 8)], 7, Remote.MAILABLE),
        ([wide("BUSINESS_UNIT_WIDE", 7), wide("PORTAL_WIDE")], None, Remote.SUPPRESSED),
        ([wide("SOMETHING_NEW")], None, Remote.MAILABLE),
    ],
)
def test_only_an_opt_out_of_the_whole_target_counts(
    found: list[wire.Wide], unit: int | None, state: Remote
) -> None:
    """Of the account for an account; of the brand, or the account, for a brand."""
    assert observed("pat@example.com", found, unit, None).state is state


def test_a_status_that_is_not_out_settles_nothing() -> None:
    """One newsletter that still goes out is one too many."""
    out = wire.Status("pat@example.com", "UNSUBSCRIBED", "NO_STATUS_CHANGE", None)
    still = wire.Status("pat@example.com", "SUBSCRIBED", "NO_STATUS_CHANGE", None)

    assert settled([out, still]) is None


@pytest.mark.parametrize("mode", ["single", "batch"])
@pytest.mark.parametrize(
    "body",
    [
        {"status": "PROCESSING", "results": []},
        {"status": "COMPLETE", "results": "none"},
        {"status": "COMPLETE", "results": [{"status": "UNSUBSCRIBED"}]},
        {"results": []},
        [],
    ],
)
def test_a_reading_that_is_not_as_promised_is_unreadable(body: object, mode: str) -> None:
    """Neither suppressed nor mailable: nobody knows."""
    with Loopback(lambda _request: answer(200, body)) as server:
        exporter = HubSpot(settings_for(server.url, mode=mode), clock=VirtualTime().clock)
        (seen,) = exporter.read_back(["pat@example.com"])
        exporter.close()

    assert seen.state is Remote.UNREADABLE
