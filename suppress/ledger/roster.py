"""`Roster`: everybody whom a check can recognise, for the snapshot of its fast engine.

Rules kept here:

* Who is on it is who `Lookup` finds: the rows of `subject` under a live index key. Whether the match key that
  is held of somebody is the one that is indexed, its blind index says: whoever looks for the key instead then
  finds the same person.
* Of a person whose address is not held (erased) only the blind index is given. They can be recognised by no
  cheaper means than one keyed hash for each address.
* Tables are read by ranges of their keys, in their own order: a row looked for on its own costs a way down
  from the root, and in a long ledger a page of the file.
* It is read in pages and short transactions, so that building a snapshot does not hold up a writer. What is
  recorded meanwhile is found by `touched`, from the position that was read first.
"""

from __future__ import annotations

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
from suppress.ledger.sealing import Blinder, expressible, read_payload

PAGE = 4_000
"""Entries, or rows of the blind index, in one read transaction."""

# Any payload of a person will do, as all are indexed by one key.
_PAYLOADS = (
    "SELECT about.person, payload.body FROM about JOIN payload ON payload.seq = about.seq "
    "WHERE about.person >= ? AND about.person < ? ORDER BY about.person, about.seq"
)
_INDEXED = "SELECT blind_index FROM subject WHERE key_id = ? AND blind_index > ? ORDER BY blind_index LIMIT ?"
_WHOSE = (
    "SELECT subject.blind_index, event.seq FROM subject LEFT JOIN event ON event.id = subject.id "
    "WHERE subject.key_id = ? AND subject.blind_index >= ? AND subject.blind_index <= ?"
)
_PERSON = (
    "SELECT event.seq, ("
    "SELECT payload.body FROM about JOIN payload ON payload.seq = about.seq "
    "WHERE about.person = event.seq ORDER BY about.seq LIMIT 1) "
    "FROM event WHERE event.id = ?"
)
_STANDINGS = "SELECT person, channel, scope, reason, source, since, seq FROM standing WHERE person {}"
_LIFTED = "SELECT person FROM lift WHERE person {}"
_OWNER = "SELECT id FROM subject WHERE key_id = ? AND blind_index = ?"
_INDEXES = "SELECT id, key_id, blind_index FROM subject WHERE id IN ({})"
_LEAVES = "SELECT seq, leaf FROM ledger WHERE seq >= ? AND seq < ? ORDER BY seq"
_POSITION = (
    "SELECT size, note, (SELECT leaf FROM ledger WHERE seq = size - 1), "
    "(SELECT version FROM built WHERE name = 'alias') FROM head"
)


_INDEX_SIZE = 32
"""Bytes of a blind index."""
_BEFORE_KEY = b',"key":"'


class Position(NamedTuple):
    """How far a ledger goes."""

    size: int
    note: str
    """The signed head."""
    last: str
    """The hash of the last entry's leaf, in hex. Two histories that part do not meet again in one entry."""
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


class Held(NamedTuple):
    """Somebody of whom an address is held."""

    number: int
    """The number by which the ledger knows the person."""
    key: str | None
    """The match key; None where the payload cannot be read."""
    only: Only | None
    """The one opt-out that stands; None where there are several, or none, or a consent."""


class Person(NamedTuple):
    """Somebody whom a later entry is about."""

    number: int
    """-1 where a row of theirs is missing."""
    key: str | None
    """The match key; None where it is not held, or not the one that is indexed."""
    blind: tuple[str, bytes] | None
    """Index key and blind index; None for a person who was forgotten."""
    only: Only | None = None
    """As of somebody who is `Held`."""


class Roster:
    """Reads who is in a ledger, through the reader of an open `Lookup`."""

    def __init__(self, reader: Reader, keys: Sequence[Blinder]) -> None:
        self._reader = reader
        self.keys = tuple(keys)
        """The index keys in use, oldest first."""

    @property
    def secret(self) -> bytes:
        """What a snapshot is sealed with. It tells nothing about the index key that it is made from.

        The oldest key still in use: rotations only add keys, and a snapshot outlives them.
        """
        return self.keys[0].digest(b"snapshot\x00v1")

    def position(self) -> Position:
        """Where the ledger is now."""
        with self._reader.reading():
            row = self._reader.ask(_POSITION).fetchone()
        if row is None or row[2] is None:
            raise LedgerDamaged(f"the ledger {self._reader.place} has no head, or lacks its last entry")
        size, note, last, rules = row
        note = bytes(note).decode(errors="replace")
        return Position(size, note, leaf_hash(last).hex(), -1 if rules is None else rules)

    def is_at(self, size: int, last: str) -> bool:
        """Whether entry `size - 1` of this ledger is the one whose leaf has this hash."""
        with self._reader.reading():
            rows = self._reader.ask(_LEAVES, (size - 1, size)).fetchall()
        return len(rows) == 1 and leaf_hash(rows[0][1]).hex() == last

    # --- Everybody -------------------------------------------------------------------------------------

    def indexed(self, key_id: str) -> Iterator[list[bytes]]:
        """All blind indexes under one key, in their order, in pages."""
        after = b""
        while True:
            with self._reader.reading():
                rows = self._reader.ask(_INDEXED, (key_id, after, PAGE)).fetchall()
            if not rows:
                return
            found = [bytes(index) for (index,) in rows]
            after = found[-1]
            yield found

    def held(self, until: int) -> Iterator[list[Held]]:
        """Everybody who was added before entry `until`, and of whom an address is held, in pages."""
        for start in range(0, until, PAGE):
            asked = (start, min(start + PAGE, until))
            with self._reader.reading():
                rows = self._reader.ask(_PAYLOADS, asked).fetchall()
                only = self._only(">= ? AND person < ?", asked)
            first = dict(reversed(rows))
            yield [Held(number, _key_in(body), only.get(number)) for number, body in first.items()]

    def under(self, key_id: str, start: bytes) -> list[tuple[bytes, int | None]]:
        """Whoever has a blind index that starts with these bytes: all of it, and their number."""
        asked = (key_id, start, start.ljust(_INDEX_SIZE, b"\xff"))
        with self._reader.reading():
            rows = self._reader.ask(_WHOSE, asked).fetchall()
        return [(bytes(index), number) for index, number in rows]

    # --- Some ------------------------------------------------------------------------------------------

    def touched(self, since: int, until: int) -> Iterator[list[Person]]:
        """The people whom entries from `since` on, and before `until`, are about, as they are now."""
        for start in range(since, until, PAGE):
            with self._reader.reading():
                rows = self._reader.ask(_LEAVES, (start, min(start + PAGE, until))).fetchall()
                subjects = dict.fromkeys(chain.from_iterable(self._whom(*row) for row in rows))
                people = list(self._now(subjects))
                only = self._only_of([each.number for each in people if each.key is not None])
            yield [each._replace(only=only.get(each.number)) for each in people]

    def recognised(self, keys: Sequence[bytes], indexes: Mapping[str, frozenset[bytes]]) -> Iterator[int]:
        """Which of these match keys, by place, have one of these blind indexes (by index key)."""
        for index_key in self.keys:
            wanted = indexes.get(index_key.id, frozenset())
            for place, key in enumerate(keys) if wanted else ():
                if index_key.digest(key) in wanted:
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

    def _only_of(self, people: Sequence[int]) -> dict[int, Only]:
        """Of these people the opt-out of each of whom nothing else is known."""
        found: dict[int, Only] = {}
        for start in range(0, len(people), 900):
            some = people[start : start + 900]
            found |= self._only(f"IN ({','.join('?' * len(some))})", some)
        return found

    def _only(self, which: str, values: Sequence[int]) -> dict[int, Only]:
        """Of people who are given by their numbers the opt-out of each of whom nothing else is known."""
        found: dict[int, Only | None] = {}
        for person, *row in self._reader.ask(_STANDINGS.format(which), values):
            found[person] = None if person in found else _opt_out(*row)
        for (person,) in self._reader.ask(_LIFTED.format(which), values):
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
        for index_key in self.keys:
            index = index_key.blind(key)
            row = self._reader.ask(_OWNER, (index_key.id, index)).fetchone()
            if row is not None and row[0] == subject:
                return index_key.id, index
        return None


def _opt_out(channel: str, scope: str, reason: str, source: str, since: str | None, seq: int) -> Only | None:
    """A row of `standing`; None for one that was changed from outside, about which the ledger is asked."""
    try:
        when = None if since is None else moment(since)
    except (ValueError, TypeError):
        return None
    return Only(channel, scope, reason, source, when, seq)


def _key_in(body: bytes | None) -> str | None:
    """The match key in a payload; None where there is none to read."""
    if body is None:
        return None
    # Nearly all end as `payload_body` writes them: the key last, with nothing escaped in it. It is believed
    # only where its blind index is in the ledger, be it read at a glance or in full.
    start = body.rfind(_BEFORE_KEY) + len(_BEFORE_KEY)
    key = body[start:-2]
    try:
        if start >= len(_BEFORE_KEY) and body.endswith(b'"}') and b'"' not in key and b"\\" not in key:
            return key.decode()
        read = read_payload(body).get("key")
    except (ValueError, TypeError, RecursionError):
        return None
    return expressible(read) if isinstance(read, str) else None
