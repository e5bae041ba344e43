"""What an opt-out is made of: channel, scope, reason, and which of two reasons stands.

Rules kept here:

* Scopes form a lattice, everything > sender > list, and the wider one wins: a scope `covers` every target
  that lies inside it.
* Reasons have a strength. A stronger reason is never replaced by a weaker one, so that a person's own
  click cannot be overwritten by a later "imported, reason unknown".
* An opt-out that only *may* be dated keeps `occurred_at=None`; no date is ever invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from suppress.core.address import Address

Json: TypeAlias = "bool | int | str | list[Json] | tuple[Json, ...] | Mapping[str, Json] | None"
"""What a leaf or a payload may hold. No floats: their text form differs between encoders (RFC 8785)."""


class Channel(StrEnum):
    """How people are reached. Channels never answer for one another."""

    EMAIL = "email"
    SMS = "sms"


class Reason(StrEnum):
    """Why an address may not be mailed, strongest first."""

    COMPLAINT = "complaint"
    """The person reported a message as spam."""
    UNSUBSCRIBED = "unsubscribed"
    """The person used an unsubscribe link or page themselves."""
    REQUESTED = "requested"
    """The person asked us by phone, letter or reply, and we wrote it down."""
    ACCOUNT = "account"
    """Staff or an upload marked the address; the person's own act is not on record. Binds as much."""
    UNKNOWN = "unknown"
    """An old list says suppressed and nothing more."""
    BOUNCED = "bounced"
    """The mailbox does not exist. Not a legal opt-out."""

    @property
    def strength(self) -> int:
        """Higher stands over lower; equal strengths keep what was recorded first."""
        return _STRENGTH[self]


_STRENGTH: Mapping[Reason, int] = {
    reason: strength for strength, reason in enumerate(reversed(tuple(Reason)), start=1)
}


def stronger(one: Reason, other: Reason) -> Reason:
    """The reason that stands when both are on record; on a tie, `one`."""
    return other if other.strength > one.strength else one


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """How far an opt-out reaches: everything, one sender, or one list of one sender.

    Text form, in tables and leaves: `everything`, `sender:Acme`, `list:Acme/Newsletter`. A sender's name
    may not hold a `/`, so that the text form reads back to the same scope.

    Raises:
        ValueError: A list without a sender, an empty name, or a `/` in a sender's name.
    """

    sender: str | None = None
    list: str | None = None

    def __post_init__(self) -> None:
        if self.list is not None and self.sender is None:
            raise ValueError("a list belongs to a sender: name the sender too")
        if self.sender == "" or self.list == "":
            raise ValueError("a sender or list needs a name")
        if self.sender is not None and "/" in self.sender:
            raise ValueError("a sender's name may not hold '/'")

    def covers(self, target: Scope) -> bool:
        """Whether all of `target` lies inside this scope."""
        if self.sender is None:
            return True
        if self.sender != target.sender:
            return False
        return self.list is None or self.list == target.list

    @property
    def width(self) -> int:
        """2 everything, 1 sender, 0 list."""
        return 2 - (self.sender is not None) - (self.list is not None)

    def __str__(self) -> str:
        if self.sender is None:
            return "everything"
        if self.list is None:
            return f"sender:{self.sender}"
        return f"list:{self.sender}/{self.list}"

    @classmethod
    def parse(cls, text: str) -> Scope:
        """Read the text form back. Raises ValueError on anything else."""
        kind, colon, name = text.partition(":")
        if text == "everything":
            return EVERYTHING
        if kind == "sender" and colon:
            return cls(name)
        if kind == "list" and colon:
            sender, _, list_ = name.partition("/")
            return cls(sender, list_)
        raise ValueError(f"not a scope: {text!r} (everything, sender:NAME or list:SENDER/NAME)")


EVERYTHING = Scope()


class Origin(StrEnum):
    """Who told us about an opt-out or a consent."""

    PLATFORM = "platform"
    """A source reported it during sync; the platform itself stopped mailing when the person acted."""
    PERSON = "person"
    """Somebody took it by phone, letter or reply and ran `suppress add`."""
    FILE = "file"
    """An old list that was imported."""


class Visibility(StrEnum):
    """Whether a plain `status=unsubscribed` query of the platform would have shown the person."""

    VISIBLE = "visible"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class OptOut:
    """One request not to be mailed, before the ledger has numbered it.

    `occurred_at` is when the person acted, as claimed; `received_at` when our first system had it; both
    are UTC or None, never guessed. `evidence` holds raw values as received and is personal data: it goes
    into the erasable payload, never into a leaf. `facts` tell this request from another one of the same
    person (account, contact id, date as given): the same facts are never recorded twice.
    """

    address: Address
    source: str
    origin: Origin
    reason: Reason
    scope: Scope = EVERYTHING
    channel: Channel = Channel.EMAIL
    occurred_at: datetime | None = None
    received_at: datetime | None = None
    visibility: Visibility | None = None
    evidence: Mapping[str, Json] = field(default_factory=dict)
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Consent:
    """A later, evidenced wish to be mailed again. Lifts older opt-outs inside its scope, nothing else."""

    address: Address
    source: str
    occurred_at: datetime
    scope: Scope = EVERYTHING
    channel: Channel = Channel.EMAIL
    approver: str | None = None
    digest: str | None = None
    """SHA-256 of the file that shows it."""
    evidence: Mapping[str, Json] = field(default_factory=dict)
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """A person the ledger holds whom a source reports as mailable, or a patrol finds so at a destination.

    Recorded and alarmed, never obeyed.
    """

    address: Address
    source: str
    observed: str
    """The platform's own word, such as `explicit`."""
    channel: Channel = Channel.EMAIL
    since: datetime | None = None
    evidence: Mapping[str, Json] = field(default_factory=dict)
    facts: tuple[str, ...] = ()
    patrol: bool = False
    """Whether `source` is a destination."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """Leave to mail one suppressed person for one purpose until a day. It lifts nothing.

    `evidence` holds why and who approved it, and is erased with the person.
    """

    address: Address
    purpose: str
    until: datetime
    channel: Channel = Channel.EMAIL
    evidence: Mapping[str, Json] = field(default_factory=dict)
    facts: tuple[str, ...] = ()
