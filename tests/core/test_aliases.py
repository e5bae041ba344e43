"""The provider table: which spellings one mailbox provider delivers to one person."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given, settings

from suppress.core.address import alias_key, match_key
from suppress.core.aliases import alias_of, providers, table_version
from tests.strategies import local_parts


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pat.smith@gmail.com", "p.a.t.smith+news@googlemail.com"),
        ("pat@outlook.com", "pat+news@outlook.com"),
        ("pat@icloud.com", "pat+news@me.com"),
        ("pat@mac.com", "pat@me.com"),
        ("pat-smith@proton.me", "pat.s_mith+x@pm.me"),
        ("pat@fastmail.com", "news@pat.fastmail.com"),
        ("pat@fastmail.com", "pat+news@fastmail.com"),
        ("pat-shop@yahoo.com", "pat-news@yahoo.com"),
        ("pat@ya.ru", "pat@yandex.com"),
    ],
)
def test_spellings_that_a_provider_joins_share_an_alias(one: str, other: str) -> None:
    """Each pair is delivered to one mailbox, and is no match in the exact tier."""
    assert alias_key(match_key(one)) == alias_key(match_key(other)) is not None
    assert match_key(one) != match_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pat.smith@outlook.com", "patsmith@outlook.com"),
        ("pat@outlook.com", "pat@hotmail.com"),
        ("pat+a@yahoo.com", "pat+b@yahoo.com"),
        ("pat@fastmail.com", "pat@fastmail.fm"),
        ("a@pat.gmail.com", "b@pat.gmail.com"),
    ],
)
def test_spellings_that_a_provider_keeps_apart_share_none(one: str, other: str) -> None:
    """A rule of one provider is not applied at another."""
    first, second = alias_key(match_key(one)), alias_key(match_key(other))

    assert first is None or first != second


@pytest.mark.parametrize(
    "key",
    [
        "pat@example.com",
        "pat+tag@example.com",
        "+tag@gmail.com",
        "...@gmail.com",
        '"a b"@gmail.com',
        "@gmail.com",
        "x",
    ],
)
def test_an_address_without_a_rule_or_without_a_name_has_no_alias(key: str) -> None:
    """An alias that everybody shares would put everybody under review."""
    assert alias_key(key) is None


@settings(max_examples=100)
@given(local_parts())
@example("ä.ί")
def test_an_alias_is_its_own_alias_and_a_match_key(local: str) -> None:
    """The looser key of a looser key is itself, at every provider."""
    for domain in providers():
        alias = alias_key(match_key(f"{local}@{domain}"))

        assert alias is None or alias_key(alias) == alias == match_key(alias)


def test_the_rule_is_named_for_the_report() -> None:
    """Who withholds a row by review must be able to say why."""
    found = alias_of("p.at@googlemail.com")

    assert found is not None
    assert (found.key, found.provider.says) == ("pat@gmail.com", "gmail dots and tags")


def test_every_row_says_where_it_comes_from_and_when_it_was_verified() -> None:
    """No rule without a source; rows that changed carry the table's version of that change."""
    rows = set(providers().values())

    assert len(rows) >= 5
    assert [row.name for row in rows if not row.source.startswith("https://") or not row.says] == []
    assert all(date(2026, 1, 1) <= row.verified_on and 1 <= row.version <= table_version() for row in rows)


def test_every_row_folds_something() -> None:
    """A row that changes nothing is a mistake in the table."""
    assert [row.name for row in providers().values() if not (row.tag or row.ignored or row.one_domain)] == []
