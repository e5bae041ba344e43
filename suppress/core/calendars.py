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
from suppress.core.policy import Policy


def due(policy: Policy, received: date) -> Deadline:
    """The deadline of a request whose clock started on the day `received`, with the policy's own holidays."""
    region = policy.lenient.holidays
    if region is None:
        return counted(policy, received)
    return _due(policy, received, region)


@lru_cache(maxsize=16_384)
def _due(policy: Policy, received: date, region: str) -> Deadline:
    return counted(policy, received, observed(region, received.year) | observed(region, received.year + 1))


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
