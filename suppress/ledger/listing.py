"""Everybody who is suppressed, sorted by match key, in memory that does not grow with their number.

The match key is known only from payloads, so the people are walked in the order of the ledger, page by page
in short transactions, and sorted in a scratch database of SQLite's: private to this process, on disk only
where it outgrows its cache, without a name, and gone when the listing ends.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, select

from suppress.core.hashed import is_hashed
from suppress.core.spelling import bare, comparable, forms
from suppress.core.suppression import Channel, Scope
from suppress.ledger import projections, tables
from suppress.ledger.engine import CHUNK, reading
from suppress.ledger.place import Place, translated
from suppress.ledger.reading import decoded
from suppress.ledger.rows import row_of_suppression, suppression_from
from suppress.ledger.values import Listed


def suppressed(engine: Engine, place: Place, channel: Channel, target: Scope) -> Iterator[Listed]:
    """Everybody who may not be mailed and whose address is held, by the byte order of their match key."""
    with closing(sqlite3.connect("")) as scratch:
        with translated(place):
            scratch.execute("PRAGMA journal_mode = OFF")
            scratch.execute(
                "CREATE TABLE listed (key TEXT, addresses TEXT, heard INTEGER, subject TEXT, channel TEXT, "
                "scope TEXT, reason TEXT, since TEXT, latest TEXT, source TEXT, seq INTEGER, visibility TEXT)"
            )
        last = -1
        while True:
            with reading(engine, place) as connection:
                people = _next_people(connection, last)
                rows = _rows(connection, people, channel, target)
            if not people:
                break
            last = people[-1]
            with translated(place):
                scratch.executemany("INSERT INTO listed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        rows_by_key = scratch.execute("SELECT * FROM listed ORDER BY key, seq")
        for key, addresses, heard, subject, *row in rows_by_key:
            yield Listed(subject, key, tuple(json.loads(addresses)), heard, suppression_from(row))


def lifted(engine: Engine, place: Place, channel: Channel) -> list[str]:
    """The subjects who ever consented, whatever holds for them now; those who were forgotten are nobody."""
    with reading(engine, place) as connection:
        rows = connection.execute(
            select(tables.lift.c.person).where(tables.lift.c.channel == channel.value).distinct()
        )
        people = [person for (person,) in rows]
        found: list[str] = []
        for chunk in projections.chunks(people):
            found.extend(_subjects(connection, chunk).values())
        return found


def _next_people(connection: Connection, last: int) -> list[int]:
    rows = connection.execute(
        select(tables.standing.c.person)
        .where(tables.standing.c.person > last)
        .distinct()
        .order_by(tables.standing.c.person)
        .limit(CHUNK)
    )
    return [person for (person,) in rows]


def _rows(
    connection: Connection, people: list[int], channel: Channel, target: Scope
) -> list[tuple[Any, ...]]:
    standings = projections.standings_of(connection, dict.fromkeys(people, ""))
    spoken = _spoken(connection, people)
    subjects = _subjects(connection, people)
    rows = []
    for person in people:
        found = standings[person].against(channel, target)
        if found is None or person not in spoken:
            continue
        of = spoken[person]
        if is_hashed(of.key):  # a partner's digest: there is no address to tell anybody
            continue
        addresses = json.dumps(list(of.spellings.values()))
        rows.append((of.key, addresses, of.heard, subjects[person], *row_of_suppression(person, found)[1:]))
    return rows


@dataclass(slots=True)
class _Spoken:
    """How one person was called in the entries about them."""

    key: str
    heard: int = -1
    spellings: dict[str, str] = field(default_factory=dict)
    """What is compared → what is sent."""


def _spoken(connection: Connection, people: list[int]) -> dict[int, _Spoken]:
    found: dict[int, _Spoken] = {}
    for person, seq, key, address in projections.spellings_of(connection, people):
        of = found.setdefault(person, _Spoken(key))
        for form in forms(bare(address, key), key):
            same = comparable(form)
            if same not in of.spellings:
                of.spellings[same], of.heard = form, seq
    return found


def _subjects(connection: Connection, people: list[int]) -> dict[int, str]:
    rows = connection.execute(
        select(tables.ledger.c.seq, tables.ledger.c.leaf).where(tables.ledger.c.seq.in_(people))
    )
    return {seq: decoded(seq, leaf).id for seq, leaf in rows}
