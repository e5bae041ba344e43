"""The kinds of ledger entry and the exact bytes, the *leaf*, that each one is hashed and kept as.

Rules kept here:

* A leaf is canonical JSON (RFC 8785, restricted to strings, integers within ±(2^53-1), booleans, null,
  arrays and objects with ASCII keys), so the standard library writes it byte for byte.
* Reading is strict: duplicate keys, unknown `v` or `type`, missing or extra fields, a leaf whose
  re-encoding differs, and anything over 65,535 bytes are refused. What is read back is what was hashed.
* A leaf holds no personal data: people are random subject ids, their values salted commitments.
* `at` is when *we* learned it (server, UTC); dates claimed by others are fields of the body.

The next module to read is `merkle`, which hashes leaves.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import ClassVar, TypeAlias

from suppress.core.suppression import Channel, Json, Origin, Reason, Scope, Visibility

FORMAT = 1
MAX_LEAF = 65_535
"""Bytes. Tiles (C2SP tlog-tiles) give an entry a 16-bit length."""
MAX_INTEGER = 2**53 - 1


class NotCanonical(ValueError):
    """These bytes are not a leaf; the message says why."""


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


@dataclass(frozen=True, slots=True)
class DriftFound:
    """A source reported a suppressed person as mailable."""

    type: ClassVar[str] = "drift.found"
    subject: str
    channel: Channel
    source: str
    observed: str
    since: datetime | None
    pii: str


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
    """Sequence numbers of the drift entries that still held in this run."""


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


Body: TypeAlias = (
    LogOpened
    | SubjectAdded
    | OptOutRecorded
    | OptInRecorded
    | DriftFound
    | SyncDone
    | ImportDone
    | CheckDone
    | DestinationChanged
    | Disclosed
    | Honoured
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


def encode(*, id_: str, at: datetime, actor: str, body: Body) -> bytes:
    """The leaf of an event.

    Raises:
        NotCanonical: A value is outside the format (an integer past 2^53-1, a leaf over 65,535 bytes).
    """
    leaf = canonical(
        {
            "v": FORMAT,
            "type": body.type,
            "id": id_,
            "at": timestamp(at),
            "actor": actor,
            **{name: _plain(getattr(body, name)) for name, _ in _readers(type(body))},
        }
    )
    if len(leaf) > MAX_LEAF:
        raise NotCanonical(f"an entry of {len(leaf):,} bytes is over the limit of {MAX_LEAF:,}")
    return leaf


def decode(seq: int, leaf: bytes) -> Entry:
    """The entry at position `seq`, read strictly.

    Raises:
        NotCanonical: The bytes are not exactly what `encode` writes.
    """
    if len(leaf) > MAX_LEAF:
        raise NotCanonical(f"over {MAX_LEAF:,} bytes")
    raw = _object(leaf)
    version, kind = raw.get("v"), raw.get("type")
    if type(version) is not int or version != FORMAT:
        raise NotCanonical(f"unknown format {version!r}")
    body_class = BODIES.get(kind) if isinstance(kind, str) else None
    if body_class is None:
        raise NotCanonical(f"unknown type {kind!r}")
    readers = _readers(body_class)
    expected = _COMMON | {name for name, _ in readers}
    if raw.keys() != expected:
        raise NotCanonical(f"fields {sorted(raw.keys() ^ expected)} are missing or unknown in {kind}")
    try:
        values: dict[str, typing.Any] = {name: read(raw[name]) for name, read in readers}
        entry = Entry(
            seq, _text(raw["id"]), _time(raw["at"]), _text(raw["actor"]), body_class(**values), leaf
        )
    except (ValueError, TypeError) as wrong:
        raise NotCanonical(f"{kind}: {wrong}") from wrong
    # Each reader takes one text for one value, so writing the raw values again tells as much as `encode`.
    if canonical(raw) != leaf:
        raise NotCanonical("not in canonical form")
    return entry


def canonical(value: Json) -> bytes:
    """Canonical JSON bytes (RFC 8785 for the restricted values of this module).

    Raises:
        NotCanonical: A float, an integer past 2^53-1, a non-ASCII key, text that UTF-8 cannot hold, or values
            nested too deep to write.
    """
    try:
        _refuse_unfit(value)
    except RecursionError as wrong:
        raise NotCanonical("nested too deep") from wrong
    try:
        return _WRITER.encode(value).encode()
    except UnicodeEncodeError as lone:
        raise NotCanonical("text holds a lone surrogate, which UTF-8 cannot express") from lone


@lru_cache(4096)  # a batch has one `at`, and most requests were received when they were made
def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds, always 27 characters, so that text order is time order."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")[:-6] + "Z"


@lru_cache(4096)
def moment(text: str) -> datetime:
    """Read `timestamp` back. Raises ValueError on any other form."""
    read = datetime.fromisoformat(text)
    try:
        canonical_form = timestamp(read)
    except OverflowError as wrong:  # year 9999 west of Greenwich
        raise ValueError(f"a time outside the years 1 to 9999: {text!r}") from wrong
    if canonical_form != text:
        raise ValueError(f"not a 27-character time: {text!r}")
    return read


def _refuse_unfit(value: Json) -> None:
    match value:
        case None | bool() | str():
            pass
        case int():
            if abs(value) > MAX_INTEGER:
                raise NotCanonical(f"integer {value} is past 2^53-1")
        case Mapping():
            for key, inner in value.items():
                if not key.isascii():
                    raise NotCanonical(f"key {key!r} is not ASCII text")
                if not isinstance(inner, str):  # most are; a bulk append spends its time here
                    _refuse_unfit(inner)
        case list() | tuple():
            for inner in value:
                _refuse_unfit(inner)
        case _:
            raise NotCanonical(f"a {type(value).__name__} has no canonical form")


_WRITER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=dict)


def _object(leaf: bytes) -> dict[str, Json]:
    try:
        value = _READER.decode(leaf.decode())
    except (ValueError, RecursionError) as wrong:
        raise NotCanonical(f"not JSON: {wrong}") from wrong
    if not isinstance(value, dict):
        raise NotCanonical("not a JSON object")
    return value


def _no_doubles(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_float(text: str) -> Json:
    raise ValueError(f"a float: {text}")


_READER = json.JSONDecoder(object_pairs_hook=_no_doubles, parse_float=_no_float)


def _plain(value: object) -> Json:
    if value is None or isinstance(value, str):  # a StrEnum is written as its value
        return value
    match value:
        case datetime():
            return timestamp(value)
        case Scope():
            return str(value)
        case tuple():
            return [_plain(each) for each in value]
        case Mapping():
            return {key: _plain(each) for key, each in value.items()}
        case bool() | int():
            return value
        case _:
            raise NotCanonical(f"a {type(value).__name__} has no canonical form")


_COMMON = frozenset({"v", "type", "id", "at", "actor"})


def _text(value: Json) -> str:
    if type(value) is not str:
        raise ValueError(f"expected text, found {value!r}")
    return value


def _integer(value: Json) -> int:
    if type(value) is not int:
        raise ValueError(f"expected a whole number, found {value!r}")
    return value


def _truth(value: Json) -> bool:
    if type(value) is not bool:
        raise ValueError(f"expected true or false, found {value!r}")
    return value


def _time(value: Json) -> datetime:
    return moment(_text(value))


def _scope(value: Json) -> Scope:
    scope = Scope.parse(_text(value))
    if str(scope) != value:
        raise ValueError(f"another text of {scope}: {value!r}")
    return scope


Reader: TypeAlias = Callable[[Json], object]


def _reader(hint: object) -> Reader:
    simple: dict[object, Reader] = {
        str: _text,
        int: _integer,
        bool: _truth,
        datetime: _time,
        Scope: _scope,
    }
    if hint in simple:
        return simple[hint]
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        choices = hint
        return lambda value: choices(_text(value))
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union) and type(None) in arguments:
        (inner,) = (_reader(each) for each in arguments if each is not type(None))
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        item = _reader(arguments[0])
        return lambda value: tuple(item(each) for each in _list(value))
    if origin is Mapping:
        item = _reader(arguments[1])
        return lambda value: {key: item(each) for key, each in _dict(value).items()}
    raise TypeError(f"no reader for {hint!r}")


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise ValueError(f"expected a list, found {value!r}")
    return value


def _dict(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, found {value!r}")
    return value


_known_readers: dict[str, tuple[tuple[str, Reader], ...]] = {}


def _readers(body: type[Body]) -> tuple[tuple[str, Reader], ...]:
    """Name and reader of each field; worked out on first use, since the hints of all kinds take 10 ms."""
    found = _known_readers.get(body.type)
    if found is None:
        hints = typing.get_type_hints(body)
        found = tuple((each.name, _reader(hints[each.name])) for each in fields(body))
        _known_readers[body.type] = found
    return found
