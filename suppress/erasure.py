"""Remove a person's address and evidence (`erase`), or also what recognises them (`forget`).

Rules kept here:

* Looking and removing are two steps, so that whoever decides sees what will go, and what is removed is what
  they saw. Nothing else of this verb writes.
* Neither is done while an active destination has not honoured the person's opt-out: afterwards nobody can be
  told the address any more. An override needs a reason, which the ledger keeps for good.
* A digest of the address in a partner's list is removed with it: it is the same person's, under a pseudonym.
* What the ledger keeps for good holds nobody's address: a basis or reason with one in it is refused.
* Files that were handed out, and copies of the ledger, are outside our reach; those we know of are named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from suppress.config import DestinationSettings
from suppress.core.address import Address
from suppress.core.entry import DestinationChanged, Entry, Honoured, OptOutRecorded
from suppress.core.lasting import problem_of
from suppress.core.standing import Standing
from suppress.core.suppression import EVERYTHING, Channel, Scope
from suppress.core.verdict import Ruling, Tier
from suppress.errors import BadUsage, DestinationFailed
from suppress.ledger import Erasure, Grounds, KnownDigest, Ledger, Recorded
from suppress.ledger.folding import annulled_by


@dataclass(frozen=True, slots=True)
class Told:
    """Whether a destination holds the person's opt-out, as of its newest receipt that covers it."""

    destination: str
    honoured: bool
    configured: bool
    receipt: int | None = None
    """The entry that says so."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What the ledger knows about a person before anything is removed."""

    address: Address
    history: tuple[Recorded, ...]
    """What is recorded under the address itself."""
    digests: tuple[KnownDigest, ...]
    """What partners' lists say by digests of it. They go with it; no destination was ever told them."""
    destinations: tuple[Told, ...]
    """Active ones for which the person is suppressed."""
    suppressed: bool
    """Whether this address may not be mailed: nearly always, unless they consented since."""
    other_spelling: bool
    """Nobody has this address, but somebody has one that reaches the same mailbox."""
    copies: tuple[Path, ...]
    """Copies of the ledger beside it, which still hold what is removed here."""
    remains: str | None
    """What the database keeps of deleted rows out of our reach, in words."""

    @property
    def known(self) -> bool:
        """Whether anything is recorded about this address."""
        return bool(self.history or self.digests)

    @property
    def recorded(self) -> tuple[Recorded, ...]:
        """Every entry about the person, by address or digest, in order."""
        every = [*self.history, *(entry for each in self.digests for entry in each.history)]
        return tuple(sorted(every, key=lambda each: each.entry.seq))

    @property
    def held(self) -> tuple[int, ...]:
        """The entries whose address or digest, and evidence, are there."""
        return _held(self.recorded)

    @property
    def held_digests(self) -> tuple[int, ...]:
        """Of these, the ones of partners' lists."""
        return _held([entry for each in self.digests for entry in each.history])

    @property
    def untold(self) -> tuple[str, ...]:
        """Destinations that have not honoured the opt-out, as long as they can still be told."""
        can_be = bool(_held(self.history))
        return tuple(each.destination for each in self.destinations if can_be and not each.honoured)


def _held(history: Sequence[Recorded]) -> tuple[int, ...]:
    return tuple(sorted(each.entry.seq for each in history if each.payload is not None))


def look(ledger: Ledger, destinations: Mapping[str, DestinationSettings], address: Address) -> Prospect:
    """What is there to remove, and who holds the person's opt-out. Writes nothing."""
    history = tuple(ledger.history(address))
    told = tuple(_told(ledger, destinations, history, ledger.standing(address))) if history else ()
    verdict = ledger.check(address.raw)
    suppressed, other = verdict.ruling is Ruling.SUPPRESSED, not history and verdict.tier is Tier.ALIAS
    digests = ledger.digests(address)
    return Prospect(address, history, digests, told, suppressed, other, ledger.copies(), ledger.remains)


def erase(ledger: Ledger, prospect: Prospect, grounds: Grounds, *, actor: str) -> Erasure:
    """Remove what the prospect shows; the person stays suppressed. Repeating it removes nothing more.

    Raises:
        DestinationFailed: A destination has not honoured the opt-out, and nothing overrides that.
        BadUsage: A basis or reason that may not stay for good, or something was recorded meanwhile.
        SuppressError: The ledger cannot be written.
    """
    return ledger.erase(prospect.address, _settled(prospect, grounds), seen=prospect.held, actor=actor)


def forget(ledger: Ledger, prospect: Prospect, grounds: Grounds, *, actor: str) -> Erasure:
    """Remove also what recognises the person, who is no longer protected. Raises what `erase` does."""
    return ledger.forget(prospect.address, _settled(prospect, grounds), seen=prospect.held, actor=actor)


def require_told(prospect: Prospect, override: str | None) -> None:
    """Refuse while somebody may still mail this person, unless a reason overrides that.

    Raises:
        DestinationFailed: Names the destinations.
    """
    if not prospect.untold or override:
        return
    gone = {each.destination for each in prospect.destinations if not each.configured}
    names = ", ".join(
        f"{name} (which is not configured)" if name in gone else name for name in prospect.untold
    )
    first = prospect.untold[0]
    raise DestinationFailed(
        f"this person's opt-out has not been honoured by {names}; once the address is gone, nobody can be "
        "told it any more",
        remedy=f"suppress export {first}{' -o FILE' if first == 'csv' else ''}; "
        "or --override REASON, which the ledger keeps",
    )


def _settled(prospect: Prospect, grounds: Grounds) -> Grounds:
    """The grounds as they are recorded: an override only where there is something to override."""
    _require_lasting("--basis", grounds.basis)
    require_told(prospect, grounds.override)
    if not prospect.untold:
        return Grounds(grounds.basis, grounds.request)
    _require_lasting("--override", grounds.override)
    return Grounds(grounds.basis, grounds.request, grounds.override, prospect.untold)


def _require_lasting(option: str, text: str) -> None:
    wrong = problem_of(text)
    if wrong is not None:
        raise BadUsage(
            f"{option} {wrong}, and it stays in the ledger for good",
            remedy='say it in a few words, such as --basis "Art. 17 GDPR"',
        )


# --- Who holds the opt-out -----------------------------------------------------------------------------


def _told(
    ledger: Ledger,
    configured: Mapping[str, DestinationSettings],
    history: Sequence[Recorded],
    standing: Standing,
) -> Iterator[Told]:
    entries = [each.entry for each in history]
    annulled = annulled_by(entries)
    requests = {entry.seq for entry in entries if _is_told(entry) and entry.seq not in annulled}
    for name in sorted(configured.keys() | _active(ledger)):
        sender = configured[name].sender if name in configured else None
        target = EVERYTHING if sender is None else Scope(sender)
        if requests and standing.against(Channel.EMAIL, target) is not None:
            receipt = _covering(ledger, name, max(requests))
            yield Told(
                name,
                honoured=receipt is not None and requests.isdisjoint(_honoured(receipt).exceptions),
                configured=name in configured,
                receipt=None if receipt is None else receipt.seq,
            )


def _is_told(entry: Entry) -> bool:
    """Destinations are told of mail; nobody is told of other channels."""
    return isinstance(entry.body, OptOutRecorded) and entry.body.channel is Channel.EMAIL


def _active(ledger: Ledger) -> set[str]:
    """The destinations that the ledger knows and that were not removed."""
    removed: dict[str, bool] = {}
    for entry in ledger.about(DestinationChanged.type):  # newest first
        assert isinstance(entry.body, DestinationChanged)
        removed.setdefault(entry.body.destination, entry.body.change == "removed")
    return {name for name, is_removed in removed.items() if not is_removed}


def _covering(ledger: Ledger, name: str, seq: int) -> Entry | None:
    """The newest receipt that covers entry `seq`, since the destination has its present settings."""
    changed = next((entry.seq for entry in ledger.about(DestinationChanged.type, name)), -1)
    since = takewhile(lambda entry: entry.seq > changed, ledger.about(Honoured.type, name))
    return next((entry for entry in since if _honoured(entry).upto >= seq), None)


def _honoured(entry: Entry) -> Honoured:
    assert isinstance(entry.body, Honoured), "the ledger's index is by type"
    return entry.body
