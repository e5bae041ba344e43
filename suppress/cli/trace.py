"""`suppress trace`: whose list of digests leaked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Screen, emit
from suppress.cli.options import AsJson, settings

if TYPE_CHECKING:
    from suppress.export.tracing import Traced

_BLOCK = 1 << 20


def trace(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A list or a message that turned up.")],
    as_json: AsJson = False,
) -> None:
    """Find the canaries of your partners' lists in a file: whose list leaked.

    Exit code 1 when one is found:

        suppress trace leaked.txt
    """
    from suppress.errors import BadFile, ConfigWrong
    from suppress.export.tracing import traced

    lists = [each for each in settings(ctx).destinations.values() if each.platform == "hashed"]
    lists = [each for each in lists if each.options.get("canaries")]
    if not lists:
        raise ConfigWrong(
            "no list of digests has canaries",
            remedy="set canaries, canary_domain and canary_secret where platform is hashed",
        )
    try:
        found = traced(_blocks(file), lists)
    except OSError as refused:
        raise BadFile(f"{file} cannot be read: {refused.strerror}") from None
    facts = {
        "file": str(file),
        "lists": len(lists),
        "found": [
            {"destination": each.destination, "found": each.found, "canaries": each.canaries}
            for each in found
        ],
    }
    emit("trace", facts, as_json=as_json, human=lambda screen: _draw(screen, found, len(lists)))
    if found:
        raise typer.Exit(1)


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        yield from iter(partial(opened.read, _BLOCK), b"")


def _draw(screen: Screen, found: tuple[Traced, ...], lists: int) -> None:
    if not found:
        screen.line(f"No canary of {lists:,} {'list' if lists == 1 else 'lists'} is in it.")
        return
    screen.table(
        ["list of", "canaries found", "of"], [(each.destination, each.found, each.canaries) for each in found]
    )
    screen.line("Next: ask them how it got out; suppress report lists what they were given and when")
