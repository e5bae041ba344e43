"""What a simulated SendGrid account, or a subuser, knows: lists of addresses, and unsubscribe groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

GLOBAL = "unsubscribes"
OTHERS = ("bounces", "blocks", "spam_reports", "invalid_emails")


def key_of(address: str) -> str:
    """How SendGrid compares addresses: without case and white space around them."""
    return address.strip().lower()


@dataclass(slots=True)
class Listed:
    """An address on a list, and since when."""

    email: str
    at: datetime


class Addresses:
    """One list. What is on it keeps its first time."""

    def __init__(self) -> None:
        self._held: dict[str, Listed] = {}

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, address: str) -> bool:
        return key_of(address) in self._held

    def __iter__(self) -> Iterator[Listed]:
        """Newest first."""
        return iter(sorted(self._held.values(), key=lambda each: each.at, reverse=True))

    def add(self, addresses: Iterable[str], at: datetime) -> None:
        """Put these on it."""
        for each in addresses:
            self._held.setdefault(key_of(each), Listed(each, at))

    def remove(self, address: str) -> bool:
        """What others can do; no call of an exporter leads here. Whether it was on the list."""
        return self._held.pop(key_of(address), None) is not None

    def find(self, address: str) -> Listed | None:
        """The entry of an address."""
        return self._held.get(key_of(address))


@dataclass(slots=True)
class Group:
    """An unsubscribe group."""

    number: int
    name: str
    is_default: bool
    held: Addresses = field(default_factory=Addresses)


class Account:
    """The lists of one account or subuser."""

    def __init__(self, groups: Iterable[int] = ()) -> None:
        self.lists: dict[str, Addresses] = {each: Addresses() for each in (GLOBAL, *OTHERS)}
        self.groups: dict[int, Group] = {
            number: Group(number, f"Newsletter {number}", is_default=place == 0)
            for place, number in enumerate(groups)
        }

    @property
    def globally(self) -> Addresses:
        """The global list."""
        return self.lists[GLOBAL]

    def suppress(self, addresses: Iterable[str], at: datetime, group: int | None = None) -> None:
        """Put these on the list of a group; without one, or of one that is gone, on the global list."""
        found = None if group is None else self.groups.get(group)
        (self.globally if found is None else found.held).add(addresses, at)

    def would_mail(self, address: str, group: int | None = None) -> bool:
        """Whether mail would go to this address: mail of that group, or without one any mail.

        A bounce, a spam report and an invalid address stop mail as well; a block does not.
        """
        stopped = [self.globally, *(self.lists[each] for each in OTHERS if each != "blocks")]
        if group in self.groups:
            stopped.append(self.groups[group].held)
        return not any(address in each for each in stopped)
