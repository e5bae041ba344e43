"""Whom domain rules may concern, for many plain addresses at once: a part of the fast engine's filter.

It selects, and never decides: a rule for another channel selects too, and so does a domain that only ends in
the same bytes. What it does not select, no rule concerns.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from suppress.check.hashing import Folding, Hashes, Numbers
from suppress.core.domains import DomainRules

_FOLD = np.uint64(0x2020202020202020)


class Reach:
    """The domains of all rules by hash, and those below which rules hold too by their last bytes."""

    def __init__(self, rules: DomainRules, folding: Folding) -> None:
        names = sorted({rule.domain for rule in rules.rules})
        self._domains = np.sort(folding.of([name.encode() for name in names]))
        self._above = sorted({f".{rule.domain}".encode() for rule in rules.rules if rule.subdomains})

    def has(self, domains: Hashes, words: Hashes, ats: Numbers, ends: Numbers) -> NDArray[np.bool_]:
        """For each address: the hash of its domain, and where its `@` and its end are in the words."""
        found: NDArray[np.bool_] = below(self._above, words, ats, ends)
        if len(self._domains):
            place = np.minimum(np.searchsorted(self._domains, domains), len(self._domains) - 1)
            found |= self._domains[place] == domains
        return found


def below(names: Iterable[bytes], words: Hashes, ats: Numbers, ends: Numbers) -> NDArray[np.bool_]:
    """Which domains may lie below one of these, given with a dot in front: by up to eight bytes."""
    found = np.zeros(len(ends), bool)
    for name in names:
        length = len(name)
        size = min(length, 8)
        mask = np.uint64((1 << 8 * size) - 1)
        (wanted,) = (np.frombuffer(name[:8].ljust(8, b" "), np.dtype("<u8")) | _FOLD) & mask
        long = np.flatnonzero(ends - ats > length + 1)
        found[long[(words[ends[long] - length] | _FOLD) & mask == wanted]] = True
    return found
