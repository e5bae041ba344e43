"""Klaviyo's JSON:API documents as values: profiles, jobs, errors. Pure.

Shapes are those of revision 2026-07-15. Whatever is not as promised is `NotAsPromised`, whose words hold no
address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeGuard
from urllib.parse import quote, urlsplit

from suppress.core.suppression import Reason
from suppress.plugin.transport import Reply
from suppress.plugin.words import vendor_words

KINDS: Mapping[str, Reason] = {
    "SPAM_COMPLAINT": Reason.COMPLAINT,
    "UNSUBSCRIBE": Reason.UNSUBSCRIBED,
    # Staff, an upload, or a call such as ours: the person's own act is not on record there.
    "USER_SUPPRESSED": Reason.ACCOUNT,
    "INVALID_EMAIL": Reason.BOUNCED,
    "HARD_BOUNCE": Reason.BOUNCED,
}
"""Why a profile is suppressed, the strongest first."""


class NotAsPromised(ValueError):
    """An answer of another shape than the vendor's contract says."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """One reason for which a profile is suppressed in the whole account."""

    reason: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile's address, and whether marketing e-mail goes to it."""

    email: str
    mailable: bool | None
    """None if the answer does not say."""
    consent: str = ""
    suppressions: tuple[Suppression, ...] = ()

    @property
    def foremost(self) -> Suppression | None:
        """The strongest of its suppressions."""
        ranks = tuple(KINDS)
        known = [each for each in self.suppressions if each.reason in KINDS]
        return min(known or self.suppressions, key=lambda each: _rank(ranks, each.reason), default=None)


@dataclass(frozen=True, slots=True)
class JobState:
    """How a suppression job is doing: counts, and nobody's name."""

    id: str
    status: str
    total: int


@dataclass(frozen=True, slots=True)
class Complaint:
    """The first error of an answer, and which of the addresses that were sent it is about."""

    code: str = ""
    words: str = ""
    id: str | None = None
    number: int | None = None


def filter_for(spellings: Sequence[str]) -> str:
    """The query that finds the profiles with any of these addresses."""
    return query(f"any(email,{json.dumps(list(spellings), ensure_ascii=False, separators=(',', ':'))})")


def query(condition: str, *, sort: str | None = None, size: int = 100) -> str:
    """A query of profiles with what is known of their suppression."""
    parts = {
        "filter": condition,
        "additional-fields[profile]": "subscriptions",
        "fields[profile]": "email,subscriptions.email.marketing",
        "page[size]": str(size),
    }
    if sort is not None:
        parts["sort"] = sort
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parts.items())


def profiles(value: object) -> tuple[tuple[Profile, ...], str | None]:
    """A page of profiles, and the query of the next one."""
    document = _object(value, "the answer")
    links = _object(document.get("links") or {}, "links")
    following = links.get("next")
    found = tuple(map(_profile, _list(document, "data")))
    if following is None:
        return found, None
    asked = urlsplit(following).query if isinstance(following, str) else ""
    if "cursor" not in asked or not re.fullmatch(r"[!-~]+", asked) or "#" in asked:
        raise NotAsPromised("a next page without a cursor")
    return found, asked


def job(value: object) -> JobState:
    """A suppression job."""
    data = _object(_object(value, "the answer").get("data"), "data")
    attributes = _object(data.get("attributes"), "attributes")
    name, total = _word(data, "id"), attributes.get("total_count")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise NotAsPromised("a job without an id")
    if not isinstance(total, int) or isinstance(total, bool):
        raise NotAsPromised("a job without a count")
    status = _word(attributes, "status")
    if status not in ("queued", "processing", "complete", "cancelled"):
        raise NotAsPromised("a job in a state that is not known")
    return JobState(name, status, total)


def accounts(value: object) -> int:
    """How many accounts the key opens."""
    return len(_list(_object(value, "the answer"), "data"))


def complaint(reply: Reply) -> Complaint:
    """What an error says of itself; empty when it is no JSON of the promised shape."""
    value = reply.json if reply.is_json else None
    errors = value.get("errors") if _is_object(value) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    if not _is_object(first):
        return Complaint()
    source = first.get("source")
    pointer = _word(source, "pointer") if _is_object(source) else ""
    named = re.search(r"/profiles/data/(\d{1,3})(?:/|$)", pointer)
    return Complaint(
        vendor_words(_word(first, "code"), longest=60),
        vendor_words(_word(first, "detail") or _word(first, "title")),
        vendor_words(_word(first, "id"), longest=39) or None,
        int(named[1]) if named else None,
    )


def instant(text: object) -> datetime | None:
    """An ISO 8601 time as an aware one; None for anything else."""
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return at if at is None or at.tzinfo is not None else at.replace(tzinfo=UTC)


def _profile(value: object) -> Profile:
    attributes = _object(_object(value, "a profile").get("attributes"), "a profile's attributes")
    marketing: object = attributes
    for key in ("subscriptions", "email", "marketing"):
        marketing = marketing.get(key) if _is_object(marketing) else None
    if not _is_object(marketing):
        return Profile(_word(attributes, "email"), None)
    can = marketing.get("can_receive_email_marketing")
    listed = marketing.get("suppression")
    return Profile(
        _word(attributes, "email"),
        can if isinstance(can, bool) else None,
        _word(marketing, "consent"),
        tuple(
            Suppression(_word(each, "reason"), instant(each.get("timestamp")))
            for each in (listed if isinstance(listed, list) else ())
            if _is_object(each)
        ),
    )


def _rank(ranks: Sequence[str], reason: str) -> int:
    return ranks.index(reason) if reason in ranks else len(ranks)


def _is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)


def _object(value: object, what: str) -> Mapping[str, object]:
    if not _is_object(value):
        raise NotAsPromised(f"{what} is no object")
    return value


def _list(value: Mapping[str, object], key: str) -> list[object]:
    found = value.get(key)
    if not isinstance(found, list):
        raise NotAsPromised(f"{key} is no list")
    return found


def _word(value: Mapping[str, object], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""
