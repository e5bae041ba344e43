"""The page about the simulator lists every field of a scenario, with its default and what it means."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import pytest

from suppress.platforms.constant_contact.simulator import (
    Fault,
    FaultKind,
    Limits,
    People,
    Scenario,
    SignIn,
    Switches,
    scenario,
)
from suppress.platforms.constant_contact.simulator.routes import API, SIGN_IN
from suppress.platforms.constant_contact.simulator.scenario_file import load

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "constant-contact-simulator.md"
SOURCE = ast.parse(Path(scenario.__file__).read_text(encoding="utf-8"))
TABLES = {
    "People": People,
    "Switches": Switches,
    "Faults": Fault,
    "Limits": Limits,
    "Sign-in": SignIn,
    "The rest": Scenario,
}


def section(title: str) -> str:
    """The part of the page under a heading."""
    text = PAGE.read_text(encoding="utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def meanings(name: str) -> dict[str, str]:
    """What stands in the source below each member of a class."""
    found = next(one for one in SOURCE.body if isinstance(one, ast.ClassDef) and one.name == name)
    pairs = zip(found.body, found.body[1:], strict=False)
    return {
        _target(member): " ".join(str(text.value.value).split())
        for member, text in pairs
        if isinstance(member, ast.AnnAssign | ast.Assign)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }


def _target(member: ast.AnnAssign | ast.Assign) -> str:
    target = member.target if isinstance(member, ast.AnnAssign) else member.targets[0]
    assert isinstance(target, ast.Name)
    return target.id


def rows(kind: type) -> Iterator[str]:
    """The rows that a table must have, for the fields that are no tables themselves."""
    meant = meanings(kind.__name__)
    for member in dataclasses.fields(kind):
        if dataclasses.is_dataclass(member.default) or (kind is Scenario and member.name == "faults"):
            continue
        yield f"| `{member.name}` | {_default(member.default)} | {meant[member.name]} |"


def _default(value: object) -> str:
    match value:
        case dataclasses.MISSING:
            return "required"
        case None:
            return ""
        case bool():
            return f"`{str(value).lower()}`"
        case StrEnum() | str():
            return f'`"{value}"`'
        case datetime():
            return f"`{value:%Y-%m-%dT%H:%M:%SZ}`"
        case tuple():
            return "`[" + ", ".join(f'"{one}"' for one in value) + "]`"
        case _:
            return f"`{value}`"


@pytest.mark.parametrize("title", TABLES)
def test_the_table_lists_exactly_the_fields(title: str) -> None:
    """Name, default and meaning, in the order of the source."""
    shown = [line for line in section(title).splitlines() if re.match(r"\| `\w+` \|.*\|.*\|$", line)]

    assert shown == [*rows(TABLES[title])]


def test_every_kind_of_fault_is_listed() -> None:
    """With what it does."""
    meant = meanings("FaultKind")
    shown = [line for line in section("Kinds of fault").splitlines() if line.startswith("| `")]

    assert shown == [f"| `{kind.value}` | {meant[kind.name]} |" for kind in FaultKind]


def test_every_word_of_a_switch_is_listed() -> None:
    """Each enumeration with the words that a scenario file may use."""
    text = section("Words")
    kinds = [one for one in vars(scenario).values() if isinstance(one, type) and issubclass(one, StrEnum)]
    shown = [line for line in text.splitlines() if line.startswith("| `")]

    assert shown == [
        f"| {', '.join(f'`{word.value}`' for word in kind)} | {inspect.getdoc(kind)} |"
        for kind in kinds
        if kind not in (StrEnum, FaultKind)
    ]


def test_every_route_is_listed() -> None:
    """With its scope and privilege."""
    shown = [line for line in section("What is served").splitlines() if line.startswith("| `")]
    expected = [
        f"| `{route.method} {prefix}{route.template}` | {_code(route.scope)} | {_code(route.privilege)} |"
        for prefix, table in (("/v3", API), ("", SIGN_IN))
        for route in table
    ]

    assert shown == expected


def _code(word: str | None) -> str:
    return "" if word is None else f"`{word}`"


def test_the_example_of_a_test_passes() -> None:
    """The page's Python runs as it stands."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)

    exec(compile(code, str(PAGE), "exec"), {})


def test_the_example_of_a_scenario_can_be_loaded(tmp_path: Path) -> None:
    """The page's TOML means what it says."""
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "scenario.toml"
    file.write_text(text, encoding="utf-8")
    found = load(file)

    assert (found.people.active, found.switches.visibility_delay) == (500, 90.0)
    assert found.faults == (Fault(FaultKind.ERROR, page=2, times=3, status=503),)
