"""How close together requests to SES may start: it publishes no limit, so its refusals teach it.

AWS calls this adaptive: each "too many requests" doubles the time between two requests, each answer makes it
a little shorter again, and it never gets shorter than configured.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from suppress.plugin.pace import Clock

SLOWEST = 16.0
"""How many times longer than configured the time between two requests may get."""


class Adaptive:
    """Hands out turns to send. Safe to use from several threads."""

    def __init__(self, *, at_once: int, per_second: float, clock: Clock) -> None:
        self._free = threading.BoundedSemaphore(at_once)
        self._lock = threading.Lock()
        self._clock = clock
        self._least = self.apart = 1.0 / per_second
        self._next = clock.monotonic()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until a request may start; leave the block when its answer is there."""
        with self._free:
            with self._lock:
                now = self._clock.monotonic()
                start = max(now, self._next)
                self._next = start + self.apart
            if start > now:
                self._clock.wait(start - now)
            yield

    def slower(self) -> None:
        """The platform said that these were too many."""
        with self._lock:
            self.apart = min(self.apart * 2, self._least * SLOWEST)

    def faster(self) -> None:
        """It answered."""
        with self._lock:
            self.apart = max(self.apart * 0.9, self._least)
