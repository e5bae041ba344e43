"""Domains at which anybody may have a mailbox, so that a rule for the domain would reach strangers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from suppress.core.tables import table


def free_mail_provider(domain: str) -> str | None:
    """Who offers free mail at this very domain; None when nobody whom the table knows does."""
    return _providers().get(domain)


@cache
def _providers() -> Mapping[str, str]:
    return {domain: row["name"] for row in table("free-mail")["provider"] for domain in row["domains"]}
