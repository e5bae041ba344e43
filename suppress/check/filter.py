"""The filter: which plain addresses may be somebody's by an alias, or concern a domain rule.

It selects, and never decides. It may select too many, as hashes may join and a rule may be for other mail; it
never selects too few.

Tricks, by name:

* *Names by length first*: whether a domain lies below another is asked for those of its endings only that are
  as long as some name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from suppress.check.compiled import compiled, inlined
from suppress.check.hashing import (
    FOLD,
    Bytes,
    Folding,
    Hashes,
    Numbers,
    joined,
    length_hash,
    mixed,
    text_hash,
)
from suppress.check.known import Arrays, Known, Mask, marked, place_of
from suppress.check.scan import LONGEST, Cells
from suppress.core.aliases import providers
from suppress.core.domains import DomainRules

_BYTE, _EIGHT = np.uint64(8), 8
_NONE = np.uint64(0)
_DOT = ord(".")


class _Providers(NamedTuple):
    """The alias tier's table as compiled code asks it."""

    domains: Arrays
    said: Hashes
    """For each domain the hash of the one that its alias keys have."""
    ignored: Mask
    """For each domain, which bytes its provider does not see in a local part."""
    tags: Bytes
    """For each domain the byte from which on its provider sees nothing; 0 for none."""


class Aliases:
    """The alias tier: the same answer as `suppress.core.aliases.alias_of`, for many plain cells at once."""

    def __init__(self, known: list[Known], folding: Folding) -> None:
        self._known = known
        self._odd = folding.odd
        table = providers()
        own = folding.of([name.encode() for name in table])
        by_name = dict(zip(table, own, strict=True))
        order = np.argsort(own)
        rows = [list(table.items())[at] for at in order]
        said = [by_name[each.domains[0] if each.one_domain else name] for name, each in rows]
        ignored = np.zeros((len(rows), 256), bool)
        for each, (_, provider) in zip(ignored, rows, strict=True):
            each[list(provider.ignored.encode())] = True
        tags = np.array([ord(each.tag or "\0") for _, each in rows], np.uint8)
        self._providers = _Providers(Known(own[order]).arrays, np.array(said, np.uint64), ignored, tags)
        self._above = _Above((name for name, each in table.items() if each.subdomains), folding)

    def mark(self, cells: Cells, found: Mask) -> None:
        """Note for each cell whether its alias key may be that of somebody in the ledger."""
        # Those at a subdomain where names are aliases are few: all are selected that may be so.
        self._above.mark(cells, found)
        which, places = np.empty((2, len(found)), np.int64)
        many = _at_providers(cells.domains, self._providers.domains, which, places)
        which, looser = which[:many], np.empty(many, np.uint64)
        _alias_hashes(
            cells.text, cells.starts, cells.signs, which, places, self._providers, self._odd, looser
        )
        found[which[marked(self._known, looser)]] = True


class Reach:
    """Whom domain rules may concern."""

    def __init__(self, rules: DomainRules, folding: Folding) -> None:
        names = sorted({rule.domain.encode() for rule in rules.rules})
        self._domains = Known(np.sort(folding.of(names)))
        self._above = _Above((rule.domain for rule in rules.rules if rule.subdomains), folding)

    def mark(self, cells: Cells, found: Mask) -> None:
        """Note for each cell whether there is a rule for its domain, or for one above it."""
        self._domains.mark(cells.domains, found)
        self._above.mark(cells, found)


class _Above:
    """Domains above others."""

    def __init__(self, names: Iterable[str], folding: Folding) -> None:
        # No longer name is above the domain of a plain cell.
        short = sorted({name.encode() for name in names if len(name) < LONGEST})
        self._odd = folding.odd
        self._names = Known(np.sort(folding.of(short)))
        self._lengths = np.array(sorted(set(map(len, short))), np.int64)

    def mark(self, cells: Cells, found: Mask) -> None:
        """Note for each cell whether its domain may lie below one of these."""
        if len(self._names):
            _below(
                cells.text,
                cells.words,
                cells.signs,
                cells.ends,
                self._lengths,
                self._odd,
                found,
                self._names.arrays,
            )


@compiled
def _below(
    text: Bytes,
    view: Hashes,
    signs: Numbers,
    ends: Numbers,
    lengths: Numbers,
    odd: Hashes,
    found: Mask,
    names: Arrays,
) -> None:
    for number in range(len(signs)):
        for length in lengths:
            start = ends[number] - length
            if start > signs[number] + 1 and text[start - 1] == _DOT:
                asked = text_hash(view, start, ends[number], odd)
                found[number] |= place_of(names, asked) >= 0


@compiled
def _at_providers(domains: Hashes, providers: Arrays, which: Numbers, places: Numbers) -> int:
    """Fill in which cells have a provider's domain, and its place in the table; how many they are."""
    many = 0
    for number in range(len(domains)):
        which[many], places[many] = number, place_of(providers, domains[number])
        many += places[many] >= 0
    return many


@compiled
def _alias_hashes(
    text: Bytes,
    starts: Numbers,
    signs: Numbers,
    which: Numbers,
    places: Numbers,
    providers: _Providers,
    odd: Hashes,
    found: Hashes,
) -> None:
    """Put the hashes of the alias keys of some cells into `found`."""
    for number in range(len(which)):
        cell, place = which[number], places[number]
        local = _seen_hash(text, starts[cell], signs[cell], place, providers, odd)
        found[number] = joined(local, providers.said[place], odd)


@inlined
def _seen_hash(
    text: Bytes, start: int, stop: int, place: int, providers: _Providers, odd: Hashes
) -> np.uint64:
    """As `text_hash`, of what the provider at this place of the table sees of a local part."""
    state, word, length, tag = _NONE, _NONE, 0, providers.tags[place]
    for at in range(start, stop):
        byte = text[at]
        if byte == tag:
            break
        if not providers.ignored[place, byte]:
            word |= np.uint64(byte) << _BYTE * np.uint64(length % _EIGHT)
            length += 1
            if length % _EIGHT == 0:
                state += mixed(word | FOLD, length // _EIGHT - 1, odd)
                word = _NONE
    if length % _EIGHT:
        kept = ~_NONE >> _BYTE * np.uint64(_EIGHT - length % _EIGHT)
        state += mixed((word | FOLD) & kept, length // _EIGHT, odd)
    return state + length_hash(length, odd)
