"""Tell a destination who may not be mailed, read back whether it obeyed, and append the receipt.

Rules kept here:

* Personal data leaves only for a compliance purpose and with an entry that says to whom, why, how many, and
  the digest of what left (15 U.S.C. 7704(a)(4)(A)(iv) forbids releasing the address for anything else).
* What a destination accepted is not what it did: `verified` is said only after reading back.
* The receipt is appended last, when the destination has the list. A run that is killed before it repeats
  harmlessly; a receipt for something that did not happen cannot be.
* A person is told under every spelling that is on record, because a destination may hold any of them as a
  contact of its own. One spelling that is not taken, or does not read back, is a failure of the person.
* Answers that do not account for everyone are refused as a whole (`suppress.plugin.tally`).
* `upto` is the head's position *before* the list was read, so that a request that arrived meanwhile is told
  again rather than taken as told.

A snapshot (a file) gets everyone each time. Anything else gets whom it lacks, newest first, in parts: each
part that is done leaves its receipt, and a run that was killed goes on after it. What the ledger says about
earlier runs is read in `receipts`.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby, zip_longest
from operator import attrgetter
from typing import TypeVar

from suppress.config import DestinationSettings
from suppress.core.canonical import timestamp
from suppress.core.entry import DestinationChanged, Disclosed, OptOutRecorded, SubjectAdded
from suppress.core.spelling import comparable
from suppress.core.suppression import EVERYTHING, Scope
from suppress.errors import BadUsage, DestinationFailed, SuppressError
from suppress.export import receipts
from suppress.export.losses import losses
from suppress.ledger import Event, Head, Ledger, Listed
from suppress.plugin.contract import (
    Delivery,
    Exporter,
    LedgerPosition,
    Outcome,
    Remote,
    Suppressed,
    Unit,
)
from suppress.plugin.errors import ContractBroken
from suppress.plugin.tally import Tally

PURPOSES: Mapping[str, str] = {
    "suppression compliance": "the recipient stops mailing these people",
    "compliance audit": "an auditor examines whether requests were honoured",
    "regulator request": "an authority asked for the list",
    "court order": "a court asked for the list",
}
"""The only purposes that the list may leave for."""

PART = 1_000
"""People told between two receipts, where a destination does not take whole lists."""
PATIENCE = 120
"""How often a job is asked for before its people count as not told; the next run tells them again."""

_T = TypeVar("_T")
Progress = Callable[[int, int | None], None]
Wait = Callable[[datetime], None]


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What became of one export. `failure` is set when some people may still be mailed there."""

    destination: str
    platform: str
    unit: Unit
    dry_run: bool
    position: LedgerPosition
    count: int
    """People handed to the destination."""
    outcomes: Mapping[str, int]
    """How many people had which outcome; in a dry run, how many would have which intent."""
    addresses: int = 0
    """Spellings of these people, of which each was handed over."""
    verified: bool = False
    failed: tuple[int, ...] = ()
    """The entries that the destination does not hold, as the receipt lists them."""
    place: str | None = None
    artefact: str | None = None
    unrepresented: tuple[str, ...] = ()
    upto: int | None = None
    receipt: int | None = None
    """The entry that records all this; None in a dry run."""
    failure: SuppressError | None = None


def export(
    ledger: Ledger,
    exporter: Exporter,
    settings: DestinationSettings,
    *,
    purpose: str,
    recipient: str,
    actor: str,
    dry_run: bool = False,
    progress: Progress = lambda _done, _total: None,
    wait: Wait | None = None,
) -> ExportResult:
    """Tell one destination; `wait` is called with the time at which a job wants to be asked again.

    Raises:
        BadUsage: A purpose that is none of `PURPOSES`, or a recipient that is a person's address.
        DestinationFailed: It failed as a whole, or its answers do not add up. Nothing is recorded as done.
    """
    _require_compliance(purpose, recipient)
    # What a receiver is shown is kept, so that it can be compared with what the receiver has.
    head = ledger.head() if dry_run else ledger.keep_checkpoint()
    run = _Run(ledger, exporter, settings, purpose, recipient, actor, progress, wait or _wait, head)
    if dry_run:
        return run.planned()
    if exporter.capabilities.unit is Unit.SNAPSHOT:
        return run.snapshot()
    return run.parts()


def _require_compliance(purpose: str, recipient: str) -> None:
    if purpose not in PURPOSES:
        raise BadUsage(
            f"{purpose!r} is no purpose that these addresses may leave for; the law admits only compliance",
            remedy=f"--purpose with one of: {', '.join(PURPOSES)}",
        )
    if "@" in recipient or not recipient.strip() or not recipient.isprintable():
        # The recipient is written into the ledger for good, where nothing personal may be.
        raise BadUsage("a recipient is an organisation or system, not a person's address")


@dataclass(slots=True)
class _Told:
    """What a whole run has reached so far, over all its parts."""

    outcomes: Counter[str] = field(default_factory=Counter)
    failed: set[int] = field(default_factory=set)
    """Every request of people who may still be mailed there."""
    beside: set[int] = field(default_factory=set)
    """The entries that added these people."""
    verified: bool = True
    count: int = 0
    addresses: int = 0
    missed: int = 0


@dataclass(slots=True)
class _Run:
    """One export to one destination."""

    ledger: Ledger
    exporter: Exporter
    settings: DestinationSettings
    purpose: str
    recipient: str
    actor: str
    progress: Progress
    wait: Wait
    head: Head
    position: LedgerPosition = field(init=False)
    erased: frozenset[int] = field(init=False)
    """Opt-outs that the destination does not hold and that, the address being gone, nobody can be told."""
    change: DestinationChanged | None = field(init=False)
    change_id: str = field(init=False)
    twins: dict[str, str] = field(default_factory=dict)
    """Subject → another subject with the same address, who stands for both."""

    def __post_init__(self) -> None:
        erased = receipts.erased(self.ledger)
        for each in self._everyone() if erased else ():
            # Who opted out again after the erasure can be told.
            erased.pop(each.subject, None)
        self.position = LedgerPosition(
            self.head.size, self.head.root.hex(), self.head.note, erased=len(erased)
        )
        self.change, self.change_id = receipts.change(
            self.ledger, self.settings, self.exporter.capabilities.secrets
        )
        self.erased = frozenset(seq for seqs in erased.values() for seq in seqs)
        if self.erased and not self._is_snapshot() and self.change is None:
            # Who was told before the erasure is still suppressed there; a file has only whom it names.
            self.erased -= receipts.held(self.ledger, self.exporter.name, self.erased)

    # --- The three ways of a run -----------------------------------------------------------------------

    def planned(self) -> ExportResult:
        """Ask the exporter what it would do; writes nothing, here or there."""
        people = self._everyone() if self._is_snapshot() else self._lacking()
        tally = Tally(self.exporter.name, self.exporter.capabilities.unit)
        intents = tally.forecast(self._asked(self.exporter.plan(tally.handing(self._as_entries(people)))))
        outcomes = {intent.value: count for intent, count in intents.items()}
        return self._result(tally.people, outcomes, addresses=len(tally.handed), dry_run=True)

    def snapshot(self) -> ExportResult:
        """Hand over everyone, sorted; one file, one receipt."""
        tally = Tally(self.exporter.name, Unit.SNAPSHOT)
        entries = tally.handing(self._counted(self._as_entries(self._everyone())))
        tally.take(self._asked(self.exporter.push(entries, self.position)))
        outcomes = tally.close()
        missed, verified = self._read_back(tally)
        if missed or (self._can_read() and not verified):
            raise DestinationFailed(
                f"{self.exporter.name!r} took {tally.people:,} people and does not show all of them "
                "when it is read back; nothing of this is recorded as done"
            )
        snapshot = tally.snapshot
        assert snapshot is not None
        receipt = self._append(
            *self._told(tally.people, snapshot.digest),
            self._receipt(snapshot.digest, tally.people, verified=verified, upto=self.position.size - 1),
        )
        counts = {each.value: count for each, count in outcomes.items()}
        result = self._result(tally.people, counts, addresses=snapshot.rows)
        return replace(
            result,
            verified=verified,
            place=snapshot.place,
            artefact=snapshot.digest,
            unrepresented=(*result.unrepresented, *snapshot.unrepresented),
            receipt=receipt,
        )

    def parts(self) -> ExportResult:
        """Tell those whom the destination lacks, newest first, one receipt a part."""
        done = {} if self.change else receipts.parts_done(self.ledger, self.exporter.name)
        lacking = self._lacking()
        told = _Told()
        digest = hashlib.sha256()
        for part in _parts(lacking, max(PART, self.exporter.capabilities.max_batch or 1)):
            artefact = _digest(part)
            digest.update(artefact.encode())
            receipt = done.get(artefact)
            if receipt is not None and receipt.count == len(part):
                told.verified &= receipt.verified
                told.outcomes[Outcome.ALREADY.value] += len(part)
            else:
                self._tell(part, artefact, told)
            told.count += len(part)
            told.addresses += sum(len(each.addresses) for each in part)
            self.progress(told.count, len(lacking))
        whole = self._receipt(
            digest.hexdigest(),
            told.count - told.missed,
            failed=told.failed,
            beside=told.beside,
            verified=told.verified,
            upto=self.position.size - 1,
        )
        number = self._append(*self._changed(), whole)
        result = replace(
            self._result(told.count, told.outcomes, addresses=told.addresses, failed=told.failed),
            verified=told.verified,
            artefact=digest.hexdigest(),
            receipt=number,
        )
        if not told.missed:
            return result
        failure = DestinationFailed(
            f"{self.exporter.name!r} does not hold everyone: {told.missed:,} of {told.count:,} people may "
            "still be mailed there; the receipt lists their requests",
            remedy="run the same command again; it tells them first",
        )
        return replace(result, failure=failure)

    # --- Telling -----------------------------------------------------------------------------------------

    def _tell(self, part: Sequence[Listed], artefact: str, told: _Told) -> None:
        # The disclosure first: should this process end, part of the people may have been told all the same.
        self._append(*self._told(len(part), artefact))
        tally = Tally(self.exporter.name, self.exporter.capabilities.unit)
        entries = tally.handing(self._as_entries(part))
        tally.take(self._asked(self.exporter.push(entries, self.position)))
        self._poll(tally)
        for outcome, count in tally.close().items():
            told.outcomes[outcome.value] += count
        missed, verified = self._read_back(tally)
        self._add_requests_of([each for each in part if each.suppression.seq in missed], told)
        told.missed += len(missed)
        told.verified &= verified
        # Watermark and exceptions stay as they were until the last part is done: what they say stays true.
        before = receipts.honoured(self.ledger, self.exporter.name)
        if before is None:
            before = receipts.Exceptions(0).receipt(self.exporter.name, artefact, 0, verified=verified)
        count = len(part) - len(missed)
        self._append(Event(_new_id(), replace(before, artefact=artefact, count=count, verified=verified)))

    def _poll(self, tally: Tally) -> None:
        for _ in range(PATIENCE):
            if not tally.jobs:
                return
            jobs, tally.jobs = tally.jobs, []
            self.wait(min(job.next_poll for job in jobs))
            tally.take(self._asked(answer for job in jobs for answer in self.exporter.poll(job)))

    def _read_back(self, tally: Tally) -> tuple[frozenset[int], bool]:
        """The people whom the destination does not hold, and whether reading back showed all the others."""
        missed = tally.missed()
        can = self.exporter.capabilities
        reached = [address for address, person in tally.handed.items() if person not in missed]
        if not self._can_read():
            return missed, not reached
        fine, mailable = 0, set()
        for address, seen in zip_longest(reached, self._asked(self.exporter.read_back(reached))):
            if seen is None or seen.address != address:
                raise ContractBroken(f"{self.exporter.name!r} read back others than it was asked for")
            match seen.state:
                case Remote.SUPPRESSED | Remote.NOT_MAILABLE:
                    fine += 1
                case Remote.UNKNOWN if tally.outcomes.get(address) is Outcome.SKIPPED_UNKNOWN:
                    fine += 1
                case Remote.MAILABLE | Remote.UNKNOWN if can.delivery is not Delivery.EVENTUAL:
                    mailable.add(tally.handed[address])
                case _:
                    # It cannot be told, or it said that it will take a while: a patrol looks later.
                    pass
        return missed | mailable, fine == len(reached)

    def _asked(self, answers: Iterable[_T]) -> Iterator[_T]:
        """A plugin's answers; however it breaks, it is the destination that failed.

        Only the kind of an unknown error is said: a plugin's words may hold a token or an address.
        """
        try:
            yield from answers
        except SuppressError:
            raise
        except Exception as broken:
            raise DestinationFailed(
                f"the plugin of {self.exporter.name!r} broke: {type(broken).__name__}; "
                "nothing after its last receipt is recorded as done",
                remedy="report it to the author of the plugin: suppress plugins",
            ) from broken

    def _can_read(self) -> bool:
        return self.exporter.capabilities.can_read_one or self.exporter.capabilities.can_read_many

    # --- Whom --------------------------------------------------------------------------------------------

    def _is_snapshot(self) -> bool:
        return self.exporter.capabilities.unit is Unit.SNAPSHOT

    def _everyone(self) -> Iterator[Listed]:
        target = EVERYTHING if self.settings.sender is None else Scope(self.settings.sender)
        for _, same in groupby(self.ledger.suppressed(target=target), key=attrgetter("key")):
            first, *others = same
            yield self._together(first, others) if others else first

    def _together(self, first: Listed, others: Iterable[Listed]) -> Listed:
        """After a change of the index key one address may belong to two subjects."""
        spellings = {comparable(each): each for each in first.addresses}
        heard = first.heard
        for other in others:
            self.twins[other.subject] = first.subject
            heard = max(heard, other.heard)
            for each in other.addresses:
                spellings.setdefault(comparable(each), each)
        return replace(first, addresses=tuple(spellings.values()), heard=heard)

    def _lacking(self) -> list[Listed]:
        """Whom the last receipt does not cover, oldest first: all of them if it is of other settings.

        A spelling that came up since is no news of the person, and news to the destination.
        """
        everyone = list(self._everyone())
        honoured = None if self.change else receipts.honoured(self.ledger, self.exporter.name)
        if honoured is not None:
            news = receipts.subjects(self.ledger.entries(honoured.upto + 1, self.position.size))
            for first, last in receipts.runs(honoured):
                news |= receipts.subjects(self.ledger.entries(first, last + 1))
            news |= {self.twins[subject] for subject in news & self.twins.keys()}
            everyone = [each for each in everyone if each.subject in news or each.heard > honoured.upto]
        return sorted(everyone, key=lambda each: (each.suppression.latest, each.key))

    def _as_entries(self, people: Iterable[Listed]) -> Iterator[Suppressed]:
        for each in people:
            for number, address in enumerate(each.addresses):
                yield Suppressed(
                    seq=each.suppression.seq,
                    key=each.key,
                    address=address,
                    scope=each.suppression.scope,
                    reason=each.suppression.reason,
                    occurred_at=each.suppression.since,
                    source=each.suppression.source,
                    idempotency_key=f"{each.suppression.seq}.{number}:{self.exporter.name}",
                )

    def _counted(self, entries: Iterable[Suppressed]) -> Iterator[Suppressed]:
        for number, entry in enumerate(entries, start=1):
            if number % PART == 0:
                self.progress(number, None)
            yield entry

    def _add_requests_of(self, people: Iterable[Listed], told: _Told) -> None:
        """Every request of these people, not only the one that stands: none of them is honoured."""
        subjects = {each.subject for each in people}
        subjects |= {twin for twin, first in self.twins.items() if first in subjects}
        for entry in self.ledger.about_people(subjects):
            if entry.seq < self.position.size and isinstance(entry.body, (OptOutRecorded, SubjectAdded)):
                named = told.failed if isinstance(entry.body, OptOutRecorded) else told.beside
                named.add(entry.seq)

    # --- Saying so ---------------------------------------------------------------------------------------

    def _changed(self) -> Iterator[Event]:
        """That the destination is new or has other settings, once."""
        if self.change is not None:
            yield Event(self.change_id, self.change)
            self.change = None

    def _told(self, count: int, artefact: str) -> Iterator[Event]:
        """That these people leave for the recipient."""
        yield from self._changed()
        form = self.exporter.capabilities.key_form
        disclosed = Disclosed(self.exporter.name, self.recipient, self.purpose, form, count, artefact)
        yield Event(_new_id(), disclosed)

    def _receipt(
        self,
        artefact: str,
        count: int,
        *,
        verified: bool,
        upto: int,
        failed: Iterable[int] = (),
        beside: Iterable[int] = (),
    ) -> Event:
        erased = {seq for seq in self.erased if seq <= upto}
        exceptions = receipts.fitting(upto, failed, beside, erased)
        return Event(_new_id(), exceptions.receipt(self.exporter.name, artefact, count, verified=verified))

    def _append(self, *events: Event) -> int:
        """The number of the last entry."""
        return self.ledger.append(events, actor=self.actor)[-1].seq

    def _result(
        self,
        count: int,
        outcomes: Mapping[str, int],
        *,
        addresses: int,
        failed: Iterable[int] = (),
        dry_run: bool = False,
    ) -> ExportResult:
        return ExportResult(
            destination=self.exporter.name,
            platform=self.settings.platform,
            unit=self.exporter.capabilities.unit,
            dry_run=dry_run,
            position=self.position,
            unrepresented=tuple(losses(self.ledger.rules())),
            count=count,
            outcomes=dict(sorted(outcomes.items())),
            addresses=addresses,
            failed=tuple(sorted(self.erased.union(failed))),
            upto=None if dry_run else self.position.size - 1,
        )


def _parts(people: Sequence[Listed], size: int) -> Iterator[Sequence[Listed]]:
    """Newest part first, newest person first in each.

    Parts are cut from the oldest end, so that people who join later leave the older parts as they were: a run
    that was killed finds them done.
    """
    starts = range(0, len(people), size)
    for start in reversed(starts):
        yield people[start : start + size][::-1]


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


def _wait(until: datetime) -> None:
    time.sleep(min(max((until - datetime.now(UTC)).total_seconds(), 0.1), 60))
