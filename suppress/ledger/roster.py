"""`Roster`: everybody whom a check can recognise, for the snapshot of its fast engine.

Rules kept here:

* Who is on it is who `Lookup` finds: the rows of `subject`. A match key is given only where its blind index
  is the one in that row, so that whoever looks for the key instead finds the same person.
* Of a person whose address is not held (erased, or of an entry that cannot be read) only the blind index is
  given. They can be recognised by no cheaper means than one keyed hash for each address.
* It is read in pages and short transactions, so that building a snapshot does not hold up a writer. What is
  recorded meanwhile is found by `touched`, from the position that was read first.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from suppress.core.canonical import moment
from suppress.core.entry import Corrected
from suppress.core.merkle import leaf_hash
from suppress.errors import LedgerDamaged
from suppress.ledger.reader import Reader
from suppress.ledger.reading import decoded
from suppress.ledger.sealing import IndexKey, expressible, read_payload

PAGE = 2_000
"""People, or entries, in one read transaction."""

# Any payload of a person will do, as all are indexed by one key; the first is the cheapest to find.
_EVERYONE = (
    "SELECT subject.key_id, subject.blind_index, event.seq, ("
    "SELECT payload.body FROM about JOIN payload ON payload.seq = about.seq "
    "WHERE about.person = event.seq ORDER BY about.seq LIMIT 1) "
    "FROM subject LEFT JOIN event ON event.id = subject.id "
    "WHERE (subject.key_id, subject.blind_index) > (?, ?) "
    "ORDER BY subject.key_id, subject.blind_index LIMIT ?"
)
_PERSON = (
    "SELECT event.seq, ("
    "SELECT payload.body FROM about JOIN payload ON payload.seq = about.seq "
    "WHERE about.person = event.seq ORDER BY about.seq LIMIT 1) "
    "FROM event WHERE event.id = ?"
)
_STANDINGS = "SELECT person, channel, scope, reason, source, since, seq FROM standing WHERE person IN ({})"
_LIFTED = "SELECT person FROM lift WHERE person IN ({})"
_OWNER = "SELECT id FROM subject WHERE key_id = ? AND blind_index = ?"
_INDEXES = "SELECT id, key_id, blind_index FROM subject WHERE id IN ({})"
_LEAVES = "SELECT seq, leaf FROM ledger WHERE seq >= ? AND seq < ? ORDER BY seq"
_POSITION = (
    "SELECT size, note, (SELECT leaf FROM ledger WHERE seq = size - 1), (SELECT count(*) FROM subject), "
    "(SELECT count(*) FROM alias), (SELECT version FROM built WHERE name = 'alias') FROM head"
)


class Position(NamedTuple):
    """How far a ledger goes, and how many people it can recognise there."""

    size: int
    note: str
    """The signed head."""
    last: str
    """The hash of the last entry's leaf, in hex. Two histories that part do not meet again in one entry."""
    people: int
    aliases: int
    alias_rules: int
    """The version of the provider table by which the ledger indexes aliases."""


class Only(NamedTuple):
    """An opt-out of somebody of whom nothing else is known: what `Lookup` says then depends on it alone."""

    channel: str
    scope: str
    reason: str
    source: str
    since: datetime | None
    seq: int


class Person(NamedTuple):
    """One row of the roster."""

    number: int
    """The number by which the ledger knows the person; -1 where a row of it is missing."""
    key: str | None
    """The match key; None where it is not held, or not the one that is indexed."""
    blind: tuple[str, bytes] | None
    """Index key and blind index; None for a person who was forgotten."""
    only: Only | None = None
    """The one opt-out that stands; None where there are several, or none, or a consent, or no address."""


class Roster:
    """Reads who is in a ledger, through the reader of an open `Lookup`."""

    def __init__(self, reader: Reader, keys: Sequence[IndexKey]) -> None:
        self._reader = reader
        self._keys = {key.id: key for key in keys}

    @property
    def secret(self) -> bytes:
        """What a snapshot is sealed with. It tells nothing about the index key that it is made from.

        The oldest key still in use: rotations only add keys, and a snapshot outlives them.
        """
        oldest = next(iter(self._keys.values()))
        return hmac.digest(oldest.secret, b"snapshot\x00v1", "sha256")

    def position(self) -> Position:
        """Where the ledger is now."""
        with self._reader.reading():
            row = self._reader.ask(_POSITION).fetchone()
        if row is None or row[2] is None:
            raise LedgerDamaged(f"the ledger {self._reader.place} has no head, or lacks its last entry")
        size, note, last, people, aliases, rules = row
        note = bytes(note).decode(errors="replace")
        return Position(size, note, leaf_hash(last).hex(), people, aliases, -1 if rules is None else rules)

    def is_at(self, size: int, last: str) -> bool:
        """Whether entry `size - 1` of this ledger is the one whose leaf has this hash."""
        with self._reader.reading():
            rows = self._reader.ask(_LEAVES, (size - 1, size)).fetchall()
        return len(rows) == 1 and leaf_hash(rows[0][1]).hex() == last

    def everyone(self) -> Iterator[list[Person]]:
        """All people, in pages, in no order that says anything about them."""
        after: tuple[str, bytes] = ("", b"")
        while True:
            with self._reader.reading():
                rows = self._reader.ask(_EVERYONE, (*after, PAGE)).fetchall()
                only = self._only([number for _, _, number, _ in rows if number is not None])
            if not rows:
                return
            after = (rows[-1][0], rows[-1][1])
            yield [
                Person(
                    -1 if number is None else number,
                    self._proven(body, id_, index),
                    (id_, bytes(index)),
                    only.get(number),
                )
                for id_, index, number, body in rows
            ]

    def touched(self, since: int, until: int) -> Iterator[list[Person]]:
        """The people whom entries from `since` on, and before `until`, are about, as they are now."""
        for start in range(since, until, PAGE):
            with self._reader.reading():
                rows = self._reader.ask(_LEAVES, (start, min(start + PAGE, until))).fetchall()
                subjects = dict.fromkeys(chain.from_iterable(self._whom(*row) for row in rows))
                people = list(self._now(subjects))
                only = self._only([each.number for each in people if each.key is not None])
            yield [each._replace(only=only.get(each.number)) for each in people]

    def recognised(self, keys: Sequence[bytes], indexes: Mapping[str, frozenset[bytes]]) -> Iterator[int]:
        """Which of these match keys, by place, have one of these blind indexes (by index key).

        Two thirds of the cost of `hmac.digest` is the same for every message of one key, and done once.
        """
        for key_id in indexes.keys() & self._keys.keys():
            wanted = indexes[key_id]
            inner, outer = _pads(self._keys[key_id].secret)
            for place, key in enumerate(keys):
                hashed = inner.copy()
                hashed.update(key)
                whole = outer.copy()
                whole.update(hashed.digest())
                if whole.digest() in wanted:
                    yield place

    def _whom(self, seq: int, leaf: bytes) -> Iterator[str]:
        """The person whom an entry is about; of a correction, the one whom the corrected entry is about."""
        body = decoded(seq, leaf).body
        if isinstance(body, Corrected):
            for each in self._reader.ask(_LEAVES, (body.entry, body.entry + 1)).fetchall():
                if each[0] < seq:
                    yield from self._whom(*each)
        elif isinstance(subject := getattr(body, "subject", None), str):
            yield subject

    def _only(self, people: Sequence[int]) -> dict[int, Only]:
        """Of these people the opt-out of each of whom nothing else is known."""
        found: dict[int, Only | None] = {}
        for start in range(0, len(people), 900):
            some = people[start : start + 900]
            several = ",".join("?" * len(some))
            for row in self._reader.ask(_STANDINGS.format(several), some):
                person, channel, scope, reason, source, since, seq = row
                when = None if since is None else moment(since)
                only = Only(channel, scope, reason, source, when, seq)
                found[person] = None if person in found else only
            for (person,) in self._reader.ask(_LIFTED.format(several), some):
                found[person] = None
        return {person: only for person, only in found.items() if only is not None}

    def _now(self, subjects: Iterable[str]) -> Iterator[Person]:
        unknown: dict[str, int] = {}
        for subject in subjects:
            row = self._reader.ask(_PERSON, (subject,)).fetchone()
            number, body = (-1, None) if row is None else row
            key = _key_in(body)
            index = None if key is None else self._indexed(key, subject)
            if index is None:
                unknown[subject] = number
            else:
                yield Person(number, key, index)
        # There is no index by subject: this reads the whole table, and only for those who were erased.
        names = list(unknown)
        for start in range(0, len(names), 900):
            some = names[start : start + 900]
            asked = _INDEXES.format(",".join("?" * len(some)))
            for subject, key_id, index in self._reader.ask(asked, some):
                yield Person(unknown.pop(subject), None, (key_id, bytes(index)))
        for number in unknown.values():
            yield Person(number, None, None)

    def _indexed(self, key: str, subject: str) -> tuple[str, bytes] | None:
        for index_key in self._keys.values():
            index = index_key.blind(key)
            row = self._reader.ask(_OWNER, (index_key.id, index)).fetchone()
            if row is not None and row[0] == subject:
                return index_key.id, index
        return None

    def _proven(self, body: bytes | None, key_id: str, index: bytes) -> str | None:
        key, index_key = _key_in(body), self._keys.get(key_id)
        return key if key is not None and index_key is not None and index_key.blind(key) == index else None


def _key_in(body: bytes | None) -> str | None:
    if body is None:
        return None
    try:
        key = read_payload(body).get("key")
    except (ValueError, TypeError, RecursionError):
        return None
    return expressible(key) if isinstance(key, str) else None


def _pads(secret: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    """RFC 2104: the two halves of an HMAC-SHA-256 with the key already in them."""
    padded = secret.ljust(64, b"\x00")
    return (
        hashlib.sha256(bytes(each ^ 0x36 for each in padded)),
        hashlib.sha256(bytes(each ^ 0x5C for each in padded)),
    )
