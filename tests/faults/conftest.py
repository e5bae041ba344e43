"""Options of the harnesses: a short run by default, the long one with `--faults-long`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ledger.making import Place


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--faults-long` multiplies kills and flips by twenty-eight, and samples nothing."""
    parser.addoption(
        "--faults-long", action="store_true", help="Long fault harnesses: many kills, every byte."
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Everything in this folder is a fault harness; what is marked `long` has no short run."""
    for item in items:
        if "tests/faults/" in item.nodeid:
            item.add_marker(pytest.mark.faults)
    if not config.getoption("--faults-long", default=False):
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A new ledger with its first entry."""
    return Place(tmp_path).create()


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """How often to do something: as often as given, or twenty-eight times as often."""
    factor = 28 if request.config.getoption("--faults-long", default=False) else 1
    return lambda short: short * factor
