"""What is said about a row that was not kept: the cells added to it, and a line of `--explain`."""

from __future__ import annotations

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
    verdict = decision.verdict
    rule = verdict.rule or ""
    if decision.doubt is not None:
        rule = "; ".join(each for each in (rule, f"line {line}: {decision.doubt}") if each)
    since = verdict.since.isoformat().replace("+00:00", "Z") if verdict.since is not None else ""
    tier = verdict.tier.value if verdict.tier is not None else ""
    reason = verdict.reason.value if verdict.reason is not None else ""
    return tier, rule, since, verdict.source or "", reason
