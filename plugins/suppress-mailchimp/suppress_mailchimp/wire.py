"""Mailchimp's JSON → what it means: pure functions, no network and no clock.

Unknown fields are ignored, because the live contract grows under the same path; a missing one that decides
about somebody is refused rather than read as "not mailable".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from suppress.core.suppression import Reason
from suppress.plugin.contract import Remote
from suppress.plugin.transport import Reply
from suppress.plugin.words import vendor_words
from suppress_mailchimp.roster import Status

_HASH = re.compile(r"[0-9a-f]{32}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BY_PLATFORM = re.compile(r"\bN/A\b|\badmin|\bAPI\b", re.IGNORECASE)


class NotAsPromised(ValueError):
    """The answer is not of the shape that the vendor promises; the message says where, with no value."""


@dataclass(frozen=True, slots=True)
class Audience:
    """One audience, and about how many members it has."""

    id: str
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Member:
    """One contact of one audience."""

    hash: str
    address: str
    """Empty where it was not asked for."""
    status: Status
    changed: datetime | None = None
    reason: str | None = None
    source: str | None = None

    @property
    def remote(self) -> Remote:
        """Its state in the contract's words."""
        return remote(self.status)

    @property
    def kind(self) -> Reason | None:
        """Why it is not mailed, in our words, as far as the platform tells."""
        if self.status is Status.CLEANED:
            return Reason.BOUNCED
        if self.status is not Status.UNSUBSCRIBED or not self.reason:
            return None
        # "N/A (Unsubscribed by an admin)" is what stands there when it was not the person.
        return Reason.ACCOUNT if _BY_PLATFORM.search(self.reason) else Reason.UNSUBSCRIBED


@dataclass(frozen=True, slots=True)
class MemberPage:
    """One page of a listing, and how many it has in all."""

    members: tuple[Member, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Problem:
    """What an `application/problem+json` answer says."""

    title: str = ""
    detail: str = ""
    instance: str = ""

    @property
    def forgotten(self) -> bool:
        """The address was permanently deleted there, and can only come back by the person's own act."""
        return "forgotten email" in self.title.lower() or "permanently deleted" in self.detail.lower()

    @property
    def compliance(self) -> bool:
        """It was asked to subscribe somebody who opted out."""
        return "compliance state" in f"{self.title} {self.detail}".lower()

    @property
    def words(self) -> str:
        """Title and detail in one line, without addresses."""
        return vendor_words(" — ".join(each for each in (self.title, self.detail) if each))


@dataclass(frozen=True, slots=True)
class ListAnswer:
    """What a list call did, by the member's hash or, for a refusal, by address in small letters."""

    created: tuple[Member, ...]
    updated: tuple[Member, ...]
    refused: Mapping[str, Problem]


@dataclass(frozen=True, slots=True)
class Batch:
    """How a batch is doing; `results` is where its answers lie once it has finished."""

    id: str
    status: str
    results: str | None = None

    @property
    def finished(self) -> bool:
        """Whether every operation was carried out or refused."""
        return self.status == "finished"


@dataclass(frozen=True, slots=True)
class OperationAnswer:
    """One operation's answer out of a batch's results."""

    id: str
    status: int
    body: bytes


def remote(status: Status | None) -> Remote:
    """A status in the contract's words."""
    match status:
        case None:
            return Remote.UNKNOWN
        case Status.UNSUBSCRIBED:
            return Remote.SUPPRESSED
        case Status.CLEANED | Status.ARCHIVED:
            return Remote.NOT_MAILABLE
        case _:
            return Remote.MAILABLE


def audiences(body: object) -> tuple[Audience, ...]:
    """The audiences of one page of `GET /lists`."""
    return tuple(audience(each) for each in _list(_table(body, "an answer").get("lists"), "lists"))


def audience(body: object) -> Audience:
    """One audience. Its size counts everybody whom a listing shows."""
    table = _table(body, "an audience")
    stats = table.get("stats")
    counts = stats if isinstance(stats, dict) else {}
    sizes = [counts.get(each) for each in ("member_count", "unsubscribe_count", "cleaned_count")]
    identity = table.get("id")
    if not isinstance(identity, str) or not re.fullmatch(r"[A-Za-z0-9]{1,40}", identity):
        raise NotAsPromised("an audience without an id")
    name = table.get("name")
    return Audience(
        identity, name if isinstance(name, str) else "", sum(each for each in sizes if isinstance(each, int))
    )


def member(body: object) -> Member:
    """One member."""
    table = _table(body, "a member")
    name, address, status = table.get("id"), table.get("email_address"), table.get("status")
    if not isinstance(name, str) or not _HASH.fullmatch(name):
        raise NotAsPromised("a member without an id")
    if not isinstance(status, str):
        raise NotAsPromised("a member without a status")
    return Member(
        name,
        _text(address),
        Status.of(status),
        moment(table.get("last_changed")),
        _said(table.get("unsubscribe_reason")),
        _said(table.get("source")),
    )


def members(body: object) -> MemberPage:
    """One page of `GET /lists/{id}/members`."""
    table = _table(body, "an answer")
    total = table.get("total_items")
    if not isinstance(total, int) or isinstance(total, bool):
        raise NotAsPromised("a listing without total_items")
    return MemberPage(tuple(member(each) for each in _list(table.get("members"), "members")), total)


def list_answer(body: object) -> ListAnswer:
    """What a list call did. Its own counts must be those of its lists."""
    table = _table(body, "an answer")
    created = tuple(member(each) for each in _list(table.get("new_members"), "new_members"))
    updated = tuple(member(each) for each in _list(table.get("updated_members"), "updated_members"))
    errors = [_table(each, "an error") for each in _list(table.get("errors"), "errors")]
    counted = (("total_created", created), ("total_updated", updated), ("error_count", errors))
    for key, found in counted:
        if table.get(key, len(found)) != len(found):
            raise NotAsPromised(f"a list call whose {key} is not the number that it lists")
    refused = {
        _text(each.get("email_address")).strip().lower(): Problem(
            _text(each.get("error_code")), _text(each.get("error"))
        )
        for each in errors
    }
    return ListAnswer(created, updated, refused)


def came_back(body: object) -> str | None:
    """How a member last signed up, by their activity feed, newest first; None if it does not say."""
    table = body if isinstance(body, dict) else {}
    activity = table.get("activity")
    for each in activity if isinstance(activity, list) else ():
        kind = _text(each.get("activity_type")) if isinstance(each, dict) else ""
        if kind.endswith("signup"):
            named = (_text(each.get(key)) for key in ("signup_category", "outreach_title", "store_name"))
            words = kind.replace("_", " ")
            through = next((name for name in named if name), "")
            return vendor_words(f"{words}: {through}" if through else words)
    return None


def batch(body: object) -> Batch:
    """How a batch is doing."""
    table = _table(body, "a batch")
    identity, status, results = table.get("id"), table.get("status"), table.get("response_body_url")
    if not isinstance(identity, str) or not _ID.fullmatch(identity) or not isinstance(status, str):
        raise NotAsPromised("a batch without an id or a status")
    return Batch(identity, status, results if isinstance(results, str) and results else None)


def operations(files: Iterable[bytes]) -> list[OperationAnswer]:
    """The answers in the files of a batch's results."""
    found: list[OperationAnswer] = []
    for content in files:
        try:
            rows = json.loads(content)
        except (ValueError, RecursionError):
            raise NotAsPromised("results of a batch that are no JSON") from None
        for row in _list(rows, "results of a batch"):
            table = _table(row, "a result of a batch")
            identity, status = table.get("operation_id"), table.get("status_code")
            if not isinstance(identity, str) or not isinstance(status, int):
                raise NotAsPromised("a result of a batch without operation_id or status_code")
            # The vendor writes the body as a text that is JSON.
            found.append(OperationAnswer(identity, status, _text(table.get("response")).encode()))
    return found


def problem(body: bytes) -> Problem | None:
    """The problem that a body states, whatever its content type says; None if it states none."""
    try:
        table = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(table, dict) or not ({"title", "detail", "type"} & table.keys()):
        return None
    # A refused field is named beside the detail; `type` and `instance` may be missing in batches.
    fields = table.get("errors")
    said = [
        _text(each.get("message"))
        for each in (fields if isinstance(fields, list) else ())
        if isinstance(each, dict)
    ]
    detail = "; ".join(each for each in (_text(table.get("detail")), *said) if each)
    return Problem(_text(table.get("title")), detail, _text(table.get("instance")))


def request_id(reply: Reply) -> str | None:
    """What the vendor's support asks for: the header, or the same thing in a problem's `instance`."""
    found = reply.headers.get("x-request-id") or ""
    if not found and reply.status >= 400:
        stated = problem(reply.body)
        found = "" if stated is None else stated.instance
    return found if re.fullmatch(r"[A-Za-z0-9_-]{1,80}", found) else None


def moment(value: object) -> datetime | None:
    """A time as the platform writes it."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) and value else None
    except ValueError:
        return None
    return at if at is None or at.tzinfo is not None else at.replace(tzinfo=UTC)


def _said(value: object) -> str | None:
    return (vendor_words(value) or None) if isinstance(value, str) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _table(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise NotAsPromised(f"{what} that is no object")
    return value


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list):
        raise NotAsPromised(f"no list of {what}")
    return value
