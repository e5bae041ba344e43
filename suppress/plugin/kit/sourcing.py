"""The contract of a source, as tests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from suppress.core.reconcile import Permission
from suppress.core.suppression import Channel, Reason
from suppress.plugin.contract import Census, Finding, Page, Source, Summary, Window


class SourceContract(ABC):
    """Everything the engine relies on in a source, as tests."""

    now: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)
    """The clock of the platform that the tests run against."""

    @abstractmethod
    def source(self, place: Path) -> Source:
        """Open the account that lives in `place`."""

    @abstractmethod
    def opted_out(self) -> frozenset[str]:
        """The truth: the match keys of everyone who opted out there and whom any query can show."""

    def test_a_census_finds_exactly_the_truth(self, tmp_path: Path) -> None:
        """Nobody who opted out is missing, deleted or not, and nobody else is called opted out."""
        pages, _ = self._pulled(tmp_path, Census())

        assert _opted_out(pages) == self.opted_out()

    def test_a_census_adds_up(self, tmp_path: Path) -> None:
        """The summary comes last, is complete, and its rows are the pages' rows."""
        pages, summary = self._pulled(tmp_path, Census())

        assert summary.complete, f"incomplete: {summary.problems}"
        assert not summary.problems
        assert summary.rows == sum(page.rows for page in pages)
        assert summary.requests > 0

    def test_a_window_finds_nobody_else(self, tmp_path: Path) -> None:
        """A window shows part of the truth and nothing but the truth."""
        with closing(self.source(tmp_path)) as source:
            window = source.window(None, self.now)
        pages, _ = self._pulled(tmp_path, window)

        assert _opted_out(pages) <= self.opted_out()

    def test_windows_follow_one_another_without_a_gap(self, tmp_path: Path) -> None:
        """The next window begins no later than the last one ended, and none ends in the future."""
        with closing(self.source(tmp_path)) as source:
            first = source.window(None, self.now)
            second = source.window(first.before, self.now + timedelta(days=1))

        assert first.after <= first.before <= self.now
        assert second.after <= first.before <= second.before, "an opt-out between two windows would be lost"

    def test_pulling_again_shows_the_same_people(self, tmp_path: Path) -> None:
        """A repeated run finds the same requests, under the same fingerprints."""
        first, _ = self._pulled(tmp_path, Census())
        again, _ = self._pulled(tmp_path, Census())

        assert _fingerprints(first) == _fingerprints(again)

    def test_people_carry_the_source_name(self, tmp_path: Path) -> None:
        """The ledger names the account, not the platform."""
        pages, _ = self._pulled(tmp_path, Census())
        with closing(self.source(tmp_path)) as source:
            name, platform = source.name, source.platform

        assert {each.source for page in pages for each in page.observed} <= {name}
        assert platform == platform.lower()

    def test_check_says_how_it_is(self, tmp_path: Path) -> None:
        """`suppress doctor` has something to show."""
        with closing(self.source(tmp_path)) as source:
            findings = list(source.check())

        assert findings
        assert all(isinstance(each, Finding) for each in findings)

    def test_closing_twice_is_fine(self, tmp_path: Path) -> None:
        """Both an error path and a `with` block may close."""
        source = self.source(tmp_path)
        source.close()
        source.close()

    def _pulled(self, place: Path, what: Window | Census) -> tuple[list[Page], Summary]:
        with closing(self.source(place)) as source:
            *pages, last = source.pull(what)
        assert isinstance(last, Summary), "a pull ends with its summary"
        assert all(isinstance(page, Page) for page in pages), "there is one summary, at the end"
        return [page for page in pages if isinstance(page, Page)], last


def _opted_out(pages: Iterable[Page]) -> frozenset[str]:
    return frozenset(
        each.address.key
        for page in pages
        for each in page.observed
        if each.permission is Permission.OPTED_OUT
        and each.channel is Channel.EMAIL
        and each.reason is not Reason.BOUNCED
        and each.address is not None
    )


def _fingerprints(pages: Iterable[Page]) -> set[tuple[str, ...]]:
    return {
        (each.address.key if each.address else "", each.permission.value, *each.fingerprint)
        for page in pages
        for each in page.observed
    }
