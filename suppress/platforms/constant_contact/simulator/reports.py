"""Reports and campaigns: who clicked which campaign's unsubscribe link, who bounced, how many complained.

Opt-outs made by staff, an upload or the API have no campaign, so no report names them. A complaint is a
count and nothing more. Deleted people are named, with `deleted_at`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from suppress.platforms.constant_contact.simulator import paging
from suppress.platforms.constant_contact.simulator.account import Campaign
from suppress.platforms.constant_contact.simulator.contacts import shown_contact
from suppress.platforms.constant_contact.simulator.http import (
    Refused,
    Request,
    Response,
    answer,
    error,
    invalid,
    not_found,
)
from suppress.platforms.constant_contact.simulator.model import Contact
from suppress.platforms.constant_contact.simulator.query import instant_of
from suppress.platforms.constant_contact.simulator.shape import Shape, deleted_shape, instant, present

if TYPE_CHECKING:
    from suppress.platforms.constant_contact.simulator.backend import Backend

TYPES = (
    "em_sends",
    "em_opens",
    "em_clicks",
    "em_bounces",
    "em_optouts",
    "em_forwards",
    "p_contact_open",
    "p_contact_click",
    "p_contact_add",
    "p_contact_update",
)
BOUNCES = "BDFSVXZ"
MAX_SUMMARY = 200


@dataclass(frozen=True, slots=True)
class Act:
    """Something a person did with a campaign, or that happened to its message."""

    kind: str
    campaign: str
    at: datetime


def activity_details(backend: Backend, request: Request, path: Mapping[str, str]) -> Response:
    """`GET /reports/contact_reports/{contact_id}/activity_details`, newest first."""
    contact = _contact(backend, path)
    with _asked_for("cursor"):
        given = paging.restored(request)
    listed = [word for name, text in given if name == "tracking_activities_list" for word in text.split(",")]
    repeated = [text for name, text in given if name == "tracking_activity_type"]
    kinds = set(listed + repeated)
    with _asked_for("tracking_activities_list"):
        if (listed and repeated) or not kinds <= set(TYPES):
            raise invalid("tracking_activities_list and tracking_activity_type exclude each other")
    named = dict(given).get("include_campaign_activity_names", "true") != "false"
    names = {one.primary: one.name for one in backend.account.campaigns}
    rows = [
        present(
            contact_id=contact.contact_id,
            campaign_activity_id=act.campaign,
            created_time=instant(act.at, backend.switches.timestamps),
            tracking_activity_type=act.kind,
            campaign_activity_name=names.get(act.campaign) if named else None,
        )
        for act in _acts(backend, contact)
        if not kinds or act.kind in kinds
    ]
    return _page(backend, request, rows, default=100, most=100)


def activity_summary(backend: Backend, request: Request, path: Mapping[str, str]) -> Response:
    """`GET /reports/contact_reports/{contact_id}/activity_summary`: the latest 200 campaigns of a period."""
    contact = _contact(backend, path)
    given = dict(request.query)
    with _asked_for("start"):
        start = instant_of(given.get("start", ""), "start")
    with _asked_for("end"):
        end = instant_of(given.get("end", ""), "end")
    acts = _acts(backend, contact)
    counted = Counter((act.campaign, act.kind) for act in acts)
    rows = [
        {
            "campaign_activity_id": campaign.primary,
            "start_on": instant(campaign.sent_at, backend.switches.timestamps),
            "em_sends": counted[campaign.primary, "em_sends"],
            "em_opens": 0,
            "em_clicks": 0,
            "em_forwards": 0,
            "em_bounces": counted[campaign.primary, "em_bounces"],
            "em_unsubscribes": counted[campaign.primary, "em_optouts"],
        }
        for campaign in reversed(backend.account.campaigns)
        if start <= campaign.sent_at <= end and counted[campaign.primary, "em_sends"]
    ]
    shown: Shape = {"contact_id": contact.contact_id, "campaign_activities": rows[:MAX_SUMMARY]}
    return answer(200, shown)


def optouts(backend: Backend, request: Request, path: Mapping[str, str]) -> Response:
    """`GET /reports/email_reports/{campaign_activity_id}/tracking/optouts`, newest first."""
    campaign = _campaign(backend, path)
    rows = [
        _tracked(backend, contact, campaign, "em_optouts", at) | present(opt_out_reason=reason)
        for contact in backend.seen()
        for at, reason in _clicked(contact, campaign)
    ]
    return _page(backend, request, _newest_first(rows), default=500, most=500)


def bounces(backend: Backend, request: Request, path: Mapping[str, str]) -> Response:
    """`GET /reports/email_reports/{campaign_activity_id}/tracking/bounces`."""
    campaign = _campaign(backend, path)
    with _asked_for("cursor"):
        codes = {text for name, text in paging.restored(request) if name == "bounce_code"}
    with _asked_for("bounce_code"):
        if not codes <= set(BOUNCES):
            raise invalid("bounce_code does not have a valid value")
    rows = [
        _tracked(backend, contact, campaign, "em_bounces", bounce.at)
        | present(
            bounce_code=bounce.code,
            current_email_address=None if contact.email is None else contact.email.address,
        )
        for contact in backend.seen()
        for bounce in contact.bounces
        if bounce.campaign == campaign and (not codes or bounce.code in codes)
    ]
    return _page(backend, request, _newest_first(rows), default=500, most=500)


def campaign_summaries(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """`GET /reports/summary_reports/email_campaign_summaries`, newest first."""
    contacts = list(backend.seen())
    joined = sorted(one.created_at for one in contacts if one.email is not None)
    left = sorted(at for one in contacts if (at := _left_at(one)) is not None)
    acts: Counter[tuple[str, str]] = Counter()
    for contact in contacts:
        opt_out = contact.email.opt_out if contact.email is not None else None
        if opt_out is not None and opt_out.campaign is not None:
            acts[opt_out.campaign, "abuse" if opt_out.complaint else "optouts"] += 1
        acts.update((bounce.campaign, "bounces") for bounce in contact.bounces)
    rows: list[Shape] = []
    for campaign in reversed(backend.account.campaigns):
        sends = bisect_left(joined, campaign.sent_at) - bisect_right(left, campaign.sent_at)
        counted = {name: acts[campaign.primary, name] for name in ("optouts", "abuse", "bounces")}
        unique = {"sends": sends, "opens": 0, "clicks": 0, "forwards": 0, **counted, "not_opened": sends}
        sent = instant(campaign.sent_at, backend.switches.timestamps)
        row: Shape = {"campaign_id": campaign.campaign_id, "campaign_type": "Newsletter"}
        rows.append(row | {"last_sent_date": sent, "unique_counts": unique})
    return _page(backend, request, rows, default=50, most=500, name="bulk_email_campaign_summaries")


def emails(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """`GET /emails`: campaigns, removed ones too, newest first."""
    given = dict(paging.restored(request))
    after = instant_of(given["after_date"], "after_date") if "after_date" in given else None
    before = instant_of(given["before_date"], "before_date") if "before_date" in given else None
    rows = [
        _campaign_shape(backend, one)
        for one in reversed(backend.account.campaigns)
        if (after is None or one.sent_at > after) and (before is None or one.sent_at < before)
    ]
    shown = paging.cut(
        request, rows, name="campaigns", default=50, most=500, last_page=backend.switches.last_page
    )
    return answer(200, shown)


def email(backend: Backend, _: Request, path: Mapping[str, str]) -> Response:
    """`GET /emails/{campaign_id}`: with the roles of its campaign activities."""
    for one in backend.account.campaigns:
        if one.campaign_id == path["campaign_id"]:
            roles = [{"campaign_activity_id": held, "role": role} for role, held in one.activities]
            return answer(200, _campaign_shape(backend, one) | {"campaign_activities": roles})
    raise not_found("The campaign was not found.")


def _campaign_shape(backend: Backend, campaign: Campaign) -> Shape:
    stamp = instant(campaign.sent_at, backend.switches.timestamps)
    return {
        "campaign_id": campaign.campaign_id,
        "created_at": stamp,
        "updated_at": stamp,
        "current_status": campaign.status,
        "name": campaign.name,
        "type": "NEWSLETTER",
        "type_code": 10,
    }


def _acts(backend: Backend, contact: Contact) -> list[Act]:
    """What is on record about one person, newest first."""
    left = _left_at(contact)
    acts = [
        Act("em_sends", campaign.primary, campaign.sent_at)
        for campaign in backend.account.campaigns
        if contact.email is not None
        and contact.created_at < campaign.sent_at
        and (left is None or campaign.sent_at < left)
    ]
    acts += [Act("em_bounces", bounce.campaign, bounce.at) for bounce in contact.bounces]
    opt_out = contact.email.opt_out if contact.email is not None else None
    if opt_out is not None and opt_out.campaign is not None and opt_out.at and not opt_out.complaint:
        acts.append(Act("em_optouts", opt_out.campaign, opt_out.at))
    return sorted(acts, key=lambda act: act.at, reverse=True)


def _left_at(contact: Contact) -> datetime | None:
    """From when on no message goes out to somebody."""
    opt_out = contact.email.opt_out if contact.email is not None and contact.unsubscribed else None
    ends = [contact.deleted_at, None if opt_out is None else opt_out.recorded_at]
    return min((at for at in ends if at is not None), default=None)


def _clicked(contact: Contact, campaign: str) -> list[tuple[datetime, str | None]]:
    """The click on this campaign's unsubscribe link, if there was one."""
    opt_out = contact.email.opt_out if contact.email is not None else None
    if opt_out is None or opt_out.campaign != campaign or opt_out.source != "Contact" or opt_out.complaint:
        return []
    return [] if opt_out.at is None else [(opt_out.at, opt_out.reason)]


def _tracked(backend: Backend, contact: Contact, campaign: str, kind: str, at: datetime) -> Shape:
    return present(
        contact_id=contact.contact_id,
        campaign_activity_id=campaign,
        tracking_activity_type=kind,
        email_address=None if contact.email is None else contact.email.address,
        first_name=contact.details.first_name,
        last_name=contact.details.last_name,
        created_time=instant(at, backend.switches.timestamps),
        deleted_at=deleted_shape(contact, backend.switches),
    )


def _newest_first(rows: Sequence[Shape]) -> list[Shape]:
    return sorted(rows, key=lambda row: (str(row["created_time"]), str(row["contact_id"])), reverse=True)


def _page(
    backend: Backend,
    request: Request,
    rows: Sequence[Shape],
    *,
    default: int,
    most: int,
    name: str = "tracking_activities",
) -> Response:
    last_page = backend.switches.report_last_page
    with _asked_for("limit"):
        shown = paging.cut(request, rows, name=name, default=default, most=most, last_page=last_page)
    # The contract requires `_links` in a report, so that it cannot be missing as it can be for contacts.
    return answer(200, {"_links": {}} | shown)


def _contact(backend: Backend, path: Mapping[str, str]) -> Contact:
    try:
        return shown_contact(backend, path["contact_id"])
    except Refused:
        raise _unknown("contact_id") from None


def _campaign(backend: Backend, path: Mapping[str, str]) -> str:
    wanted = path["campaign_activity_id"]
    if not any(wanted == held for one in backend.account.campaigns for _, held in one.activities):
        raise _unknown("campaign_activity_id")
    return wanted


@contextmanager
def _asked_for(name: str) -> Iterator[None]:
    """Whatever is wrong with this parameter is refused in the shape of the reports."""
    try:
        yield
    except Refused:
        message = f"{name} does not have a valid value"
        key = f"reportingsvc.bad_request.invalid_query_param.{name}."
        raise Refused(error(400, key, message)) from None


def _unknown(name: str) -> Refused:
    message = f"The {name} was not found."
    return Refused(error(404, f"reportingsvc.not_found.invalid_path_param.{name}.", message))
