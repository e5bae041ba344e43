"""Every route of the simulator: what serves it, and the scope and privilege that it asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from suppress.platforms.constant_contact.simulator import (
    activities,
    contacts,
    owner,
    reports,
    sign_in,
    writes,
)
from suppress.platforms.constant_contact.simulator.http import Request, Response

if TYPE_CHECKING:
    from suppress.platforms.constant_contact.simulator.backend import Backend

Handler: TypeAlias = "Callable[[Backend, Request, Mapping[str, str]], Response]"


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: `template` is its path as the vendor's contract writes it, after `/v3`."""

    method: str
    template: str
    handler: Handler
    scope: str | None = None
    privilege: str | None = None

    def match(self, path: str) -> dict[str, str] | None:
        """The path's parameters, None where the path is another one."""
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.template)
        found = re.fullmatch(pattern, path)
        return None if found is None else found.groupdict()


def _table(scope: str | None, privilege: str | None, *rows: tuple[str, str, Handler]) -> tuple[Route, ...]:
    return tuple(Route(method, template, handler, scope, privilege) for method, template, handler in rows)


# A literal path stands before the template that would match it too.
API: tuple[Route, ...] = (
    *_table(
        "contact_data",
        "contacts:read",
        ("GET", "/contacts", contacts.collection),
        ("GET", "/contacts/counts", contacts.counts),
        ("GET", "/contacts/contact_id_xrefs", contacts.xrefs),
        ("GET", "/contacts/sms_engagement_history/{contact_id}", contacts.sms_history),
        ("GET", "/contacts/{contact_id}", contacts.one),
        ("GET", "/contact_lists", contacts.contact_lists),
    ),
    *_table(
        "contact_data",
        "contacts:write",
        ("POST", "/contacts", writes.create),
        ("POST", "/contacts/sign_up_form", writes.sign_up),
        ("PUT", "/contacts/resubscribe/{contact_id}", writes.resubscribe),
        ("PUT", "/contacts/{contact_id}", writes.update),
        ("DELETE", "/contacts/{contact_id}", writes.remove),
        ("POST", "/activities/contacts_json_import", activities.import_json),
        ("POST", "/activities/contacts_file_import", activities.import_file),
        ("POST", "/activities/contact_exports", activities.export),
        ("POST", "/activities/contact_delete", activities.delete),
        ("POST", "/activities/add_list_memberships", activities.add_to_lists),
        ("POST", "/activities/remove_list_memberships", activities.remove_from_lists),
        # Reading an activity and downloading an export need the privilege to write, too.
        ("GET", "/activities", activities.listing),
        ("GET", "/activities/{activity_id}", activities.one),
        ("GET", "/contact_exports/{file_export_id}", activities.exported_file),
    ),
    *_table(
        "contact_data",
        "ui:campaign:metrics",
        ("GET", "/reports/contact_reports/{contact_id}/activity_details", reports.activity_details),
        ("GET", "/reports/contact_reports/{contact_id}/activity_summary", reports.activity_summary),
    ),
    *_table(
        "campaign_data",
        "ui:campaign:metrics",
        ("GET", "/reports/email_reports/{campaign_activity_id}/tracking/optouts", reports.optouts),
        ("GET", "/reports/email_reports/{campaign_activity_id}/tracking/bounces", reports.bounces),
        ("GET", "/reports/summary_reports/email_campaign_summaries", reports.campaign_summaries),
    ),
    *_table(
        "campaign_data",
        "campaign:read",
        ("GET", "/emails", reports.emails),
        ("GET", "/emails/{campaign_id}", reports.email),
    ),
    *_table("account_read", None, ("GET", "/account/summary", owner.summary)),
    *_table(None, None, ("GET", "/account/user/privileges", owner.privileges)),
)

SIGN_IN: tuple[Route, ...] = _table(
    None,
    None,
    ("GET", f"{sign_in.ROOT}/authorize", sign_in.authorize),
    ("POST", f"{sign_in.ROOT}/approve", sign_in.approve),
    ("GET", f"{sign_in.ROOT}/activate", sign_in.activate),
    ("POST", f"{sign_in.ROOT}/device/authorize", sign_in.device_authorize),
    ("POST", f"{sign_in.ROOT}/token", sign_in.token),
)


def find(table: Sequence[Route], request: Request) -> tuple[Route, dict[str, str]] | None:
    """The route of a request and its path parameters."""
    path = request.path.removeprefix("/v3")
    for route in table:
        if route.method == request.method and (found := route.match(path)) is not None:
            return route, found
    return None


def exists(path: str) -> bool:
    """Whether any method is served under this path of the API."""
    return any(route.match(path.removeprefix("/v3")) is not None for route in API)
