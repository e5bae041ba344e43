"""Carries out the writes: one by one, in list calls, in batches.

Rules kept here:

* A list call is for people whom the audience is known to hold, because it creates whom it does not. Whomever
  it refuses, or does not answer for, is told by name: an address that the vendor now finds odd may belong to
  a contact that it mails.
* A batch is a job: its answers come later, from a file. An answer is matched by its operation's number; an
  operation without one is to be told again.
* One call that fails makes those in it wait for the next run; several in a row end this one.
* Numbers name operations, never anything of the person: batches are kept for days at the vendor. So the
  batch of an earlier run is waited for, and its people are then looked for in the audience.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import TypeVar

from suppress.core.batches import batched
from suppress.errors import DestinationFailed
from suppress.plugin.contract import Evidence, Job, Outcome, Result
from suppress.plugin.errors import Transient
from suppress.plugin.outage import Outage
from suppress.plugin.workers import concurrently
from suppress_mailchimp import wire
from suppress_mailchimp.client import Client
from suppress_mailchimp.judging import Change, Gathering, Todo, judged, refused, seen_after
from suppress_mailchimp.results import Expired
from suppress_mailchimp.settings import Method, Options

_T = TypeVar("_T")
_log = logging.getLogger("suppress.mailchimp")
_AGAIN = 3
"""Addresses of results that may run out, one after another, before the next look is put off."""


@dataclass(slots=True)
class _Running:
    """A batch that is under way, by the numbers of its operations."""

    changes: dict[str, Change]
    gathering: Gathering


class Teller:
    """Writes to one account. `now` is the wall clock."""

    def __init__(self, client: Client, options: Options, now: Callable[[], datetime]) -> None:
        self._client = client
        self._options = options
        self._now = now
        self._running: dict[str, _Running] = {}
        self._outage = Outage()

    def tell(self, changes: Sequence[Change], gathering: Gathering) -> Iterator[Result | Job]:
        """Make these changes, which `gathering` expects, and yield what is known of each address."""
        several = [each for each in changes if each.todo is not Todo.REARCHIVE]
        singly = [each for each in changes if each.todo is Todo.REARCHIVE]
        match self._method(len(several)):
            case Method.BATCHES:
                # A batch only ever patches, so whoever is to be created goes by the list call.
                jobs = [each for each in several if each.todo is Todo.UNSUBSCRIBE]
                for part in batched(jobs, self._options.batch_size):
                    yield self._start(part, gathering)
                several = [each for each in several if each.todo is Todo.CREATE]
                results = self._by_list(several)
            case Method.LIST:
                results = self._by_list(several)
            case _:
                results, singly = iter(()), [*several, *singly]
        for result in itertools.chain(results, self._one_by_one(singly)):
            whole = gathering.take(result)
            if whole is not None:
                yield whole

    def poll(self, job: Job) -> Iterator[Result | Job]:
        """How a batch is doing. One of an earlier run ends without results: whom it was about is not known.

        Raises:
            DestinationFailed: A batch of an earlier run is no longer known at the platform.
        """
        running = self._running.get(job.token)
        if running is not None:
            yield from self._polled(job, running)
            return
        batch, _ = self._client.batch(job.token)
        if batch is None:
            raise DestinationFailed(
                f"destination {self._options.name!r} no longer knows a batch of an earlier run",
                remedy="run the same export again; what the batch did is found done",
            )
        if not batch.finished:
            yield self._again(batch.id, batch.status)

    def _method(self, count: int) -> Method:
        options = self._options
        if options.method is not Method.AUTO:
            return options.method
        if count < options.list_call_from:
            return Method.PATCH
        return Method.LIST if count <= options.batches_from else Method.BATCHES

    # --- One by one --------------------------------------------------------------------------------------

    def _one_by_one(self, changes: Iterable[Change]) -> Iterator[Result]:
        return concurrently(self._one, changes, workers=self._options.connections)

    def _one(self, change: Change) -> Result:
        try:
            if change.todo is Todo.CREATE:
                answered = self._client.create(change.audience, change.hash, change.address)
            else:
                answered = self._client.unsubscribe(change.audience, change.hash)
        except Transient as failed:
            # One member may fail for days; whoever comes after must not wait for that.
            self._outage.bear(failed)
            return Result(change.address, Outcome.RETRY_LATER, change.before)
        self._outage.over()
        result = judged(change, answered.status, answered.body, answered.evidence)
        if change.todo is Todo.REARCHIVE and result.outcome is Outcome.SUPPRESSED:
            # 405 says that the platform will not archive this one: unsubscribed it is all the same.
            self._client.archive(change.audience, change.hash)
        return result

    # --- List calls --------------------------------------------------------------------------------------

    def _by_list(self, changes: Iterable[Change]) -> Iterator[Result]:
        by_audience = sorted(changes, key=lambda each: each.audience)
        parts = (
            part
            for _, same in groupby(by_audience, key=lambda each: each.audience)
            for part in batched(same, self._options.list_call_size)
        )
        left: list[Change] = []
        for results, unanswered in concurrently(self._list_call, parts, workers=self._options.connections):
            yield from results
            left += unanswered
        yield from self._one_by_one(left)

    def _list_call(self, part: Sequence[Change]) -> tuple[list[Result], list[Change]]:
        """What a list call did, and the changes that it did not make."""
        # Two spellings of one member would be a duplicate, of which the platform takes the first.
        spelled = {each.hash: each.address for each in part}
        try:
            answer, evidence = self._client.list_call(part[0].audience, list(spelled.values()))
        except Transient as failed:
            self._outage.bear(failed)
            return [], list(part)
        self._outage.over()
        members = {each.hash: each for each in (*answer.updated, *answer.created)}
        wanted = sum(each.todo is Todo.CREATE for each in part)
        if len(answer.created) > wanted:
            _log.warning(
                "Mailchimp's list call added %d people who were members a moment ago, or were archived; "
                "they are unsubscribed",
                len(answer.created) - wanted,
            )
        results: list[Result] = []
        left: list[Change] = []
        for change in part:
            result = Result(change.address, Outcome.RETRY_LATER, change.before, None, evidence)
            problem = answer.refused.get(spelled[change.hash].strip().lower())
            if problem is not None:
                # Its own status does not count: a list call is a 200 even if nobody was taken.
                result = refused(result, 200, problem)
            result = seen_after(result, members.get(change.hash))
            if result.outcome is Outcome.RETRY_LATER:
                left.append(change)
            else:
                results.append(result)
        return results, left

    # --- Batches -----------------------------------------------------------------------------------------

    def _start(self, changes: Sequence[Change], gathering: Gathering) -> Job:
        numbered = {str(number): each for number, each in enumerate(changes)}
        batch = self._client.start([(name, each.audience, each.hash) for name, each in numbered.items()])
        self._running[batch.id] = _Running(numbered, gathering)
        return self._again(batch.id, batch.status)

    def _again(self, identity: str, stage: str) -> Job:
        return Job(identity, stage, self._now() + timedelta(seconds=self._options.poll_seconds))

    def _polled(self, job: Job, running: _Running) -> Iterator[Result | Job]:
        for _ in range(_AGAIN):
            batch, evidence = self._client.batch(job.token)
            if batch is None:
                yield from self._ended(job, running, {}, evidence)
                return
            if not batch.finished or batch.results is None:
                yield self._again(batch.id, batch.status)
                return
            try:
                answers = self._client.results(batch.results)
            except Expired:
                continue
            found = {each.id: each for each in answers}
            yield from self._ended(job, running, found, replace(evidence, endpoint="results of a batch"))
            return
        yield self._again(job.token, "finished, and its results are not to be had yet")

    def _ended(
        self, job: Job, running: _Running, found: dict[str, wire.OperationAnswer], evidence: Evidence
    ) -> Iterator[Result]:
        del self._running[job.token]
        for name, change in running.changes.items():
            answer = found.get(name)
            if answer is None:
                result = Result(change.address, Outcome.RETRY_LATER, change.before, None, evidence)
            else:
                proof = replace(evidence, status=answer.status, request_id=f"{job.token}/{name}")
                result = judged(change, answer.status, answer.body, proof)
            whole = running.gathering.take(result)
            if whole is not None:
                yield whole
