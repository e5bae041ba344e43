"""Who is in a ledger's blind index, in nine bytes each, while a snapshot is built from everybody.

Rows of the index stand in the order of keyed hashes, people and what is known of them in that of entries. To
go from one to the other row by row reads a page of the database for nearly everyone. So each side is read in
its own order, and the index is kept meanwhile: of each row the first eight bytes, and whether somebody was
met whose match key has that blind index. Whoever is left over is known by their blind index alone.

Eight bytes stand for the whole: among ten million people two have the same ones once in a hundred thousand
ledgers, and nobody without the index key can bring it about. It would add somebody whom the ledger does not
recognise, and leave out nobody: of several rows with the same eight bytes one at most counts as met.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from suppress.check.hashing import Hashes
from suppress.check.sealing import NotUsable

if TYPE_CHECKING:
    from suppress.ledger.roster import Held, Roster
    from suppress.ledger.sealing import Blinder

_SIZE = 8


class _Rows(NamedTuple):
    """Those under one index key."""

    starts: Hashes
    """In order."""
    met: NDArray[np.bool_]


class BlindIndex:
    """All rows of the blind index under live keys, as they were when this was made."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._rows = {}
        for key in roster.keys:
            starts = bytearray()
            for page in roster.indexed(key.id):
                starts += _starts(page).tobytes()
            self._rows[key.id] = _Rows(np.frombuffer(starts, np.uint64), np.zeros(len(starts) // _SIZE, bool))

    @property
    def size(self) -> int:
        """How many rows there are."""
        return sum(len(rows.starts) for rows in self._rows.values())

    def found(self, people: list[Held]) -> list[Held]:
        """These people, their rows found. Who has several is to be asked of the ledger, which reads them all.

        Raises:
            NotUsable: Somebody is indexed by another address than the one that is held, or by none.
        """
        if any(each.key is None for each in people):
            raise NotUsable("a payload cannot be read")
        rows = np.zeros(len(people), np.int64)
        for key in self._roster.keys:
            rows += self._meet(key, people)
        if not rows.all():
            raise NotUsable("somebody is not indexed by the address that is held")
        for at in np.flatnonzero(rows > 1).tolist():
            people[at] = people[at]._replace(only=None)
        return people

    def unheld(self, before: int) -> dict[int, tuple[str, bytes]]:
        """Whom nobody was found for, if an entry before this one added them: index key and blind index.

        Raises:
            NotUsable: A row that no entry added.
        """
        left: dict[int, tuple[str, bytes]] = {}
        for key_id, start in self._unmet():
            for index, number in self._roster.under(key_id, start):
                if number is None:
                    raise NotUsable("a row of the blind index has no entry that added it")
                if number < before:
                    left[number] = key_id, index
        return left

    def _meet(self, key: Blinder, people: Sequence[Held]) -> NDArray[np.bool_]:
        """Which of these people have a row under this key; those rows are met from now on."""
        starts, met = self._rows[key.id]
        if not len(starts):
            return np.zeros(len(people), bool)
        asked = _starts([key.blind(each.key) for each in people if each.key is not None])
        places = np.minimum(np.searchsorted(starts, asked), len(starts) - 1)
        there: NDArray[np.bool_] = starts[places] == asked
        met[places[there]] = True
        return there

    def _unmet(self) -> Iterator[tuple[str, bytes]]:
        for key_id, (starts, met) in self._rows.items():
            for start in dict.fromkeys(starts[~met].tolist()):
                yield key_id, start.to_bytes(_SIZE, "big")


def _starts(indexes: Sequence[bytes]) -> Hashes:
    """The first bytes of each as a number, in the same order."""
    return np.frombuffer(b"".join([each[:_SIZE].ljust(_SIZE, b"\0") for each in indexes]), ">u8").astype(
        "<u8"
    )
