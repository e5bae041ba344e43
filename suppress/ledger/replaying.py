"""Verification, pass 2: the tables beside the leaves say what the leaves say, no more and no less.

`inspection` has shown that the leaves are the ones that were signed. Each row of every other table is asked
for by the key that an entry gives it, which also shows that a look-up finds it; then the rows are counted,
which shows that there are no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from suppress.core.canonical import NotCanonical, moment, timestamp
from suppress.core.entry import (
    Corrected,
    Entry,
    Erased,
    Forgotten,
    IndexKeyRotated,
    LogOpened,
    Restored,
    SubjectAdded,
)
from suppress.core.leaf import Glimpse, decode, glimpse
from suppress.core.merkle import leaf_hash
from suppress.ledger import projections, tables
from suppress.ledger.engine import tuples, tuples_among
from suppress.ledger.projections import chunks, topic_of
from suppress.ledger.references import problem
from suppress.ledger.sealing import mark, payload_commitment
from suppress.ledger.values import Bad

if TYPE_CHECKING:
    from suppress.ledger.inspection import Inspection

PAGE = 1000
"""Entries, or rows, in one short transaction."""


def first_bad(inspection: Inspection) -> Bad | None:
    """The first thing that is wrong in pass 2."""
    return _replay(inspection) or _counts(inspection)


# --- Every entry, and the rows that it gives rise to -----------------------------------------------------


@dataclass(slots=True)
class _Page:
    """A page of entries, and the rows that there must be because of them."""

    at: str
    """When the last entry so far was recorded, on this page or ahead of it."""
    entries: list[Entry] = field(default_factory=list)
    """Those that are neither new people nor opt-outs."""
    events: dict[str, tuple[int, int]] = field(default_factory=dict)
    subjects: dict[int, str] = field(default_factory=dict)
    """Entry → the subject whom it is about, but for `subject.added`."""
    topics: dict[tuple[str, str, int], int] = field(default_factory=dict)
    commitments: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Entry → the commitment to its payload, and its subject."""
    misnamed: Bad | None = None


def _replay(inspection: Inspection) -> Bad | None:
    facts, at = inspection.facts, ""
    for first in range(0, facts.size, PAGE):
        end = min(first + PAGE, facts.size)
        with inspection.view() as connection:
            page = _read(inspection, connection, first, end, at)
            bad = page if isinstance(page, Bad) else _rows_of(inspection, connection, page, first, end)
        if bad is not None:
            return bad
        assert isinstance(page, _Page)
        at = page.at
        inspection.progress("replay", end, facts.size)
    with inspection.view() as connection:
        last_at = projections.last_at(connection, facts.size)
    if last_at is not None and at and last_at != moment(at):
        return Bad(facts.size - 1, "the head names another time than the last entry")
    return None


def _read(inspection: Inspection, connection: Connection, first: int, end: int, at: str) -> _Page | Bad:
    from suppress.ledger.inspection import leaves_between

    page = _Page(at)
    for seq, leaf in leaves_between(connection, first, end).items():
        glimpsed = glimpse(leaf) if seq > 0 else None
        if glimpsed is not None:
            id_, now = glimpsed.id, glimpsed.at
        else:
            try:
                entry = decode(seq, leaf)
            except NotCanonical as wrong:
                return Bad(seq, f"entry {seq} cannot be read: {wrong}")
            wrong_reference = problem(entry.body, seq)
            if wrong_reference is not None:
                return Bad(seq, f"entry {seq} cannot be right: {wrong_reference}")
            id_, now = entry.id, timestamp(entry.at)
        if now < page.at:
            return Bad(seq, f"entry {seq} is dated before the one ahead of it")
        if id_ in page.events:
            return Bad(seq, f"entry {seq} has the id of an earlier one")
        page.at = now
        page.events[id_] = (seq, mark(leaf_hash(leaf)))
        if glimpsed is not None:
            _expect_common(inspection, page, seq, glimpsed)
            continue
        _expect(inspection, page, entry)
        if isinstance(entry.body, (LogOpened, IndexKeyRotated)):
            bad = _committed(inspection, entry.seq, entry.body)
            if bad is not None:
                return bad
    return page


def _expect_common(inspection: Inspection, page: _Page, seq: int, told: Glimpse) -> None:
    """`_expect`, for a new person or an opt-out."""
    if told.type == SubjectAdded.type:
        _added(inspection, page, seq, told.id, told.subject)
    else:
        page.subjects[seq] = told.subject
        page.commitments[seq] = told.commitment, told.subject


def _added(inspection: Inspection, page: _Page, seq: int, id_: str, subject: str) -> None:
    inspection.facts.subjects += 1
    if subject != id_ and page.misnamed is None:
        page.misnamed = Bad(seq, f"entry {seq} adds a subject under another id than its own")


def _expect(inspection: Inspection, page: _Page, entry: Entry) -> None:
    body = entry.body
    page.entries.append(entry)
    topic = topic_of(body)
    if topic is not None:
        page.topics[*topic, entry.seq] = entry.seq
    if isinstance(body, Restored):
        inspection.facts.restored.append((entry.seq, body))
    if isinstance(body, SubjectAdded):
        _added(inspection, page, entry.seq, entry.id, body.subject)
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
        page.misnamed,
    ]
    return min((bad for bad in found if bad is not None), key=lambda bad: bad.seq or 0, default=None)


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
    return absent("about", expected, stored)


def _named(connection: Connection, page: _Page) -> dict[str, int]:
    """Subject → the entry with that id, for whom this page is about.

    Most were added on the page itself, and that their row of `event` is right is asked beside this.
    """
    here = {id_: seq for id_, (seq, _) in page.events.items()}
    elsewhere = set(page.subjects.values()) - here.keys()
    return here | projections.entries_by_id(connection, elsewhere)


def _wrong_topics(inspection: Inspection, connection: Connection, page: _Page) -> Bad | None:
    inspection.facts.topics += len(page.topics)
    named: dict[tuple[str, str], list[int]] = {}
    for type_, name, seq in page.topics:
        named.setdefault((type_, name), []).append(seq)
    stored: set[tuple[Any, ...]] = set()
    question = "SELECT type, name, seq FROM topic WHERE type = ? AND name = ? AND seq"
    for (type_, name), seqs in named.items():
        for chunk in chunks(seqs):
            stored.update(tuples_among(connection, question, type_, name, among=chunk))
    return absent("topic", page.topics, stored)


def absent(table: str, expected: Mapping[tuple[Any, ...], int], stored: set[tuple[Any, ...]]) -> Bad | None:
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
        if not is_bytes(salt, body) or payload_commitment(salt, body) != commitment:
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
            found = count(connection, table, column < facts.size)
            if found != expected:
                return Bad(None, f"table {table.name} has {found} rows where the entries make {expected}")
    return None


def count(connection: Connection, table: Table, where: ColumnElement[bool]) -> int:
    """How many rows of a table there are."""
    return int(connection.execute(select(func.count()).select_from(table).where(where)).scalar_one())


def is_bytes(*values: object) -> bool:
    """Whether these are exactly that; a changed file may hold anything."""
    return all(type(value) is bytes for value in values)
