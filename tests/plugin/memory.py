"""A destination in memory, of any capability, that can be told to misbehave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from suppress.core.address import match_key
from suppress.core.spelling import comparable
from suppress.plugin.contract import (
    Capabilities,
    Delivery,
    Detail,
    Evidence,
    Finding,
    Intent,
    Job,
    LedgerPosition,
    Observation,
    Outcome,
    Planned,
    Pushed,
    Remote,
    Result,
    Severity,
    Snapshot,
    Suppressed,
    Unit,
    Unknowns,
)

BATCH = Capabilities(
    unit=Unit.BATCH,
    delivery=Delivery.SYNC,
    detail=Detail.PER_RECORD,
    creates_unknown=Unknowns.NEVER,
    target="list",
    max_batch=2,
    can_read_many=True,
    can_list_all=True,
)
RECORD = replace(BATCH, unit=Unit.RECORD, max_batch=None)
JOBS = replace(BATCH, delivery=Delivery.JOB)
SNAPSHOT = replace(BATCH, unit=Unit.SNAPSHOT, max_batch=None, detail=Detail.NONE)
WRITE_ONLY = replace(BATCH, can_read_many=False, can_list_all=False)


@dataclass(slots=True)
class Server:
    """What outlives one run: whom the destination suppresses, and what was asked of it."""

    suppressed: dict[str, str] = field(default_factory=dict)
    """Address as it compares → address as sent."""
    jobs: dict[str, list[Suppressed]] = field(default_factory=dict)
    received: list[list[str]] = field(default_factory=list)
    """Addresses of each batch, in the order in which they arrived."""
    positions: list[LedgerPosition] = field(default_factory=list)
    dies_after: int | None = None
    """Batches after which the process ends."""
    rejects: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    """Addresses that it has never seen and does not create."""
    polls_needed: int = 1
    polled: int = 0
    closed: int = 0


class Ended(BaseException):
    """The process ended."""


@dataclass(slots=True)
class Memory:
    """One run's exporter onto a server; `faults` names what is wrong with it."""

    server: Server
    capabilities: Capabilities = BATCH
    faults: frozenset[str] = frozenset()
    name: str = "memory"
    started: list[str] = field(default_factory=list)
    """Tokens of the jobs that this run began."""

    def check(self) -> Iterable[Finding]:
        if "check writes" in self.faults:
            self.server.suppressed["checked"] = "checked"
        if "check is silent" not in self.faults:
            yield Finding("memory", Severity.PASS, "there")

    def plan(self, entries: Iterable[Suppressed]) -> Iterator[Planned]:
        planned = [
            Planned(each.address, Intent.ALREADY if self._holds(each.address) else Intent.SUPPRESS)
            for each in entries
        ]
        if "plan writes" in self.faults:
            self.server.suppressed["planned"] = "planned"
        if "plan forgets" in self.faults:
            planned = planned[1:]
        if "plan is blind" in self.faults:
            planned = [Planned(each.address, Intent.SUPPRESS) for each in planned]
        yield from planned

    def push(self, entries: Iterable[Suppressed], position: LedgerPosition) -> Iterator[Pushed]:
        self.server.positions.append(position)
        if "breaks" in self.faults:
            raise KeyError("the token s3cr3t is missing")
        if "needs the kill" in self.faults:
            entries = _swallowed(entries)
        if self.capabilities.unit is Unit.SNAPSHOT:
            yield from self._replaced(list(entries))
            return
        if "replaces" in self.faults:
            self.server.suppressed.clear()
        rest = iter(entries)
        while batch := list(islice(rest, self.capabilities.max_batch or 1)):
            yield from self._batch(batch)

    def _batch(self, batch: list[Suppressed]) -> Iterator[Pushed]:
        if self.server.dies_after is not None and len(self.server.received) >= self.server.dies_after:
            raise Ended
        self.server.received.append([each.address for each in batch])
        if self.capabilities.delivery is Delivery.JOB:
            token = str(len(self.server.jobs))
            self.server.jobs[token] = batch
            self.started.append(token)
            yield self._job(token)
        else:
            yield from self._applied(batch)

    def _job(self, token: str) -> Job:
        return Job(
            token, "running", datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=self.server.polled)
        )

    def _applied(self, batch: list[Suppressed]) -> Iterator[Result]:
        for each in batch:
            before = self._holds(each.address)
            if each.address in self.server.rejects:
                yield Result(each.address, Outcome.REJECTED_PERMANENT)
                continue
            if each.address in self.server.unknown:
                yield Result(each.address, Outcome.SKIPPED_UNKNOWN)
                continue
            if "accepts and forgets" not in self.faults:
                self.server.suppressed[self._compared(each.address)] = each.address
            if "is silent about one" in self.faults and each is batch[-1]:
                continue
            if "answers twice" in self.faults:
                yield Result(each.address, Outcome.SUPPRESSED)
            address = f"other {each.address}" if "answers for a stranger" in self.faults else each.address
            leak = each.address if "leaks" in self.faults else "members.batch"
            outcome = Outcome.ALREADY if before else Outcome.SUPPRESSED
            yield Result(address, outcome, evidence=Evidence(leak, 200))

    def _replaced(self, entries: list[Suppressed]) -> Iterator[Pushed]:
        self.server.received.append([each.address for each in entries])
        self.server.suppressed = {self._compared(each.address): each.address for each in entries}
        if "accepts and forgets" in self.faults:
            self.server.suppressed.clear()
        rows = len(entries) - ("is silent about one" in self.faults)
        if "ends without a snapshot" not in self.faults:
            yield Snapshot("memory", rows, "00" * 32)
        if "answers twice" in self.faults:
            yield Snapshot("memory", rows, "00" * 32)

    def poll(self, job: Job) -> Iterator[Pushed]:
        if "knows its own jobs only" in self.faults and job.token not in self.started:
            raise KeyError(job.token)
        self.server.polled += 1
        if self.server.polled < self.server.polls_needed or "never ends" in self.faults:
            yield self._job(job.token)
        else:
            yield from self._applied(self.server.jobs.pop(job.token, []))

    def read_back(self, addresses: Sequence[str]) -> Iterator[Observation]:
        addresses = addresses[1:] if "reads back too few" in self.faults else addresses
        for address in addresses[::-1] if "reads back in disorder" in self.faults else addresses:
            if "cannot be read" in self.faults:
                yield Observation(address, Remote.UNREADABLE)
            elif address in self.server.unknown:
                yield Observation(address, Remote.UNKNOWN)
            else:
                yield Observation(address, Remote.SUPPRESSED if self._holds(address) else Remote.MAILABLE)

    def sweep(self, cursor: str | None) -> tuple[tuple[Observation, ...], str | None]:
        if "sweeps for ever" in self.faults:
            return (), "again"
        found = [] if "sweeps nothing" in self.faults else sorted(self.server.suppressed)
        start = int(cursor or 0)
        page = tuple(Observation(key, Remote.SUPPRESSED) for key in found[start : start + 5])
        return page, None if start + 5 >= len(found) else str(start + 5)

    def close(self) -> None:
        self.server.closed += 1
        if "closes once" in self.faults and self.server.closed > 1:
            raise RuntimeError("closed")

    def _holds(self, address: str) -> bool:
        return self._compared(address) in self.server.suppressed

    def _compared(self, address: str) -> str:
        """What a faulty plugin sends and looks for in place of the spelling: the person's key."""
        return comparable(match_key(address) if "sends keys" in self.faults else address)


def _swallowed(entries: Iterable[Suppressed]) -> Iterator[Suppressed]:
    """Goes on with what it has when the process ends, as a plugin with a bare `except` does."""
    try:
        yield from entries
    except BaseException:
        return
