"""Contacts as the platform keeps them, and what each write does to one. Pure: values in, values out.

Rules kept here, with the section of the vendor's behaviour that they follow:

* *Unsubscribed* and *deleted* are independent: deleting hides a contact and keeps its opt-out; reviving
  shows it again, still opted out.
* A contact has two clocks. Unsubscribing moves `email.updated_at` and leaves the contact's `updated_at`
  alone; that is why `updated_after` loses opt-outs.
* Unsubscribing is account-wide: it drops every list membership and the opt-in fields.
* An opt-out is remembered after a person comes back (`Email.opt_out` with another permission), because it
  is undocumented whether the platform keeps the date; a switch decides whether it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Permission(StrEnum):
    """`permission_to_send` of an address."""

    EXPLICIT = "explicit"
    IMPLICIT = "implicit"
    NOT_SET = "not_set"
    PENDING_CONFIRMATION = "pending_confirmation"
    TEMP_HOLD = "temp_hold"
    UNSUBSCRIBED = "unsubscribed"


MAILABLE = frozenset({Permission.EXPLICIT, Permission.IMPLICIT, Permission.NOT_SET})


@dataclass(frozen=True, slots=True)
class OptOut:
    """One request not to be mailed, as the platform recorded it.

    `at` is the `opt_out_date` shown, None where the platform shows none. `recorded_at` is when the platform
    had it; a visibility delay counts from there. `campaign` is the campaign activity whose link was clicked.
    """

    source: str
    at: datetime | None
    recorded_at: datetime
    reason: str | None = None
    campaign: str | None = None
    complaint: bool = False
    """Reported as spam: counted as `abuse`, named in no report."""


@dataclass(frozen=True, slots=True)
class Email:
    """The address of a contact, with its own clock. `before` is the last state before an opt-out."""

    address: str
    permission: Permission
    created_at: datetime
    updated_at: datetime
    opt_in_source: str | None = None
    opt_in_date: datetime | None = None
    opt_out: OptOut | None = None
    confirm_status: str = "off"
    before: Email | None = None

    @property
    def unsubscribed(self) -> bool:
        """Whether the account may not mail this address, deleted or not."""
        return self.permission is Permission.UNSUBSCRIBED


@dataclass(frozen=True, slots=True)
class Sms:
    """The SMS channel of a contact: separate from e-mail in both directions."""

    channel_id: str
    number: str
    """Without the country's dial code."""
    permission: str
    created_at: datetime
    updated_at: datetime
    opt_in_date: datetime | None = None
    opt_out_date: datetime | None = None
    dial_code: str = "1"
    country_code: str = "US"
    source: str = "Contact"
    by_carrier: bool = False


@dataclass(frozen=True, slots=True)
class Bounce:
    """A message that came back: the vendor's one-letter code and the campaign activity."""

    code: str
    campaign: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Details:
    """The top-level fields that a PUT replaces as a whole: what it omits becomes null."""

    first_name: str | None = None
    last_name: str | None = None
    job_title: str | None = None
    company_name: str | None = None
    birthday_month: int | None = None
    birthday_day: int | None = None
    anniversary: str | None = None


@dataclass(frozen=True, slots=True)
class Extras:
    """Sub-resources that come only with `include`, as JSON values already in the vendor's shape."""

    custom_fields: tuple[dict[str, object], ...] = ()
    phone_numbers: tuple[dict[str, object], ...] = ()
    street_addresses: tuple[dict[str, object], ...] = ()
    taggings: tuple[str, ...] = ()
    notes: tuple[dict[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact of the account; `email` is None for people known by name or SMS number only."""

    contact_id: str
    sequence_id: str
    """Its number in the old V2 API."""
    created_at: datetime
    updated_at: datetime
    email: Email | None = None
    details: Details = Details()
    extras: Extras = Extras()
    lists: tuple[str, ...] = ()
    create_source: str = "Account"
    update_source: str | None = None
    deleted_at: datetime | None = None
    sms: Sms | None = None
    bounces: tuple[Bounce, ...] = ()
    resubscribe_sent_at: datetime | None = None
    """The confirmation message goes out once per contact, ever."""
    resubscribe_lists: tuple[str, ...] = ()

    @property
    def deleted(self) -> bool:
        """Whether the contact is hidden from the product's screens."""
        return self.deleted_at is not None

    @property
    def unsubscribed(self) -> bool:
        """Whether its address may not be mailed, deleted or not."""
        return self.email is not None and self.email.unsubscribed

    @property
    def mailable(self) -> bool:
        """What `status=active` means here: not deleted, and a permission to send."""
        return not self.deleted and self.email is not None and self.email.permission in MAILABLE

    def as_seen(self, now: datetime, delay: float) -> Contact:
        """The contact as queries show it while a fresh opt-out is not visible yet."""
        email = self.email
        if email is None or not email.unsubscribed or email.before is None or email.opt_out is None:
            return self
        if (now - email.opt_out.recorded_at).total_seconds() >= delay:
            return self
        return replace(self, email=email.before)


def unsubscribe(contact: Contact, opt_out: OptOut) -> Contact:
    """Record an opt-out. An earlier one stays as it is: the first date and source hold.

    Raises:
        ValueError: The contact has no address that could be unsubscribed.
    """
    email = contact.email
    if email is None:
        raise ValueError(f"contact {contact.contact_id} has no e-mail address")
    if email.unsubscribed:
        return contact
    opted_out = replace(
        email,
        permission=Permission.UNSUBSCRIBED,
        updated_at=opt_out.recorded_at,
        opt_in_source=None,
        opt_in_date=None,
        opt_out=opt_out,
        before=email,
    )
    return replace(contact, email=opted_out, lists=())


def permit(contact: Contact, permission: Permission, *, at: datetime, source: str) -> Contact:
    """Set another permission than unsubscribed; a past opt-out is remembered.

    Raises:
        ValueError: The contact has no address, or the permission is an opt-out.
    """
    email = contact.email
    if email is None or permission is Permission.UNSUBSCRIBED:
        raise ValueError(f"contact {contact.contact_id} cannot be given {permission}")
    agreed = permission in {Permission.EXPLICIT, Permission.IMPLICIT}
    permitted = replace(
        email,
        permission=permission,
        updated_at=at,
        opt_in_source=source if agreed else None,
        opt_in_date=at if agreed else None,
        before=None,
    )
    return replace(contact, email=permitted)


def delete(contact: Contact, at: datetime) -> Contact:
    """Hide the contact: lists are emptied, the opt-out stays. A second deletion changes nothing."""
    return contact if contact.deleted else replace(contact, deleted_at=at, lists=())


def revive(contact: Contact, *, opt_out_date: datetime | None = None) -> Contact:
    """Show a deleted contact again, still opted out if it was.

    With `opt_out_date` the opt-out is dated anew: one of the two readings of what re-adding does.
    """
    shown = replace(contact, deleted_at=None)
    email = contact.email
    if opt_out_date is None or not contact.deleted or email is None or email.opt_out is None:
        return shown
    dated = replace(email, opt_out=replace(email.opt_out, at=opt_out_date), updated_at=opt_out_date)
    return replace(shown, email=dated)


def join(contact: Contact, lists: tuple[str, ...]) -> Contact:
    """Put the contact on lists. An unsubscribed one is on no list, whatever is asked."""
    if contact.unsubscribed:
        return contact
    return replace(contact, lists=tuple(dict.fromkeys((*contact.lists, *lists))))


def leave(contact: Contact, lists: tuple[str, ...]) -> Contact:
    """Take the contact off lists; leaving a list is no opt-out."""
    return replace(contact, lists=tuple(one for one in contact.lists if one not in lists))


def rename(contact: Contact, address: str, at: datetime) -> Contact:
    """Give the contact another address; the permission goes with the contact."""
    if contact.email is None:
        fresh = Email(address, Permission.IMPLICIT, at, at, opt_in_source="Account", opt_in_date=at)
        return replace(contact, email=fresh)
    if contact.email.address == address:
        return contact
    return replace(contact, email=replace(contact.email, address=address, updated_at=at))
