"""The error tree: every error of the package is in it, and says how the process ends."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path

import suppress
from suppress.errors import BadFile, SuppressError

ALLOWED_BASES = (SuppressError, ValueError)
"""ValueError: what the pure core raises on a value that cannot be; rooms above translate it."""

ANSWERS = {"suppress.platforms.constant_contact.simulator.http.Refused"}
"""How the simulator's handlers end with an error answer: it becomes an HTTP status, not a message."""


def test_the_package_raises_no_stray_errors() -> None:
    """An exception class outside the tree would reach the user as an internal error."""
    stray = [
        f"{name}.{thing.__name__}"
        for _, name, _ in pkgutil.walk_packages(suppress.__path__, "suppress.")
        if not name.startswith("suppress._migrations") and not name.endswith("__main__")
        for thing in vars(importlib.import_module(name)).values()
        if isinstance(thing, type)
        and issubclass(thing, Exception)
        and thing.__module__ == name
        and not issubclass(thing, ALLOWED_BASES)
        and f"{name}.{thing.__name__}" not in ANSWERS
        and not _stays_inside(name, thing.__name__)
    ]

    assert [] == stray


def _stays_inside(module: str, name: str) -> bool:
    """Whether it is private and caught where it is raised: a way out of a loop, and no message."""
    source = importlib.import_module(module).__file__
    assert source is not None
    tree = ast.parse(Path(source).read_text(encoding="utf-8"))
    caught = {
        ast.unparse(handler.type) for handler in ast.walk(tree)
        if isinstance(handler, ast.ExceptHandler) and handler.type is not None
    }  # fmt: skip
    return name.startswith("_") and name in caught


def test_constructors_only_store() -> None:
    """An error must not fail while it is being raised."""
    error = BadFile("broken", line=3, remedy="mend it")

    assert ("broken", 3, "mend it") == (error.message, error.line, error.remedy)
    assert "badfile" == error.anchor


def test_only_the_console_and_the_exits_print() -> None:
    """stdout belongs to results; a stray print breaks --json."""
    package = Path(suppress.__file__).parent
    printing = [
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]

    assert [] == printing
