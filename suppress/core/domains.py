"""Domain rules: nobody at this domain, or below it too, may be mailed.

Rules kept here:

* A domain is compared in the form that it has in a match key: A-labels in lower case. A rule for a domain
  with its subdomains holds at `example.com` and at `shop.example.com`, never at `myexample.com`.
* Of several rules that hold, the one that reaches farthest answers: widest scope, strongest reason, oldest.
* A rule only adds to who is withheld. It says nothing about a person, and no consent of a person lifts it:
  whoever made it lifts it, or a waiver lets one person through.

Which domains are nobody's own (public suffixes, providers of free mail) is asked where a rule is made:
`suppress.intake.domains`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from suppress.core.address import match_key
from suppress.core.mailing import Mailing
from suppress.core.suppression import Channel, Reason, Scope


@dataclass(frozen=True, slots=True)
class DomainRule:
    """One rule as the ledger holds it."""

    seq: int
    """The entry that made it."""
    domain: str
    subdomains: bool
    channel: Channel
    scope: Scope
    reason: Reason
    source: str
    note: str
    """Why, in the words of whoever made it."""
    since: datetime
    actor: str

    @property
    def pattern(self) -> str:
        """The rule as people write it: `example.com`, or `*.example.com` where subdomains count too."""
        return f"*.{self.domain}" if self.subdomains else self.domain

    def forbids(self, mailing: Mailing) -> bool:
        """Whether it holds for such mail."""
        return (
            self.channel is mailing.channel
            and (self.scope.covers(mailing.target) or mailing.target.covers(self.scope))
            and mailing.message_class.bound_by(self.reason)
        )


class DomainRules:
    """All rules in force, found by domain. Asking takes as long as a domain has labels."""

    def __init__(self, rules: Iterable[DomainRule] = ()) -> None:
        self.rules = tuple(rules)
        self._by_domain: dict[str, list[DomainRule]] = {}
        for rule in self.rules:
            self._by_domain.setdefault(rule.domain, []).append(rule)

    def __bool__(self) -> bool:
        return bool(self.rules)

    def against(self, key: str, mailing: Mailing) -> DomainRule | None:
        """The rule that forbids such mail to this match key, or None."""
        if not self.rules:
            return None
        found = [rule for rule in self._at(key.rpartition("@")[2]) if rule.forbids(mailing)]
        return max(found, key=_reach, default=None)

    def concerns(self, key: str) -> bool:
        """Whether any rule holds for this match key, whatever is mailed."""
        return bool(self.rules) and any(True for _ in self._at(key.rpartition("@")[2]))

    def _at(self, domain: str) -> Iterator[DomainRule]:
        yield from self._by_domain.get(domain, ())
        while domain := domain.partition(".")[2]:
            yield from (rule for rule in self._by_domain.get(domain, ()) if rule.subdomains)


def _reach(rule: DomainRule) -> tuple[int, int, int]:
    return rule.scope.width, rule.reason.strength, -rule.seq


def domain_in(text: str) -> tuple[str, bool]:
    """The domain that somebody typed, and whether they asked for its subdomains: `@x.com`, `*.x.com`.

    Raises:
        ValueError: It is no domain.
    """
    bare = text.strip().removeprefix("@")
    below = bare.startswith("*.")
    key = match_key(f"x@{bare.removeprefix('*.')}")
    local, _, domain = key.rpartition("@")
    if local != "x" or not domain or domain.startswith("[") or "*" in bare.removeprefix("*."):
        raise ValueError(f"{text!r} is no domain")
    return domain, below
