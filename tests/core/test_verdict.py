"""Verdicts: three rulings, and a clear one says nothing else."""

from __future__ import annotations

from dataclasses import fields

from suppress.core.verdict import CLEAR, Ruling, Tier, Verdict


def test_a_clear_verdict_says_nothing_else() -> None:
    """No tier, rule, date or source that somebody could take for a hit."""
    assert Verdict(Ruling.CLEAR) == CLEAR
    assert {getattr(CLEAR, each.name) for each in fields(CLEAR)} == {Ruling.CLEAR, None}


def test_the_words_are_those_of_the_contract() -> None:
    """Other programs read them in JSON, the most certain tier first."""
    assert [ruling.value for ruling in Ruling] == ["suppressed", "review", "clear"]
    assert [tier.value for tier in Tier] == ["exact", "erased", "hashed", "domain", "alias"]
