"""One failure is borne, several in a row are not."""

from __future__ import annotations

import pytest

from suppress.plugin.errors import Transient
from suppress.plugin.outage import IN_A_ROW, Outage


def test_the_last_of_several_in_a_row_is_raised_as_it_is() -> None:
    """So that the person reads what the platform said."""
    outage = Outage()
    for _ in range(IN_A_ROW - 1):
        outage.bear(Transient("borne"))
    with pytest.raises(Transient, match="the third"):
        outage.bear(Transient("the third"))


def test_a_call_that_works_ends_the_row() -> None:
    """A platform that fails now and then is not down."""
    outage = Outage()
    for _ in range(10):
        for _ in range(IN_A_ROW - 1):
            outage.bear(Transient("borne"))
        outage.over()
    with pytest.raises(Transient):
        for _ in range(IN_A_ROW):
            outage.bear(Transient("down"))
