"""A request at a destination is judged by days, and each day stands on the right side of its line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from suppress.core.suppression import Origin
from suppress.report.judging import Owed, State, judge, last_day
from tests.report.books import day

# Received on Friday 2026-11-20 under us.can-spam (reference table of the law).
STRICT, LENIENT = day("2026-12-02"), day("2026-12-07")
BASE = Owed(
    strict=STRICT,
    lenient=LENIENT,
    learned=day("2026-11-20"),
    origin=Origin.PLATFORM,
    watched=False,
    told_someone=True,
    joined=day("2026-01-01"),
    honoured=None,
    left=None,
)


def lenient_from(start: date) -> date:
    """A policy of ten plain days, easy to count."""
    return start + timedelta(days=10)


def judged(today: str = "2026-11-23", **changes: object) -> State:
    owed = replace(BASE, **changes)  # type: ignore[arg-type]  # names of Owed's fields
    return judge(owed, day(today), lenient_from)


@pytest.mark.parametrize(
    ("honoured", "state"),
    [
        ("2026-11-20", State.MET),
        ("2026-12-02", State.MET),
        ("2026-12-03", State.MET_AFTER_STRICT),
        ("2026-12-07", State.MET_AFTER_STRICT),
        ("2026-12-08", State.LATE),
    ],
)
def test_both_dates_are_the_last_days_that_still_count(honoured: str, state: State) -> None:
    """Honoured on the strict or lenient date itself is in time; the day after is not."""
    assert judged(honoured=day(honoured), today="2027-01-15") is state


@pytest.mark.parametrize(
    ("today", "state"),
    [
        ("2026-12-02", State.OPEN),
        ("2026-12-03", State.AT_RISK),
        ("2026-12-07", State.AT_RISK),
        ("2026-12-08", State.OVERDUE),
    ],
)
def test_unhonoured_is_open_then_at_risk_then_overdue(today: str, state: State) -> None:
    """The same two lines decide about a request that waits."""
    assert judged(today=today) is state


class TestInherited:
    """A deadline that had passed before anyone here could know is shown, and is no miss."""

    LEARNED = day("2026-12-08")

    def test_found_after_its_last_day(self) -> None:
        """Learned the day after the lenient date and passed on: inherited."""
        assert judged(learned=self.LEARNED, honoured=day("2026-12-18")) is State.INHERITED

    def test_found_on_its_last_day(self) -> None:
        """Learned on the lenient date itself, the normal clock holds."""
        assert judged(learned=LENIENT, honoured=day("2026-12-08")) is State.LATE

    def test_it_must_be_passed_on_within_the_policys_time_from_then(self) -> None:
        """Ten days from the day we knew; one day more is late."""
        assert judged(learned=self.LEARNED, honoured=day("2026-12-19")) is State.LATE

    def test_it_waits_and_then_is_overdue(self) -> None:
        """Unhonoured it is inherited and open, and overdue after the policy's time from the day we knew."""
        assert judged(learned=self.LEARNED, today="2026-12-18") is State.INHERITED_OPEN
        assert judged(learned=self.LEARNED, today="2026-12-19") is State.OVERDUE

    def test_a_destination_that_came_later_has_the_policys_time_from_its_first_day(self) -> None:
        """A platform added long after is told, and that is no miss of anyone's."""
        joined = day("2027-06-01")

        assert judged(joined=joined, honoured=joined) is State.INHERITED
        assert judged(joined=joined, honoured=joined + timedelta(days=11)) is State.LATE

    def test_a_destination_that_came_on_the_last_day_is_held_to_it(self) -> None:
        """It could still have been told in time."""
        assert judged(joined=LENIENT, honoured=day("2026-12-08")) is State.LATE

    def test_a_source_that_was_being_read_when_the_person_acted_is_our_miss(self) -> None:
        """A sync that was left out does not excuse."""
        assert judged(learned=self.LEARNED, watched=True, honoured=self.LEARNED) is State.LATE

    def test_a_file_is_excused_for_the_days_before_it_came(self) -> None:
        """What an old list says could not be known before it was imported."""
        found = judged(origin=Origin.FILE, learned=self.LEARNED, honoured=self.LEARNED)

        assert found is State.INHERITED

    def test_an_old_list_without_any_destination_is_kept_and_owed_to_nobody(self) -> None:
        """It never turns overdue, since there is nobody to tell."""
        kept = replace(BASE, origin=Origin.FILE, learned=self.LEARNED, joined=None)

        assert judge(kept, day("2036-01-01"), lenient_from) is State.INHERITED_OPEN
        assert last_day(kept, lenient_from) is None


class TestPerson:
    """A request that somebody gave to us is ours to honour, whoever wrote it down when."""

    def test_recorded_after_its_last_day_it_is_late(self) -> None:
        """It lay on a desk: told on the very day it was recorded, it is late all the same."""
        found = judged(origin=Origin.PERSON, learned=day("2026-12-08"), honoured=day("2026-12-08"))

        assert found is State.LATE

    def test_with_nobody_to_tell_it_is_overdue(self) -> None:
        """No destination at all is no excuse."""
        assert judged(origin=Origin.PERSON, joined=None, today="2026-12-08") is State.OVERDUE

    def test_told_in_time_elsewhere_a_later_destination_inherits(self) -> None:
        """It was honoured where it was owed; the new platform was not mailing then."""
        joined = day("2027-06-01")

        assert judged(origin=Origin.PERSON, joined=joined, honoured=joined) is State.INHERITED

    def test_told_to_nobody_in_time_a_later_destination_is_late(self) -> None:
        """The first destination came after the last day, and before it nobody was told."""
        joined = day("2026-12-08")
        found = judged(origin=Origin.PERSON, joined=joined, told_someone=False, honoured=joined)

        assert found is State.LATE

    def test_the_same_holds_for_a_file_that_came_in_time(self) -> None:
        """A list of last week's requests had time left, and nobody was told."""
        joined = day("2026-12-08")
        found = judged(origin=Origin.FILE, joined=joined, told_someone=False, honoured=joined)

        assert found is State.LATE


class TestEnded:
    """A consent, an erasure or a removed destination ends what is owed, not what was missed."""

    def test_ended_in_time_it_is_owed_to_nobody(self) -> None:
        """On the last day, too."""
        assert judged(left=LENIENT, today="2027-01-15") is State.ENDED

    def test_ended_after_its_last_day_it_was_missed(self) -> None:
        """Removing a destination does not remove the miss."""
        assert judged(left=day("2026-12-08"), today="2027-01-15") is State.LATE


def test_urgency_orders_the_states_as_declared() -> None:
    """Overdue is worst, and every state has its own place."""
    assert [state.urgency for state in State] == list(range(len(State)))
    assert max(State, key=lambda state: state.urgency) is State.OVERDUE
