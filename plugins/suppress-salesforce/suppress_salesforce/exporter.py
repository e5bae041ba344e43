"""Opts people out of e-mail in a Salesforce org, by every record that has their address.

Rules kept here:

* Records are looked up first and then updated by their Id: nothing is ever created, upserted or deleted.
* All contacts, leads and person accounts of an address are told. One of them that is refused is a failure of
  the address, and the log names the record, because a person has to mend it.
* Before anything is written, `describe` must show the checkbox as editable: a hidden field makes an org look
  as if nobody in it had an address.
* Writes go one after another. Updates of two contacts of one account at once lock each other out
  (`UNABLE_TO_LOCK_ROW`), and what is locked all the same is tried again a few times.
* A dry run only reads, with GET alone.

Few records are told by composite calls of 200, many by a job of the Bulk API 2.0 (`jobs`).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from suppress.config import DestinationSettings
from suppress.core.batches import batched
from suppress.errors import DestinationFailed
from suppress.plugin.contract import (
    Capabilities,
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
    Suppressed,
)
from suppress.plugin.pace import Clock
from suppress.plugin.transport import Patience
from suppress_salesforce import examination, jobs, settings, wire
from suppress_salesforce.client import Client
from suppress_salesforce.lookup import Lookup
from suppress_salesforce.records import Found, same
from suppress_salesforce.sweeping import swept
from suppress_salesforce.telling import AGAIN, Telling

LOCK_TRIES = 4
"""How often a record is tried whose row another process holds."""


class Salesforce:
    """One org."""

    def __init__(
        self, given: DestinationSettings, *, clock: Clock | None = None, patience: Patience | None = None
    ) -> None:
        self.name = given.name
        self._options = settings.read(given)
        self._client = Client(given.name, self._options, clock=clock, patience=patience)
        self._lookup = Lookup(self._client, self._options)
        self._jobs: dict[str, Telling] = {}
        """Jobs that this run has started."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do, as configured."""
        return settings.capabilities(self._options)

    @property
    def requests(self) -> int:
        """Requests to the org so far, retries included."""
        return self._client.requests

    def close(self) -> None:
        """Give connections back."""
        self._client.close()

    def check(self) -> Iterator[Finding]:
        """Session, fields, editing, allowance."""
        yield from examination.findings(self.name, self._client, self._lookup, self._options)

    def plan(self, entries: Iterable[Suppressed]) -> Iterator[Planned]:
        """What would happen to each entry."""
        for part in batched(entries, self._options.query_addresses * self._options.at_once):
            found = self._lookup.find([each.address for each in part], bulk=False)
            for entry in part:
                mine = found[same(entry.address)]
                yield Planned(entry.address, _intent(mine), observed=mine.state)

    def push(self, entries: Iterable[Suppressed], position: LedgerPosition) -> Iterator[Pushed]:  # noqa: ARG002
        """Opt each address out; a job for what is too much for composite calls."""
        for part in batched(entries, self._options.batch):
            yield from self._tell(part)

    def poll(self, job: Job) -> Iterator[Pushed]:
        """The results of a job, or the job again.

        Of a job that an earlier run started only its end is known here: whom it was about is read back.
        """
        idents = _idents(job.token)
        try:
            states = [jobs.look(self._client, ident).state for ident in idents]
        except DestinationFailed as failure:
            if not jobs.gone(failure) or job.token not in self._jobs:
                raise
            yield from self._not_done(self._jobs.pop(job.token), Evidence("jobs/ingest lost"))
            return
        if any(state in jobs.RUNNING for state in states):
            yield self._waiting(job.token, ", ".join(sorted(set(states))))
            return
        telling = self._jobs.get(job.token)
        if telling is not None:
            yield from self._ended(idents, telling)
            del self._jobs[job.token]

    def read_back(self, addresses: Sequence[str]) -> Iterator[Observation]:
        """What the org has of each address now."""
        for part in batched(addresses, self._options.batch):
            found = self._lookup.find(part, bulk=self._by_bulk(len(part)))
            for address in part:
                yield _observed(address, found[same(address)])

    def sweep(self, cursor: str | None) -> tuple[tuple[Observation, ...], str | None]:
        """A page of everyone who is opted out in the org, object by object."""
        return swept(self._client, self._lookup.objects, cursor)

    # --- Telling -----------------------------------------------------------------------------------------

    def _tell(self, part: Sequence[Suppressed]) -> Iterator[Pushed]:
        self._lookup.require_editable()
        addresses = [each.address for each in part]
        found = self._lookup.find(addresses, bulk=self._by_bulk(len(addresses)))
        telling = Telling()
        looked = Evidence("jobs/query" if self._by_bulk(len(addresses)) else "query", status=200)
        for address in addresses:
            mine = found[same(address)]
            if mine.to_write:
                telling.add(address, mine)
            else:
                yield Result(address, _settled(mine), before=mine.state, evidence=looked)
        if not telling.records:
            return
        if self._by_bulk(len(telling.records)):
            yield self._started(telling)
        else:
            yield from self._by_composite(telling)

    def _by_bulk(self, many: int) -> bool:
        match self._options.mode:
            case "bulk":
                return True
            case "composite":
                return False
            case _:
                return many >= self._options.bulk_from

    def _started(self, telling: Telling) -> Job:
        started = []
        for kind, field, idents in self._grouped(telling):
            for file in jobs.files(idents, field, room=self._options.bulk_bytes):
                started.append(jobs.start(self._client, kind, field, file))
        token = json.dumps(started)
        self._jobs[token] = telling
        return self._waiting(token, "UploadComplete")

    def _waiting(self, token: str, stage: str) -> Job:
        return Job(token, stage, self._client.clock.utc() + timedelta(seconds=self._options.poll_seconds))

    def _ended(self, idents: Sequence[str], telling: Telling) -> Iterator[Result]:
        again: dict[str, str] = {}
        for ident in idents:
            for row in jobs.results(self._client, ident):
                if not telling.knows(row.ident):
                    raise self._client.broken("a row that was not in the job, or one twice")
                if row.code in AGAIN:
                    again[row.ident] = row.code
                else:
                    yield from telling.done(row.ident, row.code, row.evidence)
        if again and len(again) < max(self._options.bulk_from, settings.COMPOSITE):
            yield from self._by_composite(telling, only=frozenset(each[:15] for each in again))
        yield from self._not_done(telling, Evidence("jobs/ingest/unprocessedrecords"))

    def _not_done(self, telling: Telling, evidence: Evidence) -> Iterator[Result]:
        for ident in telling.unanswered():
            yield from telling.done(ident, jobs.UNPROCESSED, evidence)

    def _by_composite(self, telling: Telling, *, only: frozenset[str] | None = None) -> Iterator[Result]:
        for kind, field, idents in self._grouped(telling, only):
            for part in batched(idents, settings.COMPOSITE):
                for saved, evidence in self._updated(kind, field, part):
                    yield from telling.done(saved.ident, saved.code, evidence)

    def _updated(self, kind: str, field: str, idents: Sequence[str]) -> Iterator[tuple[wire.Saved, Evidence]]:
        """Records as they end; those that are locked last, after some tries."""
        for attempt in range(1, LOCK_TRIES + 1):
            saves, evidence = self._client.update(kind, field, idents)
            locked = [each.ident for each in saves if each.code == wire.LOCKED and attempt < LOCK_TRIES]
            for saved in saves:
                if saved.ident not in locked:
                    yield saved, evidence
            if not locked:
                return
            idents = locked
            self._client.clock.wait(2.0 ** (attempt - 1) * (0.5 + random.SystemRandom().random()))

    def _grouped(
        self, telling: Telling, only: frozenset[str] | None = None
    ) -> Iterator[tuple[str, str, list[str]]]:
        """Object, checkbox and ids, object by object: a composite call switches objects ten times at most."""
        fields: Mapping[str, str] = {each.name: each.opt_out for each in self._options.targets}
        for kind, field in fields.items():
            idents = [
                each.ident
                for key, each in telling.records.items()
                if each.kind == kind and (only is None or key in only)
            ]
            if idents:
                yield kind, field, idents


def _idents(token: str) -> list[str]:
    try:
        idents = json.loads(token)
    except ValueError:
        idents = None
    if not isinstance(idents, list) or not all(isinstance(each, str) and each.isalnum() for each in idents):
        raise DestinationFailed("a job of Salesforce has a token that is none")
    return idents


def _intent(found: Found) -> Intent:
    match found.state:
        case Remote.UNKNOWN:
            return Intent.UNKNOWN_SKIP
        case Remote.MAILABLE:
            return Intent.SUPPRESS if found.to_write else Intent.BLOCKED
        case _:
            return Intent.ALREADY


def _settled(found: Found) -> Outcome:
    """What became of an address of which no record can or need be written."""
    match found.state:
        case Remote.UNKNOWN:
            return Outcome.SKIPPED_UNKNOWN
        case Remote.SUPPRESSED:
            return Outcome.ALREADY
        case Remote.NOT_MAILABLE:
            return Outcome.NOT_MAILABLE
        case _:
            # Only the contact half of a person account, whose account is not among the configured objects.
            return Outcome.REJECTED_PERMANENT


def _observed(address: str, found: Found) -> Observation:
    latest = found.latest
    return Observation(
        address,
        found.state,
        reason=found.reason,
        at=None if latest is None else latest.changed,
        by=None if latest is None or latest.by is None else f"user {latest.by}",
    )
