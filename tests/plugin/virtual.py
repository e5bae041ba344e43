"""Time that a test moves: nobody sleeps, and a pause of a minute takes none."""

from __future__ import annotations

from datetime import UTC, datetime

from suppress.plugin.pace import Clock

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def from_now() -> VirtualTime:
    """Time that begins when the test does: a simulator keeps the real one."""
    return VirtualTime(datetime.now(UTC))


class VirtualTime:
    """A monotonic and a wall clock that move together, except where a test sets the wall clock."""

    def __init__(self, start: datetime = NOON) -> None:
        self.seconds = 1_000.0
        self._offset = start.timestamp() - self.seconds
        self.passed = 0.0
        """Seconds since the beginning, which no clock can be set to hide."""
        self.slept: list[float] = []

    @property
    def clock(self) -> Clock:
        """For what is under test."""
        return Clock(self.monotonic, self.epoch, self.sleep)

    def monotonic(self) -> float:
        return self.seconds

    def epoch(self) -> float:
        return self.seconds + self._offset

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.epoch(), UTC)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.pass_(seconds)

    def pass_(self, seconds: float) -> None:
        """Time goes by."""
        self.seconds += seconds
        self.passed += seconds

    def set_wall(self, *, by: float) -> None:
        """Somebody sets the wall clock; the monotonic one does not notice."""
        self._offset += by

    def reboot(self) -> None:
        """The monotonic clock begins again, the wall clock goes on."""
        self._offset += self.seconds - 5.0
        self.seconds = 5.0

    def move(self) -> None:
        """Another machine goes on with the same folder: it has been up for longer."""
        self._offset -= 1_000_000.0
        self.seconds += 1_000_000.0
