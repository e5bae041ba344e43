"""Scenario files say exactly what is wrong in them, and where."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from suppress.errors import BadFile
from suppress.platforms.constant_contact.simulator import (
    Fault,
    FaultKind,
    LastPage,
    Limits,
    Order,
    People,
    Scenario,
    SignIn,
    Switches,
)
from suppress.platforms.constant_contact.simulator.scenario_file import load

WHOLE = """
seed = 7
until = 2025-01-01T00:00:00Z
organisation = "Bright Boots"

[people]
unsubscribed = 100

[switches]
last_page = "null"
order = "shuffled"
visibility_delay = 2

[limits]
per_second = 10
retry_after = true

[sign_in]
scopes = ["contact_data"]

[[faults]]
kind = "error"
status = 503
page = 2

[[faults]]
kind = "slow"
seconds = 0.5
"""
EXPECTED = Scenario(
    people=People(unsubscribed=100),
    seed=7,
    until=datetime(2025, 1, 1, tzinfo=UTC),
    organisation="Bright Boots",
    switches=Switches(last_page=LastPage.NULL, order=Order.SHUFFLED, visibility_delay=2.0),
    limits=Limits(per_second=10, retry_after=True),
    sign_in=SignIn(scopes=("contact_data",)),
    faults=(Fault(FaultKind.ERROR, status=503, page=2), Fault(FaultKind.SLOW, seconds=0.5)),
)


def test_a_toml_file_makes_the_scenario_that_it_describes(tmp_path: Path) -> None:
    """Every kind of value: numbers, words, flags, instants, lists, tables."""
    file = tmp_path / "scenario.toml"
    file.write_text(WHOLE, encoding="utf-8")

    assert load(file) == EXPECTED


def test_a_json_file_does_so_too(tmp_path: Path) -> None:
    """With instants as text."""
    file = tmp_path / "scenario.json"
    file.write_text(json.dumps({"until": "2025-01-01", "clock": "2026-11-23T12:00:00+01:00"}), "utf-8")

    assert load(file) == replace(
        Scenario(), until=datetime(2025, 1, 1, tzinfo=UTC), clock=datetime(2026, 11, 23, 11, tzinfo=UTC)
    )


def test_an_empty_file_is_an_empty_account(tmp_path: Path) -> None:
    """Everything has a default."""
    file = tmp_path / "scenario.toml"
    file.write_text("", encoding="utf-8")

    assert load(file) == Scenario()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("s.toml", "people = [", "s.toml: Invalid value"),
        ("s.json", "{", "s.json: Expecting property name"),
        ("s.json", "[]", "s.json: must be a table"),
        ("s.toml", "peple = 1", "s.toml: peple: there is no such key; known: people, seed"),
        ("s.toml", "people = 1", "s.toml: people: must be a table"),
        ("s.toml", "[people]\nunsubscribed = 'many'", "people.unsubscribed: must be a whole number"),
        ("s.toml", "[people]\nunsubscribed = -1", "people.unsubscribed: must not be negative"),
        ("s.toml", "[people]\nunsubscribed = true", "people.unsubscribed: must be a whole number"),
        (
            "s.toml",
            "[switches]\nlast_page = 'none'",
            "switches.last_page: must be one of empty, null, missing",
        ),
        ("s.toml", "[switches]\ninclusive_bounds = 1", "switches.inclusive_bounds: must be true or false"),
        ("s.toml", "[switches]\nvisibility_delay = '1'", "switches.visibility_delay: must be a number"),
        ("s.toml", "organisation = 7", "organisation: must be text"),
        ("s.toml", "clock = 'noon'", "clock: must be a date and time such as"),
        ("s.toml", "clock = 7", "clock: must be a date and time"),
        ("s.toml", "faults = 7", "faults: must be a list"),
        ("s.toml", "[[faults]]\npage = 1", "faults[0]: lacks one of kind"),
        ("s.toml", "[[faults]]\nkind = 'boom'", "faults[0].kind: must be one of error, html"),
        ("s.toml", "[sign_in]\nscopes = [1]", "sign_in.scopes[0]: must be text"),
    ],
)
def test_a_wrong_file_says_what_and_where(tmp_path: Path, name: str, text: str, said: str) -> None:
    """One line, with the key."""
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")

    with pytest.raises(BadFile) as wrong:
        load(file)

    assert said in wrong.value.message
    assert "\n" not in wrong.value.message


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    """Missing, a folder, or no text."""
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")

    for path, why in (
        (tmp_path / "missing.toml", "No such file"),
        (tmp_path, "Is a directory"),
        (binary, "not UTF-8"),
    ):
        with pytest.raises(BadFile, match=why):
            load(path)
