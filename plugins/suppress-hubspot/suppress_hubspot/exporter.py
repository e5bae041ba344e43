"""HubSpot as the engine drives it: single calls, or batches of a hundred with Marketing Hub Enterprise.

Rules kept here:

* The opt-out belongs to the address, with or without a contact. Nothing here makes, changes or deletes a
  contact, and nothing can opt anybody in (`calls`).
* What was told is verified by the account-wide check, `GET …/unsubscribe-all`, never by the contact's
  `hs_email_optout`, which is a mirror and may be behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TypeVar

from suppress.config import DestinationSettings
from suppress.core.batches import batched
from suppress.plugin.contract import (
    Evidence,
    Finding,
    Job,
    LedgerPosition,
    Observation,
    Planned,
    Pushed,
    Remote,
    Suppressed,
)
from suppress.plugin.outage import Outage
from suppress.plugin.pace import Clock
from suppress.plugin.transport import Patience
from suppress.plugin.workers import concurrently, in_order
from suppress_hubspot import sweep, wire
from suppress_hubspot.batch import Batch
from suppress_hubspot.client import Client
from suppress_hubspot.examination import examined
from suppress_hubspot.settings import Options
from suppress_hubspot.single import Single

_T = TypeVar("_T")


class HubSpot:
    """One HubSpot account, or one brand of it."""

    def __init__(
        self,
        settings: DestinationSettings,
        *,
        clock: Clock | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.name = settings.name
        self._options = Options.of(settings)
        self.capabilities = self._options.capabilities
        self._client = Client(settings, self._options, clock=clock, patience=patience)
        # Apart: between two writes that fail there may be readings that work.
        writing, reading = Outage(), Outage()
        self._single = Single(self._client, self._options.business_unit, writing, reading)
        self._batch = Batch(self._client, self._options.business_unit, writing, reading, self._single)

    def check(self) -> Iterable[Finding]:
        """Token, scopes, Enterprise, time zone, requests left, and how long a long list takes."""
        return examined(self._client, self._options)

    def plan(self, entries: Iterable[Suppressed]) -> Iterator[Planned]:
        """What a push would do, by the account-wide check of each address."""
        workers = self._options.connections
        if not self._options.batch:
            return in_order(self._single.plan, entries, workers=workers)
        of_batches = in_order(self._batch.plan, self._in_batches(entries), workers=workers)
        return chain.from_iterable(of_batches)

    def push(self, entries: Iterable[Suppressed], position: LedgerPosition) -> Iterator[Pushed]:  # noqa: ARG002
        """Opt them out, several calls at once; each result as it is known."""
        workers = self._options.connections
        if not self._options.batch:
            return concurrently(self._single.tell, entries, workers=workers)
        of_batches = concurrently(self._batch.tell, self._in_batches(entries), workers=workers)
        return chain.from_iterable(of_batches)

    def poll(self, job: Job) -> Iterator[Pushed]:  # noqa: ARG002
        """HubSpot answers at once; there is no job."""
        return iter(())

    def read_back(self, addresses: Sequence[str]) -> Iterator[Observation]:
        """Whether each address is opted out of everything, as the account itself says."""
        workers = self._options.connections
        if not self._options.batch:
            return in_order(self._single.look, addresses, workers=workers)
        of_batches = in_order(self._batch.look, self._in_batches(addresses), workers=workers)
        return chain.from_iterable(of_batches)

    def sweep(self, cursor: str | None) -> tuple[tuple[Observation, ...], str | None]:
        """A page of contacts that are opted out; with batches also since when."""
        try:
            found, following = sweep.page(
                self._client.search, sweep.Cursor.read(cursor), most=self._options.search_results
            )
        except wire.NotAsPromised as wrong:
            raise self._client.broken(str(wrong)) from None
        shown = tuple(
            Observation(
                each.email,
                Remote.SUPPRESSED,
                "opted out of all e-mail",
                evidence=Evidence("contacts search", 200),
            )
            for each in found
            if each.opted_out and each.email
        )
        return self._dated(shown), None if following is None else str(following)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _dated(self, shown: tuple[Observation, ...]) -> tuple[Observation, ...]:
        """With the time of each opt-out, which no contact tells; one by one it costs too much."""
        if not self._options.batch:
            return shown
        seen = self.read_back([each.address for each in shown])
        return tuple(
            known if known.state is Remote.SUPPRESSED else each
            for each, known in zip(shown, seen, strict=True)
        )

    def _in_batches(self, items: Iterable[_T]) -> Iterator[list[_T]]:
        return batched(items, self._options.batch_size)
