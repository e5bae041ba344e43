"""Every route of the simulator: what serves it, and the scope and privilege that it asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from suppress.platforms.constant_contact.simulator import contacts
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
    scope: str | None = "contact_data"
    privilege: str | None = None

    def match(self, path: str) -> dict[str, str] | None:
        """The path's parameters, None where the path is another one."""
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.template)
        found = re.fullmatch(pattern, path)
        return None if found is None else found.groupdict()


READ, WRITE = "contacts:read", "contacts:write"

API: tuple[Route, ...] = (
    Route("GET", "/contacts", contacts.collection, privilege=READ),
    Route("GET", "/contacts/counts", contacts.counts, privilege=READ),
    Route("GET", "/contacts/contact_id_xrefs", contacts.xrefs, privilege=READ),
    Route("GET", "/contacts/sms_engagement_history/{contact_id}", contacts.sms_history, privilege=READ),
    Route("GET", "/contacts/{contact_id}", contacts.one, privilege=READ),
    Route("GET", "/contact_lists", contacts.contact_lists, privilege=READ),
)

SIGN_IN: tuple[Route, ...] = ()


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
