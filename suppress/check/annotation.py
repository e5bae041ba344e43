"""What is said about a row that was not kept: the cells added to it, and a line of `--explain`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from suppress.check.gate import Decision

COLUMNS = ("suppress_tier", "suppress_rule", "suppress_since", "suppress_source", "suppress_reason")
"""Added to withheld and review rows."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One row that was not kept, or kept because of a waiver, for `--explain`."""

    line: int
    decision: Decision


def annotation(decision: Decision, line: int) -> tuple[str, ...]:
    """The cells under `COLUMNS`: why a row was not kept, and where it stood if it could not be read."""
    return tuple(_annotation(decision, line))


def _annotation(decision: Decision, line: int) -> Iterator[str]:
    verdict = decision.verdict
    doubt = f"line {line}: {decision.doubt}" if decision.doubt is not None else None
    yield verdict.tier.value if verdict.tier is not None else ""
    yield "; ".join(each for each in (verdict.rule, doubt) if each)
    yield verdict.since.isoformat().replace("+00:00", "Z") if verdict.since is not None else ""
    yield verdict.source or ""
    yield verdict.reason.value if verdict.reason is not None else ""
