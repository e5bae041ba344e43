"""Importing an old list: no opt-out lost, no date invented, nothing recorded twice, nobody revived."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppress.core.address import Address, addresses_in
from suppress.core.entry import ImportDone, OptOutRecorded
from suppress.core.suppression import Consent, Origin, Reason
from suppress.core.verdict import Ruling
from suppress.errors import BadFile, BadUsage
from suppress.files.contacts import ContactFile
from suppress.intake import Imported, import_file, layout_of
from suppress.intake import importing as module
from suppress.ledger import Ledger
from tests.exports import LAYOUT_A, active, export, unsubscribed
from tests.small_ledger import made
from tests.strategies import address_texts

pytestmark = pytest.mark.both_back_ends

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class World:
    """A ledger and a folder for files."""

    ledger: Ledger
    folder: Path

    def imported(self, text: str | bytes, *mapping: str, name: str = "old.csv", **options: Any) -> Imported:
        """Import a file of this text."""
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with ContactFile.open(str(path), need_addresses=False) as contacts:
            layout = layout_of(contacts, profile=None, mapping=mapping)
            told: dict[str, Any] = {"zone": UTC, "now": NOW, "actor": "test"} | options
            return import_file(self.ledger, contacts, layout, **told)

    def requests(self, address: str) -> list[OptOutRecorded]:
        """What is recorded about one person."""
        history = self.ledger.history(Address.parse(address))
        return [each.entry.body for each in history if isinstance(each.entry.body, OptOutRecorded)]

    def suppressed(self) -> set[str]:
        """Everybody who may not be mailed."""
        return {each.key for each in self.ledger.suppressed()}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Ledger.open(made(tmp_path), keys=tmp_path / "suppress.keys") as ledger:
        yield World(ledger, tmp_path)


def counts(result: Imported) -> tuple[int, int, int, int, int]:
    return result.rows, result.accepted, result.duplicate, result.ignored, result.rejected


def test_an_export_is_recorded_with_its_original_dates(world: World) -> None:
    """Dates, sources and reasons as they were; active people are not touched."""
    people = [
        active("active@example.com"),
        unsubscribed("own@example.com", "2024-03-05 10:00:00", "Contact", "=cmd|' /C calc'!A0"),
        unsubscribed("staff@example.com", "3/5/2024", "Account"),
        unsubscribed("undated@example.com"),
    ]
    result = world.imported(export(LAYOUT_A, people), zone=ZoneInfo("America/New_York"))

    assert (4, 3, 0, 1, 0) == counts(result)
    assert (1, 0) == (result.undated, result.unreadable_dates)
    assert {"own@example.com", "staff@example.com", "undated@example.com"} == world.suppressed()
    (own,), (staff,) = world.requests("own@example.com"), world.requests("staff@example.com")
    (undated,) = world.requests("undated@example.com")
    assert datetime(2024, 3, 5, 15, tzinfo=UTC) == own.occurred_at == own.received_at
    assert datetime(2024, 3, 5, 5, tzinfo=UTC) == staff.occurred_at
    assert (None, None) == (undated.occurred_at, undated.received_at)
    assert [Reason.UNSUBSCRIBED, Reason.ACCOUNT, Reason.UNKNOWN] == [own.reason, staff.reason, undated.reason]
    assert {Origin.FILE} == {own.origin, staff.origin, undated.origin}
    assert "constant-contact-export" == own.source


def test_the_raw_cells_are_kept_as_evidence(world: World) -> None:
    """With the file they came from, by name, digest and line."""
    text = "mail,when,why\npat@example.com,3/15/2024,asked us\n"
    batch = world.imported(text, "email=mail,date=when,reason=why").batch
    recorded = world.ledger.history(Address.parse("pat@example.com"))[-1]

    assert recorded.payload is not None
    assert {
        "file": "old.csv",
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "line": 2,
        "batch": batch,
        "cells": {"mail": "pat@example.com", "when": "3/15/2024", "why": "asked us"},
    } == recorded.payload["evidence"]


def test_the_import_is_recorded_with_counts_that_add_up(world: World) -> None:
    """One entry, with the first and last of what it added."""
    text = "mail\na@example.com\nb@example.com\n,\na@example.com\n"
    result = world.imported(text, "email=mail")
    assert result.seq is not None
    (entry,) = world.ledger.entries(result.seq)
    opt_outs = [each.seq for each in world.ledger.entries() if isinstance(each.body, OptOutRecorded)]

    assert (4, 2, 1, 0, 1) == counts(result)
    assert (
        ImportDone(
            digest=hashlib.sha256(text.encode()).hexdigest(),
            profile="map",
            source="import",
            rows=4,
            accepted=2,
            duplicate=1,
            ignored=0,
            rejected=1,
            first=opt_outs[0],
            last=opt_outs[-1],
            found=(opt_outs[0], opt_outs[0]),
            batch=result.batch,
        )
        == entry.body
    )


def test_the_same_file_again_adds_nothing(world: World) -> None:
    """Not even an entry that says that it was imported."""
    text = export(LAYOUT_A, [unsubscribed("a@example.com", "2024-03-05"), active("b@example.com")])
    world.imported(text)
    head = world.ledger.head()
    again = world.imported(text)

    assert (2, 0, 1, 1, 0) == counts(again)
    assert head == world.ledger.head()


def test_the_same_rows_in_another_file_add_no_opt_outs(world: World) -> None:
    """Another order, other date forms, other columns, another name: the same requests."""
    world.imported("mail,when\na@example.com,2024-03-05\nb@example.com,\n", "email=mail,date=when")
    result = world.imported(
        "x;date;adr\n1;;B@example.com\n2;Mar 5, 2024;A@EXAMPLE.com\n", "email=adr,date=date", name="copy.csv"
    )

    assert (2, 0, 2, 0, 0) == counts(result)
    assert [1, 1] == [len(world.requests(each)) for each in ("a@example.com", "b@example.com")]


def test_two_requests_of_one_person_are_both_kept(world: World) -> None:
    """On two days; the earlier date is the one that suppression counts from."""
    text = "mail,when\na@example.com,2024-03-05\na@example.com,2023-01-02\n"
    result = world.imported(text, "email=mail,date=when")

    assert (2, 2, 0, 0, 0) == counts(result)
    (suppression,) = world.ledger.standing(Address.parse("a@example.com")).suppressions
    assert datetime(2023, 1, 2, tzinfo=UTC) == suppression.since


def test_a_row_that_says_active_never_lifts(world: World) -> None:
    """However new the export is and whoever it is about."""
    world.imported(export(LAYOUT_A, [unsubscribed("a@example.com", "2024-03-05")]))
    result = world.imported(export(LAYOUT_A, [active("a@example.com")]), name="later.csv")

    assert (1, 0, 0, 1, 0) == counts(result)
    assert Ruling.SUPPRESSED is world.ledger.check("a@example.com").ruling


def test_an_old_opt_out_does_not_undo_a_later_consent_and_a_later_one_does(world: World) -> None:
    """Dates decide, not the order in which lists turn up."""
    world.imported("mail,when\na@example.com,2024-03-05\n", "email=mail,date=when")
    consent = Consent(Address.parse("a@example.com"), "form", datetime(2025, 1, 1, tzinfo=UTC))
    world.ledger.append([consent], actor="test")
    world.imported("mail,when\na@example.com,2023-01-01\n", "email=mail,date=when", name="older.csv")
    assert Ruling.CLEAR is world.ledger.check("a@example.com").ruling
    world.imported("mail,when\na@example.com,2025-06-01\n", "email=mail,date=when", name="newer.csv")

    assert Ruling.SUPPRESSED is world.ledger.check("a@example.com").ruling


# --- Flaws -----------------------------------------------------------------------------------------------


def test_an_unreadable_date_never_loses_the_opt_out(world: World) -> None:
    """It is recorded without a date, the raw text stays as evidence, and the line is reported."""
    text = "mail,when\na@example.com,31.31.2020\nb@example.com,2030-01-01\nc@example.com,d@example.com 7\n"
    result = world.imported(text, "email=mail,date=when")

    assert (3, 3, 0, 0, 0) == counts(result)
    assert (3, 3) == (result.undated, result.unreadable_dates)
    assert [
        (2, "the date “31.31.2020” cannot be read; recorded without a date"),
        (3, "the date “2030-01-01” lies in the future; recorded without a date"),
        # A column mapped by mistake may hold addresses, and messages never show those.
        (4, "the date cannot be read; recorded without a date"),
    ] == [(each.line, each.text) for each in result.remarks]
    assert {"a@example.com", "b@example.com", "c@example.com"} == world.suppressed()
    assert [None] == [each.occurred_at for each in world.requests("a@example.com")]


def test_one_impossible_month_decides_for_the_whole_file(world: World) -> None:
    """Also for the rows before it; what was decided is said."""
    text = "mail,when\nb@example.com,3/4/2024\na@example.com,25/12/2024\n"
    result = world.imported(text, "email=mail,date=when")

    assert (("dates write the day before the month, as 1 of them show",), 0) == (
        result.warnings,
        result.unreadable_dates,
    )
    assert [datetime(2024, 4, 3, tzinfo=UTC)] == [
        each.occurred_at for each in world.requests("b@example.com")
    ]


def test_dates_that_may_be_read_in_two_ways_are_asked_about(world: World) -> None:
    """Nothing is recorded until the user says it."""
    text = "mail,when\nb@example.com,3/4/2024\n"
    with pytest.raises(BadUsage, match="whether dates such as 3/4/2024") as asked:
        world.imported(text, "email=mail,date=when")

    assert "--date-format mdy" in (asked.value.remedy or "")
    assert set() == world.suppressed()
    world.imported(text, "email=mail,date=when", date_format="dmy")
    assert [datetime(2024, 4, 3, tzinfo=UTC)] == [
        each.occurred_at for each in world.requests("b@example.com")
    ]


def test_a_mapped_list_of_people_who_may_be_mailed_is_not_taken_for_opt_outs(world: World) -> None:
    """Somebody mapped the status: rows that say active are listed, those that say unsubscribed count."""
    text = "mail,status\na@example.com,Active\nb@example.com,Unsubscribed\nc@example.com,Subscribed\n"
    result = world.imported(text, "email=mail,reason=status")

    assert {"b@example.com"} == world.suppressed()
    assert ({"active": 1, "subscribed": 1}, 2) == (result.unknown, result.rejected)


def test_receipt_has_a_column_of_its_own(world: World) -> None:
    """A list may say when the request reached us; one that does not leaves it unknown."""
    world.imported(
        "mail,when,got\na@example.com,2024-03-05,2024-03-08\nb@example.com,2024-03-05,\n",
        "email=mail,date=when,received=got",
    )
    (one,), (other,) = world.requests("a@example.com"), world.requests("b@example.com")

    assert (datetime(2024, 3, 8, tzinfo=UTC), None) == (one.received_at, other.received_at)


def test_malformed_addresses_are_recorded_as_text(world: World) -> None:
    """A row is not lost because its address is odd: the same odd text in an import is withheld."""
    result = world.imported("mail\njo..hn@example.com\npat at example\nok@example.com\n", "email=mail")

    assert (3, 3, 0, 0, 0) == counts(result)
    assert 2 == result.malformed
    assert Ruling.SUPPRESSED is world.ledger.check("Pat at Example").ruling


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Pat <pat@example.com>", {"pat@example.com"}),
        ("a@example.com; b@example.com", {"a@example.com", "b@example.com"}),
        ("a@example.com", {"a@example.com"}),
        ('"odd name"@example.com', {'"odd name"@example.com'}),
    ],
)
def test_every_address_of_a_cell_is_recorded_and_no_invention(
    world: World, cell: str, expected: set[str]
) -> None:
    """Two in one cell are two people's, and not a third with a semicolon in the name."""
    quoted = '"' + cell.replace('"', '""') + '"'
    world.imported(f"mail\n{quoted}\n", "email=mail")

    assert expected == world.suppressed()


def test_a_row_without_an_address_is_rejected_by_its_number(world: World) -> None:
    """And written to a file with why, in the list's own manner, to be mended and imported."""
    rows = [
        *("a@example.com;x", ";nobody", "   ;blank", "one;two;three;four", "\0;nul", '"\nx";"two\nlines"'),
        "x" * 2_001 + ";long",
    ]
    text = "mail;name\r\n" + "\r\n".join(rows)
    target = world.folder / "rejected.csv"
    result = world.imported(text, "email=mail", rejected=str(target))

    assert (7, 1, 0, 0, 6) == counts(result)
    assert [
        (3, "rejected: no address"),
        (4, "rejected: no address"),
        (5, "rejected: the row has 4 cells where 2 are usual, and no address stands in its column"),
        (6, "rejected: the row holds a NUL byte"),
        (7, "rejected: column “mail” runs over several lines, and no address stands in its column"),
        (10, "rejected: no address"),
    ] == [(each.line, each.text) for each in result.remarks]
    written = target.read_bytes().decode().split("\r\n")
    assert "mail;name;suppress_rejected" == written[0]
    assert ";nobody;no address" == written[1]
    assert {"a@example.com"} == world.suppressed()


def test_a_row_cut_before_its_status_is_not_taken_for_active(world: World) -> None:
    """Nothing says that the person may be mailed."""
    result = world.imported("Email address,Email status\na@example.com,Active\nb@example.com\n")

    assert (2, 0, 0, 1, 1) == counts(result)
    assert "so nothing says whether it is an opt-out" in result.remarks[0].text


def test_a_broken_file_records_nothing(world: World) -> None:
    """A quote lost in the last row is found before the first batch is recorded."""
    people = "".join(f"a{number}@example.com\n" for number in range(5_000))
    with pytest.raises(BadFile, match="line 5002: a quote opens here"):
        world.imported(f'mail\n{people}"open\n', "email=mail")

    assert 1 == world.ledger.head().size


def test_remarks_do_not_grow_without_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong mapping of a million rows must not fill the memory; the counts stay right."""
    monkeypatch.setattr(module, "REMARKS", 3)
    result = world.imported("mail,x\n" + ",x\n" * 10, "email=mail")

    assert (10, 3) == (result.rejected, len(result.remarks))


# --- Dry run and steps -----------------------------------------------------------------------------------


def test_a_dry_run_writes_nothing_and_says_who_is_new(world: World) -> None:
    """Neither entries nor a file of rejected rows."""
    world.imported("mail\na@example.com\n", "email=mail")
    head = world.ledger.head()
    target = world.folder / "rejected.csv"
    text = "mail\na@example.com\nb@example.com\n,\n"
    result = world.imported(text, "email=mail", dry_run=True, rejected=str(target), name="next.csv")

    assert (3, 1, 1, 0, 1) == counts(result)
    assert result.seq is None
    assert head == world.ledger.head()
    assert not target.exists()


def test_a_list_longer_than_a_batch_is_recorded_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One transaction a batch, and the answer does not depend on where batches end."""
    monkeypatch.setattr(module, "BATCH", 3)
    steps: list[int] = []
    text = "mail,two\n" + "".join(f"a{n}@example.com,b{n % 4}@example.com\n" for n in range(10))
    result = world.imported(text, "email=mail,email=two", progress=lambda done, _total: steps.append(done))

    assert (10, 10, 0, 0, 0) == counts(result)
    assert 14 == len(world.suppressed())
    assert [10] == steps


def _expressible(text: str) -> bool:
    """Whether a file can hold the text: lone surrogates have no bytes."""
    return text.encode("utf-8", "ignore").decode() == text


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(cells=st.lists(address_texts().filter(_expressible), min_size=1, max_size=5))
def test_whoever_is_on_the_list_is_suppressed_afterwards(world: World, cells: list[str]) -> None:
    """Whatever the cells hold: a row is recorded, or rejected by number; none is lost."""
    quoted = ['"' + cell.replace('"', '""') + '"' for cell in cells]
    result = world.imported("mail,x\r\n" + "".join(f"{cell},y\r\n" for cell in quoted), "email=mail")

    assert len(cells) == result.rows == result.accepted + result.duplicate + result.rejected
    unheard = [
        cell
        for cell in cells
        if not any(
            Ruling.SUPPRESSED is world.ledger.check(address.raw).ruling for address in addresses_in(cell)
        )
    ]
    assert len(unheard) == result.rejected
