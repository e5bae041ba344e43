"""Verification, passes 2 to 4: the tables beside the leaves say what the leaves say, no more and no less.

`inspection` has shown that the leaves are the ones that were signed. Each row of every other table is asked
for by the key that an entry gives it, which also shows that a look-up finds it; then the rows are counted,
which shows that there are no others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from suppress.core.aliases import alias_of
from suppress.core.canonical import NotCanonical
from suppress.core.entry import (
    Corrected,
    Entry,
    Erased,
    Forgotten,
    IndexKeyRotated,
    LogOpened,
    OptOutRecorded,
    Restored,
    SubjectAdded,
)
from suppress.core.leaf import decode
from suppress.core.merkle import leaf_hash
from suppress.errors import LedgerDamaged
from suppress.ledger import projections, tables
from suppress.ledger.engine import CHUNK, tuples, tuples_among
from suppress.ledger.folding import standing_of
from suppress.ledger.projections import chunks, topic_of
from suppress.ledger.reading import decoded
from suppress.ledger.references import problem
from suppress.ledger.rows import row_of_lift, row_of_suppression
from suppress.ledger.sealing import mark, payload_commitment, subject_commitment
from suppress.ledger.values import Bad

if TYPE_CHECKING:
    from suppress.ledger.inspection import Inspection

PAGE = 1000
"""Entries, or rows, in one short transaction."""
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


def first_bad(inspection: Inspection) -> Bad | None:
    """The first thing that is wrong in passes 2 to 4."""
    return _replay(inspection) or _counts(inspection) or _people(inspection) or _standings(inspection)


# --- 2: every entry, and the rows that it gives rise to --------------------------------------------------


@dataclass(slots=True)
class _Page:
    """A page of entries, and the rows that there must be because of them."""

    entries: list[Entry] = field(default_factory=list)
    events: dict[str, tuple[int, int]] = field(default_factory=dict)
    subjects: dict[int, str] = field(default_factory=dict)
    """Entry → the subject whom it is about, but for `subject.added`."""
    topics: dict[tuple[str, str, int], int] = field(default_factory=dict)
    commitments: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Entry → the commitment to its payload, and its subject."""


def _replay(inspection: Inspection) -> Bad | None:
    facts, at = inspection.facts, None
    for first in range(0, facts.size, PAGE):
        end = min(first + PAGE, facts.size)
        with inspection.view() as connection:
            page = _read(inspection, connection, first, end, at)
            bad = page if isinstance(page, Bad) else _rows_of(inspection, connection, page, first, end)
        if bad is not None:
            return bad
        assert isinstance(page, _Page)
        at = page.entries[-1].at
        inspection.progress("replay", end, facts.size)
    with inspection.view() as connection:
        last_at = projections.last_at(connection, facts.size)
    if last_at is not None and at is not None and last_at != at:
        return Bad(facts.size - 1, "the head names another time than the last entry")
    return None


def _read(
    inspection: Inspection, connection: Connection, first: int, end: int, at: datetime | None
) -> _Page | Bad:
    from suppress.ledger.inspection import leaves_between

    page = _Page()
    for seq, leaf in leaves_between(connection, first, end).items():
        try:
            entry = decode(seq, leaf)
        except NotCanonical as wrong:
            return Bad(seq, f"entry {seq} cannot be read: {wrong}")
        wrong_reference = problem(entry.body, seq)
        if wrong_reference is not None:
            return Bad(seq, f"entry {seq} cannot be right: {wrong_reference}")
        if at is not None and entry.at < at:
            return Bad(seq, f"entry {seq} is dated before the one ahead of it")
        if entry.id in page.events:
            return Bad(seq, f"entry {seq} has the id of an earlier one")
        at = entry.at
        _expect(inspection, page, entry)
        if isinstance(entry.body, (LogOpened, IndexKeyRotated)):
            bad = _committed(inspection, entry.seq, entry.body)
            if bad is not None:
                return bad
    return page


def _expect(inspection: Inspection, page: _Page, entry: Entry) -> None:
    body = entry.body
    page.entries.append(entry)
    page.events[entry.id] = (entry.seq, mark(leaf_hash(entry.leaf)))
    topic = topic_of(body)
    if topic is not None:
        page.topics[*topic, entry.seq] = entry.seq
    if isinstance(body, Restored):
        inspection.facts.restored.append((entry.seq, body))
    if isinstance(body, SubjectAdded):
        inspection.facts.subjects += 1
        return
    subject = getattr(body, "subject", None)
    if isinstance(subject, str):
        page.subjects[entry.seq] = subject
        pii = getattr(body, "pii", None)
        if isinstance(pii, str):
            page.commitments[entry.seq] = pii, subject
    if isinstance(body, Forgotten):
        inspection.facts.subjects -= 1


def _committed(inspection: Inspection, seq: int, body: LogOpened | IndexKeyRotated) -> Bad | None:
    """An index key that is not the one which this entry commits to, so that somebody cannot be recognised."""
    inspection.facts.index_keys.add(body.index_key_id)
    for key in inspection.index:
        if key.id == body.index_key_id and key.commitment != body.index_key_commitment:
            return Bad(seq, f"the index key {key.id} is not the one that entry {seq} commits to")
    return None


def _rows_of(inspection: Inspection, connection: Connection, page: _Page, first: int, end: int) -> Bad | None:
    """What is wrong with the rows that this page's entries give rise to; the earliest entry's first."""
    found = [
        _wrong_events(connection, page),
        _wrong_abouts(inspection, connection, page),
        _wrong_topics(inspection, connection, page),
        _wrong_payloads(inspection, connection, page, first, end),
        _wrong_erasures(connection, page),
        next((_misnamed(entry) for entry in page.entries if _misnamed(entry)), None),
    ]
    return min((bad for bad in found if bad is not None), key=lambda bad: bad.seq or 0, default=None)


def _misnamed(entry: Entry) -> Bad | None:
    if isinstance(entry.body, SubjectAdded) and entry.body.subject != entry.id:
        return Bad(entry.seq, f"entry {entry.seq} adds a subject under another id than its own")
    return None


def _wrong_events(connection: Connection, page: _Page) -> Bad | None:
    stored: dict[str, tuple[int, int]] = {}
    for chunk in chunks(page.events):
        rows = tuples_among(connection, "SELECT id, seq, mark FROM event WHERE id", among=chunk)
        stored.update((id_, (seq, marked)) for id_, seq, marked in rows)
    for id_, expected in page.events.items():
        if stored.get(id_) != expected:
            return Bad(expected[0], f"the row of table event for entry {expected[0]} is missing or changed")
    return None


def _wrong_abouts(inspection: Inspection, connection: Connection, page: _Page) -> Bad | None:
    people = _named(connection, page)
    expected: dict[tuple[int, int], int] = {}
    for seq, subject in page.subjects.items():
        person = people.get(subject)
        if person is None or person >= seq:
            return Bad(seq, f"entry {seq} is about somebody who was not added before it")
        expected[person, seq] = seq
    for entry in page.entries:
        if isinstance(entry.body, Corrected):
            person = projections.person_of(connection, entry.body.entry)
            if person is not None:
                expected[person, entry.seq] = entry.seq
    inspection.facts.abouts += len(expected)
    stored: set[tuple[Any, ...]] = set()
    seqs = [seq for _, seq in expected]
    question = "SELECT person, seq FROM about WHERE seq BETWEEN ? AND ? AND person"
    for chunk in chunks({person for person, _ in expected}):
        # By person first, the order of the primary key; row values in an IN list would scan the table.
        stored.update(tuples_among(connection, question, min(seqs), max(seqs), among=chunk))
    return _absent("about", expected, stored)


def _named(connection: Connection, page: _Page) -> dict[str, int]:
    """Subject → the entry with that id, for whom this page is about.

    Most were added on the page itself, and that their row of `event` is right is asked beside this.
    """
    here = {id_: seq for id_, (seq, _) in page.events.items()}
    elsewhere = set(page.subjects.values()) - here.keys()
    return here | projections.entries_by_id(connection, elsewhere)


def _wrong_topics(inspection: Inspection, connection: Connection, page: _Page) -> Bad | None:
    inspection.facts.topics += len(page.topics)
    stored: set[tuple[Any, ...]] = set()
    topic = tables.topic.c
    for type_, name, seq in page.topics:
        where = (topic.type == type_) & (topic.name == name) & (topic.seq == seq)
        stored.update(connection.execute(select(topic.type, topic.name, topic.seq).where(where)))
    return _absent("topic", page.topics, stored)


def _absent(table: str, expected: Mapping[tuple[Any, ...], int], stored: set[tuple[Any, ...]]) -> Bad | None:
    """The first entry whose row is not among those stored."""
    for row, seq in expected.items():
        if row not in stored:
            return Bad(seq, f"the row of table {table} for entry {seq} is missing or changed")
    return None


def _wrong_payloads(
    inspection: Inspection, connection: Connection, page: _Page, first: int, end: int
) -> Bad | None:
    question = "SELECT seq, salt, body FROM payload WHERE seq >= ? AND seq < ?"
    stored = {seq: (salt, body) for seq, salt, body in tuples(connection, question, first, end)}
    for seq in sorted(stored.keys() | page.commitments.keys()):
        if seq not in page.commitments:
            return Bad(seq, f"entry {seq} has a payload, and its leaf does not commit to one")
        commitment, subject = page.commitments[seq]
        if seq not in stored:
            if not _erased(connection, seq, subject):
                return Bad(seq, f"the payload of entry {seq} is missing, and no entry records its erasure")
            inspection.facts.erased += 1
            continue
        salt, body = stored[seq]
        if not _is_bytes(salt, body) or payload_commitment(salt, body) != commitment:
            return Bad(seq, f"the payload of entry {seq} is not the one that its leaf commits to")
    return None


def _erased(connection: Connection, seq: int, subject: str) -> bool:
    for kind in (Erased, Forgotten):
        for at in projections.topics(connection, kind.type, subject):
            body = projections.entry_at(connection, at).body
            if isinstance(body, (Erased, Forgotten)) and seq in body.entries:
                return True
    return False


def _wrong_erasures(connection: Connection, page: _Page) -> Bad | None:
    for entry in page.entries:
        if not isinstance(entry.body, (Erased, Forgotten)):
            continue
        for chunk in chunks(entry.body.entries):
            revived = connection.execute(
                select(tables.payload.c.seq).where(tables.payload.c.seq.in_(chunk)).limit(1)
            ).scalar_one_or_none()
            if revived is not None:
                return Bad(
                    revived, f"the payload of entry {revived} is back, and entry {entry.seq} erased it"
                )
    return None


# --- The rows that no entry asked for --------------------------------------------------------------------


def _counts(inspection: Inspection) -> Bad | None:
    facts = inspection.facts
    with inspection.view() as connection:
        for table, column, expected in (
            (tables.event, tables.event.c.seq, facts.size),
            (tables.about, tables.about.c.seq, facts.abouts),
            (tables.topic, tables.topic.c.seq, facts.topics),
        ):
            found = _count(connection, table, column < facts.size)
            if found != expected:
                return Bad(None, f"table {table.name} has {found} rows where the entries make {expected}")
    return None


def _count(connection: Connection, table: Table, where: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(where)).scalar_one())


# --- 3: the people ---------------------------------------------------------------------------------------


def _people(inspection: Inspection) -> Bad | None:
    facts, last, aliases, seen = inspection.facts, ("", b""), 0, 0
    while True:
        with inspection.view() as connection:
            rows = projections.subjects_after(connection, last, CHUNK)
            people = projections.entries_by_id(connection, [row[2] for row in rows])
            ours = [row for row in rows if people.get(row[2], -1) < facts.size]
            bad = _wrong_subjects(connection, ours, people, facts.index_keys)
            if bad is None and inspection.index:
                bad, more = _wrong_indexes(inspection, connection, ours, people)
                aliases += more
        if bad is not None:
            return bad
        if not rows:
            break
        seen, last = seen + len(ours), (rows[-1][0], rows[-1][1])
        inspection.progress("people", seen, facts.subjects)
    with inspection.view() as connection:
        if seen != facts.subjects:
            return Bad(
                projections.first_without_subject(connection),
                f"table subject has {seen} people where the entries make {facts.subjects}",
            )
        stored = _count(connection, tables.alias, tables.alias.c.person < facts.size)
    if inspection.index and stored != aliases:
        return Bad(None, f"table alias has {stored} rows where the addresses make {aliases}")
    return None


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
        if not _is_bytes(index, salt) or subject_commitment(salt, key_id, index) != told.get("sid"):
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
    return _absent("alias", expected, stored), len(expected)


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
        inspection.progress("standings", done, facts.subjects)
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


def _is_bytes(*values: object) -> bool:
    return all(type(value) is bytes for value in values)
