"""`suppress plugin new`: start a plugin of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Screen, emit
from suppress.cli.options import AsJson, DryRun

if TYPE_CHECKING:
    from suppress.plugin.skeleton import Skeleton

plugin_app = typer.Typer(no_args_is_help=True, help="Write a plugin for a platform of your own.")


@plugin_app.command("new")
def new(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="The platform: small letters, words joined by '-'."),
    ],
    folder: Annotated[
        Path, typer.Option("--folder", metavar="DIR", help="Where its own folder suppress-NAME goes.")
    ] = Path(),
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Write a new exporter plugin: a distribution with its simulator and its contract tests.

    None of its tests passes until you have written it; docs/how-to/write-an-exporter.md goes step by step.
    Nothing is overwritten:

        suppress plugin new my-crm
    """
    del ctx
    from suppress.plugin.registry import Registry
    from suppress.plugin.skeleton import skeleton

    made = skeleton(name, folder, taken=Registry.load().names())
    if not dry_run:
        made.write()
    facts = {
        "name": made.name,
        "distribution": made.distribution,
        "folder": str(made.folder),
        "files": sorted(made.files),
        "dry_run": dry_run,
    }
    emit("plugin-new", facts, as_json=as_json, human=lambda screen: _draw(screen, made, dry_run=dry_run))


def _draw(screen: Screen, made: Skeleton, *, dry_run: bool) -> None:
    if dry_run:
        screen.heading(f"{made.folder}: {len(made.files)} files would be written (dry run)")
    else:
        screen.heading(f"{made.folder}: {len(made.files)} files")
    for path in sorted(made.files):
        screen.line(f"  {path}")
    screen.line()
    screen.line("None of its tests passes yet. What to write, step by step:")
    screen.line("docs/how-to/write-an-exporter.md")
