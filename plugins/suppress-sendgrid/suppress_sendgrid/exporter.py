"""SendGrid as the engine drives it: the global list, or one unsubscribe group.

Rules kept here:

* Nothing is ever taken off a list, and no contact is made: the lists hold addresses (`calls`).
* What was told is verified by reading, never by the answer, which only repeats what was sent.
* A group that is gone ends the run before anything is written (`telling`).
"""

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
from suppress_sendgrid import wire
from suppress_sendgrid.client import Client
from suppress_sendgrid.examination import examined
from suppress_sendgrid.reading import Reader
from suppress_sendgrid.settings import Options
from suppress_sendgrid.sweep import Sweep
from suppress_sendgrid.telling import Teller, planned

_T = TypeVar("_T")


class SendGrid:
    """The global list of one account or subuser, or one of its unsubscribe groups."""

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
        self._reader = Reader(self._client, self._options, Outage())
        self._teller = Teller(self._client, self._reader, self._options, Outage())
        self._sweep = Sweep(self._client, self._options)

    def check(self) -> Iterable[Finding]:
        """Key, scopes, the group, the lists that a patrol reads, and how long a long list takes."""
        return examined(self._client, self._options)

    def plan(self, entries: Iterable[Suppressed]) -> Iterator[Planned]:
        """What a push would do, by reading each address."""
        return map(planned, self._seen(each.address for each in entries))

    def push(self, entries: Iterable[Suppressed], position: LedgerPosition) -> Iterator[Pushed]:  # noqa: ARG002
        """Put them on the list, several batches at once; each result as it is known."""
        told = concurrently(self._teller.tell, self._in_batches(entries), workers=self._options.connections)
        return chain.from_iterable(told)

    def poll(self, job: Job) -> Iterator[Pushed]:  # noqa: ARG002
        """SendGrid answers at once; there is no job."""
        return iter(())

    def read_back(self, addresses: Sequence[str]) -> Iterator[Observation]:
        """Whether the list holds each address."""
        return self._seen(addresses)

    def sweep(self, cursor: str | None) -> tuple[tuple[Observation, ...], str | None]:
        """A page of whom SendGrid does not mail, and since when."""
        try:
            return self._sweep.page(cursor)
        except wire.NotAsPromised as wrong:
            raise self._client.broken(str(wrong)) from None

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _seen(self, addresses: Iterable[str]) -> Iterator[Observation]:
        workers = self._options.connections
        if self._options.group is None:
            return in_order(self._reader.look, addresses, workers=workers)
        found = in_order(self._reader.look_many, self._in_batches(addresses), workers=workers)
        return chain.from_iterable(found)

    def _in_batches(self, items: Iterable[_T]) -> Iterator[list[_T]]:
        return batched(items, self._options.batch_size)
