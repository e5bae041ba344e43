"""Who is known by an address, and all that is recorded about them: by the address itself, and by its digests.

A digest in a partner's list is a person of its own to the ledger, because a list does not say whose it is.
Once somebody names the address, it is theirs: the digest of an address is personal data as the address is
(pseudonymous data, recital 26 GDPR). So whoever erases, forgets or shows a person looks for it here.

Rules kept here:

* A digest is looked for under every algorithm, every form that tells addresses apart, and what the ledger
  trusts besides: of each spelling of the person that is held, of the one that was given, of the match key.
* What was erased is not held any more, so a digest of another spelling does not follow from the address then.
  The entries of such an erasure name the person, and lead back to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from suppress.core.address import Address
from suppress.core.entry import Erased
from suppress.core.hashed import Recipe, every_hashed_key
from suppress.errors import LedgerDamaged
from suppress.ledger import projections, tables
from suppress.ledger.reading import decoded
from suppress.ledger.sealing import IndexKey, expressible
from suppress.ledger.sight import rules_of
from suppress.ledger.values import KnownDigest, Recorded


@dataclass(frozen=True, slots=True)
class Known:
    """A person under one index key: their row of `subject`, and the number by which projections know them."""

    subject: str
    person: int
    key_id: str
    blind_index: bytes
    salt: bytes


def known(connection: Connection, keys: Sequence[IndexKey], address_keys: Iterable[str]) -> list[Known]:
    """Everybody whom the ledger recognises by these keys: one person each, but for changes of the index key.

    Raises:
        LedgerDamaged: A subject row whose entry is not there.
    """
    column = tables.subject.c
    asked = list(address_keys)
    rows = [
        row
        for key in keys
        for chunk in projections.chunks(map(key.blind, asked))
        for row in connection.execute(
            select(column.id, column.key_id, column.blind_index, column.salt).where(
                column.key_id == key.id, column.blind_index.in_(chunk)
            )
        )
    ]
    return _numbered(connection, rows)


def digest_keys(connection: Connection, address: Address, people: Sequence[Known]) -> dict[str, Recipe]:
    """The hashed keys under which these people, who are known by this address, may stand in a list."""
    held = projections.spellings_of(connection, [each.person for each in people])
    spellings = dict.fromkeys((address.raw, *(spelling for _, _, _, spelling in held)))
    return every_hashed_key(address.key, spellings, rules_of(connection).recipes)


def erased_with(connection: Connection, subjects: Collection[str]) -> list[Known]:
    """The digests that were erased together with these people, whatever spelling they are of."""
    named = [f'"digest_of":"{subject}"'.encode() for subject in subjects]
    found: set[str] = set()
    for chunk in projections.chunks(projections.topics(connection, Erased.type, None) if named else ()):
        for seq, leaf in connection.execute(
            select(tables.ledger.c.seq, tables.ledger.c.leaf).where(tables.ledger.c.seq.in_(chunk))
        ):
            if any(each in leaf for each in named):
                body = decoded(seq, leaf).body
                assert isinstance(body, Erased), "the ledger's index is by type"
                found.add(body.subject)
    column = tables.subject.c
    rows = [
        row
        for chunk in projections.chunks(sorted(found))
        for row in connection.execute(
            select(column.id, column.key_id, column.blind_index, column.salt).where(column.id.in_(chunk))
        )
    ]
    return _numbered(connection, rows)


def recorded(connection: Connection, person: int) -> list[Recorded]:
    """Every entry about a person, in order, with payloads."""
    entries = projections.history_of(connection, person)
    payloads = projections.payloads(connection, [entry.seq for entry in entries])
    return [Recorded(entry, payloads.get(entry.seq)) for entry in entries]


def digests(connection: Connection, keys: Sequence[IndexKey], address: Address) -> tuple[KnownDigest, ...]:
    """What partners' lists say of an address by its digest, in the order of the ledger."""
    people = known(connection, keys, [expressible(address.key)])
    hashed = digest_keys(connection, address, people)
    trusted = rules_of(connection).recipes
    recipes = {key.blind(each): recipe for key in keys for each, recipe in hashed.items()}
    found = sorted(known(connection, keys, hashed), key=lambda each: each.person)
    return tuple(
        KnownDigest(
            recipes[each.blind_index],
            recipes[each.blind_index] in trusted,
            tuple(recorded(connection, each.person)),
        )
        for each in found
    )


def _numbered(connection: Connection, rows: Sequence[tuple[str, str, bytes, bytes]]) -> list[Known]:
    people = projections.entries_by_id(connection, [row[0] for row in rows])
    if any(row[0] not in people for row in rows):
        raise LedgerDamaged("a person's row in the ledger names an entry that is not there")
    return [Known(id_, people[id_], key_id, bytes(index), bytes(salt)) for id_, key_id, index, salt in rows]
