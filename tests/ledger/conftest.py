"""A ledger of one's own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ledger.making import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A new ledger with its first entry."""
    return Place(tmp_path).create()
