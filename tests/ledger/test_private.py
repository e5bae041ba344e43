"""A ledger holds addresses: nobody else on the machine may read it."""

from __future__ import annotations

import os
from pathlib import Path

from suppress.ledger import Ledger


def test_a_new_ledger_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Whatever the umask; SQLite gives the journal the database's mode."""
    before = os.umask(0o000)
    try:
        Ledger.create(f"sqlite:///{tmp_path / 'suppress.db'}", keys=tmp_path / "keys")
    finally:
        os.umask(before)

    assert {"suppress.db", "suppress.db-journal"} <= {each.name for each in tmp_path.iterdir()}
    assert {0o600} == {each.stat().st_mode & 0o777 for each in tmp_path.glob("suppress.db*")}
    assert 0o700 == (tmp_path / "keys").stat().st_mode & 0o777
