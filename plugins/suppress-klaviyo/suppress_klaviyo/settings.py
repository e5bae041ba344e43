"""What `[destinations.NAME]` may say about a Klaviyo account, checked and with its defaults.

The limits are those of the vendor's contract of revision 2026-07-15; they move, so that each is a setting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong
from suppress.plugin.contract import Capabilities, Delivery, Detail, Kept, Reach, Unit, Unknowns
from suppress.plugin.guard import checked_origin
from suppress.plugin.options import defaults, whole

API = "https://a.klaviyo.com"
REVISION = "2026-07-15"
LARGEST_BATCH = 100
"""Addresses a job, and profiles a page."""

CONFIG: Mapping[str, Json] = {
    "properties": {
        "api_key": {"type": "string", "description": "a private API key (pk_…), or a token of OAuth"},
        "api_key_file": {"type": "string", "description": "a file that holds it"},
        "api_url": {"type": "string", "default": API, "description": "another host than the vendor's"},
        "revision": {"type": "string", "default": REVISION, "description": "the API's revision"},
        "unknown": {
            "type": "string",
            "enum": ["skip", "create_suppressed"],
            "default": "skip",
            "description": "whether an address that no profile has gets one, suppressed",
        },
        "batch_size": {"type": "integer", "default": LARGEST_BATCH, "description": "addresses a job"},
        "per_second": {"type": "integer", "default": 75, "description": "requests that are allowed"},
        "per_minute": {"type": "integer", "default": 750, "description": "requests that are allowed"},
        "connections": {"type": "integer", "default": 4, "description": "requests under way at once"},
        "poll_seconds": {"type": "integer", "default": 5, "description": "between two looks at a job"},
        "settle_seconds": {
            "type": "integer",
            "default": 300,
            "description": "how long after a job's end its effects may take to show",
        },
    },
}

CAPABILITIES = Capabilities(
    unit=Unit.BATCH,
    delivery=Delivery.JOB,
    detail=Detail.COUNTS,
    creates_unknown=Unknowns.OPTIONAL,
    target="account",
    max_batch=LARGEST_BATCH,
    max_concurrency=4,
    can_read_one=True,
    can_read_many=True,
    can_list_all=True,
    # Staff, and any integration with a key, can end a suppression that a call made (USER_SUPPRESSED).
    reversible_by_others=True,
    secrets=("api_key",),
    config=CONFIG,
    reach=Reach.ACCOUNT,
    keeps=frozenset[Kept](),
)


@dataclass(frozen=True, slots=True)
class Options:
    """One account's settings. `origin` and `prefix` make up the API's URL."""

    origin: str
    prefix: str
    revision: str
    creates: bool
    batch_size: int
    per_second: float
    connections: int
    poll_seconds: int
    settle_seconds: int

    @classmethod
    def of(cls, settings: DestinationSettings) -> Options:
        """Read them from a `[destinations.NAME]` table.

        Raises:
            ConfigWrong: A value cannot be what it should be; the message names its key.
        """
        given, table = {**defaults(CONFIG), **settings.options}, f"destinations.{settings.name}"
        origin, prefix = checked_origin(str(given["api_url"]), setting=f"{table}.api_url")
        revision = str(given["revision"])
        if not re.fullmatch(r"\d{4}-\d\d-\d\d(\.[a-z]+)?", revision):
            raise ConfigWrong(f"{table}.revision must be a date such as {REVISION}")
        burst, steady = whole(given, "per_second", table), whole(given, "per_minute", table)
        return cls(
            origin=origin,
            prefix=prefix,
            revision=revision,
            creates=given["unknown"] == "create_suppressed",
            batch_size=whole(given, "batch_size", table, most=LARGEST_BATCH),
            # A little fewer than allowed, for they arrive less evenly than they start.
            per_second=min(burst, steady / 60) * 0.95,
            connections=whole(given, "connections", table, most=64),
            poll_seconds=whole(given, "poll_seconds", table, most=3_600),
            settle_seconds=whole(given, "settle_seconds", table, least=0, most=86_400),
        )

    @property
    def capabilities(self) -> Capabilities:
        """What this account can do."""
        return replace(
            CAPABILITIES,
            max_batch=self.batch_size,
            max_concurrency=self.connections,
            per_second=self.per_second,
            # Whoever is told in one job is read first and read back, and the job is looked at twice or so.
            per_thousand=5 * 1_000 / self.batch_size,
        )
