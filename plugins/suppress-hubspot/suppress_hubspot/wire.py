"""HubSpot's JSON as values: statuses of addresses, errors of a batch, pages of contacts. Pure.

Shapes are those of the preferences calls v4 and of contacts v3. Whatever is not as promised is
`NotAsPromised`, whose words hold no address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeGuard

from suppress.plugin.transport import Reply
from suppress.plugin.words import vendor_words

UNSUBSCRIBED = "UNSUBSCRIBED"
PORTAL_WIDE, BUSINESS_UNIT_WIDE = "PORTAL_WIDE", "BUSINESS_UNIT_WIDE"
NO_CHANGE, RESUBSCRIBED = "NO_STATUS_CHANGE", "RESUBSCRIBE_OCCURRED"


_SCOPE = re.compile(r"[a-z]+(?:[._-][a-z]+){0,9}").fullmatch
"""A scope's name and nothing that could be a person's or a secret."""


class NotAsPromised(ValueError):
    """An answer of another shape than the vendor's reference says."""


@dataclass(frozen=True, slots=True)
class Status:
    """Where an address stands with one subscription type, as a write answers it."""

    address: str
    status: str
    change: str
    """`setStatusSuccessReason`: whether this write changed anything."""
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Wide:
    """An opt-out of everything: of the whole account, or of one brand (business unit)."""

    kind: str
    status: str
    unit: int | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Refused:
    """One element of the `errors` of a 207: why, and whom it names."""

    category: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as a search shows it."""

    id: str
    email: str
    opted_out: bool
    modified: datetime


@dataclass(frozen=True, slots=True)
class Complaint:
    """The body of an error."""

    category: str = ""
    message: str = ""
    correlation: str | None = None
    policy: str = ""
    scopes: tuple[str, ...] = ()


def statuses(value: object) -> tuple[str, tuple[Status, ...]]:
    """How a write for one address ended, and the statuses that it set."""
    envelope = _object(value, "the answer")
    return _text(envelope, "status"), tuple(map(_status, _list(envelope, "results")))


def many_statuses(value: object) -> tuple[dict[str, tuple[Status, ...]], tuple[Refused, ...]]:
    """The statuses that a batch write set, by address, and whom it refused."""
    envelope = _object(value, "the answer")
    found: dict[str, tuple[Status, ...]] = {}
    for each in _list(envelope, "results"):
        record = _object(each, "a result")
        address = _text(record, "subscriberIdString")
        found[address] = (*found.get(address, ()), *map(_status, _list(record, "statuses", needed=False)))
    return found, tuple(_errors(envelope))


def wides(value: object) -> tuple[Wide, ...]:
    """The opt-outs of everything that one address has; none means that it can be mailed."""
    envelope = _complete(value)
    return tuple(map(_wide, _list(envelope, "results")))


def many_wides(value: object) -> tuple[dict[str, tuple[Wide, ...]], tuple[Refused, ...]]:
    """The same for each address of a batch, and whom it could not read."""
    envelope = _complete(value)
    found: dict[str, tuple[Wide, ...]] = {}
    for each in _list(envelope, "results"):
        record = _object(each, "a result")
        address = _text(record, "subscriberIdString")
        found[address] = (*found.get(address, ()), *map(_wide, _list(record, "wideStatuses")))
    return found, tuple(_errors(envelope))


def contacts(value: object) -> tuple[tuple[Contact, ...], str | None, int]:
    """A page of a search, the cursor of the next one, and how many contacts match in all."""
    page = _object(value, "the answer")
    total = page.get("total")
    if not isinstance(total, int) or isinstance(total, bool):
        raise NotAsPromised("a search without a total")
    paging = _object(page.get("paging") or {}, "paging")
    following = _object(paging.get("next") or {}, "paging.next")
    after = following.get("after")
    return tuple(map(_contact, _list(page, "results"))), after if isinstance(after, str) else None, total


def count(value: object) -> int:
    """How many results an answer has."""
    return len(_list(_object(value, "the answer"), "results"))


def time_zone(value: object) -> str | None:
    """The time zone of an account, if it says."""
    return vendor_words(_word(_object(value, "the answer"), "timeZone"), longest=60) or None


def complaint(reply: Reply) -> Complaint:
    """What an error says of itself; empty when it is no JSON of the promised shape."""
    value = reply.json if reply.is_json else None
    if not _is_object(value):
        return Complaint()
    scopes = [value.get("context")]
    errors = value.get("errors")
    scopes += [each.get("context") for each in errors if _is_object(each)] if isinstance(errors, list) else []
    return Complaint(
        category=_word(value, "category") or _word(value, "errorType"),
        message=vendor_words(_word(value, "message")),
        correlation=vendor_words(_word(value, "correlationId"), longest=64) or None,
        policy=_word(value, "policyName").upper(),
        scopes=tuple(dict.fromkeys(_scopes(scopes))),
    )


def instant(text: object) -> datetime | None:
    """An ISO 8601 time, or milliseconds since 1970, as an aware time; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        at = (
            datetime.fromtimestamp(int(text) / 1000, UTC)
            if text.isdecimal()
            else datetime.fromisoformat(text)
        )
    except (ValueError, OverflowError, OSError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _complete(value: object) -> Mapping[str, object]:
    envelope = _object(value, "the answer")
    if _text(envelope, "status") != "COMPLETE":
        raise NotAsPromised("a reading that is not complete")
    return envelope


def _scopes(contexts: Iterable[object]) -> Iterator[str]:
    for context in contexts:
        named = context.get("requiredGranularScopes") if _is_object(context) else None
        if isinstance(named, list):
            yield from (each for each in named if isinstance(each, str) and _SCOPE(each))


def _status(value: object) -> Status:
    each = _object(value, "a status")
    return Status(
        _text(each, "subscriberIdString"),
        _text(each, "status"),
        _word(each, "setStatusSuccessReason"),
        instant(each.get("timestamp")),
    )


def _wide(value: object) -> Wide:
    each = _object(value, "a status")
    unit = each.get("businessUnitId")
    return Wide(
        _text(each, "wideStatusType"),
        _text(each, "status"),
        unit if isinstance(unit, int) else None,
        instant(each.get("timestamp")),
    )


def _errors(envelope: Mapping[str, object]) -> Iterator[Refused]:
    for each in _list(envelope, "errors", needed=False):
        error = _object(each, "an error")
        context = error.get("context")
        lists = list(context.values()) if _is_object(context) else []
        named = [
            text for found in lists if isinstance(found, list) for text in found if isinstance(text, str)
        ]
        named += [_word(error, "id")] if _word(error, "id") else []
        yield Refused(_word(error, "category"), tuple(named))


def _contact(value: object) -> Contact:
    record = _object(value, "a contact")
    properties = _object(record.get("properties"), "a contact's properties")
    modified = instant(properties.get("lastmodifieddate")) or instant(record.get("updatedAt"))
    if modified is None:
        raise NotAsPromised("a contact without the time of its last change")
    # The mirror is "true", "false" or empty; what was searched for as "true" and says nothing is so.
    opted_out = _word(properties, "hs_email_optout") != "false"
    return Contact(_text(record, "id"), _word(properties, "email"), opted_out, modified)


def _is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)


def _object(value: object, what: str) -> Mapping[str, object]:
    if not _is_object(value):
        raise NotAsPromised(f"{what} is no object")
    return value


def _list(value: Mapping[str, object], key: str, *, needed: bool = True) -> list[object]:
    found = value.get(key, None if needed else [])
    if not isinstance(found, list):
        raise NotAsPromised(f"{key} is no list")
    return found


def _text(value: Mapping[str, object], key: str) -> str:
    found = value.get(key)
    if not isinstance(found, str) or not found:
        raise NotAsPromised(f"{key} is no text")
    return found


def _word(value: Mapping[str, object], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""
