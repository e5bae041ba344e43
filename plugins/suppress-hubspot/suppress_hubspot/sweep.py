"""Everyone whom HubSpot shows as opted out: a search of contacts, page by page, however many there are.

A search has three traps (vendor's guide to searches): no more than 10,000 results can be paged through; it is
sorted by what changes while one pages; and it lags behind writes by seconds to minutes. So each page asks for
contacts that changed at or after the last one of the page before: a contact that changes meanwhile moves to
the end and is seen again, and none is skipped. Only where a whole page changed in one millisecond does the
vendor's own cursor go on within it.

A search finds contacts. An opt-out of an address that no contact has cannot be listed at HubSpot.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from suppress.core.suppression import Json
from suppress.errors import DestinationFailed
from suppress.plugin.transport import Reply
from suppress_hubspot import wire
from suppress_hubspot.calls import PROPERTIES

PAGE = 200
"""Contacts a page, the most that a search gives."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a sweep is: contacts that changed at or after `since` (milliseconds since 1970)."""

    since: int | None = None
    after: str | None = None
    """The vendor's cursor, within one millisecond."""
    within: int = 0
    """How many contacts of that millisecond were passed by it."""
    edge: tuple[str, ...] = ()
    """Contacts of that millisecond that were shown already."""

    @classmethod
    def read(cls, text: str | None) -> Cursor:
        """The cursor that `text` is. Raises ValueError for a text that is none."""
        if text is None:
            return cls()
        try:
            since, after, within, edge = json.loads(text)
            return cls(int(since), after, int(within), tuple(edge))
        except (TypeError, ValueError):
            raise DestinationFailed("that is no cursor of a sweep of HubSpot; begin it anew") from None

    def __str__(self) -> str:
        return json.dumps([self.since, self.after, self.within, self.edge])


def page(
    search: Callable[[dict[str, Json]], Reply], cursor: Cursor, *, most: int
) -> tuple[tuple[wire.Contact, ...], Cursor | None]:
    """The contacts of one page that were not shown before, and where to go on.

    Raises:
        NotAsPromised: The list ended before all that it counted was shown.
        DestinationFailed: More contacts changed in one millisecond than a search can show.
    """
    found, after, total = wire.contacts(search(_asked(cursor)).json)
    new = tuple(each for each in found if each.id not in cursor.edge)
    if after is None:
        if cursor.within + len(found) < total:
            raise wire.NotAsPromised(f"a list of {total:,} contacts that ended after {len(found):,}")
        return new, None
    if not found:
        raise wire.NotAsPromised("an empty page that says there are more")
    last = _milliseconds(found[-1])
    edge = tuple(each.id for each in found if _milliseconds(each) == last)
    if last != cursor.since:
        if cursor.since is not None and last < cursor.since:
            raise wire.NotAsPromised("a list that is not sorted by the time of change")
        return new, Cursor(last, edge=edge)
    within = cursor.within + len(found)
    if within >= most:
        raise DestinationFailed(
            f"more than {most:,} contacts changed in the same millisecond, and a search shows no more; "
            "this sweep cannot be whole",
            remedy="touch some of these contacts in HubSpot, so that they change at different times",
        )
    return new, Cursor(last, after, within, edge)


def _asked(cursor: Cursor) -> dict[str, Json]:
    filters: list[Json] = [{"propertyName": "hs_email_optout", "operator": "EQ", "value": "true"}]
    if cursor.since is not None:
        filters.append({"propertyName": "lastmodifieddate", "operator": "GTE", "value": str(cursor.since)})
    body: dict[str, Json] = {
        "filterGroups": [{"filters": filters}],
        "sorts": ["lastmodifieddate"],
        "properties": list(PROPERTIES),
        "limit": PAGE,
    }
    return body if cursor.after is None else {**body, "after": cursor.after}


def _milliseconds(contact: wire.Contact) -> int:
    return round(contact.modified.timestamp() * 1000)
