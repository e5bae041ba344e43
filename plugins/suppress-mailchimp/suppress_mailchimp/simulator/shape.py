"""How the simulated platform writes things down: the vendor's JSON, by its published contract."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from suppress.plugin.loopback import Response, answer
from suppress_mailchimp.simulator.account import Audience, Member, Refused

Table = dict[str, Any]


def when(at: datetime) -> str:
    """A time as the platform writes it: to the second."""
    return at.replace(microsecond=0).isoformat()


def member(audience: Audience, each: Member) -> Table:
    """One member."""
    name = each.name
    shown: Table = {
        "id": name,
        "email_address": each.address,
        "unique_email_id": name[:10],
        "contact_id": name[::-1],
        "full_name": "",
        "web_id": int(name[:6], 16),
        "email_type": "html",
        "status": each.status,
        "merge_fields": {},
        "interests": {},
        "stats": {"avg_open_rate": 0, "avg_click_rate": 0},
        "ip_signup": "",
        "ip_opt": "127.0.0.1",
        "timestamp_opt": when(each.changed),
        "member_rating": 2,
        "last_changed": when(each.changed),
        "language": "",
        "vip": False,
        "email_client": "",
        "source": each.source,
        "tags_count": 0,
        "tags": [],
        "list_id": audience.id,
        "_links": [],
    }
    if each.reason is not None and each.status == "unsubscribed":
        shown["unsubscribe_reason"] = each.reason
    return shown


def feed(audience: Audience, each: Member) -> Table:
    """What a member did: here, how they were subscribed again."""
    activity = [
        {"activity_type": "generic_signup", "created_at_timestamp": when(at), "signup_category": through}
        for at, through in each.signups
    ]
    return {"activity": activity, "email_id": each.name, "list_id": audience.id, "_links": []}


def audience(each: Audience) -> Table:
    """One audience."""
    counts = {"subscribed": 0, "unsubscribed": 0, "cleaned": 0}
    for one in each:
        counts[one.status] = counts.get(one.status, 0) + 1
    return {
        "id": each.id,
        "web_id": int(each.id, 36) % 1_000_000,
        "name": each.name,
        "permission_reminder": "You signed up on our site.",
        "use_archive_bar": True,
        "notify_on_subscribe": "",
        "notify_on_unsubscribe": "",
        "date_created": "2024-01-08T09:00:00+00:00",
        "list_rating": 0,
        "email_type_option": False,
        "double_optin": False,
        "has_welcome": False,
        "marketing_permissions": False,
        "visibility": "prv",
        "modules": [],
        "stats": {
            "member_count": counts["subscribed"],
            "unsubscribe_count": counts["unsubscribed"],
            "cleaned_count": counts["cleaned"],
        },
        "_links": [],
    }


def refusal(refused: Refused, *, in_batch: bool = False) -> Response:
    """A problem document. In a batch's results `type` may be missing and `instance` empty."""
    instance = "" if in_batch else str(uuid.uuid4())
    body: Table = {
        "type": "https://mailchimp.com/developer/marketing/docs/errors/",
        "title": refused.title,
        "status": refused.status,
        "detail": refused.detail,
        "instance": instance,
    }
    if in_batch:
        del body["type"]
    if refused.field is not None:
        body["errors"] = [{"field": refused.field, "message": refused.detail}]
    headers = () if in_batch else (("X-Request-Id", instance),)
    return answer(refused.status, body, *headers, content_type="application/problem+json; charset=utf-8")


def chosen(value: object, fields: str | None) -> object:
    """Only the fields that were asked for, named with dots; lists are looked through."""
    if not fields:
        return value
    return _kept(value, [each.split(".") for each in fields.split(",")])


def _kept(value: object, wanted: Iterable[list[str]]) -> object:
    paths = [each for each in wanted if each]
    if isinstance(value, list):
        return [_kept(each, paths) for each in value]
    if not isinstance(value, Mapping) or not paths:
        return value
    heads: dict[str, list[list[str]]] = {}
    for head, *rest in paths:
        heads.setdefault(head, []).append(rest)
    return {
        key: value[key] if [] in rests else _kept(value[key], rests)
        for key, rests in heads.items()
        if key in value
    }
