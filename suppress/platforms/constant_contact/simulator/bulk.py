"""What imports, bulk deletions and list changes do to contacts, row by row."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from typing import TYPE_CHECKING

from suppress.platforms.constant_contact.simulator import model
from suppress.platforms.constant_contact.simulator.fields import MAX_ADDRESS, Fields, is_address
from suppress.platforms.constant_contact.simulator.http import Refused, Request, errors, invalid
from suppress.platforms.constant_contact.simulator.model import Contact, Sms
from suppress.platforms.constant_contact.simulator.people import newcomer
from suppress.platforms.constant_contact.simulator.shape import Shape

if TYPE_CHECKING:
    from suppress.platforms.constant_contact.simulator.backend import Backend

JSON_ADDRESS = 50
"""The JSON import takes 50 characters of address where contacts allow 80."""
MAX_BYTES = 4 * 1024 * 1024
MAX_LINES = 40_000
NEW = timedelta(days=30)
_HEADERS = {"email address": "email", "first name": "first_name", "last name": "last_name"}


@dataclass(frozen=True, slots=True)
class Done:
    """What an activity did: its counters, its errors, and the file that an export wrote."""

    status: Shape
    errors: tuple[str, ...] = ()
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which contacts an activity is about: one of several criteria, less some exceptions."""

    contact_ids: tuple[str, ...] = ()
    list_ids: tuple[str, ...] = ()
    tag_ids: tuple[str, ...] = ()
    segment_id: int | None = None
    all_active: bool = False
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Upload:
    """The parts of a file import."""

    text: str
    file_name: str | None
    list_ids: str
    sms: str


def chosen_of(body: Fields) -> Chosen:
    """The `source` and `exclude` of a list activity.

    Raises:
        Refused: 400 unless exactly one criterion is given.
    """
    source = body.inner("source")
    if source is None:
        raise invalid("source is required")
    known = ("contact_ids", "list_ids", "all_active_contacts", "tag_ids", "segment_id")
    if sum(name in source for name in known) != 1:
        raise invalid("source must have exactly one criterion")
    exclude = body.inner("exclude")
    return Chosen(
        contact_ids=source.ids("contact_ids", 500),
        list_ids=source.ids("list_ids", 50),
        tag_ids=source.ids("tag_ids", 50),
        segment_id=source.number("segment_id", 1, 999_999_999),
        all_active=source.flag("all_active_contacts"),
        excluded=() if exclude is None else exclude.ids("contact_ids", 50),
    )


def contacts_of(backend: Backend, chosen: Chosen) -> list[Contact]:
    """The contacts that a choice names, in the order of their ids."""
    members = None if chosen.segment_id is None else backend.account.segment(str(chosen.segment_id))

    def chooses(contact: Contact) -> bool:
        return (
            contact.contact_id in chosen.contact_ids
            or bool(set(contact.lists) & {*chosen.list_ids, members})
            or bool(set(contact.extras.taggings) & set(chosen.tag_ids))
            or (chosen.all_active and contact.mailable)
        )

    found = (one for one in backend.account if one.contact_id not in chosen.excluded and chooses(one))
    return sorted(found, key=lambda contact: contact.contact_id)


def delete(backend: Backend, chosen: Chosen, total: Mapping[str, int]) -> Done:
    """Hide contacts; whoever was unsubscribed stays so. A real batch of 500 took under seven seconds."""
    contacts = contacts_of(backend, chosen)
    for contact in contacts:
        backend.account.put(model.delete(contact, backend.clock.now()))
    return Done({**total, "items_completed_count": len(contacts)})


def change_lists(
    backend: Backend, chosen: Chosen, lists: tuple[str, ...], total: Shape, *, joining: bool
) -> Done:
    """Put contacts on lists or take them off."""
    contacts = contacts_of(backend, chosen)
    for contact in contacts:
        changed = model.join(backend.revived(contact), lists) if joining else model.leave(contact, lists)
        backend.account.put(changed)
    return Done({**total, "items_completed_count": len(contacts)})


def rows_of_json(body: Fields) -> list[dict[str, str]]:
    """The rows of a JSON import. What lies beyond 4 MB is dropped silently, as the vendor does.

    Raises:
        Refused: 400 without rows.
    """
    rows, size = [], 0
    for row in body.objects("import_data", 1_000_000):
        size += len(json.dumps(row.members))
        if size > MAX_BYTES:
            break
        rows.append({name: str(value) for name, value in row.members.items()})
    if not rows:
        raise invalid("import_data is required")
    return rows


def upload_of(request: Request) -> Upload:
    """The parts of a multipart upload.

    Raises:
        Refused: 415 for another content type, 400 without a file or lists, or for one that is too large.
    """
    content_type = request.headers.get("content-type", "")
    if not content_type.lower().startswith("multipart/form-data"):
        raise Refused(
            errors(415, "contacts.api.unsupported_media_type", "Content-Type must be multipart/form-data")
        )
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message: Message = message_from_bytes(head + request.body)
    texts: dict[str, tuple[str, str | None]] = {}
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        held = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(held, bytes):
            texts[name] = held.decode("utf-8-sig", "replace"), part.get_filename()
    if "file" not in texts or "list_ids" not in texts:
        raise invalid("file and list_ids are required")
    text, file_name = texts["file"]
    if len(text.encode()) > MAX_BYTES or text.count("\n") > MAX_LINES:
        raise invalid("The file has more than 40,000 lines or 4 MB")
    return Upload(text, file_name, texts["list_ids"][0], texts.get("sms_permission_to_send", ("not_set",))[0])


def rows_of_csv(text: str) -> list[dict[str, str]]:
    """The rows of an import file, by the API's names or the product's own headings.

    Raises:
        Refused: 400 for a file without an `email` or `sms_number` column.
    """
    lines = csv.reader(io.StringIO(text))
    heading = [name.strip().lower() for name in next(lines, [])]
    names = [_HEADERS.get(name, name) for name in heading]
    if not {"email", "sms_number"} & set(names):
        raise invalid("The file needs an email or sms_number column")
    return [dict(zip(names, line, strict=False)) for line in lines if line]


def import_rows(
    backend: Backend,
    rows: Sequence[Mapping[str, str]],
    lists: tuple[str, ...],
    *,
    sms: str,
    longest: int = MAX_ADDRESS,
    heading: int = 0,
) -> Done:
    """Add and revive people; whoever was unsubscribed stays so, is put on no list, and is counted.

    `heading` is how many lines of the file are no people: the contract counts them as items.
    """
    refused = unreadable = 0
    found: list[str] = []
    for number, row in enumerate(rows, start=1):
        address = row.get("email", "").strip()
        if len(address) > longest or (address and not is_address(address)) or not _known_by(row):
            unreadable += 1
            found.append(f"row {number}: not a valid email address or phone number")
            continue
        contact = _imported(backend, row, address, sms)
        refused += contact.unsubscribed
        backend.account.put(model.join(contact, lists))
    status: Shape = {
        "items_total_count": len(rows) + heading,
        "person_count": len(rows),
        "error_count": 0,
        "correctable_count": unreadable,
        "cannot_add_to_list_count": refused,
    }
    return Done(status, tuple(found))


def _known_by(row: Mapping[str, str]) -> bool:
    return any(row.get(name, "").strip() for name in ("email", "sms_number", "first_name", "last_name"))


def _imported(backend: Backend, row: Mapping[str, str], address: str, sms: str) -> Contact:
    """The contact of one row: the account's own, revived, or a new one with implicit permission."""
    now = backend.clock.now()
    held = backend.account.find(address) if address else None
    contact = newcomer(backend.account, address, now) if held is None else backend.revived(held)
    was = contact.details
    details = replace(
        was,
        first_name=row.get("first_name") or was.first_name,
        last_name=row.get("last_name") or was.last_name,
        job_title=row.get("job_title") or was.job_title,
        company_name=row.get("company_name") or was.company_name,
    )
    number = row.get("sms_number", "").replace("-", "").strip()
    if number:
        since = now if sms == "explicit" else None
        contact = replace(contact, sms=Sms(str(uuid.uuid4()), number, sms, now, now, opt_in_date=since))
    return replace(contact, details=details, updated_at=now, update_source="Account")
