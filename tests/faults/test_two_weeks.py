"""Two weeks of an account's life, with outages and kills: at the end the ledger is the truth."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from suppress.ledger import Ledger
from suppress.platforms.constant_contact.simulator import Order, Refresh, Scenario
from tests.faults.fortnight import ACCOUNT, Fortnight, Outcome, Story
from tests.faults.test_kills import ROOT
from tests.platforms.constant_contact import test_sync_machine
from tests.platforms.constant_contact.company import Company, company

SEEDS = 5
KILLED_NIGHTS = (1, 5, 9, 12)
"""The sixth is one of the censuses."""


class Killed(BaseException):
    """The process ended here; nothing that catches errors catches this."""


@dataclass(slots=True)
class Death:
    """Comes at a step, counted down; None: not today."""

    left: int | None = None

    def step(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                raise Killed


@pytest.fixture
def death(monkeypatch: pytest.MonkeyPatch) -> Iterator[Death]:
    """Waits before and after every request and every append."""
    coming = Death()
    for owner, name in ((httpx2.Client, "send"), (Ledger, "append")):
        real = getattr(owner, name)

        def watched(*given: Any, real: Callable[..., Any] = real, **named: Any) -> Any:
            coming.step()
            result = real(*given, **named)
            coming.step()
            return result

        monkeypatch.setattr(owner, name, watched)
    yield coming


def of_seed(seed: int) -> Scenario:
    """Rows in an order that does not hang on ids drawn by chance; each fourth one's sign-in never rotates."""
    switches = replace(ACCOUNT.switches, order=(Order.OLDEST, Order.NEWEST)[seed % 2])
    refresh = Refresh.LONG_LIVED if seed % 4 == 3 else Refresh.ROTATING
    sign_in = replace(ACCOUNT.sign_in, refresh=refresh)
    return replace(ACCOUNT, seed=seed, switches=switches, sign_in=sign_in)


def in_process(world: Company, seed: int, death: Death) -> Callable[[bool], Outcome | None]:
    """Nights of which each third one is killed."""
    draw = Random(f"deaths {seed}")

    def run(full: bool) -> Outcome | None:
        death.left = draw.randrange(1, 40) if draw.random() < 0.35 else None
        try:
            return Outcome.of(world.sync(full=full))
        except Killed:
            return None
        finally:
            death.left = None

    return run


def by_signal(world: Company, seed: int) -> Callable[[bool], Outcome | None]:
    """Nights of which some are killed by SIGKILL, in a process of their own."""
    draw = Random(f"signals {seed}")
    nights = iter(range(100))

    def run(full: bool) -> Outcome | None:
        if next(nights) not in KILLED_NIGHTS:
            return Outcome.of(world.sync(full=full))
        told = [world.host, str(world.folder), world.now.isoformat(), str(full), str(draw.randrange(1, 45))]
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.mortal_sync", *told],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        if done.returncode == -signal.SIGKILL:
            return None
        assert done.returncode == 0, done.stderr
        code, drift = map(int, done.stdout.split())
        return Outcome(code, drift)

    return run


@contextmanager
def life(seed: int, folder: Path) -> Iterator[Company]:
    """Of one seed, in a folder of its own."""
    place = folder / str(seed)
    place.mkdir()
    with company(of_seed(seed), place) as world:
        yield world


@pytest.mark.timeout(3 * 3600)
def test_two_weeks_end_with_the_truth(death: Death, rounds: Callable[[int], int], tmp_path: Path) -> None:
    """Whatever was wrong in between; `-s` shows how long an opt-out took at worst."""
    stories: list[Story] = []
    for seed in range(1, rounds(SEEDS) + 1):
        with life(seed, tmp_path) as world:
            stories.append(Fortnight(world, seed, in_process(world, seed, death)).play())
        print(f"\nseed {seed}: {stories[-1]}")
    print(f"\n{len(stories)} fortnights with outages and kills: {Story.together(stories)}")

    assert all(story.complete and story.people > 30 for story in stories)
    assert any(story.killed for story in stories), "nothing was killed: nothing was tried"
    assert any(story.failed for story in stories), "nothing failed: nothing was tried"
    assert any(story.drift for story in stories), "nobody came back: nothing was tried"


def test_in_two_calm_weeks_an_opt_out_waits_for_one_night(tmp_path: Path) -> None:
    """With a run each night and nothing wrong, a night later at most; a census is awaited for a week."""
    with life(1, tmp_path) as world:
        story = Fortnight(world, 1, lambda full: Outcome.of(world.sync(full=full)), calm=True).play()
    print(f"\na calm fortnight: {story}")

    assert (story.runs, story.failed, story.killed) == (story.complete, 0, 0)
    assert timedelta() < story.worst <= timedelta(days=1, hours=1)
    assert timedelta() < story.worst_stale <= timedelta(days=8)


def test_two_weeks_with_real_kills_end_with_the_truth(tmp_path: Path) -> None:
    """SIGKILL leaves no chance to tidy up."""
    with life(7, tmp_path) as world:
        story = Fortnight(world, 7, by_signal(world, 7)).play()
    print(f"\na fortnight with SIGKILL: {story}")

    assert story.killed, "nothing was killed: nothing was tried"
    assert story.complete


@pytest.mark.long
@pytest.mark.timeout(3 * 3600)
def test_two_hundred_shorter_histories_agree_with_the_notebook() -> None:
    """As Hypothesis draws them, of thirty steps."""
    long = settings(test_sync_machine.SHORT, max_examples=200, stateful_step_count=30)

    run_state_machine_as_test(test_sync_machine.Syncing, settings=long)
