"""`suppress config`: every setting that is in force, and where it came from."""

from __future__ import annotations

import typer

from suppress.cli.console import Screen, emit
from suppress.cli.options import AsJson, settings


def config(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show every setting, its value with secrets masked, and the file and line or variable it came from.

    suppress config
    suppress --config other.toml config --json
    """
    from suppress.config import shown
    from suppress.plugin.registry import Registry

    chosen = settings(ctx)
    values = list(shown(chosen, secrets=Registry.load().secrets()))
    facts = {
        "file": None if chosen.file is None else str(chosen.file),
        "settings": [{"key": each.key, "value": each.value, "origin": each.origin} for each in values],
        "unknown_variables": chosen.unknown,
    }

    def draw(screen: Screen) -> None:
        screen.table(
            ["setting", "value", "from"], [[each.key, _text(each.value), each.origin] for each in values]
        )
        for variable in chosen.unknown:
            screen.line(f"Not understood: {variable}", style="yellow")

    emit("config", facts, as_json=as_json, human=draw)


def _text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return ", ".join(_text(each) for each in value)
        case _:
            return str(value)
