"""The tables that lead from a figure to its entries: what stands in them, checked by a reader's head."""

from __future__ import annotations

import pytest

from suppress.core.entry import CheckDone
from suppress.core.suppression import Origin, Visibility
from suppress.report import census, logs
from suppress.report.contents import tables
from suppress.report.table import Table, Value
from tests.report.books import Book


def column(table: Table, name: str) -> list[Value]:
    """The values of a column."""
    return [row[table.columns.index(name)] for row in table.rows]


def named(table: Table) -> dict[Value, Value]:
    """A table of names and values."""
    return {row[0]: row[1] for row in table.rows}


@pytest.fixture
def book() -> Book:
    """Three requests from two origins; one destination read back, one not, and one that refused somebody."""
    book = Book()
    book.destination("mail")
    book.opt_out("ann")
    book.opt_out("bob", origin=Origin.PERSON, source="desk")
    book.told("crm")
    book.told("mail", verified=False, failed=[2])
    book.later(days=8).opt_out("cyd", visibility=Visibility.DELETED)
    book.told("crm")
    return book


def test_each_source_is_held_against_each_destination(book: Book) -> None:
    """Read back at one, accepted at the other, and what waits there."""
    found = tables(book.facts())["matrix"]

    assert found.columns[:4] == ("Source", "Channel", "Destination", "Requests")
    assert [row[0:1] + row[2:7] for row in found.rows] == [
        ("desk", "crm", 1, 1, 0, 0),
        ("desk", "mail", 1, 0, 1, 0),
        ("main", "crm", 2, 2, 0, 0),
        ("main", "mail", 2, 0, 0, 2),
    ]


def test_what_destinations_answered_is_summed(book: Book) -> None:
    """Receipts by destination with the entries they lie between."""
    found = tables(book.facts())["receipts"]

    unsaid = (None, None, None, None)
    assert found.rows == (("crm", 2, 2, 2, 2, 0, *unsaid, 0, 4, 7), ("mail", 1, 1, 1, 0, 1, *unsaid, 1, 5, 5))


def test_weeks_tell_what_was_read_back(book: Book) -> None:
    """Requests of the week of the thirty-first of August, and of the week after next."""
    found = tables(book.facts())["reach_by_week"]

    assert [(row[0], str(row[1]), *row[2:]) for row in found.rows] == [
        ("crm", "2026-08-31", 2, 2, 100),
        ("crm", "2026-09-07", 1, 1, 100),
        ("mail", "2026-08-31", 2, 0, 0),
        ("mail", "2026-09-07", 1, 0, 0),
    ]


def test_every_figure_of_the_head_names_its_entries(book: Book) -> None:
    """By number, so that anybody can count again."""
    facts = book.facts(since="2026-09-02")
    found = tables(facts)["basis"]
    numbers = dict(zip(column(found, "Figure"), column(found, "Number"), strict=True))
    entries = dict(zip(column(found, "Figure"), column(found, "Counted from entries"), strict=True))

    assert (numbers["Entries in the period"], entries["Entries in the period"]) == (2, "6 to 7")
    assert entries["People who may not be e-mailed"] == "0 to 7"
    # Ann's is carried in, because `mail` had not taken it when the period began.
    assert (numbers["Requests judged"], entries["Requests judged"]) == (2, "2 to 6")


def test_who_wrote_is_counted(book: Book) -> None:
    """Each name with its entries of the period."""
    assert tables(book.facts())["access"].rows == (("pat at office", 8),)


def test_the_sample_has_its_method_items_steps_and_leaves(book: Book) -> None:
    """One item, each destination, and the leaves of the request and its receipt."""
    found = tables(book.facts(sample=1, seed="auditor"))

    assert named(found["sample_method"])["Seed"] == "auditor"
    assert len(found["sample"].rows) == 1
    assert set(column(found["sample_steps"], "Destination")) == {"crm", "mail"}
    leaves = column(found["sample_proofs"], "Leaf")
    assert all(isinstance(each, str) and each.startswith('{"actor":') for each in leaves)


def test_a_replay_has_its_figures_and_how_they_were_worked_out(book: Book) -> None:
    """And without one there is no such table."""
    found = tables(book.facts(what_if=("deleted-missed",)))

    assert "what_if" not in tables(book.facts())
    assert ("deleted-missed", "people who would look as if they could be mailed", 0, 1, 1) in found[
        "what_if"
    ].rows
    assert len(found["what_if_explained"].rows) == 3


def test_what_was_asked_for_is_on_the_cover() -> None:
    """Nobody takes the report of one sender for that of all."""
    facts = Book().facts(sender="Acme", destinations=("crm",))
    cover = named(tables(facts)["manifest"])

    assert cover["Only what binds the sender"] == "Acme"
    assert cover["Only the destination"] == "crm"


def test_long_lists_are_cut_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest acts, the first hidden people; the numbers count them all."""
    monkeypatch.setattr(logs, "LISTED", 2)
    monkeypatch.setattr(census, "LISTED", 1)
    book = Book()
    for name in ("ann", "bob", "cyd"):
        book.opt_out(name, visibility=Visibility.DELETED)
        book.write(CheckDone("ab" * 32, 1, 1, 0, 0, 0))
    facts = book.facts()
    found = tables(facts)

    assert [row[0] for row in found["checks"].rows] == [4, 6]
    assert found["checks"].caption.endswith("(the newest 2 of 3)")
    assert [row[0] for row in found["hidden"].rows] == [1]
    assert found["hidden"].caption.endswith("(the first 1 of 3)")
    assert facts.verdict.hidden == 3
