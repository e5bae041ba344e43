"""Addresses in statements: read back by another reader of the language, and never too long."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from suppress_salesforce import soql
from suppress_salesforce.simulator.statements import Malformed, parsed

TEXTS = st.text(min_size=1, max_size=40) | st.sampled_from(
    ["o'brien@example.com", "\\'", "\\", "' OR Id != null OR Email = '", "a\nb", '"', "\t\r\b\f"]
)


@given(TEXTS)
@settings(max_examples=200)
def test_a_literal_reads_back_as_what_it_was(text: str) -> None:
    """Whatever is in it ends nowhere but at its own quote."""
    statement = parsed(f"SELECT Id FROM Contact WHERE Email = {soql.literal(text)}")

    assert statement.matches({"Email": text})
    assert not statement.matches({"Email": f"{text}x"})
    assert not statement.matches({"Email": None})


@given(st.lists(TEXTS, max_size=30), st.integers(1, 10), st.integers(60, 400))
@settings(max_examples=100)
def test_chunks_hold_everybody_who_fits_in_order(values: list[str], most: int, room: int) -> None:
    """Nobody is lost between two queries, and none is too long."""
    found = list(soql.chunks(values, most=most, room=room))
    fitting = [each for each in values if len(soql.encoded(f"{soql.literal(each)},")) <= room]

    assert fitting == [each for chunk in found for each in chunk]
    assert all(len(chunk) <= most for chunk in found)
    assert all(len(soql.encoded(",".join(map(soql.literal, chunk)))) <= room and chunk for chunk in found)


@given(st.lists(TEXTS, min_size=1, max_size=8), TEXTS)
@settings(max_examples=100)
def test_a_condition_finds_those_it_names_and_nobody_else(values: list[str], other: str) -> None:
    """In any spelling of capitals, as e-mail fields compare."""
    statement = parsed(soql.select(["Id"], "Contact", soql.among("Email", values)))

    assert all(statement.matches({"Email": each}) for each in values)
    assert statement.matches({"Email": other}) == (other.lower() in {each.lower() for each in values})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT",
        "SELECT Id Contact",
        "SELECT Id FROM Contact WHERE",
        "SELECT Id FROM Contact WHERE Email = 'open",
        "SELECT Id FROM Contact WHERE Email ~ 'a'",
        "SELECT Id FROM Contact WHERE Email ( 'a'",
        "SELECT Id FROM Contact WHERE Email = name",
        "SELECT Id FROM Contact more",
        "SELECT 'x' FROM Contact",
    ],
)
def test_the_simulator_refuses_what_is_no_statement(text: str) -> None:
    """A client that builds them badly finds out."""
    with pytest.raises(Malformed):
        parsed(text)


def test_the_simulator_reads_conditions() -> None:
    """AND binds more closely than OR; parentheses; null; true and false; a limit is passed over."""
    statement = parsed(
        "SELECT Id, Email FROM Contact WHERE (A = 'x' OR A = 'y' AND B = true) AND C != null LIMIT 5"
    )

    assert ("Id", "Email") == statement.columns
    assert statement.matches({"A": "X", "B": False, "C": 1})
    assert statement.matches({"A": "y", "B": True, "C": 1})
    assert not statement.matches({"A": "y", "B": False, "C": 1})
    assert not statement.matches({"A": "x", "B": True, "C": None})
    assert not parsed("SELECT Id FROM Contact WHERE A <> 'x'").matches({"A": "x"})
    assert parsed("SELECT Id FROM Contact").matches({})
