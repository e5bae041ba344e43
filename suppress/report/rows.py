"""Entries as the report takes them: an opt-out as a few numbers, a new person as an instant, the rest whole.

Nine of ten entries of a ledger are new people and their opt-outs. Reading those strictly, as `suppress
verify` does, would cost most of a report's time, and a report is made of a ledger that was verified just
before. So from the exact bytes of a leaf only what a report needs is read here; a leaf in which that is
missing is read strictly after all, which says what is wrong with it.

Rules kept here:

* What is read from a leaf is what is read from its entry: a property test holds both together.
* A day is a day of the sender's calendar. Within one hour of UTC all instants have the same one, unless
  midnight or a change of clocks lies in that hour; then each instant is worked out by itself.
* Instants are compared as their 27-character text, whose order is time order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

from suppress.core.canonical import timestamp
from suppress.core.entry import Entry, OptOutRecorded, SubjectAdded
from suppress.core.suppression import Channel, Origin, Reason, Scope, Visibility
from suppress.report.period import Zone

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
_JSON = json.JSONDecoder()
"""`json.loads` would work out the encoding of each leaf first."""


class Clock(StrEnum):
    """The date from which a request's deadline counts, when the law counts from receipt."""

    RECEIVED = "received"
    ACTED = "acted"
    """No date of receipt is on record: the person's own act stands in, which can only be earlier."""
    LEARNED = "learned"
    """No date at all is on record: the entry's own time stands in."""


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """What many requests have in common. `Rows` makes each once, so that it is known by identity."""

    channel: Channel
    scope: Scope
    reason: Reason
    source: str
    origin: Origin
    visibility: Visibility | None
    clock: Clock
    dated: bool
    """Whether the request says when the person acted."""


class Row(NamedTuple):
    """One opt-out."""

    seq: int
    at: str
    actor: str
    subject: str
    kind: Kind
    received: int
    """The ordinal of the day from which a clock that starts at receipt counts."""
    acted: int
    """The same for a clock that starts when the person acts."""
    learned: int
    latest: int
    """The latest that the person can have acted, in microseconds since 1970: what a consent must be after."""


class Passed(NamedTuple):
    """An entry of which the report needs nothing but when it was and who wrote it."""

    seq: int
    at: str
    actor: str


Item: TypeAlias = Row | Passed | Entry
Strictly: TypeAlias = Callable[[int, bytes], Entry]
"""Reads the entry at a place from its leaf, strictly."""


class Rows:
    """Turns entries and leaves into items."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._kinds: dict[tuple[object, ...], Kind] = {}
        self._days: dict[str, int | None] = {}
        self._actors: dict[bytes, str] = {}

    def of_entries(self, entries: Iterable[Entry]) -> Iterator[Item]:
        """Items of whole entries."""
        for entry in entries:
            match entry.body:
                case OptOutRecorded() as body:
                    yield self._of_body(entry, body)
                case SubjectAdded():
                    yield Passed(entry.seq, timestamp(entry.at), entry.actor)
                case _:
                    yield entry

    def of_leaves(self, pages: Iterable[list[bytes]], strictly: Strictly) -> Iterator[Item]:
        """Items of all leaves from the first on, page by page."""
        seq = -1
        for page in pages:
            for leaf in page:
                seq += 1
                # Quotation marks within text are escaped, so that these bytes can be nothing but the field.
                if b'"type":"subject.added"' in leaf:
                    yield self._passed(seq, leaf, strictly)
                elif b'"type":"optout.recorded"' in leaf:
                    yield self._of_leaf(seq, leaf, strictly)
                else:
                    yield strictly(seq, leaf)

    def _passed(self, seq: int, leaf: bytes, strictly: Strictly) -> Item:
        # The fields stand in the order of their names, so that a leaf begins {"actor":"...","at":"...
        end = leaf.find(b',"at":"')
        actor = self._actors.get(leaf[:end])
        if actor is None:
            entry = strictly(seq, leaf)
            actor = self._actors[leaf[:end]] = entry.actor
        return Passed(seq, leaf[end + 7 : end + 34].decode("latin-1"), actor)

    def _of_leaf(self, seq: int, leaf: bytes, strictly: Strictly) -> Item:
        try:
            raw = _JSON.decode(leaf.decode())
            if type(raw["subject"]) is str and type(raw["source"]) is str:
                return self._of_fields(seq, raw)
        except (ValueError, KeyError, TypeError):
            pass
        entry = strictly(seq, leaf)
        assert isinstance(entry.body, OptOutRecorded)
        return self._of_body(entry, entry.body)

    def _of_body(self, entry: Entry, body: OptOutRecorded) -> Row:
        fields = {
            "at": timestamp(entry.at),
            "actor": entry.actor,
            "subject": body.subject,
            "channel": body.channel,
            "scope": str(body.scope),
            "reason": body.reason,
            "source": body.source,
            "origin": body.origin,
            "visibility": body.visibility,
            "occurred_at": None if body.occurred_at is None else timestamp(body.occurred_at),
            "received_at": None if body.received_at is None else timestamp(body.received_at),
        }
        return self._of_fields(entry.seq, fields)

    def _of_fields(self, seq: int, raw: Mapping[str, Any]) -> Row:
        at, occurred, received = raw["at"], raw["occurred_at"], raw["received_at"]
        key = (
            raw["channel"], raw["scope"], raw["reason"], raw["source"], raw["origin"], raw["visibility"],
            received is None, occurred is None,
        )  # fmt: skip
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = _kind(raw)
        return Row(
            seq,
            at,
            raw["actor"],
            raw["subject"],
            kind,
            self._day(received or occurred or at),
            self._day(occurred or received or at),
            self._day(at),
            (datetime.fromisoformat(occurred or at) - EPOCH) // TICK,
        )

    def _day(self, moment: str) -> int:
        """The sender's day of an instant, as an ordinal."""
        hour = moment[:13]
        try:
            day = self._days[hour]
        except KeyError:
            first = self._exact(f"{hour}:00:00.000000Z")
            last = self._exact(f"{hour}:59:59.999999Z")
            day = self._days[hour] = first if first == last else None
        return self._exact(moment) if day is None else day

    def _exact(self, moment: str) -> int:
        return self._zone.day(datetime.fromisoformat(moment)).toordinal()


def _kind(raw: Mapping[str, Any]) -> Kind:
    received, occurred = raw["received_at"], raw["occurred_at"]
    clock = Clock.RECEIVED if received is not None else Clock.LEARNED if occurred is None else Clock.ACTED
    return Kind(
        Channel(raw["channel"]),
        Scope.parse(raw["scope"]),
        Reason(raw["reason"]),
        raw["source"],
        Origin(raw["origin"]),
        None if raw["visibility"] is None else Visibility(raw["visibility"]),
        clock,
        occurred is not None,
    )
