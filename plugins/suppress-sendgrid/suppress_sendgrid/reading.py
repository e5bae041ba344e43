"""Whom a list of SendGrid holds: asked for one by one (global), or by search (a group).

Rules kept here:

* The answer to a write proves nothing: it repeats what was sent. Only what these calls show counts.
* `{}` is how SendGrid says that an address is not on the global list; a search leaves such a one out.
* Addresses are compared without case: mixed-case entries are reported to be found so.
"""

from __future__ import annotations

from collections.abc import Sequence

from suppress.core.suppression import Reason
from suppress.plugin.addresses import Asked, flaw
from suppress.plugin.contract import Evidence, Observation, Remote
from suppress.plugin.errors import RecordRejected
from suppress.plugin.outage import BEARABLE, Outage
from suppress.plugin.transport import Reply
from suppress_sendgrid import wire
from suppress_sendgrid.client import Client, evidence
from suppress_sendgrid.settings import Options

GLOBAL, SEARCH, LISTED = "global suppression", "group search", "global unsubscribes"
WORDS = {True: "global unsubscribe", False: "group unsubscribe"}


class Reader:
    """Reads back. Safe to use from several threads."""

    def __init__(self, client: Client, options: Options, outage: Outage) -> None:
        self._client = client
        self._options = options
        self._outage = outage

    def look(self, address: str) -> Observation:
        """Whether the global list holds an address; `unreadable` where it does not say."""
        if flaw(address) is not None:
            return Observation(address, Remote.UNREADABLE)
        try:
            seen = self._one(address) if fits_a_path(address) else self._listed(address)
        except wire.NotAsPromised as wrong:
            self._outage.bear(self._client.broken(str(wrong)))
            return Observation(address, Remote.UNREADABLE)
        except RecordRejected:
            self._outage.over()
            return Observation(address, Remote.UNREADABLE, evidence=Evidence(GLOBAL, 400))
        except BEARABLE as failure:
            self._outage.bear(failure)
            return Observation(address, Remote.UNREADABLE)
        self._outage.over()
        return seen

    def look_many(self, addresses: Sequence[str]) -> list[Observation]:
        """Who of these is in the group, in the same order.

        Raises:
            Missing: The group is not there.
        """
        found = self._found([each for each in addresses if flaw(each) is None])
        return [found.get(each) or Observation(each, Remote.UNREADABLE) for each in addresses]

    def _one(self, address: str) -> Observation:
        reply = self._client.globally(address)
        named = wire.held(reply.json)
        proof = evidence(GLOBAL, reply)
        if named is None:
            return Observation(address, Remote.MAILABLE, evidence=proof)
        if Asked([address]).found(named) is None:
            raise wire.NotAsPromised("an address that was not asked about")
        return self._held(address, proof)

    def _listed(self, address: str) -> Observation:
        """The same by the list's own filter, for an address that no path can hold."""
        reply = self._client.page("unsubscribes", 0, starting=address)
        rows = wire.rows(reply.json)
        proof = evidence(LISTED, reply)
        asked = Asked([address])
        if any(asked.found(each.email) is not None for each in rows):
            return self._held(address, proof)
        # A full page of others may hide it; `%` in an address is a wildcard to the filter.
        whole = len(rows) < self._options.page_size
        return Observation(address, Remote.MAILABLE if whole else Remote.UNREADABLE, evidence=proof)

    def _found(self, addresses: Sequence[str]) -> dict[str, Observation]:
        if not addresses:
            return {}
        try:
            reply = self._client.among(addresses)
            named = wire.addresses(reply.json)
        except RecordRejected:
            self._outage.over()
            if len(addresses) > 1:
                half = len(addresses) // 2
                return self._found(addresses[:half]) | self._found(addresses[half:])
            return {
                addresses[0]: Observation(addresses[0], Remote.UNREADABLE, evidence=Evidence(SEARCH, 400))
            }
        except wire.NotAsPromised as wrong:
            self._outage.bear(self._client.broken(str(wrong)))
            return {}
        except BEARABLE as failure:
            self._outage.bear(failure)
            return {}
        self._outage.over()
        return self._observed(addresses, named, reply)

    def _observed(
        self, addresses: Sequence[str], named: Sequence[str], reply: Reply
    ) -> dict[str, Observation]:
        asked = Asked(addresses)
        held = {address for each in named if (address := asked.found(each)) is not None}
        proof = evidence(SEARCH, reply, sent=addresses)
        return {
            each: self._held(each, proof)
            if each in held
            else Observation(each, Remote.MAILABLE, evidence=proof)
            for each in addresses
        }

    def _held(self, address: str, proof: Evidence) -> Observation:
        word = WORDS[self._options.group is None]
        return Observation(address, Remote.SUPPRESSED, word, evidence=proof, kind=Reason.UNSUBSCRIBED)


def fits_a_path(address: str) -> bool:
    """Whether an address can be part of a URL's path: servers take an encoded slash for a real one."""
    return "/" not in address and "\\" not in address
