"""Addresses that a mailbox provider delivers to one person although their match keys differ.

Rules kept here:

* An alias key is looser than a match key and used only to *review* rows of a check. It is never written to a
  destination and never decides that someone is suppressed.
* Which provider folds what is data (`data/providers.toml`), each row with its source and the day it was
  verified. Every provider may change its rules: the table is small on purpose, and versioned.
"""

from __future__ import annotations

import pkgutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Provider:
    """What one mailbox provider takes for the same mailbox."""

    name: str
    domains: tuple[str, ...]
    """The first stands for all of them in an alias key."""
    says: str
    """The rule in words that a report prints, such as `gmail dots and tags`."""
    source: str
    verified_on: date
    ignored: str = ""
    """Characters that the provider does not see in a local part."""
    tag: str = ""
    """The first of these characters and what follows it name no other mailbox."""


@dataclass(frozen=True, slots=True)
class Alias:
    """The looser key of an address and the provider whose rule gave it."""

    key: str
    provider: Provider


def alias_of(key: str) -> Alias | None:
    """The alias of a match key; None where the provider has no rule, or nothing would be left."""
    local, _, domain = key.rpartition("@")
    provider = providers().get(domain)
    if provider is None or local.startswith('"'):
        return None
    for mark in provider.tag:
        local = local.partition(mark)[0]
    for character in provider.ignored:
        local = local.replace(character, "")
    return Alias(f"{local}@{provider.domains[0]}", provider) if local else None


@cache
def table_version() -> int:
    """The version of the provider table, for reports."""
    return int(_table()["version"])


@cache
def providers() -> Mapping[str, Provider]:
    """Every provider of the table, by domain."""
    found = [Provider(**{**row, "domains": tuple(row["domains"])}) for row in _table()["provider"]]
    return {domain: provider for provider in found for domain in provider.domains}


def _table() -> dict[str, Any]:
    text = pkgutil.get_data("suppress.core", "data/providers.toml")
    assert text is not None, "the wheel lacks data/providers.toml"
    return tomllib.loads(text.decode())
