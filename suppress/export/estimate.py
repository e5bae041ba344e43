"""How many requests an export would take, and how long: from what the destination says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from suppress.plugin.contract import Capabilities, Delivery, Intent, Unit

ANSWER = 0.25
"""Seconds that a platform's answer takes, where nothing better is known."""
JOB = 30.0
"""Seconds that a job takes, where nothing better is known."""
_WRITTEN = (Intent.SUPPRESS, Intent.UNKNOWN_CREATE)
_READ = (*_WRITTEN, Intent.ALREADY, Intent.UNKNOWN_SKIP)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A forecast, not a promise: platforms throttle as they like."""

    writes: int
    reads: int
    """Requests that only look: first, at jobs, and to read back what was written."""
    seconds: float


def estimated(can: Capabilities, addresses: Mapping[Intent, int]) -> Estimate:
    """For so many addresses that would meet with what."""
    if can.unit is Unit.SNAPSHOT:
        return Estimate(0, 0, 0.0)
    batch = (can.max_batch or 1) if can.unit is Unit.BATCH else 1
    writes = _calls(sum(addresses.get(each, 0) for each in _WRITTEN), batch)
    reads = 0
    if can.can_read_one or can.can_read_many:
        many = can.read_batch or ((can.max_batch or 1) if can.can_read_many else 1)
        reads = _calls(sum(addresses.get(each, 0) for each in _READ), many)
    if can.per_thousand is not None:
        known = ceil(sum(addresses.get(each, 0) for each in _READ) * can.per_thousand / 1_000)
        reads = max(reads, known - writes)
    requests = writes + reads
    seconds = requests * ANSWER / can.max_concurrency
    if can.per_second is not None:
        seconds = max(seconds, requests / can.per_second)
    if can.delivery is Delivery.JOB and writes:
        seconds += JOB
    return Estimate(writes, reads, seconds)


def _calls(addresses: int, batch: int) -> int:
    return -(-addresses // batch)
