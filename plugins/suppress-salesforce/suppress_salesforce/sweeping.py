"""Lists everyone who is opted out in an org, page by page.

The time of an observation is that of the record's last change (`SystemModstamp`): the opt-out is no younger.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from suppress.errors import DestinationFailed
from suppress.plugin.contract import Observation, Remote
from suppress_salesforce import soql, wire
from suppress_salesforce.client import Client
from suppress_salesforce.lookup import Seen
from suppress_salesforce.records import TWIN, Record, record


def swept(
    client: Client, objects: Sequence[Seen], cursor: str | None
) -> tuple[tuple[Observation, ...], str | None]:
    """A page, and the cursor of the next one.

    Raises:
        ContractBroken: An object's last page came with other than the promised number of rows before it.
    """
    place, target, seen = _place(cursor, len(objects))
    this = objects[place]
    page, _ = client.query_page(target or f"/query?q={soql.encoded(_statement(this))}")
    seen += len(page.records)
    try:
        found = tuple(_observed(this, record(this.target, row)) for row in page.records)
    except wire.NotAsPromised as wrong:
        raise client.broken(str(wrong)) from None
    shown = tuple(each for some in found for each in some)
    if page.following is not None:
        return shown, json.dumps([place, page.following, seen])
    if seen != page.total:
        raise client.broken(f"{seen} of {page.total} rows of a query")
    return shown, json.dumps([place + 1, "", 0]) if place + 1 < len(objects) else None


def _place(cursor: str | None, objects: int) -> tuple[int, str, int]:
    try:
        match json.loads(cursor or '[0, "", 0]'):
            case [int(place), str(target), int(seen)] if 0 <= place < objects:
                if not target or re.fullmatch(r"/query/[A-Za-z0-9_-]+", target):
                    return place, target, seen
            case _:
                pass
    except ValueError:
        pass
    raise DestinationFailed("a sweep of Salesforce has a cursor that is none")


def _statement(seen: Seen) -> str:
    target = seen.target
    where = f"{target.opt_out} = true"
    return soql.select(
        seen.columns, target.name, f"{TWIN} = true AND {where}" if target.name == "Account" else where
    )


def _observed(seen: Seen, each: Record) -> tuple[Observation, ...]:
    return tuple(
        Observation(
            address,
            Remote.SUPPRESSED,
            reason=f"{seen.target.opt_out} of a {seen.target.name}",
            at=each.changed,
            by=None if each.by is None else f"user {each.by}",
        )
        for address in each.addresses
    )
