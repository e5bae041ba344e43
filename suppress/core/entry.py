"""The kinds of ledger entry.

Rules kept here:

* The list is the format: a reader refuses a kind or a field that is not here.
* `at` is when *we* learned it (server, UTC); dates claimed by others are fields of the body.
* Entries refer to one another by position, never by hash.
* A kind may be given further fields: `later`. They are left out of a leaf where they say nothing, so that
  leaves from before are still exactly what is written.

The next module to read is `leaf`, which writes entries as the bytes that are hashed.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, TypeAlias

from suppress.core.spans import within
from suppress.core.suppression import Channel, Origin, Reason, Scope, Visibility


def later() -> typing.Any:
    """A field that a kind was given after its first release: None, and then not in the leaf."""
    return field(default=None, metadata={"later": True})


@dataclass(frozen=True, slots=True)
class LogOpened:
    """The first entry: who this ledger is and which keys it starts with."""

    type: ClassVar[str] = "log.opened"
    origin: str
    vkey: str
    index_key_id: str
    index_key_commitment: str
    key_version: int
    """Version of the match-key rules (`suppress.core.address.KEY_VERSION`)."""


@dataclass(frozen=True, slots=True)
class SubjectAdded:
    """A person, by random id; `sid` commits to the blind index without revealing it."""

    type: ClassVar[str] = "subject.added"
    subject: str
    sid: str


@dataclass(frozen=True, slots=True)
class OptOutRecorded:
    """A request not to be mailed. `pii` commits to the payload: address, raw evidence, free text."""

    type: ClassVar[str] = "optout.recorded"
    subject: str
    channel: Channel
    scope: Scope
    reason: Reason
    source: str
    origin: Origin
    occurred_at: datetime | None
    received_at: datetime | None
    visibility: Visibility | None
    pii: str


@dataclass(frozen=True, slots=True)
class OptInRecorded:
    """A later consent with evidence. Nothing is deleted; the standing changes."""

    type: ClassVar[str] = "optin.recorded"
    subject: str
    channel: Channel
    scope: Scope
    source: str
    occurred_at: datetime
    pii: str
    approver: str | None = later()
    """Who answers for it: somebody of ours, like the actor, who is named also when the person was erased."""
    evidence: str | None = later()
    """SHA-256 of the file that shows it. Its name, and what it says, are in the payload."""


@dataclass(frozen=True, slots=True)
class DriftFound:
    """A source reported a suppressed person as mailable, or a patrol found them so at a destination."""

    type: ClassVar[str] = "drift.found"
    subject: str
    channel: Channel
    source: str
    observed: str
    since: datetime | None
    pii: str
    patrol: bool | None = later()
    """Found by a patrol: `source` names a destination then."""


@dataclass(frozen=True, slots=True)
class SyncDone:
    """One run over one source: what was asked, what was seen, and whether the counts added up."""

    type: ClassVar[str] = "sync.done"
    source: str
    platform: str
    mode: str
    """`window` or `census`."""
    complete: bool
    after: datetime | None
    before: datetime | None
    """A complete window's end is the next run's watermark."""
    requests: int
    rows: int
    observed: int
    new: int
    known: int
    deleted: int
    missed_by_naive_sync: int
    census: Mapping[str, int] | None
    drift: tuple[int, ...]
    """The drift entries that still held in this run, as pairs of first and last (`core.spans`)."""
    shared: int | None = later()
    """Contacts whose address another contact of this run had brought: neither new people nor known before.
    observed = new + known + shared."""


@dataclass(frozen=True, slots=True)
class ImportDone:
    """One imported file; the counts reconcile: rows = accepted + duplicate + ignored + rejected."""

    type: ClassVar[str] = "import.done"
    digest: str
    profile: str
    source: str
    rows: int
    accepted: int
    duplicate: int
    ignored: int
    """Readable rows that are not opt-outs (an export of active contacts)."""
    rejected: int
    first: int | None
    last: int | None
    found: tuple[int, ...] | None = later()
    """Entries from before that say what this file says, as pairs of first and last (`core.spans`). They
    stand on this file too, so that taking the earlier import back leaves them. Wide rather than long: a pair
    may span others."""
    batch: str | None = later()
    """What its entries are known by: the payload of each names it, and `suppress revert` takes it."""


@dataclass(frozen=True, slots=True)
class CheckDone:
    """One contact file that was checked before an import."""

    type: ClassVar[str] = "check.done"
    digest: str
    rows: int
    kept: int
    withheld: int
    review: int
    invalid: int
    terms: Mapping[str, str] | None = later()
    """What was asked, where it was not the widest question: channel, scope, message class, purpose, alias."""
    waived: int | None = later()
    """Of the kept rows, those that only a waiver let through."""
    waivers: tuple[int, ...] | None = later()
    """The entries of those waivers, as pairs of first and last (`core.spans`)."""


@dataclass(frozen=True, slots=True)
class DomainSuppressed:
    """Nobody at a domain may be mailed. A domain is no personal data; who made the rule is the actor."""

    type: ClassVar[str] = "domain.suppressed"
    domain: str
    subdomains: bool
    channel: Channel
    scope: Scope
    reason: Reason
    source: str
    note: str
    suffix_list: str
    """The version of the list of public suffixes that it was held against."""
    forced: str
    """What spoke against it and was overruled; empty when nothing did."""


@dataclass(frozen=True, slots=True)
class DomainLifted:
    """The rule of entry `rule` holds no longer."""

    type: ClassVar[str] = "domain.lifted"
    domain: str
    rule: int
    note: str


@dataclass(frozen=True, slots=True)
class HashesTrusted:
    """A partner's list of digests is believed, because known addresses were found in it under this recipe."""

    type: ClassVar[str] = "hashes.trusted"
    source: str
    digest: str
    """SHA-256 of the list."""
    algorithm: str
    form: str
    canaries: int


@dataclass(frozen=True, slots=True)
class WaiverRecorded:
    """One person may be mailed for one purpose until a day. `pii` commits to reason and approver."""

    type: ClassVar[str] = "waiver.recorded"
    subject: str
    channel: Channel
    purpose: str
    until: datetime
    pii: str


@dataclass(frozen=True, slots=True)
class DestinationChanged:
    """A destination was added, removed or reconfigured."""

    type: ClassVar[str] = "destination.changed"
    destination: str
    platform: str
    change: str
    """`added`, `removed` or `reconfigured`."""


@dataclass(frozen=True, slots=True)
class Disclosed:
    """Personal data left us: to whom, for what, in which form (15 U.S.C. 7704(a)(4)(A)(iv))."""

    type: ClassVar[str] = "disclosed"
    destination: str
    recipient: str
    purpose: str
    form: str
    """`plain`, or the name of the hash."""
    count: int
    artefact: str
    """SHA-256 of what was handed over."""
    basis: str | None = later()
    """The law or the contract under which it left."""


@dataclass(frozen=True, slots=True)
class Honoured:
    """A destination holds every opt-out up to and including entry `upto`, but for those in `failed`.

    Nor can it hold one whose address was erased before it was told: such a request is listed in `failed` too
    as far as the list has room, and an `erased` entry names it.
    """

    type: ClassVar[str] = "honoured"
    destination: str
    upto: int
    artefact: str
    count: int
    failed: tuple[int, ...]
    verified: bool
    """Whether reading back showed it, not only that it was accepted."""
    spans: tuple[int, ...] | None = later()
    """In place of a long `failed`: pairs of first and last (`core.spans`) of all requests of those people and
    of the entries that added them, which stand between and would part the runs."""
    requests: int | None = later()
    """How many of the entries in `spans` are requests."""
    sent: int | None = later()
    """People who were handed over, before this receipt or an earlier one of the same run."""
    accepted: int | None = later()
    """Of these, whom the destination took, by its own word."""
    confirmed: int | None = later()
    """Of these, whom reading back showed as not mailable."""
    pushed_at: datetime | None = later()
    """When the first of them was sent."""
    confirmed_at: datetime | None = later()
    """When reading back ended; `at` is when this was recorded."""
    lost: Mapping[str, int] | None = later()
    """What the destination cannot hold, and of how many people or rules."""

    @property
    def exceptions(self) -> tuple[int, ...]:
        """Each entry that `upto` does not cover; among `spans` also such as are no requests."""
        return self.failed if self.spans is None else tuple(within(self.spans))

    @property
    def not_taken(self) -> int:
        """How many requests the destination does not hold."""
        return len(self.failed) if self.requests is None else self.requests


@dataclass(frozen=True, slots=True)
class PatrolDone:
    """One reading of a destination: asked = held + mailable + unknown + unreadable, in people."""

    type: ClassVar[str] = "patrol.done"
    destination: str
    platform: str
    complete: bool
    """Everyone was asked for, and the destination's own list was read to its end where it can be listed."""
    asked: int
    """Suppressed people whose address is held."""
    held: int
    """Suppressed there, or not mailable for another reason."""
    mailable: int
    """Drift, not told yet, and told while it has not taken effect."""
    unknown: int
    """The destination does not know them, and so does not mail them."""
    unreadable: int
    swept: int
    """Suppressions that the destination listed."""
    learned: int
    """Of these, people whom the ledger did not hold suppressed."""
    drift: tuple[int, ...]
    """The drift entries that still hold, as pairs of first and last (`core.spans`)."""


@dataclass(frozen=True, slots=True)
class Erased:
    """No payload of these entries is kept; the subject stays suppressed through its blind index."""

    type: ClassVar[str] = "erased"
    subject: str
    entries: tuple[int, ...]
    basis: str
    request: str
    """Commitment to the request's own id; empty when it had none."""
    override: str = ""
    """Why it was done although destinations had not honoured the person's opt-out; empty when all had."""
    untold: tuple[str, ...] = ()
    """Those destinations."""
    digest_of: str | None = later()
    """The subject of the address whose digest in a partner's list this subject is: they were erased together,
    and whoever forgets the one by their address forgets the other, whose digest no longer follows from it."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Payloads and subject row were removed; the person is no longer protected."""

    type: ClassVar[str] = "forgotten"
    subject: str
    entries: tuple[int, ...]
    basis: str
    request: str
    override: str = ""
    untold: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyRotated:
    """Checkpoints from here on are signed by this key."""

    type: ClassVar[str] = "key.rotated"
    vkey: str


@dataclass(frozen=True, slots=True)
class IndexKeyRotated:
    """New subjects are indexed under this key; old keys stay as long as a subject row uses them."""

    type: ClassVar[str] = "indexkey.rotated"
    index_key_id: str
    index_key_commitment: str


@dataclass(frozen=True, slots=True)
class ReportIssued:
    """A report or bundle left us, and the checkpoint it quoted."""

    type: ClassVar[str] = "report.issued"
    digest: str
    size: int
    root: str
    audience: str


@dataclass(frozen=True, slots=True)
class Restored:
    """The ledger was continued from a backup."""

    type: ClassVar[str] = "restored"
    size: int
    root: str
    outside_size: int | None


@dataclass(frozen=True, slots=True)
class Corrected:
    """Entry `entry` was wrong, and why. The entry stays; the standing no longer counts it."""

    type: ClassVar[str] = "corrected"
    entry: int
    reason: str
    approver: str | None = later()
    """Who answers for it."""
    batch: int | None = later()
    """The `import.done` that was taken back, where this is one of its entries."""


Body: TypeAlias = (
    LogOpened
    | SubjectAdded
    | OptOutRecorded
    | OptInRecorded
    | DriftFound
    | SyncDone
    | ImportDone
    | CheckDone
    | DomainSuppressed
    | DomainLifted
    | HashesTrusted
    | WaiverRecorded
    | DestinationChanged
    | Disclosed
    | Honoured
    | PatrolDone
    | Erased
    | Forgotten
    | KeyRotated
    | IndexKeyRotated
    | ReportIssued
    | Restored
    | Corrected
)

BODIES: Mapping[str, type[Body]] = {body.type: body for body in typing.get_args(Body)}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the ledger. `seq` counts from 0 and is the leaf's position, not part of its bytes."""

    seq: int
    id: str
    """Idempotency key: the same event is never recorded twice."""
    at: datetime
    actor: str
    body: Body
    leaf: bytes = field(default=b"", compare=False, repr=False)
