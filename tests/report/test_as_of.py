"""A report as of an earlier instant, periods that part the time, and policies that never rewrite a report."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppress.core.policy import Chosen, Policy, choose
from suppress.core.suppression import Channel, Origin
from suppress.report.facts import Facts
from suppress.report.policies import rules
from tests.report.books import Book, noon
from tests.report.histories import histories

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def instants(book: Book) -> st.SearchStrategy[datetime]:
    """Just before, at and after entries."""
    return st.builds(
        lambda at, off: at + timedelta(microseconds=off),
        st.sampled_from(sorted({entry.at for entry in book.entries})),
        st.sampled_from([-1, 0, 1]),
    ).filter(lambda moment: moment >= book.entries[0].at)


@SLOW
@given(st.data(), histories(), st.booleans(), st.sampled_from([None, "2026-08-01"]))
def test_it_equals_the_report_of_the_ledger_as_it_was_then(
    data: st.DataObject, book: Book, leaves: bool, since: str | None
) -> None:
    """Whatever came later, corrections and consents among it, changes nothing in it."""
    then = data.draw(instants(book))
    prefix = Book(now=book.now, entries=[])
    prefix.entries = [entry for entry in book.entries if entry.at <= then]

    def facts(which: Book) -> Facts:
        return which.facts(as_of=then, cut=True, since=since, sample=2, from_leaves=leaves)

    assert facts(book) == facts(prefix)


@SLOW
@given(histories())
def test_months_part_the_year(book: Book) -> None:
    """Each new request, movement and entry is in exactly one month; the months carry on from one another."""
    whole = book.facts(since="2026-09-01", until="2029-12-31", as_of="2030-01-01")
    parts = [
        book.facts(since=since, until=until, as_of="2030-01-01")
        for since, until in (
            ("2026-09-01", "2026-09-30"),
            ("2026-10-01", "2026-10-31"),
            ("2026-11-01", "2026-12-31"),
            ("2027-01-01", "2029-12-31"),
        )
    ]

    assert whole.manifest.entries_in_period == sum(each.manifest.entries_in_period for each in parts)
    assert whole.population.hidden_count == sum(each.population.hidden_count for each in parts)
    assert whole.population.deleted == sum(each.population.deleted for each in parts)
    for channel in Channel:
        lines = [each.roll_forward.total(channel) for each in parts]
        total = whole.roll_forward.total(channel)
        for movement in ("new", "re_asserted", "re_consented", "corrected", "forgotten"):
            assert getattr(total, movement) == sum(getattr(each, movement) for each in lines)
        assert (total.opening, total.closing) == (lines[0].opening, lines[-1].closing)
        assert all(one.closing == other.opening for one, other in pairwise(lines))
    acts = [len(each.activity.consents) + len(each.activity.exports) for each in (whole, *parts)]
    assert acts[0] == sum(acts[1:])


def test_entries_after_it_are_left_out_and_it_says_so() -> None:
    """A correction of November is not in a report as of October."""
    book = Book()
    seq = book.on("2026-10-01").opt_out("ann", origin=Origin.PERSON)
    book.on("2026-11-01").corrected(seq)
    then, now = book.facts(as_of="2026-10-15", cut=True), book.facts(as_of="2026-10-15")

    assert (then.verdict.suppressed, now.verdict.suppressed) == (1, 1)
    assert (then.manifest.ledger.size, now.manifest.ledger.size) == (2, 3)
    assert then.deadlines.overall.requests == 1
    assert now.deadlines.struck_out == 1
    assert any("nothing later" in limit for limit in then.limits)


def test_the_last_day_is_judged_in_the_senders_zone() -> None:
    """Two minutes before midnight in New York the lenient date is not over, though in UTC it is."""
    book = Book()
    book.destination("crm")
    book.on("2026-11-20").opt_out("ann", received="2026-11-20", origin=Origin.PERSON)
    book.on("2026-12-20")
    before = datetime.fromisoformat("2026-12-08T04:58:00+00:00")

    def states(moment: datetime) -> tuple[int, int]:
        found = book.facts(as_of=moment, zone="America/New_York").deadlines.overall
        return found.at_risk, found.overdue

    assert states(before) == (1, 0)
    assert states(before + timedelta(minutes=2)) == (0, 1)
    assert book.facts(as_of=before).deadlines.overall.overdue == 1


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-11-01T03:59:59+00:00", "2026-10-31"),
        ("2026-11-01T04:00:00+00:00", "2026-11-01"),
        ("2026-11-02T04:59:59+00:00", "2026-11-01"),
        ("2026-03-08T04:59:59+00:00", "2026-03-07"),
        ("2026-03-09T03:59:59+00:00", "2026-03-08"),
    ],
)
def test_a_clock_starts_on_the_senders_day_also_when_clocks_change(moment: str, day: str) -> None:
    """The day of 25 hours and that of 23 each begin and end at the sender's midnight."""
    book = Book(now=noon("2026-01-01"))
    book.destination("crm")
    book.on("2026-12-01").opt_out("ann", received=moment, origin=Origin.PERSON)
    (miss,) = book.facts(as_of="2027-03-01", zone="America/New_York").deadlines.missed

    assert miss.started == date.fromisoformat(day)


# --- Policies -----------------------------------------------------------------------------------------------


def facts_under(book: Book, *versions: Policy) -> Facts:
    """The facts of the book under a policy with these versions, without the annex of policies."""
    found = book.facts(
        as_of="2027-06-01", chosen_policies=(Chosen("acme.rule", versions, "a file", "digest"),)
    )
    return replace(found, policies=())


@SLOW
@given(histories(), st.integers(0, 30))
def test_a_rule_that_changes_later_rewrites_no_report(book: Book, n: int) -> None:
    """A new version, in force after every clock has started, changes no judgement of the old one."""
    (shipped,) = choose("us.can-spam").versions
    old = replace(shipped, id="acme.rule")
    begins = date(2028, 1, 1)
    ended = replace(old, effective_to=begins - timedelta(days=1))
    new = replace(old, version=2, n=n, effective_from=begins)

    assert facts_under(book, ended, new) == facts_under(book, old)


@pytest.mark.parametrize(
    ("received", "lenient"), [("2026-11-20", "2026-12-07"), ("2026-11-23", "2026-11-25")]
)
def test_each_request_is_judged_by_the_version_of_its_day(received: str, lenient: str) -> None:
    """Ten business days until the twenty-second of November, two from the day after."""
    (shipped,) = choose("us.can-spam").versions
    old = replace(shipped, id="acme.rule", effective_to=date(2026, 11, 22))
    new = replace(shipped, id="acme.rule", version=2, n=2, effective_from=date(2026, 11, 23))
    (rule,) = rules((Chosen("acme.rule", (old, new), "a file", "digest"),))
    due = rule.due(date.fromisoformat(received))

    assert due is not None
    assert due.lenient == date.fromisoformat(lenient)
