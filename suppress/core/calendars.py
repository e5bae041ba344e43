"""Public holidays of a region, from the `holidays` library, and deadlines counted with them.

Rules kept here:

* Only nationwide days of the category `public`, with the days on which they are observed. A subdivision's
  days, or one-off closures of the government, would put a deadline later than a regulator may.
* A new release of the library may correct history: `edition` names the one in use, and a report prints it.

The library is imported only when a policy counts holidays; it takes a third of a second.
"""

from __future__ import annotations

from datetime import date
from functools import cache, lru_cache

from suppress.core.deadline import Deadline
from suppress.core.deadline import due as counted
from suppress.core.deadline import used as gone_by
from suppress.core.policy import Policy


def due(policy: Policy, received: date) -> Deadline:
    """The deadline of a request whose clock started on the day `received`, with the policy's own holidays."""
    region = policy.lenient.holidays
    if region is None:
        return counted(policy, received)
    return _due(policy, received, region)


@lru_cache(maxsize=16_384)
def _due(policy: Policy, received: date, region: str) -> Deadline:
    # No calendar leaves fewer than some 200 counting days in a year.
    return counted(policy, received, _holidays(region, received.year, received.year + 1 + policy.n // 200))


def used(policy: Policy, received: date, day: date) -> int:
    """How many of the policy's days had gone by on `day`, with the policy's own holidays."""
    region = policy.lenient.holidays
    kept = frozenset[date]() if region is None else _holidays(region, received.year, day.year)
    return gone_by(policy, received, day, kept)


def _holidays(region: str, first: int, last: int) -> frozenset[date]:
    return frozenset().union(*(observed(region, year) for year in range(first, last + 1)))


def known(region: str) -> bool:
    """Whether the library has the public holidays of a region."""
    import holidays

    return region in holidays.list_supported_countries(include_aliases=False)


@cache
def observed(region: str, year: int) -> frozenset[date]:
    """The days of `year` that a region keeps as nationwide public holidays, as observed."""
    if year > date.max.year:
        return frozenset()
    import holidays

    # A holiday of the next January can be observed in December: ask for both years and keep this one's days.
    years = range(year, min(year + 1, date.max.year) + 1)
    found = holidays.country_holidays(region, years=years, observed=True, categories=("public",))
    return frozenset(day for day in found if day.year == year)


def edition() -> str:
    """The library and version that the holidays come from."""
    from importlib.metadata import version

    return f"holidays {version('holidays')}, category public, nationwide"
