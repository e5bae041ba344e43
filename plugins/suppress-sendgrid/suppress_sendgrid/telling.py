"""Tells SendGrid, up to a thousand addresses a call.

Rules kept here:

* A group that is gone is the worst trap of this platform: SendGrid takes its people all the same and puts
  them on the global list (its contract says so), which stops their order mail. The group is asked for right
  before each write, and the run ends if it is not there.
* Who is in the group already is not told again; a search shows it for a thousand people in one call. On the
  global list one would have to ask for each, so it is simply told: adding again changes nothing.
* The answer repeats the addresses. Whom it leaves out is looked for; one that repeats nobody took nobody.
* One bad address may fail a whole call (400): the batch is halved until it stands alone.
"""

from __future__ import annotations

from collections.abc import Sequence

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
from suppress_sendgrid import wire
from suppress_sendgrid.client import Client, Missing, evidence
from suppress_sendgrid.reading import Reader
from suppress_sendgrid.settings import Options


class Teller:
    """Tells batches. Safe to use from several threads."""

    def __init__(self, client: Client, reader: Reader, options: Options, outage: Outage) -> None:
        self._client = client
        self._reader = reader
        self._options = options
        self._outage = outage
        self._endpoint = "global suppressions" if options.group is None else "group suppressions"

    def tell(self, entries: Sequence[Suppressed]) -> list[Result]:
        """Suppress these addresses, one result for each.

        Raises:
            Missing: The group is not there; nothing was sent that could go to the global list.
        """
        addresses = [each.address for each in entries]
        bad = [each for each in addresses if flaw(each) is not None]
        results = [Result(each, Outcome.REJECTED_PERMANENT) for each in bad]
        lacking = [each for each in addresses if flaw(each) is None]
        if self._options.group is not None:
            held = [each for each in self._reader.look_many(lacking) if each.state is Remote.SUPPRESSED]
            results += [_already(each) for each in held]
            there = {each.address for each in held}
            lacking = [each for each in lacking if each not in there]
        return [*results, *self._told(lacking)]

    def _told(self, addresses: Sequence[str]) -> list[Result]:
        if not addresses:
            return []
        try:
            self._require_group()
            reply = self._client.suppress(addresses)
            echoed = wire.echoed(reply.json)
        except RecordRejected as refused:
            self._outage.over()
            if len(addresses) > 1:
                half = len(addresses) // 2
                return [*self._told(addresses[:half]), *self._told(addresses[half:])]
            proof = Evidence(self._endpoint, int(refused.code))
            return [Result(addresses[0], Outcome.REJECTED_PERMANENT, evidence=proof)]
        except wire.NotAsPromised as wrong:
            self._outage.bear(self._client.broken(str(wrong)))
            return self._later(addresses)
        except BEARABLE as failure:
            self._outage.bear(failure)
            return self._later(addresses)
        self._outage.over()
        return self._named(addresses, echoed, evidence(self._endpoint, reply, sent=addresses))

    def _named(self, addresses: Sequence[str], echoed: Sequence[str], proof: Evidence) -> list[Result]:
        """Whom the echo names is taken, to be believed when read back."""
        asked = Asked(addresses)
        named = {address for each in echoed if (address := asked.found(each)) is not None}
        if not named:
            return [Result(each, Outcome.RETRY_LATER, evidence=proof) for each in addresses]
        results = [Result(each, Outcome.SUPPRESSED, evidence=proof) for each in addresses if each in named]
        for seen in self._look([each for each in addresses if each not in named]):
            taken = seen.state is Remote.SUPPRESSED
            outcome = Outcome.SUPPRESSED if taken else Outcome.RETRY_LATER
            results.append(Result(seen.address, outcome, after=seen.state, evidence=proof))
        return results

    def _look(self, addresses: Sequence[str]) -> list[Observation]:
        if self._options.group is not None:
            return self._reader.look_many(addresses)
        return [self._reader.look(each) for each in addresses]

    def _later(self, addresses: Sequence[str]) -> list[Result]:
        proof = Evidence(self._endpoint)
        return [Result(each, Outcome.RETRY_LATER, evidence=proof) for each in addresses]

    def _require_group(self) -> None:
        """Refuse to write to a group that is gone.

        Raises:
            Missing: It is.
        """
        if (
            self._options.group is not None
            and wire.group(self._client.group().json).number != self._options.group
        ):
            raise Missing("SendGrid answered for another unsubscribe group than the one that is configured")


def planned(seen: Observation) -> Planned:
    """What telling would do, by what was read."""
    if flaw(seen.address) is not None:
        return Planned(seen.address, Intent.INVALID)
    already = seen.state is Remote.SUPPRESSED
    return Planned(seen.address, Intent.ALREADY if already else Intent.SUPPRESS, seen.state)


def _already(seen: Observation) -> Result:
    return Result(seen.address, Outcome.ALREADY, seen.state, seen.state, seen.evidence)
