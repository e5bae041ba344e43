"""What `[destinations.NAME]` may say about an SES account, checked and with its defaults.

A suppression list belongs to one account in one region. A destination is one region: somebody who is on the
list of another one would else look suppressed here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong
from suppress.plugin.contract import Capabilities, Delivery, Detail, Reach, Unit, Unknowns
from suppress.plugin.guard import checked_url
from suppress.plugin.options import defaults, whole

CONFIG: Mapping[str, Json] = {
    "required": ["region"],
    "properties": {
        "region": {"type": "string", "description": "the region that sends, such as eu-west-1"},
        "profile": {"type": "string", "description": "a profile of the AWS configuration files"},
        "access_key_id": {
            "type": "string",
            "description": "an access key, in place of what AWS's chain finds",
        },
        "secret_access_key": {"type": "string", "description": "its secret"},
        "secret_access_key_file": {"type": "string", "description": "a file that holds its secret"},
        "tenant": {"type": "string", "description": "the list of one tenant, in place of the account's"},
        "per_second": {"type": "integer", "default": 1, "description": "requests that may start in a second"},
        "connections": {"type": "integer", "default": 2, "description": "requests under way at once"},
        "page_size": {"type": "integer", "default": 100, "description": "addresses a page of the list"},
        "api_url": {"type": "string", "description": "another endpoint than AWS's"},
    },
}

CAPABILITIES = Capabilities(
    unit=Unit.RECORD,
    delivery=Delivery.SYNC,
    detail=Detail.PER_RECORD,
    # The list holds addresses, not contacts; nothing is made, nothing is billed.
    creates_unknown=Unknowns.NEVER,
    target="account and region",
    max_concurrency=2,
    can_read_one=True,
    can_list_all=True,
    blocks_transactional=True,
    # Whoever has the permission can take an address off, or switch the list off altogether.
    reversible_by_others=True,
    entries_expire="when sending of the account was paused for 90 days",
    secrets=("secret_access_key",),
    config=CONFIG,
    reach=Reach.ACCOUNT,
    # The only reasons are BOUNCE and COMPLAINT, and the date is that of telling.
    keeps=frozenset(),
)


@dataclass(frozen=True, slots=True)
class Options:
    """One account and region."""

    region: str
    profile: str | None
    access_key_id: str | None
    tenant: str | None
    per_second: int
    connections: int
    page_size: int
    api_url: str | None

    @classmethod
    def of(cls, settings: DestinationSettings) -> Options:
        """Read them from a `[destinations.NAME]` table.

        Raises:
            ConfigWrong: A value cannot be what it should be; the message names its key.
        """
        given, table = {**defaults(CONFIG), **settings.options}, f"destinations.{settings.name}"
        url = given.get("api_url")
        if given.get("profile") is not None and given.get("access_key_id") is not None:
            raise ConfigWrong(f"{table} has profile and access_key_id; leave out one of them")
        return cls(
            region=_matching(given, "region", r"[a-z]{2,4}(-[a-z]+)+-[0-9]+", table, "such as eu-west-1")
            or _missing(table),
            profile=_matching(given, "profile", r"[^\r\n]{1,200}", table, "the name of a profile"),
            access_key_id=_matching(
                given, "access_key_id", r"[A-Za-z0-9_]{1,128}", table, "an AWS access key"
            ),
            tenant=_matching(given, "tenant", r"[A-Za-z0-9_-]{1,64}", table, "a tenant's name"),
            per_second=whole(given, "per_second", table),
            connections=whole(given, "connections", table, most=64),
            page_size=whole(given, "page_size", table, most=1_000),
            api_url=None if url is None else checked_url(str(url), setting=f"{table}.api_url"),
        )

    @property
    def capabilities(self) -> Capabilities:
        """What this account can do."""
        return replace(
            CAPABILITIES,
            max_concurrency=self.connections,
            per_second=float(self.per_second),
            read_batch=1,
        )


def _matching(given: Mapping[str, Json], key: str, pattern: str, table: str, words: str) -> str | None:
    value = given.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise ConfigWrong(f"{table}.{key} must be {words}")
    return value


def _missing(table: str) -> str:
    raise ConfigWrong(
        f"{table}.region is missing: a suppression list belongs to one region, such as eu-west-1"
    )
