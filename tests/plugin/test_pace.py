"""Pace: a platform's limits hold as the platform sees them, whatever the network and the clocks do."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.errors import QuotaExhausted, SourceFailed, StorageFailed
from suppress.plugin.pace import LOCK_PATIENCE, Clock, Limits, Pace
from tests.plugin.virtual import NOON, VirtualTime

FOUR_A_SECOND = Limits(burst=4)

SECONDS = st.sampled_from([0.0, 0.01, 0.1, 0.3, 0.9, 2.0])
SENT = st.tuples(st.just("send"), SECONDS, st.sampled_from([0.0, 0.5, 1.0]))
DISTURBED = st.one_of(
    st.tuples(st.just("killed"), SECONDS, st.sampled_from([0.0, 0.5, 1.0])),
    st.tuples(st.just("idle"), SECONDS, st.just(0.0)),
    st.tuples(st.just("set_wall"), st.sampled_from([-90_000.0, -0.7, 0.7, 90_000.0]), st.just(0.0)),
    st.tuples(st.sampled_from(["restart", "reboot"]), st.just(0.0), st.just(0.0)),
)


def pace(folder: Path, time: VirtualTime, limits: Limits = FOUR_A_SECOND) -> Pace:
    return Pace(folder / "requests.json", limits, whose="Acme Mail", clock=time.clock)


def most_in_a_second(arrivals: list[float]) -> int:
    return max((sum(first <= at <= first + 1.0 for at in arrivals) for first in arrivals), default=0)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(SENT, SENT, DISTURBED), min_size=5, max_size=30))
def test_never_five_in_a_second_as_the_platform_sees_them(events: list[tuple[str, float, float]]) -> None:
    """However slow answers are, and through kills, restarts, reboots and clocks set back or forward."""
    time, arrivals = VirtualTime(), []
    with tempfile.TemporaryDirectory() as folder:
        ours = pace(Path(folder), time)
        for kind, seconds, part in events:
            match kind:
                case "send" | "killed":
                    with ours.turn():
                        mid = (Path(folder) / "requests.json").read_bytes()
                        arrivals.append(time.passed + seconds * part)
                        time.pass_(seconds)
                    if kind == "killed":
                        (Path(folder) / "requests.json").write_bytes(mid)
                        ours = pace(Path(folder), time)
                case "idle":
                    time.pass_(seconds)
                case "set_wall":
                    time.set_wall(by=seconds)
                case "reboot":
                    time.reboot()
                    ours = pace(Path(folder), time)
                case _:
                    ours = pace(Path(folder), time)

    assert most_in_a_second(arrivals) <= 4


DISTURBANCES: dict[str, Callable[[VirtualTime], None]] = {
    "nothing": lambda time: None,
    "the wall clock is set forward": lambda time: time.set_wall(by=3_600),
    "the wall clock is set back": lambda time: time.set_wall(by=-3_600),
    "the machine starts again": VirtualTime.reboot,
    "another machine goes on": VirtualTime.move,
}


@pytest.mark.parametrize("disturb", DISTURBANCES.values(), ids=DISTURBANCES.keys())
def test_a_slow_answer_makes_room_for_no_fifth_request(
    tmp_path: Path, disturb: Callable[[VirtualTime], None]
) -> None:
    """The platform saw the slow one at its very end, and then four quick ones."""
    time, arrivals = VirtualTime(), []
    for _ in range(3):
        with pace(tmp_path, time).turn():
            pass
    with pace(tmp_path, time).turn():
        time.pass_(5)
        arrivals.append(time.passed)
    disturb(time)

    for _ in range(4):
        with pace(tmp_path, time).turn():
            arrivals.append(time.passed)

    assert arrivals[4] - arrivals[0] > 1.0


def test_a_killed_request_counts_as_one_that_may_just_have_arrived(tmp_path: Path) -> None:
    """Nobody wrote down when it ended, so a fifth request waits a whole period."""
    time = VirtualTime()
    with pace(tmp_path, time).turn():
        unfinished = (tmp_path / "requests.json").read_bytes()
        time.pass_(10)
        arrived = time.passed
    (tmp_path / "requests.json").write_bytes(unfinished)

    for _ in range(4):
        with pace(tmp_path, time).turn():
            last = time.passed

    assert last - arrived > 1.0


def test_quick_answers_go_out_at_nearly_four_a_second(tmp_path: Path) -> None:
    """The limit is used, not only kept: 40 requests of 20 ms take less than 11 seconds."""
    time = VirtualTime()
    ours = pace(tmp_path, time)

    for _ in range(40):
        with ours.turn():
            time.pass_(0.02)

    assert time.seconds - 1_000 < 11


def test_a_lone_request_does_not_wait(tmp_path: Path) -> None:
    """Nothing was sent before."""
    time = VirtualTime()

    with pace(tmp_path, time).turn():
        pass

    assert [] == time.slept


def test_requests_keep_their_distance(tmp_path: Path) -> None:
    """Two quick ones start more than a quarter of a second apart."""
    time = VirtualTime()
    ours = pace(tmp_path, time)
    starts = []

    for _ in range(3):
        with ours.turn():
            starts.append(time.seconds)

    assert all(later - earlier >= 0.25 for earlier, later in itertools.pairwise(starts))


def test_a_failed_request_counts(tmp_path: Path) -> None:
    """The platform counts it too."""
    time = VirtualTime()
    ours = pace(tmp_path, time, Limits(burst=4, per_day=10))

    with pytest.raises(RuntimeError), ours.turn():
        raise RuntimeError("the connection broke")

    assert 9 == ours.left()


def test_the_days_budget_is_refused_before_it_is_overdrawn(tmp_path: Path) -> None:
    """The third request of two is not sent, and the error says when to come back."""
    time = VirtualTime()
    ours = pace(tmp_path, time, Limits(burst=4, per_day=2))
    for _ in range(2):
        with ours.turn():
            pass

    with pytest.raises(QuotaExhausted) as raised, ours.turn():
        raise AssertionError("a turn beyond the budget was given")

    assert (
        "Acme Mail allows 2 requests a day, and all were used today; "
        "they are reset at 2026-11-24 00:00 UTC, in 12 h 0 min"
    ) == raised.value.message
    assert 0 == ours.left()


def test_the_budget_survives_a_restart(tmp_path: Path) -> None:
    """A new process reads what the old one used."""
    time = VirtualTime()
    limits = Limits(burst=4, per_day=5)
    with pace(tmp_path, time, limits).turn():
        pass

    assert 4 == pace(tmp_path, time, limits).left()


def test_the_budget_begins_again_at_midnight_utc(tmp_path: Path) -> None:
    """Twelve hours after noon."""
    time = VirtualTime()
    ours = pace(tmp_path, time, Limits(burst=4, per_day=1))
    with ours.turn():
        pass
    time.pass_(12 * 3600)

    with ours.turn():
        pass

    assert 0 == ours.left()


def test_a_clock_set_back_over_midnight_gives_no_second_budget(tmp_path: Path) -> None:
    """Yesterday's date does not bring yesterday's requests back."""
    time = VirtualTime(NOON.replace(hour=0, minute=1))
    ours = pace(tmp_path, time, Limits(burst=4, per_day=1))
    with ours.turn():
        pass
    time.set_wall(by=-120)

    with pytest.raises(QuotaExhausted), ours.turn():
        raise AssertionError("a turn beyond the budget was given")


def test_a_day_written_by_a_wrong_clock_does_not_stay(tmp_path: Path) -> None:
    """A clock that was once years ahead must not use up the budget for years."""
    time = VirtualTime()
    time.set_wall(by=timedelta(days=900).total_seconds())
    ours = pace(tmp_path, time, Limits(burst=4, per_day=1))
    with ours.turn():
        pass
    time.set_wall(by=-timedelta(days=900).total_seconds())

    assert 1 == ours.left()


def test_the_platforms_word_outweighs_our_count(tmp_path: Path) -> None:
    """Another user of the key may have used the rest: nothing more is sent until midnight."""
    time = VirtualTime()
    ours = pace(tmp_path, time, Limits(burst=4, per_day=100))

    error = ours.shut()

    assert "Acme Mail says that the day's requests are used up" in error.message
    assert 0 == ours.left()
    with pytest.raises(QuotaExhausted, match="said earlier today"), ours.turn():
        raise AssertionError("a turn was given on a day that is shut")
    time.pass_(12 * 3600)
    with ours.turn():
        pass
    assert 99 == ours.left()


def test_without_a_daily_limit_there_is_nothing_left_to_count(tmp_path: Path) -> None:
    """Many platforms have only a rate."""
    assert pace(tmp_path, VirtualTime()).left() is None


@pytest.mark.parametrize(
    "bytes_",
    [
        b"",
        b"\xff\x00",
        b"[]",
        b"{}",
        b'{"day": "2026-11-23", "used": 1, "shut": false, "recent": [["x"]]}',
        b'{"day": "2026-11-23", "used": 1, "shut": false, "recent": [[NaN, 1, 2, 3]]}',
        b'{"day": 5, "used": 1, "shut": false, "recent": []}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_costs_one_period(tmp_path: Path, bytes_: bytes) -> None:
    """The rest of the count is lost; the rate still holds."""
    time = VirtualTime()
    (tmp_path / "requests.json").write_bytes(bytes_)

    with pace(tmp_path, time).turn():
        pass

    assert 1.05 == pytest.approx(sum(time.slept))


def test_what_was_sent_is_written_before_it_is_sent(tmp_path: Path) -> None:
    """So that a killed process is counted."""
    ours = pace(tmp_path, VirtualTime(), Limits(burst=4, per_day=10))

    with ours.turn():
        used = json.loads((tmp_path / "requests.json").read_bytes())["used"]

    assert 1 == used


def test_two_users_of_one_key_share_its_rate(tmp_path: Path) -> None:
    """Five requests in turn from two processes' paces still span more than a second."""
    time = VirtualTime()
    one, other = pace(tmp_path, time), pace(tmp_path, time)
    starts = []

    for ours in (one, other, one, other, one):
        with ours.turn():
            starts.append(time.seconds)

    assert starts[4] - starts[0] > 1.0


def test_a_lock_that_is_never_given_back_ends_the_wait(tmp_path: Path) -> None:
    """One clear line instead of hanging for ever."""
    time = VirtualTime()
    descriptor = os.open(tmp_path / "requests.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)

        with (
            pytest.raises(SourceFailed, match="another process has used the request limit of Acme Mail"),
            pace(tmp_path, time).turn(),
        ):
            raise AssertionError("two processes sent at once")
    finally:
        os.close(descriptor)

    assert sum(time.slept) >= LOCK_PATIENCE


def test_a_process_waits_for_another_ones_request(tmp_path: Path) -> None:
    """A real second process holds the turn; ours starts after its end."""
    program = (
        "import sys; from pathlib import Path; from suppress.plugin.pace import Limits, Pace\n"
        "with Pace(Path(sys.argv[1]), Limits(burst=4), whose='Acme Mail').turn():\n"
        "    print('in', flush=True); sys.stdin.readline()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "requests.json")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdin is not None and other.stdout is not None
    assert "in\n" == other.stdout.readline()
    polls = []
    real = Clock()

    def sleep(seconds: float) -> None:
        # The second poll lets the other process end; from then on this waits in real time, as in real life.
        polls.append(seconds)
        if len(polls) == 2:
            other.communicate("go\n")
        real.sleep(min(seconds, 0.01))

    ours = Pace(
        tmp_path / "requests.json",
        Limits(burst=4, per_day=10),
        whose="Acme Mail",
        clock=Clock(real.monotonic, real.epoch, sleep),
    )
    with ours.turn():
        pass

    assert len(polls) >= 2
    assert 8 == ours.left()


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "state").write_text("in the way")

    with (
        pytest.raises(StorageFailed, match="the request count of Acme Mail cannot be kept in"),
        pace(tmp_path / "state", VirtualTime()).turn(),
    ):
        raise AssertionError("sent without being counted")


@pytest.mark.parametrize("blocked", ["requests.json", "requests.new", "requests.lock"])
def test_a_file_that_cannot_be_replaced_is_said(tmp_path: Path, blocked: str) -> None:
    """A folder stands where a file should be."""
    (tmp_path / blocked).mkdir()

    with pytest.raises(StorageFailed, match="Is a directory") as raised, pace(tmp_path, VirtualTime()).turn():
        raise AssertionError("sent without being counted")

    assert "make that folder writable, or name another one as `state` in suppress.toml" == raised.value.remedy


def test_the_folder_is_made_for_the_owner_alone(tmp_path: Path) -> None:
    """It tells what is used where."""
    with pace(tmp_path / "new" / "state", VirtualTime()).turn():
        pass

    assert 0o700 == (tmp_path / "new" / "state").stat().st_mode & 0o777
