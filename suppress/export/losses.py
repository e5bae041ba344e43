"""What no destination can be told, because it takes addresses."""

from __future__ import annotations

from collections.abc import Iterator

from suppress.ledger.rules import Rules

_SHOWN = 3


def losses(rules: Rules) -> Iterator[str]:
    """Rules for whole domains, and people whom a partner gave as digests, in words."""
    if rules.domains:
        patterns = [each.pattern for each in rules.domains.rules]
        shown = ", ".join(patterns[:_SHOWN]) + (", …" if len(patterns) > _SHOWN else "")
        many = (
            "1 rule for a whole domain"
            if len(patterns) == 1
            else f"{len(patterns):,} rules for whole domains"
        )
        yield f"{many} ({shown}): check lists with suppress check"
    if rules.recipes:
        kinds = ", ".join(dict.fromkeys(each.algorithm.value for each in rules.recipes))
        yield f"people whom a partner gave only as digests ({kinds}): check lists with suppress check"
