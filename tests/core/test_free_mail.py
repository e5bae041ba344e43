"""The table of free-mail providers: each domain once, in the form of a match key, with where it was read."""

from __future__ import annotations

from collections import Counter

import pytest

from suppress.core.domains import domain_in
from suppress.core.free_mail import free_mail_provider
from suppress.core.tables import table

ROWS = table("free-mail")["provider"]


def test_every_domain_stands_once_and_as_it_is_compared() -> None:
    """A domain in another form would never be found."""
    domains = [domain for row in ROWS for domain in row["domains"]]

    assert [] == [domain for domain, times in Counter(domains).items() if times > 1]
    assert domains == [domain_in(domain)[0] for domain in domains]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_every_row_says_where_it_was_read(row: dict[str, str]) -> None:
    """The provider's own page."""
    assert row["source"].startswith("https://")


def test_the_largest_providers_are_in_it_and_a_company_is_not() -> None:
    """Those that every list has."""
    assert "Gmail" == free_mail_provider("gmail.com")
    assert free_mail_provider("t-online.de") is not None
    assert free_mail_provider("example.com") is None
    assert free_mail_provider("mail.gmail.com") is None
