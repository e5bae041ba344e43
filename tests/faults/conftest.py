"""Options of the harnesses: a short run by default, the long one with `--faults-long`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ledger.making import Place


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--faults-long` multiplies kills and flips by twenty."""
    parser.addoption(
        "--faults-long", action="store_true", help="Long fault harnesses: many kills, every byte."
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a fault harness."""
    for item in items:
        if "tests/faults/" in item.nodeid:
            item.add_marker(pytest.mark.faults)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A new ledger with its first entry."""
    return Place(tmp_path).create()


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """How often to do something: as often as given, or twenty times as often."""
    factor = 20 if request.config.getoption("--faults-long", default=False) else 1
    return lambda short: short * factor
