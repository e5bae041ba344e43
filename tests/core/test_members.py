"""A crowd of any size: no member is ever missed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core import members
from suppress.core.members import Members


@given(st.lists(st.text(max_size=12), max_size=50), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_no_member_is_missed_and_no_stranger_found(texts: list[str], run: int) -> None:
    """Strangers are not found, but for one in very many million."""
    half = len(texts) // 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(members, "RUN", run)
        found = Members(texts[:half])

    assert all(each in found for each in texts[:half])
    assert not any(each in found for each in set(texts[half:]) - set(texts[:half]))
