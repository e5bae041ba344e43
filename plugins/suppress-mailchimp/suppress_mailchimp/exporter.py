"""A Mailchimp account that is told who may not be mailed: reads, decides, writes, reads back.

An opt-out is per audience there, so an address counts as suppressed when every audience that holds it says
so; with several audiences, the worst answer of any is the address's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from suppress.config import DestinationSettings
from suppress.core.batches import batched
from suppress.errors import ConfigWrong, SuppressError
from suppress.plugin.contract import (
    Capabilities,
    Delivery,
    Finding,
    Job,
    LedgerPosition,
    Observation,
    Outcome,
    Planned,
    Pushed,
    Reach,
    Remote,
    Result,
    Severity,
    Suppressed,
    Unknowns,
)
from suppress.plugin.pace import Clock
from suppress.plugin.transport import Patience
from suppress_mailchimp import wire
from suppress_mailchimp.client import Client
from suppress_mailchimp.judging import Change, Gathering, Todo, decided, intended, worst_state
from suppress_mailchimp.reading import Place, Reading, Seen, following
from suppress_mailchimp.settings import CAPABILITIES, Archived, Method, Options, Unknown
from suppress_mailchimp.telling import Teller

TOGETHER = 5_000
"""Addresses that are looked at before any of them is written: the most that a crash makes do again."""
TRACED = 100
"""People who are mailable again of whom it is asked how they came back: a request each."""
TOGETHER_TOLD, ONE_BY_ONE = 25, 1_025
"""Requests for a thousand people, measured: by list calls or batches, and by a call each. Most of the first
are pages that are read before and after, because an audience changes meanwhile."""
_SWEPT = ("unsubscribed", "cleaned")
"""What a sweep shows. Archived members are hidden by the owner; that says nothing of the person's wish."""

_T = TypeVar("_T")


class Mailchimp:
    """One audience, or every audience, of one account."""

    def __init__(
        self, settings: DestinationSettings, *, clock: Clock | None = None, patience: Patience | None = None
    ) -> None:
        self.name = settings.name
        self._options = Options.of(settings)
        self._clock = clock or Clock()
        self._client = Client(self._options, clock=clock, patience=patience)
        self._teller = Teller(self._client, self._options, self._clock.utc)
        self._audiences: tuple[Reading, ...] = ()
        self._forgotten: set[str] = set()
        """Addresses that the platform said can never be added again; reading shows nothing of them."""
        self._traces = 0
        self._shown: dict[str, datetime | None] = {}
        """Members whom the next page of a sweep may show again."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do with these settings."""
        options = self._options
        by_job = options.method is Method.BATCHES
        creates = options.unknown is Unknown.CREATE_SUPPRESSED
        return replace(
            CAPABILITIES,
            delivery=Delivery.JOB if by_job else Delivery.SYNC,
            creates_unknown=Unknowns.ALWAYS if creates else Unknowns.NEVER,
            max_batch=options.list_call_size,
            max_concurrency=options.connections,
            per_thousand=ONE_BY_ONE if options.method is Method.PATCH else TOGETHER_TOLD,
            reach=Reach.TARGET if options.audience else Reach.ACCOUNT,
        )

    def check(self) -> Iterable[Finding]:
        """Whether the credentials work, which audiences there are, and what the settings mean there."""
        try:
            self._client.ping()
            yield Finding(self.name, Severity.PASS, f"{self._client.host} takes the credentials")
            readings = self._readings()
        except SuppressError as failed:
            yield Finding(self.name, Severity.FAIL, failed.message, hint=failed.remedy)
            return
        for each in readings:
            about = f"about {each.audience.size:,} contacts"
            yield Finding(f"audience {each.audience.id}", Severity.PASS, about)
        if self._options.unknown is Unknown.CREATE_SUPPRESSED:
            yield Finding(
                self.name,
                Severity.WARN,
                "unknown people are added as unsubscribed, and Mailchimp bills for them",
            )
        if self._options.archived is Archived.STRICT:
            yield Finding(
                self.name,
                Severity.WARN,
                "archived people are brought back for a moment, as unsubscribed, and archived again",
            )

    def plan(self, entries: Iterable[Suppressed]) -> Iterator[Planned]:
        """What `push` would do. Reads only."""
        for part in batched(entries, TOGETHER):
            found: dict[str, list[Seen]] = {each.address: [] for each in part}
            for reading in self._readings():
                for seen in reading.look(list(found)):
                    found[seen.address].append(seen)
            for each in part:
                yield self._planned(each.address, found[each.address])

    def push(self, entries: Iterable[Suppressed], position: LedgerPosition) -> Iterator[Pushed]:
        """Unsubscribe whoever is mailed, and say of everybody what became of them."""
        del position
        for part in batched(entries, TOGETHER):
            gathering = Gathering()
            changes: list[Change] = []
            addresses = [each.address for each in part]
            for reading in self._readings():
                for seen in reading.look(addresses):
                    todo = decided(seen.status, self._options)
                    state = wire.remote(seen.status)
                    if isinstance(todo, Todo):
                        change = Change(seen.address, reading.audience.id, seen.hash, todo, state)
                        gathering.expect(change)
                        changes.append(change)
                    else:
                        gathering.note(Result(seen.address, todo, state, state, seen.evidence))
                if changes:
                    reading.wrote()
            yield from gathering.done()
            yield from self._noted(self._teller.tell(changes, gathering))

    def poll(self, job: Job) -> Iterator[Pushed]:
        """What became of a batch.

        Raises:
            DestinationFailed: It is one of an earlier run, and no longer there.
        """
        for reading in self._readings():
            reading.wrote()
        yield from self._noted(self._teller.poll(job))

    def read_back(self, addresses: Sequence[str]) -> Iterator[Observation]:
        """What the audiences hold, read anew."""
        for part in batched(addresses, TOGETHER):
            found: dict[str, list[Seen]] = {each: [] for each in part}
            for reading in self._readings():
                for seen in reading.look_again(list(found)):
                    found[seen.address].append(seen)
            for address in part:
                yield self._observed(address, found[address])

    def sweep(self, cursor: str | None) -> tuple[tuple[Observation, ...], str | None]:
        """A page of people who unsubscribed or bounced, audience by audience, each shown once."""
        if cursor is None:
            self._shown.clear()
        readings = self._readings()
        audience, word, place = _placed(cursor)
        if audience >= len(readings):
            return (), None
        page = self._client.suppressed(
            readings[audience].audience.id,
            offset=place.offset,
            count=self._options.page_size,
            status=_SWEPT[word],
            since=place.since,
        )
        shown = tuple(
            Observation(each.address, each.remote, each.reason, each.changed, kind=each.kind)
            for each in page.members
            if each.address and each.hash not in self._shown
        )
        place_after = following(place, page)
        self._remember(page, place_after)
        if place_after is not None:
            return shown, _cursor(audience, word, place_after)
        if word + 1 < len(_SWEPT):
            return shown, _cursor(audience, word + 1, Place())
        return shown, _cursor(audience + 1, 0, Place()) if audience + 1 < len(readings) else None

    def _remember(self, page: wire.MemberPage, after: Place | None) -> None:
        """Pages overlap; only members of the last second or so can be seen twice."""
        if after is None:
            self._shown.clear()
            return
        self._shown |= {each.hash: each.changed for each in page.members}
        if (since := after.since) is not None:
            self._shown = {name: at for name, at in self._shown.items() if at is None or at >= since}

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _readings(self) -> tuple[Reading, ...]:
        if not self._audiences:
            one = self._options.audience
            found = self._client.audiences() if one is None else (self._client.audience(one),)
            if not found:
                raise ConfigWrong(
                    f"destination {self.name!r}: the account has no audience, so nobody could be told",
                    remedy="check that the key is that of the right account",
                )
            now = self._clock.monotonic
            self._audiences = tuple(Reading(self._client, self._options, each, now) for each in found)
        return self._audiences

    def _planned(self, address: str, found: Sequence[Seen]) -> Planned:
        state = worst_state(wire.remote(each.status) for each in found)
        held = [each.status for each in found if each.status is not None]
        todos = [decided(each, self._options) for each in held or (None,)]
        first = next((each for each in todos if isinstance(each, Todo)), todos[0])
        return Planned(address, intended(first), state)

    def _observed(self, address: str, found: Sequence[Seen]) -> Observation:
        state = worst_state(wire.remote(each.status) for each in found)
        if state is Remote.UNKNOWN and address in self._forgotten:
            return Observation(address, Remote.NOT_MAILABLE, "permanently deleted")
        seen = next(each for each in found if wire.remote(each.status) is state)
        member = seen.member
        if member is None:
            return Observation(address, state, evidence=seen.evidence)
        by = self._traced(seen, member) if state is Remote.MAILABLE else None
        return Observation(address, state, member.reason, member.changed, seen.evidence, member.kind, by)

    def _traced(self, seen: Seen, member: wire.Member) -> str | None:
        """Through what somebody is mailed: their last sign-up, or what first brought them."""
        self._traces += 1
        found = self._client.came_back(seen.audience, seen.hash) if self._traces <= TRACED else None
        return found or member.source

    def _noted(self, answers: Iterable[Result | Job]) -> Iterator[Result | Job]:
        for each in answers:
            match each:
                case Result(outcome=Outcome.NOT_MAILABLE):
                    self._forgotten.add(each.address)
            yield each


def _cursor(audience: int, word: int, place: Place) -> str:
    since = None if place.since is None else place.since.isoformat()
    return json.dumps([audience, word, since, place.offset])


def _placed(cursor: str | None) -> tuple[int, int, Place]:
    if cursor is None:
        return 0, 0, Place()
    audience, word, since, offset = json.loads(cursor)
    return audience, word, Place(None if since is None else datetime.fromisoformat(since), offset)
