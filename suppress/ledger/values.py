"""The values that the ledger takes and gives, beside those of `suppress.core`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from suppress.core.entry import Body, Entry
from suppress.core.hashed import Recipe
from suppress.core.standing import Suppression
from suppress.core.suppression import Json


@dataclass(frozen=True, slots=True)
class Event:
    """An entry without personal data (a sync, a check, an export), before the ledger has numbered it.

    `id` is its idempotency key: an event whose id is already there is not recorded again.
    """

    id: str
    body: Body


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where an event stands in the ledger. `new` is False when it was already there."""

    seq: int
    id: str
    new: bool


@dataclass(frozen=True, slots=True)
class Head:
    """The ledger's size and root, and the signed note (C2SP tlog-checkpoint) that says so."""

    size: int
    root: bytes
    note: str
    at: datetime | None
    """When the last entry was recorded."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One suppressed person: match key, every spelling to send, and what stands."""

    subject: str
    key: str
    addresses: tuple[str, ...]
    """Each distinct spelling that is on record, the first recorded first, in every form (`core.spelling`)."""
    heard: int
    """The entry that brought the newest of these spellings."""
    suppression: Suppression

    @property
    def address(self) -> str:
        """The spelling that was recorded first."""
        return self.addresses[0]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry with its payload; None when the payload was erased or the entry never had one."""

    entry: Entry
    payload: Mapping[str, Json] | None


@dataclass(frozen=True, slots=True)
class KnownDigest:
    """What partners' lists say of somebody by one digest of their address."""

    recipe: Recipe
    """What it is a digest of."""
    trusted: bool
    """Whether a check looks for digests of this kind."""
    history: tuple[Recorded, ...]


@dataclass(frozen=True, slots=True)
class SourceState:
    """How far a source has been read: the end of its last complete window, and its last census."""

    last_before: datetime | None = None
    census_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bad:
    """The first thing that is wrong in a ledger: at which entry, or between which two sizes, and what."""

    seq: int | None
    what: str
    between: tuple[int, int] | None = None


HOLDS, FORKED, AHEAD, FOREIGN = "holds", "forked", "ahead", "foreign"


@dataclass(frozen=True, slots=True)
class Compared:
    """One checkpoint that was kept elsewhere, and what it says about what is verified."""

    anchor: str
    size: int | None
    """None where it could not be believed."""
    result: str | None
    """`holds`: it fits. `forked`: there are other entries. `ahead`: it covers more entries than there are.
    `foreign`: not signed by a key of this ledger. None: it was not held against them."""
