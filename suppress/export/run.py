"""One export to one destination: a plan, a whole list, or part after part of whom it lacks."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from suppress.config import DestinationSettings
from suppress.core.canonical import timestamp
from suppress.core.entry import DestinationChanged, Disclosed, Honoured
from suppress.core.suppression import EVERYTHING, Scope
from suppress.errors import DestinationFailed
from suppress.export import receipts
from suppress.export.answering import STOPPED, asked, can_read, states
from suppress.export.estimate import estimated
from suppress.export.jobs import Jobs
from suppress.export.losses import Losses
from suppress.export.result import ExportResult
from suppress.export.sorting import Spelled
from suppress.export.telling import Teller
from suppress.export.whom import Whom, as_entries
from suppress.ledger import Event, Head, Ledger, Listed
from suppress.plugin.contract import Exporter, LedgerPosition, Outcome, Suppressed, Unit
from suppress.plugin.tally import Forecast, Tally

PART = 1_000
"""People told between two receipts, where a destination does not take whole lists."""

Progress = Callable[[int, int | None], None]
Wait = Callable[[datetime], None]


@dataclass(frozen=True, slots=True)
class Terms:
    """For what the list leaves, to whom, on what basis, and who says so."""

    purpose: str
    recipient: str
    basis: str
    actor: str


@dataclass(slots=True)
class Facts:
    """What a run has reached so far: sent, accepted and confirmed are three facts."""

    count: int = 0
    addresses: int = 0
    sent: int = 0
    accepted: int = 0
    confirmed: int = 0
    missed: int = 0
    pending: int = 0
    verified: bool = True
    pushed_at: datetime | None = None
    confirmed_at: datetime | None = None
    outcomes: Counter[str] = field(default_factory=Counter)
    failed: set[int] = field(default_factory=set)
    """Every request of people who may still be mailed there."""
    beside: set[int] = field(default_factory=set)
    """The entries that added these people."""

    def add(self, part: Facts) -> None:
        """What one more part has reached."""
        self.count += part.count
        self.addresses += part.addresses
        self.sent += part.sent
        self.accepted += part.accepted
        self.confirmed += part.confirmed
        self.missed += part.missed
        self.pending += part.pending
        self.verified &= part.verified
        self.pushed_at = self.pushed_at or part.pushed_at
        self.confirmed_at = part.confirmed_at or self.confirmed_at
        self.outcomes += part.outcomes
        self.failed |= part.failed
        self.beside |= part.beside

    def written(self, receipt: Honoured) -> Honoured:
        """A receipt that says so."""
        return replace(
            receipt,
            sent=self.sent,
            accepted=self.accepted,
            confirmed=self.confirmed,
            pushed_at=self.pushed_at,
            confirmed_at=self.confirmed_at,
        )


@dataclass(slots=True)
class Run:
    """One export to one destination."""

    ledger: Ledger
    exporter: Exporter
    settings: DestinationSettings
    terms: Terms
    head: Head
    state: Path | None
    progress: Progress
    wait: Wait
    clock: Callable[[], datetime]
    position: LedgerPosition = field(init=False)
    erased: frozenset[int] = field(init=False)
    """Opt-outs that the destination does not hold and that, the address being gone, nobody can be told."""
    change: DestinationChanged | None = field(init=False)
    change_id: str = field(init=False)
    whom: Whom = field(init=False)
    losses: Losses = field(init=False)

    def __post_init__(self) -> None:
        can = self.exporter.capabilities
        target = EVERYTHING if self.settings.sender is None else Scope(self.settings.sender)
        self.losses = Losses(can, target, self.ledger.rules())
        self.whom = Whom(self.ledger, self.exporter.name, target, self.head.size, self.losses)
        erased = receipts.erased(self.ledger)
        for each in self.whom.listed() if erased else ():
            # Who opted out again after the erasure can be told.
            erased.pop(each.subject, None)
        self.position = LedgerPosition(
            self.head.size, self.head.root.hex(), self.head.note, erased=len(erased)
        )
        self.change, self.change_id = receipts.change(self.ledger, self.settings, can.secrets)
        self.erased = frozenset(seq for seqs in erased.values() for seq in seqs)
        if self.erased and not self._is_snapshot() and self.change is None:
            # Who was told before the erasure is still suppressed there; a file has only whom it names.
            self.erased -= receipts.held(self.ledger, self.exporter.name, self.erased)
        self.losses.erased = sum(not seqs.isdisjoint(self.erased) for seqs in erased.values())

    # --- The three ways of a run -----------------------------------------------------------------------

    def planned(self) -> ExportResult:
        """Ask the exporter what it would do; writes nothing, here or there."""
        forecast = Forecast(self.exporter.name)
        honoured = self._honoured()
        if self._is_snapshot():
            self._forecast(forecast, self.whom.everyone())
        else:
            with closing(self.whom.lacking(honoured)) as lacking:
                self._forecast(forecast, lacking)
        facts = Facts(forecast.people, forecast.addresses.total())
        facts.outcomes.update({intent.value: count for intent, count in forecast.intents.items()})
        return replace(
            self._result(facts),
            dry_run=True,
            released=self._released(honoured),
            upto=None,
            estimate=estimated(self.exporter.capabilities, forecast.addresses),
            pushed_at=None,
        )

    def snapshot(self) -> ExportResult:
        """Hand over everyone, sorted; one file, one receipt."""
        began = self.clock()
        tally = Tally(self.exporter.name, Unit.SNAPSHOT)
        with closing(Spelled()) as spelled:
            entries = tally.handing(self._kept(as_entries(self.whom.everyone(), self.exporter.name), spelled))
            tally.take(asked(self.exporter, self.exporter.push(entries, self.position)))
            outcomes = tally.close()
            verified = self._shows_all(spelled, tally.people)
        snapshot = tally.snapshot
        assert snapshot is not None
        people = tally.people
        facts = Facts(
            count=people,
            addresses=snapshot.rows,
            sent=people,
            accepted=people,
            confirmed=people if verified else 0,
            verified=verified,
            pushed_at=began,
            confirmed_at=self.clock() if can_read(self.exporter.capabilities) else None,
        )
        facts.outcomes.update({each.value: count for each, count in outcomes.items()})
        receipt = self._append(*self._told(people, snapshot.digest), self._receipt(snapshot.digest, facts))
        result = self._result(facts)
        return replace(
            result,
            place=snapshot.place,
            artefact=snapshot.digest,
            unrepresented=(*result.unrepresented, *snapshot.unrepresented),
            receipt=receipt,
        )

    def parts(self) -> ExportResult:
        """Tell those whom the destination lacks, newest first, one receipt a part."""
        honoured = self._honoured()
        done = {} if self.change else receipts.parts_done(self.ledger, self.exporter.name)
        jobs = Jobs.kept(self.state, self.ledger.origin, self.exporter.name, self.change_id)
        teller = Teller(self.exporter, self.position, jobs, self.wait)
        facts, digest, unfinished = Facts(), hashlib.sha256(), []
        with closing(self.whom.lacking(honoured)) as lacking:
            for part in lacking.parts(max(PART, self.exporter.capabilities.max_batch or 1)):
                artefact = _digest(part)
                digest.update(artefact.encode())
                receipt = done.get(artefact)
                if receipt is not None and receipt.count == len(part):
                    facts.add(_told_before(part, receipt))
                else:
                    facts.add(self._tell(teller, part, artefact))
                if artefact in jobs.pushes:
                    unfinished.append(artefact)
                self.progress(facts.count, len(lacking))
        number = self._append(*self._changed(), self._receipt(digest.hexdigest(), facts))
        jobs.only(unfinished)
        result = replace(
            self._result(facts),
            released=self._released(honoured),
            artefact=digest.hexdigest(),
            receipt=number,
        )
        return result if not facts.missed else replace(result, failure=self._failure(facts))

    # --- Telling -----------------------------------------------------------------------------------------

    def _tell(self, teller: Teller, part: list[Listed], artefact: str) -> Facts:
        # The disclosure first: should this process end, part of the people may have been told all the same.
        self._append(*self._told(len(part), artefact))
        began = self.clock()
        tally, shown = teller.told(artefact, part)
        outcomes = tally.close()
        missed = [each for each in part if each.suppression.seq in shown.missed]
        facts = Facts(
            count=len(part),
            addresses=tally.addresses,
            sent=len(part),
            accepted=len(part) - len(tally.missed()),
            confirmed=shown.confirmed,
            missed=len(missed),
            pending=outcomes.get(Outcome.PENDING, 0),
            verified=shown.verified,
            pushed_at=began,
            confirmed_at=self.clock() if can_read(self.exporter.capabilities) else None,
        )
        facts.outcomes.update({each.value: count for each, count in outcomes.items()})
        facts.failed, facts.beside = self.whom.requests_of(each.subject for each in missed)
        # Watermark and exceptions stay as they were until the last part is done: what they say stays true.
        before = receipts.honoured(self.ledger, self.exporter.name)
        if before is None:
            before = receipts.Exceptions(0).receipt(self.exporter.name, artefact, 0, verified=shown.verified)
        count = len(part) - len(missed)
        receipt = replace(before, artefact=artefact, count=count, verified=shown.verified, lost=None)
        self._append(Event(_new_id(), facts.written(receipt)))
        return facts

    def _shows_all(self, spelled: Spelled, people: int) -> bool:
        """Whether a list that was handed over as a whole reads back as a whole.

        Raises:
            DestinationFailed: It can be read and lacks somebody.
        """
        if not can_read(self.exporter.capabilities):
            return not people
        if all(state in STOPPED for _, state in states(self.exporter, spelled)):
            return True
        raise DestinationFailed(
            f"{self.exporter.name!r} took {people:,} people and does not show all of them "
            "when it is read back; nothing of this is recorded as done"
        )

    def _failure(self, facts: Facts) -> DestinationFailed:
        works = f", of {facts.pending:,} of whom it still works on them" if facts.pending else ""
        return DestinationFailed(
            f"{self.exporter.name!r} does not hold everyone: {facts.missed:,} of {facts.count:,} people may "
            f"still be mailed there{works}; the receipt lists their requests",
            remedy="run the same command again; it tells them first",
        )

    # --- Whom --------------------------------------------------------------------------------------------

    def _is_snapshot(self) -> bool:
        return self.exporter.capabilities.unit is Unit.SNAPSHOT

    def _honoured(self) -> Honoured | None:
        """The last receipt, if it is of these settings."""
        return None if self.change else receipts.honoured(self.ledger, self.exporter.name)

    def _released(self, honoured: Honoured | None) -> int:
        return 0 if self._is_snapshot() else self.whom.released(honoured)

    def _forecast(self, forecast: Forecast, people: Iterable[Listed]) -> None:
        entries = forecast.handing(as_entries(people, self.exporter.name))
        forecast.take(asked(self.exporter, self.exporter.plan(entries)))

    def _kept(self, entries: Iterable[Suppressed], spelled: Spelled) -> Iterator[Suppressed]:
        """As they are, remembered on the disk for reading back."""
        for number, entry in enumerate(entries, start=1):
            spelled.append(entry.address)
            if number % PART == 0:
                self.progress(number, None)
            yield entry

    # --- Saying so ---------------------------------------------------------------------------------------

    def _changed(self) -> Iterator[Event]:
        """That the destination is new or has other settings, once."""
        if self.change is not None:
            yield Event(self.change_id, self.change)
            self.change = None

    def _told(self, count: int, artefact: str) -> Iterator[Event]:
        """That these people leave for the recipient."""
        yield from self._changed()
        form, terms = self.exporter.capabilities.key_form, self.terms
        yield Event(
            _new_id(),
            Disclosed(
                self.exporter.name, terms.recipient, terms.purpose, form, count, artefact, basis=terms.basis
            ),
        )

    def _receipt(self, artefact: str, facts: Facts) -> Event:
        upto = self.position.size - 1
        erased = {seq for seq in self.erased if seq <= upto}
        exceptions = receipts.fitting(upto, facts.failed, facts.beside, erased)
        held = facts.count - facts.missed
        receipt = exceptions.receipt(self.exporter.name, artefact, held, verified=facts.verified)
        return Event(_new_id(), replace(facts.written(receipt), lost=self.losses.counts or None))

    def _append(self, *events: Event) -> int:
        """The number of the last entry."""
        return self.ledger.append(events, actor=self.terms.actor)[-1].seq

    def _result(self, facts: Facts) -> ExportResult:
        return ExportResult(
            destination=self.exporter.name,
            platform=self.settings.platform,
            unit=self.exporter.capabilities.unit,
            dry_run=False,
            position=self.position,
            count=facts.count,
            outcomes=dict(sorted(facts.outcomes.items())),
            addresses=facts.addresses,
            sent=facts.sent,
            accepted=facts.accepted,
            confirmed=facts.confirmed,
            verified=facts.verified,
            pending=facts.pending,
            pushed_at=facts.pushed_at,
            confirmed_at=facts.confirmed_at,
            failed=tuple(sorted(self.erased.union(facts.failed))),
            unrepresented=tuple(self.losses.words()),
            lost=self.losses.counts,
            upto=self.position.size - 1,
        )


def _told_before(part: list[Listed], receipt: Honoured) -> Facts:
    """A part that a run which did not end has told: it stands in its receipt."""
    people = len(part)
    facts = Facts(
        count=people,
        addresses=sum(len(each.addresses) for each in part),
        sent=people if receipt.sent is None else receipt.sent,
        accepted=people if receipt.accepted is None else receipt.accepted,
        confirmed=people * receipt.verified if receipt.confirmed is None else receipt.confirmed,
        verified=receipt.verified,
        pushed_at=receipt.pushed_at,
        confirmed_at=receipt.confirmed_at,
    )
    facts.outcomes[Outcome.ALREADY.value] = people
    return facts


def _digest(people: Iterable[Listed]) -> str:
    """Who was told, as of which request of theirs (an opt-out after a consent is another one) and of which
    entry that brought a new spelling.

    People by their random ids: a receipt is forever, and a digest of the only address in a part could be
    guessed even after that address was erased.
    """
    digest = hashlib.sha256()
    for each in people:
        digest.update(f"{each.subject}\0{timestamp(each.suppression.latest)}\0{each.heard}\n".encode())
    return digest.hexdigest()


def _new_id() -> str:
    # A run is an event of its own, so its entries' ids are random, not derived.
    return uuid.uuid4().hex


def waited(until: datetime) -> None:
    """Sleep until then, but never long: a destination that names next year does not hang the run."""
    time.sleep(min(max((until - datetime.now(UTC)).total_seconds(), 0.1), 60))
