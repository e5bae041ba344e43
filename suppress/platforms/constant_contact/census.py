"""How a run proves that it saw everything: contacts are told apart, counted, and compared between passes.

The platform pages by number over a live list, so rows shift between pages when contacts change during a walk:
a page may repeat a row or skip one, and the sort order is documented nowhere. So no single walk is trusted.

Rules kept here:

* A walk is *whole* when the platform's own count (`contacts_count`) was the same on its first and last page
  and equals the number of distinct contacts that it showed. Without a count, only a single page is whole:
  there is no border at which a row could be lost.
* A census makes three walks: everyone (`status=all`), `unsubscribed`, `deleted`. Each contact that two of
  them must both show, and only one did, is a *difference*. A contact that both showed in different states
  has simply changed in between and is none.
* A row that cannot be read takes nothing from the others, but no run with one is complete.
* One round without differences, of whole walks only, proves the census. Otherwise there are more rounds, up
  to three, each with other page borders. From the second on, a live account is complete when
    - no walk's count promises more contacts than all rounds together have shown, and
    - no contact differs in the same way twice: change moves on, incompleteness stays.
* Nothing that was seen is ever taken back. All of this decides only whether a run may be called complete.

Contacts are kept as 64-bit digests with a few bits of state, so that a million of them fit into memory.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from hashlib import blake2b

from suppress.core.reconcile import Permission
from suppress.platforms.constant_contact.wire import Row

ROUNDS = 3
LIMITS = (500, 487, 463)
"""Rows a page, round by round. Prime to one another, so that borders of pages hardly ever coincide: a row
that is lost at one is not lost again."""
NEW_SINCE = timedelta(minutes=10)
"""A contact created after the run began, by the platform's clock give or take this, was not missed before."""


class Pass(IntEnum):
    """One walk of a round; the value is its bit in a contact's state."""

    ALL = 1 << 0
    UNSUBSCRIBED = 1 << 1
    DELETED = 1 << 2
    RECENT = 1 << 3
    SMS = 1 << 13


_ALL_SHOWED_OPT_OUT = 1 << 4
_ALL_SHOWED_DELETED = 1 << 5
_ROUND = (1 << 6) - 1 | Pass.SMS
_EVER_OPTED_OUT = 1 << 6
_EVER_IN_NAIVE = 1 << 7
_OPTED_OUT = 1 << 8
_DELETED = 1 << 9
_MAILABLE = 1 << 10
_NO_ADDRESS = 1 << 11
_SEEN = 1 << 12
_DETAIL_AT = 14
_LATEST = _OPTED_OUT | _DELETED | _MAILABLE | _NO_ADDRESS | (0xFFFFFFFF << _DETAIL_AT)


@dataclass(slots=True)
class Walk:
    """One query followed from its first page to its last, and what the platform said about its length."""

    step: str
    shown_in: Pass
    pages: int = 0
    rows: int = 0
    distinct: int = 0
    fresh: int = 0
    """Contacts that no walk of this run had shown before, and that are not new at the platform either."""
    unreadable: int = 0
    """Rows that are no contacts as the contract promises, or whose permission cannot be told."""
    why_unreadable: str = ""
    barren: int = 0
    """Pages since the last contact that this walk had not shown."""
    first_count: int | None = None
    last_count: int | None = None

    def turn_page(self, rows: int, count: int | None) -> None:
        """Take note of a page, before its rows are seen."""
        self.barren += 1
        self.pages += 1
        self.rows += rows
        if count is not None:
            self.first_count = count if self.first_count is None else self.first_count
            self.last_count = count

    @property
    def whole(self) -> bool:
        """Whether this walk alone proves that it showed everything."""
        if self.first_count is None:
            return self.pages <= 1
        return self.first_count == self.last_count == self.distinct + self.unreadable

    @property
    def promised(self) -> int | None:
        """How many contacts there were all the while, at least, by the platform's own count."""
        if self.first_count is None or self.last_count is None:
            return None
        return min(self.first_count, self.last_count)


@dataclass(frozen=True, slots=True)
class Differences:
    """Contacts, as digests, that one walk of a round showed and another one should have shown too."""

    not_in_all: frozenset[int] = frozenset()
    not_in_unsubscribed: frozenset[int] = frozenset()
    not_in_deleted: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.not_in_all or self.not_in_unsubscribed or self.not_in_deleted)

    def repeated(self, earlier: Differences) -> Differences:
        """Those that were there in an earlier round already."""
        return Differences(
            self.not_in_all & earlier.not_in_all,
            self.not_in_unsubscribed & earlier.not_in_unsubscribed,
            self.not_in_deleted & earlier.not_in_deleted,
        )

    def problems(self) -> tuple[str, ...]:
        """In words."""
        found = (
            (
                self.not_in_all,
                "contacts that status=unsubscribed or status=deleted shows are missing in status=all",
            ),
            (self.not_in_unsubscribed, "visible opt-outs of status=all are missing in status=unsubscribed"),
            (self.not_in_deleted, "deleted contacts of status=all are missing in status=deleted"),
        )
        return tuple(f"{len(contacts):,} {what}" for contacts, what in found if contacts)


@dataclass(frozen=True, slots=True)
class Totals:
    """Distinct contacts of a run, by what was last seen of them; an opt-out once seen stays counted."""

    contacts: int = 0
    opted_out: int = 0
    opted_out_deleted: int = 0
    missed_by_naive: int = 0
    """Deleted opt-outs that no `status=unsubscribed` walk showed."""
    deleted: int = 0
    mailable: int = 0
    without_address: int = 0


@dataclass(slots=True)
class Tally:
    """Every contact that a run has seen. `began` is when the run began, by our clock."""

    began: datetime
    _seen: dict[int, int] = field(default_factory=dict)

    def see(self, row: Row, walk: Walk) -> bool:
        """Take note of a row; whether it says anything that this run does not know yet."""
        key = int.from_bytes(blake2b(row.identity.encode(), digest_size=8).digest(), "big")
        before = self._seen.get(key, 0)
        latest = _latest(row)
        if not before & walk.shown_in:
            walk.distinct += 1
            walk.barren = 0
        if not before and not (row.created_at is not None and row.created_at > self.began - NEW_SINCE):
            walk.fresh += 1
        now = (before & ~_LATEST) | latest | _SEEN | walk.shown_in
        if walk.shown_in is Pass.ALL:
            now |= _ALL_SHOWED_OPT_OUT if latest & _OPTED_OUT else 0
            now |= _ALL_SHOWED_DELETED if latest & _DELETED else 0
        if walk.shown_in is Pass.UNSUBSCRIBED:
            now |= _EVER_IN_NAIVE
        if latest & _OPTED_OUT:
            now |= _EVER_OPTED_OUT
        self._seen[key] = now
        return not before or before & _LATEST != latest

    def next_round(self) -> None:
        """Forget which walk showed what; what was seen stays."""
        for key in self._seen:
            self._seen[key] &= ~_ROUND

    def known(self, shown_in: Pass) -> int:
        """Contacts of which this run knows that such a walk has to show them, from whatever walk."""
        match shown_in:
            case Pass.UNSUBSCRIBED:
                return sum(
                    1
                    for bits in self._seen.values()
                    if bits & shown_in or (bits & _OPTED_OUT and not bits & _DELETED)
                )
            case Pass.DELETED:
                return sum(1 for bits in self._seen.values() if bits & (shown_in | _DELETED))
            case _:
                return len(self._seen)

    def differences(self) -> Differences:
        """Of the three walks of this round.

        That `status=deleted` shows people who had unsubscribed before is inferred, not documented. If it
        shows none of them at all, that is how the platform reads the word, and no difference.
        """
        all_, unsubscribed, deleted = [], [], []
        shows_opted_out = False
        for key, bits in self._seen.items():
            in_all, in_unsubscribed, in_deleted = (
                bits & each for each in (Pass.ALL, Pass.UNSUBSCRIBED, Pass.DELETED)
            )
            if in_deleted and bits & (_OPTED_OUT | _ALL_SHOWED_OPT_OUT):
                shows_opted_out = True
            if not in_all:
                if in_unsubscribed or in_deleted:
                    all_.append(key)
            elif bits & _ALL_SHOWED_DELETED:
                if not in_deleted and not in_unsubscribed:
                    deleted.append(key)
            elif bits & _ALL_SHOWED_OPT_OUT and not in_unsubscribed and not in_deleted:
                unsubscribed.append(key)
        if not shows_opted_out:
            deleted = [key for key in deleted if not self._seen[key] & _ALL_SHOWED_OPT_OUT]
        return Differences(frozenset(all_), frozenset(unsubscribed), frozenset(deleted))

    def totals(self) -> Totals:
        """The counts of the whole run."""
        opted_out = opted_out_deleted = missed = deleted = mailable = without = 0
        for bits in self._seen.values():
            gone = bool(bits & _DELETED)
            ever = bool(bits & _EVER_OPTED_OUT)
            deleted += gone
            opted_out += ever
            opted_out_deleted += ever and gone
            missed += ever and gone and not bits & _EVER_IN_NAIVE
            mailable += bool(bits & _MAILABLE)
            without += bool(bits & _NO_ADDRESS)
        return Totals(len(self._seen), opted_out, opted_out_deleted, missed, deleted, mailable, without)


def _latest(row: Row) -> int:
    observed = row.observed
    detail = f"{observed.fingerprint!r}{observed.address and observed.address.raw!r}{observed.word}"
    state = zlib.crc32(detail.encode()) << _DETAIL_AT
    if observed.permission is Permission.OPTED_OUT:
        state |= _OPTED_OUT
    if observed.permission is Permission.MAILABLE:
        state |= _MAILABLE
    if observed.deleted:
        state |= _DELETED
    if observed.address is None:
        state |= _NO_ADDRESS
    return state


def shortfalls(walks: Mapping[Pass, Walk], tally: Tally, round_: int) -> tuple[str, ...]:
    """What the platform counts and this run, over all its rounds, has not seen, in words."""
    found = []
    for shown_in, walk in walks.items():
        known = tally.known(shown_in) + walk.unreadable
        promised = walk.promised
        if promised is not None and known < promised:
            found.append(
                f"{walk.step} counts {promised:,} contacts, but only {known:,} were shown in {round_} rounds"
            )
        elif promised is None and walk.fresh:
            found.append(f"{walk.step} showed {walk.fresh:,} contacts that earlier rounds had not")
    return tuple(found)


def unreadable(walks: Iterable[Walk]) -> tuple[str, ...]:
    """The rows that could not be read, in words without anybody's values."""
    return tuple(
        f"{walk.unreadable:,} rows of {walk.step} cannot be read ({walk.why_unreadable})"
        for walk in walks
        if walk.unreadable
    )
