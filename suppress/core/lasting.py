"""Words that stay in the ledger for good, hashed into an entry: one line, and nobody's address."""

from __future__ import annotations

LONGEST = 500
"""Characters. They are for one line in a report."""


def problem_of(text: str) -> str | None:
    """Why these words may not stay for good; None when they may."""
    if not text.strip():
        return "is empty"
    if "@" in text:
        return "may hold an address"
    if not text.isprintable() or len(text) > LONGEST:
        return f"is not one line of at most {LONGEST} characters"
    return None
