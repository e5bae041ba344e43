"""A platform's request limits, kept across threads, processes and restarts: pace and daily budget.

Rules kept here:

* At most `burst` requests in any `period`, **as the platform sees them**. It may see a request at any moment
  between our start and the end of its answer, so request *n* starts only when a full period has passed
  since the *end* of request *n - burst*: then no `burst + 1` of them can fall into one period, however
  slow the network was.
* Every attempt counts, retries included: the platform counts them too.
* What was sent is written down before it is sent, in a file under a lock, so that a process that was killed
  in the middle is still counted, and two processes that share a key share its limits.
* The lock is held while a request runs, so that requests of one key are strictly one after another, and not
  while one waits for its turn, so that two processes take turns.
* Clocks lie: the age of a request is the smaller of what the monotonic and the wall clock say, and never
  negative. A clock that was set back costs one period of waiting, not the limit.

Nothing in the file is secret or needed: without it, one day's count is lost.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import NamedTuple

from suppress.errors import QuotaExhausted, SourceFailed, StorageFailed
from suppress.plugin.lock import locked, private

LOCK_PATIENCE = 300.0
"""Seconds to wait for another process's request: longer than any one request may take."""
_ROUNDING = 1e-6
"""Seconds: less than any margin, and more than the rounding of a float that counts seconds."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The clocks that pacing needs, as values, so that a test need not wait."""

    monotonic: Callable[[], float] = time.monotonic
    epoch: Callable[[], float] = time.time
    """Seconds since 1970, UTC."""
    sleep: Callable[[float], None] = time.sleep

    def utc(self) -> datetime:
        """The wall clock."""
        return datetime.fromtimestamp(self.epoch(), UTC)

    def wait(self, seconds: float) -> None:
        """Sleep until the monotonic clock has moved on by `seconds`, however often sleep wakes early."""
        until = self.monotonic() + seconds
        while (left := until - self.monotonic()) > _ROUNDING:
            self.sleep(left)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a platform allows. The margins are for its clock, which is not ours."""

    burst: int
    per_day: int | None = None
    """Requests a day, which begins at 00:00 UTC. None: no daily limit."""
    period: float = 1.05
    """Seconds in which no more than `burst` requests may arrive, with a margin."""
    spacing: float = 0.265
    """Seconds between the starts of two requests."""


class _Instant(NamedTuple):
    monotonic: float
    epoch: float


@dataclass(slots=True)
class _Sent:
    start: _Instant
    end: _Instant | None = None
    """None while it runs, and for ever when its process was killed."""


@dataclass(slots=True)
class _Record:
    day: date
    used: int = 0
    shut: bool = False
    recent: list[_Sent] = field(default_factory=list)


class Pace:
    """Hands out turns to send, one at a time. `file` is where they are written down; `whose` names the limit.

    Raises:
        StorageFailed: The file's folder cannot be made or written.
    """

    def __init__(self, file: Path, limits: Limits, *, whose: str, clock: Clock | None = None) -> None:
        self._file = file
        self._limits = limits
        self._whose = whose
        self._clock = clock or Clock()

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until a request may start; leave the block when its answer is over.

        Raises:
            QuotaExhausted: The day's requests are used up, so nothing may be sent until 00:00 UTC.
            SourceFailed: Another process did not let go of the limit in time.
            StorageFailed: The turn cannot be written down.
        """
        with self._ready() as record:
            self._roll(record)
            self._refuse_beyond_budget(record)
            sent = _Sent(self._instant())
            record.recent = [*record.recent, sent][-self._limits.burst :]
            record.used += 1
            self._write(record)
            try:
                yield
            finally:
                sent.end = self._instant()
                self._write(record)

    @contextlib.contextmanager
    def _ready(self) -> Iterator[_Record]:
        """Hold the lock at a moment when a request may start."""
        waited_for: list[_Sent] | None = None
        while True:
            with self._locked():
                record = self._read()
                needed = self._needed(record.recent)
                # Ages cannot grow while the wall clock is behind what was written down, so having waited
                # counts too, unless another process sent something meanwhile.
                if needed <= _ROUNDING or record.recent == waited_for:
                    yield record
                    return
            waited_for = record.recent
            self._clock.wait(needed)

    def left(self) -> int | None:
        """Requests that remain today, None without a daily limit."""
        if self._limits.per_day is None:
            return None
        with self._locked():
            record = self._read()
        self._roll(record)
        return 0 if record.shut else max(0, self._limits.per_day - record.used)

    def shut(self) -> QuotaExhausted:
        """Note that the platform itself says the day is used up, and give the error that says so.

        Other users of the same key count against it, so the platform's word outweighs our own count.
        """
        with self._locked():
            record = self._read()
            self._roll(record)
            record.shut = True
            self._write(record)
        return self._exhausted("says that the day's requests are used up")

    def _refuse_beyond_budget(self, record: _Record) -> None:
        per_day = self._limits.per_day
        if record.shut:
            raise self._exhausted("said earlier today that the day's requests are used up")
        if per_day is not None and record.used >= per_day:
            raise self._exhausted(f"allows {per_day:,} requests a day, and all were used today")

    def _exhausted(self, what: str) -> QuotaExhausted:
        now = self._clock.utc()
        reset = datetime.combine(now.date() + timedelta(days=1), time_of_day(), UTC)
        minutes = -int(-(reset - now).total_seconds() // 60)
        return QuotaExhausted(
            f"{self._whose} {what}; they are reset at {reset:%Y-%m-%d %H:%M} UTC, "
            f"in {minutes // 60} h {minutes % 60} min"
        )

    def _needed(self, recent: list[_Sent]) -> float:
        if not recent:
            return 0.0
        needed = self._limits.spacing - self._age(recent[-1].start)
        if len(recent) >= self._limits.burst:
            needed = max(needed, self._limits.period - self._age(recent[0].end))
        return needed

    def _age(self, instant: _Instant | None) -> float:
        if instant is None:
            return 0.0
        now = self._instant()
        return max(0.0, min(now.monotonic - instant.monotonic, now.epoch - instant.epoch))

    def _instant(self) -> _Instant:
        return _Instant(self._clock.monotonic(), self._clock.epoch())

    def _roll(self, record: _Record) -> None:
        # A day that lies one ahead is kept: a clock set back over midnight must not give a second budget.
        today = self._clock.utc().date()
        if record.day not in (today, today + timedelta(days=1)):
            record.day, record.used, record.shut = today, 0, False

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with contextlib.ExitStack() as opened:
            try:
                file = self._file.with_suffix(".lock")
                opened.enter_context(locked(file, clock=self._clock, patience=LOCK_PATIENCE))
            except TimeoutError:
                raise SourceFailed(
                    f"another process has used the request limit of {self._whose} "
                    f"for {LOCK_PATIENCE:.0f} seconds",
                    remedy="wait for the other process to end, then run the same command again",
                ) from None
            except OSError as refused:
                raise self._storage(refused) from None
            yield

    def _read(self) -> _Record:
        try:
            text = self._file.read_bytes()
        except FileNotFoundError:
            return _Record(self._clock.utc().date())
        except OSError as refused:
            raise self._storage(refused) from None
        try:
            return _record_of(json.loads(text))
        except (ValueError, TypeError, KeyError, RecursionError):
            # Not what we wrote: assume that a full burst is on its way, and count from zero.
            unknown = _Sent(_Instant(0.0, 0.0))
            return _Record(self._clock.utc().date(), recent=[unknown] * self._limits.burst)

    def _write(self, record: _Record) -> None:
        facts = {
            "day": record.day.isoformat(),
            "used": record.used,
            "shut": record.shut,
            "recent": [[*sent.start, *(sent.end or ())] for sent in record.recent],
        }
        scratch = self._file.with_suffix(".new")
        try:
            # Under the lock there is one writer, so the scratch file needs no name of its own.
            with private(scratch, "wb") as file:
                file.write(json.dumps(facts).encode())
            scratch.replace(self._file)
        except OSError as refused:
            raise self._storage(refused) from None

    def _storage(self, refused: OSError) -> StorageFailed:
        return StorageFailed(
            f"the request count of {self._whose} cannot be kept in {self._file.parent}: "
            f"{refused.strerror or type(refused).__name__}",
            remedy="make that folder writable, or name another one as `state` in suppress.toml",
        )


def _record_of(facts: object) -> _Record:
    if not isinstance(facts, dict):
        raise TypeError("not an object")
    return _Record(
        day=date.fromisoformat(facts["day"]),
        used=int(facts["used"]),
        shut=bool(facts["shut"]),
        recent=[_sent_of(*(float(each) for each in times)) for times in facts["recent"]],
    )


def _sent_of(start: float, start_epoch: float, end: float | None = None, end_epoch: float = 0.0) -> _Sent:
    if not all(math.isfinite(each) for each in (start, start_epoch, end or 0.0, end_epoch)):
        raise ValueError("not a time")
    return _Sent(_Instant(start, start_epoch), None if end is None else _Instant(end, end_epoch))
