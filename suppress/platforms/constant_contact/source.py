"""The Constant Contact source: which questions are asked, in which order, and what makes a run complete.

Rules kept here:

* A window is asked with `status=all` and the opt-out dates: `status=unsubscribed` hides everyone who was
  deleted, and `updated_after` filters by a clock that an unsubscribe does not move (community thread
  "How do I get the latest unsubscribe customers using the v3 api", the vendor's staff).
* A window ends a lag before now and begins an overlap before the last complete one ended. What is younger is
  asked for too, so that today's clicks are known today, but nothing relies on it.
* A census asks for everyone, whatever the dates: opt-outs without a date are found in no window.
* Pages are yielded as they arrive. What a later page or walk lacks never takes an opt-out back; `census`
  decides whether the run may be called complete.
* Links to next pages are followed as they are; a failed walk is begun again, never resumed (the life of a
  cursor is undocumented).
* SMS is read off every contact that shows it, so that a census finds all of it. With `sms`, each run asks for
  it too: it has no date filter, and `optout_after` knows e-mail alone.
* Campaign reports, where they are wanted, are read before contacts are, so that what they say is in the entry
  of the opt-out; whom no contact showed comes last (`campaigns`).
* Only reads: the transport underneath refuses any other method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from suppress.config import SourceSettings
from suppress.core.reconcile import Observed, Permission
from suppress.platforms.constant_contact import wire
from suppress.platforms.constant_contact.campaigns import Found, Reports
from suppress.platforms.constant_contact.census import (
    LIMITS,
    ROUNDS,
    Differences,
    Pass,
    Tally,
    Walk,
    shortfalls,
    unreadable,
)
from suppress.platforms.constant_contact.client import Client, Fetched
from suppress.platforms.constant_contact.dates import to_millisecond, to_query
from suppress.platforms.constant_contact.examination import findings
from suppress.platforms.constant_contact.options import Options
from suppress.platforms.constant_contact.queries import SideBySide
from suppress.platforms.constant_contact.signing_in import ConstantContactSignIn
from suppress.platforms.constant_contact.sms import CHANNEL, Texts
from suppress.plugin.contract import Census, Compared, Finding, Page, Summary, Window
from suppress.plugin.pace import Clock
from suppress.plugin.transport import Patience

PLATFORM = "constant-contact"
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""Before any account's first opt-out; the first window starts here."""

BARREN_PAGES = 100
"""Pages without a new contact after which a walk is taken for endless."""

CENSUS = (
    (Pass.ALL, "all"),
    (Pass.UNSUBSCRIBED, "unsubscribed"),
    (Pass.DELETED, "deleted"),
)
"""The walks of a census round, in order. Everyone comes first: who opts out or is deleted during that long
walk is then seen by one of the two short ones."""


def utc_now() -> datetime:
    """This machine's clock, in UTC."""
    return datetime.now(UTC)


class ConstantContact:
    """One configured account. Opens no connection and reads no token before it is asked something.

    Raises:
        ConfigWrong: A value in `[sources.NAME]` cannot be what it should be.
    """

    def __init__(
        self,
        settings: SourceSettings,
        state: Path,
        *,
        now: Callable[[], datetime] = utc_now,
        clock: Clock | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._name = settings.name
        self._now = now
        self._texts = Texts()
        self._reported = Found()
        self._options = Options.of(settings)
        clock = clock or Clock()
        self._client = Client(settings, self._options, state=state, clock=clock, patience=patience)
        self._reports = Reports(self._client, self._options, state, settings.ledger, now)
        self._sign_in = ConstantContactSignIn(settings, state, clock=clock)

    @property
    def name(self) -> str:
        """The name of its `[sources.NAME]` table."""
        return self._name

    @property
    def platform(self) -> str:
        """`constant-contact`."""
        return PLATFORM

    def window(self, last_before: datetime | None, now: datetime) -> Window:
        """From an overlap before the last complete window's end to a lag before `now`."""
        before = to_millisecond(now - self._options.lag)
        after = BEGINNING if last_before is None else to_millisecond(last_before - self._options.overlap)
        # A clock that was set back would ask for a window that ends before it begins.
        return Window(after=min(after, to_millisecond(before - self._options.overlap)), before=before)

    def pull(self, what: Window | Census) -> Iterator[Page | Summary]:
        """Pages as they arrive, then the summary.

        Raises:
            SignInNeeded: There is no token, or the platform refuses it.
            QuotaExhausted: The day's requests are used up.
            SourceFailed: The platform did not answer, or not as its contract says.
        """
        yield from self._window(what) if isinstance(what, Window) else self._census()

    def check(self) -> Iterable[Finding]:
        """Read-only findings for `suppress doctor`, from five small requests."""
        return findings(self._client, self._options, self._sign_in.status(), now=self._now)

    def comparison_cost(self) -> int:
        """How many requests `compare` will take, from one request a query."""
        return SideBySide(self._client, self._now()).cost()

    def compare(self) -> tuple[Compared, ...]:
        """Whom each way of asking shows, and misses: public projects' ways, beside this source's own."""
        return SideBySide(self._client, self._now()).compare()

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def _window(self, window: Window) -> Iterator[Page | Summary]:
        tally, began = self._begun()
        bounds = {"optout_after": to_query(window.after), "optout_before": to_query(window.before)}
        rows = 0
        if self._options.campaign_evidence or self._options.bounces:
            self._reported = self._reports.read()
        walk = Walk("window", Pass.ALL)
        problems: tuple[str, ...] = ()
        for round_ in range(1, ROUNDS + 1):
            tally.next_round()
            walk = Walk("window", Pass.ALL)
            yield from self._walk(walk, {"status": "all", **bounds}, round_, tally)
            rows += walk.rows
            problems = () if walk.whole else shortfalls({Pass.ALL: walk}, tally, round_)
            if walk.whole or (round_ > 1 and not problems):
                break
        younger = {"status": "all", "optout_after": to_query(window.before)}
        recent = Walk("recent", Pass.RECENT)
        yield from self._walk(recent, younger, 1, tally)
        problems = (*problems, *unreadable([walk]))
        rows += recent.rows
        if self._options.sms:
            texts = Walk("sms", Pass.SMS)
            yield from self._sms(texts, tally)
            rows += texts.rows
            problems = (*problems, *unreadable([texts]), *self._hidden(texts))
        summary = self._summary(tally, began, rows, problems, census=None)
        if not (self._options.campaign_evidence or self._options.bounces):
            yield summary
            return
        alone = tuple(self._reported.clicks.values())
        told = (*alone, *self._reported.bounced.values())
        # The last page, so that what it settles is only what the ledger has.
        yield Page("campaigns", told, rows=len(told), recorded=self._reported.settle)
        yield replace(
            summary,
            opted_out=summary.opted_out + len(alone),
            deleted=summary.deleted + sum(each.deleted for each in alone),
            bounced=len(self._reported.bounced),
            notes=self._reported.notes,
        )

    def _begun(self) -> tuple[Tally, int]:
        """A new tally, and how many requests were made before."""
        self._texts, self._reported = Texts(), Found()
        return Tally(self._now()), self._client.requests

    def _sms(self, walk: Walk, tally: Tally) -> Iterator[Page]:
        """Everyone who opted out of SMS. Older builds of the platform show the channel only when asked to."""
        query = {"status": "all", "sms_status": "unsubscribed"}
        yield from self._walk(walk, query, 1, tally)
        if self._texts.unshown:
            self._texts.unshown = 0
            yield from self._walk(walk, {**query, "include": CHANNEL}, 1, tally)

    def _hidden(self, walk: Walk) -> tuple[str, ...]:
        promised, shown = walk.promised or 0, walk.distinct + walk.unreadable
        found = []
        if self._texts.unshown:
            found.append(f"{self._texts.unshown:,} contacts of sms_status=unsubscribed show no SMS channel")
        if shown < promised:
            found.append(
                f"sms_status=unsubscribed counts {promised:,} contacts, but only {shown:,} were shown"
            )
        return tuple(found)

    def _census(self) -> Iterator[Page | Summary]:
        tally, began = self._begun()
        rows = round_ = 0
        problems: tuple[str, ...] = ()
        walks: dict[Pass, Walk] = {}
        before = Differences()
        for round_ in range(1, ROUNDS + 1):
            tally.next_round()
            for shown_in, status in CENSUS:
                walks[shown_in] = walk = Walk(f"status={status}", shown_in)
                yield from self._walk(walk, {"status": status}, round_, tally)
                rows += walk.rows
            differences = tally.differences()
            if all(walk.whole for walk in walks.values()) and not differences:
                problems = ()
                break
            problems = (
                *shortfalls(walks, tally, round_),
                *differences.repeated(before).problems(),
            )
            if round_ > 1 and not problems:
                break
            before = differences
        problems = (*problems, *unreadable(walks.values()))
        yield self._summary(tally, began, rows, problems, census={**_counts(walks), "rounds": round_})

    def _summary(
        self, tally: Tally, began: int, rows: int, problems: tuple[str, ...], *, census: dict[str, int] | None
    ) -> Summary:
        totals = tally.totals()
        if census is not None:
            census |= {
                "contacts": totals.contacts,
                "opted_out": totals.opted_out,
                "opted_out_visible": totals.opted_out - totals.opted_out_deleted,
                "opted_out_deleted": totals.opted_out_deleted,
                "deleted": totals.deleted,
                "mailable": totals.mailable,
                "without_address": totals.without_address,
            }
        return Summary(
            complete=not problems,
            requests=self._client.requests - began,
            rows=rows,
            opted_out=totals.opted_out,
            deleted=totals.opted_out_deleted,
            missed_by_naive_sync=totals.missed_by_naive,
            without_address=totals.without_address,
            sms=len(self._texts.opted_out),
            sms_without_address=len(self._texts.without_address),
            census=census,
            problems=problems,
        )

    def _walk(self, walk: Walk, query: dict[str, str], round_: int, tally: Tally) -> Iterator[Page]:
        """Follow one query to its last page, and keep count in `walk`."""
        limit = str(LIMITS[min(round_, len(LIMITS)) - 1])
        # No encoding here: this is for people to read in the evidence.
        asked = "&".join(f"{key}={value}" for key, value in query.items())
        fetched = self._client.first({**query, "limit": limit, "include_count": "true"})
        followed: set[str] = set()
        while True:
            yield self._page(fetched, walk, asked, tally)
            href = fetched.answer.next
            if href is None:
                return
            if href in followed:
                raise self._client.failed("the pages lead in a circle")
            followed.add(href)
            fetched = self._client.following(href)

    def _page(self, fetched: Fetched, walk: Walk, asked: str, tally: Tally) -> Page:
        answer, at = fetched.answer, self._now()
        walk.turn_page(len(answer.contacts), answer.count)
        news: list[Observed] = []
        for contact in answer.contacts:
            try:
                row = wire.row(contact, source=self._name, query=asked, fetched_at=at)
            except wire.NotAsPromised as wrong:
                # One row must not keep everybody behind it out of the ledger: it is reported at the end.
                walk.unreadable += 1
                walk.why_unreadable = str(wrong)
                continue
            if tally.see(row, walk):
                news.append(self._with_campaign(row.observed))
            news.extend(self._heard(contact, row, walk))
        if walk.barren >= BARREN_PAGES:
            raise self._client.failed(
                f"{walk.barren} pages in a row showed no contact that was not there before"
            )
        return Page(walk.step, tuple(news), rows=len(answer.contacts), total=walk.last_count)

    def _with_campaign(self, observed: Observed) -> Observed:
        """With what a campaign's report says of the same opt-out."""
        if observed.permission is not Permission.OPTED_OUT:
            return observed
        click = self._reported.beside(observed)
        if click is None:
            return observed
        said = {f"campaign.{key.removeprefix('campaign_')}": value for key, value in click.evidence.items()}
        return replace(observed, evidence={**observed.evidence, **said})

    def _heard(self, contact: object, row: wire.Row, walk: Walk) -> Iterator[Observed]:
        """What the contact says of SMS, if that is news. What cannot be read leaves its e-mail as it is."""
        if walk.shown_in is Pass.SMS and isinstance(contact, dict) and contact.get(CHANNEL) is None:
            self._texts.unshown += 1
        try:
            found = self._texts.hear(contact, row)
        except wire.NotAsPromised as wrong:
            walk.unreadable += 1
            walk.why_unreadable = str(wrong)
            return
        if found is not None:
            yield found


def _counts(walks: dict[Pass, Walk]) -> dict[str, int]:
    """What each walk showed, and what the platform counted, by name."""
    counts: dict[str, int] = {}
    for shown_in, status in CENSUS:
        walk = walks[shown_in]
        counts[f"status_{status}"] = walk.distinct
        if walk.last_count is not None:
            counts[f"status_{status}_counted"] = walk.last_count
    return counts
