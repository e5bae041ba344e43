"""What a destination cannot hold: counted as people are listed, said in words, and kept with the receipt.

Rules for whole domains, partners' digests and erased people have no address that could be told. The rest is
what the destination makes of it: one audience cannot hold an opt-out of everything, an account-wide stop is
more than an opt-out of one list, and most platforms store neither reason nor date.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from suppress.core.suppression import Scope
from suppress.ledger import Listed
from suppress.ledger.rules import Rules
from suppress.plugin.contract import Capabilities, Kept, Reach

_SHOWN = 3


@dataclass(slots=True)
class Losses:
    """What one destination, with these capabilities and for this target, does not hold."""

    can: Capabilities
    target: Scope
    rules: Rules
    erased: int = 0
    """People whose address is gone and whom it does not hold."""
    people: Counter[str] = field(default_factory=Counter)

    def see(self, each: Listed) -> None:
        """One more suppressed person."""
        scope = each.suppression.scope
        if self.can.reach is Reach.ACCOUNT and not scope.covers(self.target):
            self.people["widened"] += 1
        if self.can.reach is Reach.TARGET and scope.list is None:
            self.people["narrowed"] += 1
        keeps = self.can.keeps
        if keeps is None:
            return
        self.people["reason"] += Kept.REASON not in keeps
        self.people["date"] += Kept.DATE not in keeps and each.suppression.since is not None
        self.people["source"] += Kept.SOURCE not in keeps

    @property
    def counts(self) -> Mapping[str, int]:
        """As the receipt keeps them: `domain_rules` and `digest_lists` are rules, all others people."""
        found = {
            "domain_rules": len(self.rules.domains.rules),
            "digest_lists": len(self.rules.recipes),
            "erased": self.erased,
            **self.people,
        }
        return {name: count for name, count in sorted(found.items()) if count}

    def words(self) -> Iterator[str]:
        """As they are shown. Erased people have a line of their own."""
        yield from _of_rules(self.rules)
        for name, says in _SAYS.items():
            if count := self.people[name]:
                yield says.format(people="1 person" if count == 1 else f"{count:,} people")


_SAYS = {
    "widened": "{people} opted out of one sender or list, and count for everything there",
    "narrowed": "{people} opted out of more than this target: its other audiences must be told too",
    "reason": "why {people} opted out: the destination stores no reason",
    "date": "when {people} opted out: the destination stores no date of ours",
    "source": "where the opt-outs of {people} come from: the destination stores no source",
}


def _of_rules(rules: Rules) -> Iterator[str]:
    """Rules for whole domains, and people whom a partner gave as digests."""
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
