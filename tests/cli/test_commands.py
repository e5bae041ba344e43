"""Commands are put together when they are asked for: all of them are there, and one is read at a time."""

from __future__ import annotations

from typing import Any

import pytest
import typer
import typer.main

from suppress.cli import commands
from suppress.cli.commands import Commands


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """There are commands `one` and `two`, and a group `both` of them; the names of those that are read."""
    monkeypatch.setattr(commands, "_COMMANDS", commands._Commands())
    known: list[str] = []
    build = typer.main.get_command

    def reading(app: typer.Typer) -> Any:
        known.extend(str(each.name) for each in app.registered_commands)
        known.extend(str(each.name) for each in app.registered_groups)
        return build(app)

    def one() -> None:
        """Say the first thing."""

    def two() -> None:
        """Say the second thing."""

    both = typer.Typer(help="Either.")
    both.command("one")(one)
    both.command("two")(two)
    commands.add("Small", "one", one)
    commands.add("Small", "two", two)
    commands.add("Large", "both", both)
    monkeypatch.setattr(typer.main, "get_command", reading)
    return known


def group() -> Any:
    return Commands(name="root")


def test_who_asks_for_a_command_has_that_one_read_once(read: list[str]) -> None:
    """Also when it is asked for again."""
    root = group()
    context = typer.Context(root)
    found = [root.get_command(context, "two") for _ in range(2)]

    assert found[0] is found[1]
    assert ("two", "Small", "Say the second thing.") == (
        found[0].name,
        found[0].rich_help_panel,
        found[0].help,
    )
    assert ["two"] == read


def test_a_group_has_its_commands(read: list[str]) -> None:
    """It is what was added, and not the one that it was put into."""
    found = group().get_command(typer.Context(group()), "both")

    assert ("both", "Large", ["one", "two"]) == (found.name, found.rich_help_panel, list(found.commands))
    assert ["both"] == read


def test_help_has_all_of_them(read: list[str]) -> None:
    """In the order in which they were added; an unknown one is none."""
    root = group()
    context = typer.Context(root)

    assert ["one", "two", "both"] == root.list_commands(context)
    assert root.get_command(context, "three") is None
    assert ["one", "two", "both"] == read
