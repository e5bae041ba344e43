"""The filter: which of many hashes may be those of somebody in the snapshot. Perhaps too many, never too few.

Tricks, by name:

* *Bitmap first*: one bit for each of the leading bits that a hash may have clears most rows in one step; the
  rest look for the whole hash in the sorted list, in order, so that neighbours share a cache line.
* *Aliases by squeezing*: a dot is taken out of many local parts at once, by moving what stands behind it up
  by a byte; tags, which are few, by one mask over a table of bytes.
"""

from __future__ import annotations

import numpy as np

from suppress.check.hashing import PAD, TAILS, Folding, Hashes, Numbers, words
from suppress.check.marks import Bytes, Mask
from suppress.check.plain import Cells
from suppress.check.reach import below
from suppress.core.aliases import Provider, providers

_ONE = np.uint64(1)


class Known:
    """A set of hashes, in order, with a bitmap of their leading bits in front."""

    def __init__(self, hashes: Hashes) -> None:
        self._hashes = hashes
        bits = max(10, (16 * len(hashes)).bit_length())
        self._shift = np.uint64(64 - bits)
        self._bitmap: Bytes = np.zeros((1 << bits) // 8, np.uint8)
        # In parts, so that what is made of them stays small.
        for start in range(0, len(hashes), 1 << 20):
            self._note(hashes[start : start + (1 << 20)] >> self._shift)

    def _note(self, places: Hashes) -> None:
        """Set bits, those of one byte together: assigning by index forgets all but one of equal indexes."""
        byte = places >> np.uint64(3)
        first = np.flatnonzero(np.diff(byte, prepend=~byte[:1]))
        bits = np.left_shift(1, places & np.uint64(7), dtype=np.uint64).astype(np.uint8)
        self._bitmap[byte[first]] |= np.bitwise_or.reduceat(bits, first)

    def has(self, asked: Hashes) -> Mask:
        """For each hash, whether it is in the set."""
        places = asked >> self._shift
        bits = self._bitmap[places >> np.uint64(3)] >> (places & np.uint64(7)).astype(np.uint8)
        met: Mask = (bits & 1) == 1
        some = np.flatnonzero(met)
        some = some[np.argsort(asked[some])]
        met[some] = self.places(asked[some]) >= 0
        return met

    def places(self, asked: Hashes) -> Numbers:
        """For each hash, the first place in the set where it is; -1 if it is not there."""
        if not len(self._hashes):
            return np.full(len(asked), -1)
        found = np.minimum(np.searchsorted(self._hashes, asked), len(self._hashes) - 1)
        return np.where(self._hashes[found] == asked, found, -1)


class Aliases:
    """The alias tier: the same answer as `suppress.core.aliases.alias_of`, for many plain cells at once."""

    def __init__(self, known: list[Known], folding: Folding) -> None:
        self._known = known
        self._folding = folding
        table = providers()
        names = list(table)
        hashes = folding.of([name.encode() for name in names])
        order = np.argsort(hashes)
        self._domains = hashes[order]
        kinds = list(dict.fromkeys(each.name for each in table.values()))
        self._by_kind = {kinds.index(each.name): each for each in table.values()}
        own = dict(zip(names, hashes, strict=True))
        said = [own[each.domains[0]] if (each := table[name]).one_domain else own[name] for name in names]
        self._said = np.array(said, np.uint64)[order]
        self._kinds = np.array([kinds.index(table[name].name) for name in names])[order]
        self._above = [f".{name}".encode() for name, each in table.items() if each.subdomains]

    def has(self, cells: Cells) -> Mask:
        """For each cell whether its alias key may be that of somebody in the ledger."""
        # Cells at a subdomain where names are aliases. They are few: all are selected that may be so.
        found = below(self._above, cells.lines.words, cells.ats, cells.ends)
        place = np.minimum(np.searchsorted(self._domains, cells.domain), len(self._domains) - 1)
        here = np.flatnonzero(self._domains[place] == cells.domain)
        place = place[here]
        for kind, provider in self._by_kind.items():
            own = np.flatnonzero(self._kinds[place] == kind)
            if len(own):
                local = self._squeezed(cells.some(here[own]), provider)
                both = self._folding.joined(local, self._said[place[own]])
                found[here[own]] = any_has(self._known, both)
        return found

    def _squeezed(self, cells: Cells, provider: Provider) -> Hashes:
        """The hashes of the local parts without what the provider does not see."""
        before = (_ONE << (cells.ats - cells.starts).view(np.uint64)) - _ONE
        dots = cells.lines.dots.window(cells.starts) & before
        other = cells.lines.joints.window(cells.starts) & before & ~dots != 0
        if provider.ignored == ".":
            local = self._without_dots(cells, dots)
        else:
            local = cells.local.copy()
            other |= bool(provider.ignored)
        some = np.flatnonzero(other)
        if some.size:
            local[some] = self._rewritten(cells.some(some), provider)
        return local

    def _without_dots(self, cells: Cells, dots: Hashes) -> Hashes:
        """The hashes of the local parts without their dots: what stands behind one moves up by a byte."""
        lengths = cells.ats - cells.starts
        view = cells.lines.words
        texts = [view[cells.starts + at] for at in range(0, int(lengths.max()), 8)]
        lengths = lengths - np.bitwise_count(dots)
        moving = np.flatnonzero(dots)
        while moving.size:
            # The last dot first, so that the others stay where they are.
            last = np.bitwise_count(_filled(dots[moving])).astype(np.int64) - 1
            for number in range(len(texts)):
                word = texts[number][moving]
                moved = word >> np.uint64(8)
                if number + 1 < len(texts):
                    moved |= texts[number + 1][moving] << np.uint64(56)
                stays = TAILS.take(last - 8 * number, mode="clip")
                texts[number][moving] = word & stays | moved & ~stays
            dots[moving] ^= _ONE << last.view(np.uint64)
            moving = moving[dots[moving] != 0]
        return self._folding.of_words(texts, lengths)

    def _rewritten(self, cells: Cells, provider: Provider) -> Hashes:
        """The same for local parts in which there may be a tag."""
        lengths = cells.ats - cells.starts
        view = cells.lines.words
        texts = np.stack([view[cells.starts + at] for at in range(0, int(lengths.max()), 8)], axis=1)
        texts = texts.view(np.uint8)
        columns = np.arange(texts.shape[1])
        kept = columns < lengths[:, None]
        if provider.tag:
            kept &= ~np.logical_or.accumulate(texts == ord(provider.tag), axis=1)
        for each in provider.ignored:
            kept &= texts != ord(each)
        rest = kept.sum(axis=1)
        return self._folding.hashed(words(texts[kept].tobytes() + PAD), np.cumsum(rest) - rest, rest)


def _filled(found: Hashes) -> Hashes:
    """All bits up to the highest that is set."""
    for step in (1, 2, 4, 8, 16, 32):
        found = found | found >> np.uint64(step)
    return found


def any_has(sets: list[Known], asked: Hashes) -> Mask:
    """For each hash, whether it is in one of the sets."""
    found = sets[0].has(asked)
    for each in sets[1:]:
        found |= each.has(asked)
    return found
