"""What a program may rely on: `from suppress import Ledger`, and a price of nothing until it is used."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import suppress
from suppress import Ledger, Ruling, SuppressError, Tier
from suppress.core.address import Address
from suppress.core.suppression import OptOut, Origin, Reason


def test_a_program_asks_the_ledger(tmp_path: Path) -> None:
    """The example of the documentation, as a program would run it."""
    url = f"sqlite:///{tmp_path / 'suppress.db'}"
    assert Ledger.create(url, keys=tmp_path / "suppress.keys")
    told = OptOut(
        Address.parse("Pat@Example.com"),
        "desk",
        Origin.PERSON,
        Reason.REQUESTED,
        received_at=datetime(2026, 11, 2, tzinfo=UTC),
    )
    with Ledger.open(url) as ledger:
        ledger.append([told], actor="test")
        verdict = ledger.check("pat@example.COM ")
        other = ledger.check("jo@example.com")

    assert (Ruling.SUPPRESSED, Tier.EXACT, Reason.REQUESTED) == (verdict.ruling, verdict.tier, verdict.reason)
    assert Ruling.CLEAR is other.ruling


def test_failures_are_one_tree(tmp_path: Path) -> None:
    """One `except` catches what suppress raises on purpose."""
    with pytest.raises(SuppressError, match="no ledger"):
        Ledger.open(f"sqlite:///{tmp_path / 'none.db'}")


def test_every_promised_name_is_there() -> None:
    """And no other appears by accident."""
    assert all(getattr(suppress, name) for name in suppress.__all__)
    with pytest.raises(AttributeError, match="no attribute 'ledgr'"):
        suppress.ledgr  # noqa: B018


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--help"], ["alembic", "cryptography", "holidays", "httpx2", "jinja2", "pluggy", "sqlalchemy"]),
        (
            ["check", "pat@example.com"],
            ["alembic", "cryptography", "holidays", "httpx2", "jinja2", "sqlalchemy"],
        ),
    ],
)
def test_what_feels_instant_loads_nothing_heavy(
    arguments: list[str], heavy: list[str], tmp_path: Path
) -> None:
    """Each of these libraries costs 50 to 300 ms; a check of one address must not wait for them."""
    Ledger.create(f"sqlite:///{tmp_path / 'suppress.db'}", keys=tmp_path / "suppress.keys")
    program = (
        "import sys; from suppress.__main__ import main\n"
        f"sys.argv = ['suppress', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print(sorted(set({heavy!r}) & sys.modules.keys()), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert "[]" == done.stderr.splitlines()[-1]
