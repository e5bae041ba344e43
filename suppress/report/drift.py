"""Suppressed people who were mailable again at a source or destination, from the day they were found until
it ended.

Rules kept here:

* An incident is one `drift.found` entry. It ends with the first *complete census* of its source, or complete
  patrol of its destination, that no longer lists it, with a consent that lifts the suppression, or when the
  entry is struck out or the person is forgotten.
* A window that does not list it ends nothing: a window shows only part of the source.
* A later run that lists an ended incident opens it again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from suppress.core.entry import DriftFound, Entry, PatrolDone, SyncDone
from suppress.core.spans import within
from suppress.core.suppression import Channel
from suppress.report.period import Period


class Closing(StrEnum):
    """Why an incident ended."""

    CENSUS = "census"
    PATROL = "patrol"
    CONSENT = "consent"
    CORRECTED = "corrected"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class Incident:
    """One person mailable at one source or destination although suppressed. `closed`: None while it lasts."""

    seq: int
    subject: str
    source: str
    channel: Channel
    observed: str
    since: datetime | None
    found: datetime
    closed: datetime | None
    closing: Closing | None
    reopened: int
    patrol: bool = False
    """Found by a patrol: `source` names a destination."""


@dataclass(slots=True)
class _Case:
    seq: int
    at: datetime
    body: DriftFound
    closed: datetime | None = None
    closing: Closing | None = None
    reopened: int = 0


class Drifting:
    """Follows incidents from the entries in order."""

    def __init__(self) -> None:
        self._cases: dict[int, _Case] = {}
        self._open: dict[tuple[bool, str], set[int]] = defaultdict(set)
        """By whether it is a destination, and its name."""
        self._by_subject: dict[str, list[int]] = defaultdict(list)

    def found(self, entry: Entry, body: DriftFound) -> None:
        """A source or destination may mail a suppressed person."""
        self._cases[entry.seq] = _Case(entry.seq, entry.at, body)
        self._open[_where(body)].add(entry.seq)
        self._by_subject[body.subject].append(entry.seq)

    def synced(self, entry: Entry, body: SyncDone) -> None:
        """A run ended: a complete census closes what it does not list; any run opens what it lists."""
        self._reopen(tuple(within(body.drift)))
        if body.complete and body.mode == "census":
            self._close(self._open[False, body.source] - set(within(body.drift)), entry.at, Closing.CENSUS)

    def patrolled(self, entry: Entry, body: PatrolDone) -> None:
        """A destination was read: a complete patrol closes what it does not list; any opens what it lists."""
        self._reopen(tuple(within(body.drift)))
        if body.complete:
            ended = self._open[True, body.destination] - set(within(body.drift))
            self._close(ended, entry.at, Closing.PATROL)

    def consented(self, entry: Entry, subject: str, channel: Channel) -> None:
        """A consent lifted the last suppression of a person in a channel."""
        seqs = self._by_subject.get(subject, ())
        self._close(
            [seq for seq in seqs if self._cases[seq].body.channel is channel], entry.at, Closing.CONSENT
        )

    def corrected(self, entry: Entry, struck: Iterable[int], restored: Iterable[int]) -> None:
        """Entries were struck out, or count again; some may be incidents' own."""
        self._close([seq for seq in struck if seq in self._cases], entry.at, Closing.CORRECTED)
        self._reopen(restored)

    def forgotten(self, entry: Entry, subject: str) -> None:
        """A person was forgotten."""
        self._close(self._by_subject.get(subject, ()), entry.at, Closing.FORGOTTEN)

    def incidents(self, period: Period) -> tuple[Incident, ...]:
        """What was found in the period, and older incidents that had not ended when it began."""
        return tuple(
            _incident(case)
            for case in self._cases.values()
            if case.at < period.end
            and (period.start is None or case.at >= period.start or _lasted(case, period.start))
        )

    def _reopen(self, seqs: Iterable[int]) -> None:
        for seq in seqs:
            case = self._cases.get(seq)
            if case is not None and case.closed is not None:
                case.closed, case.closing = None, None
                case.reopened += 1
                self._open[_where(case.body)].add(seq)

    def _close(self, seqs: Iterable[int], at: datetime, why: Closing) -> None:
        for seq in list(seqs):
            case = self._cases[seq]
            if case.closed is None:
                case.closed, case.closing = at, why
                self._open[_where(case.body)].discard(seq)


def _where(body: DriftFound) -> tuple[bool, str]:
    return bool(body.patrol), body.source


def _lasted(case: _Case, until: datetime) -> bool:
    return case.closed is None or case.closed >= until


def _incident(case: _Case) -> Incident:
    body = case.body
    return Incident(
        seq=case.seq,
        subject=body.subject,
        source=body.source,
        channel=body.channel,
        observed=body.observed,
        since=body.since,
        found=case.at,
        closed=case.closed,
        closing=case.closing,
        reopened=case.reopened,
        patrol=bool(body.patrol),
    )
