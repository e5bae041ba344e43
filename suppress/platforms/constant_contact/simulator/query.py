"""The query of `GET /contacts`: its 15 parameters, the cursor, and which contacts match.

Rules kept here:

* All filters are ANDed. `segment_id` goes with `limit` only.
* `updated_*` looks at the contact's own clock, which an unsubscribe does not move.
* `optout_*` looks at the opt-out date of people who are unsubscribed now; a switch decides about others.
* The cursor is base64 of a query string with the filters and a page number, as in the vendor's samples.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import assert_never

from suppress.platforms.constant_contact.simulator import paging
from suppress.platforms.constant_contact.simulator.http import invalid
from suppress.platforms.constant_contact.simulator.model import MAILABLE, Contact, Permission
from suppress.platforms.constant_contact.simulator.scenario import Order, Switches, WithoutStatus

STATUSES = ("all", "active", "deleted", "not_set", "pending_confirmation", "temp_hold", "unsubscribed")
SMS_STATUSES = ("all", "explicit", "unsubscribed", "pending_confirmation", "not_set")
INCLUDES = (
    "custom_fields",
    "list_memberships",
    "taggings",
    "notes",
    "phone_numbers",
    "street_addresses",
    "sms_channel",
)
MAX_LISTS, MAX_TAGS, MAX_LIMIT = 25, 50, 500


@dataclass(frozen=True, slots=True)
class Query:
    """One page of one question. `shift` is how far a fault has moved the pages of this walk."""

    status: tuple[str, ...] = ()
    email: str | None = None
    lists: tuple[str, ...] = ()
    segment_id: str | None = None
    tags: tuple[str, ...] = ()
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    optout_after: datetime | None = None
    optout_before: datetime | None = None
    include: tuple[str, ...] = ()
    sms_status: tuple[str, ...] = ()
    include_count: bool = False
    limit: int = 50
    page: int = 1
    shift: int = 0
    walk: str | None = None
    """The snapshot that this walk reads, if the account pages that way."""


def parse(pairs: Sequence[tuple[str, str]]) -> Query:
    """Read a request's query string.

    Raises:
        Refused: 400 for a value outside the contract, or a cursor that we did not make.
    """
    given = _gathered(pairs)
    if "cursor" in given:
        if len(given) > 1:
            raise invalid("cursor cannot be combined with other parameters")
        return _query(_opened(given["cursor"][-1]))
    given = {name: values for name, values in given.items() if name in _PARAMETERS}
    if "segment_id" in given and not given.keys() <= {"segment_id", "limit"}:
        raise invalid("segment_id can only be combined with limit")
    return _query(given)


def cursor(query: Query) -> str:
    """The opaque text that leads to this page."""
    pairs: list[tuple[str, str]] = [("limit", str(query.limit)), ("next", str(query.page))]
    for member in fields(Query):
        value = getattr(query, member.name)
        if member.name in {"limit", "page"} or value == member.default:
            continue
        match value:
            case tuple():
                pairs += [(f"{member.name}[]", one) for one in value]
            case datetime():
                pairs.append((member.name, value.isoformat()))
            case bool():
                pairs.append((member.name, "true"))
            case _:
                pairs.append((member.name, str(value)))
    return paging.sealed(pairs)


def matching(
    query: Query, contacts: Iterable[Contact], switches: Switches, *, seed: int = 0
) -> list[Contact]:
    """The contacts that match every filter, in the account's order."""
    found = [contact for contact in contacts if _matches(query, contact, switches)]
    match switches.order:
        case Order.CONTACT_ID:
            found.sort(key=lambda contact: contact.contact_id)
        case Order.OLDEST:
            found.sort(key=lambda contact: (contact.created_at, contact.contact_id))
        case Order.NEWEST:
            found.sort(key=lambda contact: (contact.created_at, contact.contact_id), reverse=True)
        case Order.SHUFFLED:
            found.sort(key=lambda contact: hashlib.sha256(f"{seed}{contact.contact_id}".encode()).digest())
        case _:
            assert_never(switches.order)
    return found


def instant_of(text: str, name: str) -> datetime:
    """A date or date-time as the vendor takes it: any offset, date only, unpadded (`2018-3-31`).

    Raises:
        Refused: 400, naming the parameter.
    """
    found = re.match(r"(\d{4})-(\d{1,2})-(\d{1,2})(.*)", text.strip(), re.DOTALL)
    if found is None:
        raise invalid(f"{name} does not have a valid value")
    year, month, day, rest = found.groups()
    try:
        at = datetime.fromisoformat(f"{year}-{int(month):02d}-{int(day):02d}{rest}")
    except ValueError:
        raise invalid(f"{name} does not have a valid value") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


_CURSOR_ONLY = {"next", "shift", "walk"}
_PARAMETERS = {member.name for member in fields(Query)} - {"page", "shift", "walk"}


def _gathered(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name.removesuffix("[]"), []).append(value)
    return given


def _opened(text: str) -> dict[str, list[str]]:
    try:
        given = _gathered(paging.opened(text))
    except ValueError:
        raise invalid("cursor does not have a valid value") from None
    if not {"limit", "next"} <= given.keys() <= _PARAMETERS | _CURSOR_ONLY:
        raise invalid("cursor does not have a valid value")
    return given


def _query(given: dict[str, list[str]]) -> Query:
    def last(name: str) -> str | None:
        return given[name][-1] if name in given else None

    def at(name: str) -> datetime | None:
        text = last(name)
        return None if text is None else instant_of(text, name)

    def number(name: str, otherwise: int, lowest: int, highest: int) -> int:
        text = last(name)
        if text is None:
            return otherwise
        if not re.fullmatch(r"-?[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
            raise invalid(f"{name} does not have a valid value")
        return int(text)

    def flag(name: str) -> bool:
        text = last(name)
        if text not in {None, "true", "false"}:
            raise invalid(f"{name} does not have a valid value")
        return text == "true"

    return Query(
        status=_words(given, "status", STATUSES),
        email=last("email"),
        lists=_words(given, "lists", most=MAX_LISTS),
        segment_id=last("segment_id"),
        tags=_words(given, "tags", most=MAX_TAGS),
        updated_after=at("updated_after"),
        updated_before=at("updated_before"),
        created_after=at("created_after"),
        created_before=at("created_before"),
        optout_after=at("optout_after"),
        optout_before=at("optout_before"),
        include=_words(given, "include", INCLUDES),
        sms_status=_words(given, "sms_status", SMS_STATUSES),
        include_count=flag("include_count"),
        limit=number("limit", 50, 1, MAX_LIMIT),
        page=number("next", 1, 1, 999_999_999),
        shift=number("shift", 0, -999, 999),
        walk=last("walk"),
    )


def _words(
    given: dict[str, list[str]], name: str, known: Sequence[str] | None = None, most: int | None = None
) -> tuple[str, ...]:
    words = [word.strip() for text in given.get(name, ()) for word in text.split(",")]
    if known is not None and not set(words) <= set(known):
        raise invalid(f"{name} does not have a valid value")
    if most is not None and len(words) > most:
        raise invalid(f"{name} has more than {most} values")
    return tuple(words)


def _matches(query: Query, contact: Contact, switches: Switches) -> bool:
    email = contact.email
    if not _has_status(query.status, contact, switches):
        return False
    if query.email is not None and (email is None or email.address.lower() != query.email.strip().lower()):
        return False
    if query.lists and not set(query.lists) & set(contact.lists):
        return False
    if query.tags and not set(query.tags) & set(contact.extras.taggings):
        return False
    if query.sms_status and not _has_sms_status(query.sms_status, contact):
        return False
    inclusive = switches.inclusive_bounds
    if not _within(contact.updated_at, query.updated_after, query.updated_before, inclusive=inclusive):
        return False
    if not _within(contact.created_at, query.created_after, query.created_before, inclusive=inclusive):
        return False
    opted_out_at = _opt_out_date(contact, switches)
    return _within(opted_out_at, query.optout_after, query.optout_before, inclusive=inclusive)


def _has_status(statuses: tuple[str, ...], contact: Contact, switches: Switches) -> bool:
    if not statuses:
        active_only = switches.without_status is WithoutStatus.ACTIVE
        return _is("active", contact, switches) if active_only else not contact.deleted
    return any(_is(status, contact, switches) for status in statuses)


def _is(status: str, contact: Contact, switches: Switches) -> bool:
    permission = None if contact.email is None else contact.email.permission
    match status:
        case "all":
            return True
        case "deleted":
            return contact.deleted and (switches.deleted_includes_unsubscribed or not contact.unsubscribed)
        case "active":
            on_hold = {Permission.TEMP_HOLD, Permission.PENDING_CONFIRMATION}
            shown = MAILABLE | on_hold if switches.active_includes_on_hold else MAILABLE
            return not contact.deleted and permission in shown
        case _:
            return not contact.deleted and permission == status


def _has_sms_status(statuses: tuple[str, ...], contact: Contact) -> bool:
    return contact.sms is not None and ("all" in statuses or contact.sms.permission in statuses)


def _opt_out_date(contact: Contact, switches: Switches) -> datetime | None:
    email = contact.email
    if email is None or email.opt_out is None:
        return None
    return email.opt_out.at if email.unsubscribed or switches.resubscribed_keep_opt_out_date else None


def _within(at: datetime | None, after: datetime | None, before: datetime | None, *, inclusive: bool) -> bool:
    if after is None and before is None:
        return True
    if at is None:
        return False
    if inclusive:
        return (after is None or at >= after) and (before is None or at <= before)
    return (after is None or at > after) and (before is None or at < before)
