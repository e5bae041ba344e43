"""Everybody whom a check can recognise, with all that it needs to answer about them: for a copy elsewhere.

Nothing here is an address. People are given by their blind indexes, which only the index keys turn into an
answer about an address that somebody already has. It is read in pages and short transactions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection, Engine, func, select, tuple_

from suppress.core.entry import WaiverRecorded
from suppress.core.standing import UNHEARD, Standing
from suppress.core.suppression import Reason
from suppress.ledger import projections, tables
from suppress.ledger.engine import CHUNK, reading
from suppress.ledger.judging import ADDRESS, ALIAS, Known, Leave, Recognised, bounces_of, waivers_of
from suppress.ledger.place import Place


def recognisable(engine: Engine, place: Place) -> Iterator[Recognised]:
    """Every row of both indexes whose person is suppressed somehow or has a waiver.

    Raises:
        LedgerDamaged: A row names an entry that is not there.
    """
    last: tuple[str, bytes] = ("", b"")
    while True:
        with reading(engine, place) as connection:
            rows = projections.subjects_after(connection, last, CHUNK)
            people = projections.entries_by_id(connection, [row[2] for row in rows])
            told = _told(connection, {people[row[2]]: row[2] for row in rows})
        if not rows:
            break
        last = rows[-1][0], rows[-1][1]
        for key_id, index, id_, _ in rows:
            yield from _one(ADDRESS, key_id, index, told[people[id_]])
    after: tuple[str, bytes, int] = ("", b"", -1)
    while True:
        with reading(engine, place) as connection:
            aliases = _aliases_after(connection, after)
            # A waiver is for an address and never for an alias of it.
            told = _told(connection, {person: "" for _, _, person in aliases})
        if not aliases:
            break
        after = aliases[-1]
        for key_id, index, person in aliases:
            yield from _one(ALIAS, key_id, index, told[person])


_Told = tuple[Known, Standing, tuple[Leave, ...]]


def _one(kind: str, key_id: str, index: bytes, told: _Told) -> Iterator[Recognised]:
    known, bounced, leaves = told
    if known.standing.suppressions or known.standing.lifts or leaves:
        yield Recognised(kind, key_id, bytes(index), known, bounced, leaves)


def _told(connection: Connection, people: Mapping[int, str]) -> dict[int, _Told]:
    standings = projections.standings_of(connection, dict.fromkeys(people, ""))
    held = projections.holding(connection, people)
    waived = projections.subjects_with(connection, WaiverRecorded.type, filter(None, people.values()))
    several = _with_several(connection, people)
    found: dict[int, _Told] = {}
    for person, subject in people.items():
        standing = standings[person]
        leaves: tuple[Leave, ...] = ()
        bounced = standing if _all_bounced(standing) else UNHEARD
        if person in several and standing.suppressions and bounced is UNHEARD:
            bounced = bounces_of(projections.history_of(connection, person))
        if subject in waived:
            leaves = tuple(waivers_of(projections.history_of(connection, person)))
        found[person] = Known(person, standing, person in held), bounced, leaves
    return found


def _all_bounced(standing: Standing) -> bool:
    """Whether only hard bounces are on record: the strongest reason shows, and a bounce is the weakest."""
    return all(each.reason is Reason.BOUNCED for each in standing.suppressions)


def _with_several(connection: Connection, people: Mapping[int, str]) -> set[int]:
    """Those with more than one entry: only they can have bounced beside another reason."""
    about = tables.about.c
    found: set[int] = set()
    for chunk in projections.chunks(people):
        rows = connection.execute(
            select(about.person)
            .where(about.person.in_(chunk))
            .group_by(about.person)
            .having(func.count() > 1)
        )
        found.update(rows.scalars())
    return found


def _aliases_after(connection: Connection, last: tuple[str, bytes, int]) -> Sequence[tuple[str, bytes, int]]:
    column = tables.alias.c
    keys = (column.key_id, column.alias_index, column.person)
    rows = connection.execute(select(*keys).where(tuple_(*keys) > last).order_by(*keys).limit(CHUNK)).all()
    return [(key_id, index, person) for key_id, index, person in rows]
