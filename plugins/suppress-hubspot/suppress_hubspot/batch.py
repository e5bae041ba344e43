"""A hundred addresses a call: what Marketing Hub Enterprise may do.

Rules kept here:

* A 2xx may hide failures: answers are matched to the addresses that were sent, by address. Whoever is in
  neither results nor errors was not told, unless reading shows it (HubSpot has been seen to answer with both
  empty).
* Reading before writing is one call for a hundred people, so that only those are written who are not out.
* One bad address may fail a whole call (400): the batch is halved until it stands alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

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
from suppress.plugin.errors import RecordRejected
from suppress.plugin.outage import BEARABLE, Outage
from suppress_hubspot import wire
from suppress_hubspot.client import Client, evidence
from suppress_hubspot.reading import observed, settled
from suppress_hubspot.single import Single

OPT_OUT, READ = "batch unsubscribe-all", "batch unsubscribe-all read"
_FOR_GOOD = frozenset({"VALIDATION_ERROR", "INVALID_EMAIL"})
"""Categories that no later call would change."""


class Batch:
    """Tells and reads batches. Safe to use from several threads."""

    def __init__(
        self, client: Client, unit: int | None, writing: Outage, reading: Outage, single: Single
    ) -> None:
        self._client = client
        self._unit = unit
        self._writing, self._reading = writing, reading
        self._single = single

    def plan(self, entries: Sequence[Suppressed]) -> list[Planned]:
        """What telling would do, by reading only, in the order of the entries."""
        held = self._held([each.address for each in entries if flaw(each.address) is None])
        return [self._planned(each.address, held.get(each.address)) for each in entries]

    @staticmethod
    def _planned(address: str, seen: Observation | None) -> Planned:
        if flaw(address) is not None:
            return Planned(address, Intent.INVALID)
        state = None if seen is None else seen.state
        return Planned(address, Intent.ALREADY if state is Remote.SUPPRESSED else Intent.SUPPRESS, state)

    def tell(self, entries: Sequence[Suppressed]) -> list[Result]:
        """Opt these addresses out, one result for each."""
        results: list[Result] = []
        addresses: list[str] = []
        for each in entries:
            if flaw(each.address) is None:
                addresses.append(each.address)
            else:
                results.append(Result(each.address, Outcome.REJECTED_PERMANENT))
        held = self._held(addresses)
        lacking = []
        for address in addresses:
            seen = held.get(address)
            if seen is not None and seen.state is Remote.SUPPRESSED:
                state = seen.state
                results.append(Result(address, Outcome.ALREADY, state, state, seen.evidence))
            else:
                lacking.append(address)
        return [*results, *self._told(lacking)]

    def look(self, addresses: Sequence[str]) -> list[Observation]:
        """What the account holds for each, in the same order."""
        held = self._held([each for each in addresses if flaw(each) is None])
        # Whom a batch does not account for is asked for alone: that is the authoritative word.
        return [held.get(each) or self._single.look(each) for each in addresses]

    # --- Writing -----------------------------------------------------------------------------------------

    def _told(self, addresses: list[str]) -> list[Result]:
        if not addresses:
            return []
        try:
            reply = self._client.opt_out_many(addresses)
            found, refused = wire.many_statuses(reply.json)
        except RecordRejected:
            self._writing.over()
            if len(addresses) > 1:
                half = len(addresses) // 2
                return [*self._told(addresses[:half]), *self._told(addresses[half:])]
            return [Result(addresses[0], Outcome.REJECTED_PERMANENT, evidence=Evidence(OPT_OUT, 400))]
        except wire.NotAsPromised as wrong:
            self._writing.bear(self._client.broken(str(wrong)))
            return [Result(each, Outcome.RETRY_LATER, evidence=Evidence(OPT_OUT)) for each in addresses]
        except BEARABLE as failure:
            self._writing.bear(failure)
            return [Result(each, Outcome.RETRY_LATER, evidence=Evidence(OPT_OUT)) for each in addresses]
        self._writing.over()
        outcomes = self._outcomes(addresses, found, refused)
        proof = evidence(OPT_OUT, reply, sent=json.dumps({"inputs": addresses}, ensure_ascii=False).encode())
        silent = self._held([each for each in addresses if each not in outcomes])
        return [self._result(each, outcomes.get(each), silent.get(each), proof) for each in addresses]

    def _outcomes(
        self,
        addresses: Sequence[str],
        found: Mapping[str, Sequence[wire.Status]],
        refused: Sequence[wire.Refused],
    ) -> dict[str, Outcome]:
        """What the answer says became of whom; it is silent about whoever is not in here."""
        asked = Asked(addresses)
        outcomes: dict[str, Outcome] = {}
        for said, statuses in found.items():
            address = asked.found(said)
            if address is None:
                raise self._client.broken("a result for an address that was not sent")
            if (outcome := settled(statuses)) is not None:
                outcomes[address] = outcome
        for each in refused:
            later = Outcome.REJECTED_PERMANENT if each.category in _FOR_GOOD else Outcome.RETRY_LATER
            # An error outweighs a result for the same address.
            outcomes |= {
                address: later for name in each.addresses if (address := asked.found(name)) is not None
            }
        return outcomes

    @staticmethod
    def _result(address: str, outcome: Outcome | None, seen: Observation | None, proof: Evidence) -> Result:
        if outcome is not None:
            before = Remote.MAILABLE if outcome is Outcome.SUPPRESSED else None
            return Result(address, outcome, before, evidence=proof)
        done = seen is not None and seen.state is Remote.SUPPRESSED
        after = None if seen is None else seen.state
        return Result(
            address, Outcome.SUPPRESSED if done else Outcome.RETRY_LATER, after=after, evidence=proof
        )

    # --- Reading -----------------------------------------------------------------------------------------

    def _held(self, addresses: list[str]) -> dict[str, Observation]:
        """What the account holds for those whom its answer accounts for."""
        if not addresses:
            return {}
        try:
            reply = self._client.opted_out_many(addresses)
            found, refused = wire.many_wides(reply.json)
        except RecordRejected:
            self._reading.over()
            if len(addresses) > 1:
                half = len(addresses) // 2
                return self._held(addresses[:half]) | self._held(addresses[half:])
            return {addresses[0]: Observation(addresses[0], Remote.UNREADABLE, evidence=Evidence(READ, 400))}
        except wire.NotAsPromised as wrong:
            self._reading.bear(self._client.broken(str(wrong)))
            return {each: Observation(each, Remote.UNREADABLE) for each in addresses}
        except BEARABLE as failure:
            self._reading.bear(failure)
            return {each: Observation(each, Remote.UNREADABLE) for each in addresses}
        self._reading.over()
        proof = evidence(READ, reply, sent=json.dumps({"inputs": addresses}, ensure_ascii=False).encode())
        asked = Asked(addresses)
        held: dict[str, Observation] = {}
        for said, wides in found.items():
            if (address := asked.found(said)) is not None:
                held[address] = observed(address, wides, self._unit, proof)
        for each in refused:
            for name in each.addresses:
                if (address := asked.found(name)) is not None:
                    held[address] = Observation(address, Remote.UNREADABLE, evidence=proof)
        return held
