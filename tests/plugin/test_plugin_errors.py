"""What a plugin may raise: each error says how the process ends and what is to be done."""

from __future__ import annotations

import pytest

from suppress.errors import SuppressError
from suppress.plugin.errors import (
    AuthFailed,
    CallForbidden,
    ContractBroken,
    PermissionMissing,
    RecordRejected,
    Throttled,
    Transient,
    WouldIncreaseReach,
)
from tests.plugin.virtual import NOON


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (AuthFailed("no"), 4),
        (PermissionMissing("no", scope="contacts.write"), 5),
        (Throttled("later", retry_at=NOON), 5),
        (Transient("later"), 5),
        (RecordRejected("no", code="INVALID_EMAIL"), 5),
        (ContractBroken("two answers for three records"), 5),
        (CallForbidden("no"), 70),
        (WouldIncreaseReach("no"), 70),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, SuppressError) else str(value),
)
def test_each_error_ends_the_process_as_documented(error: SuppressError, exit_code: int) -> None:
    """4 for credentials, 5 for a destination, 70 for a fault of the plugin."""
    assert exit_code == error.exit_code


def test_errors_carry_what_the_engine_acts_on() -> None:
    """The scope to ask for, the time to come back, the vendor's code."""
    assert "contacts.write" == PermissionMissing("no", scope="contacts.write").scope
    assert NOON == Throttled("later", retry_at=NOON).retry_at
    assert "INVALID_EMAIL" == RecordRejected("no", code="INVALID_EMAIL").code


def test_a_guard_error_is_caught_as_what_it_is() -> None:
    """Increasing reach is a call that is forbidden, not a destination that failed."""
    with pytest.raises(CallForbidden):
        raise WouldIncreaseReach("no")
