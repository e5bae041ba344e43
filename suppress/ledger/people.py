"""Verification, passes 3 and 4: everybody whom the ledger knows, and what a check consults about them.

They read nothing that pass 2 leaves behind but the size of the ledger, so that a long one has them done in
another process meanwhile (`inspection`). That the leaves are those that were signed, and that each can be
read, is for passes 1 and 2: what is found here counts only where those found nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from suppress.core.aliases import alias_of
from suppress.core.entry import Forgotten, OptOutRecorded, SubjectAdded
from suppress.errors import LedgerDamaged
from suppress.ledger import projections, tables
from suppress.ledger.engine import CHUNK, tuples, tuples_among
from suppress.ledger.folding import standing_of
from suppress.ledger.keyring import read_history
from suppress.ledger.reading import decoded
from suppress.ledger.replaying import PAGE, absent, count, is_bytes
from suppress.ledger.rows import row_of_lift, row_of_suppression
from suppress.ledger.sealing import subject_commitment
from suppress.ledger.values import Bad

if TYPE_CHECKING:
    from suppress.ledger.inspection import Inspection

_ABOUT_PEOPLE = (
    "SELECT about.person, ledger.seq, ledger.leaf FROM about JOIN ledger ON ledger.seq = about.seq "
    "WHERE about.person BETWEEN ? AND ? ORDER BY about.person, about.seq"
)
_CONSULTED = {
    "standing": (
        "SELECT person, channel, scope, reason, since, latest, source, seq, visibility FROM standing "
        "WHERE person BETWEEN ? AND ?"
    ),
    "lift": "SELECT person, channel, scope, at, seq FROM lift WHERE person BETWEEN ? AND ?",
}
_JSON = json.JSONDecoder()
"""`json.loads` would work out the encoding of each leaf first."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """What passes 3 and 4 found: what is wrong with a row of each table, and how many people there are."""

    people: Bad | None
    seen: int
    aliases: Bad | None = None
    standings: Bad | None = None


def looked_at(inspection: Inspection) -> Crowd:
    """Look at everybody, as of the size of the inspection."""
    crowd = _people(inspection)
    return crowd if crowd.people or crowd.aliases else replace(crowd, standings=_standings(inspection))


def first_bad(inspection: Inspection, crowd: Crowd) -> Bad | None:
    """The first thing that is wrong in them, where pass 2 has counted how many people the entries make."""
    if crowd.people is not None:
        return crowd.people
    expected = inspection.facts.subjects
    if crowd.seen != expected:
        with inspection.view() as connection:
            return Bad(
                projections.first_without_subject(connection),
                f"table subject has {crowd.seen} people where the entries make {expected}",
            )
    return crowd.aliases or crowd.standings


# --- 3: the people ---------------------------------------------------------------------------------------


def _people(inspection: Inspection) -> Crowd:
    size, last, aliases, seen = inspection.facts.size, ("", b""), 0, 0
    with inspection.view() as connection:
        index_keys = read_history(connection).index.keys()
    while True:
        with inspection.view() as connection:
            rows = projections.subjects_after(connection, last, CHUNK)
            people = projections.entries_by_id(connection, [row[2] for row in rows])
            ours = [row for row in rows if people.get(row[2], -1) < size]
            bad = _wrong_subjects(connection, ours, people, index_keys)
            if bad is None and inspection.index:
                bad, more = _wrong_indexes(inspection, connection, ours, people)
                aliases += more
        if bad is not None:
            return Crowd(bad, seen)
        if not rows:
            break
        seen, last = seen + len(ours), (rows[-1][0], rows[-1][1])
        inspection.progress("people", seen, None)
    with inspection.view() as connection:
        stored = count(connection, tables.alias, tables.alias.c.person < size)
    if inspection.index and stored != aliases:
        return Crowd(
            None, seen, Bad(None, f"table alias has {stored} rows where the addresses make {aliases}")
        )
    return Crowd(None, seen)


def _wrong_subjects(
    connection: Connection, rows: Sequence[Any], people: Mapping[str, int], index_keys: Set[str]
) -> Bad | None:
    added = [people[row[2]] for row in rows if row[2] in people]
    leaves = dict(tuples_among(connection, "SELECT seq, leaf FROM ledger WHERE seq", among=added))
    forgotten = projections.subjects_with(connection, Forgotten.type, [row[2] for row in rows])
    for key_id, index, id_, salt in rows:
        person = people.get(id_)
        if person is None or person not in leaves:
            return Bad(None, "table subject has a row that no entry added")
        told = _told(person, leaves[person])
        if told.get("type") != SubjectAdded.type:
            return Bad(person, f"table subject has a row for entry {person}, which adds nobody")
        if not is_bytes(index, salt) or subject_commitment(salt, key_id, index) != told.get("sid"):
            return Bad(person, f"the subject row of entry {person} is not the one that its leaf commits to")
        if key_id not in index_keys:
            return Bad(person, f"entry {person} is indexed under key {key_id}, which no entry names")
        if id_ in forgotten:
            return Bad(person, f"the person of entry {person} was forgotten, and their subject row is back")
    return None


def _wrong_indexes(
    inspection: Inspection, connection: Connection, rows: Sequence[Any], people: Mapping[str, int]
) -> tuple[Bad | None, int]:
    """Blind and alias indexes held against the addresses themselves; with the number of alias rows."""
    keys = {key.id: key for key in inspection.index}
    held = projections.first_payloads(connection, [people[row[2]] for row in rows])
    expected: dict[tuple[Any, ...], int] = {}
    for key_id, index, id_, _ in rows:
        person = people[id_]
        if key_id not in keys:
            return Bad(person, f"entry {person} is indexed under key {key_id}, which is not here"), 0
        if person not in held:
            continue
        address_key = held[person][0]
        if keys[key_id].blind(address_key) != index:
            return Bad(person, f"the blind index of entry {person} belongs to another address"), 0
        alias = alias_of(address_key)
        if alias is not None:
            expected[key_id, keys[key_id].blind_alias(alias.key), person] = person
    stored: set[tuple[Any, ...]] = set()
    question = "SELECT key_id, alias_index, person FROM alias WHERE key_id = ? AND alias_index"
    for key_id in keys:
        indexes = [index for _, index, _ in expected]
        stored.update(tuples_among(connection, question, key_id, among=indexes))
    return absent("alias", expected, stored), len(expected)


# --- 4: what a check consults ----------------------------------------------------------------------------


def _standings(inspection: Inspection) -> Bad | None:
    facts, done = inspection.facts, 0
    for first in range(0, facts.size, PAGE):
        with inspection.view() as connection:
            histories = _histories(connection, first, first + PAGE - 1)
            bad = _wrong_standings(connection, histories, first, first + PAGE - 1)
        if bad is not None:
            return bad
        done += len(histories)
        inspection.progress("standings", done, None)
    return None


def _histories(connection: Connection, first: int, last: int) -> dict[int, list[tuple[int, bytes]]]:
    """Person → every entry about them, of the people who were added from `first` to `last`."""
    found: dict[int, list[tuple[int, bytes]]] = {}
    for person, seq, leaf in tuples(connection, _ABOUT_PEOPLE, first, last):
        found.setdefault(person, []).append((seq, leaf))
    return found


def _wrong_standings(
    connection: Connection, histories: Mapping[int, Sequence[tuple[int, bytes]]], first: int, last: int
) -> Bad | None:
    """Fold the entries of these people anew; from `first` to `last` there may be no other rows."""
    expected: dict[str, set[tuple[Any, ...]]] = {"standing": set(), "lift": set()}
    for person, history in histories.items():
        only = _only_row(person, history)
        if only is not None:
            expected["standing"].add(only)
            continue
        standing = standing_of("", [decoded(seq, leaf) for seq, leaf in history])
        expected["standing"].update(row_of_suppression(person, each) for each in standing.suppressions)
        expected["lift"].update(row_of_lift(person, each) for each in standing.lifts)
    for table, question in _CONSULTED.items():
        stored = set(tuples(connection, question, first, last))
        wrong = stored ^ expected[table]
        if wrong:
            person = min(row[0] for row in wrong)
            return Bad(
                person,
                f"table {table} does not hold for the person of entry {person} what their entries say",
            )
    return None


def _only_row(person: int, history: Sequence[tuple[int, bytes]]) -> tuple[Any, ...] | None:
    """The row of a person of whom all that is known is one opt-out, straight from its leaf.

    That is nearly everybody, and a leaf writes each value just as the row does. Anybody else: None.
    """
    if len(history) != 1:
        return None
    seq, leaf = history[0]
    told = _told(seq, leaf)
    if told.get("type") != OptOutRecorded.type:
        return None
    dated = told.get("occurred_at")
    return (
        person,
        told.get("channel"),
        told.get("scope"),
        told.get("reason"),
        dated,
        told.get("at") if dated is None else dated,
        told.get("source"),
        seq,
        told.get("visibility"),
    )


def _told(seq: int, leaf: bytes) -> dict[str, Any]:
    """The values of a leaf that an earlier pass has read strictly, or that a writer added since."""
    try:
        value = _JSON.decode(leaf.decode())
    except (ValueError, TypeError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise LedgerDamaged(f"entry {seq} cannot be read")
    return value
