"""A call that runs in a process of its own, while this one goes on.

    with Beside(partial(verify, url), apart=True) as verification:
        …                               # something else
        found = verification.result()   # waits; raises what the call raised

The call, what it returns and what it raises are sent from one process to another, so `apart` needs a call
that can be pickled. The process is a fresh one, not a fork: it shares no connection to a database with this
one. Leaving the context ends it, whether it was waited for or not; and it ends by itself when this process
is gone, however that came about, with whatever it has begun beside itself.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Generic, Self, TypeVar

Result = TypeVar("Result")

LONG = 50_000
"""Entries from which going through all of them takes longer than starting a process for it."""


class Beside(Generic[Result]):
    """The call, begun. Not `apart`, it is made when its result is asked for, in this process."""

    def __init__(self, call: Callable[[], Result], *, apart: bool) -> None:
        self._call = call
        self._done: list[Result] = []
        self._process = None
        if not apart:
            return
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe(duplex=False)
        # No daemon: those may not begin processes of their own.
        self._process = context.Process(target=_answer, args=(call, there))
        self._process.start()
        there.close()  # so that a process that is killed is seen to be gone

    def result(self) -> Result:
        """What the call returned.

        Raises:
            Exception: What the call raised.
            EOFError: The process was killed.
        """
        if not self._done:
            self._done.append(self._call() if self._process is None else self._received())
        return self._done[0]

    def _received(self) -> Result:
        answer: Result
        answer, failure = self._here.recv()
        if failure is not None:
            raise failure
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._here.close()
            self._process.kill()
            self._process.join()
            self._process.close()


def _answer(call: Callable[[], Result], there: Connection) -> None:
    threading.Thread(target=_follow, daemon=True).start()
    try:
        answer = call()
    except Exception as failure:
        there.send((None, failure))
    else:
        there.send((answer, None))


def _follow() -> None:
    """End this process as soon as the one is gone that began it."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
