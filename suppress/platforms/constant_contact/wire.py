"""Constant Contact's JSON → what it means: pure functions, no network and no clock.

Rules kept here (references are to the vendor's contract, build 3.0.178, and its guide):

* *Unsubscribed* is `email_address.permission_to_send == "unsubscribed"` and nothing else. The contract's text
  for `deleted_at` says that deleted contacts carry opt-out fields and the guide says that they do not, so
  neither those fields nor the query that a row came from decide.
* *Deleted* is that `deleted_at` is present. Both flags are independent.
* Every value may be missing and every enum may grow. A value of the wrong kind where the permission or the
  address should be is refused instead of being read as "not an opt-out".
* Raw values are kept as received. They are evidence, and personal data.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from urllib.parse import urlsplit

from suppress.core.address import Address
from suppress.core.canonical import MAX_INTEGER
from suppress.core.reconcile import Observed, Permission
from suppress.core.suppression import Json, Reason
from suppress.platforms.constant_contact.dates import moment
from suppress.plugin.words import vendor_words

CONTACTS = "/v3/contacts"

_Table: TypeAlias = Mapping[str, object]

_PERMISSIONS: Mapping[str, Permission] = {
    "unsubscribed": Permission.OPTED_OUT,
    "explicit": Permission.MAILABLE,
    "implicit": Permission.MAILABLE,
    "not_set": Permission.MAILABLE,
}
_REASONS: Mapping[str, Reason] = {
    "contact": Reason.UNSUBSCRIBED,
    "account": Reason.ACCOUNT,
    # The partner API accepts `System` too: the person's own act is not on record either.
    "system": Reason.ACCOUNT,
}
_OF_CONTACT = ("contact_id", "created_at", "updated_at", "deleted_at", "create_source", "update_source")
_OF_EMAIL: Mapping[str, str] = {
    "address": "address",
    "permission_to_send": "permission_to_send",
    "opt_out_source": "opt_out_source",
    "opt_out_date": "opt_out_date",
    "opt_out_reason": "opt_out_reason",
    "opt_in_source": "opt_in_source",
    "opt_in_date": "opt_in_date",
    "confirm_status": "confirm_status",
    "created_at": "email_address.created_at",
    "updated_at": "email_address.updated_at",
}


class NotAsPromised(ValueError):
    """The answer is JSON, but not of the shape that the vendor promises; the message says where."""


@dataclass(frozen=True, slots=True)
class Row:
    """One contact of an answer. `identity` is what tells contacts apart; it stays the same over deletion."""

    identity: str
    observed: Observed
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of contacts. `count` is the platform's own, over all pages, if it was asked and tells."""

    contacts: tuple[object, ...]
    count: int | None
    next: str | None


def answer(body: object) -> Answer:
    """Read one page.

    Raises:
        NotAsPromised: There is no list of contacts, or the way to the next page is not a text.
    """
    if not isinstance(body, dict):
        raise NotAsPromised(f"expected an object with contacts, found {kind_of(body)}")
    contacts, counted, next_ = (
        body.get("contacts"),
        count(body.get("contacts_count")),
        next_link(body.get("_links")),
    )
    if contacts is None and counted == 0 and next_ is None:
        # Live answers omit what is absent. Without the count, silence is not taken for nobody.
        contacts = []
    if not isinstance(contacts, list):
        found = "none" if contacts is None else kind_of(contacts)
        raise NotAsPromised(f"expected a list of contacts, found {found}")
    return Answer(tuple(contacts), counted, next_)


def next_link(links: object) -> str | None:
    # The last page has `"_links": {}` in a recorded answer; missing and null were seen elsewhere.
    # Anything else that cannot be read is refused: taken for the last page, it would lose the rest.
    for name in ("next", "href"):
        if not links or isinstance(links, str):
            break
        if not isinstance(links, dict):
            raise NotAsPromised(f"expected a link to the next page, found {kind_of(links)}")
        links = links.get(name)
    if not links:
        return None
    if not isinstance(links, str):
        raise NotAsPromised(f"expected a link to the next page, found {kind_of(links)}")
    return links


def count(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def next_target(href: str, *, origin: str, path: str = CONTACTS) -> str:
    """The path and query of the next page, exactly as the platform wrote them.

    `href` is relative to the host and starts with `/v3`. `origin` (`https://api.cc.email`) is the only host
    that it may name.

    Raises:
        NotAsPromised: It leads anywhere else. The token must not follow.
    """
    target = href.removeprefix(origin) if href.startswith(f"{origin}/") else href
    plain = target.isascii() and target.isprintable() and " " not in target and "\\" not in target
    leads_to = target.partition("?")[0]
    if not plain or "#" in target or target.startswith("//") or leads_to != path:
        host = _host(href)
        raise NotAsPromised(f"the next page lies outside {path}{f' (at {host})' if host else ''}")
    return target


def _host(href: str) -> str:
    try:
        return vendor_words(urlsplit(href).hostname or "", longest=60)
    except ValueError:
        return ""


def row(contact: object, *, source: str, query: str, fetched_at: datetime) -> Row:
    """What one contact means.

    Raises:
        NotAsPromised: It is no object, or its address or permission is of another kind than text.
    """
    if not isinstance(contact, dict):
        raise NotAsPromised(f"expected a contact, found {kind_of(contact)}")
    email = _email(contact.get("email_address"))
    word = (_text(email, "permission_to_send") or "").strip()
    deleted = bool(contact.get("deleted_at"))
    contact_id = as_text(contact.get("contact_id"))
    observed = Observed(
        source=source,
        address=_address(_text(email, "address")),
        permission=_permission(word, deleted=deleted),
        word=_clean(word),
        deleted=deleted,
        reason=_REASONS.get(as_text(email.get("opt_out_source")).strip().casefold(), Reason.UNKNOWN),
        opted_out_at=moment(email.get("opt_out_date")),
        changed_at=moment(email.get("updated_at")),
        fingerprint=(contact_id, as_text(email.get("opt_out_date"))),
        evidence=_evidence(contact, email, query, fetched_at),
    )
    return Row(_identity(contact_id, observed, contact), observed, moment(contact.get("created_at")))


def _permission(word: str, *, deleted: bool) -> Permission:
    meant = _PERMISSIONS.get(word.casefold(), Permission.HELD)
    # Nobody can mail a deleted contact, so that it is on hold; an opt-out stays one, deleted or not.
    return Permission.HELD if deleted and meant is Permission.MAILABLE else meant


def _email(value: object) -> _Table:
    if value is None:
        return {}  # only a name, or a telephone number since May 2025
    if isinstance(value, dict):
        return value
    raise NotAsPromised(f"expected an email_address object, found {kind_of(value)}")


def _address(text: str | None) -> Address | None:
    try:
        return None if text is None else Address.parse(_clean(text))
    except ValueError:
        return None


def _identity(contact_id: str, observed: Observed, contact: _Table) -> str:
    if contact_id:
        return f"id:{contact_id}"
    if observed.address is not None:
        return f"address:{observed.address.key}"
    return f"row:{_as_json(contact)}"


def _text(table: _Table, key: str) -> str | None:
    value = table.get(key)
    if value is None or isinstance(value, str):
        return value
    raise NotAsPromised(f"expected a text as {key}, found {kind_of(value)}")


def _evidence(contact: _Table, email: _Table, query: str, fetched_at: datetime) -> dict[str, Json]:
    found: dict[str, Json] = {key: raw(contact[key]) for key in _OF_CONTACT if contact.get(key) is not None}
    for key, name in _OF_EMAIL.items():
        if email.get(key) is not None:
            found[name] = raw(email[key])
    return {**found, "query": query, "fetched_at": fetched_at.isoformat().replace("+00:00", "Z")}


def raw(value: object) -> Json:
    """A received value as it may be kept: texts, whole numbers and truth as they are, the rest as text."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) <= MAX_INTEGER):
        return value
    return _as_json(value)


def as_text(value: object) -> str:
    if value is None:
        return ""
    return _clean(value) if isinstance(value, str) else _as_json(value)


def _as_json(value: object) -> str:
    try:
        return json.dumps(value, sort_keys=True)
    except RecursionError:
        return f"({kind_of(value)}, nested too deep to keep)"


def _clean(text: str) -> str:
    # JSON can hold half a surrogate pair, UTF-8 cannot.
    return text.encode("utf-8", "backslashreplace").decode()


def complaint(body: object) -> tuple[str, str]:
    """(`error_key`, message) of an error body, in any of the vendor's four shapes; empty where it has none.

    1. array of `{error_key, error_message}`: contacts, lists, activities · 2. one such object: 401, 429,
    reports · 3. `activity_errors`: texts, or `{message}` objects · 4. OAuth `{error, error_description}`.
    """
    tables = [each for each in (body if isinstance(body, list) else [body]) if isinstance(each, dict)]
    keys = _joined(_said(each, "error_key", "error") for each in tables)
    messages = _joined(_said(each, "error_message", "error_description", "message") for each in tables)
    if not messages:
        activity = [each for table in tables for each in _list(table.get("activity_errors"))]
        messages = _joined(each if isinstance(each, str) else _said(each, "message") for each in activity)
    return vendor_words(keys), vendor_words(messages)


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(text for text in texts if text))


def _said(table: object, *keys: str) -> str:
    values = (table.get(key) for key in keys) if isinstance(table, dict) else ()
    return next((value for value in values if isinstance(value, str) and value), "")


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def kind_of(value: object) -> str:
    """What a JSON value is, in words; never the value itself, which may be somebody's."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"
