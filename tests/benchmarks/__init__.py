"""Benchmarks, run by hand, never as tests: ours against what a user would pick instead, in one run.

    uv run python -m tests.benchmarks.startup
    uv run python -m tests.benchmarks.check
    uv run python -m tests.benchmarks.long_lists FOLDER
    uv run python -m tests.benchmarks.on_spark FOLDER
    uv run python -m tests.benchmarks.ledger
    uv run python -m tests.benchmarks.export

Quote the ratios: absolute times move with the machine and with what else it is doing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def interleaved(
    candidates: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Median seconds of each candidate; they take turns, so that a slow minute strikes all alike.

    With `time.process_time` as the clock they are seconds of the processor, for what never waits.
    """
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, candidate in candidates.items():
            began = clock()
            candidate()
            seconds[name].append(clock() - began)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def table(title: str, found: Mapping[str, float], *, against: str) -> None:
    """Print medians and their ratio to one of the candidates."""
    print(title)
    width = max(map(len, found))
    for name, seconds in found.items():
        print(f"  {name.ljust(width)}  {seconds * 1000:10.1f} ms  {seconds / found[against]:6.2f} x")
