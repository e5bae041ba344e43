"""Every spelling of a person is kept once, listed with them, and gone when they are erased."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core.address import Address
from suppress.core.entry import OptOutRecorded
from suppress.core.spelling import comparable
from suppress.core.suppression import Consent, OptOut
from suppress.ledger import Grounds, Listed
from tests.ledger.making import NOON, Place, drift, opt_out

pytestmark = pytest.mark.both_back_ends

STRASSE = ("Straße@example.com", "strasse@example.com", "ＳＴＲＡＳＳＥ@example.com", "STRASSE@EXAMPLE.com")
"""One person; the last spelling is the second one after what every destination does itself."""


def listed(place: Place) -> list[Listed]:
    """Everybody who may not be mailed."""
    with place.open() as ledger:
        return list(ledger.suppressed())


def requests(place: Place) -> int:
    """Opt-outs in the ledger."""
    with place.open() as ledger:
        return sum(isinstance(entry.body, OptOutRecorded) for entry in ledger.entries())


def dated(address: str, day: int) -> OptOut:
    """One of several requests of a person."""
    return opt_out(address, at=NOON + timedelta(days=day))


def test_a_person_is_listed_with_each_spelling_in_the_order_of_the_ledger(place: Place) -> None:
    """A destination that compares bytes has to be told each; capitals of ASCII make no difference there."""
    seqs = place.record(*(dated(address, day) for day, address in enumerate(STRASSE)))
    (person,) = listed(place)

    assert (STRASSE[:3], STRASSE[0], seqs[2]) == (person.addresses, person.address, person.heard)


@pytest.mark.parametrize(
    "order", [("Pat@Example.com", "PAT@example.COM"), ("PAT@example.COM", "Pat@Example.com")]
)
def test_the_capitals_that_were_recorded_first_are_listed(place: Place, order: tuple[str, str]) -> None:
    """Whatever comes later: the ledger's order decides, not that of a database or of a file."""
    place.record(dated(order[0], 5))
    place.record(dated(order[1], 0))

    assert [(order[0],)] == [each.addresses for each in listed(place)]


@pytest.mark.parametrize("batches", [[STRASSE], [[each] for each in STRASSE]], ids=["one append", "four"])
def test_the_same_facts_in_another_spelling_are_not_dropped(
    place: Place, batches: Sequence[Sequence[str]]
) -> None:
    """Two rows of one file, two contacts of one account: each spelling is kept, once, however often told."""
    for _ in range(2):
        for batch in batches:
            place.record(*(opt_out(each) for each in batch))

        assert [STRASSE[:3]] == [each.addresses for each in listed(place)]
        assert 3 == requests(place)


def test_a_spelling_that_is_on_record_brings_nothing(place: Place) -> None:
    """Also where another request brought it, in this append or before."""
    place.record(dated(STRASSE[0], 0), dated(STRASSE[1], 1))
    place.record(dated(STRASSE[1], 0), dated(STRASSE[0], 1))
    place.record(dated(STRASSE[0], 2), dated(STRASSE[1], 2), dated(STRASSE[1], 3), dated(STRASSE[0], 3))

    assert 4 == requests(place)


def test_drift_brings_a_spelling_too(place: Place) -> None:
    """Whoever is mailable somewhere under it has to be stopped there."""
    place.record(opt_out(STRASSE[0]))
    (seq,) = place.record(drift(STRASSE[1]))

    assert [(STRASSE[:2], seq)] == [(each.addresses, each.heard) for each in listed(place)]


def test_both_forms_of_a_domain_are_listed(place: Place) -> None:
    """They are one domain by standard, and a destination may hold either."""
    place.record(opt_out("pat@xn--bcher-kva.example"))

    assert [("pat@xn--bcher-kva.example", "pat@bücher.example")] == [each.addresses for each in listed(place)]


def test_no_spelling_of_an_erased_person_is_kept(place: Place) -> None:
    """Neither those before nor those that come later; after a consent they are heard anew."""
    place.record(*(opt_out(each) for each in STRASSE))
    address = Address.parse(STRASSE[0])
    with place.open() as ledger:
        seen = [each.entry.seq for each in ledger.history(address)]
        ledger.erase(address, Grounds("Art. 17 GDPR"), seen=seen, actor="test")
        size = ledger.head().size
        ledger.append([opt_out(each) for each in STRASSE], actor="test")

        assert (size, []) == (ledger.head().size, list(ledger.suppressed()))
        ledger.append([Consent(address, "form", NOON - timedelta(days=1), approver="Sam")], actor="test")
        ledger.append([opt_out(STRASSE[1])], actor="test")
        ledger.append([opt_out(STRASSE[2])], actor="test")

        assert [STRASSE[:3]] == [each.addresses for each in ledger.suppressed()]


def test_an_id_does_not_reveal_the_spelling(place: Place) -> None:
    """Leaves are shown to strangers, and hold the subject's id: what is left to guess must be no address."""
    first, second = (place.record(opt_out(each))[0] for each in STRASSE[:2])
    with place.open() as ledger:
        one, other = (entry for entry in ledger.entries() if entry.seq in (first, second))
    with place.raw() as database:
        texts = " ".join(str(row) for row in database.execute("SELECT leaf FROM ledger"))

    assert one.id != other.id
    assert not any(each in texts for each in STRASSE)


@given(st.lists(st.tuples(st.sampled_from(STRASSE), st.integers(0, 2)), min_size=1, max_size=8), st.data())
@settings(max_examples=15, deadline=None)
def test_each_distinct_spelling_is_listed_and_repeating_adds_nothing(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, int]], data: st.DataObject
) -> None:
    """Whatever the facts, the order, and where appends are cut."""
    place = Place(Path(tmp_path_factory.mktemp("ledger"))).create()
    events = [dated(address, day) for address, day in told]
    cut = data.draw(st.integers(0, len(events)))
    expected = {comparable(address): address for address, _ in reversed(told)}
    for _ in range(2):
        for part in (events[:cut], events[cut:]):
            place.record(*part)

        (person,) = listed(place)
        assert expected == {comparable(each): each for each in person.addresses}
    before = requests(place)
    place.record(*reversed(events))

    assert before == requests(place)
