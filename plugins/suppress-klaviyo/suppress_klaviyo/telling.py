"""Suppression jobs: a hundred addresses each, that answer with counts only.

Rules kept here:

* Profiles are read first. Who is suppressed already stays as they are: a complaint or the person's own
  unsubscribe is stronger than `USER_SUPPRESSED`, which is what a job leaves, and which alone others can end.
* An address without a profile would be made one. It is left alone unless the settings say otherwise.
* A job says how many, not who. When it has ended the profiles are read, and only what they show counts; they
  may be behind by minutes, in which the job is still asked for.
* One bad address fails a whole job (400). It is dropped where the answer names it, else the batch is halved.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from suppress.plugin.addresses import flaw
from suppress.plugin.contract import (
    Evidence,
    Intent,
    Job,
    Outcome,
    Planned,
    Pushed,
    Remote,
    Result,
    Suppressed,
)
from suppress.plugin.outage import BEARABLE, Outage
from suppress.plugin.pace import Clock
from suppress_klaviyo import wire
from suppress_klaviyo.client import Client, Refused, evidence
from suppress_klaviyo.reading import Reader, Seen
from suppress_klaviyo.settings import LARGEST_BATCH, Options

JOB = "suppression job"
_DONE = {Remote.SUPPRESSED: Outcome.ALREADY, Remote.NOT_MAILABLE: Outcome.NOT_MAILABLE}


@dataclass(slots=True)
class _Open:
    """A job that was started here, and whom it is about."""

    addresses: list[str]
    until: datetime | None = None
    """How long its effects may take to show, once it has ended."""


class Teller:
    """Tells batches and asks for their jobs. Safe to use from several threads."""

    def __init__(
        self, client: Client, reader: Reader, options: Options, outage: Outage, *, clock: Clock
    ) -> None:
        self._client = client
        self._reader = reader
        self._options = options
        self._outage = outage
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[str, _Open] = {}

    def plan(self, entries: Sequence[Suppressed]) -> list[Planned]:
        """What telling would do, by reading only, in the order of the entries."""
        addresses = [each.address for each in entries]
        seen = self._reader.look(addresses)
        return [self._planned(address, each) for address, each in zip(addresses, seen, strict=True)]

    def _planned(self, address: str, seen: Seen) -> Planned:
        if flaw(address) is not None or seen.refused:
            return Planned(address, Intent.INVALID)
        state = seen.observation.state
        if state in _DONE:
            return Planned(address, Intent.ALREADY, state)
        if state is Remote.UNKNOWN:
            return Planned(
                address, Intent.UNKNOWN_CREATE if self._options.creates else Intent.UNKNOWN_SKIP, state
            )
        return Planned(address, Intent.SUPPRESS, state)

    def tell(self, entries: Sequence[Suppressed]) -> list[Pushed]:
        """Results for those who need no telling, and jobs about the others."""
        answers: list[Pushed] = []
        lacking: list[tuple[str, tuple[str, ...]]] = []
        addresses = [each.address for each in entries]
        for address, seen in zip(addresses, self._reader.look(addresses), strict=True):
            state, proof = seen.observation.state, seen.observation.evidence
            if flaw(address) is not None or seen.refused:
                answers.append(Result(address, Outcome.REJECTED_PERMANENT, evidence=proof))
            elif state in _DONE:
                answers.append(Result(address, _DONE[state], state, state, proof))
            elif state is Remote.UNREADABLE:
                answers.append(Result(address, Outcome.RETRY_LATER, state, evidence=proof))
            elif state is Remote.UNKNOWN and not self._options.creates:
                answers.append(Result(address, Outcome.SKIPPED_UNKNOWN, state, state, proof))
            else:
                # As the account spells it, where it has a profile.
                lacking.append((address, seen.mailed or (address,)))
        for part in _parts(lacking):
            answers += self._started(part)
        return answers

    def poll(self, job: Job) -> Iterator[Pushed]:
        """How a job is doing. One that an earlier run started says nothing of anybody when it has ended."""
        reply = self._client.job(job.token)
        state = None
        if reply is not None:
            try:
                state = wire.job(reply.json)
            except wire.NotAsPromised as wrong:
                raise self._client.broken(str(wrong)) from None
            if state.status in ("queued", "processing"):
                yield self._again(job.token, state.status)
                return
        ended = self._open.get(job.token)
        if ended is not None:
            proof = Evidence(JOB, 404) if reply is None else evidence(JOB, reply, name=job.token)
            yield from self._settled(job.token, ended, state, proof)

    def _settled(
        self, token: str, ended: _Open, state: wire.JobState | None, proof: Evidence
    ) -> Iterator[Pushed]:
        """What the profiles show, now that the job has ended."""
        now = self._clock.utc()
        if ended.until is None:
            ended.until = now + timedelta(seconds=self._options.settle_seconds)
        may_show = state is not None and state.status == "complete" and now < ended.until
        behind = []
        for address, seen in zip(ended.addresses, self._reader.look(ended.addresses), strict=True):
            after = seen.observation.state
            if after in _DONE:
                done = Outcome.SUPPRESSED if after is Remote.SUPPRESSED else Outcome.NOT_MAILABLE
                yield Result(address, done, Remote.MAILABLE, after, proof)
            elif may_show:
                behind.append(address)
            else:
                yield Result(address, Outcome.RETRY_LATER, after=after, evidence=proof)
        ended.addresses = behind
        if behind:
            yield self._again(token, "applying")

    def _again(self, token: str, stage: str) -> Job:
        return Job(token, stage, self._clock.utc() + timedelta(seconds=self._options.poll_seconds))

    def _started(self, people: list[tuple[str, tuple[str, ...]]]) -> list[Pushed]:
        """A job about these, or results for those whom Klaviyo refuses."""
        if not people:
            return []
        spelled = [(address, each) for address, spellings in people for each in spellings]
        try:
            reply = self._client.suppress([each for _, each in spelled])
            state = wire.job(reply.json)
        except Refused as refused:
            self._outage.over()
            return self._without(people, spelled, refused)
        except wire.NotAsPromised as wrong:
            self._outage.bear(self._client.broken(str(wrong)))
        except BEARABLE as failure:
            self._outage.bear(failure)
        else:
            self._outage.over()
            with self._lock:
                self._open[state.id] = _Open([address for address, _ in people])
            return [self._again(state.id, state.status)]
        return [Result(address, Outcome.RETRY_LATER, evidence=Evidence(JOB)) for address, _ in people]

    def _without(
        self,
        people: list[tuple[str, tuple[str, ...]]],
        spelled: Sequence[tuple[str, str]],
        refused: Refused,
    ) -> list[Pushed]:
        """The same without the one that was refused."""
        number = refused.number
        if len(people) == 1:
            return [Result(people[0][0], Outcome.REJECTED_PERMANENT, evidence=Evidence(JOB, 400))]
        if number is not None and number < len(spelled):
            bad = spelled[number][0]
            rest = [each for each in people if each[0] != bad]
            return [
                Result(bad, Outcome.REJECTED_PERMANENT, evidence=Evidence(JOB, 400)),
                *self._started(rest),
            ]
        half = len(people) // 2
        return [*self._started(people[:half]), *self._started(people[half:])]


def _parts(people: Sequence[tuple[str, tuple[str, ...]]]) -> Iterator[list[tuple[str, tuple[str, ...]]]]:
    """So many at a time that a job takes all their spellings; a person is never parted."""
    part: list[tuple[str, tuple[str, ...]]] = []
    count = 0
    for address, spellings in people:
        if part and count + len(spellings) > LARGEST_BATCH:
            yield part
            part, count = [], 0
        part.append((address, spellings[:LARGEST_BATCH]))
        count += len(spellings)
    yield part
