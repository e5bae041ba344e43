"""The contract tests pass on exporters of every capability, and each finds the fault it is there for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from suppress.core.address import Address
from suppress.core.reconcile import Observed, Permission
from suppress.core.spelling import comparable
from suppress.errors import DestinationFailed
from suppress.plugin.contract import (
    Capabilities,
    Census,
    Exporter,
    Finding,
    Page,
    Severity,
    Source,
    Summary,
    Window,
)
from suppress.plugin.kit import HOSTILE, ExporterContract, SourceContract, people
from tests.plugin.memory import BATCH, JOBS, RECORD, SNAPSHOT, WRITE_ONLY, Memory, Server


class _Contract(ExporterContract):
    """The contract over a memory destination; places share a server as runs share a vendor."""

    capabilities = BATCH
    faults: frozenset[str] = frozenset()

    def exporter(self, place: Path) -> Exporter:
        return Memory(self._server(place), self.capabilities, self.faults)

    def written(self, place: Path) -> object:
        return dict(self._server(place).suppressed)

    def mails(self, place: Path, address: str) -> bool:
        return comparable(address) not in self._server(place).suppressed

    def _server(self, place: Path) -> Server:
        servers: dict[Path, Server] = self.__dict__.setdefault("servers", {})
        return servers.setdefault(place, Server())


class TestBatch(_Contract):
    """Batches answered at once."""


class TestRecord(_Contract):
    """One call a person."""

    capabilities = RECORD


class TestJobs(_Contract):
    """Batches answered later."""

    capabilities = JOBS


class TestSnapshot(_Contract):
    """The whole list each time."""

    capabilities = SNAPSHOT


class TestWriteOnly(_Contract):
    """Nothing can be read back, as at an advertising audience."""

    capabilities = WRITE_ONLY


def contract(capabilities: Capabilities, *faults: str) -> _Contract:
    """The contract over a destination with these faults."""
    found = _Contract()
    found.capabilities, found.faults = capabilities, frozenset(faults)
    return found


FOUND_BY: list[tuple[str, Capabilities, str]] = [
    ("is silent about one", BATCH, "test_everyone_handed_over_is_accounted_for"),
    ("is silent about one", SNAPSHOT, "test_everyone_handed_over_is_accounted_for"),
    ("ends without a snapshot", SNAPSHOT, "test_everyone_handed_over_is_accounted_for"),
    ("answers twice", BATCH, "test_everyone_handed_over_is_accounted_for"),
    ("answers twice", SNAPSHOT, "test_everyone_handed_over_is_accounted_for"),
    ("answers for a stranger", BATCH, "test_everyone_handed_over_is_accounted_for"),
    ("never ends", JOBS, "test_everyone_handed_over_is_accounted_for"),
    ("sends keys", BATCH, "test_every_spelling_of_a_person_is_suppressed"),
    ("sends keys", SNAPSHOT, "test_every_spelling_of_a_person_is_suppressed"),
    ("sends keys", WRITE_ONLY, "test_every_spelling_of_a_person_is_suppressed"),
    ("accepts and forgets", WRITE_ONLY, "test_every_spelling_of_a_person_is_suppressed"),
    ("accepts and forgets", BATCH, "test_what_was_pushed_reads_back_as_suppressed"),
    ("accepts and forgets", SNAPSHOT, "test_what_was_pushed_reads_back_as_suppressed"),
    ("reads back in disorder", BATCH, "test_what_was_pushed_reads_back_as_suppressed"),
    ("plan writes", BATCH, "test_a_dry_plan_covers_everyone_and_writes_nothing"),
    ("plan forgets", BATCH, "test_a_dry_plan_covers_everyone_and_writes_nothing"),
    ("plan is blind", BATCH, "test_a_plan_knows_what_is_already_done"),
    ("needs the kill", BATCH, "test_a_kill_at_any_entry_is_repaired_by_the_next_push"),
    ("needs the kill", SNAPSHOT, "test_a_kill_never_makes_anyone_mailable"),
    ("knows its own jobs only", JOBS, "test_a_job_may_be_asked_for_by_the_next_run"),
    ("never ends", JOBS, "test_a_job_may_be_asked_for_by_the_next_run"),
    ("replaces", BATCH, "test_later_pushes_never_suppress_less"),
    ("replaces", BATCH, "test_a_kill_never_makes_anyone_mailable"),
    ("sweeps nothing", BATCH, "test_a_sweep_shows_everyone_who_is_suppressed"),
    ("sweeps for ever", BATCH, "test_a_sweep_shows_everyone_who_is_suppressed"),
    ("check writes", BATCH, "test_check_looks_and_writes_nothing"),
    ("check is silent", BATCH, "test_check_looks_and_writes_nothing"),
    ("leaks", BATCH, "test_evidence_holds_no_address"),
    ("closes once", BATCH, "test_closing_twice_is_fine"),
]


@pytest.mark.parametrize(("fault", "capabilities", "test"), FOUND_BY)
def test_the_contract_finds_the_fault(
    fault: str, capabilities: Capabilities, test: str, tmp_path: Path
) -> None:
    """A contract that passes on a broken exporter would prove nothing."""
    with pytest.raises((AssertionError, DestinationFailed, LookupError, RuntimeError)):
        getattr(contract(capabilities, fault), test)(tmp_path)


@pytest.mark.parametrize(
    "capabilities",
    [
        replace(BATCH, max_batch=None),
        replace(BATCH, max_concurrency=0),
        replace(BATCH, secrets=("api_key",)),
        replace(SNAPSHOT, delivery=JOBS.delivery),
        replace(BATCH, config={"properties": ["path"]}),
    ],
)
def test_capabilities_that_contradict_themselves_are_found(
    capabilities: Capabilities, tmp_path: Path
) -> None:
    """The engine would not know how to drive it."""
    with pytest.raises(AssertionError):
        contract(capabilities).test_capabilities_are_declared_whole(tmp_path)


def test_the_hostile_addresses_are_many_people_in_order() -> None:
    """Each spelling is an entry; those of one person stand together and share its number."""
    found = people(HOSTILE)
    by_person = {each.seq: each.key for each in found}

    assert set(HOSTILE) == {each.address for each in found}
    assert len(HOSTILE) == len(found) == len({comparable(each) for each in HOSTILE})
    assert [each.key for each in found] == sorted(each.key for each in found)
    assert len(by_person) == len(set(by_person.values())) == len(HOSTILE) - 5


class _Source:
    """A source of three people, one of them mailable, that can be told to misbehave."""

    name, platform = "office", "paper"

    def __init__(self, faults: frozenset[str]) -> None:
        self.faults = faults
        self.closed = 0
        self.pulls = 0

    def window(self, last_before: datetime | None, now: datetime) -> Window:
        early = now.replace(year=2026, month=1)
        after = now if "leaves a gap" in self.faults and last_before else early
        return Window(after, now.replace(year=2030) if "ends in the future" in self.faults else now)

    def pull(self, what: Window | Census) -> list[Page | Summary]:
        self.pulls += 1
        out = [self._seen("a@example.com"), self._seen("b@example.com"), self._seen(None)]
        if "misses one" in self.faults:
            out = out[1:]
        if "invents one" in self.faults:
            out.append(self._seen("c@example.com"))
        page = Page("all", (*out, self._seen("d@example.com", Permission.MAILABLE)), rows=4)
        complete = "is incomplete" not in self.faults
        problems = () if complete else ("2 is not 3",)
        summary = Summary(complete, 1, 4, 2, 0, 0, problems=problems)
        if "miscounts" in self.faults:
            summary = replace(summary, rows=5)
        return [page] if "ends early" in self.faults else [page, summary]

    def _seen(self, address: str | None, permission: Permission = Permission.OPTED_OUT) -> Observed:
        found = None if address is None else Address.parse(address)
        number = f"{self.pulls if 'changes fingerprints' in self.faults else 0}"
        source = "paper" if "names the platform" in self.faults else self.name
        return Observed(source, found, permission, word="x", fingerprint=(number,))

    def check(self) -> list[Finding]:
        return [] if "says nothing" in self.faults else [Finding("paper", Severity.PASS, "there")]

    def close(self) -> None:
        self.closed += 1
        if "closes once" in self.faults and self.closed > 1:
            raise RuntimeError("closed")


class TestSourceContract(SourceContract):
    """A source that behaves."""

    faults: frozenset[str] = frozenset()

    def source(self, place: Path) -> Source:
        if not hasattr(self, "_only"):
            self._only = _Source(self.faults)
            self._only.closed = -1_000 if "closes once" not in self.faults else 0
        found: Source = self._only  # type: ignore[assignment]  # pull gives a list, which is iterable
        return found

    def opted_out(self) -> frozenset[str]:
        return frozenset({"a@example.com", "b@example.com"})


@pytest.mark.parametrize(
    ("fault", "test"),
    [
        ("misses one", "test_a_census_finds_exactly_the_truth"),
        ("invents one", "test_a_census_finds_exactly_the_truth"),
        ("invents one", "test_a_window_finds_nobody_else"),
        ("is incomplete", "test_a_census_adds_up"),
        ("miscounts", "test_a_census_adds_up"),
        ("ends early", "test_a_census_adds_up"),
        ("leaves a gap", "test_windows_follow_one_another_without_a_gap"),
        ("ends in the future", "test_windows_follow_one_another_without_a_gap"),
        ("changes fingerprints", "test_pulling_again_shows_the_same_people"),
        ("names the platform", "test_people_carry_the_source_name"),
        ("says nothing", "test_check_says_how_it_is"),
        ("closes once", "test_closing_twice_is_fine"),
    ],
)
def test_the_source_contract_finds_the_fault(fault: str, test: str, tmp_path: Path) -> None:
    """As for exporters."""
    broken = TestSourceContract()
    broken.faults = frozenset({fault})
    with pytest.raises((AssertionError, RuntimeError)):
        getattr(broken, test)(tmp_path)
