"""The platform's limits, to the exact bodies: 4 a second, 10,000 a day, per application."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suppress.platforms.constant_contact.simulator import Clock, Limits, Scenario, SignIn, Simulator
from suppress.platforms.constant_contact.simulator.limits import Meter
from tests.platforms.constant_contact_simulator.calling import Answer, call, standing_still

THROTTLED = {"error_key": "throttled", "error_message": "Too Many Requests"}
QUOTA = {"error_key": "quota_exceeded", "error_message": "Limit Exceeded"}
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def ask(cc: Simulator) -> Answer:
    """The cheapest call."""
    return call(cc, "GET", "/v3/account/user/privileges")


def test_the_fifth_request_of_a_second_is_throttled() -> None:
    """One bare object, no rate headers; a quarter of a second later one more is let in."""
    with standing_still(Scenario()) as cc:
        statuses = [ask(cc).status for _ in range(4)]
        refused = ask(cc)
        cc.advance(0.25)
        statuses += [ask(cc).status, ask(cc).status]

    assert statuses == [200, 200, 200, 200, 200, 429]
    assert refused.json() == THROTTLED
    assert not {name.lower() for name in refused.headers} & {"retry-after", "x-ratelimit-limit"}


def test_the_limit_holds_in_real_time() -> None:
    """Without an injected clock: four at once, the next one no sooner than a quarter of a second later."""
    with Simulator(Scenario()) as cc:
        while sum(one.status == 200 for one in cc.requests) < 6:
            ask(cc)
        exchanges = cc.requests

    admitted = [one.tick for one in exchanges if one.status == 200]
    assert {one.status for one in exchanges} == {200, 429}
    assert all(one.status == 200 for one in exchanges[:4])
    assert admitted[4] - admitted[0] >= 0.25
    assert admitted[5] - admitted[0] >= 0.5


def test_the_day_ends_the_requests_and_midnight_utc_brings_new_ones() -> None:
    """The quota is told apart from the rate by its key."""
    clock = Clock(datetime(2026, 11, 23, 23, 59, 50, tzinfo=UTC), frozen=True)
    limits = Limits(per_second=100, per_day=3)
    with Simulator(Scenario(limits=limits), clock=clock) as cc:
        answers = [ask(cc) for _ in range(4)]
        cc.advance(9.9)
        still = ask(cc).status
        cc.advance(0.1)
        after = ask(cc).status

    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[3].json() == QUOTA
    assert (still, after) == (429, 200)


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [
        (Limits(per_second=1, retry_after=True), "1"),
        (Limits(per_day=1, retry_after=True), str(12 * 3_600)),
    ],
)
def test_a_refusal_may_say_when_to_come_back(limits: Limits, seconds: str) -> None:
    """The vendor documents no such header; some clients read it."""
    with Simulator(Scenario(limits=limits), clock=Clock(NOON, frozen=True)) as cc:
        ask(cc)
        refused = ask(cc)

    assert refused.status == 429
    assert refused.headers["Retry-After"] == seconds


def test_all_tokens_of_an_application_share_its_limits() -> None:
    """They are counted by client_id, and an unknown token counts for nobody."""
    sign_in = SignIn(auto_approve=True)
    with standing_still(Scenario(limits=Limits(per_second=2), sign_in=sign_in)) as cc:
        other = _second_token(cc)
        statuses = [ask(cc).status, call(cc, "GET", "/v3/contacts", token=other).status, ask(cc).status]
        unknown = call(cc, "GET", "/v3/contacts", token="unknown").status

    assert statuses == [200, 200, 429]
    assert unknown == 401


def _second_token(cc: Simulator) -> str:
    query = {"client_id": "simulated-client", "scope": "contact_data"}
    device = call(cc, "POST", "/oauth2/default/v1/device/authorize", query, token=None).json()
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    query = {"grant_type": grant, "client_id": "simulated-client", "device_code": device["device_code"]}
    token: str = call(cc, "POST", "/oauth2/default/v1/token", query, token=None).json()["access_token"]
    return token


def test_refused_requests_use_nothing_up() -> None:
    """A client that hammers is let in as soon as one that waits."""
    with standing_still(Scenario(limits=Limits(per_second=1, per_day=3))) as cc:
        hammered = [ask(cc).status for _ in range(10)]
        cc.advance(1)
        after = ask(cc).status

    assert hammered == [200] + [429] * 9
    assert after == 200


@given(st.lists(st.floats(0, 3, allow_nan=False), max_size=60))
def test_no_second_ever_lets_in_more_than_the_bucket_and_its_filling(waits: list[float]) -> None:
    """A bucket of four that fills with four a second: at most eight in any one second, four on average."""
    meter = Meter(per_second=4, per_day=1_000)
    at, admitted = 0.0, []
    for wait in waits:
        at += wait
        if meter.take("client", now=NOON + timedelta(seconds=at), monotonic=at) is None:
            admitted.append(at)

    for first, begin in enumerate(admitted):
        for last, end in enumerate(admitted[first:], start=1):
            assert last <= 4 + 4 * (end - begin) + 1e-6


@given(st.lists(st.just(0.25), min_size=1, max_size=40))
def test_four_evenly_spaced_requests_a_second_are_never_refused(waits: list[float]) -> None:
    """The pace that a client should keep."""
    meter = Meter(per_second=4, per_day=1_000)
    times = [0.25 * number for number in range(len(waits))]

    assert all(meter.take("client", now=NOON, monotonic=at) is None for at in times)


def test_the_busiest_second_is_measured_wherever_it_begins() -> None:
    """The measure by which a client's pacing is judged."""
    with standing_still(Scenario(limits=Limits(per_second=100))) as cc:
        for step in (0.0, 0.6, 0.3, 0.0, 0.2, 5.0, 0.9):
            cc.advance(step)
            ask(cc)
        call(cc, "GET", "/elsewhere")
        busiest = cc.busiest_second()

    assert busiest == 4


def test_a_clock_runs_from_where_it_is_started() -> None:
    """Real time goes on from there; a frozen one waits to be moved."""
    running, frozen = Clock(NOON), Clock(NOON, frozen=True)
    frozen.advance(timedelta(hours=1))
    running.advance(60)
    first = running.now()
    while running.now() == first:
        pass

    assert frozen.now() == NOON + timedelta(hours=1)
    assert timedelta(seconds=60) < running.now() - NOON < timedelta(seconds=120)
    assert abs(Clock().now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_scenario_may_say_what_time_it_is() -> None:
    """For a story that is set on a certain day."""
    with Simulator(Scenario(clock=NOON)) as cc:
        made: Any = cc.add("pat@example.com").created_at

    assert timedelta(0) <= made - NOON < timedelta(seconds=30)
    assert replace(Scenario(), clock=NOON) == Scenario(clock=NOON)
