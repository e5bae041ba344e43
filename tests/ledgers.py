"""Real ledgers that grow in the course of a test; `small_ledger` makes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from suppress.core.suppression import OptOut
from suppress.ledger import Ledger
from tests.small_ledger import made, opted_out


def opt_out(address: str, **changes: object) -> OptOut:
    """One person's opt-out as a source reports it, but for `changes`."""
    return replace(opted_out(address), **changes)  # type: ignore[arg-type]  # names of OptOut's fields


def told(ledger: Ledger, *people: str | OptOut) -> None:
    """These people opt out too."""
    ledger.append([opt_out(each) if isinstance(each, str) else each for each in people], actor="test")


def ledger_with(folder: Path, *people: str | OptOut) -> str:
    """The URL of a new ledger in `folder` in which these people opted out."""
    url = made(folder)
    with Ledger.open(url, keys=folder / "suppress.keys") as ledger:
        told(ledger, *people)
    return url
