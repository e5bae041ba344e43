"""What `[destinations.NAME]` may say about a HubSpot account, checked and with its defaults.

HubSpot moves its limits, so that each is a setting; the defaults are those of November 2026 for the smallest
plan (usage guidelines of the vendor: 100 requests in ten seconds, 250,000 a day, five searches a second).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong
from suppress.plugin.contract import Capabilities, Delivery, Detail, Reach, Unit, Unknowns
from suppress.plugin.guard import checked_origin
from suppress.plugin.options import defaults, whole

API = "https://api.hubapi.com"
VERSIONS = ("v4", "2026-03", "2026-09")
"""Paths of one shape; `v4` is the one that is not dated."""
LARGEST_BATCH = 100
"""Addresses a call: the documented limit of contact batches, and a safe one for the preference batches."""

CONFIG: Mapping[str, Json] = {
    "properties": {
        "access_token": {"type": "string", "description": "the token of a private app, or of OAuth"},
        "access_token_file": {"type": "string", "description": "a file that holds it"},
        "api_url": {"type": "string", "description": "another host than the vendor's", "default": API},
        "api_version": {
            "type": "string",
            "enum": list(VERSIONS),
            "default": "v4",
            "description": "the version of the preferences calls",
        },
        "mode": {
            "type": "string",
            "enum": ["single", "batch"],
            "default": "single",
            "description": "batch takes 100 addresses a call and needs Marketing Hub Enterprise",
        },
        "business_unit": {
            "type": "integer",
            "description": "opt out of one brand only, by its id; without it, of the whole account",
        },
        "batch_size": {"type": "integer", "default": LARGEST_BATCH, "description": "addresses a batch call"},
        "per_10_seconds": {"type": "integer", "default": 100, "description": "requests that the plan allows"},
        "per_day": {"type": "integer", "default": 250_000, "description": "requests that the plan allows"},
        "searches_per_second": {"type": "integer", "default": 5, "description": "searches that are allowed"},
        "search_results": {
            "type": "integer",
            "default": 10_000,
            "description": "contacts that one search shows at most",
        },
        "connections": {"type": "integer", "default": 8, "description": "requests under way at once"},
        "time_zone": {
            "type": "string",
            "default": "UTC",
            "description": "the account's, in which its day of requests begins (IANA name)",
        },
    },
}

CAPABILITIES = Capabilities(
    unit=Unit.RECORD,
    delivery=Delivery.SYNC,
    detail=Detail.PER_RECORD,
    # The opt-out is kept for the address; no contact is made for it (vendor's guide to subscriptions).
    creates_unknown=Unknowns.NEVER,
    target="account",
    max_concurrency=8,
    can_read_one=True,
    can_read_many=True,
    can_list_all=True,
    # Staff and integrations can set a preference back with the person's later consent.
    reversible_by_others=True,
    secrets=("access_token",),
    config=CONFIG,
    reach=Reach.ACCOUNT,
    # HubSpot dates the opt-out by when it was told, and names no reason.
    keeps=frozenset(),
)


@dataclass(frozen=True, slots=True)
class Options:
    """One account's settings. `origin` and `prefix` make up the API's URL."""

    origin: str
    prefix: str
    version: str
    batch: bool
    business_unit: int | None
    batch_size: int
    per_10_seconds: int
    per_day: int
    searches_per_second: int
    search_results: int
    connections: int
    zone: ZoneInfo

    @classmethod
    def of(cls, settings: DestinationSettings) -> Options:
        """Read them from a `[destinations.NAME]` table.

        Raises:
            ConfigWrong: A value cannot be what it should be; the message names its key.
        """
        given, table = {**defaults(CONFIG), **settings.options}, f"destinations.{settings.name}"
        origin, prefix = checked_origin(str(given["api_url"]), setting=f"{table}.api_url")
        return cls(
            origin=origin,
            prefix=prefix,
            version=str(given["api_version"]),
            batch=given["mode"] == "batch",
            business_unit=None
            if given.get("business_unit") is None
            else whole(given, "business_unit", table),
            batch_size=whole(given, "batch_size", table, most=LARGEST_BATCH),
            per_10_seconds=whole(given, "per_10_seconds", table),
            per_day=whole(given, "per_day", table),
            searches_per_second=whole(given, "searches_per_second", table),
            search_results=whole(given, "search_results", table),
            connections=whole(given, "connections", table, most=64),
            zone=_zone(str(given["time_zone"]), table),
        )

    @property
    def per_second(self) -> float:
        """Requests that start in a second: a little fewer, for they arrive less evenly than that."""
        return self.per_10_seconds * 0.95 / 10

    @property
    def capabilities(self) -> Capabilities:
        """What this account can do, by its mode."""
        target = "account" if self.business_unit is None else "brand"
        common = replace(
            CAPABILITIES,
            target=target,
            max_concurrency=self.connections,
            per_second=self.per_second,
            reach=Reach.ACCOUNT if self.business_unit is None else Reach.TARGET,
        )
        if not self.batch:
            return common
        # A batch is read first, told, and read back.
        each = 3 * 1_000 / self.batch_size
        return replace(common, unit=Unit.BATCH, max_batch=self.batch_size, per_thousand=each)


def _zone(name: str, table: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigWrong(f"{table}.time_zone must be an IANA name such as America/New_York") from None
