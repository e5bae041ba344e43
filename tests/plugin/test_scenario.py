"""Scenarios of simulators: by name, from a file, or one line that says what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from suppress.errors import BadFile
from suppress.plugin.scenario import Strikes, loaded


@dataclass(slots=True)
class Fault(Strikes):
    """A fault of a made-up platform."""

    trap: str
    call: str | None = None
    after: int = 0
    times: int = 1


@dataclass(frozen=True, slots=True)
class Scenario:
    """Its switches."""

    people: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    ahead_skew: float = 0.0


NAMED = {"demo": Scenario(("pat",)), "busy": Scenario()}


def load(name: str | None) -> Scenario:
    return loaded(name, NAMED)


def test_without_a_name_it_is_the_first() -> None:
    assert load(None) is load("demo") is NAMED["demo"]
    assert load("busy") is NAMED["busy"]


def test_a_file_has_the_names_of_the_fields(tmp_path: Path) -> None:
    file = tmp_path / "scenario.toml"
    file.write_text('people = ["kim"]\n[[faults]]\ntrap = "reset"\ntimes = 2\n')

    assert load(str(file)) == Scenario(("kim",), (Fault("reset", times=2),))


def test_a_file_may_be_json_and_a_clock_may_be_behind(tmp_path: Path) -> None:
    """A table of texts keeps its keys."""
    file = tmp_path / "scenario.json"
    file.write_text('{"reasons": {"kim": "left"}, "ahead_skew": -60}')

    assert load(str(file)) == Scenario(reasons={"kim": "left"}, ahead_skew=-60.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("peple = []", "peple: there is no such key; known: people, faults, reasons, ahead_skew"),
        ("people = [", "Invalid value"),
        ("faults = 3", "faults: must be a list"),
        ("[[faults]]\nnonsense = 1", r"faults\[0\]\.nonsense: there is no such key"),
        ("[[faults]]", r"faults\[0\]: lacks one of trap"),
        ("reasons = 1", "reasons: must be a table"),
        ("[reasons]\npat = 1", r"reasons\.pat: must be text"),
        ("[[faults]]\ntrap = 'cut'\nafter = -1", r"faults\[0\]\.after: must not be negative"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "scenario.toml"
    file.write_text(text)

    with pytest.raises(BadFile, match=words) as refused:
        load(str(file))
    assert "\n" not in refused.value.message


def test_a_file_that_is_not_there_names_the_scenarios(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"cannot be read: .*scenarios by name: demo, busy"):
        load(str(tmp_path / "none.toml"))


def test_a_fault_strikes_its_call_after_so_many_and_so_often() -> None:
    fault = Fault("reset", call="write", after=1, times=2)

    assert [fault.strikes(each) for each in ("read", "write", "write", "write", "write")] == [
        False,
        False,
        True,
        True,
        False,
    ]
