"""Read destinations back: who became mailable again, since when, and which opt-outs only they know.

Rules kept here:

* A patrol only reads there. What it finds is recorded here: drift as entries of its own, people who are
  mailable as exceptions of the destination's receipt, so that the next export tells them first.
* Whoever is on the destination's own list is held. Everybody else is asked for one by one.
* It may be killed at any point and repeated: the same drift is recorded once.
* One destination's failure does not stop the others; what was read until then is recorded as incomplete.

What is seen is judged in `judging`; the destination's own list is read in `sweeping`.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from pathlib import Path

from suppress.config import DestinationSettings
from suppress.core.address import Address
from suppress.core.batches import batched
from suppress.core.entry import DriftFound, Honoured, OptOutRecorded, PatrolDone
from suppress.core.members import Members
from suppress.core.spans import spans
from suppress.core.spelling import comparable
from suppress.core.standing import Standing
from suppress.core.suppression import EVERYTHING, Drift, Scope
from suppress.errors import DestinationFailed, SignInNeeded, SuppressError
from suppress.export import receipts
from suppress.export.answering import asked, can_read
from suppress.export.jobs import Jobs, identity
from suppress.export.losses import Losses
from suppress.export.whom import Whom
from suppress.ledger import Event, Ledger, Listed
from suppress.ledger.sightings import Sighting, Sightings
from suppress.patrol.judging import DRIFT, Finding, Judged, Told, judged, recorded
from suppress.patrol.sweeping import Sweep, proof
from suppress.plugin.contract import Delivery, Exporter, Observation, Remote, Unit
from suppress.plugin.errors import ContractBroken, RecordRejected

SETTLING = timedelta(hours=24)
"""How long a destination that takes its time may take: ad platforms say up to a day."""
PEOPLE = 500
"""People, or spellings of its own list, that are read between two looks at the progress."""
_HELD = frozenset({Finding.HELD, Finding.WEAKENED})
_UNKNOWN = frozenset({Finding.UNKNOWN, Finding.GONE})

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Strayed:
    """One suppressed person who is mailable at a destination, or held there for a weaker reason."""

    subject: str
    finding: Finding
    seq: int | None
    """The entry that records it. None in a dry run, and for a weaker reason, which is no drift."""
    since: datetime | None
    by: str | None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class PatrolResult:
    """What one destination shows. `failure` is set when it was not read to the end."""

    destination: str
    platform: str
    complete: bool = False
    readable: bool = True
    """False for a destination that shows nothing: nothing was read."""
    findings: Counter[Finding] = field(default_factory=Counter)
    """How many suppressed people were found how."""
    drift: tuple[Strayed, ...] = ()
    weakened: tuple[Strayed, ...] = ()
    swept: int = 0
    learned: int = 0
    released: int = 0
    bounced: int = 0
    expires: str | None = None
    """When the destination drops suppressions by itself."""
    receipt: int | None = None
    """The entry that says what it holds now, where that has changed."""
    failure: SuppressError | None = None

    @property
    def asked(self) -> int:
        """Suppressed people who were looked for."""
        return self.findings.total()


def patrol(
    ledger: Ledger,
    exporter: Exporter,
    settings: DestinationSettings,
    *,
    state: Path,
    now: datetime,
    actor: str,
    dry_run: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> PatrolResult:
    """Read one destination; a failure of its own is in the result.

    Raises:
        SuppressError: The ledger or the folder of state cannot be read or written.
    """
    can = exporter.capabilities
    if not can_read(can) and not can.can_list_all:
        return PatrolResult(exporter.name, settings.platform, readable=False, expires=can.entries_expire)
    with Sightings.of_destination(state, exporter.name) as sightings:
        return _Patrol(ledger, exporter, settings, sightings, state, now, actor, dry_run, progress).result()


@dataclass(slots=True)
class _Patrol:
    """One pass over one destination."""

    ledger: Ledger
    exporter: Exporter
    settings: DestinationSettings
    sightings: Sightings
    state: Path
    now: datetime
    actor: str
    dry_run: bool
    progress: Progress
    target: Scope = field(init=False)
    whom: Whom = field(init=False)
    honoured: Honoured | None = field(init=False)
    settling: bool = field(init=False)
    drifted: dict[str, tuple[int, Finding]] = field(init=False)
    """Subject → entry and what it says, of the drift that the last patrol still found."""
    waiting: frozenset[str] = field(init=False)
    """Who waits for a job that an export began, by `export.jobs.identity`."""
    listed: int = 0
    """Spellings that its own list has shown so far."""
    findings: Counter[Finding] = field(default_factory=Counter)
    drift: list[Strayed] = field(default_factory=list)
    weakened: list[Strayed] = field(default_factory=list)
    excepted: list[str] = field(default_factory=list)
    """Subjects of people whom a receipt covers and who are mailable all the same."""

    def __post_init__(self) -> None:
        self.target = EVERYTHING if self.settings.sender is None else Scope(self.settings.sender)
        losses = Losses(self.exporter.capabilities, self.target, self.ledger.rules())
        name = self.exporter.name
        self.whom = Whom(self.ledger, name, self.target, self.ledger.head().size, losses)
        change, change_id = receipts.change(self.ledger, self.settings, self.exporter.capabilities.secrets)
        jobs = Jobs.kept(self.state, self.ledger.origin, name, change_id)
        self.waiting = frozenset(person for push in jobs.pushes.values() for person in push.people)
        receipt = None if change else next(self.ledger.about(Honoured.type, name), None)
        self.honoured = None if change else receipts.honoured(self.ledger, name)
        self.settling = (
            self.exporter.capabilities.delivery is not Delivery.SYNC
            and receipt is not None
            and self.now - receipt.at < SETTLING
        )
        self.drifted = dict(self._drifted())

    def result(self) -> PatrolResult:
        can = self.exporter.capabilities
        sweep = Sweep(
            self.ledger, self.exporter, self.sightings, self.target, self.actor, self.dry_run, self._weaker
        )
        failure: SuppressError | None = None
        try:
            held = Members(self._watched(sweep.spellings()) if can.can_list_all else ())
            self._read(held)
        except (DestinationFailed, SignInNeeded) as failed:
            failure = failed
        receipt = None if self.dry_run else self._recorded(sweep, complete=failure is None)
        return PatrolResult(
            destination=self.exporter.name,
            platform=self.settings.platform,
            complete=failure is None,
            findings=self.findings,
            drift=tuple(self.drift),
            weakened=tuple(self.weakened),
            swept=sweep.swept,
            learned=sweep.learned,
            released=sweep.released,
            bounced=sweep.bounced,
            expires=can.entries_expire,
            receipt=receipt,
            failure=failure,
        )

    # --- Reading -----------------------------------------------------------------------------------------

    def _watched(self, spellings: Iterator[str]) -> Iterator[str]:
        """A long list is read for minutes before anybody is judged."""
        for self.listed, each in enumerate(spellings, start=1):
            if self.listed % PEOPLE == 0:
                self.progress(self.listed, None)
            yield each

    def _read(self, held: Members) -> None:
        untold = Members(self.whom.news(self.honoured) if self.honoured is not None else ())
        for people in batched(self.whom.listed(), PEOPLE):
            others = [each for each in people if not all(comparable(one) in held for one in each.addresses)]
            self.findings[Finding.HELD] += len(people) - len(others)
            if others and can_read(self.exporter.capabilities):
                self._judge(others, untold)
            else:
                self.findings[Finding.UNREADABLE] += len(others)
            self.progress(self.listed + self.findings.total(), None)

    def _judge(self, people: Sequence[Listed], untold: Members) -> None:
        before = self.sightings.among(each.subject for each in people)
        seen = self._seen([one for each in people for one in each.addresses])
        sightings: dict[str, Sighting] = {}
        strays: list[tuple[Listed, Judged]] = []
        for each in people:
            shown = list(islice(seen, len(each.addresses)))
            told = self._told(each, untold)
            found = judged(shown, before.get(each.subject), told)
            self.findings[found.finding] += 1
            sightings[each.subject] = found.sighting
            if found.finding in DRIFT:
                strays.append((each, found))
                self.excepted += [each.subject] if told.told else []
            elif found.finding is Finding.WEAKENED:
                self._weaker(Standing(each.subject), found)
        # What is remembered comes last: a patrol that is killed here says the same thing again.
        self._alarm(strays)
        if not self.dry_run:
            self.sightings.keep(sightings)

    def _seen(self, addresses: Sequence[str]) -> Iterator[Observation]:
        shown = asked(self.exporter, self.exporter.read_back(addresses))
        try:
            found = list(islice(shown, len(addresses) + 1))
        except RecordRejected:
            # One address that the destination refuses must not hide the others.
            if len(addresses) == 1:
                return iter([Observation(addresses[0], Remote.UNREADABLE)])
            half = len(addresses) // 2
            return chain(self._seen(addresses[:half]), self._seen(addresses[half:]))
        if [each.address for each in found] != list(addresses):
            raise ContractBroken(f"{self.exporter.name!r} read back others than it was asked for")
        return iter(found)

    def _told(self, each: Listed, untold: Members) -> Told:
        waiting = bool(self.waiting) and identity(each) in self.waiting
        receipt = self.honoured
        if receipt is None:
            return Told(told=False, waiting=waiting)
        covered = each.heard <= receipt.upto and not any(
            subject in untold for subject in (each.subject, *self.whom.twins.get(each.subject, ()))
        )
        drifted = self.drifted.get(each.subject, (0, None))[1]
        return Told(covered, receipt.verified, self.settling, drifted, waiting)

    def _drifted(self) -> Iterator[tuple[str, tuple[int, Finding]]]:
        last = next(self.ledger.about(PatrolDone.type, self.exporter.name), None)
        if last is None or not isinstance(last.body, PatrolDone):
            return
        for first, stop in zip(last.body.drift[::2], last.body.drift[1::2], strict=True):
            for entry in self.ledger.entries(first, stop + 1):
                body = entry.body
                if isinstance(body, DriftFound) and body.patrol and body.source == self.exporter.name:
                    yield body.subject, (entry.seq, recorded(body.observed))

    # --- Saying so ---------------------------------------------------------------------------------------

    def _weaker(self, standing: Standing, found: Judged) -> None:
        assert standing.subject is not None
        self.weakened.append(
            Strayed(standing.subject, found.finding, None, found.since, found.by, found.before)
        )

    def _alarm(self, strays: Sequence[tuple[Listed, Judged]]) -> None:
        fresh = [(each, found) for each, found in strays if each.subject not in self.drifted]
        entries = {subject: seq for subject, (seq, _) in self.drifted.items()}
        if fresh and not self.dry_run:
            told = self.ledger.append([self._drift(*each) for each in fresh], actor=self.actor)
            entries |= {each.subject: one.seq for (each, _), one in zip(fresh, told, strict=True)}
        self.drift += [
            Strayed(each.subject, found.finding, entries.get(each.subject), found.since, found.by)
            for each, found in strays
        ]

    def _drift(self, each: Listed, found: Judged) -> Drift:
        seen = found.observation
        assert seen is not None
        since = "" if found.since is None else found.since.isoformat()
        return Drift(
            address=Address.parse(seen.address),
            source=self.exporter.name,
            observed=found.words,
            since=found.since,
            evidence=proof(seen),
            facts=(self.exporter.name, str(found.finding), since, str(each.suppression.seq)),
            patrol=True,
        )

    def _recorded(self, sweep: Sweep, *, complete: bool) -> int | None:
        """Append what the patrol found; the entry of the receipt that says what the destination holds now."""
        counts = self.findings
        held = sum(counts[each] for each in _HELD)
        unknown = sum(counts[each] for each in _UNKNOWN)
        unreadable = counts[Finding.UNREADABLE]
        done = PatrolDone(
            destination=self.exporter.name,
            platform=self.settings.platform,
            complete=complete,
            asked=counts.total(),
            held=held,
            mailable=counts.total() - held - unknown - unreadable,
            unknown=unknown,
            unreadable=unreadable,
            swept=sweep.swept,
            learned=sweep.learned,
            drift=spans(each.seq for each in self.drift if each.seq is not None),
        )
        events = [Event(uuid.uuid4().hex, done)]
        receipt = self._receipt()
        if receipt is not None:
            events.append(Event(uuid.uuid4().hex, receipt))
        told = self.ledger.append(events, actor=self.actor)
        return None if receipt is None else told[-1].seq

    def _receipt(self) -> Honoured | None:
        """The last receipt without those who strayed; None if nobody did, or if a whole list is written."""
        last = self.honoured
        if last is None or not self.excepted or self.exporter.capabilities.unit is Unit.SNAPSHOT:
            return None
        requests, beside = self.whom.requests_of(self.excepted)
        for first, stop in receipts.runs(last):
            for entry in self.ledger.entries(first, stop + 1):
                (requests if isinstance(entry.body, OptOutRecorded) else beside).add(entry.seq)
        exceptions = receipts.fitting(
            last.upto,
            {seq for seq in requests if seq <= last.upto},
            {seq for seq in beside if seq <= last.upto},
            (),
        )
        count = max(0, last.count - len(self.excepted))
        return exceptions.receipt(self.exporter.name, last.artefact, count, verified=last.verified)


def utc_now() -> datetime:
    """This machine's clock, in UTC."""
    return datetime.now(UTC)
