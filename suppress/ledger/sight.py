"""How people are found through SQLAlchemy: `judging.Sight` for an open `Ledger`."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from suppress.core.entry import Corrected
from suppress.core.standing import Standing
from suppress.ledger import projections, tables
from suppress.ledger.judging import Known, Leave, bounces_of, waivers_of
from suppress.ledger.rules import MAKERS, Rules
from suppress.ledger.sealing import IndexKey


class TableSight:
    """The people of one ledger, within one read transaction."""

    def __init__(self, connection: Connection, keys: Sequence[IndexKey]) -> None:
        self._connection = connection
        self._keys = keys

    def known(self, key: str) -> list[Known]:
        """Who has this match key or hashed key."""
        subjects = [
            subject
            for index_key in self._keys
            for subject in projections.subjects_of(
                self._connection, index_key, [index_key.blind(key)]
            ).values()
        ]
        people = projections.entries_by_id(self._connection, subjects)
        return self._people([people[subject] for subject in subjects if subject in people])

    def aliased(self, alias_key: str) -> list[Known]:
        """Whose address has this alias key."""
        column = tables.alias.c
        people: list[int] = []
        for index_key in self._keys:
            rows = self._connection.execute(
                select(column.person)
                .where(column.key_id == index_key.id, column.alias_index == index_key.blind_alias(alias_key))
                .order_by(column.person)
            )
            people += [person for (person,) in rows]
        return self._people(people)

    def bounced(self, person: int) -> Standing:
        """What stands of a person's hard bounces."""
        return bounces_of(projections.history_of(self._connection, person))

    def waivers(self, person: int) -> list[Leave]:
        """The waivers of a person."""
        return waivers_of(projections.history_of(self._connection, person))

    def rules(self) -> Rules:
        """The rules that hold now."""
        return rules_of(self._connection)

    def _people(self, people: Sequence[int]) -> list[Known]:
        standings = projections.standings_of(self._connection, dict.fromkeys(people, ""))
        held = projections.holding(self._connection, people)
        return [Known(person, standings[person], person in held) for person in people]


def rules_of(connection: Connection) -> Rules:
    """The rules that hold now. Raises `LedgerDamaged`."""
    topic = tables.topic.c
    seqs = set(connection.execute(select(topic.seq).where(topic.type.in_(MAKERS))).scalars())
    newest = seqs
    while newest:
        newest = {
            seq
            for names in projections.chunks(map(str, newest))
            for seq in connection.execute(
                select(topic.seq).where(topic.type == Corrected.type, topic.name.in_(names))
            ).scalars()
        } - seqs
        seqs |= newest
    leaves = (
        row
        for chunk in projections.chunks(sorted(seqs))
        for row in connection.execute(
            select(tables.ledger.c.seq, tables.ledger.c.leaf)
            .where(tables.ledger.c.seq.in_(chunk))
            .order_by(tables.ledger.c.seq)
        ).all()
    )
    return Rules.of((seq, leaf) for seq, leaf in leaves)
