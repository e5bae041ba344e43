"""One account on the simulated platform: its contacts by id and by address, its lists and campaigns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from suppress.platforms.constant_contact.simulator.model import Contact


@dataclass(frozen=True, slots=True)
class ContactList:
    """A contact list; being on none is not an opt-out."""

    list_id: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Campaign:
    """An e-mail campaign with its campaign activities, role by role."""

    campaign_id: str
    name: str
    sent_at: datetime
    activities: tuple[tuple[str, str], ...]
    """Pairs of role and campaign_activity_id; the first is the primary e-mail."""
    status: str = "Done"

    @property
    def primary(self) -> str:
        """The activity whose unsubscribe link people click."""
        return self.activities[0][1]


@dataclass(slots=True)
class Account:
    """Contacts and what they belong to. Addresses are unique without regard to case."""

    lists: tuple[ContactList, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    _contacts: dict[str, Contact] = field(default_factory=dict)
    _by_address: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._contacts)

    def __iter__(self) -> Iterator[Contact]:
        return iter(self._contacts.values())

    def __getitem__(self, contact_id: str) -> Contact:
        return self._contacts[contact_id]

    def get(self, contact_id: str) -> Contact | None:
        """The contact with this id, deleted or not."""
        return self._contacts.get(contact_id)

    def find(self, address: str) -> Contact | None:
        """The contact with this address, deleted or not."""
        contact_id = self._by_address.get(address.strip().lower())
        return None if contact_id is None else self._contacts[contact_id]

    def put(self, contact: Contact) -> None:
        """Add or replace a contact.

        Raises:
            ValueError: Another contact has the address.
        """
        if contact.email is not None:
            owner = self._by_address.get(contact.email.address.strip().lower(), contact.contact_id)
            if owner != contact.contact_id:
                raise ValueError(f"the address belongs to contact {owner}")
        before = self._contacts.get(contact.contact_id)
        if before is not None and before.email is not None:
            self._by_address.pop(before.email.address.strip().lower(), None)
        self._contacts[contact.contact_id] = contact
        if contact.email is not None:
            self._by_address[contact.email.address.strip().lower()] = contact.contact_id

    def remove(self, contact: Contact) -> None:
        """Take a contact away for good: no query shows it any more, and its address is free."""
        del self._contacts[contact.contact_id]
        if contact.email is not None:
            del self._by_address[contact.email.address.strip().lower()]

    def segment(self, segment_id: str) -> str | None:
        """The list whose members a segment holds: segment 1 is the first list, and so on."""
        known = {str(number): one.list_id for number, one in enumerate(self.lists, start=1)}
        return known.get(segment_id)

    def suppressed(self) -> frozenset[str]:
        """Every address that may not be mailed, deleted or not, as spelled."""
        return frozenset(
            contact.email.address
            for contact in self._contacts.values()
            if contact.email is not None and contact.email.unsubscribed
        )
