"""What did not work: losses in translation, outages and weeks, exceptions with cause and owner."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, given, settings

from suppress.config import DestinationSettings, Settings, SourceSettings
from suppress.core.entry import Honoured
from suppress.core.suppression import Origin, Reason
from suppress.report.contents import tables
from suppress.report.facts import Facts
from suppress.report.figures import drawn
from suppress.report.outages import Run
from suppress.report.table import Value
from tests.report.books import Book, noon
from tests.report.histories import histories

OWNED = Settings(
    organisation="Acme Outdoor",
    sources={"main": SourceSettings("main", "constant-contact", sender="Acme", owner="Marketing")},
    destinations={"crm": DestinationSettings("crm", "csv", owner="Sales operations")},
)


def rows(facts: Facts, name: str) -> list[dict[str, Value]]:
    """The rows of a table, by the names of its columns."""
    table = tables(facts)[name]
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


# --- Losses ----------------------------------------------------------------------------------------------


def receipt(book: Book, *, destination: str = "crm", sent: int | None = None, **lost: int) -> None:
    """A receipt that says what could not be held."""
    book.write(Honoured(destination, 0, "ab" * 32, 1, (), True, sent=sent, lost=lost or None))


def test_what_a_destination_cannot_hold_is_told_from_its_newest_receipt() -> None:
    """In words, with how many; what this program does not know is named as the receipt names it."""
    book = Book()
    receipt(book, sent=9, reason=9)
    receipt(book, sent=7, reason=7, widened=2, new_kind=1)
    receipt(book, destination="mail", sent=3)
    receipt(book, destination="older")

    found = [tuple(row.values()) for row in rows(book.facts(), "reason_losses")]

    assert found == [
        ("crm", 2, "why they opted out: it stores no reason", 7),
        ("crm", 2, "that they opted out of one sender or list alone: it stops everything there", 2),
        ("crm", 2, "new kind", 1),
        ("mail", 3, "nothing that was counted", 0),
        ("older", 4, "not on record: this receipt is of a version that did not count losses", None),
    ]


def test_receipts_say_what_was_handed_over_accepted_and_seen() -> None:
    """Summed over those that say it; receipts from before say nothing, and nothing is made of that."""
    book = Book()
    book.told("older")
    for sent, accepted, confirmed, lost in ((9, 8, 7, {"widened": 4}), (2, 2, 0, {"widened": 3})):
        book.write(
            Honoured(
                "crm", 0, "ab" * 32, 1, (), True, sent=sent, accepted=accepted, confirmed=confirmed, lost=lost
            )
        )
    receipt(book, destination="mail", sent=0)
    names = ("Destination", "Handed over", "Accepted", "Seen there", "Stopped more widely")

    found = [tuple(row[name] for name in names) for row in rows(book.facts(), "receipts")]

    assert found == [("crm", 11, 10, 7, 3), ("mail", 0, None, None, 0), ("older", None, None, None, None)]


def test_whoever_was_told_in_parts_is_counted_once() -> None:
    """Two parts, their run's own receipt, a patrol that takes one person out, and a run for that person."""
    book = Book()
    first, second = datetime(2026, 9, 1, 8, tzinfo=UTC), datetime(2026, 9, 1, 9, tzinfo=UTC)
    for artefact, count, sent, pushed in (
        ("01", 1_000, 1_000, first),
        ("02", 500, 500, first + timedelta(minutes=1)),
        ("03", 1_500, 1_500, first),
        ("03", 1_499, None, None),
        ("04", 1, 1, second),
        ("05", 1, 1, second),
    ):
        body = Honoured("crm", 0, artefact * 32, count, (), True, sent=sent, accepted=sent, pushed_at=pushed)
        book.write(body)
    names = ("Receipts", "Runs", "People named", "Handed over", "Accepted")
    (row,) = rows(book.facts(), "receipts")

    assert tuple(row[name] for name in names) == (6, 2, 1_501, 1_501, 1_501)


def test_requests_that_a_receipt_names_by_spans_are_counted_as_it_counts_them() -> None:
    """A span holds entries that are no requests, too."""
    book = Book()
    book.opt_out("ann")
    book.write(Honoured("crm", 1, "ab" * 32, 1, (), True, spans=(0, 1), requests=1))

    assert [row["Requests not taken"] for row in rows(book.facts(), "receipts")] == [1]


# --- Outages ---------------------------------------------------------------------------------------------


def test_an_outage_lasts_from_the_first_run_that_is_not_whole_to_the_next_that_is() -> None:
    """By system and kind of run; a patrol that ends whole does not end the trouble of an export."""
    book = Book()
    book.sync()
    first = book.on("2026-09-02").sync(complete=False)
    book.on("2026-09-03").sync(complete=False, mode="window")
    asked = book.opt_out("ann", origin=Origin.PERSON)
    refused = book.on("2026-09-04").told("crm", failed=[asked])
    book.on("2026-09-05").sync()
    gone = book.patrol("crm", complete=False)
    book.on("2026-09-07").patrol("crm")

    found = [tuple(row.values()) for row in rows(book.facts(), "outages")]

    assert found == [
        ("main", "reading the source", noon("2026-09-02"), noon("2026-09-05"), 2, first, first + 1, "closed"),
        ("crm", "telling the destination", noon("2026-09-04"), None, 1, refused, refused, "open"),
        (
            "crm",
            "patrolling the destination",
            noon("2026-09-05"),
            noon("2026-09-07"),
            1,
            gone,
            gone,
            "closed",
        ),
    ]


def test_only_outages_that_reach_into_the_period_are_told() -> None:
    """One that began before it counts, one that was over does not."""
    book = Book()
    book.sync(complete=False)
    book.on("2026-09-03").sync()
    book.on("2026-09-10").sync(complete=False)
    book.on("2026-10-03").sync()
    book.on("2026-11-10").sync(complete=False)

    found = book.facts(since="2026-10-01", until="2026-10-31").availability

    assert [each.began for each in found.outages] == [noon("2026-09-10")]
    assert [(each.week, each.runs, each.whole) for each in found.weeks] == [(date(2026, 9, 28), 1, 1)]


def test_systems_that_the_report_is_not_about_have_no_outages_in_it() -> None:
    """Those of another sender, and destinations that were not asked for."""
    book = Book()
    book.sync(complete=False)
    book.sync(source="other", complete=False)
    for name in ("crm", "mail"):
        book.told(name, failed=[book.opt_out(name)])
    both = replace(
        OWNED, sources={**OWNED.sources, "other": SourceSettings("other", "constant-contact", sender="Beta")}
    )

    acme = book.facts(sender="Acme", settings=both).availability.outages
    mail = book.facts(destinations=["mail"], settings=both).availability.outages

    assert {each.system for each in acme} == {"main", "crm", "mail"}
    assert {each.system for each in mail} == {"main", "other", "mail"}


def test_a_run_that_was_struck_out_is_none() -> None:
    """As for every other figure."""
    book = Book()
    book.corrected(book.sync(complete=False))

    assert book.facts().availability.outages == ()


def test_the_strip_of_weeks_shows_what_the_table_says() -> None:
    """Each cell its number, each row its name; a week without a run is empty."""
    book = Book()
    book.sync()
    book.later(hours=1).sync(complete=False)
    book.on("2026-09-15").sync()
    book.told("crm")

    facts = book.facts()
    table = [(row["System"], row["Week of"], row["Whole, %"]) for row in rows(facts, "uptime")]
    (strip,) = drawn(facts)["uptime"]

    assert table == [
        ("crm", date(2026, 9, 14), 100),
        ("main", date(2026, 8, 31), 50),
        ("main", date(2026, 9, 14), 100),
    ]
    assert "3 of 4" in strip.says
    assert [strip.svg.count(f">{number}</text>") for number in (100, 50)] == [2, 1]
    assert ">2026-09-07</text>" in strip.svg
    assert ">main, read</text>" in strip.svg


def test_without_a_run_there_is_no_strip() -> None:
    """And the tables say so."""
    facts = Book().facts()

    assert drawn(facts)["uptime"] == ()
    assert rows(facts, "uptime") == rows(facts, "outages") == []


def test_weeks_that_are_long_past_are_not_drawn() -> None:
    """Nor listed; the JSON form holds them."""
    book = Book()
    book.sync()
    book.on("2027-09-01").sync()
    facts = book.facts()

    assert [row["Week of"] for row in rows(facts, "uptime")] == [date(2027, 8, 30)]
    assert len(facts.availability.weeks) == 2


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_outages_and_weeks_count_every_run_once(book: Book) -> None:
    """Runs that are not whole are in exactly one outage each."""
    found = book.facts(as_of="2030-01-01").availability

    for run in Run:
        bad = sum(each.runs - each.whole for each in found.weeks if each.run is run)
        assert bad == sum(each.runs for each in found.outages if each.run is run)
    for each in found.outages:
        assert each.ended is None or each.ended >= each.began


# --- Exceptions ------------------------------------------------------------------------------------------


def test_each_exception_has_its_cause_its_owner_and_what_became_of_it() -> None:
    """What is not put right first: it is due at once."""
    book = Book()
    book.destination("crm")
    book.sync()
    late = book.opt_out("ann", received="2026-09-01", origin=Origin.PERSON, reason=Reason.REQUESTED)
    book.on("2026-09-20").told("crm")
    overdue = book.opt_out("bob", received="2026-09-20", origin=Origin.PERSON, reason=Reason.REQUESTED)
    strayed = book.drift("ann")
    outage = book.on("2026-10-20").sync(complete=False)

    found = [tuple(row.values()) for row in rows(book.facts(settings=OWNED), "exceptions")]

    assert sorted(found, key=str) == sorted(
        [
            ("late or overdue request", "crm", "not exported in time", 2, 1, date(2026, 9, 20), "at once",
             "Sales operations", late, overdue),
            ("suppressed person mailable again", "main", "reported there as explicit", 1, 1, None, "at once",
             "Marketing", strayed, strayed),
            ("outage", "main", "a source was not read completely", 1, 1, None, "at once", "Marketing", outage,
             outage),
        ],
        key=str,
    )  # fmt: skip


def test_what_is_put_right_is_due_no_longer_and_an_unnamed_owner_is_said() -> None:
    """The ledger knows nobody in charge, and none is made up."""
    book = Book()
    book.destination("crm")
    book.opt_out("ann", received="2026-09-01", origin=Origin.PERSON)
    book.on("2026-09-30").told("crm")
    book.drift("ann")
    book.on("2026-10-02").sync()

    found = rows(book.facts(), "exceptions")

    assert [(each["Not put right"], each["Put right by"], each["Due"], each["Owner"]) for each in found] == [
        (0, date(2026, 9, 30), None, "not named in the settings"),
        (0, date(2026, 10, 2), None, "not named in the settings"),
    ]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_every_late_row_drift_and_outage_is_in_one_exception(book: Book) -> None:
    """The counts add up, and so do those that are not put right."""
    facts = book.facts(as_of="2030-01-01")

    expected = len(facts.deadlines.missed) + len(facts.drift) + len(facts.availability.outages)
    assert sum(each.number for each in facts.exceptions) == expected
    open_ones = sum(
        each.honoured is None and each.state.value == "overdue" for each in facts.deadlines.missed
    )
    open_ones += sum(each.closed is None for each in facts.drift)
    open_ones += sum(each.ended is None for each in facts.availability.outages)
    assert sum(each.still for each in facts.exceptions) == open_ones
    assert all((each.due is not None) == (each.still > 0) for each in facts.exceptions)


def test_owners_stand_beside_the_systems_where_they_are_named() -> None:
    """In the coverage tables."""
    book = Book()
    book.sync()
    book.told("crm")
    facts = book.facts(settings=OWNED)

    assert [row["Owner"] for row in rows(facts, "sources")] == ["Marketing"]
    assert [row["Owner"] for row in rows(facts, "destinations")] == ["Sales operations"]
