"""One address a call: what every plan of HubSpot may do.

Rules kept here:

* The write says per subscription type whether it changed anything, so that nothing is read before it. An
  answer that does not account for the address is no success: the authoritative reading decides.
* One call that fails makes one person wait for the next run; several in a row end this one.
"""

from __future__ import annotations

from suppress.plugin.addresses import Asked, flaw
from suppress.plugin.contract import (
    Evidence,
    Intent,
    Observation,
    Outcome,
    Planned,
    Remote,
    Result,
    Suppressed,
)
from suppress.plugin.errors import ContractBroken, RecordRejected
from suppress.plugin.outage import BEARABLE, Outage
from suppress_hubspot import wire
from suppress_hubspot.client import Client, evidence
from suppress_hubspot.reading import observed, settled
from suppress_hubspot.segments import fits_a_path

OPT_OUT, READ = "unsubscribe-all", "unsubscribe-all read"


class Single:
    """Tells and reads one address after another. Safe to use from several threads."""

    def __init__(self, client: Client, unit: int | None, writing: Outage, reading: Outage) -> None:
        self._client = client
        self._unit = unit
        self._writing, self._reading = writing, reading

    def plan(self, entry: Suppressed) -> Planned:
        """What telling would do, by reading only."""
        if flaw(entry.address) is not None:
            return Planned(entry.address, Intent.INVALID)
        if not fits_a_path(entry.address):
            return Planned(entry.address, Intent.BLOCKED)
        seen = self.look(entry.address)
        held = seen.state is Remote.SUPPRESSED
        return Planned(entry.address, Intent.ALREADY if held else Intent.SUPPRESS, seen.state)

    def tell(self, entry: Suppressed) -> Result:
        """Opt an address out of everything."""
        address = entry.address
        if flaw(address) is not None or not fits_a_path(address):
            return Result(address, Outcome.REJECTED_PERMANENT)
        try:
            reply = self._client.opt_out(address)
            found = self._accounted(address, reply.json)
        except RecordRejected:
            self._writing.over()
            return Result(address, Outcome.REJECTED_PERMANENT, evidence=Evidence(OPT_OUT, 400))
        except BEARABLE as failure:
            self._writing.bear(failure)
            return Result(address, Outcome.RETRY_LATER, evidence=Evidence(OPT_OUT))
        self._writing.over()
        outcome = settled(found)
        if outcome is None:
            seen = self.look(address)
            done = seen.state is Remote.SUPPRESSED
            outcome = Outcome.SUPPRESSED if done else Outcome.RETRY_LATER
            return Result(address, outcome, after=seen.state, evidence=evidence(OPT_OUT, reply))
        before = Remote.SUPPRESSED if outcome is Outcome.ALREADY else Remote.MAILABLE
        at = max((each.at for each in found if each.at), default=None)
        return Result(address, outcome, before, evidence=evidence(OPT_OUT, reply, at=at))

    def look(self, address: str) -> Observation:
        """What the account holds for an address; `unreadable` where it does not say."""
        if flaw(address) is not None or not fits_a_path(address):
            return Observation(address, Remote.UNREADABLE)
        try:
            reply = self._client.opted_out(address)
            found = wire.wides(reply.json)
        except wire.NotAsPromised as wrong:
            self._reading.bear(self._client.broken(str(wrong)))
            return Observation(address, Remote.UNREADABLE)
        except RecordRejected:
            self._reading.over()
            return Observation(address, Remote.UNREADABLE, evidence=Evidence(READ, 400))
        except BEARABLE as failure:
            self._reading.bear(failure)
            return Observation(address, Remote.UNREADABLE)
        self._reading.over()
        return observed(address, found, self._unit, evidence(READ, reply))

    def _accounted(self, address: str, answer: object) -> tuple[wire.Status, ...]:
        """The statuses of this address, none if the answer is not whole."""
        try:
            status, found = wire.statuses(answer)
        except wire.NotAsPromised as wrong:
            raise self._client.broken(str(wrong)) from None
        asked = Asked([address])
        if any(asked.found(each.address) is None for each in found):
            raise ContractBroken("HubSpot answered for an address that it was not asked about")
        return found if status == "COMPLETE" else ()
