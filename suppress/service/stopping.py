"""Stopping when told to: at the next page, or at once when told again or when the page takes too long.

SIGTERM is how a supervisor stops a service and ends it well; SIGINT (Ctrl-C) is a person who interrupts it.
Stopping at once is safe, too: a page that was not committed is read again by the next run.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Mapping
from types import FrameType, TracebackType
from typing import Self

GRACE = 30
"""Seconds for the page that is being read: a platform may keep us waiting longer than a supervisor does."""
EXIT_CODES: Mapping[int, int] = {signal.SIGTERM: 0, signal.SIGINT: 130}


class Stopped(BaseException):
    """The service was told to stop. No error, and nothing may catch it on the way out."""


class Stop:
    """Listens to signals while its context is open. Only in the main thread, as Python has it."""

    def __init__(self, *, grace: int = GRACE) -> None:
        self._grace = grace
        self._asked: int | None = None
        self._reader, self._writer = os.pipe()
        self._before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}

    @property
    def exit_code(self) -> int:
        """How the process ends, by the first signal that came."""
        return 0 if self._asked is None else EXIT_CODES[self._asked]

    def check(self) -> None:
        """End here if told to. Raises `Stopped`."""
        if self._asked is not None:
            raise Stopped

    def wait(self, seconds: float) -> None:
        """Wait so long, or until told to stop. Raises `Stopped`."""
        # A byte in a pipe rather than a `threading.Event`: its lock may be held when a signal arrives.
        select.select([self._reader], [], [], max(0.0, seconds))
        self.check()

    def __enter__(self) -> Self:
        for number in (*EXIT_CODES, signal.SIGALRM):
            self._before[number] = signal.signal(number, self._told)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.alarm(0)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._reader)
        os.close(self._writer)

    def _told(self, number: int, _frame: FrameType | None) -> None:
        if self._asked is not None:
            # Told again, or the time for the page is over.
            raise Stopped
        if number in EXIT_CODES:
            self._asked = number
            os.write(self._writer, b".")
            signal.alarm(self._grace)
