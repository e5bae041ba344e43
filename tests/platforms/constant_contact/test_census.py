"""The census proves that everything was seen, repeats what it cannot prove, and says what does not add up.

A live account changes while it is walked. None of that may lose an opt-out, and none of it may make every run
of a busy account fail.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppress.platforms.constant_contact.simulator import (
    Fault,
    FaultKind,
    Order,
    People,
    Scenario,
    Simulator,
    Switches,
)
from suppress.plugin.contract import Census, Summary
from tests.platforms.constant_contact.accounts import Bare, Row, account, person, pulled, serving, window

PEOPLE = People(active=560, unsubscribed=60, unsubscribed_deleted=50, deleted=30, without_date=4)


def everyone(count: int = 1_200) -> list[Row]:
    """Every fourth one unsubscribed; of those and of the others every third one deleted."""
    return [
        person(number, "unsubscribed" if number % 4 == 0 else "explicit", deleted=number % 3 == 0)
        for number in range(count)
    ]


def opted_out(people: Sequence[Row]) -> set[str]:
    """What a census has to find."""
    return {f"p{int(str(row['contact_id'])[3:])}@example.com" for row in people if "opt_out_date" in str(row)}


def summary(answers: Bare, state: Path) -> Summary:
    with serving(answers, state) as (_, source):
        return pulled(source, Census()).done


# --- Accounts that stand still ----------------------------------------------------------------------------


def test_three_walks_that_agree_are_one_round(tmp_path: Path) -> None:
    """Nothing is asked twice."""
    people = everyone()
    with serving(Bare(people), tmp_path) as (server, source):
        found = pulled(source, Census())

    assert opted_out(people) == found.opted_out
    assert (True, 3 + 1 + 1, ()) == (found.done.complete, len(server.asked), found.done.problems)


def test_an_empty_account_is_complete(tmp_path: Path) -> None:
    """There is nothing to find."""
    done = summary(Bare([]), tmp_path)

    assert (True, 0, 3) == (done.complete, done.opted_out, done.requests)


def lose(*lost: tuple[int, int]) -> Callable[[Sequence[Row], Mapping[str, str], int], Sequence[Row]]:
    """Lose the row at (page, place) of every walk, as a shift between pages would."""

    def choose(rows: Sequence[Row], _given: Mapping[str, str], page: int) -> Sequence[Row]:
        return [row for place, row in enumerate(rows) if (page, place) not in lost]

    return choose


@pytest.mark.parametrize("counted", [True, False])
def test_a_row_lost_at_every_border_is_found_at_another_one(counted: bool, tmp_path: Path) -> None:
    """The second round has other page borders, so that the same place is another row."""
    people = everyone()
    count: dict[str, object] = {} if counted else {"count": lambda _rows, _given, _page: None}
    answers = Bare(people, lose=lose((2, 0), (3, 0)), **count)  # type: ignore[arg-type]  # see above
    with serving(answers, tmp_path) as (server, source):
        found = pulled(source, Census())

    assert opted_out(people) == found.opted_out
    assert found.done.complete, found.done.problems
    assert found.done.census is not None
    assert 1_198 == found.done.census["status_all"]  # of the last round: two were lost again
    assert ["500", "487"] == [
        target.partition("limit=")[2].partition("&")[0]
        for target in (asked.target for asked in server.asked)
        if "status=deleted" in target
    ]


def test_a_row_shown_twice_is_one_contact(tmp_path: Path) -> None:
    """Counted once, yielded once."""
    people = everyone(600)

    def double(rows: Sequence[Row], _given: Mapping[str, str], _page: int) -> Sequence[Row]:
        return [*rows, rows[0]]

    done = summary(Bare(people, lose=double), tmp_path)

    assert done.complete
    assert done.census is not None
    assert (600, 600) == (done.census["status_all"], done.census["contacts"])


def test_an_account_that_does_not_count_is_walked_twice(tmp_path: Path) -> None:
    """Two walks with other borders that show the same contacts are the proof then."""
    people = everyone()
    with serving(Bare(people, count=lambda _rows, _given, _page: None), tmp_path) as (_, source):
        found = pulled(source, Census())

    assert opted_out(people) == found.opted_out
    assert found.done.complete
    assert found.done.census is not None
    assert 2 == found.done.census["rounds"]
    assert "status_all_counted" not in found.done.census


def test_a_small_account_that_does_not_count_is_walked_once(tmp_path: Path) -> None:
    """A single page has no border at which a row could be lost."""
    done = summary(Bare(everyone(100), count=lambda _rows, _given, _page: None), tmp_path)

    assert (True, 3) == (done.complete, done.requests)


def test_a_count_that_is_lower_than_what_is_shown_takes_nothing_away(tmp_path: Path) -> None:
    """It may leave deleted people out; what was shown twice alike is complete."""
    done = summary(Bare(everyone(), count=lambda rows, _given, _page: len(rows) - 7), tmp_path)

    assert done.complete


def test_status_deleted_may_leave_out_who_had_unsubscribed(tmp_path: Path) -> None:
    """Whether it shows them is not documented, so that showing none of them is a reading and no gap."""
    scenario = Scenario(people=PEOPLE, switches=Switches(deleted_includes_unsubscribed=False))
    with account(scenario, tmp_path) as cc:
        found = cc.census()

        assert cc.simulator.truth() == found.opted_out
    assert found.done.complete
    assert found.done.census is not None
    assert (1, 30) == (found.done.census["rounds"], found.done.census["status_deleted"])


# --- What is no census ------------------------------------------------------------------------------------


def test_a_contact_that_is_counted_and_never_shown_is_incomplete(tmp_path: Path) -> None:
    """After three rounds the run may not be called complete, and says why; all that was seen is kept."""
    people = everyone()
    answers = Bare(people, count=lambda rows, _given, _page: len(rows) + 1)
    with serving(answers, tmp_path) as (_, source):
        found = pulled(source, Census())

    assert opted_out(people) == found.opted_out
    assert not found.done.complete
    assert (
        "status=all counts 1,201 contacts, but only 1,200 were shown in 3 rounds",
        "status=unsubscribed counts 201 contacts, but only 200 were shown in 3 rounds",
        "status=deleted counts 401 contacts, but only 400 were shown in 3 rounds",
    ) == found.done.problems


def hide(status: str, lost: Callable[[str], bool]) -> Bare:
    """An account whose query for one status never shows, nor counts, certain contacts."""
    people = everyone(600)

    def choose(rows: Sequence[Row], given: Mapping[str, str], _page: int) -> Sequence[Row]:
        hidden = given["status"] == status
        return [row for row in rows if not (hidden and lost(str(row["contact_id"])))]

    def count(rows: Sequence[Row], given: Mapping[str, str], page: int) -> int:
        return len(choose(rows, given, page))

    return Bare(people, lose=choose, count=count)


@pytest.mark.parametrize(
    ("status", "hidden", "problem"),
    [
        (
            "all",
            ("id-00004", "id-00003"),
            "2 contacts that status=unsubscribed or status=deleted shows are missing in status=all",
        ),
        (
            "unsubscribed",
            ("id-00004",),
            "1 visible opt-outs of status=all are missing in status=unsubscribed",
        ),
        ("deleted", ("id-00003",), "1 deleted contacts of status=all are missing in status=deleted"),
    ],
)
def test_queries_that_contradict_each_other_every_time_are_incomplete(
    status: str, hidden: tuple[str, ...], problem: str, tmp_path: Path
) -> None:
    """The counts alone would not show it; every opt-out that any of them shows is kept all the same."""
    answers = hide(status, lambda contact_id: contact_id in hidden)
    with serving(answers, tmp_path) as (_, source):
        found = pulled(source, Census())

    assert opted_out(answers.people) == found.opted_out
    assert (False, (problem,)) == (found.done.complete, found.done.problems)


def test_contacts_that_keep_coming_without_a_count_are_incomplete(tmp_path: Path) -> None:
    """Old contacts that only the last walk showed: nobody knows how many more there are."""
    people = everyone(1_500)
    asked = [0]

    def some(rows: Sequence[Row], given: Mapping[str, str], page: int) -> Sequence[Row]:
        if given["status"] == "all" and page == 1:
            asked[0] += 1
        return [row for row in rows if int(str(row["contact_id"])[3:]) % 5 < 2 + asked[0]]

    done = summary(Bare(people, lose=some, count=lambda _rows, _given, _page: None), tmp_path)

    assert not done.complete
    assert "status=all showed 300 contacts that earlier rounds had not" in done.problems


ODD: tuple[Row, ...] = (
    {"contact_id": "odd-1", "email_address": "pat@example.com"},
    {"contact_id": "odd-2", "email_address": {"address": "pat@example.com", "permission_to_send": True}},
)


@pytest.mark.parametrize("what", [None, "window"])
def test_a_row_that_cannot_be_read_keeps_nobody_else_out(what: str | None, tmp_path: Path) -> None:
    """All others are found, in one round; the run is incomplete and says why, without the address."""
    people = [person(number, "unsubscribed") for number in range(600)]

    def with_odd(rows: Sequence[Row], _given: Mapping[str, str], page: int) -> Sequence[Row]:
        return [*ODD, *rows] if page == 1 else rows

    answers = Bare(people, lose=with_odd, count=lambda rows, _given, _page: len(rows) + 2)
    with serving(answers, tmp_path) as (_, source):
        found = pulled(source, window() if what else Census())

    assert opted_out(people) == found.opted_out
    assert not found.done.complete
    step = "window" if what else "status=all"
    assert (
        f"2 rows of {step} cannot be read (expected a text as permission_to_send, found true or false)"
    ) == found.done.problems[0]
    assert what or (found.done.census is not None and 1 == found.done.census["rounds"])


# --- Windows ----------------------------------------------------------------------------------------------


def test_a_window_that_lost_a_row_is_walked_again(tmp_path: Path) -> None:
    """Its own count tells."""
    people = [person(number, "unsubscribed") for number in range(1_100)]
    with serving(Bare(people, lose=lose((2, 0))), tmp_path) as (_, source):
        found = pulled(source, window())

    assert opted_out(people) == found.opted_out
    assert found.done.complete


def test_a_window_that_never_adds_up_is_incomplete(tmp_path: Path) -> None:
    """So that the next run begins where the last complete one ended."""
    people = [person(number, "unsubscribed") for number in range(1_100)]
    with serving(Bare(people, count=lambda rows, _given, _page: len(rows) + 2), tmp_path) as (_, source):
        found = pulled(source, window())

    assert opted_out(people) == found.opted_out
    assert ("window counts 1,102 contacts, but only 1,100 were shown in 3 rounds",) == found.done.problems


def test_a_window_of_several_pages_without_a_count_is_walked_twice(tmp_path: Path) -> None:
    """As a census is."""
    people = [person(number, "unsubscribed") for number in range(600)]
    answers = Bare(people, lose=lose((2, 0)), count=lambda _rows, _given, _page: None)
    with serving(answers, tmp_path) as (_, source):
        found = pulled(source, window())

    assert opted_out(people) == found.opted_out
    assert found.done.complete


# --- Accounts that live -----------------------------------------------------------------------------------

ACTS = st.tuples(
    st.integers(1, 14),
    st.sampled_from(["add", "unsubscribe", "delete", "revive", "resubscribe", "opt out and delete"]),
    st.integers(0, 10**6),
)


def act(kind: str, pick: int) -> Callable[[Simulator], None]:
    """Something that happens to somebody while pages are read."""

    def happen(simulator: Simulator) -> None:
        contacts = sorted(
            contact.email.address for contact in simulator.backend.account if contact.email is not None
        )
        address = contacts[pick % len(contacts)]
        match kind:
            case "add":
                simulator.add(f"new{pick}-{len(contacts)}@example.com")
            case "unsubscribe":
                simulator.unsubscribe(address)
            case "delete":
                simulator.delete(address)
            case "revive":
                simulator.revive(address)
            case "resubscribe":
                simulator.resubscribe(address)
            case _:
                simulator.unsubscribe(address)
                simulator.delete(address)

    return happen


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    acts=st.lists(ACTS, max_size=25),
    order=st.sampled_from(Order),
    faults=st.lists(
        st.builds(
            Fault,
            st.sampled_from([FaultKind.MISSING_ROW, FaultKind.DUPLICATE_ROW, FaultKind.DROP]),
            page=st.just(2),
        ),
        max_size=2,
    ),
)
def test_a_live_account_loses_nobody_and_does_not_fail(
    acts: list[tuple[int, str, int]], order: Order, faults: list[Fault]
) -> None:
    """People come, opt out, are deleted and come back between the pages of a census.

    Everyone who had opted out before, and is still opted out, is found; nobody who never did is; and the run
    is complete, because all that does not add up is change.
    """
    scenario = Scenario(people=PEOPLE, switches=Switches(order=order), faults=tuple(faults))
    with tempfile.TemporaryDirectory() as state, account(scenario, Path(state)) as cc:
        before = cc.simulator.truth()
        ever = set(before)
        for page, kind, pick in acts:
            happen = act(kind, pick)

            def then(simulator: Simulator, happen: Callable[[Simulator], None] = happen) -> None:
                happen(simulator)
                ever.update(simulator.truth())

            cc.simulator.before_page(page, then)
        found = cc.census()

        assert before & cc.simulator.truth() <= found.opted_out <= ever
        assert found.done.complete, found.done.problems


def test_who_opts_out_and_is_deleted_behind_the_long_walk_is_seen_by_a_short_one(tmp_path: Path) -> None:
    """status=all had shown them as mailable; status=deleted comes later."""

    def happen(simulator: Simulator) -> None:
        simulator.unsubscribe("pat@example.com")
        simulator.delete("pat@example.com")

    with account(Scenario(people=People(active=600)), tmp_path) as cc:
        cc.simulator.add("pat@example.com")
        cc.simulator.before_page(3, happen)
        found = cc.census()

    assert {"pat@example.com"} == found.opted_out
    assert found.done.complete


def test_a_busy_account_is_complete_in_two_rounds(tmp_path: Path) -> None:
    """Somebody new before every page: the counts never agree, and nobody is missing."""
    with account(Scenario(people=PEOPLE), tmp_path) as cc:
        for page in range(1, 20):
            cc.simulator.before_page(page, act("add", page))
        found = cc.census()

        assert cc.simulator.truth() == found.opted_out
    assert found.done.complete, found.done.problems
    assert found.done.census is not None
    assert 2 == found.done.census["rounds"]


def test_a_row_that_slips_through_when_another_one_leaves_is_found(tmp_path: Path) -> None:
    """Somebody on page one comes back, page two begins one row too late, and the last count agrees.

    Only the count of the first page tells that the account moved.
    """

    def happen(simulator: Simulator) -> None:
        first = min(simulator.backend.account, key=lambda contact: contact.contact_id)
        assert first.email is not None
        simulator.resubscribe(first.email.address)

    with account(Scenario(people=People(unsubscribed=1_100)), tmp_path) as cc:
        before = cc.simulator.truth()
        cc.simulator.before_page(2, happen)
        found = cc.first_window()

    assert before == found.opted_out
    assert found.done.complete


Happen = Callable[[Simulator], object]
SOMEBODY = "pat@example.com"


def after(state: Path, before: Sequence[Happen], during: Mapping[int, Happen]) -> Summary:
    """A census of a small account, each walk one page: what happens before it, and before which page."""
    with account(Scenario(people=People(active=5, unsubscribed=5, unsubscribed_deleted=1)), state) as cc:
        for happen in before:
            happen(cc.simulator)
        for page, happen in during.items():
            cc.simulator.before_page(page, done_with(happen))
        return cc.census().done


def done_with(happen: Happen) -> Callable[[Simulator], None]:
    """The act without its result."""

    def act_(simulator: Simulator) -> None:
        happen(simulator)

    return act_


def rounds(done: Summary) -> int:
    assert done.census is not None
    return done.census["rounds"]


def test_a_contact_that_two_walks_showed_differently_has_changed(tmp_path: Path) -> None:
    """Unsubscribed when everyone was asked, deleted when the deleted were: one round explains it."""
    done = after(
        tmp_path,
        [lambda cc: cc.add(SOMEBODY), lambda cc: cc.unsubscribe(SOMEBODY)],
        {2: lambda cc: cc.delete(SOMEBODY)},
    )

    assert (True, 1) == (done.complete, rounds(done))


def test_a_contact_that_was_revived_meanwhile_has_changed(tmp_path: Path) -> None:
    """Deleted when everyone was asked, visible when opt-outs were."""
    done = after(
        tmp_path,
        [
            lambda cc: cc.add(SOMEBODY),
            lambda cc: cc.unsubscribe(SOMEBODY),
            lambda cc: cc.delete(SOMEBODY),
        ],
        {2: lambda cc: cc.revive(SOMEBODY)},
    )

    assert (True, 1) == (done.complete, rounds(done))


def test_who_was_visible_to_a_naive_sync_was_not_missed_by_it(tmp_path: Path) -> None:
    """Deleted just after status=unsubscribed had shown them: a deleted opt-out, and not a missed one."""
    done = after(
        tmp_path,
        [lambda cc: cc.add(SOMEBODY), lambda cc: cc.unsubscribe(SOMEBODY)],
        {3: lambda cc: cc.delete(SOMEBODY)},
    )

    assert (2, 1) == (done.deleted, done.missed_by_naive_sync)


def test_other_contacts_that_differ_in_the_next_round_are_change(tmp_path: Path) -> None:
    """Somebody new opts out behind each long walk; only the same contact twice would be a gap."""

    def newcomer(address: str) -> Happen:
        def happen(cc: Simulator) -> None:
            cc.add(address)
            cc.unsubscribe(address)

        return happen

    done = after(tmp_path, [], {2: newcomer("one@example.com"), 5: newcomer("two@example.com")})

    assert (True, 2) == (done.complete, rounds(done))
