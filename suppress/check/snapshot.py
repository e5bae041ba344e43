"""The snapshot: whom a check may recognise, as sorted 64-bit hashes, kept beside the ledger.

    suppress.db → suppress.snapshot      0600, replaced as a whole; of a server's ledger, beside its keys

Rules kept here:

* It selects, and never decides: whom it names is looked up in the ledger itself. It may name too many people,
  such as those whose suppression was lifted, and never too few: everybody whom `Lookup` could recognise is
  in it by hash, or, where the address is not held any more, by blind index.
* It says how far it covers the ledger: entries, and the hash of the last one. What came after is added before
  it is used. One that does not fit this ledger and this program, or is damaged, is built anew.
* It holds no address, and what it holds is sealed with a secret made from the index key: read without that
  key it is noise, and changed without it, it is refused (`docs/decisions/0005-snapshot.md`).
* Whoever was forgotten is taken out: `forget` deletes the file. Of the erased the hash stays, as their blind
  index stays in the ledger.

Where it cannot be written it is used all the same, and built again the next time.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import secrets
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from suppress.check.hashing import Folding, Hashes, Numbers
from suppress.core.address import KEY_VERSION
from suppress.core.aliases import alias_of, table_version
from suppress.ledger.keys import replace_file

if TYPE_CHECKING:
    from suppress.ledger import Lookup
    from suppress.ledger.roster import Person, Position, Roster

MAGIC = b"suppress snapshot 1\n"
_NONCE, _TAG = 16, 32
_WORTH_SAVING = 10_000
"""Entries that concern nobody, such as those of checks, after which a snapshot is written again."""

_EMPTY: tuple[Hashes, Numbers] = (np.empty(0, np.uint64), np.empty(0, np.int64))


class NotUsable(ValueError):
    """The bytes are not a snapshot that this program wrote for this ledger. Answered by building one anew."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Who can be recognised. Hashes are in order; beside each stands the person's number."""

    size: int
    last: str
    """The hash of entry `size - 1`."""
    hashes: Hashes
    people: Numbers
    alias_hashes: Hashes
    alias_people: Numbers
    unheld: Mapping[int, tuple[str, bytes]]
    """People whose address was not held when they were first seen: index key and blind index by number."""

    def covers(self, position: Position) -> bool:
        """Whether nobody is missing, as far as numbers can tell."""
        known = len(self.hashes) + len(self.unheld)
        return known >= position.people and len(self.alias_hashes) >= position.aliases


def current(lookup: Lookup) -> tuple[Snapshot, Folding] | None:
    """A snapshot that covers the ledger as it is now; None when there cannot be one.

    Raises:
        SuppressError: The ledger cannot be read.
    """
    roster = lookup.roster()
    folding = Folding(roster.secret)
    position = roster.position()
    if position.alias_rules != table_version():
        return None  # aliases in the ledger follow other rules than ours
    file = lookup.snapshot
    try:
        found = _opened(file, roster)
        if not roster.is_at(found.size, found.last):
            raise NotUsable("it is of another history")
        now = refreshed(found, roster, folding, position)
        if not now.covers(position):
            raise NotUsable("somebody is missing")
    except NotUsable:
        found, now = None, rebuilt(roster, folding)
        position = roster.position()
        now = refreshed(now, roster, folding, position)
        if not now.covers(position):
            return None
    if found is None or found.hashes is not now.hashes or now.size - found.size > _WORTH_SAVING:
        with contextlib.suppress(OSError):
            replace_file(file, sealed(now, roster.secret))
    return now, folding


# --- Building and refreshing -----------------------------------------------------------------------------


def rebuilt(roster: Roster, folding: Folding) -> Snapshot:
    """From everybody in the ledger. What is recorded meanwhile is left to `refreshed`."""
    start = roster.position()
    parts = [_Part.of(page, folding) for page in roster.everyone()]
    return _with(Snapshot(start.size, start.last, *_EMPTY, *_EMPTY, {}), parts)


def refreshed(old: Snapshot, roster: Roster, folding: Folding, position: Position) -> Snapshot:
    """With the people whom later entries are about as they are now."""
    kept = set(old.people.tolist()) if position.size > old.size else set()
    parts, gone, bare = [], set(), set()
    for page in roster.touched(old.size, position.size):
        forgotten = {each.number for each in page if each.blind is None}
        unheld = {each.number for each in page if each.blind is not None and each.key is None}
        gone |= forgotten
        bare |= unheld
        # Somebody who was erased is still recognised by the hash from before.
        parts.append(_Part.of([each for each in page if each.key or each.number not in kept], folding))
        kept -= forgotten
    if not (gone or bare or any(len(part.people) or part.unheld for part in parts)):
        return replace(old, size=position.size, last=position.last)
    return _with(replace(old, size=position.size, last=position.last), parts, gone, bare)


@dataclass(frozen=True, slots=True)
class _Part:
    """What a page of the roster adds."""

    hashes: Hashes
    people: Numbers
    alias_hashes: Hashes
    alias_people: Numbers
    unheld: Mapping[int, tuple[str, bytes]]

    @classmethod
    def of(cls, page: Iterable[Person], folding: Folding) -> _Part:
        held = [(each.number, each.key) for each in page if each.key is not None and each.blind is not None]
        aliases = [(number, alias.key) for number, key in held if (alias := alias_of(key)) is not None]
        unheld = {each.number: each.blind for each in page if each.key is None and each.blind is not None}
        return cls(*_hashed(held, folding), *_hashed(aliases, folding), unheld)


def _hashed(keys: list[tuple[int, str]], folding: Folding) -> tuple[Hashes, Numbers]:
    halves = [key.encode().rpartition(b"@")[::2] for _, key in keys]
    both = folding.joined(
        folding.of([local for local, _ in halves]), folding.of([domain for _, domain in halves])
    )
    return both, np.fromiter((number for number, _ in keys), np.int64, len(keys))


def _with(old: Snapshot, parts: list[_Part], gone: Iterable[int] = (), bare: Iterable[int] = ()) -> Snapshot:
    """The old one with these parts in the place of what it said about the same people."""
    again = {number for part in parts for number in (*part.people.tolist(), *part.unheld)}
    again.update(gone)
    unheld = {number: index for number, index in old.unheld.items() if number not in again}
    for part in parts:
        unheld.update(part.unheld)
    left = set(gone)  # while this was read
    people = [_without((part.hashes, part.people), left) for part in parts]
    aliases = [_without((part.alias_hashes, part.alias_people), left) for part in parts]
    return replace(
        old,
        **_merged("hashes", "people", _without((old.hashes, old.people), again), people),
        **_merged(
            "alias_hashes",
            "alias_people",
            _without((old.alias_hashes, old.alias_people), again | set(bare)),
            aliases,
        ),
        unheld=unheld,
    )


def _without(pair: tuple[Hashes, Numbers], people: set[int]) -> tuple[Hashes, Numbers]:
    hashes, numbers = pair
    if not people:
        return pair
    keep = ~np.isin(numbers, np.fromiter(people, np.int64, len(people)))
    return hashes[keep], numbers[keep]


def _merged(
    one: str, other: str, old: tuple[Hashes, Numbers], parts: list[tuple[Hashes, Numbers]]
) -> dict[str, Any]:
    hashes = np.concatenate([old[0], *(part[0] for part in parts)])
    people = np.concatenate([old[1], *(part[1] for part in parts)])
    order = np.argsort(hashes, kind="stable")
    return {one: hashes[order], other: people[order]}


# --- On disk ---------------------------------------------------------------------------------------------


def sealed(snapshot: Snapshot, secret: bytes) -> bytes:
    """The bytes of the file: magic, nonce, the body as noise, and a tag over all of it."""
    head = json.dumps(
        {
            "size": snapshot.size,
            "last": snapshot.last,
            "keys": KEY_VERSION,
            "aliases": table_version(),
            "counts": [len(snapshot.hashes), len(snapshot.alias_hashes)],
            "unheld": [[number, id_, index.hex()] for number, (id_, index) in snapshot.unheld.items()],
        }
    ).encode()
    columns = (snapshot.hashes, snapshot.people, snapshot.alias_hashes, snapshot.alias_people)
    body = b"".join([struct.pack("<Q", len(head)), head, *(each.astype("<u8").tobytes() for each in columns)])
    start = MAGIC + secrets.token_bytes(_NONCE)
    hidden = start + _veiled(body, secret, start)
    return hidden + _tag(hidden, secret)


def unsealed(content: bytes, secret: bytes) -> Snapshot:
    """What `sealed` was given. Raises `NotUsable` for any other bytes."""
    least = len(MAGIC) + _NONCE
    hidden, tag = content[:-_TAG], content[-_TAG:]
    if len(hidden) < least or not hmac.compare_digest(tag, _tag(hidden, secret)):
        raise NotUsable("it was damaged, or belongs to another ledger")
    body = _veiled(hidden[least:], secret, hidden[:least])
    (length,) = struct.unpack_from("<Q", body)
    head = json.loads(body[8 : 8 + length])
    if (head["keys"], head["aliases"]) != (KEY_VERSION, table_version()):
        raise NotUsable("it was made by other rules")
    people, aliases = head["counts"]
    columns = _cut(body, 8 + length, [people, people, aliases, aliases])
    unheld = {number: (id_, bytes.fromhex(index)) for number, id_, index in head["unheld"]}
    hashes, numbers, alias_hashes, alias_numbers = columns
    return Snapshot(
        head["size"],
        head["last"],
        hashes,
        numbers.astype(np.int64),
        alias_hashes,
        alias_numbers.astype(np.int64),
        unheld,
    )


def _cut(body: bytes, start: int, counts: list[int]) -> Iterator[Hashes]:
    for count in counts:
        yield np.frombuffer(body, "<u8", count, start)
        start += 8 * count


def _opened(file: Path, roster: Roster) -> Snapshot:
    try:
        content = file.read_bytes()
    except OSError as refused:
        raise NotUsable("there is none that can be read") from refused
    return unsealed(content, roster.secret)


def _veiled(body: bytes, secret: bytes, start: bytes) -> bytes:
    """The body combined with a key stream: SHAKE-256 of a key and a nonce that is used once."""
    key = hmac.digest(secret, b"veil", "sha256")
    stream = np.frombuffer(hashlib.shake_256(key + start).digest(len(body)), np.uint8)
    return (np.frombuffer(body, np.uint8) ^ stream).tobytes()


def _tag(hidden: bytes, secret: bytes) -> bytes:
    return hmac.digest(hmac.digest(secret, b"tag", "sha256"), hidden, "sha256")
