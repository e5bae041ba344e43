"""The figures of a check: every row that was not kept counts once in each, and nobody has leave silently."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from suppress.check.gate import Decision
from suppress.check.tally import Tally
from suppress.core.spans import within
from suppress.core.suppression import Reason
from suppress.core.verdict import CLEAR, Ruling, Tier, Verdict

NOW = datetime(2026, 11, 23, tzinfo=UTC)

ages = st.one_of(st.none(), st.integers(0, 5_000).map(lambda days: NOW - timedelta(days=days)))
verdicts = st.builds(
    Verdict,
    st.sampled_from(Ruling),
    st.sampled_from(Tier),
    st.just("rule"),
    ages,
    st.just("main"),
    st.sampled_from(Reason),
)
decisions = st.one_of(
    st.just(Decision(Ruling.CLEAR)),
    st.just(Decision(Ruling.REVIEW, doubt="torn")),
    st.builds(
        lambda verdict, role: Decision(verdict.ruling, verdict, "x", role=role), verdicts, st.booleans()
    ),
    st.builds(
        lambda verdict, seq: Decision(
            Ruling.CLEAR, Verdict(Ruling.CLEAR, Tier.EXACT, "r", None, "s", Reason.UNKNOWN, waiver=seq)
        ),
        verdicts,
        st.integers(0, 50),
    ),
)


@given(st.lists(decisions, max_size=30))
def test_each_figure_accounts_for_every_row_that_was_not_kept(made: list[Decision]) -> None:
    """By tier, by reason and by age; waived rows apart, with the entries that let them through."""
    tally = Tally(NOW)
    for each in made:
        tally.add(each)
    found = tally.found()
    out = [each for each in made if each.ruling is not Ruling.CLEAR]
    waived = [each.verdict.waiver for each in made if each.verdict.waiver is not None]

    for figure in (found.tiers, found.reasons, found.ages):
        assert len(out) == sum(figure.values())
        assert all(figure.values())
    assert sum(each.verdict is CLEAR for each in out) == found.tiers.get("unreadable", 0)
    assert len(waived) == found.waived
    assert sorted(set(waived)) == list(found.waivers)
    assert sum(each.role for each in out) == found.roles
    record = tally.record("digest", {})
    assert (record.waived or 0, sorted(set(waived))) == (len(waived), list(within(record.waivers or ())))
    assert len(made) == record.rows == record.kept + record.withheld + record.review


def test_an_opt_out_is_as_old_as_its_date() -> None:
    """On the day, on the last day of each group, and a day later."""
    month, year, three = "up to 30 days", "up to a year", "up to 3 years"
    days = {0: month, 30: month, 31: year, 365: year, 366: three, 1095: three, 1096: "older"}
    for age, group in days.items():
        tally = Tally(NOW)
        since = NOW - timedelta(days=age)
        tally.add(
            Decision(Ruling.REVIEW, Verdict(Ruling.REVIEW, Tier.ALIAS, "r", since, "s", Reason.UNKNOWN))
        )
        assert {group: 1} == tally.found().ages


@given(st.lists(decisions, max_size=30), st.integers(0, 30))
def test_what_several_processes_count_is_what_one_counts(made: list[Decision], cut: int) -> None:
    """A tally is sent as plain numbers and words."""
    whole, here, there = Tally(NOW), Tally(NOW), Tally(NOW)
    for place, each in enumerate(made):
        whole.add(each)
        (here if place < cut else there).add(each)
    here.merge(pickle.loads(pickle.dumps(there)))

    assert whole.found() == here.found()
    assert whole.record("digest", {}) == here.record("digest", {})
