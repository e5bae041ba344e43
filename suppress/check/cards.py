"""Cards: what stands about one person, in 32 bytes that only somebody who has their match key can read.

A check that recognises somebody by a hash has their match key in hand, from the file. It opens the card with
it: if that succeeds, the keys are equal in full, and the card is whole and says since when, by which rule,
and which entry. If it does not, because two people share a hash, the card is damaged, or the person needs a
closer look (several opt-outs, a consent, an erasure), the ledger is asked.

The form is that of SIV (RFC 5297), made of keyed BLAKE2b: a tag over what is said and the match key, and what
is said, combined with a stream that is made of tag and match key. So equal cards of two people do not look
equal, two cards of one person tell nothing by their difference, and a changed bit does not open.

A check opens a card for each row that it withholds, and a snapshot seals one for each person. So cards are
opened many at a time: but for two hashes of each, all of them are read, combined and compared together.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from suppress.check.hashing import Bytes, Hashes, Numbers

Mask = NDArray[np.bool_]

SIZE = 32
_HALF = 16
_SAID = struct.Struct("<qII")
"""What stands on a card: since when, by which rule, which entry."""
_LINE = np.dtype([("since", "<i8"), ("rule", "<u4"), ("seq", "<u4")])
"""The same of many."""
_PLAIN = np.dtype((np.void, _HALF))
UNDATED = -(1 << 63)
"""Stands for a day that is not known, in place of microseconds since 1970."""
_MOST = 0xFFFFFFFF
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Card(NamedTuple):
    """What is said of a person who opted out once, and whom nothing else is known about."""

    rule: int
    """Which of the snapshot's rules: channel, scope, reason and source."""
    since: datetime | None
    seq: int
    """The entry that recorded it."""


class Cards:
    """Writes and opens cards with the secret of one ledger."""

    def __init__(self, secret: bytes) -> None:
        self._tags = hashlib.blake2b(key=secret, person=b"card tag", digest_size=_HALF)
        self._streams = hashlib.blake2b(key=secret, person=b"card stream", digest_size=_HALF)

    def sealed(self, key: bytes, card: Card | None) -> bytes:
        """The 32 bytes; for None, or what does not fit, some that never open."""
        if card is None or card.rule > _MOST or card.seq > _MOST:
            return closed()
        since = UNDATED if card.since is None else stamped(card.since)
        said = _SAID.pack(since, card.rule, card.seq)
        tag = _digest(self._tags, said + key)
        return tag + _combined(said, _digest(self._streams, tag + key))

    def opened(self, keys: Sequence[bytes], cards: Bytes) -> Said:
        """What the cards say, one in each line, if they are those of the people with these match keys."""
        words = np.ascontiguousarray(cards).view(np.uint64)
        tags = words[:, : _HALF // 8]
        said = words[:, _HALF // 8 :] ^ _digests(self._streams, tags, keys)
        whole = (_digests(self._tags, said, keys) == tags).all(axis=1)
        found = said.view(_LINE)[:, 0]
        rules, since, seqs = (found[name].astype(np.int64) for name in ("rule", "since", "seq"))
        return Said(whole, rules, since, seqs)


class Said(NamedTuple):
    """What is said on some cards."""

    whole: Mask
    """Whether a card is that of its person, and not changed. Of others, nothing else counts."""
    rules: Numbers
    since: Numbers
    """Microseconds since 1970, or UNDATED."""
    seqs: Numbers


def stamped(since: datetime) -> int:
    """A moment as it stands on a card: microseconds since 1970."""
    return (since - _EPOCH) // _MICROSECOND


def dated(since: int) -> datetime | None:
    """When that was, of what stands on a card."""
    return None if since == UNDATED else _EPOCH + since * _MICROSECOND


def closed() -> bytes:
    """A card that nobody can open: the ledger is asked about this person."""
    return secrets.token_bytes(SIZE)


def _digest(begun: hashlib.blake2b, content: bytes) -> bytes:
    made = begun.copy()
    made.update(content)
    return made.digest()


def _digests(begun: hashlib.blake2b, halves: Hashes, keys: Sequence[bytes]) -> Hashes:
    """The same of many, each of half a card and a match key."""
    made = []
    for half, key in zip(np.ascontiguousarray(halves).view(_PLAIN)[:, 0].tolist(), keys, strict=True):
        hashed = begun.copy()
        hashed.update(half + key)
        made.append(hashed.digest())
    return np.frombuffer(b"".join(made), np.uint64).reshape(-1, _HALF // 8)


def _combined(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "little") ^ int.from_bytes(other, "little")).to_bytes(_HALF, "little")
