"""The source keeps what the engine relies on: the contract kit, against the simulated platform."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from suppress.core.address import Address
from suppress.platforms.constant_contact.simulator import large_scenario
from suppress.plugin.contract import Source
from suppress.plugin.kit import SourceContract
from tests.platforms.constant_contact.accounts import Account, account


class TestConstantContact(SourceContract):
    """1,100 contacts of every kind, in three pages."""

    @pytest.fixture(autouse=True)
    def running(self, tmp_path: Path) -> Iterator[None]:
        with account(large_scenario(1_100), tmp_path) as cc:
            self._account: Account = cc
            yield

    def source(self, place: Path) -> Source:
        del place  # the account's state lives in the same folder
        return self._account.source()

    def opted_out(self) -> frozenset[str]:
        return frozenset(Address.parse(each).key for each in self._account.simulator.truth())
