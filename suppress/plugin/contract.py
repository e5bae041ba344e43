"""The values that pass between `suppress` and a plugin, and the two protocols a plugin may implement.

Rules kept here:

* A source only reads. An exporter only ever makes an address *less* mailable.
* The engine, not the plugin, writes the ledger. A plugin reports; its counts must add up, or the engine
  refuses the answer.
* An entry handed to an exporter has no free-form fields, so that a plugin cannot leak more than it needs.
* Three separate facts: *sent*, *accepted*, *verified*. A 2xx is not "suppressed"; reading back is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias, runtime_checkable

from suppress.core.reconcile import Observed
from suppress.core.suppression import Json, Reason, Scope

# --- Sources ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Window:
    """Opt-outs dated between two instants (UTC). Bounds may be inclusive or not: windows overlap."""

    after: datetime
    before: datetime


@dataclass(frozen=True, slots=True)
class Census:
    """Everything the source can show, counted several ways that must add up."""


def _nothing() -> None:
    """What most pages need once they are recorded."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answered request: contacts observed, in which step, and how far along the step is."""

    step: str
    observed: tuple[Observed, ...]
    rows: int
    total: int | None = None
    """Rows that the step will have, if the platform tells: for progress only."""
    recorded: Callable[[], None] = _nothing
    """Called once all of the page is in the ledger, and never in a dry run: a source that remembers how far
    it came may write it down now."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The last thing a pull yields. A pull that ends without one was cut short.

    `opted_out` and `deleted` count distinct contacts; `missed_by_naive_sync` those that a plain
    `status=unsubscribed` query would not have shown. `census` holds the named counts of the census, None
    for a window. `problems` are the identities that did not hold, in words; `complete` is False then.
    """

    complete: bool
    requests: int
    rows: int
    opted_out: int
    deleted: int
    missed_by_naive_sync: int
    without_address: int = 0
    census: Mapping[str, int] | None = None
    problems: tuple[str, ...] = ()
    sms: int = 0
    """Contacts that opted out of SMS. They are no part of `opted_out`."""
    sms_without_address: int = 0
    """Of these, contacts without an e-mail address: nothing can be recorded for them."""
    bounced: int = 0
    """Contacts whose mailbox does not exist, as the platform says. No part of `opted_out` either."""
    notes: tuple[str, ...] = ()
    """What people should know though the run is complete, in words without an address."""


class Severity(StrEnum):
    """How a finding of `check` reads in `suppress doctor`."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `suppress doctor`: what was looked at, how it is, and what to do about it."""

    subject: str
    severity: Severity
    message: str
    hint: str | None = None


class Source(Protocol):
    """One configured account on a platform that is asked for opt-outs."""

    @property
    def name(self) -> str:
        """The name of its `[sources.NAME]` table."""

    @property
    def platform(self) -> str:
        """The platform's name, such as `constant-contact`."""

    def window(self, last_before: datetime | None, now: datetime) -> Window:
        """The next window to ask for, with this platform's lag and overlap.

        `last_before` is the end of the last complete window, None on the first run.
        """

    def pull(self, what: Window | Census) -> Iterator[Page | Summary]:
        """Pages as they arrive, then one `Summary`. Raises `SourceFailed` or `SignInNeeded`."""

    def check(self) -> Iterable[Finding]:
        """Read-only findings for `suppress doctor`: reachable, signed in, quota left."""

    def close(self) -> None:
        """Give connections back."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One query of a platform, asked beside others: whom it shows of those who opted out, in numbers."""

    query: str
    """As people would write it, without anybody's address."""
    contacts: int
    """Distinct contacts that it shows, whatever their permission."""
    found: int
    """Of these, the ones that have opted out."""
    missed: int
    """Contacts that opted out and that only other queries show; since `since`, if it is given."""
    missed_deleted: int
    """Of these, contacts that were deleted."""
    requests: int
    since: datetime | None = None


@runtime_checkable
class Comparing(Protocol):
    """A source that can ask its platform in several ways side by side, for `suppress doctor --queries`."""

    def comparison_cost(self) -> int:
        """How many requests `compare` will take, found out with a few."""

    def compare(self) -> tuple[Compared, ...]:
        """Ask in every way. Reads only; raises `SourceFailed` or `SignInNeeded`."""


# --- Exporters -------------------------------------------------------------------------------------------


class Unit(StrEnum):
    """What one write carries."""

    RECORD = "record"
    BATCH = "batch"
    SNAPSHOT = "snapshot"
    """The whole list each time; what is left out is gone at the destination."""


class Delivery(StrEnum):
    """When a write takes effect."""

    SYNC = "sync"
    JOB = "job"
    EVENTUAL = "eventual"


class Detail(StrEnum):
    """How finely a destination answers."""

    PER_RECORD = "per_record"
    COUNTS = "counts"
    NONE = "none"


class Unknowns(StrEnum):
    """Whether writing an address the destination does not know creates it there."""

    NEVER = "never"
    OPTIONAL = "optional"
    ALWAYS = "always"


class Reach(StrEnum):
    """What one suppression at a destination covers."""

    ACCOUNT = "account"
    """All marketing mail of the account: an opt-out of one list is widened."""
    TARGET = "target"
    """One audience, list, group or subscription type: an opt-out of everything is narrowed to it."""


class Kept(StrEnum):
    """What a destination may store beside the address."""

    SCOPE = "scope"
    REASON = "reason"
    DATE = "date"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a destination can do, declared once and held by the engine."""

    unit: Unit
    delivery: Delivery
    detail: Detail
    creates_unknown: Unknowns
    target: str
    """What one target is: audience, subscription type, group, region, file."""
    max_batch: int | None = None
    max_concurrency: int = 1
    can_read_one: bool = False
    can_read_many: bool = False
    can_list_all: bool = False
    blocks_transactional: bool = False
    reversible_by_others: bool = True
    """Whether another integration could undo it, so that it must be verified every run."""
    key_form: str = "plain"
    """`plain`, `md5`, `sha256`, `google_sha256`."""
    native_dry_run: bool = False
    entries_expire: str | None = None
    """When the destination drops suppressions by itself, in words, such as `after 90 days`; None: never."""
    secrets: tuple[str, ...] = ()
    config: Mapping[str, Json] = field(default_factory=dict)
    """JSON Schema of the plugin's own keys in `[destinations.NAME]`."""
    per_second: float | None = None
    """Requests that may start in a second, for a dry run's estimate; `suppress.plugin.lanes` keeps to it."""
    per_thousand: float | None = None
    """Requests that a thousand people take, all told, where reading first, pages or looking at jobs make them
    more than what is written and read back. For a dry run's estimate."""
    read_batch: int | None = None
    """Addresses in one request of `read_back`. None: `max_batch` where many can be read, else 1."""
    reach: Reach | None = None
    """What a suppression there covers; None leaves it unsaid. For the report of what is lost."""
    keeps: frozenset[Kept] | None = None
    """What it stores beside the address; None leaves it unsaid. For the report of what is lost."""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """One address to suppress: what an exporter needs for it and nothing else.

    A person who is known under several spellings (`straße@`, `strasse@`) comes as several entries, next to
    one another and with one `seq` and `key`. Each is told and answered for like any other, by its `address`.
    """

    seq: int
    """The request that stands, and so the person: the same in every entry of theirs."""
    key: str
    """Canonical address (match key), for destinations of our own making that compare by it."""
    address: str
    """The spelling to send and to look for. No other entry of a push has it, not even in capitals."""
    scope: Scope
    reason: Reason
    occurred_at: datetime | None
    source: str
    idempotency_key: str = ""


class Outcome(StrEnum):
    """What became of one entry at a destination."""

    SUPPRESSED = "suppressed"
    ALREADY = "already"
    NOT_MAILABLE = "not_mailable"
    SKIPPED_UNKNOWN = "skipped_unknown"
    REJECTED_PERMANENT = "rejected_permanent"
    RETRY_LATER = "retry_later"
    PENDING = "pending"
    UNVERIFIABLE = "unverifiable"


class Intent(StrEnum):
    """What a dry run says would happen to one entry."""

    SUPPRESS = "suppress"
    ALREADY = "already"
    UNKNOWN_SKIP = "unknown_skip"
    UNKNOWN_CREATE = "unknown_create"
    BLOCKED = "blocked"
    INVALID = "invalid"


class Remote(StrEnum):
    """What a destination holds for one address when it is read back."""

    SUPPRESSED = "suppressed"
    NOT_MAILABLE = "not_mailable"
    MAILABLE = "mailable"
    UNKNOWN = "unknown"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a destination answered, without anybody's address in it."""

    endpoint: str
    """The name of the call, never a URL with an address."""
    status: int | None = None
    request_id: str | None = None
    request_digest: str | None = None
    response_digest: str | None = None
    vendor_time: datetime | None = None
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Planned:
    """One line of a dry run, by the entry's `address`."""

    address: str
    intent: Intent
    observed: Remote | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one entry, by its `address`."""

    address: str
    outcome: Outcome
    before: Remote | None = None
    after: Remote | None = None
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A write that goes on at the destination: hand the token back to `poll` until it is done."""

    token: str
    stage: str
    next_poll: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A whole list was written: where, how many rows (one an entry), and the SHA-256 of its bytes."""

    place: str
    rows: int
    digest: str
    unrepresented: tuple[str, ...] = ()
    """What the format cannot express, in words."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a destination holds for an address: the one asked for, or in a sweep the one that it has."""

    address: str
    state: Remote
    reason: str | None = None
    """The platform's own word. In a sweep it tells opt-outs from bounces, where `kind` says nothing."""
    at: datetime | None = None
    """When the state last changed, as the platform says."""
    evidence: Evidence | None = None
    kind: Reason | None = None
    """The reason in our words, if the plugin is sure of it: `bounced` is no legal opt-out."""
    by: str | None = None
    """Who changed it last, if the platform tells: an integration, a form. Never a person's address."""


Pushed: TypeAlias = Result | Job | Snapshot


@dataclass(frozen=True, slots=True)
class LedgerPosition:
    """Where in the ledger an export stands: goes into manifests, so that receivers become witnesses."""

    size: int
    root: str
    checkpoint: str
    """The signed note, as text."""
    erased: int = 0
    """Suppressed people whose address was erased, so that no list can name them."""


class Exporter(Protocol):
    """One configured destination that is told who may not be mailed."""

    @property
    def name(self) -> str:
        """The name of its `[destinations.NAME]` table, or the platform's name without one."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    def check(self) -> Iterable[Finding]:
        """Read-only findings: credentials, scopes, target exists, quota, estimated duration."""

    def plan(self, entries: Iterable[Suppressed]) -> Iterator[Planned]:
        """What `push` would do, entry by entry. Reads only; this is the dry run."""

    def push(self, entries: Iterable[Suppressed], position: LedgerPosition) -> Iterator[Pushed]:
        """Suppress them, newest first, and say what became of each as it is known.

        A crash loses at most one batch. A `SNAPSHOT` unit receives every standing suppression sorted by
        key, and yields one `Snapshot` with a row an entry.
        """

    def poll(self, job: Job) -> Iterator[Pushed]:
        """How a job is doing: results, or the job again with a later `next_poll`."""

    def read_back(self, addresses: Sequence[str]) -> Iterator[Observation]:
        """What the destination holds for each of these addresses, in the same order."""

    def sweep(self, cursor: str | None) -> tuple[tuple[Observation, ...], str | None]:
        """A page of what the destination suppresses, and the cursor of the next one, None at the end."""

    def close(self) -> None:
        """Give connections back."""
