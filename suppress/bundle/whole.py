"""The files of a bundle that holds every entry: the leaves, their openings, and the tree as tiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from suppress.bundle import layout
from suppress.bundle.folder import Digested, Folder
from suppress.bundle.layout import Grade
from suppress.core import merkle
from suppress.core.harvest import WIDTH

Keep: TypeAlias = Callable[[str, bytes], None]
"""Takes a tile's name and content: writes it, or compares it."""


@dataclass(frozen=True, slots=True)
class Page:
    """One tile's entries as they go by."""

    leaves: Sequence[bytes]
    hashes: Sequence[bytes]
    root: bytes | None
    """Of a complete tile."""
    payloads: Sequence[bytes] = ()
    """Lines of `payloads.ndjson`."""


@dataclass(slots=True)
class Tiles:
    """The tree and its entries as C2SP tlog-tiles. `add` page after page, then `close`."""

    keep: Keep
    _levels: list[list[bytes]] = field(default_factory=list)
    """For each level the hashes of the tile that is not complete yet."""
    _done: list[int] = field(default_factory=list)
    """For each level the number of complete tiles."""

    def add(self, page: Page) -> None:
        """One page: `WIDTH` entries, fewer only at the end."""
        index = self._done[0] if self._done else 0
        self.keep(layout.tile_name("entries", index, len(page.leaves)), layout.entry_tile(page.leaves))
        self._rise(0, page.hashes, page.root)

    def close(self) -> None:
        """The tiles at the right edge, which are not complete."""
        for level, hashes in enumerate(self._levels):
            if hashes:
                self._keep(level, hashes)

    def _rise(self, level: int, hashes: Sequence[bytes], root: bytes | None = None) -> None:
        """Add hashes to a level; the root of a tile that they complete goes one level up."""
        if level == len(self._levels):
            self._levels.append([])
            self._done.append(0)
        row = self._levels[level]
        row += hashes
        if len(row) == WIDTH:
            self._keep(level, row)
            self._rise(level + 1, [merkle.root(row) if root is None else root])
            self._levels[level] = []
            self._done[level] += 1

    def _keep(self, level: int, hashes: Sequence[bytes]) -> None:
        self.keep(layout.tile_name(level, self._done[level], len(hashes)), b"".join(hashes))


@dataclass(slots=True)
class AllOfIt:
    """The files of a bundle that holds every entry, written page by page."""

    tiles: Tiles
    entries: Digested
    payloads: Digested | None

    @classmethod
    @contextmanager
    def begun(cls, folder: Folder, grade: Grade) -> Iterator[AllOfIt]:
        """Raises `StorageFailed`."""
        with ExitStack() as stack:
            entries = stack.enter_context(folder.open(layout.ENTRIES))
            payloads = stack.enter_context(folder.open(layout.PAYLOADS)) if grade is Grade.OPEN else None
            tiles = Tiles(folder.add)
            yield cls(tiles, entries, payloads)
            tiles.close()

    def write(self, page: Page) -> None:
        """One page. Raises `StorageFailed`."""
        self.entries.write(b"".join(leaf + b"\n" for leaf in page.leaves))
        if self.payloads is not None:
            self.payloads.write(b"".join(page.payloads))
        self.tiles.add(page)
