"""Role accounts: named, and no more than that."""

from __future__ import annotations

import pytest

from suppress.core.address import match_key
from suppress.core.roles import is_role


@pytest.mark.parametrize(
    "address", ["info@example.com", "ABUSE@example.com", "no-reply@x.test", "sales+eu@x.test"]
)
def test_an_office_s_address_is_tagged(address: str) -> None:
    """In any case, and with a tag of its own."""
    assert is_role(match_key(address))


@pytest.mark.parametrize(
    "address", ["pat@example.com", "info.pat@example.com", "info", "information@example.com"]
)
def test_a_person_s_address_is_not(address: str) -> None:
    """Only the whole name counts."""
    assert not is_role(match_key(address))
