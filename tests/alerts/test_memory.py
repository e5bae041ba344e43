"""Each thing is told once, again when it gets worse or lasts, and once more when it is over."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.alerts.finding import Finding
from suppress.alerts.memory import Memory, news, read, write
from suppress.plugin.alerting import Change, Condition

START = datetime(2026, 11, 23, tzinfo=UTC)
DAY = timedelta(days=1)
LEVELS = st.dictionaries(st.sampled_from(["main", "other", "third"]), st.integers(1, 4))


def found(levels: dict[str, int]) -> list[Finding]:
    """Drift at these places, of so many people."""
    return [Finding(Condition.DRIFT, name, level, f"{level}", "look") for name, level in levels.items()]


def changes(known: Memory, levels: dict[str, int], hours: float) -> tuple[list[Change], Memory]:
    """What is told after so many hours."""
    alerts, after = news(known, found(levels), START + timedelta(hours=hours), DAY)
    return [each.change for each in alerts], after


def test_the_life_of_a_finding() -> None:
    """Raised, silent, worse, better in silence, worse again, reminded, resolved, and then nothing."""
    known: Memory = {}
    story: list[tuple[float, dict[str, int], list[Change]]] = [
        (0, {"main": 2}, [Change.RAISED]),
        (1, {"main": 2}, []),
        (2, {"main": 3}, [Change.WORSE]),
        (3, {"main": 1}, []),
        (4, {"main": 2}, [Change.WORSE]),
        (27, {"main": 2}, []),
        (28, {"main": 2}, [Change.REMINDED]),
        (29, {}, [Change.RESOLVED]),
        (30, {}, []),
        (31, {"main": 1}, [Change.RAISED]),
    ]
    for hours, levels, expected in story:
        told, known = changes(known, levels, hours)
        assert expected == told, hours


@settings(max_examples=60)
@given(st.lists(st.tuples(LEVELS, st.floats(0.1, 20)), max_size=12))
def test_nothing_is_told_twice_and_nothing_stays_unsaid(story: list[tuple[dict[str, int], float]]) -> None:
    """Whatever happens: right after a message there is no news, and what is over is said to be."""
    known: Memory = {}
    hours = 0.0
    for levels, passed in story:
        hours += passed
        before = set(known)
        told, known = changes(known, levels, hours)
        assert {f"drift:{name}" for name in levels} == set(known)
        assert len(before - set(known)) == told.count(Change.RESOLVED)
        assert len(set(known) - before) == told.count(Change.RAISED)
        assert [] == changes(known, levels, hours)[0]


def test_a_clock_set_back_does_not_silence_reminders() -> None:
    """What was told in a future that never came is told again."""
    _, known = changes({}, {"main": 1}, 24 * 365)

    assert [Change.REMINDED] == changes(known, {"main": 1}, 0)[0]


def test_what_was_told_survives_a_restart(tmp_path: Path) -> None:
    """In a private file."""
    file = tmp_path / "state" / "alerts.json"
    _, known = changes({}, {"main": 1, "other": 2}, 0)
    write(file, {"ops": known})

    assert {"ops": known} == read(file)
    assert 0o600 == file.stat().st_mode & 0o777


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"ops": 1}', '{"ops": {"a": []}}', json.dumps({"ops": {"a": ["drift", "x", 1, "2026-01-01", "2026-01-01"]}})]  # noqa: E501
)  # fmt: skip
def test_a_memory_that_is_lost_or_broken_was_never_told(tmp_path: Path, text: str) -> None:
    """Then what lasts is told anew; nothing is left unsaid."""
    (tmp_path / "alerts.json").write_text(text)

    assert {} == read(tmp_path / "alerts.json")
    assert {} == read(tmp_path / "gone.json")
