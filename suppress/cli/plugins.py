"""`suppress plugins`: which platforms are loaded, from where, and what failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from suppress.cli.console import Screen, emit
from suppress.cli.options import AsJson

if TYPE_CHECKING:
    from suppress.plugin.registry import Plugin


def plugins(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the platforms that can be asked and told, and the plugins that bring them.

    SUPPRESS_LOAD_PLUGINS="" switches third-party plugins off:

        suppress plugins
        SUPPRESS_LOAD_PLUGINS="" suppress plugins
    """
    del ctx
    from suppress.plugin.registry import Registry

    registry = Registry.load()
    found, doubles = registry.plugins(), registry.doubles()
    facts = {"plugins": [_facts(plugin) for plugin in found], "refused": doubles}
    emit("plugins", facts, as_json=as_json, human=lambda screen: _draw(screen, found, doubles))


def _facts(plugin: Plugin) -> Mapping[str, object]:
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "built_in": plugin.built_in,
        "hooks": plugin.hooks,
        "sources": plugin.sources,
        "exporters": plugin.exporters,
        "failure": plugin.failure,
    }


def _draw(screen: Screen, found: tuple[Plugin, ...], doubles: tuple[str, ...]) -> None:
    rows = [
        [
            plugin.distribution,
            plugin.version,
            ", ".join(plugin.hooks),
            ", ".join(plugin.sources),
            ", ".join(plugin.exporters),
            plugin.failure or "loaded",
        ]
        for plugin in found
    ]
    screen.table(["plugin", "version", "hooks", "asked for opt-outs", "told", "state"], rows)
    for double in doubles:
        screen.line(f"Refused: {double}", style="red")
