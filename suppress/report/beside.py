"""A call that runs in a process of its own, while this one goes on.

    with Beside(partial(verify, url), apart=True) as verification:
        …                               # something else
        found = verification.result()   # waits; raises what the call raised

The call, what it returns and what it raises are sent from one process to another, so `apart` needs a call
that can be pickled. The process is a fresh one, not a fork: it shares no connection to a database with this
one. Leaving the context ends it, whether it was waited for or not.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Generic, Self, TypeVar

Result = TypeVar("Result")


class Beside(Generic[Result]):
    """The call, begun. Not `apart`, it is done at once, in this process."""

    def __init__(self, call: Callable[[], Result], *, apart: bool) -> None:
        self._done: list[Result] = []
        self._process = None
        if not apart:
            self._done.append(call())
            return
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe(duplex=False)
        self._process = context.Process(target=_answer, args=(call, there), daemon=True)
        self._process.start()
        there.close()  # so that a process that is killed is seen to be gone

    def result(self) -> Result:
        """What the call returned.

        Raises:
            Exception: What the call raised.
            EOFError: The process was killed.
        """
        if not self._done:
            answer, failure = self._here.recv()
            if failure is not None:
                raise failure
            self._done.append(answer)
        return self._done[0]

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
    try:
        answer = call()
    except Exception as failure:
        there.send((None, failure))
    else:
        there.send((answer, None))
