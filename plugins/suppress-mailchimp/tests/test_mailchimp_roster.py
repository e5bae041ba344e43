"""A roster holds what it read, and members are found under the name that the platform gives them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from suppress_mailchimp import roster as rosters
from suppress_mailchimp.roster import Roster, Status, subscriber_hashes
from suppress_mailchimp.simulator.account import name_of

NAMES = st.sampled_from([name_of(f"person-{number}@example.com") for number in range(40)])
STATUSES = st.sampled_from(list(Status))


def test_the_hash_is_the_one_of_the_vendors_own_example() -> None:
    """MD5 of the address in small letters."""
    assert subscriber_hashes("jane.doe@example.com") == ("0cba00ca3da1b283a57287bcceb17e35",)


@given(st.text(alphabet="abcXYZ09.+-'%", min_size=1, max_size=12))
@settings(max_examples=60)
def test_capitals_and_space_around_do_not_change_the_name(local: str) -> None:
    """A connector that forgets this misses members."""
    address = f"{local}@example.com"

    assert subscriber_hashes(f"  {address.upper()}\n") == subscriber_hashes(address)


@given(st.text(max_size=20))
@settings(max_examples=100)
def test_any_text_has_a_name(text: str) -> None:
    """Also one that is no address; the platform's own name is among those that are tried."""
    assert name_of(text) in subscriber_hashes(text)


def test_other_capitals_are_looked_for_both_ways() -> None:
    """Whether the platform makes small letters of more than A to Z is not documented."""
    assert len(subscriber_hashes("É@example.com")) == 2
    assert subscriber_hashes("É@Example.com")[1] == rosters._md5("É@example.com")


@given(
    st.dictionaries(NAMES, STATUSES, max_size=30), st.lists(st.tuples(NAMES, STATUSES), max_size=40), NAMES
)
@settings(max_examples=100)
def test_a_roster_says_what_was_read_last(
    first: dict[str, Status], later: list[tuple[str, Status]], asked: str
) -> None:
    """Like a dictionary, which needs twenty times the memory."""
    roster = Roster()
    roster.read(iter(first.items()))
    held = dict(first)
    for name, status in later:
        roster.update(name, status)
        held[name] = status

    assert roster.status(asked) is held.get(asked)
    assert len(roster) == len(held)


def test_changes_are_sorted_in_when_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost by it."""
    monkeypatch.setattr(rosters, "_FOLD", 3)
    names = [name_of(str(number)) for number in range(20)]
    roster = Roster()
    roster.read((name, Status.SUBSCRIBED) for name in names)
    for name in names[:11]:
        roster.update(name, Status.UNSUBSCRIBED)

    assert [roster.status(name) for name in names] == [Status.UNSUBSCRIBED] * 11 + [Status.SUBSCRIBED] * 9
    assert len(roster) == 20


@given(STATUSES, STATUSES)
def test_who_is_seen_in_two_states_counts_as_the_more_mailable(one: Status, other: Status) -> None:
    """Pages shift while an audience changes; a needless call does no harm."""
    roster = Roster()
    roster.read(iter([(name_of("a"), one), (name_of("a"), other)]))
    seen = roster.status(name_of("a"))

    assert seen is not None
    assert seen.mailable is (one.mailable or other.mailable)


def test_a_word_that_is_not_known_is_taken_for_mailable() -> None:
    """It is written to, rather than believed to be no problem."""
    assert Status.of("vip-lounge") is Status.OTHER
    assert Status.OTHER.mailable
    assert not Status.of("archived").mailable
