"""From what was found, a suppression or a rule, to the verdict of a check. Pure.

Whoever is suppressed under the very match key is suppressed, whatever else is known. An alias is never
certain, so somebody whom only an alias points at is to be *reviewed*.
"""

from __future__ import annotations

from suppress.core.domains import DomainRule
from suppress.core.standing import Suppression
from suppress.core.verdict import Ruling, Tier, Verdict


def certain(found: Suppression, *, erased: bool) -> Verdict:
    """The match keys are equal; `erased` when the address of the person is no longer held."""
    tier = Tier.ERASED if erased else Tier.EXACT
    return _verdict(Ruling.SUPPRESSED, tier, str(found.scope), found)


def doubtful(found: Suppression, alias_rule: str) -> Verdict:
    """The mailbox provider delivers both addresses to one person, by a rule that is given in words."""
    return _verdict(Ruling.REVIEW, Tier.ALIAS, alias_rule, found)


def by_hash(found: Suppression, recipe: str) -> Verdict:
    """A digest of the address is in a list that a partner gave."""
    return _verdict(Ruling.SUPPRESSED, Tier.HASHED, recipe, found)


def by_domain(rule: DomainRule) -> Verdict:
    """Nobody at the domain may be mailed."""
    return Verdict(
        Ruling.SUPPRESSED,
        Tier.DOMAIN,
        rule.pattern,
        rule.since,
        rule.source,
        rule.reason,
        rule.scope,
        rule.seq,
    )


def _verdict(ruling: Ruling, tier: Tier, rule: str, found: Suppression) -> Verdict:
    return Verdict(ruling, tier, rule, found.since, found.source, found.reason, found.scope, found.seq)
