"""A gate that nobody feeds refuses, and says which source to read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from suppress.check.freshness import in_words, read_up_to, require_fresh
from suppress.errors import Stale
from tests.ledger.making import Place, sync_done

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("sources", "problem", "remedy"),
    [
        ({}, "no source was ever read", "suppress sync; or leave"),
        ({"main": None}, "main was never read", "suppress sync main"),
        (
            {"main": NOW - DAY, "shop": NOW - 2 * DAY},
            "shop was last read up to 2026-11-21 12:00Z, 48 h ago",
            "sync shop",
        ),
        ({"main": NOW - DAY - timedelta(seconds=1)}, "at most 24 h is allowed", "suppress sync main"),
    ],
)
def test_a_stale_source_is_named_with_the_command_that_reads_it(
    sources: dict[str, datetime | None], problem: str, remedy: str
) -> None:
    """Exit code 5: a failure, and never a finding."""
    with pytest.raises(Stale, match=problem) as caught:
        require_fresh(sources, DAY, NOW)
    assert 5 == caught.value.exit_code
    assert remedy in str(caught.value.remedy)


def test_sources_read_within_the_span_pass() -> None:
    """To the second."""
    require_fresh({"main": NOW - DAY, "shop": NOW}, DAY, NOW)


def test_configured_sources_count_and_without_any_those_that_were_ever_read(tmp_path: Path) -> None:
    """An incomplete run reads nothing up to anywhere."""
    place = Place(tmp_path).create()
    place.record(
        sync_done("1", source="main", before=NOW - DAY),
        sync_done("2", source="old", before=NOW - 9 * DAY),
        sync_done("3", source="main", before=NOW, complete=False),
    )
    with place.open() as ledger:
        assert {"main": NOW - DAY, "old": NOW - 9 * DAY} == read_up_to(ledger, ())
        assert {"main": NOW - DAY, "new": None} == read_up_to(ledger, ["main", "new"])


@pytest.mark.parametrize(
    ("span", "words"),
    [(timedelta(minutes=90), "90 min"), (timedelta(hours=30), "30 h"), (timedelta(days=4), "4 days")],
)
def test_a_span_is_told_in_the_unit_that_says_enough(span: timedelta, words: str) -> None:
    """As people say it."""
    assert words == in_words(span)
