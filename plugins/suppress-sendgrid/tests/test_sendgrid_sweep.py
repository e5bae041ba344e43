"""A sweep of SendGrid shows everyone whom it does not mail, once, with the strongest reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sendgrid_opening import GROUP, account, calls_of, settings_for
from suppress_sendgrid.exporter import SendGrid
from suppress_sendgrid.settings import OTHER_LISTS
from suppress_sendgrid.simulator import Scenario

from suppress.core.suppression import Reason
from suppress.errors import DestinationFailed
from suppress.plugin.contract import Observation, Remote
from suppress.plugin.errors import ContractBroken
from suppress.plugin.loopback import Loopback, Request, Response, answer
from tests.plugin.virtual import from_now

START = datetime(2026, 11, 1, tzinfo=UTC)


def swept(exporter: SendGrid, between: Callable[[], None] = lambda: None) -> list[Observation]:
    """Everyone of a whole sweep; `between` is called after each page."""
    found: list[Observation] = []
    cursor = None
    while True:
        page, cursor = exporter.sweep(cursor)
        found += page
        between()
        if cursor is None:
            return found


def test_each_list_is_told_by_its_kind() -> None:
    """A bounce is no legal opt-out, a spam report is; a block stops nobody, as SendGrid mails on."""
    lists = Scenario(
        unsubscribed=("left@example.com",),
        spam_reports=("angry@example.com",),
        bounces=("gone@example.com",),
        invalid_emails=("typo@exmaple.com",),
        blocks=("busy@example.com",),
    )
    with account(lists) as (_, exporter):
        found = {each.address: (each.state, each.kind, each.reason) for each in swept(exporter)}

    assert found == {
        "left@example.com": (Remote.SUPPRESSED, Reason.UNSUBSCRIBED, "global unsubscribe"),
        "angry@example.com": (Remote.NOT_MAILABLE, Reason.COMPLAINT, "spam report"),
        "gone@example.com": (Remote.NOT_MAILABLE, Reason.BOUNCED, "bounce"),
        "typo@exmaple.com": (Remote.NOT_MAILABLE, Reason.BOUNCED, "invalid address"),
        "busy@example.com": (Remote.MAILABLE, Reason.BOUNCED, "block"),
    }


def test_nobody_is_shown_twice_and_the_strongest_reason_wins() -> None:
    """A second, weaker one would look as if the opt-out had been turned into a bounce."""
    both = Scenario(
        unsubscribed=("a@example.com", "b@example.com"),
        spam_reports=("A@example.com",),
        bounces=("b@EXAMPLE.com", "a@example.com"),
    )
    with account(both) as (_, exporter):
        first = [(each.address.lower(), each.kind) for each in swept(exporter)]
        second = [(each.address.lower(), each.kind) for each in swept(exporter)]

    assert first == second == [("a@example.com", Reason.COMPLAINT), ("b@example.com", Reason.UNSUBSCRIBED)]


def test_pages_that_shift_while_one_pages_hide_nobody() -> None:
    """New entries come first at SendGrid, so that everybody moves down."""
    with account(page_size=50) as (platform, exporter):
        expected = [f"p{number}@example.com" for number in range(330)]
        for number, each in enumerate(expected):
            platform.account.suppress([each], START + timedelta(seconds=number))
        late = iter(range(1_000))

        def arrive() -> None:
            if "unsubscribes" in calls_of(platform):
                platform.account.suppress([f"late{next(late)}@example.com"], platform.now())

        shown = [each.address for each in swept(exporter, arrive)]

    assert set(shown) >= set(expected)
    assert len(shown) == len(set(shown))


def test_the_time_is_that_of_the_list() -> None:
    """To the second; a group's list has none."""
    with account() as (platform, exporter):
        platform.account.suppress(["pat@example.com"], START)
        (seen,) = swept(exporter)

    assert seen.at == START


def test_a_group_is_listed_whole() -> None:
    """The vendor has no pages for it, and says no dates."""
    with account(Scenario(unsubscribed=("else@example.com",)), "group") as (platform, exporter):
        expected = [f"p{number}@example.com" for number in range(1_200)]
        platform.account.suppress(expected, START, GROUP)
        found = swept(exporter)

        assert {each.address for each in found} == set(expected)
        assert {(each.reason, each.at) for each in found} == {("group unsubscribe", None)}
        assert calls_of(platform).count("group list") == 1


def test_lists_that_are_not_wanted_are_not_asked_for() -> None:
    """A key without their scopes is enough then."""
    with account(Scenario(bounces=("gone@example.com",)), other_lists=[]) as (platform, exporter):
        assert swept(exporter) == []
        assert calls_of(platform) == ["unsubscribes"]


@pytest.mark.parametrize("cursor", ["", "bounces", "drops@0", "bounces@-1", "unsubscribes@1e9"])
def test_a_cursor_of_somebody_else_is_refused(cursor: str) -> None:
    """Begun in the middle, a sweep would look whole."""
    with (
        account() as (_, exporter),
        pytest.raises(DestinationFailed, match="no cursor of a sweep of SendGrid"),
    ):
        exporter.sweep(cursor)


@pytest.mark.parametrize("value", [{}, [7], [{"created": 1}], [{"created": 1, "email": ""}]])
def test_a_list_that_is_not_as_promised_is_no_list(value: object) -> None:
    """It would look as if everybody had been let go."""
    with Loopback(lambda _request: answer(200, value)) as server:
        exporter = SendGrid(settings_for(server.url), clock=from_now().clock)
        with pytest.raises(ContractBroken):
            exporter.sweep(None)
        exporter.close()


@pytest.mark.parametrize("created", [None, "yesterday", True, 10**30])
def test_a_row_without_a_time_is_shown_all_the_same(created: object) -> None:
    """Its opt-out counts; only its date is unknown."""
    row = [{"created": created, "email": "pat@example.com"}]
    with Loopback(lambda _request: answer(200, row)) as server:
        exporter = SendGrid(settings_for(server.url), clock=from_now().clock)
        (seen,), cursor = exporter.sweep(None)
        exporter.close()

    assert (seen.address, seen.at) == ("pat@example.com", None)
    assert cursor == f"{OTHER_LISTS[0]}@1"


def test_a_page_that_is_shorter_than_asked_for_is_not_the_end() -> None:
    """A platform that gives fewer rows than were asked for hides nobody."""
    rows = [{"created": 1, "email": f"p{number}@example.com"} for number in range(7)]

    def three(request: Request) -> Response:
        offset = int(request.asked("offset") or 0)
        return answer(200, rows[offset : offset + 3])

    with Loopback(three) as server:
        exporter = SendGrid(settings_for(server.url, other_lists=[]), clock=from_now().clock)
        shown = [each.address for each in swept(exporter)]
        exporter.close()

    assert shown == [each["email"] for each in rows]
