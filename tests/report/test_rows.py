"""Leaves are read quickly, and say what the entries say that were read strictly."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppress.core.entry import Entry
from suppress.core.leaf import decode
from suppress.core.suppression import Origin, Reason, Scope
from suppress.errors import LedgerDamaged
from suppress.ledger.reading import decoded
from suppress.report.period import Zone
from suppress.report.rows import Passed, Row, Rows
from tests.report.books import Book, noon
from tests.report.histories import histories

ZONES = ["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.sampled_from(ZONES), st.sampled_from([None, "2026-09-20"]))
def test_facts_from_leaves_are_those_from_entries(book: Book, zone: str, since: str | None) -> None:
    """Every figure, under any zone and for any period."""
    quick = book.facts(from_leaves=True, zone=zone, since=since, sample=3, as_of="2030-01-01")

    assert quick == book.facts(zone=zone, since=since, sample=3, as_of="2030-01-01")


@settings(max_examples=300)
@given(
    st.datetimes(datetime(1960, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),
    st.sampled_from([*ZONES, "Africa/Monrovia"]),
    st.sampled_from([0, 1, 30, 59]),
)
def test_the_day_of_an_instant_is_the_zones_own(moment: datetime, zone: str, minute: int) -> None:
    """Also where clocks change at midnight, offsets have seconds, or a whole day was left out."""
    where = Zone.named(zone)
    for second in (0, 59):
        near = moment.replace(minute=minute, second=second)
        book = Book(now=datetime(2061, 1, 1, tzinfo=UTC))
        book.opt_out("ann", acted=near)
        (row,) = [each for each in Rows(where).of_entries(book.entries) if isinstance(each, Row)]

        assert date.fromordinal(row.acted) == near.astimezone(where.rules).date()


def test_two_instants_of_the_hour_in_which_the_day_changes() -> None:
    """05:00 UTC is midnight in New York; 18:15 is in Kathmandu."""
    for zone, before, after in (
        ("America/New_York", "2026-11-20T04:59:59.999999+00:00", "2026-11-20T05:00:00+00:00"),
        ("Asia/Kathmandu", "2026-11-20T18:14:59.999999+00:00", "2026-11-20T18:15:00+00:00"),
    ):
        book = Book(now=noon("2026-11-25"))
        book.opt_out("ann", acted=before)
        book.opt_out("bob", acted=after)
        rows = [each for each in Rows(Zone.named(zone)).of_entries(book.entries) if isinstance(each, Row)]

        assert rows[1].acted - rows[0].acted == 1


def test_a_text_that_looks_like_a_field_is_text() -> None:
    """An actor or a source may hold anything; its quotation marks are escaped in a leaf."""
    hostile = '","at":"2001-01-01T00:00:00.000000Z","type":"subject.added'
    book = Book()
    book.opt_out("ann", source=hostile, scope=Scope("Acme"))
    book.person("bob")
    book.entries = [replace(each, actor=hostile) for each in book.entries]
    found = list(Rows(Zone.named("UTC")).of_leaves([book.leaves()], decode))

    assert [type(each) for each in found] == [Entry, Row, Passed]
    assert {each.actor for each in found} == {hostile}
    assert isinstance(found[1], Row)
    assert found[1].kind.source == hostile


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"scope":"everything"', b'"scope":"sender:"'),
        (b'"reason":"unsubscribed"', b'"reason":"unsubscribt"'),
        (b'"occurred_at":null', b'"occurred_at":"20"'),
        (b'"subject":"ann"', b'"subject":7'),
        (b'"type":"optout.recorded"', b'"type":"optout.recorded"x'),
        (b'"channel":"email",', b""),
    ],
)
def test_what_cannot_be_read_quickly_is_read_strictly_and_refused(old: bytes, new: bytes) -> None:
    """`suppress status` reads a ledger that nobody verified: damage is named by its entry."""
    book = Book()
    book.opt_out("ann")
    leaves = book.leaves()
    assert old in leaves[1]
    leaves[1] = leaves[1].replace(old, new)

    with pytest.raises(LedgerDamaged, match="entry 1 cannot be read"):
        list(Rows(Zone.named("UTC")).of_leaves([leaves], decoded))


def test_kinds_are_shared_and_dates_tell_them_apart() -> None:
    """What a thousand requests have in common is kept once."""
    book = Book()
    for name in ("ann", "bob"):
        book.opt_out(name, origin=Origin.PERSON, reason=Reason.REQUESTED)
    book.opt_out("cyd", origin=Origin.PERSON, reason=Reason.REQUESTED, acted=book.now - timedelta(days=1))
    ann, bob, cyd = (
        each for each in Rows(Zone.named("UTC")).of_entries(book.entries) if isinstance(each, Row)
    )

    assert ann.kind is bob.kind
    assert cyd.kind is not ann.kind
    assert (ann.kind.dated, cyd.kind.dated) == (False, True)
