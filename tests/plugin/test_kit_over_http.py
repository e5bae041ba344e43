"""The contract over HTTP passes on exporters that are right, and each of its tests finds its traps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from suppress.plugin.contract import Capabilities
from suppress.plugin.kit import HttpExporterContract
from tests.plugin.acme import (
    BATCH,
    CALLS,
    EVENTUAL,
    JOBS,
    RECORD,
    SNAPSHOT,
    TOO_MUCH,
    WRITE_ONLY,
    Acme,
    Exporter,
)


class _Contract(HttpExporterContract[Acme]):
    """The contract over the made-up platform."""

    capabilities: Capabilities = BATCH
    faults: frozenset[str] = frozenset()
    calls = CALLS

    def simulator(self, place: Path) -> Acme:
        return Acme()

    def opened(self, place: Path, url: str) -> Exporter:
        return Exporter(url, self.clock, self.capabilities, self.faults)

    def known(self, place: Path, addresses: Sequence[str]) -> None:
        self.at(place).add(addresses)

    def mails(self, place: Path, address: str) -> bool:
        return self.at(place).mails(address)

    def writes(self, method: str, path: str) -> bool:
        return method != "GET" and path != "/v1/search"

    def archived(self, place: Path, addresses: Sequence[str]) -> bool:
        self.at(place).add(addresses, "archived")
        return True

    def widened(self, place: Path, addresses: Sequence[str]) -> Sequence[str]:
        return sorted(self.at(place).everywhere)

    def remove_target(self, place: Path) -> bool:
        self.at(place).has_list = False
        return True


class TestBatches(_Contract):
    """Several people a call, each with a result."""


class TestRecords(_Contract):
    """One call a person."""

    capabilities = RECORD


class TestJobs(_Contract):
    """Worked off later."""

    capabilities = JOBS


class TestWriteOnly(_Contract):
    """Nothing can be read back."""

    capabilities = WRITE_ONLY


class TestSnapshots(_Contract):
    """The whole list in one request."""

    capabilities = SNAPSHOT


class TestEventual(_Contract):
    """Taken at once and applied some day: what it holds now proves nothing either way."""

    capabilities = EVENTUAL


LIE = "are said to be suppressed and would be mailed"
UNDECLARED = "sent beside the plugin's own list of calls"
TRAPS: list[tuple[str, Capabilities, str, str]] = [
    ("widens", BATCH, "a_request_about_one_list_is_not_widened_unsaid", "were widened"),
    ("widens when lost", BATCH, "a_target_that_is_gone_is_an_error_and_widens_nothing", "were widened"),
    ("goes its own way", BATCH, "only_declared_calls_are_sent_and_none_raises_reach", UNDECLARED),
    ("creates people", BATCH, "only_declared_calls_are_sent_and_none_raises_reach", "status says 'subsc"),
    ("creates people", BATCH, "people_it_does_not_know_are_not_made_mailable", "status says 'subscribed'"),
    ("brings people back", RECORD, "archived_people_are_not_brought_back", "status says 'subscribed'"),
    ("brings people back for good", RECORD, "archived_people_are_not_brought_back", "archived people are m"),
    ("shrugs at failures", BATCH, "a_platform_that_fails_loses_nobody", LIE),
    ("quotes the platform", BATCH, "a_platform_that_fails_loses_nobody", "holds a secret"),
    ("logs people", BATCH, "a_platform_that_fails_loses_nobody", "holds the address of entry 3"),
    ("counts on 2xx", SNAPSHOT, "a_platform_that_fails_loses_nobody", LIE),
    ("shrugs at failures", RECORD, "a_partial_failure_is_told_from_a_success", f"3 of 5 people {LIE}"),
    ("counts on 2xx", RECORD, "a_page_for_people_is_no_answer", LIE),
    ("assumes JSON", BATCH, "a_page_for_people_is_no_answer", "raised JSONDecodeError"),
    ("takes silence for consent", BATCH, "a_broken_connection_loses_nobody", LIE),
    ("stumbles over what is done", BATCH, "a_write_whose_answer_is_lost_may_be_sent_again", "did not take 5"),
    ("goes on at once", BATCH, "throttling_is_obeyed", "tried again at once"),
    ("never stops", BATCH, "endless_throttling_ends_the_run", "would have gone on"),
    ("takes 401 for weather", BATCH, "expired_credentials_are_said", "raise AuthFailed, not Transient"),
    ("believes itself", BATCH, "accepted_is_not_suppressed", LIE),
    ("counts on 2xx", BATCH, "a_silent_success_is_no_success", "were claimed that no answer named"),
    ("takes a lost job for done", JOBS, "people_of_a_lost_job_are_told_again", LIE),
    ("reads nothing as unknown", BATCH, "a_disturbed_reading_shows_nobody_as_suppressed", "wall: read back"),
    ("sweeps what it can", BATCH, "a_disturbed_sweep_is_no_short_one", "failing: 0 were listed"),
    ("finds all well", BATCH, "a_disturbed_check_does_not_pass", "failing: all was well"),
]


@pytest.mark.parametrize(("fault", "capabilities", "test", "words"), TRAPS)
def test_the_contract_finds_the_trap(
    fault: str, capabilities: Capabilities, test: str, words: str, tmp_path: Path
) -> None:
    """An author who falls into it is told so, by the very test that is there for it."""
    contract = _Contract()
    contract.capabilities, contract.faults = capabilities, frozenset({fault})
    # The careless author allows it, too, so that the list of calls is not what finds it.
    contract.calls = CALLS if words is UNDECLARED else TOO_MUCH
    try:
        with pytest.raises(AssertionError, match=re.escape(words)):
            getattr(contract, f"test_{test}")(tmp_path)
    finally:
        contract.teardown_method()


def test_every_trap_has_an_exporter_that_falls_into_it() -> None:
    """A scenario that no bad exporter fails would prove nothing."""
    scenarios = {
        name.removeprefix("test_") for name in vars(HttpExporterContract) if name.startswith("test_")
    }

    assert scenarios == {test for _, _, test, _ in TRAPS}


class _Plain(_Contract):
    """Without an archive, without anything beyond its target, and without a target that could go."""

    def archived(self, place: Path, addresses: Sequence[str]) -> bool:
        return False

    def remove_target(self, place: Path) -> bool:
        return False


@pytest.mark.parametrize(
    "test", ["archived_people_are_not_brought_back", "a_target_that_is_gone_is_an_error_and_widens_nothing"]
)
def test_what_a_platform_lacks_is_not_held_against_it(test: str, tmp_path: Path) -> None:
    """Nothing is pushed where there is no trap to fall into."""
    contract = _Plain()
    getattr(contract, f"test_{test}")(tmp_path)
    sent = list(contract.line(tmp_path).sent)
    contract.teardown_method()

    assert [] == sent
