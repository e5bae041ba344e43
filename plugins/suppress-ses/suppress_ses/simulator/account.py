"""What a simulated SES account knows in one region, or of one tenant there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

BOUNCE, COMPLAINT = "BOUNCE", "COMPLAINT"


def key_of(address: str) -> str:
    """How SES compares addresses: without case."""
    return address.lower()


@dataclass(frozen=True, slots=True)
class Entry:
    """An address on the list."""

    address: str
    reason: str
    at: datetime


class Account:
    """One suppression list, and the reasons for which it is heeded."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = set(reasons)
        self.held: dict[str, Entry] = {}

    def put(self, address: str, reason: str, at: datetime) -> None:
        """Put an address on the list; a later reason takes the place of an earlier one."""
        self.held[key_of(address)] = Entry(address, reason, at)

    def remove(self, address: str) -> bool:
        """What others can do; no call of an exporter leads here. Whether it was on the list."""
        return self.held.pop(key_of(address), None) is not None

    def find(self, address: str) -> Entry | None:
        """The entry of an address."""
        return self.held.get(key_of(address))

    def would_mail(self, address: str) -> bool:
        """Whether mail would go to this address: an entry stops it only if its reason is switched on."""
        entry = self.find(address)
        return entry is None or entry.reason not in self.reasons
