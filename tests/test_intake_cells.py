"""A cell that names several people: each is recorded as written, and keeps nobody else's address."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core.address import Address, match_key
from suppress.core.spelling import bare
from suppress.files.contacts import ContactFile
from suppress.intake import import_file, layout_of
from suppress.intake.cells import addresses_of, own_cells
from suppress.ledger import Grounds, Ledger
from tests.small_ledger import made


@pytest.mark.parametrize(
    ("cell", "people"),
    [
        ("pat@x.com; PAT@X.COM", [("pat@x.com", "pat@x.com")]),
        ("pat@x.com; kim@y.com", [("pat@x.com", "pat@x.com"), ("kim@y.com", "kim@y.com")]),
        ("pat@x.com / kim@y.com", [("pat@x.com", "pat@x.com"), ("kim@y.com", "kim@y.com")]),
        ("straße@x.de; strasse@x.de", [("straße@x.de", "strasse@x.de"), ("strasse@x.de", "strasse@x.de")]),
        ("Pat Smith (pat@x.com); Kim@Y.com", [("pat@x.com", "pat@x.com"), ("Kim@Y.com", "kim@y.com")]),
        ("Pat Smith <pat@x.com>", [("Pat Smith <pat@x.com>", "pat@x.com")]),
        ('"a b"@x.com', [('"a b"@x.com', '"a b"@x.com')]),
        ('"pat@x.com"@y.com', [('"pat@x.com"@y.com', '"pat@x.com"@y.com')]),
    ],
)
def test_each_is_named_as_written_and_nobody_else(cell: str, people: list[tuple[str, str]]) -> None:
    """A name with an `@` in it that only the whole cell would give is nobody's."""
    assert people == [(each.raw, each.key) for each in addresses_of([cell])]


NAMES = st.sampled_from(
    ("pat@x.com", "Pat@X.com", "kim@y.com", "straße@z.de", "strasse@z.de", "lee.o@bücher.example")
)


@settings(max_examples=300)
@given(
    cell=st.lists(NAMES, min_size=1, max_size=4),
    between=st.sampled_from(("; ", ", ", " ", "|", " / ", ">;<")),
    other=st.lists(NAMES, max_size=2),
)
def test_nobody_is_lost_and_nobody_keeps_another_s_address(
    cell: list[str], between: str, other: list[str]
) -> None:
    """Every spelling is recorded, and what one of them keeps names only this one."""
    cells = {"Email": between.join(cell), "Second": between.join(other), "Note": "asked on the phone"}
    found = addresses_of(list(cells.values())[:2])
    people = {each.key for each in found}

    assert {match_key(each) for each in (*cell, *other)} == people
    assert {each.lower() for each in (*cell, *other)} <= {bare(each.raw, each.key).lower() for each in found}
    for own in people:
        kept = own_cells(cells, own, people)
        assert "asked on the phone" == kept["Note"]
        assert {own} >= {each.key for each in addresses_of([kept.get("Email", ""), kept.get("Second", "")])}


def test_a_cell_too_long_to_be_read_is_kept_by_nobody() -> None:
    """It may hold anybody's address."""
    cells = {"Email": "pat@x.com; kim@y.com", "Log": "x" * 1_990 + " kim@y.com pat@x.com"}

    assert {"Email": "pat@x.com"} == own_cells(cells, "pat@x.com", {"pat@x.com", "kim@y.com"})


def test_who_is_erased_is_not_left_in_the_evidence_of_another(tmp_path: Path) -> None:
    """Two people of one row, one of whom asks to be erased."""
    made(tmp_path)
    path = tmp_path / "old.csv"
    path.write_text("Email,Second,Note\nqpatq@x.com; qkimq@y.com,qpatq@x.com,both asked\n")
    now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    with Ledger.open(f"sqlite:///{tmp_path / 'suppress.db'}") as ledger:
        with ContactFile.open(str(path), need_addresses=False) as contacts:
            layout = layout_of(contacts, profile=None, mapping=["email=Email", "email=Second"])
            import_file(ledger, contacts, layout, zone=UTC, now=now, actor="test")
        pat, kim = Address.parse("qpatq@x.com"), Address.parse("qkimq@y.com")
        seen = [each.entry.seq for each in ledger.history(pat)]
        ledger.erase(pat, Grounds("asked"), seen=seen, actor="test")
        left = [each.payload for each in ledger.history(kim) if each.payload is not None]
    path.unlink()

    assert [{"Email": "qkimq@y.com"}] == [each["evidence"]["cells"] for each in json.loads(json.dumps(left))]
    assert not [each.name for each in tmp_path.rglob("*") if each.is_file() and b"qpatq" in each.read_bytes()]
