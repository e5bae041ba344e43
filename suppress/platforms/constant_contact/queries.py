"""The ways in which people ask this platform for opt-outs, side by side, and whom each of them misses.

Rules kept here:

* Who opted out is what all queries together show as `permission_to_send = unsubscribed`. A query misses those
  of them whom it does not show; no query is taken for the truth.
* `updated_after` is held only against opt-outs since that date: it filters by the contact's own clock, which
  an unsubscribe does not move (community thread "Get contacts using updated_after doesn't return all
  contacts that are unsubscribed").
* Only numbers leave: contacts are kept as digests for as long as it takes to compare them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b

from suppress.core.reconcile import Permission
from suppress.errors import QuotaExhausted
from suppress.platforms.constant_contact import wire
from suppress.platforms.constant_contact.client import Client, Fetched
from suppress.platforms.constant_contact.dates import to_query
from suppress.plugin.contract import Compared

_PAGE = 500
_YEAR = timedelta(days=365)


@dataclass(slots=True)
class _Query:
    """One query, and what it showed."""

    parameters: dict[str, str]
    since: datetime | None = None
    contacts: set[int] = field(default_factory=set)
    opted_out: set[int] = field(default_factory=set)
    requests: int = 0

    @property
    def words(self) -> str:
        """As people would write it."""
        return "&".join(f"{key}={value}" for key, value in self.parameters.items()) or "(no status)"


@dataclass(slots=True)
class SideBySide:
    """All queries over one account; `now` is when the last year is counted from."""

    client: Client
    now: datetime
    deleted: set[int] = field(default_factory=set)
    recent: set[int] = field(default_factory=set)
    """Contacts that opted out within the last year."""

    @property
    def _year(self) -> datetime:
        return (self.now - _YEAR).replace(hour=0, minute=0, second=0, microsecond=0)

    def _queries(self) -> tuple[_Query, ...]:
        year = self._year
        return (
            _Query({"status": "unsubscribed"}),
            _Query({"status": "unsubscribed", "updated_after": to_query(year)}, since=year),
            _Query({}),
            _Query({"status": "deleted"}),
            _Query({"status": "all", "optout_after": "2000-01-01T00:00:00.000Z"}),
            _Query({"status": "all"}),
        )

    def cost(self) -> int:
        """How many requests `compare` will take, as the platform counts: one where it does not count.

        Raises:
            QuotaExhausted: They are more than what is left of the day.
        """
        counts = [self._first(query, limit=1).answer.count or 1 for query in self._queries()]
        cost = sum(max(1, -(-count // _PAGE)) for count in counts)
        left = self.client.pace.left()
        if left is not None and cost > left:
            raise QuotaExhausted(
                f"comparing queries would take {cost:,} requests, and {left:,} are left today; "
                "they are reset at 00:00 UTC"
            )
        return cost

    def compare(self) -> tuple[Compared, ...]:
        """Ask in every way.

        Raises:
            SignInNeeded: There is no token, or the platform refuses it.
            QuotaExhausted: The day's requests are used up.
            SourceFailed: The platform did not answer, or not as its contract says.
        """
        queries = self._queries()
        for query in queries:
            self._walk(query)
        everyone = set[int]().union(*(query.opted_out for query in queries))
        return tuple(self._compared(query, everyone) for query in queries)

    def _compared(self, query: _Query, everyone: set[int]) -> Compared:
        wanted = everyone if query.since is None else everyone & self.recent
        missed = wanted - query.opted_out
        return Compared(
            query.words,
            contacts=len(query.contacts),
            found=len(query.opted_out),
            missed=len(missed),
            missed_deleted=len(missed & self.deleted),
            requests=query.requests,
            since=query.since,
        )

    def _first(self, query: _Query, *, limit: int) -> Fetched:
        return self.client.first({**query.parameters, "limit": str(limit), "include_count": "true"})

    def _walk(self, query: _Query) -> None:
        began = self.client.requests
        fetched = self._first(query, limit=_PAGE)
        followed: set[str] = set()
        while True:
            for contact in fetched.answer.contacts:
                self._see(query, contact)
            href = fetched.answer.next
            if href is None:
                query.requests = self.client.requests - began
                return
            if href in followed:
                raise self.client.failed("the pages lead in a circle")
            followed.add(href)
            fetched = self.client.following(href)

    def _see(self, query: _Query, contact: object) -> None:
        try:
            row = wire.row(contact, source=self.client.source, query=query.words, fetched_at=self.now)
        except wire.NotAsPromised as wrong:
            raise self.client.failed(str(wrong)) from None
        key = int.from_bytes(blake2b(row.identity.encode(), digest_size=8).digest(), "big")
        query.contacts.add(key)
        if row.observed.permission is not Permission.OPTED_OUT:
            return
        query.opted_out.add(key)
        if row.observed.deleted:
            self.deleted.add(key)
        at = row.observed.opted_out_at
        if at is not None and at > self._year:
            self.recent.add(key)
