"""A file too long to hold: kept deflated, and given back piece by piece.

The list of every request of a report is made once, while it is known where each belongs; its digest must
stand in the page before the first of its bytes is written to disk.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

PIECE = 1 << 18
"""Bytes that are given back at once, at most."""


@dataclass(frozen=True, slots=True)
class Packed:
    """The content of one file of text: its size, its lines, its digest, and itself when asked for."""

    size: int
    lines: int
    sha256: str
    _deflated: tuple[bytes, ...]

    @classmethod
    def of(cls, pieces: Iterable[bytes]) -> Self:
        """Pack what a file is to hold."""
        deflating, digest, deflated = zlib.compressobj(1), hashlib.sha256(), []
        size = lines = 0
        for piece in pieces:
            size += len(piece)
            lines += piece.count(b"\n")
            digest.update(piece)
            deflated.append(deflating.compress(piece))
        deflated.append(deflating.flush())
        return cls(size, lines, digest.hexdigest(), tuple(filter(None, deflated)))

    def pieces(self) -> Iterator[bytes]:
        """The content again, in pieces."""
        inflating = zlib.decompressobj()
        for each in self._deflated:
            rest = each
            while rest:
                yield inflating.decompress(rest, PIECE)
                rest = inflating.unconsumed_tail
        yield inflating.flush()
