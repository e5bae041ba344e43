"""What a server that holds a ledger lets happen to it, for `suppress doctor`. Only looks."""

from __future__ import annotations

from contextlib import closing

from suppress.ledger.place import place_of
from suppress.ledger.reader import Reader
from suppress.ledger.server import Server

_MAY_CHANGE = (
    "SELECT current_user, has_table_privilege('ledger', 'UPDATE') OR has_table_privilege('ledger', 'DELETE')"
)
_SETTINGS = "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') ORDER BY name"


def doubts(url: str) -> list[tuple[str, str]]:
    """What should be otherwise, and what to do about it; nothing for a ledger in a file.

    Raises:
        NoLedger, StorageFailed: The server cannot be asked.
    """
    place = place_of(url)
    if not isinstance(place, Server):
        return []
    with closing(Reader.open(place)) as reader, reader.reading():
        user, may_change = reader.ask(_MAY_CHANGE).fetchone()
        found = [
            (f"the server has {name} = off: a crash may lose what was acknowledged", f"set {name} = on")
            for name, value in reader.ask(_SETTINGS).fetchall()
            if value == "off"
        ]
    if may_change:
        found.append(
            (
                f"{user} may change entries, and only the guards stop accidents",
                "suppress ledger grant --writer ROLE, then connect as that role",
            )
        )
    return found
