"""Whether a source brought far more opt-outs today than it ever does: a robust statistic of its own history.

Rules kept here:

* A day is compared with the 56 days before it, and with none if fewer than 14 of them were read: a new
  source's first days are its backlog.
* Counts are compared after Anscombe's transform, 2·sqrt(x + 3/8), which gives counts of any size the same
  spread; the spread is the median absolute deviation, at least that of pure chance. One odd day moves
  neither.
* Newsletters make some days of each month higher than the rest. So a spike is also more than twice the second
  highest of those days: not the highest, for a spike of last month must not hide the next.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

WINDOW = timedelta(days=56)
LEAST_DAYS = 14
LEAST = 20
"""Opt-outs on one day that are worth a look at all."""
DEVIATIONS = 6.0
_TO_SIGMA = 1.4826
"""Standard deviations in one median absolute deviation, of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Spike:
    """Far more than usual."""

    source: str
    today: int
    bar: int
    """What would have been many."""


def bar(days: Mapping[date, int], today: date) -> int | None:
    """The count above which today is a spike; None without enough history."""
    before = [count for day, count in days.items() if today - WINDOW <= day < today]
    if len(before) < LEAST_DAYS:
        return None
    steady = [2 * math.sqrt(count + 3 / 8) for count in before]
    middle = median(steady)
    spread = max(1.0, _TO_SIGMA * median(abs(each - middle) for each in steady))
    usual = ((middle + DEVIATIONS * spread) / 2) ** 2 - 3 / 8
    return max(LEAST, math.ceil(usual), 2 * sorted(before)[-2])


def spike(source: str, days: Mapping[date, int], today: date) -> Spike | None:
    """Today's spike, if it is one. `days` holds the new opt-outs of each day on which the source was read."""
    limit, count = bar(days, today), days.get(today, 0)
    return None if limit is None or count <= limit else Spike(source, count, limit)
