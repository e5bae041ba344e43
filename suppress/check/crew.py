"""A crew: forked processes that do numbered pieces of work, the results of which come back in order.

    with Crew(begin, work, 2) as crew:
        for result in crew.results():       # of work(0), work(1), … until one is None
            …

Rules kept here:

* What the work needs is there already when the crew is made: a fork has all of it, and nothing is sent to it.
  `begin` replaces what processes may not share, such as connections.
* Each member does every n-th piece and is at most some results ahead: as much as fits into a pipe, which is
  made large, so that a member for whom the system has no time just now does not hold up the others.
* A member that fails or is killed does not end the run. Its pieces come back as `LOST`, and whoever asked
  does them itself, and meets the error, if there is one, where it can be told.
* A member whose parent is gone ends at its next result. It ignores Ctrl-C, which its parent hears too.

A fork of a process with other threads may inherit a lock that nobody will open, so a crew is for a process
that is all ours, as that of the command line is.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Generic, Self, TypeVar

Result = TypeVar("Result")


class Lost(Enum):
    """What stands for the result of a piece that failed."""

    LOST = "lost"


LOST = Lost.LOST


_WIDE = 1 << 20
"""Bytes in a pipe: what anybody may ask for (pipe(7), /proc/sys/fs/pipe-max-size)."""


class Crew(Generic[Result]):
    """Some processes that do `work`. A context manager: they are gone when it ends."""

    def __init__(self, begin: Callable[[], None], work: Callable[[int], Result | None], members: int) -> None:
        context = multiprocessing.get_context("fork")
        self._pipes: list[Connection] = []
        self._members = []
        for member in range(members):
            here, there = context.Pipe(duplex=False)
            _widen(there)
            self._pipes.append(here)
            pieces = range(member, sys.maxsize, members)
            process = context.Process(
                target=_working, args=(begin, work, pieces, there, self._pipes), daemon=True
            )
            process.start()
            there.close()
            self._members.append(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._members:
            process.kill()
            process.join()
            process.close()

    def results(self) -> Iterator[Result | Lost]:
        """Of each piece in order, up to the first of which the result is None. Without end if it was lost."""
        gone = [False] * len(self._pipes)
        while True:
            for member, pipe in enumerate(self._pipes):
                result: Result | Lost | None = LOST
                if not gone[member]:
                    try:
                        result = pickle.loads(pipe.recv_bytes())  # noqa: S301 - of a process that we are
                    except (EOFError, OSError):
                        gone[member] = True
                if result is None:
                    return
                yield result


def _widen(pipe: Connection) -> None:
    with contextlib.suppress(OSError):  # somebody has many pipes already
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _WIDE)


def _working(
    begin: Callable[[], None],
    work: Callable[[int], object],
    pieces: range,
    results: Connection,
    others: list[Connection],
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for each in others:
        each.close()  # or a pipe to a parent that is gone would still have a reader
    begin()
    # What is there already is there for good: the search for unused objects need not look at it.
    gc.freeze()
    for piece in pieces:
        try:
            result = work(piece)
        except Exception:  # met again, and told, by whoever does the piece again
            result = LOST
        try:
            results.send_bytes(pickle.dumps(result, pickle.HIGHEST_PROTOCOL))
        except OSError:
            os._exit(1)
        if result is None:
            os._exit(0)
