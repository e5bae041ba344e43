"""The source against the simulated platform: every opt-out is found, and nobody else."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppress.config import SourceSettings
from suppress.core.reconcile import Permission
from suppress.core.suppression import Reason
from suppress.platforms import constant_contact
from suppress.platforms.constant_contact import ConstantContact
from suppress.platforms.constant_contact.simulator import (
    Fault,
    FaultKind,
    LastPage,
    Limits,
    Order,
    Paging,
    People,
    Scenario,
    Simulator,
    Switches,
    Timestamps,
    demo_scenario,
    large_scenario,
)
from suppress.plugin.contract import Census, Window
from tests.platforms.constant_contact.accounts import Bare, account, person, pulled, serving, window
from tests.plugin.virtual import NOON

READINGS = st.builds(
    Switches,
    deleted_includes_unsubscribed=st.booleans(),
    inclusive_bounds=st.booleans(),
    resubscribed_keep_opt_out_date=st.booleans(),
    order=st.sampled_from(Order),
    paging=st.sampled_from(Paging),
    last_page=st.sampled_from(LastPage),
    timestamps=st.sampled_from(Timestamps),
    deleted_at_has_time=st.booleans(),
)
FAULTS = st.lists(
    st.builds(
        Fault,
        kind=st.sampled_from(
            [
                FaultKind.ERROR,
                FaultKind.HTML,
                FaultKind.DROP,
                FaultKind.GARBLED,
                FaultKind.THROTTLED,
                FaultKind.DUPLICATE_ROW,
                FaultKind.MISSING_ROW,
            ]
        ),
        page=st.integers(1, 4),
        times=st.integers(1, 2),
        status=st.sampled_from([None, 200, 500, 502, 503, 504]),
    ).map(lambda fault: replace(fault, status=500) if fault.kind is FaultKind.ERROR else fault),
    max_size=2,
)
"""At most four failures of one page: the source tries six times."""
PEOPLE = large_scenario(1_300).people


# --- Everybody is found -----------------------------------------------------------------------------------


def test_a_census_finds_exactly_the_opt_outs(tmp_path: Path) -> None:
    """200 of 1,000, 80 of them deleted, whom a plain status=unsubscribed sync never sees."""
    with account(demo_scenario(), tmp_path) as cc:
        found = cc.census()

        assert cc.simulator.truth() == found.opted_out
    done = found.done
    assert done.complete
    assert (4, 200, 80, 80, 5) == (
        done.requests,
        done.opted_out,
        done.deleted,
        done.missed_by_naive_sync,
        done.without_address,
    )
    assert {
        "status_all": 1000,
        "status_all_counted": 1000,
        "status_unsubscribed": 120,
        "status_unsubscribed_counted": 120,
        "status_deleted": 130,
        "status_deleted_counted": 130,
        "rounds": 1,
        "contacts": 1000,
        "opted_out": 200,
        "opted_out_visible": 120,
        "opted_out_deleted": 80,
        "deleted": 130,
        "mailable": 740,
        "without_address": 5,
    } == done.census


def test_a_window_finds_every_dated_opt_out(tmp_path: Path) -> None:
    """In one request of at most 500 rows, and one more for what is younger."""
    with account(demo_scenario(), tmp_path) as cc:
        found = cc.first_window()

        assert cc.simulator.truth() == found.opted_out
    assert found.done.complete
    assert (2, 200, 80, 80, None) == (
        found.done.requests,
        found.done.opted_out,
        found.done.deleted,
        found.done.missed_by_naive_sync,
        found.done.census,
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(switches=READINGS, faults=FAULTS, retry_after=st.booleans(), seed=st.integers(0, 99))
def test_whatever_the_vendor_means_and_whatever_breaks(
    switches: Switches, faults: list[Fault], retry_after: bool, seed: int
) -> None:
    """Every reading of the documents, with failures, throttles, lost and doubled rows: the truth, by GET
    alone, never more than four a second."""
    scenario = Scenario(
        people=PEOPLE,
        seed=seed,
        switches=switches,
        faults=tuple(faults),
        limits=Limits(retry_after=retry_after),
    )
    with tempfile.TemporaryDirectory() as state, account(scenario, Path(state)) as cc:
        found = cc.census()

        assert cc.simulator.truth() == found.opted_out
        assert found.done.complete, found.done.problems
        assert {"GET"} == {exchange.method for exchange in cc.simulator.requests}
        assert cc.simulator.busiest_second() <= 4


def test_five_thousand_contacts_of_every_kind(tmp_path: Path) -> None:
    """In eleven pages, with everything broken once."""
    scenario = replace(
        large_scenario(5_000),
        faults=tuple(
            Fault(kind, page=page, times=2, seconds=0.01)
            for page, kind in enumerate(FaultKind, start=1)
            if kind not in (FaultKind.QUOTA_EXCEEDED, FaultKind.TOKEN_EXPIRED)
        ),
    )
    with account(scenario, tmp_path) as cc:
        first, found = cc.first_window(), cc.census()

        assert cc.simulator.truth() == found.opted_out
        assert first.opted_out < found.opted_out
        assert cc.simulator.busiest_second() <= 4
    assert found.done.complete, found.done.problems
    assert (1_575, 625, 50) == (found.done.opted_out, found.done.deleted, found.done.without_address)


def test_real_time_is_kept_too(tmp_path: Path) -> None:
    """Without an injected clock, a dozen requests over loopback stay within four a second."""
    with Simulator(Scenario(people=People(active=10, unsubscribed=3))) as simulator:
        options = {"api_url": simulator.url}
        given = SourceSettings("main", "constant-contact", access_token=simulator.token, options=options)
        for _ in range(4):
            source = ConstantContact(given, tmp_path)
            pulled(source, Census())
            source.close()

        ticks = [exchange.tick for exchange in simulator.requests]
        assert 12 == len(ticks)
        assert all(later - earlier > 1.0 for earlier, later in zip(ticks, ticks[4:], strict=False))


# --- Windows ----------------------------------------------------------------------------------------------


def source_with(tmp_path: Path, **options: str | int) -> ConstantContact:
    return ConstantContact(SourceSettings("main", "constant-contact", options=options), tmp_path)


def test_the_first_window_begins_before_any_account() -> None:
    """And ends five minutes ago: a click takes time until it can be found."""
    source = source_with(Path())

    assert Window(datetime(2000, 1, 1, tzinfo=UTC), NOON - timedelta(minutes=5)) == source.window(None, NOON)


def test_windows_overlap() -> None:
    """By two days, so that a bound may be inclusive or not."""
    last = NOON - timedelta(days=10)

    assert Window(last - timedelta(hours=48), NOON - timedelta(minutes=5)) == source_with(Path()).window(
        last, NOON
    )


def test_lag_and_overlap_are_settings() -> None:
    """For an account whose clicks take longer."""
    source = source_with(Path(), lag="10m", overlap="1h")
    last = NOON - timedelta(days=1)

    assert Window(last - timedelta(hours=1), NOON - timedelta(minutes=10)) == source.window(last, NOON)


def test_a_clock_set_back_still_gives_a_window() -> None:
    """That ends after it begins."""
    found = source_with(Path()).window(NOON + timedelta(days=30), NOON)

    assert Window(NOON - timedelta(hours=48, minutes=5), NOON - timedelta(minutes=5)) == found


def test_bounds_are_what_can_be_asked() -> None:
    """In UTC, to the millisecond."""
    found = source_with(Path()).window(None, NOON.replace(microsecond=123_456))

    assert NOON.replace(microsecond=123_000) - timedelta(minutes=5) == found.before


def test_the_main_query_is_everyone_by_opt_out_date(tmp_path: Path) -> None:
    """Not status=unsubscribed, which hides the deleted, nor updated_after, which an opt-out does not move."""
    with account(Scenario(people=People(unsubscribed=1)), tmp_path) as cc:
        cc.first_window()

        main, younger = (dict(exchange.query) for exchange in cc.simulator.requests)
    assert {
        "status": "all",
        "optout_after": "2000-01-01T00:00:00.000Z",
        "optout_before": "2026-11-23T11:55:00.000Z",
        "limit": "500",
        "include_count": "true",
    } == main
    assert {
        "status": "all",
        "optout_after": "2026-11-23T11:55:00.000Z",
        "limit": "500",
        "include_count": "true",
    } == younger


def test_an_opt_out_of_this_minute_is_known_this_minute(tmp_path: Path) -> None:
    """The lag holds back the watermark, not the news."""
    with account(Scenario(people=People(active=5)), tmp_path) as cc:
        cc.simulator.add("late@example.com")
        cc.simulator.unsubscribe("late@example.com")

        assert {"late@example.com"} == cc.first_window().opted_out


def test_an_opt_out_that_shows_late_is_found_by_the_next_window(tmp_path: Path) -> None:
    """It was made before the first window ended, and was not visible then."""
    scenario = Scenario(people=People(active=5), switches=Switches(visibility_delay=240))
    with account(scenario, tmp_path) as cc:
        cc.simulator.add("late@example.com")
        cc.simulator.unsubscribe("late@example.com")
        cc.simulator.advance(200)
        before = cc.first_window()
        cc.simulator.advance(600)
        source = cc.source()
        after = pulled(source, source.window(NOON - timedelta(seconds=100), cc.simulator.clock.now()))
        source.close()

    assert set() == before.opted_out
    assert {"late@example.com"} == after.opted_out


@pytest.mark.parametrize("keep", [True, False])
def test_who_came_back_is_no_opt_out(keep: bool, tmp_path: Path) -> None:
    """Even if the platform keeps the date and shows them in the window; then they are seen as mailable."""
    scenario = Scenario(
        people=People(active=5, resubscribed=3), switches=Switches(resubscribed_keep_opt_out_date=keep)
    )
    with account(scenario, tmp_path) as cc:
        found = cc.first_window()

    assert set() == found.opted_out
    assert [Permission.MAILABLE] * (3 if keep else 0) == [each.permission for each in found.observed]
    assert 0 == found.done.opted_out


# --- What is yielded --------------------------------------------------------------------------------------


def test_a_contact_is_yielded_once_a_run(tmp_path: Path) -> None:
    """However many walks show it."""
    with account(demo_scenario(), tmp_path) as cc:
        found = cc.census()

    assert 1000 == len(found.observed)
    assert 1250 == found.done.rows == sum(page.rows for page in found.pages)


def test_a_contact_that_changes_during_a_run_is_yielded_again(tmp_path: Path) -> None:
    """Mailable when everyone was asked, unsubscribed when opt-outs were."""

    def unsubscribe(simulator: Simulator) -> None:
        simulator.unsubscribe("pat@example.com")

    with account(Scenario(people=People(active=3)), tmp_path) as cc:
        cc.simulator.add("pat@example.com")
        cc.simulator.before_page(2, unsubscribe)
        found = cc.census()

    seen = [each for each in found.observed if each.address and each.address.raw == "pat@example.com"]
    assert [Permission.MAILABLE, Permission.OPTED_OUT] == [each.permission for each in seen]
    assert found.done.complete


def test_mailable_contacts_are_yielded_so_that_drift_shows(tmp_path: Path) -> None:
    """With the platform's own word."""
    with account(Scenario(people=People(active=4, resubscribed=1)), tmp_path) as cc:
        found = cc.census()

    assert 5 == sum(each.permission is Permission.MAILABLE for each in found.observed)
    assert {each.word for each in found.observed} <= {"explicit", "implicit", "not_set"}


def test_pages_tell_how_far_they_are(tmp_path: Path) -> None:
    """Step and total, for progress."""
    with account(large_scenario(1_200), tmp_path) as cc:
        found = cc.census()

    assert [("status=all", 500, 1_200), ("status=all", 500, 1_200), ("status=all", 200, 1_200)] == [
        (page.step, page.rows, page.total) for page in found.pages[:3]
    ]


def test_evidence_is_what_was_received_and_how(tmp_path: Path) -> None:
    """Raw values, the query without cursor or page size, and the time."""
    with serving(Bare([person(1, "unsubscribed", deleted=True)]), tmp_path) as (_, source):
        found = pulled(source, window())

    (seen,) = found.observed
    assert Reason.UNSUBSCRIBED is seen.reason
    assert ("id-00001", "2024-06-08T01:31:05Z") == seen.fingerprint
    asked = "status=all&optout_after=2000-11-23T12:00:00.000Z&optout_before=2026-11-23T11:55:00.000Z"
    assert asked == seen.evidence["query"]
    assert str(seen.evidence["fetched_at"]).startswith("2026-11-23T12:00:0")
    assert "2024-07-01" == seen.evidence["deleted_at"]


# --- The package ------------------------------------------------------------------------------------------


def test_a_source_says_what_it_is(tmp_path: Path) -> None:
    """Without a connection, a token or a file."""
    source = source_with(tmp_path)
    source.close()

    assert ("main", "constant-contact") == (source.name, source.platform)
    assert [] == list(tmp_path.iterdir())


def test_the_package_has_one_name_to_load() -> None:
    """Importing the package imports no HTTP library; a misspelt name is a plain error."""
    assert ConstantContact is constant_contact.ConstantContact
    with pytest.raises(AttributeError, match="no attribute 'ConstantContract'"):
        _ = constant_contact.ConstantContract
