"""Contact exports as CSV: the product's own headings, in their usual order, empty columns left out."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias, assert_never

from suppress.platforms.constant_contact.simulator import bulk
from suppress.platforms.constant_contact.simulator.bulk import Chosen, Done
from suppress.platforms.constant_contact.simulator.fields import Fields
from suppress.platforms.constant_contact.simulator.http import invalid
from suppress.platforms.constant_contact.simulator.model import Contact, Permission
from suppress.platforms.constant_contact.simulator.scenario import ExportDates

if TYPE_CHECKING:
    from suppress.platforms.constant_contact.simulator.backend import Backend

STATUSES = ("active", "unsubscribed", "removed")
FIELDS = frozenset(
    {"first_name", "last_name", "email_address", "email_lists", "phone_number", "company_name", "job_title"}
    | {"social_profiles", "website", "notes", "street", "city", "state", "zip", "country", "anniversary"}
    | {"birthday", "birthday_day", "birthday_month", "source_name", "created_at", "updated_at", "tags"}
    | {"email_optin_source", "email_optin_date"}
    | {"email_optout_source", "email_optout_date", "email_optout_reason"}
)
OPT_FIELDS = frozenset(name for name in FIELDS if name.startswith("email_opt"))
"""These are exported only beside `email_address`."""
_STATUS = {
    Permission.UNSUBSCRIBED: "Unsubscribed",
    Permission.PENDING_CONFIRMATION: "Awaiting confirmation",
    Permission.TEMP_HOLD: "Temporary hold",
}
_PERMISSION = {Permission.EXPLICIT: "Express", Permission.IMPLICIT: "Implied", Permission.NOT_SET: "Not set"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows and which columns an export asks for; no fields: all of them."""

    chosen: Chosen | None
    status: str | None
    fields: frozenset[str]
    new_only: bool


def wanted_of(body: Fields) -> Wanted:
    """Read the body of an export.

    Raises:
        Refused: 400 for criteria that exclude each other, an unknown status or field.
    """
    status = body.one_of("status", STATUSES)
    criteria = [name for name in ("contact_ids", "list_ids", "tag_ids", "segment_id") if name in body]
    if len(criteria) > 1 or (status is not None and criteria not in ([], ["contact_ids"], ["list_ids"])):
        raise invalid("The filtering criteria are mutually exclusive")
    exclude = body.inner("exclude")
    chosen = Chosen(
        contact_ids=body.ids("contact_ids", 500),
        list_ids=body.ids("list_ids", 50),
        tag_ids=body.ids("tag_ids", 50),
        segment_id=body.number("segment_id", 1, 999_999_999),
        excluded=() if exclude is None else exclude.ids("contact_ids", 50),
    )
    names = body.members.get("fields", [])
    if not isinstance(names, list) or not set(map(str, names)) <= FIELDS:
        raise invalid("fields does not have a valid value")
    fields = frozenset(map(str, names)) or FIELDS - {"email_optin_source", "email_optin_date"}
    if "email_address" not in fields:
        fields -= OPT_FIELDS
    return Wanted(chosen if criteria else None, status, fields, body.flag("new_subscriber"))


def export(backend: Backend, wanted: Wanted) -> Done:
    """Write the file."""
    contacts = list(backend.account) if wanted.chosen is None else bulk.contacts_of(backend, wanted.chosen)
    since = backend.clock.now() - bulk.NEW
    if wanted.new_only:
        contacts = [contact for contact in contacts if contact.created_at > since]
    chosen = [contact for contact in contacts if _has_status(backend, contact, wanted.status)]
    chosen.sort(key=lambda one: one.contact_id)
    rows = [[column.cell(backend, contact) for column in COLUMNS] for contact in chosen]
    shown = [
        index
        for index, column in enumerate(COLUMNS)
        if column.field in wanted.fields and any(row[index] for row in rows)
    ]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([COLUMNS[index].heading for index in shown])
    writer.writerows([row[index] for index in shown] for row in rows)
    count = {"items_total_count": len(chosen), "items_completed_count": len(chosen)}
    return Done(dict(count), file=out.getvalue())


def _has_status(backend: Backend, contact: Contact, status: str | None) -> bool:
    match status:
        case "active":
            return contact.mailable
        case "unsubscribed":
            return contact.unsubscribed and (not contact.deleted or backend.switches.export_includes_deleted)
        case "removed":
            return contact.deleted
        case _:
            return not contact.deleted


Cell: TypeAlias = "Callable[[Backend, Contact], str | None]"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, the API's name of the field, and what stands in a row."""

    heading: str
    field: str
    read: Cell

    def cell(self, backend: Backend, contact: Contact) -> str:
        """The text of one cell, empty where there is nothing."""
        return self.read(backend, contact) or ""


def _date(backend: Backend, at: datetime | None) -> str | None:
    if at is None:
        return None
    at = at.astimezone(UTC)
    match backend.switches.export_dates:
        case ExportDates.ISO:
            return f"{at:%Y-%m-%dT%H:%M:%SZ}"
        case ExportDates.PLAIN:
            return f"{at:%Y-%m-%d %H:%M:%S}"
        case ExportDates.US:
            return f"{at:%m/%d/%Y %I:%M %p}"
        case _:
            assert_never(backend.switches.export_dates)


def _email_status(_: Backend, contact: Contact) -> str | None:
    if contact.email is None:
        return None
    if contact.deleted and not contact.unsubscribed:
        return "Removed"
    return _STATUS.get(contact.email.permission, "Active")


def _permission_status(_: Backend, contact: Contact) -> str | None:
    return None if contact.email is None else _PERMISSION.get(contact.email.permission)


def _address(_: Backend, contact: Contact) -> str | None:
    return None if contact.email is None else contact.email.address


def _opt_in_date(backend: Backend, contact: Contact) -> str | None:
    return None if contact.email is None else _date(backend, contact.email.opt_in_date)


def _opt_in_source(_: Backend, contact: Contact) -> str | None:
    return None if contact.email is None else contact.email.opt_in_source


def _opt_out_date(backend: Backend, contact: Contact) -> str | None:
    opt_out = contact.email.opt_out if contact.email is not None and contact.unsubscribed else None
    return None if opt_out is None else _date(backend, opt_out.at)


def _opt_out(name: str) -> Cell:
    def read(_: Backend, contact: Contact) -> str | None:
        opt_out = contact.email.opt_out if contact.email is not None and contact.unsubscribed else None
        found: str | None = None if opt_out is None else getattr(opt_out, name)
        return found

    return read


def _detail(name: str) -> Cell:
    def read(_: Backend, contact: Contact) -> str | None:
        found = getattr(contact.details, name)
        return None if found is None else str(found)

    return read


def _phone(kind: str) -> Cell:
    def read(_: Backend, contact: Contact) -> str | None:
        for phone in contact.extras.phone_numbers:
            if phone.get("kind") == kind:
                return str(phone.get("phone_number", ""))
        return None

    return read


def _street(kind: str, name: str) -> Cell:
    def read(_: Backend, contact: Contact) -> str | None:
        for street in contact.extras.street_addresses:
            if street.get("kind") == kind.lower():
                return str(street.get(name, ""))
        return None

    return read


def _lists(backend: Backend, contact: Contact) -> str:
    return ",".join(one.name for one in backend.account.lists if one.list_id in contact.lists)


def _birthday(_: Backend, contact: Contact) -> str | None:
    details = contact.details
    return None if details.birthday_month is None else f"{details.birthday_month}/{details.birthday_day}"


PHONES = ("home", "mobile", "work", "other")
_STREETS = (
    ("Street address line 1", "street", "street"),
    ("City", "city", "city"),
    ("State/Province", "state", "state"),
    ("Zip/Postal Code", "postal_code", "zip"),
    ("Country", "country", "country"),
)

COLUMNS: tuple[Column, ...] = (
    Column("Email address", "email_address", _address),
    Column("First name", "first_name", _detail("first_name")),
    Column("Last name", "last_name", _detail("last_name")),
    Column("Company", "company_name", _detail("company_name")),
    Column("Job title", "job_title", _detail("job_title")),
    Column("Email status", "email_address", _email_status),
    Column("Email permission status", "email_address", _permission_status),
    Column("Email update source", "email_address", lambda _, one: one.update_source),
    Column("Confirmed Opt-In Date", "email_optin_date", _opt_in_date),
    Column("Confirmed Opt-In Source", "email_optin_source", _opt_in_source),
    Column("Confirmed Opt-Out Date", "email_optout_date", _opt_out_date),
    Column("Confirmed Opt-Out Source", "email_optout_source", _opt_out("source")),
    Column("Confirmed Opt-Out Reason", "email_optout_reason", _opt_out("reason")),
    *(Column(f"Phone - {kind}", "phone_number", _phone(kind)) for kind in PHONES),
    *(
        Column(f"{heading} - {kind}", field, _street(kind, name))
        for kind in ("Home", "Work", "Other")
        for heading, name, field in _STREETS
    ),
    Column("Birthday", "birthday", _birthday),
    Column("Anniversary", "anniversary", _detail("anniversary")),
    Column("Tags", "tags", lambda _, one: ",".join(one.extras.taggings)),
    Column("Email Lists", "email_lists", _lists),
    Column("Source Name", "source_name", lambda _, one: one.create_source),
    Column("Created At", "created_at", lambda backend, one: _date(backend, one.created_at)),
    Column("Updated At", "updated_at", lambda backend, one: _date(backend, one.updated_at)),
)
