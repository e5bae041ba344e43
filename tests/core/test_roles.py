"""Role accounts: named, and no more than that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suppress.core.address import match_key
from suppress.core.roles import ROLES, is_role, plain_roles


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


@given(
    st.lists(st.tuples(st.sampled_from(sorted(ROLES)) | st.just("pat"), st.sampled_from(["", "+a", ".b"])))
)
def test_many_are_told_apart_as_one_is(names: list[tuple[str, str]]) -> None:
    """Of plain keys, encoded."""
    keys = [f"{name}{more}@example.com" for name, more in names]

    assert [is_role(key) for key in keys] == plain_roles(key.encode() for key in keys)
