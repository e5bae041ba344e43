"""A report of one sender, of some destinations; what is verified; and how the filters go together."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppress.config import DestinationSettings, Settings, SourceSettings
from suppress.core.suppression import EVERYTHING, Origin, Reason, Scope
from suppress.report.deadlines import Outcome
from tests.report.books import Book
from tests.report.histories import PLACES, histories

BRANDS = Settings(
    sources={
        "main": SourceSettings("main", "constant-contact", sender="Acme"),
        "second": SourceSettings("second", "constant-contact", sender="Beta"),
    },
    destinations={
        "crm": DestinationSettings("crm", "csv", sender="Acme"),
        "mail": DestinationSettings("mail", "csv", sender="Beta"),
    },
)


def test_what_binds_another_sender_only_is_left_out() -> None:
    """Everybody's and Acme's requests bind Acme, also those about one list; Beta's do not."""
    book = Book()
    for name, scope in (
        ("ann", EVERYTHING), ("bob", Scope("Acme")), ("cyd", Scope("Acme", "News")), ("dan", Scope("Beta")),
    ):  # fmt: skip
        book.opt_out(name, scope=scope)
    book.told("crm")
    book.told("mail")
    facts = book.facts(sender="Acme", settings=BRANDS)

    assert facts.verdict.suppressed == 3
    assert facts.deadlines.overall.requests == 3
    assert [each.destination for each in facts.deadlines.destinations] == ["crm"]
    assert [each.name for each in facts.coverage.sources] == ["main"]
    assert [each.name for each in facts.coverage.destinations] == ["crm"]
    assert any("1 request left out that bind other senders only" in each for each in facts.limits)
    assert facts.roll_forward.holds


def test_a_consent_to_one_sender_lifts_for_that_sender_alone() -> None:
    """Ann may be mailed by Acme again, and by nobody else."""
    book = Book()
    book.opt_out("ann")
    book.later(days=1).consent("ann", scope=Scope("Acme"))

    assert book.facts(sender="Acme", settings=BRANDS).verdict.suppressed == 0
    assert book.facts(sender="Beta", settings=BRANDS).verdict.suppressed == 1
    assert book.facts(settings=BRANDS).verdict.suppressed == 1


def test_only_the_named_destinations_are_judged_and_logged() -> None:
    """The other one's receipts and misses are not in it."""
    book = Book()
    book.destination("crm")
    book.destination("mail")
    book.opt_out("ann", origin=Origin.PERSON, received="2026-09-01")
    book.told("crm")
    facts = book.facts(as_of="2026-11-01", destinations=("crm",))

    assert facts.deadlines.overall.met == 1
    assert {each.body.destination for each in facts.activity.exports} == {"crm"}
    assert book.facts(as_of="2026-11-01", destinations=("mail",)).deadlines.overall.overdue == 1
    assert any("Only these destinations" in each for each in facts.limits)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    histories(),
    st.sampled_from([None, "Acme", "Beta"]),
    st.lists(st.sampled_from(PLACES), unique=True),
    st.sampled_from([None, "2026-09-20"]),
    st.booleans(),
    st.sampled_from([("us.can-spam",), ("us.can-spam", "au.spam")]),
)
def test_whatever_is_asked_for_adds_up(
    book: Book,
    sender: str | None,
    destinations: list[str],
    since: str | None,
    cut: bool,
    policies: tuple[str, ...],
) -> None:
    """Every sum of the report holds under every combination of filters."""
    facts = book.facts(
        as_of="2027-06-01",
        since=since,
        sender=sender,
        destinations=destinations,
        cut=cut,
        policies=policies,
        settings=BRANDS,
        sample=2,
        what_if=("deleted-missed", "policy=au.spam"),
    )

    assert facts.roll_forward.holds
    assert facts.deadlines.holds
    assert sum(facts.deadlines.binding.values()) <= facts.deadlines.overall.requests
    judged = {each.destination for each in facts.deadlines.destinations}
    assert judged <= {*(destinations or PLACES), "(no destination)"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_reach_counts_each_obligation_once(book: Book) -> None:
    """Over sources and weeks it is what the destinations' lines count, and no receipt is counted twice."""
    found = book.facts(as_of="2027-06-01").deadlines
    reached: dict[str, int] = {}
    for each in found.reach:
        reached[each.destination] = reached.get(each.destination, 0) + each.requests
        assert each.week.weekday() == 0

    assert reached == {each.destination: each.requests for each in found.destinations}
    accepted = sum(each.requests for each in found.reach if each.outcome is Outcome.ACCEPTED)
    assert accepted == sum(each.unverifiable for each in found.destinations)


def test_what_was_accepted_and_not_read_back_is_unverifiable() -> None:
    """Honoured in time as far as the destination's word goes."""
    book = Book()
    book.opt_out("ann", origin=Origin.PERSON)
    book.told("crm", verified=False)
    book.later(hours=1).opt_out("bob", origin=Origin.PERSON)
    book.told("crm", verified=True)
    facts = book.facts()

    assert (facts.deadlines.overall.met, facts.deadlines.overall.unverifiable) == (2, 1)
    assert any("1 request honoured as far as a destination's word goes" in each for each in facts.limits)


def test_the_earliest_of_several_policies_is_named() -> None:
    """Five business days of Australia come before ten of the United States."""
    book = Book()
    book.opt_out("ann", origin=Origin.PERSON, received="2026-09-01", acted="2026-09-01")
    found = book.facts(policies=("us.can-spam", "au.spam", "us.child-registry")).deadlines

    assert found.binding == {"us.can-spam": 0, "au.spam": 1}


def test_a_line_for_each_sender_adds_up_to_the_total() -> None:
    """The sender is that of the source of the leading reason; people and files belong to no source."""
    book = Book()
    book.opt_out("ann", source="main")
    book.opt_out("bob", source="second")
    book.opt_out("cyd", source="desk", origin=Origin.PERSON)
    roll = book.facts(settings=BRANDS).roll_forward

    assert [(each.sender, each.closing) for each in roll.senders] == [("", 1), ("Acme", 1), ("Beta", 1)]
    assert roll.holds


def test_a_person_passes_from_one_sender_to_another_without_moving_the_total() -> None:
    """A complaint at another sender leads from then on: restated, and nobody came or went."""
    book = Book()
    book.opt_out("ann", source="second", reason=Reason.UNSUBSCRIBED)
    book.on("2026-10-05").opt_out("ann", source="main", reason=Reason.COMPLAINT)
    roll = book.facts(since="2026-10-01", settings=BRANDS).roll_forward

    assert [(each.sender, each.opening, each.restated, each.closing) for each in roll.senders] == [
        ("Acme", 0, 1, 1),
        ("Beta", 1, -1, 0),
    ]
    assert roll.holds
