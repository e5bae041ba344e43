"""Whom a destination must be told of, whom it lacks, and whom it was told of and holds still.

Rules kept here:

* A person is told under every spelling that is on record, because a destination may hold any of them as a
  contact of its own.
* Whoever consented since is not listed: nothing is sent about them, and whether the destination lets them go
  is for people to decide there. They are counted.
* Nothing here grows with the number of people, only with how many were erased, lifted or share an address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter

from suppress.core.batches import batched
from suppress.core.entry import Honoured, OptInRecorded, OptOutRecorded, SubjectAdded
from suppress.core.members import Members
from suppress.core.spelling import comparable
from suppress.core.suppression import Scope
from suppress.export import receipts
from suppress.export.losses import Losses
from suppress.export.sorting import NewestFirst
from suppress.ledger import Ledger, Listed
from suppress.plugin.contract import Suppressed

TOGETHER = 1_000
"""People whose entries are read at once."""


@dataclass(slots=True)
class Whom:
    """The people of one destination, at one position of the ledger."""

    ledger: Ledger
    destination: str
    target: Scope
    size: int
    """Entries from here on are news for the next run."""
    losses: Losses
    twins: dict[str, list[str]] = field(default_factory=dict)
    """Subject → others with the same address, for whom it stands too."""
    lifted: set[str] = field(init=False)
    """Subjects who consented; once everyone was listed, those of them who are not suppressed."""

    def __post_init__(self) -> None:
        self.lifted = set(self.ledger.lifted())

    def listed(self) -> Iterator[Listed]:
        """Everybody who may not be mailed there, sorted by match key, each once."""
        for _, same in groupby(self.ledger.suppressed(target=self.target), key=attrgetter("key")):
            first, *others = same
            yield self._together(first, others) if others else first

    def everyone(self) -> Iterator[Listed]:
        """The same, and it is seen what the destination cannot hold of it, and who is still suppressed."""
        for each in self.listed():
            self.losses.see(each)
            self.lifted.difference_update((each.subject, *self.twins.get(each.subject, ())))
            yield each

    def lacking(self, honoured: Honoured | None) -> NewestFirst:
        """Whom this receipt does not cover, newest first: all of them without one.

        A spelling that came up since is no news of the person, and news to the destination.
        """
        if honoured is None:
            return NewestFirst(self.everyone())
        upto, news = honoured.upto, Members(self.news(honoured))
        return NewestFirst(
            each
            for each in self.everyone()
            if each.heard > upto
            or each.subject in news
            or any(twin in news for twin in self.twins.get(each.subject, ()))
        )

    def released(self, receipt: Honoured | None) -> int:
        """People who consented since and of whom this destination was told before: it holds them still.

        To be asked once `everyone` was gone through.
        """
        if receipt is None or not self.lifted:
            return 0
        open_: list[tuple[str, int, int]] = []
        asked: dict[str, int] = {}
        for entry in self.ledger.about_people(self.lifted):
            match entry.body:
                case OptOutRecorded(subject=subject):
                    asked[subject] = entry.seq
                case OptInRecorded(subject=subject) if subject in asked:
                    open_.append((subject, asked.pop(subject), entry.seq))
        return len(receipts.held_between(self.ledger, self.destination, open_))

    def requests_of(self, people: Iterable[str]) -> tuple[set[int], set[int]]:
        """Every request of these people, not only the one that stands, and the entries that added them."""
        subjects = set(people)
        subjects.update(*(self.twins.get(subject, ()) for subject in tuple(subjects)))
        requests, beside = set[int](), set[int]()
        # The ledger holds the entries of all whom it is asked about: an account may have very many strays.
        for some in batched(subjects, TOGETHER):
            for entry in self.ledger.about_people(some):
                if entry.seq < self.size and isinstance(entry.body, (OptOutRecorded, SubjectAdded)):
                    (requests if isinstance(entry.body, OptOutRecorded) else beside).add(entry.seq)
        return requests, beside

    def news(self, honoured: Honoured) -> Iterator[str]:
        """Subjects of requests that came after the receipt, or that it excepts."""
        for first, stop in ((honoured.upto + 1, self.size), *_excepted(honoured)):
            for entry in self.ledger.entries(first, stop):
                if isinstance(entry.body, OptOutRecorded):
                    yield entry.body.subject

    def _together(self, first: Listed, others: Iterable[Listed]) -> Listed:
        """After a change of the index key one address may belong to two subjects."""
        spellings = {comparable(each): each for each in first.addresses}
        heard = first.heard
        twins = self.twins[first.subject] = []
        for other in others:
            twins.append(other.subject)
            heard = max(heard, other.heard)
            for each in other.addresses:
                spellings.setdefault(comparable(each), each)
        return replace(first, addresses=tuple(spellings.values()), heard=heard)


def _excepted(honoured: Honoured) -> Iterator[tuple[int, int]]:
    for first, last in receipts.runs(honoured):
        yield first, last + 1


def as_entries(people: Iterable[Listed], destination: str) -> Iterator[Suppressed]:
    """One entry for each spelling, those of a person next to one another."""
    for each in people:
        standing = each.suppression
        for number, address in enumerate(each.addresses):
            yield Suppressed(
                seq=standing.seq,
                key=each.key,
                address=address,
                scope=standing.scope,
                reason=standing.reason,
                occurred_at=standing.since,
                source=standing.source,
                idempotency_key=f"{standing.seq}.{number}:{destination}",
            )
