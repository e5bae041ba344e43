"""How personal data is kept out of leaves: commitments, blind indexes, event ids, payload bodies. Pure.

Rules kept here:

* A commitment is SHA-256 over a fixed prefix, 32 random bytes of salt, and the value: hiding while the salt
  is secret, binding because the salt's length is fixed.
* A blind index is HMAC-SHA-256 of the match key under a key that is kept outside the database. It is never
  written into a leaf, because a keyed hash of an address is personal data for as long as the key exists.
* An event's id is derived from the subject's *random* id and the facts of the event. Were it derived from
  the address or its blind index, a leaked index key would let anybody who holds a bundle test addresses
  against its leaves; as it is, no id reveals an address even then.
* Text that UTF-8 cannot hold (lone surrogates from a damaged file name or a broken export) is written with
  backslash escapes. Evidence is kept as well as it can be; it never makes an opt-out fail.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from suppress.core.canonical import MAX_INTEGER, timestamp
from suppress.core.suppression import Consent, Drift, Json, OptOut, Waiver

PRODUCT = b"suppress"
SALT = 32
"""Bytes of salt in every commitment."""
DEEPEST = 50
"""Levels of nesting that a payload keeps as they are."""


@dataclass(frozen=True, slots=True)
class IndexKey:
    """One key of the blind index: 32 random bytes and the id under which rows name it."""

    id: str
    secret: bytes

    def blind(self, key: str) -> bytes:
        """The blind index of a match key (already `expressible`)."""
        return hmac.digest(self.secret, key.encode(), "sha256")

    def blind_alias(self, alias: str) -> bytes:
        """The blind index of an alias key: another domain, so that it never equals that of an address."""
        return hmac.digest(self.secret, b"alias\x00" + alias.encode(), "sha256")

    def request_salt(self, subject: str) -> bytes:
        """The salt of `request_commitment`: nobody can guess it; who has this key can say it again."""
        return hmac.digest(self.secret, b"request\x00" + subject.encode(), "sha256")

    @property
    def commitment(self) -> str:
        """What `log.opened` says of this key, so that it cannot be swapped to un-match somebody."""
        return hashlib.sha256(PRODUCT + b"/indexkey/v1\x00" + self.secret).hexdigest()


class Blinder:
    """An index key at work: the same indexes as it gives, in half the time.

    RFC 2104 hashes a block that depends on the key alone before each message, and another one after it. Both
    are hashed once here; `hmac.digest` does it for every message.
    """

    def __init__(self, key: IndexKey) -> None:
        self.id = key.id
        block = key.secret.ljust(64, b"\x00")
        self._inner = hashlib.sha256(bytes(each ^ 0x36 for each in block))
        self._outer = hashlib.sha256(bytes(each ^ 0x5C for each in block))

    def blind(self, key: str) -> bytes:
        """The blind index of a match key (already `expressible`)."""
        return self.digest(key.encode())

    def blind_alias(self, alias: str) -> bytes:
        """The blind index of an alias key."""
        return self.digest(b"alias\x00" + alias.encode())

    def digest(self, message: bytes) -> bytes:
        """HMAC-SHA-256 of these bytes."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


def payload_commitment(salt: bytes, body: bytes) -> str:
    """The `pii` of a leaf: commits to a payload without revealing it."""
    return hashlib.sha256(PRODUCT + b"/payload/v1\x00" + salt + body).hexdigest()


def subject_commitment(salt: bytes, key_id: str, blind_index: bytes) -> str:
    """The `sid` of a `subject.added`: commits to the blind index without revealing it."""
    return hashlib.sha256(
        PRODUCT + b"/subject/v1\x00" + salt + key_id.encode() + b"\x00" + blind_index
    ).hexdigest()


def request_commitment(salt: bytes, request: str) -> str:
    """The `request` of an `erased`: shows to whoever is given id and salt that this was the request."""
    return hashlib.sha256(PRODUCT + b"/request/v1\x00" + salt + expressible(request).encode()).hexdigest()


def mark(leaf_hash: bytes) -> int:
    """The start of a leaf's hash as a signed 64-bit number, as both databases keep it."""
    return int.from_bytes(leaf_hash[:8], "big", signed=True)


def event_id(subject: str, kind: str, facts: Sequence[str]) -> str:
    """The idempotency key of an event about a person: the same facts, the same id, and nobody's address."""
    # A separator inside a fact is escaped, which keeps ("a\0b",) and ("a", "b") apart.
    plain = (fact.replace("\\", "\\\\").replace("\x00", "\\0") for fact in facts)
    parts = ("event/v1", subject, kind, *plain)
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:32]


def facts_of(told: OptOut | Consent | Drift | Waiver) -> tuple[str, ...]:
    """What tells this event from another one about the same person.

    What the event *says* (channel, scope, reason) is part of it, so that the same request reported again
    with a stronger reason or a wider scope is another event and not silently dropped.
    """
    says: tuple[str, ...]
    match told:
        case OptOut():
            says = (told.channel.value, str(told.scope), told.reason.value)
            facts = told.facts or (told.source, _when(told.occurred_at))
        case Consent():
            says = (told.channel.value, str(told.scope))
            facts = told.facts or (told.source, _when(told.occurred_at))
        case Drift():
            # A destination may have a source's name.
            says = (told.channel.value, told.observed, *(("patrol",) if told.patrol else ()))
            facts = told.facts or (told.source, _when(told.since))
        case Waiver():
            says = (told.channel.value, told.purpose)
            facts = told.facts or (_when(told.until),)
    return tuple(expressible(each) for each in (*says, *facts))


def _when(moment: datetime | None) -> str:
    settled = utc(moment)
    return "" if settled is None else timestamp(settled)


def utc(moment: datetime | None) -> datetime | None:
    """A claimed date in UTC; one without a zone is read as UTC. None when UTC cannot express it.

    Python's calendar ends at the years 1 and 9999: a date at its very edge in another zone has no UTC form
    and counts as not given. The raw value stays in the evidence.
    """
    if moment is None:
        return None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def expressible(text: str) -> str:
    """`text`, or where UTF-8 cannot hold it, the same with its lone surrogates escaped (`\\udcff`)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def payload_body(address: str, key: str, evidence: Mapping[str, Json]) -> bytes:
    """The exact bytes of a payload: what the person sent, with its match key and raw evidence."""
    kept = {"address": expressible(address), "key": expressible(key), "evidence": _kept(evidence, DEEPEST)}
    return _WRITER.encode(kept).encode()


def read_payload(body: bytes) -> Mapping[str, Json]:
    """A payload as it was kept. Raises ValueError on bytes that are no JSON object."""
    value = json.loads(body)
    if not isinstance(value, dict):
        raise ValueError("a payload is an object")
    return value


_WRITER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _kept(value: object, levels: int) -> Json:
    if type(value) is str:
        return expressible(value)
    match value:
        case None | bool():
            return value
        case str():
            return expressible(value)
        case int() if abs(value) <= MAX_INTEGER:
            return value
        case datetime():
            return value.isoformat()
        case Mapping() if levels:
            return {expressible(str(name)): _kept(each, levels - 1) for name, each in value.items()}
        case list() | tuple() if levels:
            return [_kept(each, levels - 1) for each in value]
        case Mapping() | list() | tuple():
            return "nested too deeply to be kept"
        case _:
            # Floats and very large integers: their text is the evidence, their binary form is not.
            return expressible(str(value))
