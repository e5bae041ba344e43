"""What is declared is what is imported: a missing dependency breaks users, a needless one weighs on them."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def imported(*folders: str) -> set[str]:
    """Top-level names that the code of these folders imports, without the standard library and ourselves."""
    found = set()
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case ast.Import():
                        found |= {alias.name.partition(".")[0] for alias in node.names}
                    case ast.ImportFrom(module=str(module), level=0):
                        found.add(module.partition(".")[0])
    return found - sys.stdlib_module_names - {"suppress", "migrations", "tests"}


def test_declared_dependencies_are_the_imported_ones() -> None:
    """No more and no fewer."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {
        re.split(r"[<>=\[;]", each)[0].replace("-", "_")
        for group in [project["dependencies"], *project.get("optional-dependencies", {}).values()]
        for each in group
    }

    assert declared == imported("suppress", "migrations")


def test_every_pin_is_exact_and_names_no_address() -> None:
    """Two machines get the same versions, and no registry is named."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    pins = tomllib.loads(text)["tool"]["uv"]["constraint-dependencies"]

    assert pins
    assert all(re.fullmatch(r"[a-z0-9._-]+==[A-Za-z0-9.]+", pin) for pin in pins)
    assert "://" not in text
