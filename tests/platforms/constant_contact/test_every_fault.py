"""Whatever the platform does: the right result, or one line and the right exit code; never a worse ledger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from suppress.core.address import match_key
from suppress.platforms.constant_contact.simulator import Limits, SignIn, Switches
from suppress.sync import SourceResult
from tests.platforms.constant_contact.company import Company, company
from tests.platforms.constant_contact.fault_table import Row, knobs, readings, rows

ROWS = rows()
OF_WINDOWS = (
    "fault.",
    "switches.inclusive",
    "switches.last_page",
    "switches.order",
    "switches.paging",
    "switches.resubscribed",
    "switches.timestamps",
    "switches.visibility",
)
CASES = {
    **{f"{row}-window": (row, False) for row in ROWS if row.knob.startswith(OF_WINDOWS)},
    **{f"{row}-census": (row, True) for row in ROWS},
}
"""A census begins with a window, so most rows need no run of their own for that."""


def seen(world: Company, *, full: bool) -> set[str]:
    """Whom the platform shows as opted out now; to a window, only those whose opt-out has a date."""
    found = set()
    for contact in world.platform.backend.seen():
        email = contact.email
        if email is not None and email.unsubscribed and email.opt_out is not None:
            found |= {match_key(email.address)} if full or email.opt_out.at is not None else set()
    return found


def failed_well(result: SourceResult, row: Row, code: int) -> None:
    """One line that says what was wrong, names nobody, and carries the documented exit code."""
    assert not result.complete
    assert result.failure is not None
    assert code == result.failure.exit_code
    message = result.failure.message
    assert "\n" not in message
    assert "@" not in message
    assert row.code != code or row.words in message
    assert result.failure.remedy


def mend(world: Company) -> None:
    """Whatever was wrong on the way has passed."""
    world.platform.strike()
    world.platform.backend.meter.per_day = Limits().per_day


def somebody_comes(world: Company) -> None:
    """With the right privileges and scopes, and signs in."""
    backend = world.platform.backend
    backend.scenario = replace(backend.scenario, sign_in=SignIn())
    backend.grants.sign_in = backend.scenario.sign_in
    world.given = None
    world.sign_in()


def strike_the_census(world: Company, row: Row) -> None:
    """Nothing is wrong until the window before it is read."""
    rows_per_page = row.scenario.limits.rows_per_page
    window = -(-len(seen(world, full=False)) // rows_per_page)
    world.platform.strike()
    # One more asks for what is younger than the window.
    world.platform.before_page(window + 2, lambda platform: platform.strike(*row.scenario.faults))


@pytest.mark.parametrize(("row", "full"), list(CASES.values()), ids=list(CASES))
def test_every_knob_ends_in_the_right_result_or_a_clear_error(row: Row, full: bool, tmp_path: Path) -> None:
    """And the next day's undisturbed run ends with everybody whom the platform shows, and nobody else."""
    with company(row.scenario, tmp_path, given=row.given) as world:
        if not row.given:
            world.sign_in()
        if full and row.on_the_way:
            strike_the_census(world, row)
        world.platform.add("fresh@example.com")
        world.platform.unsubscribe("fresh@example.com")
        first = world.sync(full=full)

        if row.on_the_way:
            assert world.platform.backend.faults.struck
        if row.code:
            failed_well(first, row, row.code)
            assert world.suppressed() <= world.truth()
            assert world.sound()
        else:
            assert first.complete, first.failure
            assert seen(world, full=full) == world.suppressed()

        mend(world)
        world.later(hours=25)
        second = world.sync(full=full)
        if row.next_code:
            failed_well(second, row, row.next_code)
            somebody_comes(world)
            second = world.sync(full=full)
        assert second.complete, second.failure
        assert seen(world, full=full) == world.suppressed()
        assert world.sound()


def test_the_table_has_a_row_for_every_knob() -> None:
    """A knob that somebody adds to the simulator and nobody tries against a sync fails here."""
    assert knobs() == {row.knob for row in ROWS}


def test_the_table_has_every_reading_of_what_can_be_read_in_several_ways() -> None:
    """Not only one of them."""
    wanted = readings(Switches, "switches") | readings(Limits, "limits") | readings(SignIn, "sign_in")

    assert wanted - {str(row) for row in ROWS} == set()
