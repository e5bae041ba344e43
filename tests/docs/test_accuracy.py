"""The published accuracy is the measured one, and the first tier misses nobody."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.accuracy import DIFFERENT, SAME, by_alias, by_exact, tables

PAGE = Path(__file__).parents[2] / "docs/explanation/how-addresses-are-compared.md"


def test_the_page_has_the_tables_that_the_benchmark_prints() -> None:
    """Peers included: a new version of one may do better, and then the page says so."""
    published = PAGE.read_text("utf-8").partition("<!-- tests/benchmarks/accuracy.py -->")[2]

    assert list(tables()) == published.partition("<!-- end -->")[0].strip().splitlines()


def test_nobody_is_missed_and_a_stranger_is_found_only_where_that_is_on_purpose() -> None:
    """Zero false negatives in the first tier is the bar."""
    assert all(all(by_exact(pairs)) for pairs in SAME.values())
    strangers = {kind: sum(by_alias(pairs)) for kind, pairs in DIFFERENT.items()}
    assert {"joined on purpose": len(DIFFERENT["joined on purpose"])} == {
        kind: count for kind, count in strangers.items() if count
    }
