"""Entries of a bundle as they go by, in order: each read strictly, with what opens its commitments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from suppress.bundle import layout
from suppress.bundle.layout import Payload
from suppress.bundle.reader import wrong
from suppress.core.canonical import NotCanonical
from suppress.core.entry import Entry, Erased, Forgotten, SubjectAdded
from suppress.core.leaf import decode
from suppress.ledger.references import problem
from suppress.ledger.sealing import payload_commitment, read_payload


@dataclass(slots=True)
class Order:
    """Reads one leaf after the other."""

    at: datetime | None = None

    def next(self, seq: int, leaf: bytes) -> Entry:
        """The entry. Raises `Wrong` on one that cannot be right, or not here."""
        try:
            entry = decode(seq, leaf)
        except NotCanonical as refused:
            wrong(f"entry {seq} cannot be read: {refused}", seq)
        impossible = problem(entry.body, seq)
        if impossible is not None:
            wrong(f"entry {seq} cannot be right: {impossible}", seq)
        if self.at is not None and entry.at < self.at:
            wrong(f"entry {seq} is dated before the one ahead of it", seq)
        self.at = entry.at
        return entry


@dataclass(slots=True)
class Openings:
    """Held against the entries as they go by; `payloads` is None where a bundle opens nothing."""

    payloads: Iterator[Payload] | None
    count: int = 0
    erased: list[int] = field(default_factory=list)
    """Entries without content, by an entry that says so."""
    people: set[str] = field(default_factory=set)
    """Whom the entries are about."""
    added: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Entry → subject and commitment, where somebody is added."""
    forgotten: set[str] = field(default_factory=set)
    _ahead: Payload | None = None
    _closed: dict[int, str] = field(default_factory=dict)
    """Entry → subject, where there is no content and not yet a reason."""
    _opened: bytearray = field(default_factory=bytearray)
    """For each entry whether it was opened: one byte an entry, for there may be millions."""

    def __post_init__(self) -> None:
        self._advance()

    def meet(self, entry: Entry) -> None:
        """The next entry. Raises `Wrong`."""
        if self.payloads is None:
            return
        body = entry.body
        if isinstance(body, SubjectAdded):
            self.added[entry.seq] = body.subject, body.sid
        subject, pii = getattr(body, "subject", None), getattr(body, "pii", None)
        if isinstance(subject, str):
            self.people.add(subject)
        if isinstance(pii, str) and isinstance(subject, str):
            self._open(entry.seq, subject, pii)
        if isinstance(body, (Erased, Forgotten)):
            self._gone(entry.seq, body)

    def close(self) -> list[int]:
        """The entries that were erased on record. Raises `Wrong` when something is left over."""
        if self._ahead is not None:
            wrong(f"{layout.PAYLOADS} opens entry {self._ahead.seq}, which is not here or commits to nothing")
        for seq in self._closed:
            wrong(f"entry {seq} has neither content nor an entry that erased it", seq)
        return sorted(self.erased)

    def _open(self, seq: int, subject: str, pii: str) -> None:
        payload = self._ahead
        if payload is None or payload.seq != seq:
            self._closed[seq] = subject
            return
        if payload_commitment(payload.salt, payload.body) != pii:
            wrong(f"{layout.PAYLOADS} does not open entry {seq}", seq)
        try:
            read_payload(payload.body)
        except (ValueError, RecursionError) as refused:
            wrong(f"the content of entry {seq} cannot be read: {refused}", seq)
        self._opened.extend(bytes(seq + 1 - len(self._opened)))
        self._opened[seq] = 1
        self.count += 1
        self._advance()

    def _gone(self, at: int, body: Erased | Forgotten) -> None:
        if isinstance(body, Forgotten):
            self.forgotten.add(body.subject)
        for seq in body.entries:
            if seq < len(self._opened) and self._opened[seq]:
                wrong(f"the content of entry {seq} is here, and entry {at} erased it", seq)
            if self._closed.get(seq) == body.subject:
                del self._closed[seq]
                self.erased.append(seq)

    def _advance(self) -> None:
        self._ahead = None if self.payloads is None else next(self.payloads, None)
