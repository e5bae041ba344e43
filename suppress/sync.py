"""Ask sources for opt-outs, reconcile what they report with what holds, and append what is new.

Rules kept here:

* One page is one transaction, so a run may be killed at any point and repeated: nothing is lost, and the
  ledger drops what it already has.
* The watermark is the `before` of the last *complete* `sync.done`. It is appended after the last page is
  committed, so an interrupted or incomplete run starts again from where the last complete one ended.
* A census that does not add up is recorded, with all that it found, and then reported as a failure.
* What a run finds does not depend on the order in which a source shows people: if somebody passed as
  mailable before an opt-out of the same address came up, the source is asked once more.
* One source's failure does not stop the others, whatever it fails with. A ledger that cannot be written does.
* Only opt-outs of e-mail are counted as such: those of SMS, and bounces, are recorded and counted apart.
* Accounts are joined as settings say: an opt-out counts for everything, or only for the account's sender.

What a report means is decided in `suppress.core.reconcile`; how a platform is asked, in its source.
"""

from __future__ import annotations

import uuid
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from suppress.core.entry import SyncDone
from suppress.core.reconcile import Alarm, Novelty, Observed, Permission, Record, reconcile
from suppress.core.spans import spans
from suppress.core.suppression import EVERYTHING, Channel, Drift, OptOut, Reason, Scope
from suppress.errors import Incomplete, SourceFailed, SuppressError
from suppress.ledger import Event, Ledger, Receipt
from suppress.plugin.contract import Census, Page, Source, Summary, Window

Progress = Callable[[str, str, int, int | None], None]
"""Called with (source, step, rows so far in the step, rows expected or None)."""


@dataclass(frozen=True, slots=True)
class DriftSeen:
    """A suppressed person whom the source reports as mailable: the entry that says so, and no address."""

    seq: int | None
    """None in a dry run."""
    observed: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class SourceResult:
    """What one run over one source did. `failure` is set when it may not be called complete."""

    source: str
    platform: str
    mode: str
    window: Window
    complete: bool = False
    requests: int = 0
    rows: int = 0
    observed: int = 0
    new: int = 0
    """People whom this run was the first to suppress."""
    known: int = 0
    """Contacts of people who were on record before."""
    shared: int = 0
    """Contacts whose address another contact of this run had brought."""
    deleted: int = 0
    missed_by_naive_sync: int = 0
    without_address: int = 0
    sms: int = 0
    """Contacts that opted out of SMS."""
    sms_new: int = 0
    """People whom this run was the first to suppress there."""
    sms_without_address: int = 0
    bounced: int = 0
    bounced_new: int = 0
    notes: tuple[str, ...] = ()
    census: dict[str, int] | None = None
    drift: tuple[DriftSeen, ...] = ()
    first_run: bool = False
    failure: SuppressError | None = None


def sync(
    ledger: Ledger,
    sources: Iterable[Source],
    *,
    full: bool,
    now: datetime,
    actor: str,
    dry_run: bool = False,
    progress: Progress = lambda _source, _step, _done, _total: None,
    scopes: Mapping[str, Scope] | None = None,
) -> tuple[SourceResult, ...]:
    """Bring the ledger up to date with each source; with `full`, take a census too.

    `scopes` says how far an opt-out of a source, by its name, reaches: everything, unless it is named.
    Returns one result a source, in order; a failed one carries its `failure` instead of raising.

    Raises:
        SuppressError: The ledger itself cannot be read or written.
    """
    reach = scopes or {}
    return tuple(
        _Run(
            ledger,
            source,
            full=full,
            now=now,
            actor=actor,
            dry_run=dry_run,
            progress=progress,
            scope=reach.get(source.name, EVERYTHING),
        ).result()
        for source in sources
    )


def unopened(name: str, platform: str, failure: SuppressError, *, full: bool, now: datetime) -> SourceResult:
    """What a run says about a source that could not be opened: the others are read all the same."""
    mode = "census" if full else "window"
    return SourceResult(name, platform, mode, Window(now, now), failure=failure)


def exit_code(results: Iterable[SourceResult]) -> int:
    """What a run ends with: 0, the one thing that went wrong, or 5 when several different ones did."""
    codes = {result.failure.exit_code for result in results if result.failure is not None}
    return max(codes, default=0) if len(codes) < 2 else SourceFailed.exit_code


@dataclass(slots=True)
class _Run:
    """One pass over one source."""

    ledger: Ledger
    source: Source
    full: bool
    now: datetime
    actor: str
    dry_run: bool
    progress: Progress
    scope: Scope
    new: int = 0
    apart: dict[str, int] = field(default_factory=lambda: {"sms": 0, "bounced": 0})
    """The same for what is no opt-out of e-mail."""
    would_record: set[tuple[str, str]] = field(default_factory=set)
    """Kinds and match keys that a dry run has counted, since the ledger cannot remember them for it."""
    drift: dict[str, DriftSeen] = field(default_factory=dict)
    step_rows: dict[str, int] = field(default_factory=dict)
    answers: int = 0
    """Pages so far: what is known of a run that ends without a summary."""
    opted_out: int = 0
    """Opt-outs so far, of the pull that showed most."""
    passed: array[int] = field(default_factory=lambda: array("q"))
    """Hashes of address and contact, in turns, whom this pull showed as mailable with nothing against it."""
    recorded: dict[int, int] = field(default_factory=dict)
    """Whom this run was the first to suppress: hash of the address → hash of the contact."""
    shared: set[tuple[int, int]] = field(default_factory=set)
    """Hashes of address and contact, of further contacts with the address of somebody in `recorded`."""

    def result(self) -> SourceResult:
        last_before = self.ledger.source_state(self.source.name).last_before
        window = self.source.window(last_before, self.now)
        result = SourceResult(
            source=self.source.name,
            platform=self.source.platform,
            mode="census" if self.full else "window",
            window=window,
            first_run=last_before is None,
        )
        try:
            summary = self._pull(window)
            if self.full:
                summary = _together(summary, self._pull(Census()))
        except _Broken as broken:
            result = self._cut_short(result, broken.failure)
        else:
            result = _with_summary(result, summary)
        # The census sees whom the window saw, but for those who came back in between, or if it broke off.
        observed = max(result.observed, self.new)
        shared = min(len(self.shared), observed - self.new)
        result = replace(
            result,
            new=self.new,
            sms_new=self.apart["sms"],
            bounced_new=self.apart["bounced"],
            observed=observed,
            known=observed - self.new - shared,
            shared=shared,
            drift=tuple(self.drift.values()),
            rows=result.rows or sum(self.step_rows.values()),
        )
        if not self.dry_run:
            self._close(result)
        return result

    def _cut_short(self, result: SourceResult, failure: SuppressError) -> SourceResult:
        return replace(result, failure=failure, requests=self.answers, observed=self.opted_out)

    def _pull(self, what: Window | Census) -> Summary:
        summary = self._pull_once(what)
        # An incomplete run has to be repeated anyway.
        if summary.complete and not self.dry_run and self._passed_by():
            summary = _together(summary, self._pull_once(what))
        return summary

    def _passed_by(self) -> bool:
        """Whether somebody passed as mailable before an opt-out of another contact with the same address."""
        turns = iter(self.passed)
        return any(
            self.recorded.get(key, contact) != contact for key, contact in zip(turns, turns, strict=True)
        )

    def _pull_once(self, what: Window | Census) -> Summary:
        self.passed = array("q")
        opted_out = 0
        for item in self._asked(what):
            if isinstance(item, Summary):
                return item
            self.answers += 1
            opted_out += sum(_counts(each.permission, each.channel, each.reason) for each in item.observed)
            self.opted_out = max(self.opted_out, opted_out)
            self.step_rows[item.step] = self.step_rows.get(item.step, 0) + item.rows
            self._take(item)
            if not self.dry_run:
                item.recorded()
            self.progress(self.source.name, item.step, self.step_rows[item.step], item.total)
        raise _Broken(
            SourceFailed(f"source {self.source.name!r} ended without a summary: its run was cut short")
        )

    def _asked(self, what: Window | Census) -> Iterator[Page | Summary]:
        """What the source yields. Whatever it raises is its own trouble, and told apart from the ledger's."""
        try:
            yield from self.source.pull(what)
        except SuppressError as failure:
            raise _Broken(failure) from failure
        except Exception as broken:
            # Only the type: what a plugin writes into its exceptions may hold a token or an address.
            problem = f"source {self.source.name!r}: its platform broke: {type(broken).__name__}"
            raise _Broken(SourceFailed(problem)) from broken

    def _take(self, page: Page) -> None:
        # Opt-outs first: another contact of the same page with the same address is then seen as drift.
        observed = [self._joined(each) for each in page.observed]
        self._record([each for each in observed if each.permission is Permission.OPTED_OUT])
        self._alarm([each for each in observed if each.permission is not Permission.OPTED_OUT])

    def _joined(self, observed: Observed) -> Observed:
        """With the scope that settings give the account, unless the platform itself names a narrower one."""
        return observed if observed.scope != EVERYTHING else replace(observed, scope=self.scope)

    def _record(self, observed: Sequence[Observed]) -> None:
        plans = [plan for plan in self._plans(observed) if isinstance(plan, Record)]
        receipts = self._append([plan.opt_out for plan in plans])
        fresh: set[tuple[str, str]] = set()
        for plan, receipt in zip(plans, receipts, strict=True):
            kind = _kind(plan.opt_out.channel, plan.opt_out.reason)
            address, contact = hash(plan.opt_out.address.key), hash(plan.opt_out.facts[:1])
            if receipt.new and plan.novelty is not Novelty.MORE:
                fresh.add((kind, plan.opt_out.address.key))
                if kind == _OPT_OUT:
                    self.recorded.setdefault(address, contact)
            if kind == _OPT_OUT and self.recorded.get(address, contact) != contact:
                self.shared.add((address, contact))
        for kind, _ in fresh - self.would_record:
            if kind == _OPT_OUT:
                self.new += 1
            else:
                self.apart[kind] += 1
        if self.dry_run:
            self.would_record |= fresh

    def _alarm(self, observed: Sequence[Observed]) -> None:
        drifts = [plan.drift for plan in self._plans(observed) if isinstance(plan, Alarm)]
        alarmed = {drift.address.key for drift in drifts}
        for each in observed:
            passes = each.permission is Permission.MAILABLE and each.channel is Channel.EMAIL
            if passes and each.address and each.address.key not in alarmed:
                self.passed.extend((hash(each.address.key), hash(each.fingerprint[:1])))
        for drift, receipt in zip(drifts, self._append(drifts), strict=True):
            seq = None if self.dry_run else receipt.seq
            self.drift[receipt.id] = DriftSeen(seq, drift.observed, drift.since)

    def _plans(self, observed: Sequence[Observed]) -> list[Record | Alarm]:
        found = [(each, each.address) for each in observed if each.address is not None]
        standings = self.ledger.standings([address for _, address in found])
        plans = (reconcile(standing, each) for (each, _), standing in zip(found, standings, strict=True))
        return [plan for plan in plans if isinstance(plan, (Record, Alarm))]

    def _append(self, events: Sequence[OptOut | Drift]) -> tuple[Receipt, ...]:
        if self.dry_run:
            return tuple(Receipt(seq=-1, id=str(uuid.uuid4()), new=True) for _ in events)
        return self.ledger.append(events, actor=self.actor) if events else ()

    def _close(self, result: SourceResult) -> None:
        done = SyncDone(
            source=result.source,
            platform=result.platform,
            mode=result.mode,
            complete=result.complete,
            after=result.window.after,
            before=result.window.before,
            requests=result.requests,
            rows=result.rows,
            observed=result.observed,
            new=result.new,
            known=result.known,
            deleted=result.deleted,
            missed_by_naive_sync=result.missed_by_naive_sync,
            census=result.census,
            drift=spans(each.seq for each in result.drift if each.seq is not None),
            shared=result.shared or None,
        )
        # A run is an event of its own, so its id is random, not derived.
        self.ledger.append([Event(uuid.uuid4().hex, done)], actor=self.actor)


_OPT_OUT, _SMS, _BOUNCED = "opt-out", "sms", "bounced"


def _kind(channel: Channel, reason: Reason) -> str:
    """As what an opt-out is counted."""
    if channel is Channel.SMS:
        return _SMS
    return _BOUNCED if reason is Reason.BOUNCED else _OPT_OUT


def _counts(permission: Permission, channel: Channel, reason: Reason) -> bool:
    return permission is Permission.OPTED_OUT and _kind(channel, reason) == _OPT_OUT


class _Broken(Exception):
    """A source failed: carries why out of the loop that also writes the ledger."""

    def __init__(self, failure: SuppressError) -> None:
        super().__init__(failure.message)
        self.failure = failure


def _together(earlier: Summary, later: Summary) -> Summary:
    """The later pull sees all that the earlier one saw; only the effort of both is added up."""
    return replace(
        later,
        complete=earlier.complete and later.complete,
        requests=earlier.requests + later.requests,
        rows=earlier.rows + later.rows,
        problems=(*earlier.problems, *later.problems),
        sms=max(earlier.sms, later.sms),
        sms_without_address=max(earlier.sms_without_address, later.sms_without_address),
        bounced=max(earlier.bounced, later.bounced),
        notes=tuple(dict.fromkeys((*earlier.notes, *later.notes))),
    )


def _with_summary(result: SourceResult, summary: Summary) -> SourceResult:
    failure = None
    if not summary.complete:
        failure = Incomplete(
            f"the counts of source {result.source!r} do not add up: {'; '.join(summary.problems)}. "
            "Everything that was read is recorded, but this run may not be called complete"
        )
    return replace(
        result,
        complete=summary.complete,
        requests=summary.requests,
        rows=summary.rows,
        observed=summary.opted_out,
        deleted=summary.deleted,
        missed_by_naive_sync=summary.missed_by_naive_sync,
        without_address=summary.without_address,
        sms=summary.sms,
        sms_without_address=summary.sms_without_address,
        bounced=summary.bounced,
        notes=summary.notes,
        census=None if summary.census is None else dict(summary.census),
        failure=failure,
    )


def utc_now() -> datetime:
    """This machine's clock, in UTC."""
    return datetime.now(UTC)
