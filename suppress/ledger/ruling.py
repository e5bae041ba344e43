"""From what the ledger holds about an address to the verdict of a check. Pure.

The first tier decides alone: whoever is suppressed under the very match key is suppressed, whatever else is
known. An alias is never certain, so the people whom it points at make a *review*, not a suppression.
"""

from __future__ import annotations

from collections.abc import Iterable

from suppress.core.standing import Standing
from suppress.core.suppression import Channel, Scope
from suppress.core.verdict import CLEAR, Ruling, Tier, Verdict


def rule(
    exact: Standing | None,
    *,
    erased: bool,
    aliases: Iterable[Standing],
    alias_rule: str,
    channel: Channel,
    target: Scope,
) -> Verdict:
    """The verdict for an address.

    `exact` is the standing of the person with the same match key, `erased` whether their address is no
    longer held; `aliases` are the standings of people whose address reaches the same mailbox.
    """
    if exact is not None:
        found = exact.against(channel, target)
        if found is not None:
            return Verdict(
                Ruling.SUPPRESSED,
                Tier.ERASED if erased else Tier.EXACT,
                str(found.scope),
                found.since,
                found.source,
                found.reason,
                found.scope,
                found.seq,
            )
    for each in aliases:
        found = each.against(channel, target)
        if found is not None:
            return Verdict(
                Ruling.REVIEW,
                Tier.ALIAS,
                alias_rule,
                found.since,
                found.source,
                found.reason,
                found.scope,
                found.seq,
            )
    return CLEAR
