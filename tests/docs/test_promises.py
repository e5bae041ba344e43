"""The page of promises says nothing that no test holds, and every attack that is tried is on it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.faults.operator import ATTACKS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "promises.md"
LINK = re.compile(r"\[([\w-]+)\]\(([^)]*tests/[^)]+\.py)\)")


def rows() -> list[list[str]]:
    """The cells of the table of attacks."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def names_in(file: Path) -> set[str]:
    """The tests of a file: functions, and state machines by the name that they are assigned to."""
    found: set[str] = set()
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.add(node.targets[0].id)
    return {name for name in found if name.lower().startswith("test")}


LINKS = sorted(set(LINK.findall(PAGE.read_text("utf-8"))))


@pytest.mark.parametrize(("name", "target"), LINKS, ids=[name for name, _ in LINKS])
def test_every_test_that_is_named_exists(name: str, target: str) -> None:
    """In the file that the link leads to."""
    file = (PAGE.parent / target).resolve()

    assert name in names_in(file) or (file.name == "test_operator.py" and name in ATTACKS)


def test_every_row_names_its_test() -> None:
    """One each, in the last cell."""
    assert [] == [row[0] for row in rows() if len(row) != 5 or not LINK.fullmatch(row[4])]


def test_everything_that_can_be_relied_on_names_its_test() -> None:
    """A promise without a test is an advertisement."""
    text = PAGE.read_text("utf-8").partition("## You can rely on this")[2].partition("\n## ")[0]
    promises = [line for line in text.splitlines() if line.startswith("- ")]

    assert promises
    assert [] == [line for line in promises if not LINK.search(line)]


def test_every_attack_is_on_the_page_with_what_comes_of_it() -> None:
    """The words of the page are the ones that the attack is tested against."""
    said = {LINK.findall(row[4])[0][0]: (row[1], row[2]) for row in rows()}

    assert {name: (each.inside.value, each.anchored.value) for name, each in ATTACKS.items()} == {
        name: outcome for name, outcome in said.items() if not name.startswith("test_")
    }


def test_what_nothing_catches_is_printed_as_plainly_as_the_rest() -> None:
    """In the same table, in bold: older copy, fork, rewrite, and what was never recorded."""
    missed = [row[0] for row in rows() if row[1] == "**not caught**"]

    for attack in ("older copy", "fork", "rewrite", "never record", "clock forward"):
        assert any(attack in row for row in missed), attack
