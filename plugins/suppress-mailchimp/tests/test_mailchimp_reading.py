"""Nobody is missed when an audience is read, however its pages shift, lag, or tie."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mailchimp_platform import AUDIENCE, account, asked, numbered, opened, outcomes
from suppress_mailchimp import exporter as exporter_module
from suppress_mailchimp import reading, wire
from suppress_mailchimp.reading import Place, following, listed
from suppress_mailchimp.roster import Status
from suppress_mailchimp.simulator import Fault, People, Switches
from suppress_mailchimp.simulator.account import Member, name_of

from suppress.errors import ConfigWrong
from suppress.plugin.contract import Outcome, Remote, Severity
from suppress.plugin.kit import people

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def member(number: int, second: int | None) -> wire.Member:
    at = None if second is None else START + timedelta(seconds=second)
    return wire.Member(name_of(str(number)), "", Status.SUBSCRIBED, at)


class Listing:
    """An audience in the order of change; before each further page some of those shown change."""

    def __init__(self, seconds: list[int | None], page: int, stirred: list[int], *, inclusive: bool) -> None:
        self.rows = [member(number, at) for number, at in enumerate(seconds)]
        self.clock = max((each for each in seconds if each is not None), default=0)
        self.page = page
        self.stirred = stirred
        self.inclusive = inclusive
        self.requests = 0

    def __call__(self, since: datetime | None, offset: int) -> wire.MemberPage:
        self.requests += 1
        assert self.requests < 500, "it does not end"
        if self.requests > 1 and self.stirred:
            self.clock += 1
            moved = self.rows.pop(self.stirred.pop() % len(self.rows))
            at = START + timedelta(seconds=self.clock)
            self.rows.append(wire.Member(moved.hash, "", moved.status, at))
        shown = [each for each in self.rows if since is None or self._after(each, since)]
        return wire.MemberPage(tuple(shown[offset : offset + self.page]), len(shown))

    def _after(self, row: wire.Member, since: datetime) -> bool:
        assert row.changed is not None
        return row.changed >= since if self.inclusive else row.changed > since


SECONDS = st.lists(st.integers(0, 30), min_size=1, max_size=60).map(sorted)


@given(SECONDS, st.integers(2, 12), st.booleans(), st.lists(st.integers(0, 60), max_size=6))
@settings(max_examples=150, deadline=None)
def test_a_listing_that_shifts_shows_everyone(
    seconds: list[int | None], page: int, inclusive: bool, stirred: list[int]
) -> None:
    """Whether or not the platform's bounds are inclusive, and however many share a second."""
    listing = Listing(seconds, page, stirred, inclusive=inclusive)
    names = {each.hash for each in listed(listing)}
    shifts = len(stirred)
    everyone = {each.hash for each in listing.rows}

    # Within one second pages are told apart by their offset, which an overlap covers as far as it goes.
    ties = max(seconds.count(each) for each in seconds) > page // 2
    assert names <= everyone
    assert names == everyone or (ties and shifts)


def test_members_without_a_time_are_paged_by_offset() -> None:
    """Nothing is repeated for ever, and nobody is left out."""
    listing = Listing([None] * 23, 5, [], inclusive=True)

    assert len({each.hash for each in listed(listing)}) == 23


def test_the_last_page_has_no_next() -> None:
    """An empty one neither."""
    assert following(Place(), wire.MemberPage((), 5)) is None
    assert following(Place(None, 1), wire.MemberPage((member(1, 1),), 2)) is None


@pytest.mark.parametrize(
    "switches",
    [Switches(drift=3), Switches(lagging=True), Switches(archived_listed=True), Switches(skew=86_400)],
)
@pytest.mark.parametrize("method", ["patch", "list"])
def test_an_audience_that_shifts_or_lags_is_told_whole(switches: Switches, method: str) -> None:
    """And read back whole: whoever is not shown as unsubscribed yet is asked for by name."""
    hidden = "hidden@example.com"
    with account(People(AUDIENCE, people=45, archived=(hidden,)), switches=switches) as platform:
        exporter = opened(platform, page_size=10, method=method)
        found = outcomes(exporter, [*numbered(45), "nobody@example.com", hidden])
        seen = {each.address: each.state for each in exporter.read_back([*numbered(45), hidden])}
        mailed = [each for each in numbered(45) if platform.mails(each)]

    assert not mailed
    assert {found[each] for each in numbered(45)} == {Outcome.SUPPRESSED}
    assert found["nobody@example.com"] is Outcome.SKIPPED_UNKNOWN
    assert {seen[each] for each in numbered(45)} == {Remote.SUPPRESSED}
    assert seen[hidden] is Remote.NOT_MAILABLE


def test_few_people_are_asked_for_one_by_one() -> None:
    """Five people do not cost an audience of a hundred pages."""
    with account(People(AUDIENCE, people=1000)) as platform:
        exporter = opened(platform, page_size=10)
        outcomes(exporter, numbered(5))
        list(exporter.read_back(numbered(5)))
        calls = asked(platform)

    assert len(calls) == 1 + 5 + 5 + 5


def test_many_people_cost_one_reading_of_the_audience() -> None:
    """And from then on what changed, not the whole again."""
    with account(People(AUDIENCE, people=400)) as platform:
        exporter = opened(platform, page_size=100)
        for first in range(0, 400, 100):
            outcomes(exporter, numbered(400)[first : first + 100])
            seen = {each.state for each in exporter.read_back(numbered(400)[first : first + 100])}
            assert seen == {Remote.SUPPRESSED}
        calls = asked(platform, "GET")

    assert len([each for each in calls if each.endswith("/members")]) < 60
    assert not [each for each in calls if "/members/" in each]


def test_who_asks_little_and_often_reads_the_audience_when_that_is_cheaper() -> None:
    """At most twice what the better way would have cost."""
    with account(People(AUDIENCE, people=40)) as platform:
        exporter = opened(platform, page_size=10)
        for number in range(20):
            list(exporter.plan(people([f"person-{number}@example.com"])))
        singles = [each for each in asked(platform, "GET") if "/members/" in each]

    assert len(singles) == 6


def test_a_reading_that_misses_somebody_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """If fewer were seen than there are, an address that was not seen is asked for by name."""
    whole = reading.listed

    def without_one(page_of: reading.PageOf, since: datetime | None = None) -> list[wire.Member]:
        return [each for each in whole(page_of, since) if each.hash != name_of("person-7@example.com")]

    monkeypatch.setattr(reading, "listed", without_one)
    with account(People(AUDIENCE, people=30)) as platform:
        found = outcomes(opened(platform), [*numbered(30), "nobody@example.com"])

    assert {found[each] for each in numbered(30)} == {Outcome.SUPPRESSED}
    assert found["nobody@example.com"] is Outcome.SKIPPED_UNKNOWN


def test_who_was_subscribed_again_meanwhile_is_seen() -> None:
    """Whom the API unsubscribed is not locked: another program undoes it, and reading back shows it."""
    with account(People(AUDIENCE, people=60)) as platform:
        exporter = opened(platform)
        outcomes(exporter, numbered(60))
        with platform.lock:
            audience = platform.account.audiences[AUDIENCE]
            audience.write("person-9@example.com", "subscribed", platform.now(), source="Shop sync")
        seen = {each.address: each for each in exporter.read_back(numbered(60))}

    drifted = [each.address for each in seen.values() if each.state is Remote.MAILABLE]
    assert drifted == ["person-9@example.com"]
    assert seen["person-9@example.com"].by == "generic signup: Shop sync"
    assert seen["person-9@example.com"].at is not None


@pytest.mark.parametrize(("kind", "asked_for"), [("failed", 1), ("none", 1), ("none", 0)])
def test_how_somebody_came_back_is_asked_for_as_far_as_it_goes(
    kind: str, asked_for: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an answer, or beyond a hundred people, what first brought them is said."""
    monkeypatch.setattr(exporter_module, "TRACED", asked_for)
    faults = [Fault("failed", path=".*/activity-feed", times=100)] if kind == "failed" else []
    with account(People(AUDIENCE, people=3), faults=faults) as platform:
        seen = [each.by for each in opened(platform).read_back(numbered(3))]
        feeds = [each for each in asked(platform) if each.endswith("activity-feed")]

    assert seen == ["API - Generic"] * 3
    assert bool(feeds) is bool(asked_for)


def test_an_old_reading_is_renewed() -> None:
    """After a minute, even if nothing was written meanwhile."""
    with account(People(AUDIENCE, people=60)) as platform:
        exporter = opened(platform)
        list(exporter.plan(people(numbered(60))))
        with platform.lock:
            audience = platform.account.audiences[AUDIENCE]
            audience.place(Member("new@example.com", "subscribed", platform.now()))
        before = [each.state for each in exporter.read_back(["new@example.com"])]
        exporter._clock.sleep(61)
        after = [each.state for each in exporter.read_back(["new@example.com"])]

    assert (before, after) == ([Remote.UNKNOWN], [Remote.MAILABLE])


def test_an_account_without_audiences_is_the_wrong_account() -> None:
    """Nobody could be told there, and a run that says so is no success."""
    with account() as platform:
        with platform.lock:
            platform.account.audiences.clear()
        exporter = opened(platform, audience="all")
        with pytest.raises(ConfigWrong, match="has no audience"):
            outcomes(exporter, ["a@example.com"])
        findings = [each.severity for each in exporter.check()]

    assert findings == [Severity.PASS, Severity.FAIL]
