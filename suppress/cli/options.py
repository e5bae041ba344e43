"""Options that several commands share, and the way from a command to its settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Appearance
from suppress.config import Settings

if TYPE_CHECKING:
    from suppress.ledger.values import Head


@dataclass(frozen=True, slots=True)
class Root:
    """What was given before the command's name."""

    config: Path | None = None
    ledger: str | None = None
    debug: bool = False
    appearance: Appearance = field(default_factory=Appearance)


AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout instead of text.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would happen; write nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer yes to every question.")]


def root(ctx: typer.Context) -> Root:
    """The root options of this run."""
    found = ctx.find_root().obj
    return found if isinstance(found, Root) else Root()


def quoted(head: Head) -> dict[str, object]:
    """A head as every result quotes it. Whoever keeps the checkpoint of a receipt holds an anchor."""
    return {"size": head.size, "root": head.root.hex(), "checkpoint": head.note}


def appearance(ctx: typer.Context) -> Appearance:
    """How this run prints."""
    return root(ctx).appearance


def settings(ctx: typer.Context) -> Settings:
    """The settings of this run. Raises `ConfigWrong`."""
    from suppress.config import load

    given = root(ctx)
    return load(config=given.config, ledger=given.ledger)


def actor() -> str:
    """Who runs this command, for the ledger: the login name at this machine, never an address."""
    import getpass
    import platform

    try:
        who = getpass.getuser()
    except (KeyError, OSError):
        who = "unknown"
    return f"{who}@{platform.node() or 'localhost'}".replace("@", " at ")
