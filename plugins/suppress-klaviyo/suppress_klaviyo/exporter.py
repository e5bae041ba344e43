"""Klaviyo as the engine drives it: profiles are read, suppressed in jobs, and read again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TypeVar

from suppress.config import DestinationSettings
from suppress.core.batches import batched
from suppress.plugin.contract import (
    Finding,
    Job,
    LedgerPosition,
    Observation,
    Planned,
    Pushed,
    Suppressed,
)
from suppress.plugin.outage import Outage
from suppress.plugin.pace import Clock
from suppress.plugin.transport import Patience
from suppress.plugin.workers import concurrently, in_order
from suppress_klaviyo import wire
from suppress_klaviyo.client import Client, evidence
from suppress_klaviyo.examination import examined
from suppress_klaviyo.reading import PROFILES, Reader, observed
from suppress_klaviyo.settings import Options
from suppress_klaviyo.telling import Teller

_TIME = "subscriptions.email.marketing.suppression.timestamp"
_EVERYONE = wire.query(f"greater-or-equal({_TIME},1970-01-01T00:00:00Z)", sort=_TIME)

_T = TypeVar("_T")


class Klaviyo:
    """One Klaviyo account."""

    def __init__(
        self,
        settings: DestinationSettings,
        *,
        clock: Clock | None = None,
        patience: Patience | None = None,
    ) -> None:
        clock = clock or Clock()
        self.name = settings.name
        self._options = Options.of(settings)
        self.capabilities = self._options.capabilities
        self._client = Client(settings, self._options, clock=clock, patience=patience)
        self._reader = Reader(self._client, Outage())
        # An outage of its own: between two jobs that fail there are readings that work.
        self._teller = Teller(self._client, self._reader, self._options, Outage(), clock=clock)

    def check(self) -> Iterable[Finding]:
        """Key, scopes, revision, and how long a long list takes."""
        return examined(self._client, self._options)

    def plan(self, entries: Iterable[Suppressed]) -> Iterator[Planned]:
        """What a push would do, by what the profiles show."""
        found = in_order(self._teller.plan, self._batches(entries), workers=self._options.connections)
        return chain.from_iterable(found)

    def push(self, entries: Iterable[Suppressed], position: LedgerPosition) -> Iterator[Pushed]:  # noqa: ARG002
        """Start jobs for those who would be mailed; results for the others."""
        found = concurrently(self._teller.tell, self._batches(entries), workers=self._options.connections)
        return chain.from_iterable(found)

    def poll(self, job: Job) -> Iterator[Pushed]:
        """The job again while it runs, then what the profiles of its people show."""
        return self._teller.poll(job)

    def read_back(self, addresses: Sequence[str]) -> Iterator[Observation]:
        """What the profiles show."""
        found = in_order(self._reader.look, self._batches(addresses), workers=self._options.connections)
        return (each.observation for each in chain.from_iterable(found))

    def sweep(self, cursor: str | None) -> tuple[tuple[Observation, ...], str | None]:
        """A page of suppressed profiles, oldest suppression first, with reason and time."""
        reply = self._client.profiles(cursor or _EVERYONE)
        try:
            found, following = wire.profiles(reply.json)
        except wire.NotAsPromised as wrong:
            raise self._client.broken(str(wrong)) from None
        proof = evidence(PROFILES, reply)
        shown = (observed(each.email, each, proof) for each in found if each.email and each.mailable is False)
        return tuple(shown), following

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def _batches(self, items: Iterable[_T]) -> Iterator[list[_T]]:
        return batched(items, self._options.batch_size)
