"""Whom the contract tests suppress: addresses that have broken exporters, as the engine hands them over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from suppress.core.address import match_key
from suppress.core.spelling import comparable
from suppress.core.suppression import EVERYTHING, Reason, Scope
from suppress.plugin.contract import LedgerPosition, Suppressed

HOSTILE = (
    "plain@example.com",
    "=1+1@example.com",
    "+tag@example.com",
    "-dash@example.com",
    "'quote@example.com",
    "o'brien@example.com",
    '"comma, quoted"@example.com',
    '"say ""hi"""@example.com',
    "semi;colon@example.com",
    "two\nlines@example.com",
    "carriage\rreturn@example.com",
    "tab\tstop@example.com",
    "percent%2Fslash@example.com",
    "a/b?c=d&e#f@example.com",
    "<script>alert(1)</script>@example.com",
    "[b]bold[/b]@example.com",
    "back\\slash@example.com",
    "no-at-sign",
    "UPPER.Case@Example.COM",
    "büro@bücher.example",
    "用户@例え.example",
    "smile😀@example.com",
    "x" * 300 + "@example.com",
    *("straße@example.com", "strasse@example.com", "\uff33trasse@example.com"),
    *("Νίκος@example.com", "νικοσ@example.com"),
    *("'tis@example.com", "tis@example.com"),
    *("pat@müller.example", "pat@xn--mller-kva.example"),
)
"""Spellings that have broken exporters: formulas, quotes, line ends, URL syntax, markup, other scripts, and
several spellings of one person."""

POSITION = LedgerPosition(size=7, root="00" * 32, checkpoint="example.com/ledger\n7\nAA=\n\n— note\n")
"""Some place in some ledger."""


def people(addresses: Iterable[str]) -> list[Suppressed]:
    """Entries for these addresses as the engine hands them over: sorted by key, one for each spelling."""
    found: dict[str, dict[str, str]] = {}
    for address in addresses:
        found.setdefault(match_key(address), {}).setdefault(comparable(address), address)
    scopes = (EVERYTHING, Scope("Acme"), Scope("Acme", "News"))
    start = datetime(2026, 1, 5, 9, tzinfo=UTC)
    return [
        Suppressed(
            seq=number,
            key=key,
            address=address,
            scope=scopes[number % 3],
            reason=list(Reason)[number % len(Reason)],
            occurred_at=None if number % 4 == 3 else start + timedelta(hours=number),
            source="main",
            idempotency_key=f"{number}.{place}:kit",
        )
        for number, key in enumerate(sorted(found))
        for place, address in enumerate(found[key].values())
    ]
