"""SES as the engine drives it: the suppression list of one account in one region.

Rules kept here:

* The list stops mail only for the reasons that are switched on. It is looked at before anything is told, and
  an entry whose reason is off counts for nothing: SES would mail that address.
* An entry with BOUNCE is the platform's own finding and stays as it is, unless that reason is off.
* Everyone is read before and after; the answer to a write is empty and proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from suppress.config import DestinationSettings
from suppress.core.suppression import Reason
from suppress.plugin.addresses import flaw
from suppress.plugin.contract import (
    Evidence,
    Finding,
    Intent,
    Job,
    LedgerPosition,
    Observation,
    Outcome,
    Planned,
    Pushed,
    Remote,
    Result,
    Suppressed,
)
from suppress.plugin.errors import RecordRejected
from suppress.plugin.outage import BEARABLE, Outage
from suppress.plugin.pace import Clock
from suppress.plugin.transport import Patience
from suppress.plugin.workers import concurrently, in_order
from suppress_ses.calls import REASON
from suppress_ses.client import Client, instant
from suppress_ses.examination import examined, switched_on
from suppress_ses.settings import Options

_KINDS = {"BOUNCE": (Remote.NOT_MAILABLE, Reason.BOUNCED), REASON: (Remote.SUPPRESSED, Reason.COMPLAINT)}
_DONE = {Remote.SUPPRESSED: Outcome.ALREADY, Remote.NOT_MAILABLE: Outcome.NOT_MAILABLE}
_TELLING, _READING = "PutSuppressedDestination", "GetSuppressedDestination"
_UNREAD = frozenset({"/", "\\"})


class Ses:
    """The suppression list of one account in one region, or of one tenant of it."""

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
        self._writing, self._reading = Outage(), Outage()

    def check(self) -> Iterable[Finding]:
        """Credentials, the reasons that are switched on, configuration sets, the list, and the time."""
        return examined(self._client, self._options)

    def plan(self, entries: Iterable[Suppressed]) -> Iterator[Planned]:
        """What a push would do, by reading each address."""
        for seen in self._seen(each.address for each in entries):
            if flaw(seen.address) is not None:
                yield Planned(seen.address, Intent.INVALID)
            else:
                intent = Intent.ALREADY if seen.state in _DONE else Intent.SUPPRESS
                yield Planned(seen.address, intent, seen.state)

    def push(self, entries: Iterable[Suppressed], position: LedgerPosition) -> Iterator[Pushed]:  # noqa: ARG002
        """Put each on the list, several calls at once; each result as it is known."""
        on = switched_on(self._client)
        if REASON not in on:
            raise self._client.failed(
                f"does not suppress for the reason {REASON}: it would go on mailing everybody who is told",
                remedy="aws sesv2 put-account-suppression-attributes --suppressed-reasons BOUNCE COMPLAINT",
            )
        yield from concurrently(partial(self._tell, on), entries, workers=self._options.connections)

    def poll(self, job: Job) -> Iterator[Pushed]:  # noqa: ARG002
        """SES answers at once; there is no job."""
        return iter(())

    def read_back(self, addresses: Sequence[str]) -> Iterator[Observation]:
        """Whether the list stops mail to each address."""
        return self._seen(addresses)

    def sweep(self, cursor: str | None) -> tuple[tuple[Observation, ...], str | None]:
        """A page of the list."""
        on = switched_on(self._client)
        answer = self._client.page(cursor)
        rows = answer.found.get("SuppressedDestinationSummaries")
        if not isinstance(rows, list):
            raise self._client.broken("a page without a list")
        shown = tuple(self._observed(on, self._address(each), each, answer.evidence) for each in rows)
        return shown, answer.found.get("NextToken") or None

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    # --- One address -------------------------------------------------------------------------------------

    def _seen(self, addresses: Iterable[str]) -> Iterator[Observation]:
        on = switched_on(self._client)
        yield from in_order(partial(self._look, on), addresses, workers=self._options.connections)

    def _look(self, on: frozenset[str], address: str) -> Observation:
        if flaw(address) is not None or not fits_a_path(address):
            return Observation(address, Remote.UNREADABLE)
        try:
            answer = self._client.held(address)
            if answer is None:
                self._reading.over()
                return Observation(address, Remote.MAILABLE, evidence=Evidence(_READING, 404))
            entry = answer.found.get("SuppressedDestination")
            if not isinstance(entry, dict):
                raise self._client.broken("an entry without an address")
            if self._address(entry).strip().lower() != address.strip().lower():
                raise self._client.broken("an address that was not asked about")
        except RecordRejected as refused:
            self._reading.over()
            return Observation(address, Remote.UNREADABLE, evidence=Evidence(f"{_READING} {refused.code}"))
        except BEARABLE as failure:
            self._reading.bear(failure)
            return Observation(address, Remote.UNREADABLE)
        self._reading.over()
        return self._observed(on, address, entry, answer.evidence)

    def _address(self, entry: dict[str, Any]) -> str:
        address = entry.get("EmailAddress")
        if not isinstance(address, str) or not address:
            raise self._client.broken("an entry without an address")
        return address

    @staticmethod
    def _observed(on: frozenset[str], address: str, entry: dict[str, Any], proof: Evidence) -> Observation:
        """What an entry comes to: nothing, if SES does not suppress for its reason."""
        reason = str(entry.get("Reason"))
        state, kind = _KINDS.get(reason, (Remote.NOT_MAILABLE, None))
        if reason not in on:
            state = Remote.MAILABLE
        return Observation(address, state, reason, instant(entry.get("LastUpdateTime")), proof, kind)

    def _tell(self, on: frozenset[str], entry: Suppressed) -> Result:
        address = entry.address
        if flaw(address) is not None:
            return Result(address, Outcome.REJECTED_PERMANENT)
        before = self._look(on, address)
        if before.state in _DONE:
            return Result(address, _DONE[before.state], before.state, before.state, before.evidence)
        if before.state is Remote.UNREADABLE and fits_a_path(address):
            rejected = before.evidence is not None
            return Result(
                address,
                Outcome.REJECTED_PERMANENT if rejected else Outcome.RETRY_LATER,
                before.state,
                evidence=before.evidence,
            )
        try:
            answer = self._client.suppress(address)
        except RecordRejected as refused:
            self._writing.over()
            proof = Evidence(f"{_TELLING} {refused.code}")
            return Result(address, Outcome.REJECTED_PERMANENT, before.state, evidence=proof)
        except BEARABLE as failure:
            self._writing.bear(failure)
            return Result(address, Outcome.RETRY_LATER, before.state, evidence=Evidence(_TELLING))
        self._writing.over()
        done = Outcome.SUPPRESSED if fits_a_path(address) else Outcome.UNVERIFIABLE
        return Result(address, done, before.state, evidence=answer.evidence)


def fits_a_path(address: str) -> bool:
    """Whether an address can be part of a URL's path: a slash there could be read as another call."""
    return _UNREAD.isdisjoint(address)
