"""Two weeks in the life of an account, and somebody with a notebook who says what the ledger must hold.

The notebook (`Notebook`) is naive on purpose. It hears what people do, not what the platform shows, and knows
nothing of windows, walks, pages and entries:

* whoever opts out is owed a place in the ledger;
* whoever comes back before any run of ours could see the opt-out is owed none any more, nor is an address
  that its contact gave up, by a change of address or a merger, before any run saw it there;
* whoever is in the ledger stays, but for a consent that the company has in its hands;
* nobody is in the ledger who never opted out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from random import Random

from suppress.core.address import Address, match_key
from suppress.core.entry import DriftFound, OptOutRecorded
from suppress.core.suppression import Consent
from suppress.platforms.constant_contact.simulator import (
    Fault,
    FaultKind,
    Limits,
    People,
    Permission,
    Scenario,
    SignIn,
    Simulator,
    Switches,
)
from suppress.sync import SourceResult
from tests.platforms.constant_contact.company import Company

DAYS = 14
DELAY = timedelta(minutes=40)
"""Until the platform shows an opt-out: longer than the lag of a window, so that its overlap is needed."""
OUTAGE = 10**6
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
MAILABLE = (Permission.EXPLICIT, Permission.IMPLICIT)

ACCOUNT = Scenario(
    people=People(
        active=40,
        unsubscribed=14,
        unsubscribed_by_account=4,
        unsubscribed_deleted=5,
        unsubscribed_cleaned=5,
        without_date=4,
        deleted=5,
        resubscribed=3,
        temp_hold=2,
        sms_only=2,
        odd=6,
    ),
    switches=Switches(visibility_delay=DELAY.total_seconds()),
    # As on the day that it is asked, but for the pace, which waits in the clock of whoever asks.
    limits=Limits(per_second=10**6, token_per_second=10**6, rows_per_page=4),
    sign_in=SignIn(refresh_grace=0),
)


@dataclass(slots=True)
class Notebook:
    """Match keys throughout. `fresh` are opt-outs dated when they were made, which the next run must find."""

    ever: set[str] = field(default_factory=set)
    fresh: dict[str, datetime] = field(default_factory=dict)
    stale: dict[str, datetime] = field(default_factory=dict)
    """Owed too, but with an old date or none at all, so that only a census is sure to find them."""
    mailable: set[str] = field(default_factory=set)
    """Whom the platform would mail."""
    kept: set[str] = field(default_factory=set)
    """Whom the ledger was last seen to hold."""
    told: dict[str, datetime] = field(default_factory=dict)
    """When the platform had the opt-out that each of them is owed for first."""
    consented: dict[str, datetime] = field(default_factory=dict)

    @property
    def owed(self) -> set[str]:
        return set(self.fresh) | set(self.stale)

    def opts_out(self, key: str, at: datetime, *, dated: datetime | None = None) -> None:
        """At this moment. `dated`: an old date that goes with it."""
        self.ever.add(key)
        self.mailable.discard(key)
        if dated is not None and key in self.consented and dated < self.consented[key]:
            return  # they have consented since
        (self.fresh if dated is None else self.stale).setdefault(key, at)
        if key not in self.kept:
            self.told.setdefault(key, at)

    def leaves(self, key: str) -> None:
        """The platform does not show the opt-out under this address any more."""
        self.mailable.discard(key)
        if key not in self.kept:
            self.fresh.pop(key, None)
            self.stale.pop(key, None)
            self.told.pop(key, None)

    def comes_back(self, key: str) -> None:
        self.leaves(key)
        self.mailable.add(key)

    def consents(self, key: str, at: datetime) -> None:
        self.consented[key] = at
        for owed in (self.fresh, self.stale, self.told):
            owed.pop(key, None)
        self.kept.discard(key)

    def look(self, ledger: set[str]) -> None:
        """Compare with what the ledger holds after a run, whatever became of that."""
        assert self.kept - ledger == set(), "somebody who was in the ledger is not any more"
        assert ledger - self.ever == set(), "somebody is in the ledger who never opted out"
        self.kept = set(ledger)

    def check(self, ledger: set[str], *, shown_before: datetime, census: bool) -> None:
        """What a complete run owes: whoever had opted out by then."""
        owed = {**self.fresh, **(self.stale if census else {})}
        missing = {key for key, at in owed.items() if at < shown_before} - ledger
        assert missing == set(), f"a complete {'census' if census else 'window'} has missed {len(missing)}"


@dataclass(slots=True)
class Story:
    """What happened, in numbers."""

    runs: int = 0
    complete: int = 0
    failed: int = 0
    killed: int = 0
    signed_in: int = 0
    changes: int = 0
    people: int = 0
    drift: int = 0
    worst: timedelta = timedelta()
    """From an opt-out to its entry, of those that a window finds."""
    worst_stale: timedelta = timedelta()
    """The same, of those without a date of their own, which only a census finds."""

    @classmethod
    def together(cls, stories: Sequence[Story]) -> Story:
        """The sum of several, with the worst times of all."""
        names = [each.name for each in fields(cls)]
        worst = {name: max(getattr(each, name) for each in stories) for name in names if "worst" in name}
        sums = {name: sum(getattr(each, name) for each in stories) for name in names if name not in worst}
        return cls(**sums, **worst)

    def __str__(self) -> str:
        return (
            f"{self.changes} changes, {self.runs} runs ({self.complete} complete, {self.failed} failed, "
            f"{self.killed} killed), {self.signed_in} times a person had to sign in again, "
            f"{self.people} people in the ledger, {self.drift} in drift; worst time from opt-out to ledger: "
            f"{hours(self.worst)} (dated that day), {hours(self.worst_stale)} (an old date, or none)"
        )


def hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3_600:.1f} h"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one run ended, by its exit code."""

    code: int
    drift: int

    @classmethod
    def of(cls, result: SourceResult) -> Outcome:
        failure = result.failure
        assert (failure is None) == result.complete
        return cls(0 if failure is None else failure.exit_code, len(result.drift))


Runner = Callable[[bool], Outcome | None]
"""One night's run, a census or not; None when it was killed."""


class Fortnight:
    """Plays it, from one seed."""

    def __init__(self, world: Company, seed: int, run: Runner, *, calm: bool = False) -> None:
        self.world = world
        self.run = run
        # A predictable generator is the point here: nothing secret is drawn from it.
        self.random = Random(seed)
        self.notes = Notebook()
        self.story = Story()
        self.number = 0
        self.outage_until = world.now
        self.calm = calm
        """Whether nothing goes wrong at the platform; people go on as ever."""
        self.in_peace = False
        """What was to happen in a run that ended before does not happen any more."""
        self._begin()

    def _begin(self) -> None:
        """The account as it is when the company begins to look: its people by their state."""
        for contact in self.world.platform.backend.account:
            email = contact.email
            if email is None:
                continue
            if email.unsubscribed:
                key = match_key(email.address)
                self.notes.opts_out(key, self.world.now, dated=LONG_AGO)
                del self.notes.told[key]
            elif not contact.deleted and email.permission in MAILABLE:
                self.notes.mailable.add(match_key(email.address))
        self.world.sign_in()

    # --- Days --------------------------------------------------------------------------------------------

    def play(self) -> Story:
        """Fourteen days, each with a run in the night, twice with a census; then one in peace."""
        for day in range(1, DAYS + 1):
            self._day()
            self._weather()
            self._night(full=day % 7 == 6)
            self._until_morning()
        self._settle()
        return self.story

    def _day(self) -> None:
        moments = sorted(self.random.uniform(0, 20 * 3_600) for _ in range(self.random.randrange(4, 12)))
        before = 0.0
        for moment in moments:
            self.world.later(seconds=moment - before)
            before = moment
            self._change()
        self.world.later(seconds=20 * 3_600 - before)

    def _weather(self) -> None:
        """What is wrong at the platform this night."""
        platform, draw = self.world.platform, self.random
        if self.calm or self.world.now < self.outage_until:
            return
        platform.strike()
        match draw.randrange(10):
            case 0:
                self.outage_until = self.world.now + timedelta(days=draw.randrange(0, 3), hours=1)
                platform.strike(Fault(FaultKind.ERROR, status=503, times=OUTAGE))
            case 1:
                platform.strike(Fault(FaultKind.QUOTA_EXCEEDED, page=draw.randrange(1, 4)))
            case 2:
                kind = draw.choice([FaultKind.DROP, FaultKind.GARBLED, FaultKind.HTML, FaultKind.ERROR])
                platform.strike(Fault(kind, page=draw.randrange(1, 4), times=draw.randrange(1, 8)))
            case 3 | 7:
                kind = draw.choice([FaultKind.DUPLICATE_ROW, FaultKind.MISSING_ROW])
                platform.strike(Fault(kind, page=draw.randrange(2, 4)))
            case 4:
                platform.strike(Fault(FaultKind.TOKEN_EXPIRED, page=draw.randrange(1, 4)))
            case 5 | 6:
                self._restless()

    def _restless(self) -> None:
        """People change while their pages are read, so that rows shift between pages."""
        asked = sum(each.path == "/v3/contacts" for each in self.world.platform.requests)
        for _ in range(self.random.randrange(1, 6)):
            at = asked + self.random.randrange(2, 14)
            self.world.platform.before_page(at, lambda _: self._stir())

    def _stir(self) -> None:
        if not self.in_peace:
            self._change(during_a_run=True)

    def _night(self, *, full: bool) -> None:
        began = self.world.now
        result = self._start(full=full)
        if result is None and self.random.random() < 0.5:
            result = self._start(full=full)
        if result is not None and result.code == 4:
            self.world.sign_in()
            self.story.signed_in += 1
            began = self.world.now
            result = self._start(full=full)
        if result is not None and result.code == 0:
            self.notes.check(self.notes.kept, shown_before=began - DELAY, census=full)

    def _start(self, *, full: bool) -> Outcome | None:
        result = self.run(full)
        self.story.runs += 1
        if result is None:
            self.story.killed += 1
        elif result.code == 0:
            self.story.complete += 1
        else:
            self.story.failed += 1
            assert result.code in (4, 5)
        self.notes.look(self.world.suppressed())
        return result

    def _until_morning(self) -> None:
        self.world.later(seconds=4 * 3_600)

    # --- Changes -----------------------------------------------------------------------------------------

    def _change(self, *, during_a_run: bool = False) -> None:
        """Something happens to somebody. During a run, the ledger is not there for others."""
        self.story.changes += 1
        happenings: list[tuple[int, Callable[[], None]]] = [
            (8, self._opt_out),
            (2, self._staff_upload_an_old_one),
            (2, self._opt_out_and_delete),
            (3, self._delete),
            (2, self._revive),
            (3, self._resubscribe),
            (2, self._rename),
            (2, self._merge),
            (1, self._re_add),
            (0 if during_a_run else 1, self._consent),
            (4, self._join),
        ]
        weights = [weight for weight, _ in happenings]
        ((_, happen),) = self.random.choices(happenings, weights=weights)
        happen()

    def _somebody(self, *, opted_out: bool | None = None, deleted: bool | None = None) -> str | None:
        """An address of the platform, by what is wanted of its contact."""
        found = [
            contact.email.address
            for contact in self.world.platform.backend.account
            if contact.email is not None
            and opted_out in (None, contact.email.unsubscribed)
            and deleted in (None, contact.deleted)
        ]
        return self.random.choice(sorted(found)) if found else None

    def _opt_out(self) -> None:
        address = self._somebody(opted_out=False, deleted=False)
        if address is not None:
            self._platform.unsubscribe(address)
            self.notes.opts_out(match_key(address), self.world.now)

    def _staff_upload_an_old_one(self) -> None:
        address = self._somebody(opted_out=False, deleted=False)
        if address is not None:
            dated = self.world.now - timedelta(days=self.random.randrange(5, 900))
            self._platform.unsubscribe(address, source="Account", at=dated)
            self.notes.opts_out(match_key(address), self.world.now, dated=dated)

    def _opt_out_and_delete(self) -> None:
        address = self._somebody(opted_out=False, deleted=False)
        if address is not None:
            self._platform.unsubscribe(address)
            self._platform.delete(address)
            self.notes.opts_out(match_key(address), self.world.now)

    def _delete(self) -> None:
        address = self._somebody(deleted=False)
        if address is not None:
            self._platform.delete(address)
            self.notes.mailable.discard(match_key(address))

    def _revive(self) -> None:
        address = self._somebody(deleted=True)
        if address is not None:
            email = self._platform.revive(address).email
            if email is not None and email.permission in MAILABLE:
                self.notes.mailable.add(match_key(address))

    def _resubscribe(self) -> None:
        address = self._somebody(opted_out=True)
        if address is not None:
            self._platform.resubscribe(address)
            self.notes.comes_back(match_key(address))

    def _rename(self) -> None:
        address, new = self._somebody(deleted=False), self._new_address()
        if address is None:
            return
        if match_key(address) in self.notes.mailable:
            self.notes.mailable.add(match_key(new))
        self.notes.leaves(match_key(address))
        if self._platform.rename(address, new).unsubscribed:
            self.notes.opts_out(match_key(new), self.world.now, dated=LONG_AGO)

    def _merge(self) -> None:
        gone, into = self._somebody(), self._somebody(deleted=False)
        if gone is not None and into is not None and gone != into:
            self._platform.merge(gone, into)
            self.notes.leaves(match_key(gone))

    def _re_add(self) -> None:
        """Somebody who opted out, and whose contact is gone, is on a list that staff import."""
        account = self._platform.backend.account
        known = {match_key(each.email.address) for each in account if each.email is not None}
        gone = sorted(self.notes.kept - known)
        if gone:
            address = self.random.choice(gone)
            self._platform.add(address)
            self.notes.mailable.add(address)

    def _consent(self) -> None:
        """Somebody who came back gives the company a consent to keep."""
        back = sorted(self.notes.kept & self.notes.mailable)
        if back:
            key = self.random.choice(back)
            self.world.later(minutes=10)
            with self.world.ledger() as ledger:
                consent = Consent(Address.parse(key), "desk", self.world.now, facts=(str(self.number),))
                ledger.append([consent], actor="test")
            self.number += 1
            self.notes.consents(key, self.world.now)

    def _join(self) -> None:
        address = self._new_address()
        self._platform.add(address)
        self.notes.mailable.add(match_key(address))

    def _new_address(self) -> str:
        self.number += 1
        return f"new{self.number}@example.com"

    @property
    def _platform(self) -> Simulator:
        return self.world.platform

    # --- The end -----------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """One census in peace: the ledger is the notebook, and who came back without consent is in drift."""
        self._platform.strike()
        self.in_peace = True
        self.world.later(days=1)
        self._night(full=True)
        result = None
        while result is None:
            result = self.run(True)
        assert 0 == result.code
        ledger = self.world.suppressed()
        self.notes.look(ledger)
        assert ledger == self.notes.kept | self.notes.owed
        assert self.world.truth() - ledger <= set(self.notes.consented)
        assert self.world.sound()
        self._measure(result)

    def _measure(self, result: Outcome) -> None:
        with self.world.ledger() as ledger:
            in_drift = self.notes.kept & self.notes.mailable
            for key in self.notes.kept:
                history = [each.entry for each in ledger.history(Address.parse(key))]
                assert key not in in_drift or any(isinstance(each.body, DriftFound) for each in history)
                told = self.notes.told.get(key)
                if told is not None:
                    entries = [each.at for each in history if isinstance(each.body, OptOutRecorded)]
                    self._time(min(at for at in entries if at >= told) - told, stale=key in self.notes.stale)
        assert len(in_drift) == result.drift
        self.story.people = len(self.notes.kept)
        self.story.drift = len(in_drift)

    def _time(self, took: timedelta, *, stale: bool) -> None:
        if stale:
            self.story.worst_stale = max(self.story.worst_stale, took)
        else:
            self.story.worst = max(self.story.worst, took)
