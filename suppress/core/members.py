"""Who belongs to a crowd of any size, at eight bytes each."""

from __future__ import annotations

import hashlib
import heapq
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from itertools import islice

RUN = 20_000
"""Members sorted at once: a list of a million numbers would take four times their bytes."""


class Members:
    """A set of texts that can only be asked whether somebody belongs to it.

    They are kept as digests, so one in very many million strangers may be taken for a member; no member is
    ever missed. Use it where a stranger who is taken for one does no harm.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        digests = map(_short, texts)
        runs: list[array[int]] = []
        while run := sorted(islice(digests, RUN)):
            runs.append(array("Q", run))
        self._sorted = array("Q", heapq.merge(*runs))

    def __contains__(self, text: str) -> bool:
        short = _short(text)
        place = bisect_left(self._sorted, short)
        return place < len(self._sorted) and self._sorted[place] == short


def _short(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())
