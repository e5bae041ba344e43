"""Writing contacts: what creating, replacing, deleting, signing up and resubscribing do to opted-out people.

| call | an unsubscribed contact | a deleted contact |
| --- | --- | --- |
| `POST /contacts` | 409 | 409 |
| `PUT /contacts/{contact_id}` | `permission_to_send` may be set to anything | is revived |
| `DELETE /contacts/{contact_id}` | is hidden and stays unsubscribed | no change |
| `POST /contacts/sign_up_form` | becomes `explicit` | is revived |
| `PUT /contacts/resubscribe/{contact_id}` | is asked once, stays unsubscribed until it confirms | 400 |
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from suppress.platforms.constant_contact.simulator import model
from suppress.platforms.constant_contact.simulator.contacts import shown_contact
from suppress.platforms.constant_contact.simulator.fields import Fields
from suppress.platforms.constant_contact.simulator.http import (
    Request,
    Response,
    answer,
    conflict,
    invalid,
)
from suppress.platforms.constant_contact.simulator.model import (
    Contact,
    Details,
    Email,
    Extras,
    OptOut,
    Permission,
    Sms,
)
from suppress.platforms.constant_contact.simulator.people import newcomer
from suppress.platforms.constant_contact.simulator.query import INCLUDES
from suppress.platforms.constant_contact.simulator.shape import contact_shape, instant

if TYPE_CHECKING:
    from suppress.platforms.constant_contact.simulator.backend import Backend

SOURCES = ("Account", "Contact")
MAX_LISTS = 50
SIGN_UP_ADDRESS = 50
"""The sign-up form takes 50 characters of address where contacts allow 80."""
_ANNIVERSARY = re.compile(r"\d{1,2}[/-]\d{1,2}[/-]\d{4}|\d{4}[/-]\d{1,2}[/-]\d{1,2}")


def create(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """`POST /contacts`: 409 for an address that the account has, also of a deleted contact."""
    body = Fields.of(request)
    source = body.one_of("create_source", SOURCES)
    if source is None:
        raise invalid("create_source is required")
    now = backend.clock.now()
    details, sms = _details(body), _sms(body, now, source)
    given = body.inner("email_address")
    if given is None and sms is None and details == Details():
        raise invalid("A contact needs an email address, a name or an SMS number")
    contact = replace(
        newcomer(backend.account, "", now),
        details=details,
        extras=_extras(body, Extras(), backend, now),
        create_source=source,
        sms=sms,
    )
    if given is not None:
        address = _address(given)
        _refuse_taken(backend, address, contact.contact_id)
        fresh = Email(address, Permission.IMPLICIT, now, now, opt_in_source=source, opt_in_date=now)
        contact = replace(contact, email=fresh)
        contact = _permitted(backend, contact, given, source, now)
    contact = model.join(contact, backend.known_lists(body.ids("list_memberships", MAX_LISTS)))
    backend.account.put(contact)
    return _shown(backend, contact, 201)


def update(backend: Backend, request: Request, path: Mapping[str, str]) -> Response:
    """`PUT /contacts/{contact_id}`: top-level fields are replaced, sub-resources only where given."""
    contact = _held(backend, path)
    body = Fields.of(request)
    source = body.one_of("update_source", SOURCES)
    if source is None:
        raise invalid("update_source is required")
    if contact.deleted and source != "Account":
        raise invalid("update_source must be Account to restore a deleted contact")
    now = backend.clock.now()
    changed = backend.revived(contact)
    changed = replace(
        changed,
        details=_details(body),
        extras=_extras(body, contact.extras, backend, now),
        updated_at=now,
        update_source=source,
        sms=_sms(body, now, source) or contact.sms,
    )
    given = body.inner("email_address")
    if given is not None:
        address = _address(given)
        _refuse_taken(backend, address, contact.contact_id)
        changed = model.rename(changed, address, now)
        changed = _permitted(backend, changed, given, source, now)
    if "list_memberships" in body:
        lists = backend.known_lists(body.ids("list_memberships", MAX_LISTS))
        changed = model.join(replace(changed, lists=()), lists)
    backend.account.put(changed)
    return _shown(backend, changed, 200)


def remove(backend: Backend, _: Request, path: Mapping[str, str]) -> Response:
    """`DELETE /contacts/{contact_id}`: hides the contact and keeps its opt-out."""
    contact = _held(backend, path)
    backend.account.put(model.delete(contact, backend.clock.now()))
    return Response(204)


def sign_up(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """`POST /contacts/sign_up_form`: creates or updates, and silently re-subscribes who had opted out."""
    body = Fields.of(request)
    lists = backend.known_lists(body.ids("list_memberships", MAX_LISTS))
    now = backend.clock.now()
    address = body.address("email_address", SIGN_UP_ADDRESS)
    if not lists or (address is None and "sms_channel" not in body):
        raise invalid("list_memberships and an email_address or sms_channel are required")
    found = None if address is None else backend.account.find(address)
    contact = found or replace(newcomer(backend.account, address or "", now), create_source="Contact")
    given = _details(body)
    kept = {name: getattr(given, name) or getattr(contact.details, name) for name in Details.__slots__}
    contact = replace(
        contact,
        details=Details(**kept),
        deleted_at=None,
        updated_at=now,
        update_source="Contact",
        sms=_sms(body, now, "Contact") or contact.sms,
    )
    if contact.email is not None:
        contact = model.permit(contact, Permission.EXPLICIT, at=now, source="Contact")
    backend.account.put(model.join(contact, lists))
    action = "created" if found is None else "updated"
    return answer(201 if found is None else 200, {"contact_id": contact.contact_id, "action": action})


def resubscribe(backend: Backend, request: Request, path: Mapping[str, str]) -> Response:
    """`PUT /contacts/resubscribe/{contact_id}`: a confirmation message goes out, once per contact ever."""
    contact = _held(backend, path)
    lists = backend.known_lists(Fields.of(request).ids("list_ids", MAX_LISTS))
    if not lists or contact.deleted or not contact.unsubscribed:
        raise invalid("Only an unsubscribed contact can be resubscribed, to at least one list")
    if contact.resubscribe_sent_at is not None and not backend.switches.resubscribe_again:
        raise conflict("A resubscribe email has already been sent to this contact.")
    asked = replace(contact, resubscribe_sent_at=backend.clock.now(), resubscribe_lists=lists)
    backend.account.put(asked)
    return _shown(backend, asked, 200)


def _held(backend: Backend, path: Mapping[str, str]) -> Contact:
    """The contact as stored, not as a visibility delay shows it."""
    return backend.account[shown_contact(backend, path["contact_id"]).contact_id]


def _shown(backend: Backend, contact: Contact, status: int) -> Response:
    return answer(status, contact_shape(contact, backend.switches, INCLUDES))


def _address(given: Fields) -> str:
    address = given.address("address")
    if address is None:
        raise invalid("email_address.address is required")
    return address


def _refuse_taken(backend: Backend, address: str, contact_id: str) -> None:
    owner = backend.account.find(address)
    if owner is not None and owner.contact_id != contact_id:
        raise conflict(f"Validation failed: Email already exists for contact {owner.contact_id}")


def _permitted(backend: Backend, contact: Contact, given: Fields, source: str, now: datetime) -> Contact:
    """The contact with the permission that the body asks for, if it asks for one."""
    word = given.one_of("permission_to_send", tuple(Permission))
    reason = given.text("opt_out_reason", 255)
    if word is None or contact.email is None or word == contact.email.permission:
        return contact
    permission = Permission(word)
    if permission is Permission.UNSUBSCRIBED:
        return model.unsubscribe(contact, OptOut(source, now, now, reason))
    held = contact.email.opt_out if contact.unsubscribed else None
    if held is not None and held.source == "Contact" and not backend.switches.put_lifts_contact_opt_out:
        raise invalid("The contact has unsubscribed and cannot be added back by the account")
    return model.permit(contact, permission, at=now, source=source)


def _details(body: Fields) -> Details:
    anniversary = body.text("anniversary", 10)
    if anniversary is not None and not _ANNIVERSARY.fullmatch(anniversary):
        raise invalid("anniversary does not have a valid value")
    month, day = body.number("birthday_month", 1, 12), body.number("birthday_day", 1, 31)
    if (month is None) != (day is None):
        raise invalid("birthday_month and birthday_day must be used together")
    return Details(
        first_name=body.text("first_name", 50),
        last_name=body.text("last_name", 50),
        job_title=body.text("job_title", 50),
        company_name=body.text("company_name", 50),
        birthday_month=month,
        birthday_day=day,
        anniversary=anniversary,
    )


def _extras(body: Fields, held: Extras, backend: Backend, now: datetime) -> Extras:
    """Sub-resources: replaced where the body has them, left alone where it has not."""
    stamp = instant(now, backend.switches.timestamps)
    made: dict[str, object] = {"created_at": stamp, "updated_at": stamp}
    for name, most in (("custom_fields", 25), ("phone_numbers", 3), ("street_addresses", 3), ("notes", 150)):
        if name not in body:
            continue
        rows = [one.members for one in body.objects(name, most)]
        match name:
            case "custom_fields":
                held = replace(held, custom_fields=tuple(rows))
            case "notes":
                notes = ({"note_id": str(uuid.uuid4()), "created_at": stamp} | row for row in rows)
                held = replace(held, notes=tuple(notes))
            case "phone_numbers":
                phones = ({"phone_number_id": str(uuid.uuid4())} | row | made for row in rows)
                held = replace(held, phone_numbers=tuple(phones))
            case _:
                streets = ({"street_address_id": str(uuid.uuid4())} | row | made for row in rows)
                held = replace(held, street_addresses=tuple(streets))
    return replace(held, taggings=body.ids("taggings", 50)) if "taggings" in body else held


def _sms(body: Fields, now: datetime, source: str) -> Sms | None:
    """The SMS channel, as `POST`/`PUT` give it (`full_sms_address`) or the sign-up form (`sms_address`)."""
    given = body.inner("sms_channel")
    if given is None:
        return None
    number = given.text("sms_address", 16) or given.text("full_sms_address", 20)
    consents = given.objects("sms_channel_consents", 1)
    if number is None or not consents:
        raise invalid("sms_channel needs a number and a consent")
    permission = consents[0].one_of("sms_consent_permission", ("explicit", "unsubscribed", "not_set"))
    if permission is None:
        raise invalid("sms_consent_permission is required")
    return Sms(
        channel_id=str(uuid.uuid4()),
        number=re.sub(r"^\+?1(?=[0-9]{10}$)", "", re.sub(r"[^0-9+]", "", number)),
        permission=permission,
        created_at=now,
        updated_at=now,
        opt_in_date=now if permission == "explicit" else None,
        opt_out_date=now if permission == "unsubscribed" else None,
        source=source,
    )
