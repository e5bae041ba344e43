"""The six steps of an append, for a whole batch in one transaction.

1. Begin, as the only writer.
2. Read the head.
3. Check that its frontier hashes to the root in its signed note, and that the high-water mark outside the
   database is not ahead of it. Otherwise refuse: nothing is signed over damage.
4. For each event: if its id is there, give the old receipt; else stamp `at`, encode, hash, push.
5. Insert leaves, payloads and subjects, read the leaves back, update projections, sign the new head. Commit.
6. Only now may the signed note leave: write the high-water mark, hand out receipts. A note that escaped
   from a transaction that rolled back would be a fork of our own making.

Everything that needs no lock (blind indexes, payload bodies, text that has to be escaped) is done before
step 1, so that the write lock is held briefly.

The same facts are recorded once, and again where they bring a spelling of the person that is not on record:
a destination that compares bytes has to be told each (`suppress.core.spelling`).

A person who was erased stays erased: a new request or drift of theirs is recorded like any other, and
nothing of it is kept beside the leaf. Only a consent, by which they give us their address anew, ends that.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from itertools import count
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import Connection, select, update

from suppress.core.aliases import alias_of
from suppress.core.canonical import NotCanonical, timestamp
from suppress.core.entry import (
    Body,
    Corrected,
    DriftFound,
    Entry,
    Erased,
    Forgotten,
    OptInRecorded,
    OptOutRecorded,
    SubjectAdded,
    WaiverRecorded,
)
from suppress.core.leaf import encode
from suppress.core.merkle import leaf_hash
from suppress.core.spelling import bare, comparable
from suppress.core.standing import Standing
from suppress.core.suppression import Consent, Drift, OptOut, Waiver
from suppress.errors import BadUsage, LedgerDamaged
from suppress.ledger import projections, tables
from suppress.ledger.engine import insert_rows
from suppress.ledger.erasures import records
from suppress.ledger.folding import after
from suppress.ledger.heads import Signer, Tip, read_tip
from suppress.ledger.references import OURS, problem
from suppress.ledger.sealing import (
    SALT,
    IndexKey,
    event_id,
    expressible,
    facts_of,
    mark,
    payload_body,
    payload_commitment,
    subject_commitment,
    utc,
)
from suppress.ledger.values import Event, Receipt

About: TypeAlias = OptOut | Consent | Drift | Waiver
"""What is told about a person."""

Told: TypeAlias = About | Event

NOTHING = b""
"""What the leaf of an erased person's new request commits to."""


@dataclass(frozen=True, slots=True)
class Personal:
    """An event about a person, made ready outside the lock."""

    told: About
    key: str
    spelling: str
    """The address as destinations compare it."""
    indexes: tuple[bytes, ...]
    """The blind index under every live key, newest key last."""
    facts: tuple[str, ...]
    body: bytes
    salt: bytes


@dataclass(frozen=True, slots=True)
class Plain:
    """An event without a person, made ready outside the lock."""

    event: Event


Prepared: TypeAlias = Personal | Plain


def prepare(told: Sequence[Told], keys: Sequence[IndexKey]) -> list[Prepared]:
    """All that can be computed before the ledger is locked.

    Raises:
        BadUsage: An event that only the ledger itself may write.
    """
    return [_prepared(each, keys) for each in told]


def _prepared(told: Told, keys: Sequence[IndexKey]) -> Prepared:
    if isinstance(told, Event):
        if isinstance(told.body, OURS):
            raise BadUsage(f"an entry of type {told.body.type} is written by the ledger itself")
        return Plain(Event(expressible(told.id), told.body))
    key = expressible(told.address.key)
    evidence = told.evidence
    if isinstance(told, Consent) and told.approver is not None:
        evidence = {**evidence, "approver": told.approver}
    return Personal(
        told,
        key,
        comparable(bare(expressible(told.address.raw), key)),
        tuple(each.blind(key) for each in keys),
        facts_of(told),
        payload_body(told.address.raw, key, evidence),
        secrets.token_bytes(SALT),
    )


@dataclass(slots=True)
class Batch:
    """One append under the lock: what was read from the ledger, and what will be written to it."""

    connection: Connection
    tip: Tip
    keys: Sequence[IndexKey]
    at: datetime
    actor: str
    subjects: dict[bytes, str] = field(default_factory=dict)
    """Blind index under the newest key → subject id."""
    key_of: dict[str, IndexKey] = field(default_factory=dict)
    """Subject id → the key under which an earlier batch indexed them."""
    known: dict[str, int] = field(default_factory=dict)
    """Event id → entry, for those in the ledger or in this batch."""
    standings: dict[int, Standing] = field(default_factory=dict)
    """Person → standing, for everybody whom this batch is about."""
    changed: set[int] = field(default_factory=set)
    """People whose standing this batch changes."""
    spellings: dict[str, set[str]] = field(default_factory=dict)
    """Subject → their spellings on record, for those of whom known facts are told again."""
    spoken: set[tuple[str, str]] = field(default_factory=set)
    """Subject and spelling of each payload of this batch."""
    erased: set[str] = field(default_factory=set)
    """Subjects who were erased and have not consented since."""
    blank: dict[str, list[int]] = field(default_factory=dict)
    """Subject → entries of this batch about somebody erased, of which no payload is kept."""
    later_about: list[Entry] = field(default_factory=list)
    """Entries that are about somebody by what they name, which is looked up once the leaves are in."""
    leaves: list[tuple[int, bytes]] = field(default_factory=list)
    payloads: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    new_subjects: list[tuple[str, str, bytes, bytes]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    """The id of each leaf."""
    abouts: list[tuple[int, int]] = field(default_factory=list)
    aliases: list[tuple[str, bytes, int]] = field(default_factory=list)
    topics: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def next_seq(self) -> int:
        return self.tip.size + len(self.leaves)


def append(
    connection: Connection,
    prepared: Sequence[Prepared],
    *,
    keys: Sequence[IndexKey],
    actor: str,
    now: Callable[[], datetime],
    signer: Signer,
    highwater: str | None,
) -> tuple[tuple[Receipt, ...], str]:
    """Steps 2 to 5, inside a write transaction. Returns the receipts and the new head's note."""
    tip = read_tip(connection)
    signer.require_sound(tip, highwater)
    at = max(now().astimezone(UTC), tip.last_at)
    batch = Batch(connection, tip, keys, at, expressible(actor))
    _recall(batch, prepared)
    receipts = tuple(_place(batch, each) for each in prepared)
    if not batch.leaves:
        return receipts, tip.note
    _erase_blanks(batch)
    return receipts, _write(batch, signer)


def _recall(batch: Batch, prepared: Sequence[Prepared]) -> None:
    """Read all that the ledger already knows about these events, in few statements."""
    personal = [each for each in prepared if isinstance(each, Personal)]
    for place, key in enumerate(batch.keys):
        wanted = {each.indexes[place]: each.indexes[-1] for each in personal}
        found = projections.subjects_of(batch.connection, key, wanted)
        batch.subjects.update((wanted[index], subject) for index, subject in found.items())
        batch.key_of.update(dict.fromkeys(found.values(), key))
    ids = {each.event.id for each in prepared if isinstance(each, Plain)}
    told: dict[str, str] = {}
    for each in personal:
        if subject := batch.subjects.get(each.indexes[-1]):
            told[event_id(subject, _kind(each.told), each.facts)] = subject
    batch.known = projections.entries_by_id(batch.connection, {*ids, *told, *told.values()})
    people: dict[int, str] = {}
    for subject in batch.subjects.values():
        if subject not in batch.known:
            raise LedgerDamaged("a person's row in the ledger names an entry that is not there")
        people[batch.known[subject]] = subject
    batch.standings = projections.standings_of(batch.connection, people)
    _recall_spellings(batch, {told[id_] for id_ in told.keys() & batch.known.keys()})
    erased = projections.subjects_with(batch.connection, Erased.type, batch.subjects.values())
    holding = projections.holding(batch.connection, [batch.known[subject] for subject in erased])
    batch.erased = {subject for subject in erased if batch.known[subject] not in holding}


def _recall_spellings(batch: Batch, subjects: Iterable[str]) -> None:
    people = {batch.known[subject]: subject for subject in subjects}
    batch.spellings.update((subject, set()) for subject in people.values())
    for person, _, key, address in projections.spellings_of(batch.connection, people):
        batch.spellings[people[person]].add(comparable(bare(address, key)))


def _kind(told: About) -> str:
    match told:
        case OptOut():
            return OptOutRecorded.type
        case Consent():
            return OptInRecorded.type
        case Drift():
            return DriftFound.type
        case Waiver():
            return WaiverRecorded.type


def _place(batch: Batch, prepared: Prepared) -> Receipt:
    match prepared:
        case Plain(event):
            return _place_plain(batch, event)
        case Personal():
            return _place_personal(batch, prepared)


def _place_plain(batch: Batch, event: Event) -> Receipt:
    if event.id in batch.known:
        return Receipt(batch.known[event.id], event.id, new=False)
    wrong = problem(event.body, batch.next_seq)
    if wrong is not None:
        raise BadUsage(f"an entry of type {event.body.type} that cannot be right: {wrong}")
    entry = _add(batch, event.id, event.body)
    if isinstance(event.body, (Corrected, Erased, Forgotten, OptOutRecorded, OptInRecorded)):
        batch.later_about.append(entry)
    return Receipt(entry.seq, event.id, new=True)


def _place_personal(batch: Batch, event: Personal) -> Receipt:
    subject = batch.subjects.get(event.indexes[-1])
    if subject is None:
        subject = _add_person(batch, event)
    id_ = event_id(subject, _kind(event.told), event.facts)
    if id_ in batch.known:
        if not _brings_spelling(batch, subject, event):
            return Receipt(batch.known[id_], id_, new=False)
        id_ = _id_of_spelling(batch, subject, event)
    person, blank = batch.known[subject], subject in batch.erased and not isinstance(event.told, Consent)
    pii = payload_commitment(event.salt, NOTHING if blank else event.body)
    entry = _add(batch, id_, _body(event.told, subject, pii))
    if blank:
        batch.blank.setdefault(subject, []).append(entry.seq)
    else:
        batch.payloads.append((entry.seq, event.salt, event.body))
        batch.spoken.add((subject, event.spelling))
    if subject in batch.erased and not blank:
        # Their alias went with their address; now that the address is held again, it is indexed again.
        batch.erased.remove(subject)
        row = _alias_row(batch.key_of[subject], event.key, person)
        if row is not None and not projections.has_alias(batch.connection, row):
            batch.aliases.append(row)
    batch.abouts.append((person, entry.seq))
    standing = after(batch.standings[person], entry)
    if standing != batch.standings[person]:
        batch.standings[person] = standing
        batch.changed.add(person)
    return Receipt(entry.seq, id_, new=True)


def _brings_spelling(batch: Batch, subject: str, event: Personal) -> bool:
    """Whether known facts come with a spelling that is not on record. Of the erased none is kept."""
    if (
        not isinstance(event.told, (OptOut, Drift))
        or subject in batch.erased
        or (subject, event.spelling) in batch.spoken
    ):
        return False
    if subject not in batch.spellings and batch.known[subject] < batch.tip.size:
        _recall_spellings(batch, [subject])
    return event.spelling not in batch.spellings.get(subject, ())


def _id_of_spelling(batch: Batch, subject: str, event: Personal) -> str:
    """The first free id of these facts in another spelling; the spelling itself could be guessed from it."""
    for number in count(1):
        id_ = event_id(subject, _kind(event.told), (*event.facts, "spelling", str(number)))
        batch.known.update(projections.entries_by_id(batch.connection, [id_]))
        if id_ not in batch.known:
            break
    return id_


def _erase_blanks(batch: Batch) -> None:
    """What `verify` asks for where a payload is missing: the erasure goes on, on its old grounds."""
    for subject, seqs in batch.blank.items():
        newest = projections.topics(batch.connection, Erased.type, subject)[0]
        erasure = projections.entry_at(batch.connection, newest).body
        assert isinstance(erasure, Erased)
        for event in records(replace(erasure, override="", untold=()), seqs):
            _place_plain(batch, event)


def _add_person(batch: Batch, event: Personal) -> str:
    key, index = batch.keys[-1], event.indexes[-1]
    subject, salt = secrets.token_hex(16), secrets.token_bytes(SALT)
    # The subject's id, being random and unique, is the idempotency key of its own entry too.
    entry = _add(batch, subject, SubjectAdded(subject, subject_commitment(salt, key.id, index)))
    batch.subjects[index] = subject
    batch.new_subjects.append((subject, key.id, index, salt))
    batch.standings[entry.seq] = Standing(subject)
    row = _alias_row(key, event.key, entry.seq)
    if row is not None:
        batch.aliases.append(row)
    return subject


def _alias_row(key: IndexKey, address_key: str, person: int) -> tuple[str, bytes, int] | None:
    alias = alias_of(address_key)
    return None if alias is None else (key.id, key.blind_alias(alias.key), person)


def _body(told: About, subject: str, pii: str) -> Body:
    match told:
        case OptOut():
            return OptOutRecorded(
                subject=subject,
                channel=told.channel,
                scope=told.scope,
                reason=told.reason,
                source=expressible(told.source),
                origin=told.origin,
                occurred_at=utc(told.occurred_at),
                received_at=utc(told.received_at),
                visibility=told.visibility,
                pii=pii,
            )
        case Consent():
            when = utc(told.occurred_at)
            if when is None:
                raise BadUsage("a consent's date is outside the calendar")
            approver = None if told.approver is None else expressible(told.approver)
            return OptInRecorded(
                subject, told.channel, told.scope, expressible(told.source), when, pii, approver, told.digest
            )
        case Drift():
            return DriftFound(
                subject,
                told.channel,
                expressible(told.source),
                expressible(told.observed),
                utc(told.since),
                pii,
                patrol=told.patrol or None,
            )
        case Waiver():
            until = utc(told.until)
            if until is None:
                raise BadUsage("a waiver's last day is outside the calendar")
            return WaiverRecorded(subject, told.channel, expressible(told.purpose), until, pii)


def _add(batch: Batch, id_: str, body: Body) -> Entry:
    seq = batch.next_seq
    try:
        leaf = encode(id_=id_, at=batch.at, actor=batch.actor, body=body)
    except NotCanonical:
        body = _escaped(body)
        try:
            leaf = encode(id_=id_, at=batch.at, actor=batch.actor, body=body)
        except NotCanonical as wrong:
            raise BadUsage(f"an entry of type {body.type} cannot be written: {wrong}") from wrong
    batch.leaves.append((seq, leaf))
    batch.ids.append(id_)
    batch.known[id_] = seq
    topic = projections.topic_of(body)
    if topic is not None:
        batch.topics.append((*topic, seq))
    return Entry(seq, id_, batch.at, batch.actor, body, leaf)


def _escaped(body: Body) -> Body:
    """`body` with its texts made expressible."""
    texts: dict[str, Any] = {
        each.name: expressible(text) for each in fields(body) if type(text := getattr(body, each.name)) is str
    }
    return replace(body, **texts)


def _write(batch: Batch, signer: Signer) -> str:
    connection = batch.connection
    insert_rows(connection, tables.ledger, ("seq", "leaf"), batch.leaves)
    insert_rows(connection, tables.payload, ("seq", "salt", "body"), batch.payloads)
    # Random keys in their order: each page of a large index is touched once, not once a row.
    batch.new_subjects.sort(key=itemgetter(1, 2))
    insert_rows(connection, tables.subject, ("id", "key_id", "blind_index", "salt"), batch.new_subjects)
    hashes = _hashes_from_disk(batch)
    _project(batch, hashes)
    tree = batch.tip.tree
    tree.extend(hashes)
    note = signer.sign(tree)
    connection.execute(
        update(tables.head).values(
            size=tree.size,
            frontier=b"".join(tree.hashes),
            last_at=timestamp(batch.at),
            note=note.encode(),
        )
    )
    if batch.at.date() > batch.tip.last_at.date():
        insert_rows(connection, tables.checkpoint, ("size", "note"), [(tree.size, note.encode())])
    return note


def _project(batch: Batch, hashes: Sequence[bytes]) -> None:
    connection = batch.connection
    events = [
        (id_, seq, mark(hashed))
        for id_, (seq, _), hashed in zip(batch.ids, batch.leaves, hashes, strict=True)
    ]
    insert_rows(connection, tables.event, ("id", "seq", "mark"), sorted(events))
    corrected: set[int] = set()
    for entry in batch.later_about:
        person = projections.person_of(connection, entry.seq)
        if person is not None:
            batch.abouts.append((person, entry.seq))
            corrected.add(person)
    insert_rows(connection, tables.about, ("person", "seq"), batch.abouts)
    insert_rows(connection, tables.alias, ("key_id", "alias_index", "person"), sorted(batch.aliases))
    insert_rows(connection, tables.topic, ("type", "name", "seq"), batch.topics)
    changed = {person: batch.standings[person] for person in batch.changed}
    changed.update((person, projections.replayed(connection, person)) for person in corrected)
    known = [person for person in changed if person < batch.tip.size]
    projections.replace_standings(connection, known, changed)


def _hashes_from_disk(batch: Batch) -> list[bytes]:
    """The hashes of the new leaves, as the database gives them back.

    One flipped bit between memory and the table, hashed from memory, would be signed for good: that ended
    real transparency logs (Yeti 2022, Nessie 2024).
    """
    stored = batch.connection.execute(
        select(tables.ledger.c.seq, tables.ledger.c.leaf)
        .where(tables.ledger.c.seq >= batch.tip.size)
        .order_by(tables.ledger.c.seq)
    ).all()
    if len(stored) != len(batch.leaves):
        raise LedgerDamaged("the database did not keep all entries of the append")
    hashes = []
    for (seq, leaf), ours in zip(stored, batch.leaves, strict=True):
        if (seq, leaf) != ours:
            raise LedgerDamaged(f"the database did not keep entry {ours[0]} as it was written")
        hashes.append(leaf_hash(leaf))
    return hashes
