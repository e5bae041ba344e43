"""Hundreds of files that go wrong in their own ways: each ends in the right verdict, or in one clear line."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

import pytest

from suppress.check import Finding, Targets, check_file
from suppress.core.verdict import Ruling
from suppress.errors import BadUsage
from suppress.files.contacts import ContactFile
from suppress.ledger import Ledger, Lookup
from tests.files.torture.books import BOOKS
from tests.files.torture.case import Case
from tests.files.torture.cells import CELLS
from tests.files.torture.encodings import ENCODINGS, MIXED, NUL
from tests.files.torture.manners import MANNERS
from tests.files.torture.objects import OBJECTS
from tests.files.torture.oracle import leaked
from tests.files.torture.packed import PACKED
from tests.files.torture.quoting import DELIMITERS, ENDS, QUOTES, SHAPES
from tests.files.torture.tables import TABLES
from tests.small_ledger import made, opened

ALL = [*QUOTES, *ENDS, *SHAPES, *DELIMITERS, *CELLS, *ENCODINGS, *MIXED, *NUL, *MANNERS, *PACKED]
ALL += [*OBJECTS, *BOOKS, *TABLES]

LETTERS = {Ruling.SUPPRESSED: "W", Ruling.REVIEW: "R"}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lookup, Ledger]]:
    folder = tmp_path_factory.mktemp("torture")
    with opened(made(folder, ("pat@example.com", "info@bücher.example", "quit@gmail.com"))) as both:
        yield both


def test_there_are_enough_cases_and_no_name_twice() -> None:
    """A case whose name is taken would never be found again."""
    assert len(ALL) >= 300
    assert len(ALL) == len({each.name for each in ALL})


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)
def test_a_file_ends_in_the_right_verdict_or_in_one_clear_line(
    each: Case, ledger: tuple[Lookup, Ledger], tmp_path: Path
) -> None:
    """Rows as expected, each in one result, nobody suppressed among those kept; or nothing at all."""
    path = tmp_path / f"list{each.ending}"
    path.write_bytes(each.content)
    if each.refusal is not None:
        with pytest.raises(BadUsage) as refused:
            _checked(path, each, ledger)
        assert each.refusal in str(refused.value)
        assert "\n" not in str(refused.value)
        assert not leaked(str(refused.value).encode())
        assert [path] == list(tmp_path.iterdir())
        return
    rulings, results = _checked(path, each, ledger)

    assert each.expected == rulings
    assert [] == leaked(results["kept"])
    assert _rows_only(results["kept"], each.content)


def _checked(path: Path, each: Case, ledger: tuple[Lookup, Ledger]) -> tuple[str, dict[str, bytes]]:
    """A letter for each row, in order, and the three results."""
    lookup, book = ledger
    findings: list[Finding] = []
    with ContactFile.open(str(path), each.reading) as contacts:
        numbers = [row.line for batch in contacts.batches() for row in batch if not row.blank]
        targets = {name: contacts.beside(str(path.parent), name) for name in ("kept", "withheld", "review")}
        outcome = check_file(
            contacts, lookup, book, actor="test", targets=Targets(**targets), explain=findings.append
        )
    letters = dict.fromkeys(numbers, "K")
    letters.update({finding.line: LETTERS[finding.decision.ruling] for finding in findings})
    rulings = "".join(letters[number] for number in numbers)

    assert (outcome.rows, outcome.kept) == (len(numbers), rulings.count("K"))
    assert (outcome.withheld, outcome.review) == (rulings.count("W"), rulings.count("R"))
    return rulings, {name: Path(target).read_bytes() for name, target in targets.items()}


def _rows_only(kept: bytes, content: bytes) -> bool:
    """Whether a kept text file is its input without some lines. Of other formats this cannot be said."""
    if kept[:2] in (b"PK", b"\x1f\x8b", b"\x28\xb5") or kept[:4] == b"PAR1":
        return True
    lines = iter(_lines(content))
    return all(line in lines for line in _lines(kept))


def _lines(content: bytes) -> list[bytes] | list[str]:
    for mark, codec in MARKS.items():
        if content.startswith(mark):
            text = content.removeprefix(mark).decode(codec)
            return text.replace("\r", "\n").split("\n")
    return content.removeprefix(codecs.BOM_UTF8).splitlines(keepends=True)


MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
