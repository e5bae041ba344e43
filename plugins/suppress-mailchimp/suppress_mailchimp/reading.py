"""What an audience holds for some addresses, in as few requests as their number allows.

Rules kept here:

* Few addresses are asked for one by one; that shows archived members too, and says why and when.
* Once that has cost as many requests as reading the whole audience would, the audience is read: a page is a
  thousand members. From then on only what changed since is read, so that nobody's state is older than a
  minute, and after a write nobody's is older than the write.
* Pages shift while an audience changes. They are read in the order of change and each next one begins where
  the last one ended, so that whoever changes meanwhile is seen again at the end; if the count still does not
  add up, an address that was not seen is asked for by itself before it is called unknown.
* Nobody is called mailable after a write without having been asked for by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from suppress.plugin.contract import Evidence
from suppress.plugin.workers import in_order
from suppress_mailchimp import wire
from suppress_mailchimp.client import Client
from suppress_mailchimp.roster import Roster, Status, subscriber_hashes
from suppress_mailchimp.settings import Options

FRESH = 60.0
"""Seconds for which a reading of the whole audience is taken as it is, as long as nothing was written."""
_LAG = timedelta(seconds=5)
"""How much later than its own time a change may turn up in a listing."""
_TIE = timedelta(seconds=1)
"""Times are to the second, and whether `since_last_changed` includes its own second is not documented."""
_SHIFT = 50
"""Members by which a page may shift before the next one is asked for."""

PageOf = Callable[["datetime | None", int], wire.MemberPage]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one audience holds for one address; `hash` is the name to write to."""

    address: str
    audience: str
    hash: str
    status: Status | None
    member: wire.Member | None = None
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next page of a listing begins."""

    since: datetime | None = None
    offset: int = 0


def following(place: Place, page: wire.MemberPage) -> Place | None:
    """Where the page after this one begins; None after the last one."""
    if not page.members or place.offset + len(page.members) >= page.total:
        return None
    newest = page.members[-1].changed
    begin = None if newest is None else newest - _TIE
    if begin is not None and (place.since is None or begin > place.since):
        return Place(begin)
    # A whole page of one second, as after an import: further in it, with an overlap.
    return Place(place.since, place.offset + len(page.members) - min(_SHIFT, len(page.members) // 2))


def listed(page_of: PageOf, since: datetime | None = None) -> Iterator[wire.Member]:
    """Every member of a listing, some more than once."""
    place: Place | None = Place(since)
    while place is not None:
        page = page_of(place.since, place.offset)
        yield from page.members
        place = following(place, page)


class Reading:
    """Looks into one audience; `now` is a clock in seconds that only goes forward."""

    def __init__(
        self, client: Client, options: Options, audience: wire.Audience, now: Callable[[], float]
    ) -> None:
        self.audience = audience
        self._client = client
        self._options = options
        self._now = now
        self._roster: Roster | None = None
        self._whole = False
        self._newest: datetime | None = None
        self._read_at = 0.0
        self._written = False
        self._asked = 0

    def look(self, addresses: Sequence[str]) -> Iterator[Seen]:
        """What the audience holds for each address, in this order, before anything is written."""
        return self._looked(addresses, again=False)

    def look_again(self, addresses: Sequence[str]) -> Iterator[Seen]:
        """The same after a write, read anew."""
        return self._looked(addresses, again=True)

    def wrote(self) -> None:
        """What was read may no longer hold."""
        self._written = True

    def _looked(self, addresses: Sequence[str], *, again: bool) -> Iterator[Seen]:
        roster = self._roster_for(len(addresses))
        if roster is None:
            yield from in_order(self._ask, addresses, workers=self._options.connections)
            return
        seen = [self._found(roster, address) for address in addresses]
        unsure = [each.address for each in seen if self._is_unsure(each, again=again)]
        asked = in_order(self._ask, unsure, workers=self._options.connections)
        for each in seen:
            yield next(asked) if self._is_unsure(each, again=again) else each

    def _is_unsure(self, seen: Seen, *, again: bool) -> bool:
        if seen.status is None:
            return not self._whole
        return again and seen.status.mailable

    def _ask(self, address: str) -> Seen:
        names = subscriber_hashes(address)
        for name in names:
            member, evidence = self._client.member(self.audience.id, name)
            if member is not None:
                return Seen(address, self.audience.id, name, member.status, member, evidence)
        return Seen(address, self.audience.id, names[0], None, None, evidence)

    def _found(self, roster: Roster, address: str) -> Seen:
        names = subscriber_hashes(address)
        for name in names:
            status = roster.status(name)
            if status is not None:
                return Seen(address, self.audience.id, name, status)
        return Seen(address, self.audience.id, names[0], None)

    def _roster_for(self, count: int) -> Roster | None:
        """The whole audience, up to date; None as long as asking one by one is cheaper."""
        if self._roster is None:
            self._asked += count
            if self._asked <= self.audience.size // self._options.page_size + 2:
                return None
            self._roster = self._read()
        elif self._written or self._now() - self._read_at > FRESH:
            self._refresh(self._roster)
        return self._roster

    def _read(self) -> Roster:
        self._start()
        roster = Roster()
        roster.read((each.hash, each.status) for each in self._noting(listed(self._pages())))
        # Whoever was skipped, because pages shifted, makes the count too small.
        self._whole = len(roster) >= self._pages(count=1)(None, 0).total
        roster.read((each.hash, each.status) for each in listed(self._pages(Status.ARCHIVED)))
        return roster

    def _refresh(self, roster: Roster) -> None:
        self._start()
        since = None if self._newest is None else self._newest - _LAG
        # The archived ones first: who was brought back since is in both, and not archived.
        for status in (Status.ARCHIVED, None):
            for each in self._noting(listed(self._pages(status), since)):
                roster.update(each.hash, each.status)

    def _start(self) -> None:
        self._read_at, self._written = self._now(), False

    def _noting(self, members: Iterator[wire.Member]) -> Iterator[wire.Member]:
        for each in members:
            if each.changed is not None and (self._newest is None or each.changed > self._newest):
                self._newest = each.changed
            yield each

    def _pages(self, status: Status | None = None, *, count: int | None = None) -> PageOf:
        word = None if status is None else status.value

        def page(since: datetime | None, offset: int) -> wire.MemberPage:
            return self._client.members(
                self.audience.id,
                offset=offset,
                count=count or self._options.page_size,
                status=word,
                since=since,
            )

        return page
