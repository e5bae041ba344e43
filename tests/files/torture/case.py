"""What a case is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from suppress.files.contacts import Reading


@dataclass(frozen=True, slots=True)
class Case:
    """One file, and what must become of it."""

    name: str
    content: bytes
    expected: str
    """A letter a row (`W`, `R`, `K`); or `!` and a part of the refusal."""
    ending: str = ".csv"
    reading: Reading = field(default_factory=Reading)

    @property
    def refusal(self) -> str | None:
        """A part of the line that refuses it."""
        return self.expected[1:] if self.expected.startswith("!") else None


def case(name: str, content: str | bytes, expected: str, ending: str = ".csv", **reading: Any) -> Case:
    """A case; text is UTF-8."""
    raw = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    return Case(name, raw, expected, ending, Reading(**reading))
