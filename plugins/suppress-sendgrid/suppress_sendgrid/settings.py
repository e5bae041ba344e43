"""What `[destinations.NAME]` may say about a SendGrid account, checked and with its defaults.

How far an opt-out reaches is not for a program to choose: a global suppression stops order mail too, one of a
group stops that group's mail and nothing else. So `scope` has no default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong
from suppress.plugin.contract import Capabilities, Delivery, Detail, Reach, Unit, Unknowns
from suppress.plugin.guard import checked_origin
from suppress.plugin.options import defaults, whole

HOSTS: Mapping[str, str] = {"global": "https://api.sendgrid.com", "eu": "https://api.eu.sendgrid.com"}
LARGEST_BATCH = 1_000
"""Addresses a call. The vendor publishes no maximum; this many are widely used."""
LARGEST_PAGE = 500
"""Rows a page: the documented maximum of the lists under `/v3/suppression`."""
OTHER_LISTS = ("spam_reports", "bounces", "invalid_emails", "blocks")
"""Lists that SendGrid keeps by itself, read in a sweep, from the strongest reason to the weakest."""

CONFIG: Mapping[str, Json] = {
    "required": ["scope"],
    "properties": {
        "api_key": {"type": "string", "description": "an API key with the scopes of the manual"},
        "api_key_file": {"type": "string", "description": "a file that holds it"},
        "scope": {
            "type": "string",
            "enum": ["global", "group"],
            "description": "global stops all mail, order mail too; group stops the mail of one group",
        },
        "group_id": {"type": "integer", "description": "the unsubscribe group, for scope group"},
        "region": {
            "type": "string",
            "enum": list(HOSTS),
            "default": "global",
            "description": "eu for a subuser in the European Union",
        },
        "on_behalf_of": {"type": "string", "description": "the subuser whose lists are meant"},
        "other_lists": {
            "type": "array",
            "default": list(OTHER_LISTS),
            "description": "lists of SendGrid's own that a patrol reads too",
        },
        "batch_size": {"type": "integer", "default": LARGEST_BATCH, "description": "addresses a call"},
        "page_size": {"type": "integer", "default": LARGEST_PAGE, "description": "rows a page of a list"},
        "per_minute": {
            "type": "integer",
            "default": 600,
            "description": "requests that may start in a minute",
        },
        "connections": {"type": "integer", "default": 4, "description": "requests under way at once"},
        "longest_wait": {
            "type": "integer",
            "default": 120,
            "description": "seconds to wait at most for a limit to be reset",
        },
        "api_url": {"type": "string", "description": "another host than the vendor's"},
    },
}

CAPABILITIES = Capabilities(
    unit=Unit.BATCH,
    delivery=Delivery.SYNC,
    # The answer to a write repeats the addresses; it does not say what became of them.
    detail=Detail.NONE,
    # The lists hold addresses, not contacts; nothing is made, nothing is billed.
    creates_unknown=Unknowns.NEVER,
    target="account or group",
    max_batch=LARGEST_BATCH,
    max_concurrency=4,
    can_read_one=True,
    can_list_all=True,
    # Whoever has a key or a login may delete a suppression.
    reversible_by_others=True,
    secrets=("api_key",),
    config=CONFIG,
    # SendGrid dates an entry by when it was told, and holds no reason.
    keeps=frozenset(),
)


@dataclass(frozen=True, slots=True)
class Options:
    """One account's settings. `origin` and `prefix` make up the API's URL."""

    origin: str
    prefix: str
    group: int | None
    """The unsubscribe group; None: the global list."""
    on_behalf_of: str | None
    other_lists: tuple[str, ...]
    batch_size: int
    page_size: int
    per_minute: int
    connections: int
    longest_wait: int

    @classmethod
    def of(cls, settings: DestinationSettings) -> Options:
        """Read them from a `[destinations.NAME]` table.

        Raises:
            ConfigWrong: A value cannot be what it should be; the message names its key.
        """
        given, table = {**defaults(CONFIG), **settings.options}, f"destinations.{settings.name}"
        url = given.get("api_url") or HOSTS[str(given["region"])]
        origin, prefix = checked_origin(str(url), setting=f"{table}.api_url")
        return cls(
            origin=origin,
            prefix=prefix,
            group=_group(given, table),
            on_behalf_of=_subuser(given, table),
            other_lists=_lists(given, table),
            batch_size=whole(given, "batch_size", table, most=LARGEST_BATCH),
            page_size=whole(given, "page_size", table, most=LARGEST_PAGE),
            per_minute=whole(given, "per_minute", table),
            connections=whole(given, "connections", table, most=64),
            longest_wait=whole(given, "longest_wait", table, most=3_600),
        )

    @property
    def per_second(self) -> float:
        """Requests that start in a second."""
        return self.per_minute / 60

    @property
    def capabilities(self) -> Capabilities:
        """What this account can do, by its scope."""
        common = replace(
            CAPABILITIES,
            max_batch=self.batch_size,
            max_concurrency=self.connections,
            per_second=self.per_second,
        )
        if self.group is None:
            return replace(
                common, target="account", reach=Reach.ACCOUNT, blocks_transactional=True, read_batch=1
            )
        return replace(
            common,
            target="unsubscribe group",
            reach=Reach.TARGET,
            can_read_many=True,
            read_batch=self.batch_size,
        )


def _group(given: Mapping[str, Json], table: str) -> int | None:
    scope, group = given.get("scope"), given.get("group_id")
    if scope not in ("global", "group"):
        raise ConfigWrong(
            f'{table}.scope must be "global" or "group"',
            remedy="global stops order mail too; group stops the mail of the group that group_id names",
        )
    if scope == "global":
        if group is not None:
            raise ConfigWrong(f'{table}.group_id does not go with scope = "global"; leave out one of them')
        return None
    if group is None:
        raise ConfigWrong(f'{table}.group_id is missing: scope = "group" is about one unsubscribe group')
    return whole(given, "group_id", table)


def _subuser(given: Mapping[str, Json], table: str) -> str | None:
    name = given.get("on_behalf_of")
    if name is None:
        return None
    if not isinstance(name, str) or not re.fullmatch(r"[!-~]+( [!-~]+)*", name):
        raise ConfigWrong(f"{table}.on_behalf_of must be a subuser's name, or account-id and a number")
    return name


def _lists(given: Mapping[str, Json], table: str) -> tuple[str, ...]:
    named = given.get("other_lists")
    wanted = named if isinstance(named, list | tuple) else ()
    if not isinstance(named, list | tuple) or any(each not in OTHER_LISTS for each in wanted):
        raise ConfigWrong(f"{table}.other_lists may hold {', '.join(OTHER_LISTS)}")
    return tuple(each for each in OTHER_LISTS if each in wanted)
