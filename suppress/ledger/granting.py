"""Rights on a ledger in PostgreSQL: who writes may not change, who reads may not write.

Three roles: the *owner* made the tables and upgrades them; a *writer* runs every other command; a *reader*
looks things up and verifies. A writer may insert everywhere, change only the head, and delete only what an
erasure takes out and the projections that are written anew. So whoever gets hold of a writer's password
cannot change or remove an entry, with the guards or without them; whoever gets the owner's can, and a
checkpoint kept elsewhere is what shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from suppress.errors import BadUsage
from suppress.ledger import tables
from suppress.ledger.engine import opened, writing
from suppress.ledger.place import place_of
from suppress.ledger.schema import VERSION_TABLE
from suppress.ledger.server import Server

_ALL = (*tables.metadata.tables, VERSION_TABLE)
_INSERTED = (*(name for name in tables.metadata.tables if name not in ("head", "built")),)
_UPDATED = ("head",)
_DELETED = ("payload", "subject", "standing", "lift", "alias")


def grant(url: str, *, writers: Sequence[str], readers: Sequence[str], dry_run: bool) -> list[str]:
    """Give these roles exactly their rights, in one transaction. Returns the statements.

    Raises:
        BadUsage: The ledger is a file, or a role does not exist.
        StorageFailed: This user is not the owner of the tables.
    """
    place = place_of(url)
    if not isinstance(place, Server):
        raise BadUsage(
            f"{place} is a file, which knows no roles", remedy="give its folder to the users who need it"
        )
    engine = opened(place, mode="rw")
    try:
        with writing(engine, place) as connection:
            statements = list(_statements(connection, writers, readers))
            for statement in () if dry_run else statements:
                connection.exec_driver_sql(statement)
    finally:
        engine.dispose()
    return statements


def _statements(connection: Connection, writers: Sequence[str], readers: Sequence[str]) -> Iterator[str]:
    quote = connection.dialect.identifier_preparer.quote_identifier
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    for role in (*writers, *readers):
        yield f"GRANT USAGE ON SCHEMA {schema} TO {quote(role)}"
        yield f"REVOKE ALL ON {', '.join(_ALL)} FROM {quote(role)}"
        yield f"GRANT SELECT ON {', '.join(_ALL)} TO {quote(role)}"
    for role in writers:
        yield f"GRANT INSERT ON {', '.join(_INSERTED)} TO {quote(role)}"
        yield f"GRANT UPDATE ON {', '.join(_UPDATED)} TO {quote(role)}"
        yield f"GRANT DELETE ON {', '.join(_DELETED)} TO {quote(role)}"
