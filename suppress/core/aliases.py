"""Addresses that a mailbox provider delivers to one person although their match keys differ.

Rules kept here:

* An alias key is looser than a match key and used only to *review* rows of a check. It is never written to a
  destination and never decides that someone is suppressed.
* Which provider folds what is data (`data/providers.toml`), each row with its source and the day it was
  verified. Providers change their rules: the table is small on purpose, and versioned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from suppress.core.address import match_key
from suppress.core.tables import table


@dataclass(frozen=True, slots=True)
class Provider:
    """What one mailbox provider takes for the same mailbox."""

    name: str
    version: int
    """Of the table, when this row was last changed."""
    domains: tuple[str, ...]
    says: str
    """The rule in words that a report prints, such as `gmail dots and tags`."""
    source: str
    verified_on: date
    one_domain: bool = False
    """Whether a name is the same person at all domains; the first then stands for all."""
    ignored: str = ""
    """Characters that the provider does not see in a local part."""
    tag: str = ""
    """This character and what follows it, in a local part, name no other mailbox."""
    subdomains: bool = False
    """Whether `x@name.domain` is delivered to `name@domain`."""


@dataclass(frozen=True, slots=True)
class Alias:
    """The looser key of an address and the provider whose rule gave it."""

    key: str
    provider: Provider


def alias_of(key: str) -> Alias | None:
    """The alias of a match key; None where the provider has no rule, or the rule would leave nothing."""
    local, _, domain = key.rpartition("@")
    known = providers()
    provider = known.get(domain)
    if provider is None:
        name, _, above = domain.partition(".")
        provider = known.get(above)
        if provider is None or not provider.subdomains:
            return None
        local, domain = name, above
    if provider.tag:
        local = local.partition(provider.tag)[0]
    for character in provider.ignored:
        local = local.replace(character, "")
    if not local or local.startswith('"'):
        return None
    # Letters that a dot kept apart may fold differently together: the ä of ä.ί loses its accent.
    return Alias(match_key(f"{local}@{provider.domains[0] if provider.one_domain else domain}"), provider)


@cache
def providers() -> Mapping[str, Provider]:
    """Every provider of the table, by domain."""
    found = [Provider(**{**row, "domains": tuple(row["domains"])}) for row in table("providers")["provider"]]
    return {domain: provider for provider in found for domain in provider.domains}


def table_version() -> int:
    """The version of the provider table, for reports."""
    version: int = table("providers")["version"]
    return version
