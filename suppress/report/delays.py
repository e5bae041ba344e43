"""How long each destination took, in five numbers from the fastest request to the slowest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from suppress.report.deadlines import Taken


@dataclass(frozen=True, slots=True)
class Delay:
    """Calendar days from the clock's start until one destination held requests, inherited ones left out."""

    destination: str
    requests: int
    fastest: int
    quarter: int
    half: int
    three_quarters: int
    slowest: int


def delays(taken: Sequence[Taken]) -> tuple[Delay, ...]:
    """The destinations that took any, by name."""
    names = sorted({each.destination for each in taken if not each.inherited})
    return tuple(_delay(name, [each for each in taken if each.destination == name]) for name in names)


def shares(taken: Sequence[Taken]) -> tuple[tuple[int, float], ...]:
    """For each number of days, the share of requests that were honoured by then, in per cent."""
    days = _days(taken)
    total = sum(requests for _, requests in days)
    found, so_far = [], 0
    for day, requests in days:
        so_far += requests
        found.append((day, 100 * so_far / total))
    return tuple(found)


def _delay(name: str, taken: Sequence[Taken]) -> Delay:
    days = _days(taken)
    total = sum(requests for _, requests in days)
    return Delay(
        name,
        total,
        fastest=days[0][0],
        quarter=_within(days, total, 4),
        half=_within(days, 2 * total, 4),
        three_quarters=_within(days, 3 * total, 4),
        slowest=days[-1][0],
    )


def _within(days: Sequence[tuple[int, int]], parts: int, of: int) -> int:
    """The first day by which `parts / of` requests were honoured."""
    so_far = 0
    reached = 0
    for day, requests in days:
        if so_far * of < parts:
            reached = day
        so_far += requests
    return reached


def _days(taken: Sequence[Taken]) -> list[tuple[int, int]]:
    counted: dict[int, int] = {}
    for each in taken:
        if not each.inherited:
            counted[each.days] = counted.get(each.days, 0) + each.requests
    return sorted(counted.items())
