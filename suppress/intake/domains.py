"""Rules for whole domains: made, and lifted again, by an entry each.

Rules kept here:

* A rule is refused for what is nobody's own: a public suffix (`co.uk`, `github.io`), below which strangers
  have their domains, and a provider of free mail. `force` makes it all the same, and the entry says so.
* The same rule is recorded once. Lifting needs a reason, as making does, and leaves both on record.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from suppress.core.domains import DomainRule, domain_in
from suppress.core.entry import DomainLifted, DomainSuppressed
from suppress.core.free_mail import free_mail_provider
from suppress.core.lasting import problem_of
from suppress.core.suppression import EVERYTHING, Channel, Reason, Scope
from suppress.errors import BadUsage
from suppress.intake.adding import SOURCE
from suppress.ledger import Event, Ledger


@dataclass(frozen=True, slots=True)
class RuleMade:
    """A rule as it stands now."""

    pattern: str
    domain: str
    subdomains: bool
    seq: int | None
    """None in a dry run."""
    new: bool
    objections: tuple[str, ...]
    """What spoke against it, and was overruled."""
    suffix_list: str


@dataclass(frozen=True, slots=True)
class RulesLifted:
    """The rules that held for a domain, and the entries that end them; none in a dry run."""

    rules: tuple[DomainRule, ...]
    entries: tuple[int, ...]


def suppress_domain(
    ledger: Ledger,
    text: str,
    *,
    note: str,
    subdomains: bool = False,
    reason: Reason = Reason.REQUESTED,
    channel: Channel = Channel.EMAIL,
    scope: Scope = EVERYTHING,
    force: bool = False,
    actor: str,
    dry_run: bool = False,
) -> RuleMade:
    """Withhold everybody at a domain, and with `subdomains` (or `*.` before it) below it.

    Raises:
        BadUsage: It is no domain, no reason is given, or the domain is nobody's own and nothing forces it.
        SuppressError: The ledger cannot be written.
    """
    domain, below = _domain(text)
    subdomains = subdomains or below
    _require_reason(note)
    found = tuple(objections(domain))
    if found and not force:
        raise BadUsage(
            f"{domain}: {found[0]}",
            remedy="name the domain of one organisation, or repeat it with --force: the ledger will say so",
        )
    said = DomainSuppressed(
        domain, subdomains, channel, scope, reason, SOURCE, note, suffix_list_version(), "; ".join(found)
    )
    for rule in ledger.domain_rules():
        if _same(rule, said):
            return RuleMade(rule.pattern, domain, subdomains, rule.seq, False, found, said.suffix_list)
    seq = None
    if not dry_run:
        seq = ledger.append([Event(uuid.uuid4().hex, said)], actor=actor)[0].seq
    pattern = f"*.{domain}" if subdomains else domain
    return RuleMade(pattern, domain, subdomains, seq, True, found, said.suffix_list)


def lift_domain(ledger: Ledger, text: str, *, note: str, actor: str, dry_run: bool = False) -> RulesLifted:
    """End the rules that were made for this domain. One above it goes on to hold.

    Raises:
        BadUsage: There is none, or no reason is given.
        SuppressError: The ledger cannot be written.
    """
    domain, _ = _domain(text)
    rules = tuple(rule for rule in ledger.domain_rules() if rule.domain == domain)
    if not rules:
        raise BadUsage(f"there is no rule for the domain {domain}", remedy="suppress domain list")
    _require_reason(note)
    if dry_run:
        return RulesLifted(rules, ())
    events = [Event(f"lift-{rule.seq}", DomainLifted(domain, rule.seq, note)) for rule in rules]
    return RulesLifted(rules, tuple(each.seq for each in ledger.append(events, actor=actor)))


def objections(domain: str) -> Iterator[str]:
    """Why a rule for this domain would reach people who have nothing to do with one another."""
    from publicsuffixlist import PublicSuffixList

    provider = free_mail_provider(domain)
    if provider is not None:
        yield f"anybody may have a mailbox there ({provider})"
    # An unlisted last label counts as one too: the list says so of itself (https://publicsuffix.org/list/).
    if PublicSuffixList().is_public(domain):
        yield f"strangers have their domains below it (public suffix list {suffix_list_version()})"


def suffix_list_version() -> str:
    """The version of the list of public suffixes that is installed; it ends in its day."""
    from importlib.metadata import version

    return version("publicsuffixlist")


def _require_reason(note: str) -> None:
    wrong = problem_of(note)
    if wrong is not None:
        raise BadUsage(
            f"--note {wrong}, and it stays in the ledger for good",
            remedy="say why in a few words, without an address",
        )


def _domain(text: str) -> tuple[str, bool]:
    try:
        return domain_in(text)
    except ValueError as wrong:
        raise BadUsage(str(wrong), remedy="write it as example.com, or *.example.com") from wrong


def _same(rule: DomainRule, said: DomainSuppressed) -> bool:
    asked = (said.domain, said.subdomains, said.channel, said.scope, said.reason)
    return asked == (rule.domain, rule.subdomains, rule.channel, rule.scope, rule.reason)
