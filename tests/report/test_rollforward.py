"""The population carried forward adds up, and equals what a slow and simple recount of every entry says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppress.core.entry import Corrected, Entry, Forgotten, OptInRecorded, OptOutRecorded
from suppress.core.suppression import EVERYTHING, Channel, Reason, Scope
from suppress.ledger.folding import standing_of
from suppress.report.facts import Facts
from suppress.report.rollforward import Movement
from tests.report.books import Book
from tests.report.histories import histories

Place = tuple[str, Channel]


def suppressed(entries: Sequence[Entry]) -> dict[Place, Reason]:
    """Who stands suppressed after these entries: every person folded from the first entry on."""
    gone = {entry.body.subject for entry in entries if isinstance(entry.body, Forgotten)}
    kinds = (OptOutRecorded, OptInRecorded)
    people = {entry.body.subject for entry in entries if isinstance(entry.body, kinds)} - gone
    found = {}
    for person in people:
        own = [
            entry
            for entry in entries
            if isinstance(entry.body, Corrected)
            or (isinstance(entry.body, kinds) and entry.body.subject == person)
        ]
        standing = standing_of(person, own)
        for channel in Channel:
            against = standing.against(channel)
            if against is not None:
                found[person, channel] = against.reason
    return found


def recounted(book: Book, since: str | None, until: str | None) -> dict[str, Counter[tuple[Channel, Reason]]]:
    """Opening, closing and movements, by folding all people again before and after each entry."""
    entries = book.entries
    days = [entry.at.date().isoformat() for entry in entries]
    first = next((seq for seq, on in enumerate(days) if since is None or on >= since), len(entries))
    stop = next((seq for seq, on in enumerate(days) if until is not None and on > until), len(entries))
    counts: dict[str, Counter[tuple[Channel, Reason]]] = {
        name: Counter() for name in ("new", "re_asserted", "re_consented", "corrected", "forgotten")
    }
    left: set[Place] = set()
    for seq in range(stop):
        before, after = suppressed(entries[:seq]), suppressed(entries[: seq + 1])
        body = entries[seq].body
        for place in before.keys() - after.keys():
            left.add(place)
            if seq >= first:
                counts[_GONE[type(body)]][place[1], before[place]] += 1
        for place in after.keys() - before.keys() if seq >= first else ():
            if isinstance(body, Corrected):
                counts["corrected"][place[1], after[place]] -= 1
            else:
                counts["re_asserted" if place in left else "new"][place[1], after[place]] += 1
    return {
        "opening": _by_reason(suppressed(entries[:first])),
        **counts,
        "closing": _by_reason(suppressed(entries[:stop])),
    }


_GONE: dict[type, str] = {OptInRecorded: "re_consented", Corrected: "corrected", Forgotten: "forgotten"}


def _by_reason(people: dict[Place, Reason]) -> Counter[tuple[Channel, Reason]]:
    return Counter((channel, reason) for (_, channel), reason in people.items())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.sampled_from([None, "2026-09-01", "2026-09-20", "2026-11-01"]), st.booleans())
def test_every_figure_equals_the_recount(book: Book, since: str | None, ends: bool) -> None:
    """Opening, movements and closing of each reason are those of a naive recount, in any history."""
    until = "2026-12-15" if ends else None
    facts = book.facts(since=since, until=until, as_of="2030-01-01")
    expected = recounted(book, since, until)

    for line in facts.roll_forward.reasons:
        assert line.reason is not None
        found = {name: getattr(line, name) for name in expected}
        assert {name: count[line.channel, line.reason] for name, count in expected.items()} == found
    assert sum(expected["closing"].values()) == sum(line.closing for line in facts.roll_forward.reasons)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.sampled_from([None, "2026-09-20", "2026-11-01"]))
def test_it_always_adds_up(book: Book, since: str | None) -> None:
    """Opening and movements give closing for each reason and channel, and restatements cancel out."""
    roll = book.facts(since=since, as_of="2030-01-01").roll_forward

    assert roll.holds
    for total in roll.totals:
        lines = [line for line in roll.reasons if line.channel is total.channel]
        assert total.opening == sum(line.opening for line in lines)
        assert total.closing == sum(line.closing for line in lines)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.sampled_from(["2026-09-20", "2026-10-10", "2026-11-20"]))
def test_periods_follow_on_from_one_another(book: Book, border: str) -> None:
    """What closes one period opens the next."""
    day_before = (date.fromisoformat(border) - timedelta(days=1)).isoformat()
    closing = email(book.facts(until=day_before, as_of="2030-01-01")).closing

    assert closing == email(book.facts(since=border, as_of="2030-01-01")).opening


def email(facts: Facts) -> Movement:
    return facts.roll_forward.total(Channel.EMAIL)


def test_one_person_through_a_life() -> None:
    """New, re-consented, re-asserted: each once, and suppressed at the end."""
    book = Book()
    book.opt_out("ann")
    book.later(days=1).consent("ann")
    book.later(days=1).opt_out("ann")

    total = email(book.facts())

    assert (total.new, total.re_consented, total.re_asserted, total.closing) == (1, 1, 1, 1)


def test_a_repeated_request_is_no_second_person() -> None:
    """The same person asks twice: one is suppressed."""
    book = Book()
    book.opt_out("ann")
    book.later(days=1).opt_out("ann")

    assert (email(book.facts()).new, email(book.facts()).closing) == (1, 1)


def test_a_stronger_reason_restates_and_moves_nobody() -> None:
    """Unknown becomes complaint: the person leaves one line and enters the other."""
    book = Book()
    book.opt_out("ann", reason=Reason.UNKNOWN)
    book.later(days=1).opt_out("ann", reason=Reason.COMPLAINT)
    roll = book.facts().roll_forward

    assert [(line.reason, line.restated, line.closing) for line in roll.reasons] == [
        (Reason.COMPLAINT, 1, 1),
        (Reason.UNKNOWN, -1, 0),
    ]
    assert roll.total(Channel.EMAIL).restated == 0


def test_a_struck_out_request_leaves_as_corrected_and_comes_back_if_that_was_wrong() -> None:
    """A correction that is itself struck out gives the person back their protection."""
    book = Book()
    wrong = book.opt_out("ann")
    correction = book.later(days=1).corrected(wrong)
    assert (email(book.facts()).corrected, email(book.facts()).closing) == (1, 0)

    book.later(days=1).corrected(correction)

    assert (email(book.facts()).corrected, email(book.facts()).closing) == (0, 1)


def test_a_struck_out_consent_protects_again() -> None:
    """The consent was recorded for the wrong person."""
    book = Book()
    book.opt_out("ann")
    consent = book.later(days=1).consent("ann")
    book.later(days=1).corrected(consent)
    total = email(book.facts())

    assert (total.re_consented, total.corrected, total.closing) == (1, -1, 1)
    assert total.holds


def test_a_forgotten_person_is_no_longer_protected() -> None:
    """Forgetting is a movement of its own, never silent."""
    book = Book()
    book.opt_out("ann")
    book.opt_out("ann", channel=Channel.SMS)
    book.later(days=1).forgotten("ann")
    book.forgotten("never heard of")
    roll = book.facts().roll_forward

    assert (email(book.facts()).forgotten, email(book.facts()).closing) == (1, 0)
    assert roll.total(Channel.SMS).forgotten == 1


def test_channels_are_carried_apart() -> None:
    """An SMS opt-out suppresses nobody's e-mail."""
    book = Book()
    book.opt_out("ann", channel=Channel.SMS)
    roll = book.facts().roll_forward

    assert roll.total(Channel.EMAIL).closing == 0
    assert roll.total(Channel.SMS).closing == 1


def test_scopes_are_counted_where_they_reach() -> None:
    """Each person counts once, under the widest scope that stands."""
    book = Book()
    book.opt_out("ann", scope=Scope("Acme", "News"))
    book.opt_out("ann", scope=EVERYTHING)
    book.opt_out("bob", scope=Scope("Acme"))

    assert [(each.scope, each.people) for each in book.facts().roll_forward.scopes] == [
        ("everything", 1),
        ("sender:Acme", 1),
    ]


def test_an_empty_period_carries_the_population_through() -> None:
    """Nothing happened in it: opening is closing."""
    book = Book()
    book.opt_out("ann")
    total = email(book.facts(since="2027-01-01", until="2027-01-31", as_of="2027-02-01"))

    assert (total.opening, total.new, total.closing) == (1, 0, 1)


def test_a_sum_that_does_not_hold_is_said() -> None:
    """A line whose closing is not what its movements say is not called whole."""
    broken = Movement(Channel.EMAIL, None, 5, 1, 0, 0, 0, 0, 0, 7)

    assert not broken.holds
    assert broken.expected == 6
