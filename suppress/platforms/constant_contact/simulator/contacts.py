"""Reading contacts: the collection, one contact, counts, cross-references, SMS history, lists."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from suppress.platforms.constant_contact.simulator import paging
from suppress.platforms.constant_contact.simulator import query as queries
from suppress.platforms.constant_contact.simulator.http import Request, Response, answer, invalid, not_found
from suppress.platforms.constant_contact.simulator.model import Contact, Permission
from suppress.platforms.constant_contact.simulator.scenario import Paging
from suppress.platforms.constant_contact.simulator.shape import Shape, contact_shape, instant, links

if TYPE_CHECKING:
    from suppress.platforms.constant_contact.simulator.backend import Backend

MAX_WALKS = 64
"""Snapshots kept at a time; a cursor into an older one is refused."""
MAX_XREFS = 500
NEW_SUBSCRIBER = timedelta(days=30)


def collection(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """`GET /contacts`."""
    query = queries.parse(request.query)
    if query.segment_id is not None and _still_computing(backend, query.segment_id):
        return answer(202, {"contacts": [], "_links": {}, "status": "processing"})
    found, query = _rows(backend, replace(query, shift=query.shift + request.shift))
    rows_here = min(query.limit, backend.scenario.limits.rows_per_page)
    start = max(0, (query.page - 1) * rows_here + query.shift)
    rows = found[start : start + rows_here]
    more = start + rows_here < len(found)
    href = f"/v3/contacts?cursor={queries.cursor(replace(query, page=query.page + 1))}" if more else None
    shown: dict[str, object] = {
        "contacts": [contact_shape(one, backend.switches, query.include) for one in rows]
    }
    if query.include_count:
        shown["contacts_count"] = len(found)
    return answer(200, shown | links(href, backend.switches.last_page))


def _still_computing(backend: Backend, segment_id: str) -> bool:
    if backend.account.segment(segment_id) is None:
        raise not_found("segment_id was not found.")
    calls = backend.segment_calls.get(segment_id, 0)
    backend.segment_calls[segment_id] = calls + 1
    return calls < backend.switches.segment_waits


def _rows(backend: Backend, query: queries.Query) -> tuple[list[Contact], queries.Query]:
    """Every row of the walk as it stands, and the query that later pages carry."""
    if query.walk is not None:
        if query.walk not in backend.walks:
            raise invalid("cursor does not have a valid value")
        return [one for one in map(backend.shown, backend.walks[query.walk]) if one is not None], query
    contacts = list(backend.seen())
    if query.segment_id is not None:
        members = backend.account.segment(query.segment_id)
        contacts = [one for one in contacts if members in one.lists]
    found = queries.matching(query, contacts, backend.switches, seed=backend.scenario.seed)
    if backend.switches.paging is Paging.LIVE:
        return found, query
    name = uuid.uuid4().hex
    backend.walks[name] = tuple(one.contact_id for one in found)
    while len(backend.walks) > MAX_WALKS:
        del backend.walks[next(iter(backend.walks))]
    return found, replace(query, walk=name)


def one(backend: Backend, request: Request, path: Mapping[str, str]) -> Response:
    """`GET /contacts/{contact_id}`: deleted ones too."""
    contact = shown_contact(backend, path["contact_id"])
    include = [word for name, text in request.query if name == "include" for word in text.split(",")]
    if not set(include) <= set(queries.INCLUDES):
        raise invalid("include does not have a valid value")
    return answer(200, contact_shape(contact, backend.switches, include))


def counts(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """`GET /contacts/counts`: people with an address, by what the account may send them."""
    include = dict(request.query).get("include")
    if include not in {None, "new_subscriber"}:
        raise invalid("include does not have a valid value")
    seen = list(backend.seen())
    visible = [contact for contact in seen if not contact.deleted]
    held = Counter(contact.email.permission for contact in visible if contact.email is not None)
    unsubscribed = held[Permission.UNSUBSCRIBED]
    if backend.switches.counts_include_deleted:
        unsubscribed = sum(contact.unsubscribed for contact in seen)
    shown = {
        "total": len(visible),
        "explicit": held[Permission.EXPLICIT],
        "implicit": held[Permission.IMPLICIT],
        "pending": held[Permission.PENDING_CONFIRMATION],
        "unsubscribed": unsubscribed,
    }
    if include is not None:
        since = backend.clock.now() - NEW_SUBSCRIBER
        shown["new_subscriber"] = sum(
            contact.created_at > since and not contact.unsubscribed for contact in visible
        )
    return answer(200, shown)


def xrefs(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """`GET /contacts/contact_id_xrefs`: numbers of the V2 API to ids of V3."""
    text = dict(request.query).get("sequence_ids", "")
    wanted = text.split(",")
    if len(wanted) > MAX_XREFS or not all(re.fullmatch("[0-9]{1,19}", number) for number in wanted):
        raise invalid("sequence_ids does not have a valid value")
    known = {contact.sequence_id: contact.contact_id for contact in backend.account}
    found = sorted((number for number in set(wanted) if number in known), key=int)
    return answer(200, {"xrefs": [{"sequence_id": number, "contact_id": known[number]} for number in found]})


def sms_history(backend: Backend, _: Request, path: Mapping[str, str]) -> Response:
    """`GET /contacts/sms_engagement_history/{contact_id}`, in the vendor's odd date format."""
    contact = shown_contact(backend, path["contact_id"])
    sms = contact.sms
    if sms is None:
        return answer(200, [])
    acts = [("E", "opt_in", sms.created_at, "LF")]
    if sms.opt_out_date is not None:
        acts.append(("O", "opt_out", sms.opt_out_date, "CD" if sms.by_carrier else "MD"))
    history = [
        {
            "contact_id": contact.contact_id,
            "sms_channel_id": sms.channel_id,
            "sms_channel_history_id": str(uuid.uuid5(uuid.UUID(sms.channel_id), action)),
            "insert_time": instant(at, backend.switches.timestamps),
            "history_details": {
                "state": state,
                "source": sms.source[0],
                "consent_type": "promotional_sms",
                "consent_action_type": action,
                "consent_action_time": f"{at:%Y-%m-%d %H:%M:%S} +0000",
                "consent_medium_type": medium,
                "source_sms_number": sms.number,
            },
        }
        for state, action, at, medium in acts
    ]
    return answer(200, history)


def contact_lists(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """`GET /contact_lists`; `limit` goes to 1,000 in the contract, whose text says 500."""
    given = dict(paging.restored(request))
    membership = given.get("include_membership_count")
    if membership not in {None, "all", "active"}:
        raise invalid("include_membership_count does not have a valid value")
    lists = [one for one in backend.account.lists if given.get("name", one.name) == one.name]
    members = Counter(
        list_id
        for contact in backend.seen()
        if membership == "all" or contact.mailable
        for list_id in contact.lists
    )
    rows = []
    for one in lists:
        created = instant(one.created_at, backend.switches.timestamps)
        row: Shape = {"list_id": one.list_id, "name": one.name, "favorite": False}
        row |= {"created_at": created, "updated_at": created}
        rows.append(row if membership is None else row | {"membership_count": members[one.list_id]})
    shown = paging.cut(
        request, rows, name="lists", default=50, most=1_000, last_page=backend.switches.last_page
    )
    return answer(200, shown | ({"lists_count": len(lists)} if given.get("include_count") == "true" else {}))


def shown_contact(backend: Backend, contact_id: str) -> Contact:
    """The contact with this id as queries show it.

    Raises:
        Refused: 404, for a malformed id as well as for an unknown one.
    """
    try:
        uuid.UUID(contact_id)
    except ValueError:
        raise not_found("contact_id is in an invalid format.") from None
    found = backend.shown(contact_id)
    if found is None:
        raise not_found("The contact was not found.")
    return found
