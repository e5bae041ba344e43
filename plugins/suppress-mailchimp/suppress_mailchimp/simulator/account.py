"""The audiences of a simulated Mailchimp account, and what happens to their members.

Rules of the platform that are kept here:

* A member is named by the MD5 of the address in small letters: other capitals are the same member.
* Whoever unsubscribed by the link, or bounced, is *locked*: the API cannot subscribe them again. Whom the API
  unsubscribed is not, so any other program may.
* An archived member can be read; any status that is written brings it back.
* A permanently deleted address answers 404 like an unknown one, and can never be added again.
* Every change moves a member to the end of the order of change.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

MAILED = frozenset({"subscribed", "pending", "transactional"})
STATUSES = frozenset({*MAILED, "unsubscribed", "cleaned"})
"""What may be written; `archived` can only be read."""


def name_of(address: str) -> str:
    """A member's name in paths, as the vendor makes it."""
    small = address.strip().lower().encode("utf-8", "surrogatepass")
    return hashlib.md5(small, usedforsecurity=False).hexdigest()


class Refused(Exception):
    """What the platform answers instead of doing it."""

    def __init__(self, status: int, title: str, detail: str, *, field: str | None = None) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.field = field


@dataclass(slots=True)
class Member:
    """One contact of one audience."""

    address: str
    status: str
    changed: datetime
    locked: bool = False
    reason: str | None = None
    source: str = "API - Generic"
    fields: dict[str, str] = field(default_factory=dict)
    before: tuple[str, datetime] | None = None
    """Status and time before the last change: what a listing that lags still shows."""
    signups: list[tuple[datetime, str]] = field(default_factory=list)
    """When and through what they were subscribed again, newest first."""

    @property
    def name(self) -> str:
        """The hash that paths use."""
        return name_of(self.address)


class Audience:
    """One list of contacts. Read and written under the server's lock."""

    def __init__(self, identity: str, name: str, *, required: Iterable[str] = ()) -> None:
        self.id = identity
        self.name = name
        self.required = tuple(required)
        self.forgotten: set[str] = set()
        self._members: dict[str, Member] = {}

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members.values())

    def find(self, named: str) -> Member | None:
        """By hash or by address, as paths may say it."""
        return self._members.get(named) or self._members.get(name_of(named))

    def place(self, member: Member) -> None:
        """Put a member at the end of the order of change."""
        name = member.name
        self._members.pop(name, None)
        self._members[name] = member

    def write(self, address: str, status: str, now: datetime, *, source: str = "API - Generic") -> Member:
        """Add somebody or change their status, as the API would.

        Raises:
            Refused: They were permanently deleted, or are locked and would be mailed again.
        """
        name = name_of(address)
        if name in self.forgotten:
            raise Refused(
                400,
                "Forgotten Email Not Subscribed",
                f"{address} was permanently deleted and cannot be re-imported. "
                "The contact must re-subscribe to get back on the list.",
            )
        member = self._members.get(name)
        if member is None:
            member = Member(address, status, now, source=source)
        elif member.status != status:
            if member.locked and status in MAILED:
                raise Refused(
                    400,
                    "Member In Compliance State",
                    f"{member.address} is in a compliance state due to unsubscribe, bounce, or compliance "
                    "review and cannot be subscribed.",
                )
            self._change(member, status, now)
            if status == "subscribed":
                member.signups.insert(0, (now, source))
        self.place(member)
        return member

    def archive(self, named: str, now: datetime) -> None:
        """Hide a member.

        Raises:
            Refused: There is none, or it is one that cannot be archived.
        """
        member = self.required_member(named)
        if member.status in ("cleaned", "pending", "archived"):
            raise Refused(
                405, "Method Not Allowed", "This list member cannot be removed. Please contact support."
            )
        self._change(member, "archived", now)
        self.place(member)

    def forget(self, named: str) -> None:
        """Delete a member for good. Raises `Refused` if there is none."""
        name = self.required_member(named).name
        del self._members[name]
        self.forgotten.add(name)

    def required_member(self, named: str) -> Member:
        """The member. Raises `Refused` (404) if there is none."""
        member = self.find(named)
        if member is None:
            raise Refused(404, "Resource Not Found", "The requested resource could not be found.")
        return member

    def listing(self, status: str | None, since: datetime | None, *, lagging: bool = False) -> list[Member]:
        """Members in the order of change; the archived ones only when they are asked for."""
        rows = list(self._members.values())
        if since is not None and not lagging:
            rows = rows[bisect_left(rows, since, key=lambda each: each.changed) :]
        if lagging:
            rows = [_as_before(each) for each in rows]
            rows = [each for each in rows if since is None or each.changed >= since]
        if status is None:
            return [each for each in rows if each.status != "archived"]
        return [each for each in rows if each.status == status]

    def stir(self, offset: int, count: int, now: datetime) -> None:
        """Let `count` members whom the last page showed change, so that pages shift."""
        for member in list(self._members.values())[max(0, offset - count) : offset]:
            member.changed = now
            self.place(member)

    def _change(self, member: Member, status: str, now: datetime) -> None:
        member.before = (member.status, member.changed)
        member.status, member.changed = status, now
        member.reason = "N/A (Unsubscribed by an admin)" if status == "unsubscribed" else None


def _as_before(member: Member) -> Member:
    if member.before is None:
        return member
    status, changed = member.before
    return Member(member.address, status, changed, member.locked, member.reason, member.source)


class Account:
    """Every audience, by id."""

    def __init__(self, audiences: Iterable[Audience] = ()) -> None:
        self.audiences = {each.id: each for each in audiences}

    def mails(self, address: str, *, audience: str | None = None) -> bool:
        """Whether anything would be sent to this address, from one audience or from any."""
        chosen = self.audiences.values() if audience is None else [self.audiences[audience]]
        found = [each.find(name_of(address)) for each in chosen]
        return any(member is not None and member.status in MAILED for member in found)
