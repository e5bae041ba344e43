"""Who is in an audience, and in which state, held in eight bytes a member.

A million members as text would take half a gigabyte; here they are sorted numbers: the first 61 bits of a
member's hash, then three bits of status. Two people with the same 61 bits would be taken for one, which among
ten million members happens once in forty thousand audiences; it costs a needless call.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from enum import Enum

_BITS = 3
_FOLD = 100_000
"""Changes that are kept apart before they are sorted in."""


class Status(Enum):
    """A member's state, the ones that are mailed first."""

    SUBSCRIBED = "subscribed"
    PENDING = "pending"
    """Waits for the person's confirmation; a confirmation mail is what it gets."""
    TRANSACTIONAL = "transactional"
    """No campaigns, and still some order mail."""
    OTHER = "other"
    """A word that this plugin does not know; taken for mailable, which can only cost a call."""
    UNSUBSCRIBED = "unsubscribed"
    CLEANED = "cleaned"
    """Bounced out."""
    ARCHIVED = "archived"
    """Hidden by the owner: can be read, never written to without coming back."""

    @classmethod
    def of(cls, word: str) -> Status:
        """The status that a word of the platform means."""
        return _BY_WORD.get(word, cls.OTHER)

    @property
    def mailable(self) -> bool:
        """Whether anything is mailed to a member in this state."""
        return self not in _SILENT


_ORDER = tuple(Status)
_RANK = {status: rank for rank, status in enumerate(_ORDER)}
_BY_WORD = {status.value: status for status in _ORDER}
_SILENT = frozenset({Status.UNSUBSCRIBED, Status.CLEANED, Status.ARCHIVED})


def subscriber_hashes(address: str) -> tuple[str, ...]:
    """The names under which an audience may hold an address: MD5 of it in small letters.

    The vendor says "lowercase" and not whether that is more than A to Z, so an address with other capitals
    has two names.
    """
    trimmed = address.strip()
    small = trimmed.lower()
    ascii_small = "".join(each.lower() if each.isascii() else each for each in trimmed)
    return tuple(_md5(each) for each in dict.fromkeys((small, ascii_small)))


def _md5(text: str) -> str:
    # The vendor's name for a member, no protection of anything.
    return hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


class Roster:
    """The members of one audience as they were last read."""

    def __init__(self) -> None:
        self._sorted = array("Q")
        self._newer: dict[int, Status] = {}

    def __len__(self) -> int:
        return sum(1 for _ in self._keys())

    def read(self, members: Iterator[tuple[str, Status]]) -> None:
        """Take in a first reading: hash and status.

        Somebody who was seen in two states, because pages shift while an audience changes, counts as the
        more mailable of them.
        """
        self._sorted.extend(_key(name) << _BITS | _RANK[status] for name, status in members)
        self._sorted = array("Q", sorted(self._sorted))

    def update(self, name: str, status: Status) -> None:
        """A later reading of one member, which replaces the earlier one."""
        self._newer[_key(name)] = status
        if len(self._newer) > _FOLD:
            kept = [each for each in self._sorted if each >> _BITS not in self._newer]
            kept += [key << _BITS | _RANK[status] for key, status in self._newer.items()]
            self._sorted = array("Q", sorted(kept))
            self._newer.clear()

    def status(self, name: str) -> Status | None:
        """A member's state; None if the audience does not hold such a member."""
        key = _key(name)
        newer = self._newer.get(key)
        if newer is not None:
            return newer
        place = bisect_left(self._sorted, key << _BITS)
        if place == len(self._sorted) or self._sorted[place] >> _BITS != key:
            return None
        return _ORDER[self._sorted[place] & (1 << _BITS) - 1]

    def _keys(self) -> Iterator[int]:
        last = -1
        for each in self._sorted:
            if each >> _BITS != last:
                last = each >> _BITS
                yield last
        for key in self._newer:
            place = bisect_left(self._sorted, key << _BITS)
            if place == len(self._sorted) or self._sorted[place] >> _BITS != key:
                yield key


def _key(name: str) -> int:
    return int(name[:16], 16) >> _BITS
