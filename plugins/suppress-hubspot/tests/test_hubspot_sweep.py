"""A sweep of HubSpot shows every contact that is opted out, whatever a search does meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hubspot_opening import opened, settings_for
from suppress_hubspot.exporter import HubSpot
from suppress_hubspot.simulator import Scenario, Simulator

from suppress.errors import DestinationFailed
from suppress.plugin.contract import Observation, Remote
from suppress.plugin.errors import ContractBroken
from suppress.plugin.loopback import Loopback, Request, Response, answer
from tests.plugin.virtual import VirtualTime

START = datetime(2026, 11, 1, tzinfo=UTC)


def swept(exporter: HubSpot, between: Callable[[int], None] = lambda _page: None) -> list[list[Observation]]:
    """The pages of a whole sweep; `between` is called after each."""
    pages: list[list[Observation]] = []
    cursor = None
    while True:
        page, cursor = exporter.sweep(cursor)
        pages.append(list(page))
        between(len(pages))
        if cursor is None:
            return pages


def opted_out(platform: Simulator, clock: VirtualTime, count: int, *, seconds: float = 1) -> list[str]:
    """Contacts that opted out one after another."""
    addresses = [f"p{number}@example.com" for number in range(count)]
    platform.account.add(addresses, platform.now())
    for each in addresses:
        platform.account.opt_out(each, platform.now())
        clock.pass_(seconds)
    return addresses


def test_every_contact_is_shown_once_beyond_the_cap_of_a_search() -> None:
    """Each page asks from the last change that was seen, so that no cursor gets near the cap."""
    clock = VirtualTime(START)
    with Simulator(Scenario(search_cap=300), clock=clock.now) as platform:
        expected = opted_out(platform, clock, 1_000)
        platform.account.add(["mailable@example.com"], platform.now())
        exporter = opened(platform, clock=VirtualTime().clock)
        shown = [each.address for page in swept(exporter) for each in page]
        exporter.close()

    assert shown == expected


def test_a_contact_that_changes_while_one_pages_hides_nobody() -> None:
    """It moves to the end of the list, and everybody else moves up by one."""
    clock = VirtualTime(START)
    with Simulator(clock=clock.now) as platform:
        expected = opted_out(platform, clock, 500)

        def touch(_page: int) -> None:
            for each in ("p0@example.com", "p1@example.com"):
                contact = platform.account.contact(each)
                assert contact is not None
                contact.history.append((platform.now(), True))

        exporter = opened(platform, clock=VirtualTime().clock)
        shown = [each.address for page in swept(exporter, touch) for each in page]
        exporter.close()

    assert set(shown) == set(expected)


def test_many_that_changed_in_one_millisecond_are_paged_through() -> None:
    """An import does that; there the vendor's own cursor goes on."""
    clock = VirtualTime(START)
    with Simulator(clock=clock.now) as platform:
        together = opted_out(platform, clock, 450, seconds=0)
        clock.pass_(60)
        platform.account.add(["later@example.com"], platform.now())
        platform.account.opt_out("later@example.com", platform.now())
        exporter = opened(platform, clock=VirtualTime().clock)
        shown = [each.address for page in swept(exporter) for each in page]
        exporter.close()

    assert sorted(shown) == sorted([*together, "later@example.com"])


def test_more_in_one_millisecond_than_a_search_shows_is_an_error() -> None:
    """A sweep that cannot be whole must not look like one."""
    clock = VirtualTime(START)
    with Simulator(Scenario(search_cap=400), clock=clock.now) as platform:
        opted_out(platform, clock, 500, seconds=0)
        exporter = opened(platform, clock=VirtualTime().clock, search_results=400)
        with pytest.raises(DestinationFailed, match="cannot be whole"):
            swept(exporter)
        exporter.close()


def test_a_search_that_lags_shows_a_change_when_it_has_caught_up() -> None:
    """Until then the account-wide check knows it, and a sweep does not."""
    clock = VirtualTime(START)
    with Simulator(Scenario(search_lag=30), clock=clock.now) as platform:
        opted_out(platform, clock, 1, seconds=0)
        exporter = opened(platform, clock=VirtualTime().clock)
        (seen,) = exporter.read_back(["p0@example.com"])
        behind = swept(exporter)
        clock.pass_(31)
        caught_up = swept(exporter)
        exporter.close()

    assert seen.state is Remote.SUPPRESSED
    assert behind == [[]]
    assert [each.address for each in caught_up[0]] == ["p0@example.com"]


def test_with_batches_a_sweep_also_tells_since_when() -> None:
    """A contact does not tell; asked one by one, that would cost a request a person."""
    clock = VirtualTime(START)
    with Simulator(Scenario(enterprise=True), clock=clock.now) as platform:
        opted_out(platform, clock, 3)
        exporter = opened(platform, clock=VirtualTime().clock, mode="batch")
        ((first, *_),) = swept(exporter)
        exporter.close()

    assert (first.at, first.reason) == (START, "PORTAL_WIDE")


def test_a_text_that_is_no_cursor_is_refused() -> None:
    """A cursor of another plugin, or of an older version."""
    with Simulator() as platform:
        exporter = opened(platform)
        with pytest.raises(DestinationFailed, match="begin it anew"):
            exporter.sweep("7")
        exporter.close()


def contact(number: int, *, at: str = "2026-11-01T00:00:00Z", optout: str = "true") -> dict[str, object]:
    """A contact as a search shows it."""
    properties = {"email": f"p{number}@example.com", "hs_email_optout": optout, "lastmodifieddate": at}
    return {"id": str(number), "properties": properties}


MORE = {"next": {"after": "200"}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"total": 3, "results": [contact(1)]}, "ended after 1"),
        ({"results": []}, "without a total"),
        ({"total": 3, "results": [], "paging": MORE}, "empty page"),
        ({"total": 1, "results": [{"id": "1", "properties": {}}]}, "without the time"),
        ([], "is no object"),
    ],
)
def test_a_list_that_is_not_whole_is_an_error(body: object, words: str) -> None:
    """It would look like people who were let go."""
    with Loopback(lambda _request: answer(200, body)) as server:
        exporter = HubSpot(settings_for(server.url), clock=VirtualTime().clock)
        with pytest.raises(ContractBroken, match=words):
            exporter.sweep(None)
        exporter.close()


def test_a_list_that_is_not_sorted_is_an_error() -> None:
    """Going on from the last change of a page would skip whoever comes later in it."""

    def unsorted(request: Request) -> Response:
        body = request.json()
        assert isinstance(body, dict)
        first = len(body["filterGroups"][0]["filters"]) == 1
        at = "2026-11-02T00:00:00Z" if first else "2026-11-01T00:00:00Z"
        return answer(200, {"total": 9, "results": [contact(1, at=at)], "paging": MORE})

    with Loopback(unsorted) as server:
        exporter = HubSpot(settings_for(server.url), clock=VirtualTime().clock)
        _, cursor = exporter.sweep(None)
        with pytest.raises(ContractBroken, match="not sorted"):
            exporter.sweep(cursor)
        exporter.close()


def test_whoever_is_shown_as_not_opted_out_is_left_out() -> None:
    """A search that is behind may show a contact that came back with consent."""
    found = {"total": 2, "results": [contact(1), contact(2, optout="false")]}
    with Loopback(lambda _request: answer(200, found)) as server:
        exporter = HubSpot(settings_for(server.url), clock=VirtualTime().clock)
        shown, following = exporter.sweep(None)
        exporter.close()

    assert [each.address for each in shown] == ["p1@example.com"]
    assert following is None
