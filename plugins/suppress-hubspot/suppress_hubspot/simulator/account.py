"""What a simulated HubSpot account knows: opt-outs by address, and contacts that mirror them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

PORTAL = 0
"""Stands for the whole account where a brand's number would be."""


def key_of(address: str) -> str:
    """How HubSpot compares addresses: without case and white space around them."""
    return address.strip().lower()


@dataclass(slots=True)
class Contact:
    """A contact, and how it looked before, for searches that are behind."""

    id: int
    email: str
    created: datetime
    history: list[tuple[datetime, bool]] = field(default_factory=list)
    """When it changed, and whether it was opted out from then on."""

    def seen(self, at: datetime) -> tuple[datetime, bool] | None:
        """The last change that had happened by then, and the mirror of that time."""
        return next((each for each in reversed(self.history) if each[0] <= at), None)


@dataclass(slots=True)
class OptOut:
    """An address is opted out of everything: of the account, or of a brand."""

    at: datetime
    source: str


class Account:
    """Opt-outs and contacts. Addresses are found without regard to case."""

    def __init__(self) -> None:
        self._opt_outs: dict[str, dict[int, OptOut]] = {}
        self._contacts: dict[str, Contact] = {}
        self._ids = count(101)

    def __len__(self) -> int:
        return len(self._contacts)

    @property
    def opted_out(self) -> int:
        """Addresses that are opted out of the whole account."""
        return sum(PORTAL in each for each in self._opt_outs.values())

    def add(self, addresses: Iterable[str], at: datetime) -> None:
        """Make contacts of these addresses; the opt-out of an address was there before its contact."""
        for address in addresses:
            if key_of(address) not in self._contacts:
                contact = Contact(next(self._ids), address, at)
                contact.history.append((at, not self.would_mail(address)))
                self._contacts[key_of(address)] = contact

    def opt_out(self, address: str, at: datetime, *, unit: int = PORTAL, source: str = "API") -> bool:
        """Opt an address out of everything; whether that changed anything."""
        mine = self._opt_outs.setdefault(key_of(address), {})
        if unit in mine or PORTAL in mine:
            return False
        mine[unit] = OptOut(at, source)
        self._mirror(address, at)
        return True

    def opt_in(self, address: str, at: datetime) -> None:
        """What only the person or staff can do; no call of an exporter leads here."""
        self._opt_outs.pop(key_of(address), None)
        self._mirror(address, at)

    def opt_outs(self, address: str) -> dict[int, OptOut]:
        """By brand, `PORTAL` for the whole account."""
        return self._opt_outs.get(key_of(address), {})

    def would_mail(self, address: str, unit: int = PORTAL) -> bool:
        """Whether a marketing e-mail of the account, or of a brand, would go to this address."""
        found = self.opt_outs(address)
        return PORTAL not in found and unit not in found

    def contact(self, address: str) -> Contact | None:
        """The contact with this address."""
        return self._contacts.get(key_of(address))

    def contacts(self) -> Iterator[Contact]:
        """All of them, oldest first."""
        return iter(self._contacts.values())

    def _mirror(self, address: str, at: datetime) -> None:
        contact = self.contact(address)
        if contact is not None:
            contact.history.append((at, not self.would_mail(address)))


def written(at: datetime) -> str:
    """A time as HubSpot writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
