"""One address: what holds for it, everything the ledger knows about it, and which destinations obey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from suppress.core.address import Address
from suppress.core.entry import DestinationChanged, Honoured, OptInRecorded, OptOutRecorded
from suppress.core.standing import Standing
from suppress.core.verdict import Ruling, Verdict
from suppress.ledger import KnownDigest, Ledger, Recorded


@dataclass(frozen=True, slots=True)
class Obedience:
    """Whether a destination holds the request, and since when."""

    destination: str
    at: datetime | None
    """None when it was not told yet, did not take it, or lets them be mailed again."""
    verified: bool = False
    """Whether reading back showed it."""
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What the ledger knows about one address."""

    address: Address
    verdict: Verdict
    standing: Standing
    history: tuple[Recorded, ...]
    """What is recorded under the address itself."""
    digests: tuple[KnownDigest, ...]
    """What partners' lists say by digests of it."""
    destinations: tuple[Obedience, ...]
    """Empty unless the address is suppressed."""
    struck: Mapping[int, int]
    """Entries that no longer count, each with the one that struck it out."""


def show(ledger: Ledger, address: Address) -> Shown:
    """Everything about one address, in the order in which the ledger learned it."""
    history = tuple(ledger.history(address))
    verdict = ledger.check(address.raw)
    told: tuple[Obedience, ...] = ()
    if verdict.ruling is Ruling.SUPPRESSED:
        told = _destinations(ledger, history)
    digests = ledger.digests(address)
    every = (*history, *(entry for each in digests for entry in each.history))
    struck = ledger.struck_out([each.entry.seq for each in every])
    return Shown(address, verdict, ledger.standing(address), history, digests, told, struck)


def _destinations(ledger: Ledger, history: Sequence[Recorded]) -> tuple[Obedience, ...]:
    """When each destination first held the oldest request that no consent has answered since."""
    own = {each.entry.seq for each in history}
    consents = [each.entry.seq for each in history if isinstance(each.entry.body, OptInRecorded)]
    since = max(consents, default=-1)
    requests = [
        each.entry.seq
        for each in history
        if isinstance(each.entry.body, OptOutRecorded) and each.entry.seq > since
    ]
    # A consent that lifts nothing leaves an older request standing.
    asked = min(requests) if requests else min(own, default=0)
    found: dict[str, Obedience] = {}
    lost = set[str]()
    for entry in ledger.about(Honoured.type):  # newest first
        body = entry.body
        assert isinstance(body, Honoured)
        if body.destination in lost:
            continue
        if own & set(body.exceptions) and body.destination not in found:
            # It may have held the request earlier; what it shows now is what counts.
            lost.add(body.destination)
        if body.upto >= asked and not own & set(body.exceptions):
            found[body.destination] = Obedience(body.destination, entry.at, body.verified, entry.seq)
        else:
            found.setdefault(body.destination, Obedience(body.destination, None))
    for entry in ledger.about(DestinationChanged.type):
        assert isinstance(entry.body, DestinationChanged)
        found.setdefault(entry.body.destination, Obedience(entry.body.destination, None))
    return tuple(found[name] for name in sorted(found))
