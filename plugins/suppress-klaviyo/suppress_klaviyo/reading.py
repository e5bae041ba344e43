"""What the account holds for addresses: profiles, found whatever the case of a spelling.

Rules kept here:

* Klaviyo's documentation does not say whether a filter by e-mail minds case; so a spelling is asked for as it
  is and in small letters, and what is found is matched without case.
* Several profiles may have one address in different spellings. One that can be mailed outweighs the others.
* A page of an answer that cannot be read makes its people unreadable, never unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from suppress.plugin.addresses import Asked, flaw
from suppress.plugin.contract import Evidence, Observation, Remote
from suppress.plugin.outage import BEARABLE, Outage
from suppress_klaviyo import wire
from suppress_klaviyo.client import Client, Refused, evidence

PROFILES = "profiles"
_LONGEST = 6_000
"""Characters of a filter on the wire: servers and proxies cut longer URLs (8,000 are usual)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an account holds for an address, and the spellings of the profiles that would be mailed."""

    observation: Observation
    mailed: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether Klaviyo takes it for no address at all."""
        proof = self.observation.evidence
        return proof is not None and proof.status == 400


class Reader:
    """Reads profiles. Safe to use from several threads."""

    def __init__(self, client: Client, outage: Outage) -> None:
        self._client = client
        self._outage = outage

    def look(self, addresses: Sequence[str]) -> list[Seen]:
        """What the account holds for each of these, in the same order."""
        seen: dict[str, Seen] = {}
        for part in _parts([each for each in addresses if flaw(each) is None]):
            seen |= self._part(part)
        return [seen.get(each) or Seen(Observation(each, Remote.UNREADABLE)) for each in addresses]

    def _part(self, addresses: Sequence[str]) -> dict[str, Seen]:
        try:
            found, proof = self._found(wire.filter_for(list(_spellings(addresses))))
        except Refused:
            self._outage.over()
            if len(addresses) == 1:
                refused = Evidence(PROFILES, 400)
                return {addresses[0]: Seen(Observation(addresses[0], Remote.UNREADABLE, evidence=refused))}
            # One address that its filter does not take must not hide the others.
            half = len(addresses) // 2
            return self._part(addresses[:half]) | self._part(addresses[half:])
        except wire.NotAsPromised as wrong:
            self._outage.bear(self._client.broken(str(wrong)))
            return {}
        except BEARABLE as failure:
            self._outage.bear(failure)
            return {}
        self._outage.over()
        asked = Asked(addresses)
        mine: dict[str, list[wire.Profile]] = {each: [] for each in addresses}
        for profile in found:
            if (address := asked.found(profile.email)) is not None:
                mine[address].append(profile)
        return {address: seen(address, profiles, proof) for address, profiles in mine.items()}

    def _found(self, query: str) -> tuple[list[wire.Profile], Evidence]:
        """Every page of a query."""
        found: list[wire.Profile] = []
        while True:
            reply = self._client.profiles(query)
            page, following = wire.profiles(reply.json)
            found += page
            if following is None:
                return found, evidence(PROFILES, reply)
            query = following


def seen(address: str, profiles: Sequence[wire.Profile], proof: Evidence | None) -> Seen:
    """What these profiles of one address come to."""
    if not profiles:
        return Seen(Observation(address, Remote.UNKNOWN, evidence=proof))
    mailed = tuple(each.email for each in profiles if each.mailable)
    if mailed:
        return Seen(Observation(address, Remote.MAILABLE, evidence=proof), mailed)
    if any(each.mailable is None for each in profiles):
        return Seen(Observation(address, Remote.UNREADABLE, evidence=proof))
    # All are suppressed; the weakest of their reasons is what may end first.
    return Seen(max((observed(address, each, proof) for each in profiles), key=_weakness))


def observed(address: str, profile: wire.Profile, proof: Evidence | None) -> Observation:
    """A profile that no marketing e-mail goes to: opted out, or only bounced."""
    foremost = profile.foremost
    if foremost is None:
        opted_out = profile.consent == "UNSUBSCRIBED"
        state = Remote.SUPPRESSED if opted_out else Remote.NOT_MAILABLE
        return Observation(address, state, profile.consent or None, evidence=proof)
    bounced = foremost.reason in ("HARD_BOUNCE", "INVALID_EMAIL")
    return Observation(
        address,
        Remote.NOT_MAILABLE if bounced else Remote.SUPPRESSED,
        foremost.reason,
        foremost.at,
        proof,
        wire.KINDS.get(foremost.reason),
    )


def _weakness(each: Observation) -> int:
    return int(each.state is Remote.NOT_MAILABLE)


def _spellings(addresses: Iterable[str]) -> Iterator[str]:
    """Each spelling, and the same in small letters; every one once."""
    yield from dict.fromkeys(form for each in addresses for form in (each, each.lower()))


def _parts(addresses: Sequence[str]) -> Iterator[list[str]]:
    """So many at a time that the filter fits into a URL, and what it finds on a page."""
    part: list[str] = []
    length = count = 0
    for address in addresses:
        forms = list(_spellings([address]))
        size = sum(len(quote(each, safe="")) + 12 for each in forms)
        if part and (length + size > _LONGEST or count + len(forms) > 100):
            yield part
            part, length, count = [], 0, 0
        part.append(address)
        length += size
        count += len(forms)
    if part:
        yield part
