"""What an exporter says, and what the destination shows when it is read back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeVar

from suppress.errors import DestinationFailed, SuppressError
from suppress.plugin.contract import Capabilities, Delivery, Exporter, Outcome, Remote
from suppress.plugin.errors import ContractBroken
from suppress.plugin.tally import Tally

_T = TypeVar("_T")
STOPPED = frozenset({Remote.SUPPRESSED, Remote.NOT_MAILABLE})


@dataclass(frozen=True, slots=True)
class Shown:
    """What reading back showed."""

    missed: frozenset[int]
    """People whom the destination does not hold."""
    confirmed: int
    """People whom it was seen to hold, under every spelling."""
    verified: bool
    """Everyone who is not missed was seen."""


def asked(exporter: Exporter, answers: Iterable[_T]) -> Iterator[_T]:
    """A plugin's answers; however it breaks, it is the destination that failed.

    Only the kind of an unknown error is said: a plugin's words may hold a token or an address.
    """
    try:
        yield from answers
    except SuppressError:
        raise
    except (Exception, SystemExit) as broken:  # a plugin that leaves the process must not end it with 0
        raise DestinationFailed(
            f"the plugin of {exporter.name!r} broke: {type(broken).__name__}; "
            "nothing after its last receipt is recorded as done",
            remedy="report it to the author of the plugin: suppress plugins",
        ) from broken


def can_read(can: Capabilities) -> bool:
    """Whether a destination shows what it holds."""
    return can.can_read_one or can.can_read_many


def states(exporter: Exporter, addresses: Sequence[str]) -> Iterator[tuple[str, Remote]]:
    """What the destination shows for each of these, in order.

    Raises:
        ContractBroken: It reads back others, or not as many.
    """
    for address, seen in zip_longest(addresses, asked(exporter, exporter.read_back(addresses))):
        if seen is None or seen.address != address:
            raise ContractBroken(f"{exporter.name!r} read back others than it was asked for")
        yield address, seen.state


def read_back(exporter: Exporter, tally: Tally) -> Shown:
    """Look for everyone whom the destination claims to have taken."""
    missed = tally.missed()
    reached = [address for address, person in tally.handed.items() if person not in missed]
    people = tally.people - len(missed)
    if not can_read(exporter.capabilities):
        return Shown(missed, 0, not people)
    mailable, unseen = set[int](), set[int]()
    for address, state in states(exporter, reached):
        person = tally.handed[address]
        match state:
            case Remote.SUPPRESSED | Remote.NOT_MAILABLE:
                pass
            case Remote.UNKNOWN if tally.outcomes.get(address) is Outcome.SKIPPED_UNKNOWN:
                pass
            case Remote.MAILABLE | Remote.UNKNOWN if exporter.capabilities.delivery is not Delivery.EVENTUAL:
                mailable.add(person)
            case _:
                # It cannot be told, or it said that it will take a while: a patrol looks later.
                unseen.add(person)
    confirmed = people - len(mailable | unseen)
    return Shown(missed | mailable, confirmed, confirmed == people)
