"""A period's days are the sender's, and its ends are where the sender's days begin and end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from suppress.errors import BadUsage, ConfigWrong
from suppress.report.period import Period, Zone
from tests.report.books import Book, day, noon

NEW_YORK = Zone.named("America/New_York")


def test_a_day_begins_at_the_senders_midnight() -> None:
    """New York is five hours behind in winter and four in summer."""
    period = Period.between(day("2026-07-01"), day("2026-12-31"), as_of=noon("2027-01-01"), zone=NEW_YORK)

    assert period.start == datetime(2026, 7, 1, 4, tzinfo=UTC)
    assert period.end == datetime(2027, 1, 1, 5, tzinfo=UTC)


def test_both_ends_belong_to_it() -> None:
    """The first instant of the first day and the last of the last; not the one after."""
    period = Period.between(day("2026-10-01"), day("2026-10-31"), as_of=noon("2027-01-01"), zone=NEW_YORK)
    assert period.start is not None

    assert period.holds(period.start)
    assert not period.holds(period.start - timedelta(microseconds=1))
    assert period.holds(period.end - timedelta(microseconds=1))
    assert not period.holds(period.end)


def test_without_ends_it_is_everything_up_to_today() -> None:
    """Today is the sender's: three in the morning UTC is still yesterday in New York."""
    period = Period.between(None, None, as_of=datetime(2026, 10, 2, 3, tzinfo=UTC), zone=NEW_YORK)

    assert (period.since, period.until) == (None, day("2026-10-01"))
    assert period.holds(datetime(1970, 1, 1, tzinfo=UTC))


def test_ending_before_it_begins_is_wrong_usage() -> None:
    """It would be an empty report that looks like a good one."""
    with pytest.raises(BadUsage, match="ends on 2026-10-01 before it begins on 2026-10-02"):
        Period.between(day("2026-10-02"), day("2026-10-01"), as_of=noon("2027-01-01"), zone=NEW_YORK)


def test_an_unknown_time_zone_is_named() -> None:
    """The settings are wrong, not the ledger."""
    with pytest.raises(ConfigWrong, match="'Mars/Olympus' is not a time zone"):
        Zone.named("Mars/Olympus")


def test_entries_are_counted_in_their_period() -> None:
    """And the report says when the ledger's first and last entries were."""
    book = Book()
    book.opt_out("ann")
    book.on("2026-10-05").opt_out("bob")
    book.on("2026-11-05").opt_out("cyd")
    manifest = book.facts(since="2026-10-01", until="2026-10-31").manifest

    assert manifest.entries_in_period == 1
    assert (manifest.first_entry, manifest.last_entry) == (noon("2026-09-01"), noon("2026-11-05"))


def test_entries_ahead_of_the_reports_clock_are_counted_and_said() -> None:
    """A clock was wrong somewhere; leaving them out would hide people."""
    book = Book()
    book.on("2026-10-05").opt_out("ann")
    facts = book.facts(as_of="2026-10-04", until="2026-10-31")

    assert facts.verdict.suppressed == 1
    assert any("1 entry dated after the moment of this report" in limit for limit in facts.limits)


def test_the_maximum_penalty_is_that_of_the_day_and_of_what_was_missed() -> None:
    """One request overdue: the amount in force, once."""
    from suppress.core.suppression import Origin

    book = Book()
    book.opt_out("ann", received="2026-09-01", origin=Origin.PERSON)
    exposure = book.facts(as_of="2026-11-01").exposure

    assert exposure is not None
    assert (exposure.dollars, exposure.missed, exposure.one_message_each) == (53_088, 1, 53_088)


def test_before_the_first_amount_on_record_none_is_said() -> None:
    """The table of maxima begins in 2016."""
    book = Book(now=noon("2012-01-01"))

    assert book.facts().exposure is None
