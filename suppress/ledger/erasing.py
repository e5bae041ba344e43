"""Erase and forget: which rows go, and the entry that says so, in one transaction.

Rules kept here:

* *Erase* takes the payloads (address, evidence, salts) of every entry about a person and their rows in the
  alias index. What recognises them, the blind index and its salt, stays: they remain suppressed.
* *Forget* takes the subject row too. The same address is from then on an unknown one.
* Each payload that goes is named by an `erased` or `forgotten` entry of the same transaction. `verify` takes
  one that is missing without such an entry, or that is back in spite of one, for tampering.
* A person may be known under several index keys, as several subjects, and by digests of their address in
  partners' lists, each a subject of its own (`histories`); all of them are dealt with.
* Only what somebody has looked at is removed: a request that arrives meanwhile stops the erasure.
* What is gone from the tables is gone from the file too: `scrubbing`.

What becomes of a *new* request of an erased person is decided in `appending`. What outlives the database,
so that a restored backup cannot bring people back, is in `erasures`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, select

from suppress.core.address import Address
from suppress.core.entry import Erased, Forgotten, OptInRecorded, OptOutRecorded, SubjectAdded
from suppress.errors import BadUsage
from suppress.ledger import projections, scrubbing, tables
from suppress.ledger.appending import Plain, append
from suppress.ledger.engine import writing
from suppress.ledger.erasures import Gone, keep, records
from suppress.ledger.folding import annulled_by
from suppress.ledger.histories import Known, digest_keys, erased_with, known
from suppress.ledger.keyring import Keyring
from suppress.ledger.keys import raise_highwater, read_highwater
from suppress.ledger.place import Place, later_file, snapshot_file
from suppress.ledger.projections import chunks
from suppress.ledger.sealing import IndexKey, expressible, request_commitment
from suppress.ledger.values import Event


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why somebody is erased or forgotten. All of it but `request` is written into the ledger for good."""

    basis: str
    request: str | None = None
    """The request's own id, such as a ticket's number; only a commitment to it is written."""
    override: str = ""
    untold: tuple[str, ...] = ()
    """Destinations that had not honoured the person's opt-out, and in spite of which it is done."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was removed. All of it is empty for somebody whom the ledger does not know."""

    subjects: tuple[str, ...] = ()
    entries: tuple[int, ...] = ()
    """Those whose payload went now; none when it had gone before."""
    recorded: tuple[int, ...] = ()
    """The entries that say so; the newest earlier one when nothing was left to remove."""
    salts: tuple[str, ...] = ()
    """For each subject the salt (hex) that, with the request's id, opens the commitment in their entry."""


def run(
    engine: Engine,
    place: Place,
    ring: Keyring,
    address: Address,
    grounds: Grounds,
    *,
    forget: bool,
    seen: frozenset[int],
    actor: str,
    now: Callable[[], datetime],
) -> Erasure:
    """Erase or forget one person. Raises what `Ledger.erase` says."""
    with writing(engine, place) as connection:
        ring.follow(connection)
        named = known(connection, ring.index, [expressible(address.key)])
        digests = _digests(connection, ring.index, address, named, forget=forget)
        events = _remove(connection, ring.index[-1], named, digests, grounds, forget=forget, seen=seen)
        if events:
            scrubbing.mark(connection, place, always=forget)
        receipts, note = append(
            connection,
            [Plain(event) for event in events],
            keys=ring.index,
            actor=actor,
            now=now,
            signer=ring.signer(),
            highwater=read_highwater(ring.highwater),
        )
        people = [*named, *digests]
        kept = [gone for each in people if (gone := _gone(connection, each)) is not None]
        others = list(_forgotten(connection))
        unclean = scrubbing.is_marked(connection)
    raise_highwater(ring.highwater, note)
    for gone in (*kept, *others):
        keep(ring.folder, gone)
    if forget:
        snapshot = snapshot_file(place, ring.folder)
        for file in (snapshot, later_file(snapshot)):
            file.unlink(missing_ok=True)  # a hash of theirs is in it
    if unclean:
        scrubbing.write_anew(engine, place)
    newest = ring.index[-1]
    return Erasure(
        subjects=tuple(each.subject for each in people),
        entries=tuple(sorted(seq for event in events for seq in _named(event))),
        recorded=tuple(receipt.seq for receipt in receipts) or tuple(gone.record.seq for gone in kept),
        salts=tuple(newest.request_salt(each.subject).hex() for each in people),
    )


def held(connection: Connection, person: int) -> list[int]:
    """The entries about a person whose payload is there."""
    rows = connection.execute(
        select(tables.payload.c.seq)
        .join(tables.about, tables.about.c.seq == tables.payload.c.seq)
        .where(tables.about.c.person == person)
        .order_by(tables.payload.c.seq)
    )
    return [seq for (seq,) in rows]


def take_out(connection: Connection, subject: str, person: int, seqs: Sequence[int], *, forget: bool) -> None:
    """Delete payloads and alias rows of one person, and to forget them their subject row."""
    for chunk in chunks(seqs):
        connection.execute(delete(tables.payload).where(tables.payload.c.seq.in_(chunk)))
    connection.execute(delete(tables.alias).where(tables.alias.c.person == person))
    if forget:
        connection.execute(delete(tables.subject).where(tables.subject.c.id == subject))


def _digests(
    connection: Connection,
    keys: Sequence[IndexKey],
    address: Address,
    named: Sequence[Known],
    *,
    forget: bool,
) -> list[Known]:
    """The digests of this address in partners' lists; to forget them, also those that were erased before."""
    found = known(connection, keys, digest_keys(connection, address, named))
    if forget:
        found += erased_with(connection, {each.subject for each in named})
    return list({each.subject: each for each in found}.values())


def _remove(
    connection: Connection,
    key: IndexKey,
    named: Sequence[Known],
    digests: Sequence[Known],
    grounds: Grounds,
    *,
    forget: bool,
    seen: frozenset[int],
) -> list[Event]:
    """Delete the rows of these people; the entries to append in the same transaction."""
    events: list[Event] = []
    whose = named[0].subject if named else None
    for each in (*named, *digests):
        seqs = held(connection, each.person)
        if not seen.issuperset(seqs):
            raise BadUsage(
                "something about this person was recorded meanwhile; nothing was removed",
                remedy="run the same command again",
            )
        if seqs or forget:
            take_out(connection, each.subject, each.person, seqs, forget=forget)
            digest_of = whose if each in digests else None
            events += records(_body(key, each.subject, grounds, digest_of, forget=forget), seqs)
    return events


def _body(
    key: IndexKey, subject: str, grounds: Grounds, digest_of: str | None, *, forget: bool
) -> Erased | Forgotten:
    request = ""
    if grounds.request is not None:
        request = request_commitment(key.request_salt(subject), grounds.request)
    said = (expressible(grounds.basis), request, expressible(grounds.override), grounds.untold)
    return Forgotten(subject, (), *said) if forget else Erased(subject, (), *said, digest_of)


def _named(event: Event) -> Iterator[int]:
    assert isinstance(event.body, (Erased, Forgotten))
    yield from event.body.entries


def _gone(connection: Connection, each: Known) -> Gone | None:
    """What has to be kept outside the database about a person who was erased or forgotten; None if neither.

    For the erased that is their subject row and the entries that make them suppressed, so that a backup from
    before they were even known can be put back without losing their opt-out. Nothing of it is an address.
    """
    told = [
        seq for kind in (Erased, Forgotten) for seq in projections.topics(connection, kind.type, each.subject)
    ]
    if not told:
        return None
    record = projections.entry_at(connection, max(told))
    if isinstance(record.body, Forgotten):
        return Gone(record)
    history = projections.history_of(connection, each.person)
    annulled = annulled_by(history)
    # Who they are is no claim that a correction could take back: without it nothing else could be recorded.
    entries = tuple(
        entry
        for entry in history
        if isinstance(entry.body, SubjectAdded)
        or (isinstance(entry.body, (OptOutRecorded, OptInRecorded)) and entry.seq not in annulled)
    )
    return Gone(record, (each.key_id, each.blind_index, each.salt), entries)


def _forgotten(connection: Connection) -> Iterator[Gone]:
    """All who were forgotten: whoever repeats a command that was killed finds nobody to write a record of."""
    for seq in projections.topics(connection, Forgotten.type, None):
        yield Gone(projections.entry_at(connection, seq))
