"""How long destinations took to honour requests, and requests by month, put into few enough steps to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from suppress.report.census import Month
from suppress.report.deadlines import Taken

_STEPS = (
    ("same day", 0),
    ("1 day", 1),
    ("2 days", 2),
    ("3-5 days", 5),
    ("6-9 days", 9),
    ("10-14 days", 14),
    ("15-30 days", 30),
    ("31-365 days", 365),
    ("over a year", None),
)
"""Name and last day of each step. Two days are what mailbox providers ask; 14 calendar days are about ten
business days."""

MOST_BARS = 24
"""Months in one chart; a longer time is drawn by quarter, then by year."""


@dataclass(frozen=True, slots=True)
class Step:
    """Requests honoured within one step of calendar days after the clock's start."""

    name: str
    timely: int
    """Judged by their own clock, in time or not."""
    inherited: int
    within: int
    """Of the timely ones, those in this step or an earlier one, in per cent, rounded down."""


def steps(taken: Sequence[Taken]) -> tuple[Step, ...]:
    """The distribution over all destinations."""
    found = []
    total = sum(each.requests for each in taken if not each.inherited)
    so_far = 0
    first = 0
    for name, last in _STEPS:
        here = [each for each in taken if each.days >= first and (last is None or each.days <= last)]
        timely = sum(each.requests for each in here if not each.inherited)
        so_far += timely
        inherited = sum(each.requests for each in here if each.inherited)
        found.append(Step(name, timely, inherited, 100 * so_far // total if total else 0))
        first = first if last is None else last + 1
    return tuple(found)


def median_days(taken: Sequence[Taken]) -> int | None:
    """Half of the requests that were not inherited were honoured within this many calendar days."""
    timely = sorted((each.days, each.requests) for each in taken if not each.inherited)
    total = sum(requests for _, requests in timely)
    so_far = 0
    for days, requests in timely:
        so_far += requests
        if 2 * so_far >= total:
            return days
    return None


def grouped(months: Sequence[Month]) -> tuple[Month, ...]:
    """Every month from the first to the last, or quarter (2026-Q4), or year: few enough to read."""
    found = spread({each.month: (each.visible, each.deleted, each.elsewhere) for each in months})
    return tuple(Month(name, *values) for name, values in found)


def spread(counts: Mapping[str, tuple[int, int, int]]) -> tuple[tuple[str, tuple[int, int, int]], ...]:
    """Numbers by month, over every month from the first to the last, or quarter, or year."""
    if not counts:
        return ()
    # A month in which nothing happened is part of the time, too.
    months = [
        f"{number // 12:04}-{number % 12 + 1:02}"
        for number in range(_number(min(counts)), _number(max(counts)) + 1)
    ]
    name = next((each for each in (_month, _quarter) if len(set(map(each, months))) <= MOST_BARS), _year)
    sums = dict.fromkeys(map(name, months), (0, 0, 0))
    for month, (first, second, third) in counts.items():
        before = sums[name(month)]
        sums[name(month)] = (before[0] + first, before[1] + second, before[2] + third)
    return tuple(sums.items())


def _number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:7]) - 1


def _month(name: str) -> str:
    return name


def _quarter(name: str) -> str:
    return f"{name[:4]}-Q{(int(name[5:7]) + 2) // 3}"


def _year(name: str) -> str:
    return name[:4]
