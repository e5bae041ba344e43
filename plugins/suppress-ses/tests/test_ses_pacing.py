"""The time between two requests to SES: doubled by a refusal, shortened again by answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suppress_ses.pacing import SLOWEST, Adaptive

from tests.plugin.virtual import from_now


def test_requests_start_no_closer_than_configured() -> None:
    """The first at once."""
    waits = from_now()
    pace = Adaptive(at_once=1, per_second=4, clock=waits.clock)
    for _ in range(3):
        with pace.turn():
            pass

    assert waits.slept == pytest.approx([0.25, 0.25])


@given(answers=st.lists(st.booleans(), max_size=60))
def test_it_stays_between_the_configured_pace_and_the_slowest(answers: list[bool]) -> None:
    """Whatever comes: it neither stops for good nor gets faster than it may."""
    pace = Adaptive(at_once=1, per_second=10, clock=from_now().clock)
    for good in answers:
        before = pace.apart
        if good:
            pace.faster()
            assert pace.apart <= before
        else:
            pace.slower()
            assert pace.apart >= before

        assert 0.1 <= pace.apart <= 0.1 * SLOWEST
