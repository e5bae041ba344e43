"""What if: replays stand beside the figures and say how they were worked out."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppress.core.entry import CheckDone
from suppress.core.suppression import Channel, Origin, Visibility
from suppress.errors import BadUsage, ConfigWrong
from suppress.report.asking import scenario
from suppress.report.facts import Facts
from suppress.report.judging import State
from suppress.report.words import word
from tests.report.books import Book
from tests.report.histories import histories

LATER = "2030-01-01"


def figures(facts: Facts, scenario: str) -> dict[str, tuple[int, int]]:
    """The figures of one replay."""
    (found,) = [each for each in facts.what_if if each.scenario == scenario]
    return {each.says: (each.was, each.would_be) for each in found.compared}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.sampled_from(["au.spam", "us.can-spam", "eu.gdpr"]))
def test_under_another_policy_it_is_the_report_under_that_policy(book: Book, other: str) -> None:
    """The same requests, receipts and moment; and the report itself stays what it was."""
    plain, there = book.facts(as_of=LATER), book.facts(policies=(other,), as_of=LATER)
    replay = book.facts(what_if=(f"policy={other}",), as_of=LATER)
    found = figures(replay, f"policy={other}")

    assert replay.deadlines == plain.deadlines
    for state in State:
        says = f"requests {word(state)}"
        assert found[says] == (plain.deadlines.overall.count(state), there.deadlines.overall.count(state))
    people = len({each.subject for each in there.deadlines.missed})
    assert found["people who could be mailed after their last day"][1] == people


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_missing_the_deleted_leaves_those_out_who_are_known_otherwise(book: Book) -> None:
    """Who would look mailable and who would still be withheld are everybody together."""
    found = figures(book.facts(what_if=("deleted-missed",), as_of=LATER), "deleted-missed")
    was, would_be = found["people suppressed, as of the report"]

    assert was - would_be == found["people who would look as if they could be mailed"][1]
    assert was == book.facts(as_of=LATER).verdict.suppressed
    assert 0 <= would_be <= was


def test_whom_exports_would_not_have_named_and_checks_let_through() -> None:
    """Two deleted people, one of them known by telephone too; one consented later; a visible one."""
    book = Book()
    for name in ("ann", "bob", "cyd"):
        book.opt_out(name, visibility=Visibility.DELETED)
    book.write(CheckDone("ab" * 32, 10, 9, 1, 0, 0))
    book.opt_out("bob", origin=Origin.PERSON)
    book.later(days=1).consent("cyd")
    book.opt_out("dan", visibility=Visibility.VISIBLE)
    book.opt_out("eve", visibility=Visibility.DELETED, channel=Channel.SMS)
    book.told("crm")
    book.write(CheckDone("cd" * 32, 10, 4, 6, 0, 0))
    found = figures(book.facts(what_if=("deleted-missed",)), "deleted-missed")

    assert found["people suppressed, as of the report"] == (3, 2)
    assert found["people who would look as if they could be mailed"] == (0, 1)
    assert found["of them, people whom exports named to crm"] == (1, 0)
    # Of ann alone; the first check withheld one row, the second six.
    assert found["rows that checks of the period let through at most"] == (0, 2)


def test_what_it_cannot_know_is_said() -> None:
    """A bound is called one."""
    (found,) = Book().facts(what_if=("deleted-missed",)).what_if

    assert any("the most that can have been" in each for each in found.explained)
    assert any("cannot be seen" in each for each in found.explained)


@pytest.mark.parametrize("text", ["deleted", "policy=", "policy", "policies=us.can-spam", ""])
def test_an_unknown_scenario_is_wrong_usage(text: str) -> None:
    """The message names the two that there are."""
    with pytest.raises(BadUsage, match="neither deleted-missed nor policy=NAME"):
        scenario(text)


def test_an_unknown_policy_is_named() -> None:
    """As it is in the settings."""
    with pytest.raises(ConfigWrong, match="no policy 'mars'"):
        scenario("policy=mars")
