"""What `[sources.NAME]` may say about a Constant Contact account, checked and with its defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from suppress.config import SourceSettings
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong
from suppress.plugin.guard import checked_origin

API = "https://api.cc.email/v3"
LAG = timedelta(minutes=5)
"""A click takes time until it can be found; how long is not documented, 2 to 5 minutes is usual."""
OVERLAP = timedelta(hours=48)
"""Windows overlap, because bounds may be inclusive or not, and rows may shift between pages."""
DAILY_BUDGET = 10_000
"""Requests a day per API key (rate limits page of the vendor's guide). Partners may be given more."""

EVIDENCE_BUDGET = 200
"""Requests a run for campaign reports: a fiftieth of the day, and up to 100,000 rows."""

_DURATION = re.compile(r"(\d{1,6})\s*(s|sec|m|min|h|d)?", re.ASCII)
_UNITS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Options:
    """`origin` and `prefix` make up the API's URL up to, and without, `/v3`."""

    origin: str
    prefix: str
    client_id: str
    lag: timedelta
    overlap: timedelta
    daily_budget: int
    sms: bool = False
    """Whether each run asks who opted out of SMS; a census shows them anyway."""
    campaign_evidence: bool = False
    """Whether campaign reports are read for clicks on unsubscribe links."""
    bounces: bool = False
    """Whether they are read for mailboxes that do not exist."""
    evidence_budget: int = EVIDENCE_BUDGET
    """Requests a run that this may take."""

    @classmethod
    def of(cls, settings: SourceSettings) -> Options:
        """Read them from a `[sources.NAME]` table.

        Raises:
            ConfigWrong: A value cannot be what it should be; the message names its key.
        """
        given, table = settings.options, f"sources.{settings.name}"
        url = _text(given, "api_url", table) or API
        origin, path = checked_origin(url, setting=f"{table}.api_url")
        return cls(
            origin=origin,
            # Both https://host and https://host/v3 are what people write.
            prefix=path.removesuffix("/v3"),
            client_id=_text(given, "client_id", table) or "",
            lag=_duration(given, "lag", table, LAG),
            overlap=_duration(given, "overlap", table, OVERLAP),
            daily_budget=_budget(given, table, "daily_budget", DAILY_BUDGET),
            campaign_evidence=given.get("campaign_evidence") is True,
            bounces=given.get("bounces") is True,
            evidence_budget=_budget(given, table, "evidence_budget", EVIDENCE_BUDGET),
            sms=given.get("sms") is True,
        )


def _text(given: Mapping[str, Json], key: str, table: str) -> str | None:
    value = given.get(key)
    if value is None or isinstance(value, str):
        return value
    raise ConfigWrong(f"{table}.{key} must be text")


def _duration(given: Mapping[str, Json], key: str, table: str, default: timedelta) -> timedelta:
    value = given.get(key)
    if value is None:
        return default
    found = None if isinstance(value, bool) else _DURATION.fullmatch(str(value).strip().lower())
    if found is None:
        raise ConfigWrong(f"{table}.{key} must be a duration such as 5m, 48h or 2d")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2] or "s"])


def _budget(given: Mapping[str, Json], table: str, key: str, default: int) -> int:
    value = given.get(key, default)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigWrong(f"{table}.{key} must be a whole number of requests, 1 or more")
    return value
