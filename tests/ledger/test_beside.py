"""A call in a process of its own: its answer, its failures, and that it does not outlive us."""

from __future__ import annotations

import multiprocessing
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from suppress.errors import BadUsage
from suppress.ledger.beside import Beside


def refuse() -> int:
    """Fails as `verify` may."""
    raise BadUsage("no public key", remedy="suppress init")


def killed() -> int:
    """What a machine without memory does to a process."""
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


@pytest.mark.parametrize("apart", [False, True])
def test_the_answer_is_given_as_often_as_it_is_asked_for(apart: bool) -> None:
    """The process answers once."""
    with Beside(partial(pow, 2, 10), apart=apart) as beside:
        assert [beside.result(), beside.result()] == [1024, 1024]


def test_it_is_another_process() -> None:
    """And not a thread, which would share our interpreter."""
    with Beside(os.getpid, apart=True) as apart, Beside(os.getpid, apart=False) as here:
        assert apart.result() != here.result() == os.getpid()


def test_what_the_call_raises_is_raised_here_with_its_remedy() -> None:
    """A failure is the same one in either process."""
    with Beside(refuse, apart=True) as beside, pytest.raises(BadUsage, match="no public key") as refused:
        beside.result()

    assert refused.value.remedy == "suppress init"


def test_a_killed_process_is_no_answer() -> None:
    """Nobody waits for it for ever."""
    with Beside(killed, apart=True) as beside, pytest.raises(EOFError):
        beside.result()


def test_leaving_ends_the_process_without_waiting_for_the_call() -> None:
    """This one waits for a signal that nobody sends."""
    with Beside(signal.pause, apart=True):
        assert len(multiprocessing.active_children()) == 1

    assert multiprocessing.active_children() == []


def hold(pipe: Path) -> None:
    """Hold the end of a pipe open until somebody ends this process."""
    with pipe.open("wb", buffering=0) as end:
        end.write(b"here")
        signal.pause()


def with_another(pipe: Path) -> None:
    """Begin one more process, and wait for it."""
    with Beside(partial(hold, pipe), apart=True) as beside:
        beside.result()


def test_what_a_process_began_beside_itself_ends_with_it(tmp_path: Path) -> None:
    """Even where that process was killed, and so could end nothing: the pipe comes to its end."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    with Beside(partial(with_another, pipe), apart=True), pipe.open("rb", buffering=0) as end:
        assert end.read(4) == b"here"
        kept = os.dup(end.fileno())

    with os.fdopen(kept, "rb") as rest:
        assert rest.read() == b""


def test_a_call_that_is_not_apart_is_made_when_it_is_asked_for() -> None:
    """What fails before that goes first."""
    made: list[int] = []

    with Beside(partial(made.append, 1), apart=False) as beside:
        assert made == []
        beside.result()

    assert made == [1]
