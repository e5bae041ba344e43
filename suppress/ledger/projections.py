"""What queries need, kept in the append transaction: read for an append, changed by it, written back.

Reading is in chunks of one IN list each, writing is one
bulk insert per table, so that a batch of thousands costs few statements. Everything here can be rebuilt by
replaying the leaves (`inspection` does so in `suppress verify`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, delete, func, or_, select, tuple_

from suppress.core.batches import batched
from suppress.core.canonical import moment
from suppress.core.entry import (
    Body,
    Corrected,
    DestinationChanged,
    Disclosed,
    DomainLifted,
    DomainSuppressed,
    Entry,
    Erased,
    Forgotten,
    HashesTrusted,
    Honoured,
    ImportDone,
    PatrolDone,
    SyncDone,
    WaiverRecorded,
)
from suppress.core.standing import Standing
from suppress.core.suppression import Json
from suppress.errors import LedgerDamaged
from suppress.ledger import tables
from suppress.ledger.engine import CHUNK, insert_rows, tuples, tuples_among
from suppress.ledger.folding import standing_of
from suppress.ledger.reading import decoded
from suppress.ledger.rows import Row, row_of_lift, row_of_suppression, standing_from
from suppress.ledger.sealing import IndexKey, read_payload

T = TypeVar("T")

_HELD = "SELECT about.person, about.seq FROM about JOIN payload ON payload.seq = about.seq WHERE about.person"
"""Person and entry of every payload of people."""


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """`values` in lists as long as one question to the database may be."""
    return batched(values, CHUNK)


def topic_of(body: Body) -> tuple[str, str] | None:
    """Under which type and name an entry is indexed; None for entries that are found through a person."""
    match body:
        case SyncDone() | ImportDone() | HashesTrusted():
            return body.type, body.source
        case DomainSuppressed() | DomainLifted():
            return body.type, body.domain
        case DestinationChanged() | Disclosed() | Honoured() | PatrolDone():
            return body.type, body.destination
        case Corrected():
            return body.type, str(body.entry)
        case Erased() | Forgotten() | WaiverRecorded():
            return body.type, body.subject
        case _ if hasattr(body, "subject"):
            return None
        case _:
            return body.type, ""


def subjects_of(connection: Connection, key: IndexKey, indexes: Iterable[bytes]) -> dict[bytes, str]:
    """Blind index → subject id, for those that the ledger has under this key."""
    found: dict[bytes, str] = {}
    for chunk in chunks(indexes):
        rows = connection.execute(
            select(tables.subject.c.blind_index, tables.subject.c.id).where(
                tables.subject.c.key_id == key.id, tables.subject.c.blind_index.in_(chunk)
            )
        )
        found.update((index, id_) for index, id_ in rows.all())
    return found


def entries_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, int]:
    """Event id → sequence number, for those that the ledger has."""
    found: dict[str, int] = {}
    for chunk in chunks(ids):
        found.update(tuples_among(connection, "SELECT id, seq FROM event WHERE id", among=chunk))
    return found


def standings_of(connection: Connection, people: Mapping[int, str]) -> dict[int, Standing]:
    """Person → standing, for every person given (with their subject id)."""
    suppressions: dict[int, list[Row]] = {}
    lifts: dict[int, list[Row]] = {}
    for chunk in chunks(people):
        for person, *row in connection.execute(
            select(tables.standing).where(tables.standing.c.person.in_(chunk))
        ).all():
            suppressions.setdefault(person, []).append(row)
        for person, *row in connection.execute(
            select(tables.lift).where(tables.lift.c.person.in_(chunk))
        ).all():
            lifts.setdefault(person, []).append(row)
    return {
        person: standing_from(subject, suppressions.get(person, ()), lifts.get(person, ()))
        for person, subject in people.items()
    }


def replace_standings(connection: Connection, known: Iterable[int], now: Mapping[int, Standing]) -> None:
    """Write standings; those of `known` people, who may have rows already, are taken out first."""
    for chunk in chunks(known):
        connection.execute(delete(tables.standing).where(tables.standing.c.person.in_(chunk)))
        connection.execute(delete(tables.lift).where(tables.lift.c.person.in_(chunk)))
    rows = [
        row_of_suppression(person, each) for person, standing in now.items() for each in standing.suppressions
    ]
    insert_rows(connection, tables.standing, tables.standing.columns.keys(), rows)
    lifts = [row_of_lift(person, each) for person, standing in now.items() for each in standing.lifts]
    insert_rows(connection, tables.lift, tables.lift.columns.keys(), lifts)


def payload_at(connection: Connection, seq: int) -> Mapping[str, Json] | None:
    """The payload of the entry at `seq`, None if none is held."""
    body = connection.execute(
        select(tables.payload.c.body).where(tables.payload.c.seq == seq)
    ).scalar_one_or_none()
    return None if body is None else readable(seq, body)


def entry_at(connection: Connection, seq: int) -> Entry:
    """The entry at `seq`.

    Raises:
        LedgerDamaged: It is missing or cannot be read.
    """
    leaf = connection.execute(
        select(tables.ledger.c.leaf).where(tables.ledger.c.seq == seq)
    ).scalar_one_or_none()
    if leaf is None:
        raise LedgerDamaged(f"entry {seq} is missing")
    return decoded(seq, leaf)


def person_of(connection: Connection, seq: int) -> int | None:
    """The person whom an entry is about, through corrections of corrections; None for any other entry."""
    entry = entry_at(connection, seq)
    while isinstance(entry.body, Corrected):
        entry = entry_at(connection, entry.body.entry)
    subject = getattr(entry.body, "subject", None)
    return entries_by_id(connection, [subject]).get(subject) if isinstance(subject, str) else None


def first_payloads(connection: Connection, people: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Person → match key and address as it was first spelled, for those whose address is held.

    Raises:
        LedgerDamaged: A payload cannot be read.
    """
    found = {}
    for chunk in chunks(people):
        held = tuples_among(connection, _HELD, among=chunk)
        first: dict[int, int] = {}
        for person, seq in held:
            first[person] = min(seq, first.get(person, seq))
        bodies = dict(
            tuples_among(connection, "SELECT seq, body FROM payload WHERE seq", among=list(first.values()))
        )
        for person, seq in first.items():
            payload = readable(seq, bodies[seq])
            found[person] = str(payload.get("key")), str(payload.get("address"))
    return found


def spellings_of(connection: Connection, people: Iterable[int]) -> Iterator[tuple[int, int, str, str]]:
    """Person, entry, match key and address of each payload that is held, in the order of the ledger.

    Raises:
        LedgerDamaged: A payload cannot be read.
    """
    for chunk in chunks(people):
        rows = connection.execute(
            select(tables.about.c.person, tables.payload.c.seq, tables.payload.c.body)
            .join(tables.payload, tables.payload.c.seq == tables.about.c.seq)
            .where(tables.about.c.person.in_(chunk))
            .order_by(tables.about.c.person, tables.about.c.seq)
        )
        for person, seq, body in rows:
            payload = readable(seq, body)
            yield person, seq, str(payload.get("key")), str(payload.get("address"))


def holding(connection: Connection, people: Iterable[int]) -> set[int]:
    """Those of these people of whom any payload is held."""
    found: set[int] = set()
    for chunk in chunks(people):
        rows = connection.execute(
            select(tables.about.c.person)
            .join(tables.payload, tables.payload.c.seq == tables.about.c.seq)
            .where(tables.about.c.person.in_(chunk))
            .distinct()
        )
        found.update(person for (person,) in rows.all())
    return found


def people_after(connection: Connection, last: int, limit: int) -> list[int]:
    """The next people who have entries, in the order of the ledger."""
    person = tables.about.c.person
    rows = connection.execute(select(person).where(person > last).distinct().order_by(person).limit(limit))
    return [found for (found,) in rows]


def subjects_after(
    connection: Connection, last: tuple[str, bytes], limit: int
) -> Sequence[tuple[str, bytes, str, bytes]]:
    """The next subject rows (key id, blind index, id, salt) in the order of their primary key."""
    return tuples(
        connection,
        "SELECT key_id, blind_index, id, salt FROM subject WHERE (key_id, blind_index) > (?, ?) "
        "ORDER BY key_id, blind_index LIMIT ?",
        *last,
        limit,
    )


def readable(seq: int, body: bytes) -> Mapping[str, Json]:
    """The payload of entry `seq`. Raises `LedgerDamaged`."""
    try:
        return read_payload(body)
    except (ValueError, TypeError, RecursionError) as wrong:
        raise LedgerDamaged(f"the payload of entry {seq} cannot be read") from wrong


def payloads(connection: Connection, seqs: Iterable[int]) -> dict[int, Mapping[str, Json]]:
    """The payloads of these entries, of those that have one. Raises `LedgerDamaged`."""
    found = {}
    for chunk in chunks(seqs):
        for seq, body in tuples_among(connection, "SELECT seq, body FROM payload WHERE seq", among=chunk):
            found[seq] = readable(seq, body)
    return found


def last_at(connection: Connection, size: int) -> datetime | None:
    """When the head says that its last entry was recorded; None when its size is no longer `size`."""
    row = connection.execute(
        select(tables.head.c.last_at).where(tables.head.c.size == size)
    ).scalar_one_or_none()
    return None if row is None else moment(row)


def first_without_subject(connection: Connection) -> int | None:
    """The first person who has entries and neither a subject row nor a record of being forgotten."""
    gone = select(tables.topic.c.seq).where(
        tables.topic.c.type == Forgotten.type, tables.topic.c.name == tables.event.c.id
    )
    return connection.execute(
        select(func.min(tables.event.c.seq))
        .join(tables.about, tables.about.c.person == tables.event.c.seq)
        .outerjoin(tables.subject, tables.subject.c.id == tables.event.c.id)
        .where(tables.subject.c.id.is_(None), ~gone.exists())
    ).scalar_one_or_none()


def history_of(connection: Connection, person: int) -> list[Entry]:
    """Every entry about a person, in order, their `subject.added` first."""
    later = select(tables.about.c.seq).where(tables.about.c.person == person)
    rows = connection.execute(
        select(tables.ledger.c.seq, tables.ledger.c.leaf)
        .where(or_(tables.ledger.c.seq == person, tables.ledger.c.seq.in_(later)))
        .order_by(tables.ledger.c.seq)
    )
    return [decoded(seq, leaf) for seq, leaf in rows.all()]


def about_people(connection: Connection, subjects: Iterable[str]) -> Iterator[Entry]:
    """Every entry about these subjects, their `subject.added` first, in few statements."""
    for people in chunks(entries_by_id(connection, subjects).values()):
        about = select(tables.about.c.seq).where(tables.about.c.person.in_(people))
        rows = connection.execute(
            select(tables.ledger.c.seq, tables.ledger.c.leaf)
            .where(or_(tables.ledger.c.seq.in_(people), tables.ledger.c.seq.in_(about)))
            .order_by(tables.ledger.c.seq)
        )
        yield from (decoded(seq, leaf) for seq, leaf in rows)


def replayed(connection: Connection, person: int) -> Standing:
    """A person's standing folded anew from all their entries."""
    return standing_of("", history_of(connection, person))


def topics(connection: Connection, type_: str, name: str | None) -> list[int]:
    """The entries of a type about a name, or about any, newest first."""
    query = select(tables.topic.c.seq).where(tables.topic.c.type == type_)
    if name is not None:
        query = query.where(tables.topic.c.name == name)
    return [seq for (seq,) in connection.execute(query.order_by(tables.topic.c.seq.desc()))]


def subjects_with(connection: Connection, type_: str, subjects: Iterable[str]) -> set[str]:
    """Those of `subjects` about whom there is an entry of this type."""
    found: set[str] = set()
    for chunk in chunks(subjects):
        rows = connection.execute(
            select(tables.topic.c.name).where(tables.topic.c.type == type_, tables.topic.c.name.in_(chunk))
        )
        found.update(name for (name,) in rows)
    return found


def has_alias(connection: Connection, row: tuple[str, bytes, int]) -> bool:
    """Whether this row of `alias` is there."""
    found = select(tables.alias.c.person).where(tuple_(*tables.alias.primary_key.columns) == tuple_(*row))
    return connection.execute(found).first() is not None


def is_annulled(connection: Connection, seq: int) -> bool:
    """Whether a correction that itself still counts names this entry."""
    return any(
        not is_annulled(connection, correction) for correction in topics(connection, Corrected.type, str(seq))
    )


def struck_out(connection: Connection, seqs: Iterable[int]) -> dict[int, int]:
    """Of these entries those that no longer count, each with the first correction that still does."""
    found: dict[int, int] = {}
    for chunk in chunks(map(str, seqs)):
        rows = connection.execute(
            select(tables.topic.c.name, tables.topic.c.seq)
            .where(tables.topic.c.type == Corrected.type, tables.topic.c.name.in_(chunk))
            .order_by(tables.topic.c.seq)
        ).all()
        for name, correction in rows:
            if int(name) not in found and not is_annulled(connection, correction):
                found[int(name)] = correction
    return found
