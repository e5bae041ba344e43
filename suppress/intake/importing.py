"""A list of old opt-outs carried into the ledger, a few thousand rows a transaction."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import PurePath

from suppress.core.address import Address
from suppress.core.entry import ImportDone
from suppress.core.hashed import is_hashed
from suppress.core.spans import gathered
from suppress.core.suppression import Json, OptOut, Origin
from suppress.files.contacts import ContactFile, Copy
from suppress.files.dates import zone_named
from suppress.files.encoding import mended
from suppress.files.output import outputs, publish
from suppress.files.records import Record
from suppress.intake.cells import own_cells
from suppress.intake.dating import Dating
from suppress.intake.layouts import Claim, Layout
from suppress.intake.profiles import Profiled
from suppress.intake.recording import record
from suppress.ledger import Event, Ledger

BATCH = 2_000
"""Opt-outs in one transaction: few enough to be quick to repeat, enough for the disk's sake."""

REMARKS = 1_000
"""Remarks kept in memory; every rejected row can be written to a file."""

BATCH_NAME = 12
"""Digits of an import's id by which people name it."""

WORDS = 100
"""Unknown status words that are counted one by one."""

PAIRS = 1_000
"""Pairs in which an import names the earlier entries that it found: some 16,000 bytes of a leaf's 65,535."""

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to tell about one line of the file."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What one import did; rows = accepted + duplicate + ignored + rejected."""

    profile: str
    source: str
    digest: str
    rows: int
    accepted: int
    """Rows whose opt-out was recorded by this run."""
    duplicate: int
    """Rows whose opt-out was there: recorded before, by an interrupted run, or by an earlier row."""
    ignored: int
    """Rows that are no opt-outs."""
    rejected: int
    """Rows in which no address could be found."""
    undated: int
    """Opt-outs recorded without a date: none was given, or it could not be read."""
    unreadable_dates: int
    malformed: int
    """Opt-outs recorded under an address that mail systems refuse."""
    remarks: tuple[Remark, ...]
    """The first rejected rows and unreadable dates."""
    warnings: tuple[str, ...]
    batch: str
    """What `suppress revert` knows it by."""
    reasons: Mapping[str, int]
    """Opt-outs by reason, those that were there already too."""
    unknown: Mapping[str, int]
    """Status words that the profile does not know, with how many rows were rejected for each."""
    seq: int | None
    """The entry that recorded the import; None in a dry run."""


def import_file(
    ledger: Ledger,
    contacts: ContactFile,
    layout: Layout,
    *,
    source: str | None = None,
    zone: tzinfo,
    date_format: str | None = None,
    rejected: str | None = None,
    now: datetime,
    actor: str,
    dry_run: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Imported:
    """Record every opt-out of a file that the ledger does not have yet.

    May be killed at any point and repeated. `zone` is that of dates without one, `date_format` (`mdy`, `dmy`)
    settles 3/4/2024; `rejected` is a file for rows without an address and such with an unknown status.

    Raises:
        BadFile: The file turns out to be broken. Nothing is recorded.
        BadUsage: Nothing says whether its dates write the month or the day first. Nothing is recorded.
        SuppressError: The ledger or the file of rejected rows cannot be written.
    """
    target = None if dry_run else rejected
    with outputs({"rejected": target}, inputs=[contacts.path]) as results, ExitStack() as stack:
        copy = None
        for result in results.values():
            copy = contacts.copy(result, ("suppress_rejected",))
            stack.callback(copy.abandon)
        run = _Import(
            ledger,
            contacts,
            layout,
            source or layout.source,
            _dating(layout, zone, date_format),
            now,
            actor,
            dry_run,
            copy,
        )
        run.read(progress)
        seq = None
        if not dry_run:
            if copy is not None:
                copy.finish()
            seq = record(ledger, [run.done()], actor=actor)[0].seq
            publish(list(results.values()))
    return run.result(seq)


def _dating(layout: Layout, zone: tzinfo, date_format: str | None) -> Dating:
    named = layout.kind.zone if isinstance(layout, Profiled) else None
    return Dating(zone if named is None else zone_named(named), date_format, given=date_format is not None)


@dataclass(slots=True)
class _Import:
    """One pass over one file."""

    ledger: Ledger
    contacts: ContactFile
    layout: Layout
    source: str
    dating: Dating
    now: datetime
    actor: str
    dry_run: bool
    rejected_rows: Copy | None
    rows: int = 0
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("accepted", "duplicate", "ignored", "rejected"), 0)
    )
    undated: int = 0
    unreadable: int = 0
    malformed: int = 0
    decided: tuple[str, ...] = ()
    """What was decided about dates, in words."""
    remarks: list[Remark] = field(default_factory=list)
    pending: list[list[OptOut]] = field(default_factory=list)
    """Opt-outs not yet recorded, a list for each row."""
    waiting: int = 0
    digest: str = ""
    id: str = ""
    first: int | None = None
    last: int | None = None
    found: tuple[int, ...] = ()
    reasons: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def read(self, progress: Progress) -> None:
        """Take every row, and record what is pending as often as a batch is full.

        The file is first read to its end, with a look at its dates alone: a quote that is lost in the last
        row must not be found when the rows before it are recorded, nor the date that tells days from months.
        """
        for batch in self.contacts.batches():
            for row in batch:
                claim = self.layout.claim(row.cells)
                for date in {claim.date, claim.received} if claim.opted_out else ():
                    self.dating.look(date)
        documented = self.layout.kind.order if isinstance(self.layout, Profiled) else None
        self.decided = self.dating.decide(documented)
        self.digest = self.contacts.digest
        self.id = self._id()
        for batch in self.contacts.batches():
            for row in batch:
                if not row.blank:
                    self._take(row)
            progress(self.rows, None)
        self._flush()

    def _id(self) -> str:
        """The same file read in the same way has the same id."""
        parts = (self.digest, self.layout.profile, self.layout.identity, self.source)
        id_ = hashlib.sha256("\0".join(("import/v1", *parts)).encode("utf-8", "backslashreplace"))
        return id_.hexdigest()[:32]

    @property
    def batch(self) -> str:
        """Short enough to be typed."""
        return self.id[:BATCH_NAME]

    def done(self) -> Event:
        """The entry of this import. The ledger refuses counts that do not add up."""
        return Event(
            self.id,
            ImportDone(
                digest=self.digest,
                profile=self.layout.profile,
                source=self.source,
                rows=self.rows,
                **self.counts,
                first=self.first,
                last=self.last,
                found=self.found or None,
                batch=self.batch,
            ),
        )

    def result(self, seq: int | None) -> Imported:
        """What to tell."""
        return Imported(
            profile=self.layout.profile,
            source=self.source,
            digest=self.contacts.digest,
            rows=self.rows,
            **self.counts,
            undated=self.undated,
            unreadable_dates=self.unreadable,
            malformed=self.malformed,
            remarks=tuple(self.remarks),
            warnings=(*self.layout.warnings, *self.decided),
            batch=self.batch,
            reasons=dict(sorted(self.reasons.items())),
            unknown=dict(sorted(self.unknown.items())),
            seq=seq,
        )

    def _take(self, row: Record) -> None:
        self.rows += 1
        cells = [mended(cell) for cell in row.cells]
        claim = self.layout.claim(cells)
        doubt = self.contacts.misshapen(row)
        if claim.unknown:
            self._not_understood(row, claim.unknown)
            return
        if not claim.opted_out:
            if doubt is not None and not claim.footer:
                self._reject(row, f"{doubt}, so nothing says whether it is an opt-out")
            else:
                self.counts["ignored"] += 1
            return
        addresses = self.layout.addresses(claim.cells)
        if not addresses:
            self._reject(row, doubt or self.layout.nothing)
        elif doubt is not None and not any("@" in each.key or is_hashed(each.key) for each in addresses):
            self._reject(row, f"{doubt}, and no address stands in its column")
        else:
            self.reasons[claim.reason.value] += 1
            self.pending.append(self._opt_outs(row, cells, claim, addresses))
            self.waiting += len(addresses)
            if self.waiting >= BATCH:
                self._flush()

    def _opt_outs(
        self, row: Record, cells: Sequence[str], claim: Claim, addresses: Sequence[Address]
    ) -> list[OptOut]:
        occurred = self._moment(row, claim.date)
        same = claim.received == claim.date
        received = occurred if same or not claim.received else self._moment(row, claim.received)
        self.undated += occurred is None
        self.malformed += any(each.flaws for each in addresses if not is_hashed(each.key))
        evidence: dict[str, Json] = {
            "file": PurePath(self.contacts.name).name,
            "sha256": self.digest,
            "line": row.line,
            "batch": self.batch,
        }
        if isinstance(self.layout, Profiled):
            evidence["profile"] = self.layout.profile
        rests_on = self.layout.evidence(cells)
        people = {each.key for each in addresses}
        # The date as read, not as written: the same list saved with other date forms is the same list.
        dated = occurred.isoformat() if occurred is not None else claim.date
        return [
            OptOut(
                address=address,
                source=self.source,
                origin=Origin.FILE,
                reason=claim.reason,
                channel=claim.channel,
                occurred_at=occurred,
                received_at=received if claim.received else None,
                evidence={
                    **evidence,
                    "cells": own_cells(rests_on, address.key, people) if len(people) > 1 else rests_on,
                },
                facts=("file", dated, *claim.texts),
            )
            for address in addresses
        ]

    def _moment(self, row: Record, text: str) -> datetime | None:
        if not text:
            return None
        moment = self.dating.read(text)
        if moment is not None and moment <= self.now:
            return moment
        self.unreadable += 1
        why = "cannot be read" if moment is None else "lies in the future"
        # A column that was mapped by mistake may hold addresses: only what looks like a date is shown.
        shown = f" “{text}”" if any(map(str.isdigit, text)) and "@" not in text and len(text) < 40 else ""
        self._remark(row, f"the date{shown} {why}; recorded without a date")
        return None

    def _not_understood(self, row: Record, word: str) -> None:
        """A row that may be an opt-out and may not: counted by its word, listed, never taken for either."""
        shown = word if len(word) <= 40 and "@" not in word and word.isprintable() else "(other text)"
        if shown in self.unknown or len(self.unknown) < WORDS:
            self.unknown[shown] += 1
        self._reject(row, f"the status “{shown}” is not known to the profile {self.layout.profile}")

    def _reject(self, row: Record, why: str) -> None:
        self.counts["rejected"] += 1
        self._remark(row, f"rejected: {why}")
        if self.rejected_rows is not None:
            self.rejected_rows.add(row, (why,))

    def _remark(self, row: Record, text: str) -> None:
        if len(self.remarks) < REMARKS:
            self.remarks.append(Remark(row.line, text))

    def _flush(self) -> None:
        events = [opt_out for opt_outs in self.pending for opt_out in opt_outs]
        fresh = iter(self._fresh(events))
        for opt_outs in self.pending:
            new = [next(fresh) for _ in opt_outs]
            self.counts["accepted" if any(new) else "duplicate"] += 1
        self.pending, self.waiting = [], 0

    def _fresh(self, events: Sequence[OptOut]) -> list[bool]:
        """Record the opt-outs; which of them the ledger did not have."""
        if not events:
            return []
        if self.dry_run:
            # Without recording, the nearest answer is whether the person is suppressed already.
            standings = self.ledger.standings([each.address for each in events])
            return [standing.against() is None for standing in standings]
        receipts = record(self.ledger, events, actor=self.actor)
        self.found = gathered(self.found, {each.seq for each in receipts if not each.new}, PAIRS)
        seqs = [receipt.seq for receipt in receipts if receipt.new]
        if seqs:
            self.first = min(seqs) if self.first is None else self.first
            self.last = max(seqs)
        return [receipt.new for receipt in receipts]
