"""Proofs from one pass over all leaf hashes, in memory that hardly grows with the tree.

`merkle.inclusion_proof` wants every leaf hash at hand. Here the nodes that the wanted proofs are made of are
named first, and picked up while the leaves go by, a tile (256 leaves) at a time:

    harvest = Harvest(size, inclusion=[7], consistency=[4])
    for hashes in tiles:
        harvest.add(hashes)
    proof = harvest.inclusion(7)

A node is (level, index): the root over the leaves from `index << level` on, `1 << level` of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import TypeAlias

from suppress.core.merkle import EMPTY_ROOT, consistency_spans, inclusion_spans, node_hash

HEIGHT = 8
"""Levels of a tile (C2SP tlog-tiles)."""
WIDTH = 1 << HEIGHT
"""Leaves under a tile."""

Node: TypeAlias = tuple[int, int]
Pair: TypeAlias = tuple[int, int]


class Harvest:
    """Picks up the nodes of wanted proofs as the leaves of a tree of `size` go by."""

    def __init__(
        self,
        size: int,
        *,
        inclusion: Iterable[Pair] = (),
        consistency: Iterable[Pair] = (),
        roots: Iterable[int] = (),
    ) -> None:
        """What is wanted: `inclusion` of (index, size), `consistency` of (old, new), `roots` of sizes."""
        self.size = size
        self._seen = 0
        self._tiles: list[bytes] = []
        """The roots of complete tiles."""
        spans = [span for index, of in inclusion for span in inclusion_spans(index, of)]
        spans += [span for old, new in consistency for span in consistency_spans(old, new)]
        spans += [(0, each) for each in (size, *roots)]
        self._wanted: dict[int, set[Node]] = {}
        """Wanted nodes below the tiles' roots, by tile."""
        self._higher: set[Node] = set()
        self._nodes: dict[Node, bytes] = {}
        for level, index in {node for span in spans for node in _complete(*span)}:
            if level >= HEIGHT:
                self._higher.add((level, index))
            else:
                self._wanted.setdefault(index >> HEIGHT - level, set()).add((level, index))

    def add(self, hashes: Sequence[bytes]) -> bytes | None:
        """The hashes of the next tile, `WIDTH` of them but at the end. Returns a complete tile's root."""
        tile, self._seen = self._seen >> HEIGHT, self._seen + len(hashes)
        wanted, row = self._wanted.pop(tile, set()), list(hashes)
        for level in range(HEIGHT):
            first = tile << HEIGHT - level
            for index in [index for at, index in wanted if at == level]:
                self._nodes[level, index] = row[index - first]
            row = _above(row)
        if len(hashes) < WIDTH:
            return None
        self._tiles.append(row[0])
        return row[0]

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` leaves, by default of all."""
        self._climb()
        return self._over(0, self.size if size is None else size)

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """The inclusion proof of a leaf in the tree, or in that of its first `size` leaves."""
        self._climb()
        return [self._over(*span) for span in inclusion_spans(index, self.size if size is None else size)]

    def consistency(self, old: int) -> list[bytes]:
        """The proof that the first `old` leaves are unchanged."""
        self._climb()
        return [self._over(*span) for span in consistency_spans(old, self.size)]

    def _climb(self) -> None:
        """The wanted nodes above the tiles, once."""
        if not self._higher:
            return
        row, level = self._tiles, HEIGHT
        while row:
            for index in [index for at, index in self._higher if at == level]:
                self._nodes[level, index] = row[index]
            row, level = _above(row), level + 1
        self._higher.clear()

    def _over(self, first: int, end: int) -> bytes:
        if first == end:
            return EMPTY_ROOT
        *larger, found = [self._nodes[node] for node in _complete(first, end)]
        for left in reversed(larger):
            found = node_hash(left, found)
        return found


def _above(row: Sequence[bytes]) -> list[bytes]:
    """The next level: the parents of complete pairs."""
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=False)]


def _complete(first: int, end: int) -> Iterator[Node]:
    """The complete subtrees that a subtree of the log is made of, largest first."""
    while first < end:
        level = (end - first).bit_length() - 1
        yield level, first >> level
        first += 1 << level
