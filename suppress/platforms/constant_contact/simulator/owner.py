"""Who the account belongs to: its summary, and what the user who granted the token may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from suppress.platforms.constant_contact.simulator.http import Request, Response, answer, invalid
from suppress.platforms.constant_contact.simulator.shape import Shape

if TYPE_CHECKING:
    from suppress.platforms.constant_contact.simulator.backend import Backend

EXTRA = ("physical_address", "company_logo")


def summary(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """`GET /account/summary`; an account without a logo shows none, even if it is asked for."""
    extra = [word for name, text in request.query if name == "extra_fields" for word in text.split(",")]
    if not set(extra) <= set(EXTRA):
        raise invalid("extra_fields does not have a valid value")
    shown: Shape = {
        "contact_email": "owner@example.com",
        "contact_phone": "2025550100",
        "country_code": "US",
        "encoded_account_id": "a07e1simulated0",
        "first_name": "Robin",
        "last_name": "Owner",
        "organization_name": backend.scenario.organisation,
        "organization_phone": "2025550101",
        "state_code": "MA",
        "time_zone_id": "US/Eastern",
        "website": "https://www.example.com",
    }
    if "physical_address" in extra:
        shown["physical_address"] = {
            "address_line1": "1 Example Street",
            "city": "Waltham",
            "state_code": "MA",
            "postal_code": "02451",
            "country_code": "US",
        }
    return answer(200, shown)


def privileges(backend: Backend, _: Request, __: Mapping[str, str]) -> Response:
    """`GET /account/user/privileges`; open to every scope."""
    held = enumerate(backend.scenario.sign_in.privileges, start=30)
    return answer(200, [{"privilege_id": number, "privilege_name": name} for number, name in held])
