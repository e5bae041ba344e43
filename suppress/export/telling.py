"""One part of an export: tell these people, wait for what the destination works on, read back.

Where people wait for a job of an earlier run, that is asked for, and only the others are sent. Who is still
without an answer when the jobs have ended is looked for at the destination, and sent again only where it does
not hold them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from suppress.errors import DestinationFailed
from suppress.export.answering import STOPPED, Shown, asked, can_read, read_back, states
from suppress.export.jobs import Answers, Jobs, identity
from suppress.export.whom import as_entries
from suppress.ledger import Listed
from suppress.plugin.contract import Exporter, Job, LedgerPosition, Outcome, Pushed, Result
from suppress.plugin.errors import ContractBroken, RecordRejected
from suppress.plugin.tally import Tally

PATIENCE = 120
"""How often jobs are waited for in one run, before their people count as not told; the next run goes on."""

_LOST = (DestinationFailed, ContractBroken, RecordRejected)
"""What an exporter raises for a job that is no longer there. Its other errors would also meet a new one."""


@dataclass(slots=True)
class Teller:
    """Tells one destination part after part."""

    exporter: Exporter
    position: LedgerPosition
    jobs: Jobs
    wait: Callable[[datetime], None]
    _waits: int = 0
    _earlier: frozenset[str] = field(init=False)
    """Tokens of the jobs that earlier runs left."""
    _recalled: set[str] = field(default_factory=set)
    """Addresses in this part that wait for such a job. What it says of others is about an older request."""
    _overheard: dict[str, Outcome] = field(default_factory=dict)
    """What such a job said of people who are in another part now."""

    def __post_init__(self) -> None:
        self._earlier = frozenset(job.token for push in self.jobs.pushes.values() for job in push.jobs)

    def told(self, name: str, part: Sequence[Listed]) -> tuple[Tally, Shown]:
        """Tell them, newest first, and read back. `name` is what the part is known by in the state folder."""
        carried = self.jobs.of(map(identity, part))
        waiting = [each for each in part if identity(each) in carried]
        fresh = [each for each in part if identity(each) not in carried]
        tally = Tally(self.exporter.name, self.exporter.capabilities.unit)
        self._recalled.clear()
        if waiting:
            self._recall(tally, waiting, carried)
        if fresh:
            entries = tally.handing(as_entries(fresh, self.exporter.name))
            tally.take(self._noted(self.exporter.push(entries, self.position), tally, name, part))
            tally.require_end()
        self._poll(tally)
        if waiting and not tally.jobs:
            self._settle(tally, waiting, name)
            self._poll(tally)
        tally.close()
        self.jobs.keep(name, tally.jobs, _answers(tally, part))
        return tally, read_back(self.exporter, tally)

    def _noted(
        self, answers: Iterable[Pushed], tally: Tally, name: str, part: Sequence[Listed]
    ) -> Iterator[Pushed]:
        """A job is written down before anything else is sent, so that a kill does not lose it."""
        for answer in asked(self.exporter, answers):
            yield answer
            if isinstance(answer, Job):
                self.jobs.keep(name, tally.jobs, _answers(tally, part))

    def _recall(self, tally: Tally, waiting: Sequence[Listed], carried: Mapping[str, Answers]) -> None:
        """Take up where the earlier run ended."""
        for each in waiting:
            entries = as_entries([each], self.exporter.name)
            for entry, said in zip(tally.recalling(entries), carried[identity(each)], strict=True):
                self._recalled.add(entry.address)
                known = said if said is not None else self._overheard.pop(entry.address, None)
                if known is not None:
                    tally.outcomes[entry.address] = known
        for name in self.jobs.about(map(identity, waiting)):
            tally.jobs.extend(job for job in self.jobs.pushes[name].jobs if job not in tally.jobs)

    def _settle(self, tally: Tally, waiting: Sequence[Listed], name: str) -> None:
        """The earlier jobs have ended: look for those of whom nothing was said, and send whom it lacks."""
        silent = [each for each in as_entries(waiting, self.exporter.name) if _open(tally, each.address)]
        if can_read(self.exporter.capabilities):
            for address, state in states(self.exporter, [entry.address for entry in silent]):
                if state in STOPPED:
                    tally.outcomes[address] = Outcome.ALREADY
        again = [entry for entry in silent if _open(tally, entry.address)]
        if again:
            tally.take(self._noted(self.exporter.push(iter(again), self.position), tally, name, waiting))

    def _poll(self, tally: Tally) -> None:
        """Ask for jobs until they are done, patiently; without patience left, once."""
        while tally.jobs:
            jobs, tally.jobs = tally.jobs, []
            if self._waits < PATIENCE:
                self.wait(min(job.next_poll for job in jobs))
            self._waits += 1
            for job in jobs:
                self._ask(tally, job)
            if self._waits >= PATIENCE:
                return

    def _ask(self, tally: Tally, job: Job) -> None:
        answers = asked(self.exporter, self.exporter.poll(job))
        if job.token not in self._earlier:
            tally.take(answers)
            return
        try:
            tally.take(self._mine(answers, tally))
        except DestinationFailed as gone:
            if type(gone) not in _LOST:
                raise

    def _mine(self, answers: Iterable[Pushed], tally: Tally) -> Iterator[Pushed]:
        """An earlier job may be about people of another part, and about such as are told no longer."""
        for answer in answers:
            if not isinstance(answer, Result):
                yield answer
            elif answer.address not in tally.handed:
                self._overheard[answer.address] = answer.outcome
            elif answer.address in self._recalled and _open(tally, answer.address):
                yield answer


def _open(tally: Tally, address: str) -> bool:
    """Whether something is still to be said of it."""
    return address in tally.handed and tally.outcomes.get(address, Outcome.PENDING) is Outcome.PENDING


def _answers(tally: Tally, part: Iterable[Listed]) -> dict[str, Answers]:
    """What was said of those who were handed over, where something is still to be said of one spelling."""
    found: dict[str, Answers] = {}
    for each in part:
        if any(_open(tally, address) for address in each.addresses):
            said = (tally.outcomes.get(address) for address in each.addresses)
            found[identity(each)] = tuple(None if one is Outcome.PENDING else one for one in said)
    return found
