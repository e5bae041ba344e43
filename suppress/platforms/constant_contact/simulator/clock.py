"""The simulator's time: real by default, a value that a test moves when it is frozen."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Wall time and a monotonic second count that move together.

    `Clock()` is real time. `Clock(start)` starts at an instant and runs on from there. With `frozen=True`
    time stands still except for `advance`, so that tests of limits and expiry need not wait.
    """

    def __init__(self, start: datetime | None = None, *, frozen: bool = False) -> None:
        self._lock = threading.Lock()
        self._frozen = frozen
        self._began = time.monotonic()
        self._start = datetime.now(UTC) if start is None else start.astimezone(UTC)
        self._added = timedelta()

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        ran = 0.0 if self._frozen else time.monotonic() - self._began
        with self._lock:
            return ran + self._added.total_seconds()

    def now(self) -> datetime:
        """The current instant in UTC."""
        return self._start + timedelta(seconds=self.monotonic())

    def advance(self, step: timedelta | float) -> None:
        """Move time forward, by a duration or by seconds."""
        with self._lock:
            self._added += step if isinstance(step, timedelta) else timedelta(seconds=step)
