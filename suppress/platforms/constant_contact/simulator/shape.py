"""How the platform writes a contact, an instant and the end of a walk as JSON: absent values are omitted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeAlias, assert_never

from suppress.platforms.constant_contact.simulator.model import Contact, Email, Extras, Sms
from suppress.platforms.constant_contact.simulator.scenario import LastPage, Switches, Timestamps

Shape: TypeAlias = "dict[str, object]"

EASTERN = timezone(timedelta(hours=-4))
"""The offset that old samples of the vendor carry."""


def instant(at: datetime, timestamps: Timestamps) -> str:
    """An instant as the scenario writes it."""
    match timestamps:
        case Timestamps.SECONDS:
            return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        case Timestamps.MILLISECONDS:
            return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
        case Timestamps.OFFSET:
            return at.astimezone(EASTERN).isoformat(timespec="seconds")
        case _:
            assert_never(timestamps)


def links(next_href: str | None, last_page: LastPage) -> Shape:
    """`{"_links": …}` to the next page, or one of the ways in which a walk ends."""
    if next_href is not None:
        return {"_links": {"next": {"href": next_href}}}
    match last_page:
        case LastPage.EMPTY:
            return {"_links": {}}
        case LastPage.NULL:
            return {"_links": {"next": None}}
        case LastPage.MISSING:
            return {}
        case _:
            assert_never(last_page)


def present(**members: object) -> Shape:
    """The members that are there: None is left out, as the platform leaves it out."""
    return {name: value for name, value in members.items() if value is not None}


def contact_shape(contact: Contact, switches: Switches, include: Collection[str] = ()) -> Shape:
    """A contact as `GET /contacts` and `GET /contacts/{contact_id}` show it."""
    details = contact.details
    shown = present(
        contact_id=contact.contact_id,
        email_address=None if contact.email is None else _email(contact.email, switches),
        first_name=details.first_name,
        last_name=details.last_name,
        job_title=details.job_title,
        company_name=details.company_name,
        birthday_month=details.birthday_month,
        birthday_day=details.birthday_day,
        anniversary=details.anniversary,
        create_source=contact.create_source,
        update_source=contact.update_source,
        created_at=instant(contact.created_at, switches.timestamps),
        updated_at=instant(contact.updated_at, switches.timestamps),
        deleted_at=deleted_shape(contact, switches),
    )
    shown.update(_included(contact, include))
    if contact.sms is not None and (not switches.sms_needs_include or "sms_channel" in include):
        shown["sms_channel"] = _sms(contact.sms, switches)
    return shown


def deleted_shape(contact: Contact, switches: Switches) -> str | None:
    """`deleted_at`: a date in the contract, an instant in the guide."""
    if contact.deleted_at is None:
        return None
    if switches.deleted_at_has_time:
        return instant(contact.deleted_at, switches.timestamps)
    return contact.deleted_at.astimezone(UTC).date().isoformat()


def _email(email: Email, switches: Switches) -> Shape:
    shown = email.opt_out if email.unsubscribed or switches.resubscribed_keep_opt_out_date else None

    def written(at: datetime | None) -> str | None:
        return None if at is None else instant(at, switches.timestamps)

    return present(
        address=email.address,
        permission_to_send=email.permission.value,
        created_at=written(email.created_at),
        updated_at=written(email.updated_at),
        opt_in_source=email.opt_in_source,
        opt_in_date=written(email.opt_in_date),
        opt_out_source=None if shown is None else shown.source,
        opt_out_date=None if shown is None else written(shown.at),
        opt_out_reason=None if shown is None else shown.reason,
        confirm_status=email.confirm_status,
    )


def _included(contact: Contact, include: Collection[str]) -> Shape:
    extras: Extras = contact.extras
    available: Shape = {
        "custom_fields": list(extras.custom_fields),
        "list_memberships": list(contact.lists),
        "taggings": list(extras.taggings),
        "notes": list(extras.notes),
        "phone_numbers": list(extras.phone_numbers),
        "street_addresses": list(extras.street_addresses),
    }
    return {name: value for name, value in available.items() if name in include}


def _sms(sms: Sms, switches: Switches) -> Shape:
    def written(at: datetime | None) -> str | None:
        return None if at is None else instant(at, switches.timestamps)

    consent = present(
        sms_consent_permission=sms.permission,
        consent_type="promotional_sms",
        opt_in_date=written(sms.opt_in_date),
        opt_out_date=written(sms.opt_out_date),
        advertised_frequency="4",
        advertised_interval="monthly",
        created_at=written(sms.created_at),
        updated_at=written(sms.updated_at),
    )
    return {
        "sms_channel_id": sms.channel_id,
        "sms_address": sms.number,
        "dial_code": sms.dial_code,
        "country_code": sms.country_code,
        "create_source": sms.source,
        "update_source": sms.source,
        "sms_channel_consents": [consent],
    }
