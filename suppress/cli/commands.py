"""Commands that are put together when they are asked for.

Typer reads the signature of every command before it runs one of them: half a millisecond each, a fifth of the
time that `suppress check ADDRESS` takes. Here only that command is read whose name was given. Help and
generated pages go through all of them, and so have all of them read.
"""

from __future__ import annotations

from collections import UserDict
from collections.abc import Callable
from typing import Any

import typer
import typer.main
from typer.core import TyperGroup


class _Commands(UserDict[str, Any]):
    """Commands by name. One that nobody asked for yet is a `Typer` that has nothing else in it."""

    def __getitem__(self, name: str) -> Any:
        found = self.data[name]
        if isinstance(found, typer.Typer):
            built: Any = typer.main.get_command(found)
            found = self.data[name] = built.commands[name] if found.registered_groups else built
        return found


_COMMANDS = _Commands()


class Commands(TyperGroup):
    """The group of all commands that were added."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = _COMMANDS


def add(panel: str, name: str, command: Callable[..., None] | typer.Typer) -> None:
    """Add a command, or a group of them, under this heading of the help."""
    alone = typer.Typer(add_completion=False)
    if isinstance(command, typer.Typer):
        alone.add_typer(command, name=name, rich_help_panel=panel)
    else:
        alone.command(name, rich_help_panel=panel)(command)
    _COMMANDS[name] = alone
