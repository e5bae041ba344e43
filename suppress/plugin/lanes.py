"""How many requests a destination gets at once, in a second, and in a day.

`suppress.plugin.pace` is for sources: strictly one request after another. Exporters that may send several at
once take `Lanes`:

```python
lanes = Lanes(at_once=10, per_second=19, per_day=250_000, whose="HubSpot", file=state / "hubspot.json")
transport = Transport.writing(url, calls=CALLS, pace=lanes)
```

Rules kept here:

* Every attempt counts, retries included: the platform counts them too.
* A day's requests are written down before they are sent, in blocks: a run that is killed has used up at most
  one block that it did not send, and never sent one that is not counted. Runs that share the file share the
  day. Without a file or a daily limit nothing is written.
* What the platform says outweighs our own count: `shut` ends the day for every run with this file.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from suppress.errors import QuotaExhausted, StorageFailed
from suppress.plugin.lock import locked, private
from suppress.plugin.pace import LOCK_PATIENCE, Clock

BLOCK = 100
"""Requests that are written down together."""


class Lanes:
    """Hands out turns to send, up to `at_once` at a time. Safe to use from several threads.

    `whose` names the limit in messages. `resets` is the time of day (UTC) at which `per_day` begins anew.
    """

    def __init__(
        self,
        *,
        at_once: int,
        whose: str,
        per_second: float | None = None,
        per_day: int | None = None,
        file: Path | None = None,
        resets: time = time(),
        clock: Clock | None = None,
    ) -> None:
        self._free = threading.BoundedSemaphore(at_once)
        self._lock = threading.Lock()
        self._apart = 0.0 if per_second is None else 1.0 / per_second
        self._per_day = per_day
        self._file = file
        self._resets = resets
        self._whose = whose
        self._clock = clock or Clock()
        self._next = self._clock.monotonic()
        self._block = 0
        """Requests of the day that are written down and not sent yet."""
        self._day = self._begun()
        self._shut_until: datetime | None = None
        self._used = 0
        """Without a file: requests of the day."""

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until a request may start; leave the block when its answer is over.

        Raises:
            QuotaExhausted: The day's requests are used up; `resets_at` says until when.
            StorageFailed: The count cannot be written down.
        """
        with self._free:
            with self._lock:
                self._count()
                now = self._clock.monotonic()
                start = max(now, self._next)
                self._next = start + self._apart
            if start > now:
                self._clock.wait(start - now)
            yield

    def shut(self, resets_at: datetime | None = None) -> QuotaExhausted:
        """Note that the platform itself says the day is used up, and give the error that says so."""
        until = resets_at or self._begun() + timedelta(days=1)
        with self._lock:
            self._shut_until = until
            if self._file is not None:
                with self._locked(self._file) as kept:
                    self._write(self._file, {**kept, "shut_until": until.isoformat()})
        return self._exhausted("says that the day's requests are used up", until)

    def left(self) -> int | None:
        """Requests that remain today; None without a daily limit."""
        if self._per_day is None:
            return None
        with self._lock:
            if self._file is None:
                return max(0, self._per_day - (self._used if self._day == self._begun() else 0))
            with self._locked(self._file) as kept:
                return max(0, self._per_day - self._used_of(kept) + self._block)

    def _count(self) -> None:
        begun = self._begun()
        if begun != self._day:
            self._day, self._used, self._block = begun, 0, 0
        if self._shut_until is not None and self._clock.utc() < self._shut_until:
            raise self._exhausted("said that the day's requests are used up", self._shut_until)
        if self._file is not None:
            if not self._block:
                self._block = self._reserved(self._file)
            self._block -= 1
        elif self._per_day is not None:
            if self._used >= self._per_day:
                raise self._over()
            self._used += 1

    def _reserved(self, file: Path) -> int:
        """Write down another block."""
        with self._locked(file) as kept:
            shut = _instant(kept.get("shut_until"))
            if shut is not None and self._clock.utc() < shut:
                raise self._exhausted("said that the day's requests are used up", shut)
            if self._per_day is None:
                return BLOCK
            used = self._used_of(kept)
            block = min(BLOCK, self._per_day - used)
            if block <= 0:
                raise self._over()
            self._write(file, {"day": self._day.isoformat(), "used": used + block})
            return block

    def _used_of(self, kept: dict[str, object]) -> int:
        used = kept.get("used")
        return used if kept.get("day") == self._begun().isoformat() and isinstance(used, int) else 0

    def _over(self) -> QuotaExhausted:
        return self._exhausted(
            f"allows {self._per_day:,} requests a day, and all were used", self._begun() + timedelta(days=1)
        )

    def _exhausted(self, what: str, until: datetime) -> QuotaExhausted:
        return QuotaExhausted(
            f"{self._whose} {what}; they are reset at {until:%Y-%m-%d %H:%M} UTC", resets_at=until
        )

    def _begun(self) -> datetime:
        """When the day of the limit began."""
        now = self._clock.utc()
        begun = datetime.combine(now.date(), self._resets, UTC)
        return begun if begun <= now else begun - timedelta(days=1)

    @contextlib.contextmanager
    def _locked(self, file: Path) -> Iterator[dict[str, object]]:
        """What is written down, held against other runs."""
        lock = file.with_suffix(".lock")
        try:
            with locked(lock, clock=self._clock, patience=LOCK_PATIENCE):
                yield _read(file)
        except OSError as refused:
            # A lock that another run never lets go of is an OSError, too.
            raise StorageFailed(
                f"the request count of {self._whose} cannot be kept in {file.parent}: "
                f"{refused.strerror or type(refused).__name__}",
                remedy="make that folder writable, or name another one as `state` in suppress.toml",
            ) from None

    def _write(self, file: Path, facts: dict[str, object]) -> None:
        scratch = file.with_suffix(".new")
        with private(scratch, "wb") as out:
            out.write(json.dumps(facts).encode())
        scratch.replace(file)


def _read(file: Path) -> dict[str, object]:
    try:
        kept = json.loads(file.read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        # Not there, or not what we wrote: the platform's own count is what counts.
        return {}
    return kept if isinstance(kept, dict) else {}


def _instant(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return at if at is None or at.tzinfo is not None else None
