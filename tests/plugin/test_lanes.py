"""Lanes: no more at once, in a second and in a day than the platform allows, over kills and threads."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from suppress.errors import QuotaExhausted, StorageFailed
from suppress.plugin.lanes import BLOCK, Lanes
from suppress.plugin.workers import concurrently
from tests.plugin.virtual import NOON, VirtualTime

MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)


def spend(lanes: Lanes, turns: int) -> None:
    for _ in range(turns):
        with lanes.turn():
            pass


def test_no_more_run_at_once_than_lanes() -> None:
    """Eight threads, three lanes."""
    lanes = Lanes(at_once=3, whose="Acme")
    lock, inside, most = threading.Lock(), 0, 0

    def one(_number: int) -> None:
        nonlocal inside, most
        with lanes.turn():
            with lock:
                inside += 1
                most = max(most, inside)
            with lock:
                inside -= 1

    list(concurrently(one, range(400), workers=8))

    assert 1 <= most <= 3


def test_starts_are_spread_over_the_second() -> None:
    """Four a second: a quarter of a second between two starts, however short the answers are."""
    virtual = VirtualTime()
    lanes = Lanes(at_once=2, per_second=4, whose="Acme", clock=virtual.clock)
    starts = []
    for _ in range(5):
        with lanes.turn():
            starts.append(virtual.passed)
    virtual.pass_(10)
    with lanes.turn():
        starts.append(virtual.passed)

    assert [0, 0.25, 0.5, 0.75, 1.0, 11.0] == pytest.approx(starts)


@pytest.mark.parametrize("kept", [True, False], ids=["file", "memory"])
def test_a_days_requests_are_not_exceeded(tmp_path: Path, kept: bool) -> None:
    """The next day begins anew."""
    virtual = VirtualTime()
    file = tmp_path / "state" / "acme.json" if kept else None
    lanes = Lanes(at_once=1, per_day=BLOCK + 7, whose="Acme", file=file, clock=virtual.clock)
    spend(lanes, BLOCK + 6)
    assert 1 == lanes.left()
    spend(lanes, 1)
    with pytest.raises(QuotaExhausted, match="allows 107 requests a day") as refused:
        spend(lanes, 1)
    assert (0, MIDNIGHT) == (lanes.left(), refused.value.resets_at)
    virtual.pass_(13 * 3600)
    assert BLOCK + 7 == lanes.left()
    spend(lanes, BLOCK + 7)


def test_runs_share_the_day_and_a_killed_one_loses_at_most_a_block(tmp_path: Path) -> None:
    """The count is written before anything is sent."""
    virtual = VirtualTime()

    def run() -> Lanes:
        file = tmp_path / "acme.json"
        return Lanes(at_once=1, per_day=3 * BLOCK, whose="Acme", file=file, clock=virtual.clock)

    spend(run(), 1)
    other = run()
    spend(other, BLOCK + 1)

    assert BLOCK - 1 == other.left()
    with pytest.raises(QuotaExhausted):
        spend(run(), BLOCK)
    assert 0o600 == (tmp_path / "acme.json").stat().st_mode & 0o777


@pytest.mark.parametrize("per_day", [None, 500])
def test_what_the_platform_says_ends_the_day_for_every_run(tmp_path: Path, per_day: int | None) -> None:
    """Other programs use the same account; until the named time nothing is sent, and then again."""
    virtual = VirtualTime()

    def run() -> Lanes:
        file = tmp_path / "acme.json"
        return Lanes(at_once=1, per_day=per_day, whose="Acme", file=file, clock=virtual.clock)

    until = NOON + timedelta(hours=2)
    lanes = run()
    spend(lanes, 1)
    error = lanes.shut(until)
    for each in (lanes, run()):
        with pytest.raises(QuotaExhausted, match="reset at 2026-11-23 14:00 UTC"):
            spend(each, 1)
    virtual.pass_(2 * 3600)
    spend(lanes, 1)
    spend(run(), 1)

    assert until == error.resets_at


@pytest.mark.parametrize(("resets", "until"), [(time(), MIDNIGHT), (time(18), NOON + timedelta(hours=6))])
def test_without_a_word_of_when_the_day_ends_as_it_does(resets: time, until: datetime) -> None:
    """At midnight UTC, or when the platform's day begins."""
    lanes = Lanes(at_once=1, whose="Acme", resets=resets, clock=VirtualTime().clock)

    assert until == lanes.shut().resets_at
    assert lanes.left() is None
    with pytest.raises(QuotaExhausted):
        spend(lanes, 1)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "no json", "[" * 10**6, '{"day": 7, "used": "x"}', '{"shut_until": "soon"}',
     '{"shut_until": "2026-11-23T14:00:00"}', '{"shut_until": 9}'],
)  # fmt: skip
def test_a_file_that_cannot_be_read_costs_nothing_but_the_count(tmp_path: Path, text: str) -> None:
    """It may be lost; the platform counts too."""
    (tmp_path / "acme.json").write_text(text, encoding="utf-8")
    lanes = Lanes(at_once=1, per_day=9, whose="Acme", file=tmp_path / "acme.json", clock=VirtualTime().clock)
    spend(lanes, 1)

    assert 8 == lanes.left()
    assert 9 == json.loads((tmp_path / "acme.json").read_bytes())["used"]


def test_a_folder_that_takes_no_file_is_an_error_that_says_so(tmp_path: Path) -> None:
    """Nothing is sent that could not be counted."""
    (tmp_path / "state").write_text("a file")
    lanes = Lanes(at_once=1, per_day=9, whose="Acme", file=tmp_path / "state" / "acme.json")

    with pytest.raises(StorageFailed, match="the request count of Acme cannot be kept"):
        spend(lanes, 1)


def test_many_threads_use_up_exactly_the_day(tmp_path: Path) -> None:
    """None is lost between them, none is given twice."""
    lanes = Lanes(at_once=8, per_day=250, whose="Acme", file=tmp_path / "acme.json")
    over: list[int] = []

    def one(number: int) -> None:
        turn: Callable[[], object] = lambda: spend(lanes, 1)  # noqa: E731
        try:
            turn()
        except QuotaExhausted:
            over.append(number)

    list(concurrently(one, range(300), workers=8))

    assert 50 == len(over)
