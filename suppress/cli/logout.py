"""`suppress logout`: forget the sign-in of a source on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from suppress.cli.console import Screen, emit
from suppress.cli.login import named, needs_none, of_source
from suppress.cli.options import AsJson, settings


def logout(
    ctx: typer.Context,
    source: Annotated[
        str | None, typer.Argument(metavar="SOURCE", help="The source, as its [sources.…] table is called.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Remove the tokens of a source from this machine, and say how to end the sign-in at the platform.

    Safe to repeat. A token that is given by variable or file stays where it is:

        suppress logout main
    """
    chosen = settings(ctx)
    name = named(chosen, source, "logout")
    signing = of_source(chosen, name)
    if signing is None:
        raise needs_none(name, chosen.sources[name].platform)
    further = signing.forget()
    facts = {"source": name, "forgotten": further is not None, "further": further}

    def draw(screen: Screen) -> None:
        if further is None:
            screen.line(f"{name}: nobody was signed in here")
            return
        screen.line(f"{name}: the tokens are removed from this machine")
        screen.line(f"{further}.")

    emit("logout", facts, as_json=as_json, human=draw)
