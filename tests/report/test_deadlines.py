"""Deadlines met and missed: every figure equals a slow and separate reading of the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppress.core import calendars
from suppress.core.entry import (
    DestinationChanged,
    Entry,
    Erased,
    Forgotten,
    Honoured,
    OptInRecorded,
    OptOutRecorded,
    SyncDone,
)
from suppress.core.policy import choose
from suppress.core.suppression import Channel, Origin, Reason, Scope
from suppress.errors import ConfigWrong
from suppress.report.deadlines import NOBODY, Deadlines
from suppress.report.judging import State
from suppress.report.people import Clock
from tests.report.books import Book, annulled, day
from tests.report.histories import histories

ZONE = ZoneInfo("America/New_York")
(CAN_SPAM,) = choose("us.can-spam").versions


# --- A slow and separate reading of the rules ------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """One request as the naive reading has it: its destinations with their states."""

    seq: int
    places: dict[str, State]
    overall: State


def local(entry: Entry) -> date:
    return entry.at.astimezone(ZONE).date()


def naive(entries: Sequence[Entry], today: date) -> dict[int, Judged]:
    """Each request of the whole ledger, judged by walking all entries again for it alone."""
    struck = annulled(entries)
    return {
        entry.seq: _judged(entries, entry, entry.body, today)
        for entry in entries
        if isinstance(entry.body, OptOutRecorded)
        and entry.seq not in struck
        and entry.body.channel is Channel.EMAIL
        and entry.body.reason is not Reason.BOUNCED
    }


def _judged(entries: Sequence[Entry], request: Entry, body: OptOutRecorded, today: date) -> Judged:
    clock = body.received_at or body.occurred_at or request.at
    started = clock.astimezone(ZONE).date()
    due = calendars.due(CAN_SPAM, started)
    learned = local(request)
    ended = _ended(entries, request, body)
    joined = _joined(entries)
    excusable = body.origin is not Origin.PERSON and not _watched(entries, body.source, started)
    places: dict[str, State] = {}
    for name, start in joined.items():
        honoured = _honoured(entries, name, request, body)
        if ended is not None and (honoured is None or honoured > ended):
            honoured = None
            if start > ended:
                continue
        if honoured is not None and honoured <= due.lenient:
            places[name] = State.MET if honoured <= due.strict else State.MET_AFTER_STRICT
            continue
        if learned > due.lenient:
            inherited = excusable
        elif start > due.lenient:
            inherited = body.origin is Origin.PLATFORM or any(each <= due.lenient for each in joined.values())
        else:
            inherited = False
        limit = calendars.due(CAN_SPAM, max(learned, start)).lenient if inherited else due.lenient
        places[name] = _state(honoured, ended, today, limit, due.strict, inherited=inherited)
    if not places and body.origin is not Origin.PLATFORM:
        if learned > due.lenient and excusable:
            places[NOBODY] = State.ENDED if ended else State.INHERITED_OPEN
        else:
            places[NOBODY] = _state(None, ended, today, due.lenient, due.strict, inherited=False)
    base = [State.MET] if body.origin is Origin.PLATFORM else []
    return Judged(request.seq, places, max([*base, *places.values()], key=lambda state: state.urgency))


def _state(
    honoured: date | None, ended: date | None, today: date, limit: date, strict: date, *, inherited: bool
) -> State:
    if honoured is not None:
        return State.INHERITED if inherited and honoured <= limit else State.LATE
    if ended is not None:
        return State.ENDED if ended <= limit else State.LATE
    if today > limit:
        return State.OVERDUE
    if inherited:
        return State.INHERITED_OPEN
    return State.OPEN if today <= strict else State.AT_RISK


def _joined(entries: Sequence[Entry]) -> dict[str, date]:
    """The first day of each destination (none is ever removed in these histories)."""
    found: dict[str, date] = {}
    for entry in entries:
        if isinstance(entry.body, (Honoured, DestinationChanged)):
            found.setdefault(entry.body.destination, local(entry))
    return found


def _watched(entries: Sequence[Entry], source: str, started: date) -> bool:
    runs = [
        local(entry)
        for entry in entries
        if isinstance(entry.body, SyncDone) and entry.body.source == source and entry.body.complete
    ]
    return any(run < started for run in runs)


def _honoured(entries: Sequence[Entry], name: str, request: Entry, body: OptOutRecorded) -> date | None:
    """The first receipt that covers the request and names none of this person's as failed."""
    owners = {each.seq: each.body.subject for each in entries if isinstance(each.body, OptOutRecorded)}
    for entry in entries:
        receipt = entry.body
        if (
            isinstance(receipt, Honoured)
            and receipt.destination == name
            and receipt.upto >= request.seq
            and body.subject not in {owners[seq] for seq in receipt.failed}
        ):
            return local(entry)
    return None


def _ended(entries: Sequence[Entry], request: Entry, body: OptOutRecorded) -> date | None:
    """The day of the first consent, erasure or forgetting that ended this request."""
    latest = body.occurred_at or request.at
    for entry in entries:
        what = entry.body
        if isinstance(what, OptInRecorded):
            lifts = (
                what.subject == body.subject
                and what.channel is body.channel
                and what.scope.covers(body.scope)
                and min(what.occurred_at, entry.at) > latest
            )
            if lifts:
                return max(local(entry), local(request))
        elif (
            isinstance(what, (Erased, Forgotten)) and what.subject == body.subject and entry.seq > request.seq
        ):
            return local(entry)
    return None


# --- The two agree ---------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(consents_may_be_struck_out=False), st.sampled_from([0, 1, 14, 16, 60]))
def test_every_request_is_judged_as_the_slow_reading_judges_it(book: Book, later: int) -> None:
    """Totals, destinations and the misses one by one, in any history and on any day after it."""
    now = book.now + timedelta(days=later)
    facts = book.facts(as_of=now, zone="America/New_York")
    expected = naive(book.entries, now.astimezone(ZONE).date())
    found = facts.deadlines

    overall = Counter(each.overall for each in expected.values())
    assert {state: found.overall.count(state) for state in State} == {
        state: overall[state] for state in State
    }
    by_place = Counter(place for each in expected.values() for place in each.places.items())
    assert by_place == +Counter(
        {
            (tally.destination or "", state): tally.count(state)
            for tally in found.destinations
            for state in State
        }
    )
    missed = {
        (each.seq, name): state
        for each in expected.values()
        for name, state in each.places.items()
        if state in (State.LATE, State.OVERDUE)
    }
    assert {(miss.seq, miss.destination): miss.state for miss in found.missed} == missed
    assert found.holds


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.sampled_from([None, "2026-09-20", "2026-11-01"]))
def test_every_line_adds_up_under_several_policies(book: Book, since: str | None) -> None:
    """No request is lost between states, policies, destinations and last days."""
    found = book.facts(
        since=since, as_of="2030-01-01", policies=("us.can-spam", "mbp.google-yahoo", "eu.gdpr")
    ).deadlines

    assert found.holds
    assert sum(found.clocks.values()) == found.overall.requests


# --- Cases that a reader can check in their head ----------------------------------------------------------


def told_on(honoured: str, *, as_of: str | None = None, received: str = "2026-11-20") -> Deadlines:
    """One request, received on a day before it was recorded at once, told to `crm` on another."""
    book = Book()
    book.destination("crm")
    book.on(received).opt_out("ann", received=received, acted=received)
    book.on(honoured).told("crm")
    return book.facts(as_of=as_of).deadlines


@pytest.mark.parametrize(
    ("received", "strict", "lenient"),
    [
        ("2026-11-20", "2026-12-02", "2026-12-07"),
        ("2026-12-18", "2026-12-30", "2027-01-05"),
        ("2026-10-09", "2026-10-21", "2026-10-26"),
    ],
)
def test_the_dates_are_those_of_the_policy(received: str, strict: str, lenient: str) -> None:
    """Ten business days over Thanksgiving, over New Year and over Columbus Day."""
    after = day(lenient) + timedelta(days=1)
    (miss,) = told_on(after.isoformat(), received=received).missed

    assert (miss.strict, miss.lenient) == (day(strict), day(lenient))
    assert (miss.state, miss.days_over) == (State.LATE, 1)


def test_the_last_day_is_the_senders_and_not_utcs() -> None:
    """Four in the morning UTC of the day after is still the last evening in New York."""
    book = Book()
    book.destination("crm")
    book.on("2026-11-20").opt_out("ann", received="2026-11-20")
    book.on(datetime(2026, 12, 8, 4, tzinfo=UTC)).told("crm")

    assert book.facts(zone="America/New_York").deadlines.overall.met_after_strict == 1
    assert book.facts(zone="UTC").deadlines.overall.late == 1


class TestClock:
    """The clock starts at receipt, and a missing date is replaced by the next best and counted."""

    def test_receipt_comes_first(self) -> None:
        """The person acted three days before our mailbox had it."""
        book = Book().on("2026-11-20")
        book.opt_out("ann", acted="2026-11-17", received="2026-11-20", origin=Origin.PERSON)
        (miss,) = book.facts(as_of="2027-01-01").deadlines.missed

        assert (miss.clock, miss.started) == (Clock.RECEIVED, day("2026-11-20"))

    def test_without_receipt_the_persons_act_stands_in(self) -> None:
        """It can only be earlier, so nobody is favoured."""
        book = Book().on("2026-11-20")
        book.opt_out("ann", acted="2026-11-17", origin=Origin.PERSON)
        facts = book.facts(as_of="2027-01-01")

        assert [miss.clock for miss in facts.deadlines.missed] == [Clock.ACTED]
        assert any("without a date of receipt" in limit for limit in facts.limits)

    def test_without_any_date_the_entry_stands_in(self) -> None:
        """And the report says that the true deadline may have been earlier."""
        book = Book().on("2026-11-20")
        book.opt_out("ann", origin=Origin.PERSON)
        facts = book.facts(as_of="2027-01-01")

        assert [miss.started for miss in facts.deadlines.missed] == [day("2026-11-20")]
        assert any("without any date" in limit for limit in facts.limits)

    def test_another_trigger_counts_from_the_act(self) -> None:
        """Canada's clock starts when the request was sent."""
        book = Book().on("2026-11-20")
        book.opt_out("ann", acted="2026-11-17", received="2026-11-20", origin=Origin.PERSON)
        (miss,) = book.facts(as_of="2027-01-01", policies=("ca.casl",)).deadlines.missed

        assert miss.started == day("2026-11-17")


class TestDestinations:
    """Each active destination owes each request; the request stands as its worst destination does."""

    def test_the_worst_destination_decides(self) -> None:
        """Told in time here and too late there, the request is late."""
        book = Book()
        book.destination("crm")
        book.destination("mail")
        book.on("2026-11-20").opt_out("ann", received="2026-11-20")
        book.later(days=1).told("crm")
        book.on("2027-01-15").told("mail")
        found = book.facts().deadlines

        assert (found.overall.late, found.overall.requests) == (1, 1)
        assert [(each.destination, each.met, each.late) for each in found.destinations] == [
            ("crm", 1, 0),
            ("mail", 0, 1),
        ]

    def test_a_platform_request_without_destinations_was_met_where_it_was_made(self) -> None:
        """The platform stopped mailing when the person acted."""
        book = Book()
        book.opt_out("ann", acted="2026-08-30")

        assert book.facts(as_of="2027-01-01").deadlines.overall.met == 1

    def test_a_phone_request_without_destinations_is_overdue(self) -> None:
        """Somebody must be told."""
        book = Book()
        book.opt_out("ann", received="2026-08-30", origin=Origin.PERSON)
        (miss,) = book.facts(as_of="2027-01-01").deadlines.missed

        assert (miss.destination, miss.state) == (NOBODY, State.OVERDUE)
        assert miss.cause == "no destination was there to be told"

    def test_what_a_destination_refused_is_missed_until_it_takes_it(self) -> None:
        """A watermark passes over it; a later receipt without it in `failed` covers it."""
        book = Book()
        book.destination("crm")
        seq = book.on("2026-11-20").opt_out("ann", received="2026-11-20")
        book.later(days=1).told("crm", failed=[seq])
        overdue = book.facts(as_of="2027-01-01").deadlines
        book.on("2026-12-01").told("crm")
        met = book.facts(as_of="2027-01-01").deadlines

        assert [(miss.state, miss.cause) for miss in overdue.missed] == [
            (State.OVERDUE, "the destination did not take it in time")
        ]
        assert met.overall.met == 1

    def test_a_failure_counts_for_all_requests_of_the_person(self) -> None:
        """An exporter names the leading entry; the person was not taken under any of them."""
        book = Book()
        book.destination("crm")
        first = book.on("2026-11-20").opt_out("ann", received="2026-11-20")
        book.opt_out("ann", received="2026-11-20", reason=Reason.ACCOUNT)
        book.later(days=1).told("crm", failed=[first])

        assert book.facts(as_of="2027-01-01").deadlines.overall.overdue == 2

    def test_a_failure_after_it_was_honoured_takes_nothing_back(self) -> None:
        """The first receipt that covers the request stands."""
        book = Book()
        book.destination("crm")
        seq = book.on("2026-11-20").opt_out("ann", received="2026-11-20")
        book.later(days=1).told("crm")
        book.later(days=1).told("crm", failed=[seq])

        assert book.facts(as_of="2027-01-01").deadlines.overall.met == 1

    def test_a_failed_entry_that_is_no_request_is_passed_over(self) -> None:
        """A plugin that names something else spoils nothing."""
        book = Book()
        seq = book.on("2026-11-20").opt_out("ann", received="2026-11-20")
        book.later(days=1).told("crm", failed=[0, seq - 1])

        assert book.facts().deadlines.overall.met == 1

    def test_a_receipt_of_one_part_moves_no_watermark(self) -> None:
        """An export in parts receipts each part with the old watermark, minus one before the first."""
        book = Book()
        book.on("2026-11-20").opt_out("ann", received="2026-11-20")
        book.later(days=1).told("crm", upto=-1)

        assert book.facts().deadlines.overall.open == 1

    def test_removed_in_time_it_owes_nothing(self) -> None:
        """A platform that was given up before the last day mails nobody."""
        book = Book()
        book.destination("crm")
        book.on("2026-11-20").opt_out("ann", received="2026-11-20")
        book.later(days=1).destination("crm", "removed")

        assert book.facts(as_of="2027-01-01").deadlines.overall.met == 1

    def test_removed_too_late_the_miss_stays(self) -> None:
        """Taking a destination away does not take its misses away."""
        book = Book()
        book.destination("crm")
        book.on("2026-11-20").opt_out("ann", received="2026-11-20")
        book.on("2026-12-20").destination("crm", "removed")
        (miss,) = book.facts(as_of="2027-01-01").deadlines.missed

        assert (miss.state, miss.cause) == (State.LATE, "it ended before the destination was told")

    def test_what_it_honoured_before_it_was_removed_is_counted(self) -> None:
        """History is not rewritten by a change of settings."""
        book = Book()
        book.on("2026-11-20").opt_out("ann", received="2026-11-20")
        book.later(days=1).told("crm")
        book.later(days=1).destination("crm", "removed")

        assert [each.met for each in book.facts(as_of="2027-01-01").deadlines.destinations] == [1]

    def test_added_again_it_owes_again(self) -> None:
        """A request that came while it was away is inherited by it."""
        book = Book()
        book.destination("crm")
        book.later(days=1).destination("crm", "removed")
        book.destination("crm", "removed")
        book.on("2026-11-20").opt_out("ann", received="2026-11-20")
        book.on("2027-06-01").destination("crm")
        book.later(days=1).told("crm")
        found = book.facts().deadlines

        assert found.overall.inherited == 1
        assert [(each.source, each.destination, each.honoured_first) for each in found.inherited] == [
            ("main", "crm", day("2027-06-02"))
        ]

    def test_reconfigured_alone_makes_it_active_for_nobody(self) -> None:
        """Only an addition or a receipt does."""
        book = Book()
        book.destination("crm", "reconfigured")
        book.opt_out("ann", received="2026-09-01", origin=Origin.PERSON)

        assert [each.destination for each in book.facts().deadlines.destinations] == [NOBODY]


class TestEnded:
    """What a consent, an erasure or a forgetting ends is owed to nobody, and was missed if it was."""

    def test_a_consent_ends_what_is_owed(self) -> None:
        """A watermark that later passes over the request honours nobody."""
        book = Book()
        book.destination("crm")
        book.on("2026-11-20").opt_out("ann", received="2026-11-20", origin=Origin.PERSON)
        book.later(days=1).consent("ann")
        book.on("2027-01-15").told("crm")

        assert book.facts().deadlines.overall.ended == 1

    def test_a_narrower_consent_ends_nothing(self) -> None:
        """A wish for one newsletter leaves the rest forbidden."""
        book = Book()
        book.destination("crm")
        book.on("2026-11-20").opt_out("ann", received="2026-11-20")
        book.later(days=1).consent("ann", scope=Scope("Acme", "News"))

        assert book.facts(as_of="2027-01-15").deadlines.overall.overdue == 1

    def test_a_struck_out_consent_owes_again(self) -> None:
        """It was recorded for the wrong person."""
        book = Book()
        book.destination("crm")
        book.on("2026-11-20").opt_out("ann", received="2026-11-20")
        consent = book.later(days=1).consent("ann")
        book.later(days=1).corrected(consent)

        assert book.facts(as_of="2027-01-15").deadlines.overall.overdue == 1

    def test_an_older_request_than_the_consent_is_owed_to_nobody(self) -> None:
        """It was lifted before the ledger learned of it."""
        book = Book()
        book.destination("crm")
        book.on("2026-11-20").consent("ann")
        book.later(days=1).opt_out("ann", acted="2026-11-01", received="2026-11-01", origin=Origin.PERSON)

        assert book.facts(as_of="2027-01-15").deadlines.overall.requests == 1
        assert book.facts(as_of="2027-01-15").deadlines.overall.overdue == 0

    def test_an_erased_person_cannot_be_told_any_more(self) -> None:
        """Erased in time, a destination that did not have them owes nothing; nor does a later one."""
        book = Book()
        book.destination("crm")
        book.on("2026-11-20").opt_out("ann", received="2026-11-20")
        book.later(days=1).erased("ann")
        book.erased("never heard of")
        book.on("2027-06-01").destination("mail")

        assert book.facts(as_of="2027-09-01").deadlines.overall.overdue == 0

    def test_a_struck_out_entry_is_not_judged(self) -> None:
        """It is counted apart and said."""
        book = Book()
        wrong = book.opt_out("ann", origin=Origin.PERSON)
        book.corrected(wrong)
        facts = book.facts(as_of="2027-01-15")

        assert (facts.deadlines.overall.requests, facts.deadlines.struck_out) == (0, 1)
        assert any("struck out" in limit for limit in facts.limits)


class TestLeftOut:
    """What has no deadline is counted apart, never silently dropped."""

    def test_a_bounce_is_no_request(self) -> None:
        """It is suppressed and has no deadline."""
        book = Book()
        book.opt_out("ann", reason=Reason.BOUNCED)
        facts = book.facts()

        assert (facts.deadlines.overall.requests, facts.deadlines.bounced) == (0, 1)
        assert any("bounce" in limit for limit in facts.limits)

    def test_other_channels_are_not_told(self) -> None:
        """Destinations are told about e-mail."""
        book = Book()
        book.opt_out("ann", channel=Channel.SMS)
        facts = book.facts()

        assert (facts.deadlines.overall.requests, facts.deadlines.other_channels) == (0, 1)
        assert any("other channels" in limit for limit in facts.limits)

    def test_before_a_policy_was_in_force_it_judges_nothing(self) -> None:
        """CAN-SPAM is in force since 2004."""
        book = Book()
        book.opt_out("ann", acted="1999-05-05")
        facts = book.facts()

        assert facts.deadlines.not_judged == {"us.can-spam": 1}
        assert facts.deadlines.holds
        assert any("not judged under us.can-spam" in limit for limit in facts.limits)

    def test_two_days_are_for_those_who_clicked(self) -> None:
        """The mailbox providers' rule is about one-click requests and not about letters."""
        book = Book()
        book.opt_out("ann", received="2026-09-01", origin=Origin.PERSON, reason=Reason.REQUESTED)
        book.opt_out("bob", received="2026-09-01", origin=Origin.PERSON, reason=Reason.UNSUBSCRIBED)
        found = book.facts(as_of="2026-09-04", policies=("us.can-spam", "mbp.google-yahoo")).deadlines

        assert found.not_judged == {"us.can-spam": 0, "mbp.google-yahoo": 1}
        assert [(miss.subject, miss.policy) for miss in found.missed] == [("bob", "mbp.google-yahoo")]
        assert (found.overall.open, found.overall.overdue) == (1, 1)

    def test_a_policy_about_something_else_is_listed_and_not_applied(self) -> None:
        """The TCPA is about calls and texts."""
        book = Book()
        book.opt_out("ann", origin=Origin.PERSON)
        facts = book.facts(policies=("us.tcpa",), as_of="2027-01-01")

        assert [(each.id, each.applied) for each in facts.policies] == [("us.tcpa", False)]
        assert facts.deadlines.policies == ()
        assert facts.exposure is None

    def test_an_unknown_policy_is_refused(self) -> None:
        """A misspelt policy must not quietly judge nothing."""
        with pytest.raises(ConfigWrong, match="there is no policy"):
            Book().facts(policies=("us.canspam",))


class TestPeriod:
    """A period counts what was recorded in it and what was still owed when it began."""

    def test_settled_before_it_is_left_out(self) -> None:
        """Honoured in September, it is no part of October's report."""
        book = Book()
        book.destination("crm")
        book.opt_out("ann", received="2026-09-01")
        book.later(days=1).told("crm")

        assert book.facts(since="2026-10-01", as_of="2026-10-31").deadlines.overall.requests == 0

    def test_still_owed_when_it_began_it_is_carried_in(self) -> None:
        """An overdue request shows in every report until it is honoured, and in that one."""
        book = Book()
        book.destination("crm")
        book.opt_out("ann", received="2026-09-01")

        assert book.facts(since="2026-11-01", as_of="2026-11-30").deadlines.overall.overdue == 1

        book.on("2026-11-15").told("crm")

        assert book.facts(since="2026-11-01", as_of="2026-11-30").deadlines.overall.late == 1
        assert book.facts(since="2026-12-01", as_of="2026-12-31").deadlines.overall.requests == 0

    def test_recorded_after_it_is_left_out(self) -> None:
        """What was learned later belongs to the next period."""
        book = Book()
        book.on("2026-10-02").opt_out("ann", origin=Origin.PERSON)

        assert book.facts(until="2026-10-01", as_of="2027-01-01").deadlines.overall.requests == 0


def test_causes_tell_what_went_wrong() -> None:
    """Each kind of miss has its own cause."""
    book = Book()
    book.destination("crm")
    book.sync(mode="window")
    book.on("2026-11-20")
    book.opt_out("desk", received="2026-10-01", origin=Origin.PERSON)
    book.opt_out("unread", acted="2026-10-01", received="2026-10-01")
    book.opt_out("file", acted="2020-01-01", origin=Origin.FILE, source="old.csv")
    book.opt_out("slow", received="2026-11-20")
    book.on("2027-01-15").told("crm")
    book.opt_out("late place", received="2027-01-15", origin=Origin.PERSON)

    causes = {miss.subject: miss.cause for miss in book.facts().deadlines.missed}

    assert causes == {
        "desk": "recorded in the ledger after its last day",
        "unread": "the source was not read in time",
        "file": "found late, then not passed on within the policy's time",
        "slow": "not exported in time",
    }


def test_a_first_destination_after_the_last_day_is_named_as_the_cause() -> None:
    """The phone request was recorded in time; the first destination came too late."""
    book = Book()
    book.opt_out("ann", received="2026-09-01", origin=Origin.PERSON)
    book.on("2026-12-01").told("crm")
    (miss,) = book.facts().deadlines.missed

    assert (miss.state, miss.cause) == (State.LATE, "no destination was told in time")


def test_waiting_requests_are_listed_by_their_last_day() -> None:
    """Two requests of one day wait together."""
    book = Book()
    book.destination("crm")
    book.on("2026-11-20")
    book.opt_out("ann", received="2026-11-20")
    book.opt_out("bob", received="2026-11-20")
    (pending,) = book.facts(as_of="2026-12-03").deadlines.pending

    assert (pending.strict, pending.lenient) == (day("2026-12-02"), day("2026-12-07"))
    assert (pending.requests, pending.state) == (2, State.AT_RISK)
