"""The JSON:API documents that a simulated Klaviyo account answers with."""

from __future__ import annotations

from collections.abc import Sequence

from suppress.plugin.loopback import Response, answer
from suppress_klaviyo.simulator.account import Job, Profile, written

TYPE = "application/vnd.api+json"
JOB = "profile-suppression-bulk-create-job"


class Invalid(ValueError):
    """The request cannot be carried out: a 400 with these words, and where in the body."""

    def __init__(self, words: str, pointer: str | None = None) -> None:
        super().__init__(words)
        self.pointer = pointer


def document(status: int, data: object, links: dict[str, str], *headers: tuple[str, str]) -> Response:
    """An answer that worked."""
    return answer(status, {"data": data, "links": links}, *headers, content_type=TYPE)


def error(status: int, code: str, detail: str, *, pointer: str | None = None) -> Response:
    """An answer that did not."""
    source = {} if pointer is None else {"pointer": pointer}
    found = {
        "id": "00000000-0000-4000-8000-000000000001",
        "status": status,
        "code": code,
        "title": "Invalid input." if status == 400 else "Refused.",
        "detail": detail,
        "source": source,
    }
    return answer(status, {"errors": [found]}, content_type=TYPE)


def job(found: Job, url: str) -> dict[str, object]:
    """A suppression job: counts only."""
    ended = found.status in ("complete", "cancelled")
    attributes = {
        "status": found.status,
        "created_at": written(found.created),
        "total_count": len(found.addresses),
        "completed_count": len(found.addresses) if found.status == "complete" else 0,
        "completed_at": written(found.ended) if found.ended is not None and ended else None,
        "skipped_count": 0,
    }
    links = {"self": f"{url}/api/{JOB}s/{found.id}/"}
    return {"type": JOB, "id": found.id, "attributes": attributes, "links": links}


def profile(found: Profile, url: str, *, shown: bool) -> dict[str, object]:
    """A profile; `shown` is False while it still looks as before the last job."""
    listed = {reason: at for reason, at in found.suppressions.items() if shown or reason != "USER_SUPPRESSED"}
    suppressions: Sequence[object] = [
        {"reason": reason, "timestamp": written(at)} for reason, at in listed.items()
    ]
    marketing = {
        "can_receive_email_marketing": not suppressions,
        "consent": found.consent,
        "consent_timestamp": None,
        "last_updated": None,
        "method": None,
        "method_detail": "",
        "custom_method_detail": None,
        "double_optin": None,
        "suppression": suppressions,
        "list_suppressions": [],
    }
    attributes = {"email": found.email, "subscriptions": {"email": {"marketing": marketing}}}
    links = {"self": f"{url}/api/profiles/{found.id}/"}
    return {"type": "profile", "id": found.id, "attributes": attributes, "links": links}


def account() -> dict[str, object]:
    """The account that a key opens."""
    address = {
        "address1": None,
        "address2": None,
        "city": None,
        "region": None,
        "country": None,
        "zip": None,
    }
    contact = {
        "default_sender_name": "Acme",
        "default_sender_email": "news@acme.example",
        "organization_name": "Acme",
        "website_url": None,
        "street_address": address,
    }
    attributes = {
        "test_account": True,
        "contact_information": contact,
        "industry": None,
        "timezone": "UTC",
        "preferred_currency": "USD",
        "public_api_key": "AbC123",
        "locale": "en-US",
    }
    return {
        "type": "account",
        "id": "AbC123",
        "attributes": attributes,
        "links": {"self": "https://a.klaviyo.com"},
    }
