"""SendGrid's JSON as values: lists of addresses, rows of lists, groups, scopes, errors. Pure.

Whatever is not as promised is `NotAsPromised`, whose words hold no address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeGuard

from suppress.plugin.transport import Reply
from suppress.plugin.words import vendor_words


class NotAsPromised(ValueError):
    """An answer of another shape than the vendor's contract says."""


@dataclass(frozen=True, slots=True)
class Row:
    """One address of a list, and since when it is there."""

    email: str
    created: datetime | None


@dataclass(frozen=True, slots=True)
class Group:
    """An unsubscribe group."""

    number: int
    name: str
    unsubscribes: int | None


def echoed(value: object) -> tuple[str, ...]:
    """The addresses that the answer to a write repeats."""
    return _addresses(_object(value, "the answer").get("recipient_emails"), "recipient_emails")


def held(value: object) -> str | None:
    """The address that is globally suppressed; None for `{}`, which is how SendGrid says that it is not."""
    found = _object(value, "the answer")
    if not found:
        return None
    address = found.get("recipient_email")
    if not isinstance(address, str) or not address:
        raise NotAsPromised("an answer that neither names an address nor is empty")
    return address


def addresses(value: object) -> tuple[str, ...]:
    """The addresses of a group: those of a search, or all."""
    return _addresses(value, "the answer")


def rows(value: object) -> tuple[Row, ...]:
    """One page of a list."""
    if not isinstance(value, list):
        raise NotAsPromised("the answer is no list")
    return tuple(map(_row, value))


def group(value: object) -> Group:
    """An unsubscribe group."""
    found = _object(value, "the answer")
    number, count = found.get("id"), found.get("unsubscribes")
    if not isinstance(number, int) or isinstance(number, bool):
        raise NotAsPromised("a group without an id")
    name = found.get("name")
    return Group(
        number,
        vendor_words(name, longest=60) if isinstance(name, str) else "",
        count if isinstance(count, int) else None,
    )


def scopes(value: object) -> frozenset[str]:
    """What a key may do."""
    found = _object(value, "the answer").get("scopes")
    if not isinstance(found, list):
        raise NotAsPromised("scopes is no list")
    return frozenset(each for each in found if isinstance(each, str))


def complaint(reply: Reply) -> str:
    """What an error says of itself, fit for a message; empty when it is of another shape."""
    return vendor_words("; ".join(_messages(reply.json if reply.is_json else None)))


def _messages(value: object) -> Iterator[str]:
    errors = value.get("errors") if _is_object(value) else None
    for each in errors if isinstance(errors, list) else ():
        if _is_object(each) and isinstance(message := each.get("message"), str):
            yield message


def _row(value: object) -> Row:
    found = _object(value, "a row")
    email, created = found.get("email"), found.get("created")
    if not isinstance(email, str) or not email:
        raise NotAsPromised("a row without an address")
    return Row(email, _instant(created))


def _instant(seconds: object) -> datetime | None:
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _addresses(value: object, what: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise NotAsPromised(f"{what} is no list of addresses")
    return tuple(value)


def _is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)


def _object(value: object, what: str) -> Mapping[str, object]:
    if not _is_object(value):
        raise NotAsPromised(f"{what} is no object")
    return value
