"""The projections built again from the leaves, payloads and subject rows. Used by an upgrade.

Whatever the projections held before, they hold afterwards what a ledger has that recorded the same entries
from the start; a test compares the two. Nothing that is hashed or signed is touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, delete, func, select, update

from suppress.core.aliases import alias_of, table_version
from suppress.core.entry import Corrected, Entry
from suppress.core.merkle import leaf_hash
from suppress.errors import ConfigWrong
from suppress.ledger import projections, tables
from suppress.ledger.engine import CHUNK, insert_rows
from suppress.ledger.keys import Keys
from suppress.ledger.projections import topic_of
from suppress.ledger.reading import decoded
from suppress.ledger.schema import ALIASES
from suppress.ledger.sealing import mark

PAGE = 1000
"""Entries held in memory at once."""


def rebuild(connection: Connection, keys: Keys) -> None:
    """Empty every projection and fill it anew, inside the caller's transaction.

    Raises:
        ConfigWrong: A person is indexed under a key that is not there.
        LedgerDamaged: A leaf or payload cannot be read.
    """
    for table in tables.PROJECTIONS:
        connection.execute(delete(table))
    size = connection.execute(select(func.count()).select_from(tables.ledger)).scalar_one()
    for first in range(0, size, PAGE):
        _index(connection, first, first + PAGE)
    _fold(connection)
    _index_aliases(connection, keys)
    connection.execute(
        update(tables.built).where(tables.built.c.name == ALIASES).values(version=table_version())
    )


def _index(connection: Connection, first: int, end: int) -> None:
    rows = connection.execute(
        select(tables.ledger.c.seq, tables.ledger.c.leaf)
        .where(tables.ledger.c.seq >= first, tables.ledger.c.seq < end)
        .order_by(tables.ledger.c.seq)
    )
    entries = [decoded(seq, leaf) for seq, leaf in rows]
    events = [(entry.id, entry.seq, mark(leaf_hash(entry.leaf))) for entry in entries]
    insert_rows(connection, tables.event, ("id", "seq", "mark"), events)
    topics = [(*topic, entry.seq) for entry in entries if (topic := topic_of(entry.body)) is not None]
    insert_rows(connection, tables.topic, ("type", "name", "seq"), topics)
    insert_rows(connection, tables.about, ("person", "seq"), list(_abouts(connection, entries)))


def _abouts(connection: Connection, entries: Iterable[Entry]) -> Iterable[tuple[int, int]]:
    entries = list(entries)
    subjects = {
        entry.seq: entry.body.subject
        for entry in entries
        if hasattr(entry.body, "subject") and entry.body.subject != entry.id
    }
    people: Mapping[str, int] = projections.entries_by_id(connection, set(subjects.values()))
    for entry in entries:
        if entry.seq in subjects:
            yield people[subjects[entry.seq]], entry.seq
        elif isinstance(entry.body, Corrected):
            person = projections.person_of(connection, entry.body.entry)
            if person is not None:
                yield person, entry.seq


def _fold(connection: Connection) -> None:
    last = -1
    while people := projections.people_after(connection, last, CHUNK):
        last = people[-1]
        standings = {person: projections.replayed(connection, person) for person in people}
        projections.replace_standings(connection, (), standings)


def _index_aliases(connection: Connection, keys: Keys) -> None:
    by_id = {key.id: key for key in keys.index}
    last = ("", b"")
    while rows := projections.subjects_after(connection, last, CHUNK):
        last = (rows[-1][0], rows[-1][1])
        people = projections.entries_by_id(connection, [id_ for _, _, id_, _ in rows])
        held = projections.first_payloads(connection, people.values())
        aliases = []
        for key_id, _, id_, _ in rows:
            if key_id not in by_id:
                raise ConfigWrong(f"people are indexed under key {key_id}, which is not in {keys.folder}")
            person = people[id_]
            alias = alias_of(held[person][0]) if person in held else None
            if alias is not None:
                aliases.append((key_id, by_id[key_id].blind_alias(alias.key), person))
        insert_rows(connection, tables.alias, ("key_id", "alias_index", "person"), aliases)
