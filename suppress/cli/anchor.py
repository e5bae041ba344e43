"""`suppress anchor`: the current checkpoint, to be kept where whoever runs the ledger cannot change it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from suppress.cli.console import Screen, emit, note
from suppress.cli.options import AsJson, appearance, quoted, settings


def anchor(
    ctx: typer.Context,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it here. [default: print it]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give out the signed head of the ledger, to be kept elsewhere.

    Nothing inside one database can show that an older copy was put back, or that all of it was written anew
    with the same key. A checkpoint that somebody else holds does: mail it to your auditor or counsel, put it
    into a ticket, a repository, or storage that cannot be overwritten; every month, and after each report:

        suppress anchor -o anchor-2026-11.note
        suppress verify --anchor anchor-2026-11.note
    """
    from suppress.files.output import outputs
    from suppress.ledger import Ledger
    from suppress.report.anchored import remember

    chosen = settings(ctx)
    with Ledger.open(chosen.ledger, keys=chosen.keys, read_only=True) as ledger:
        shown = ledger.exhibit()
    head, vkey = shown.head, str(shown.chain.current)
    if output is not None:
        with outputs({"output": str(output)}) as begun:
            begun["output"].write(head.note.encode())
            begun["output"].finish()
            begun["output"].publish()
    place = "FILE" if output is None else str(output)
    command = f'suppress verify --anchor {place} --key "{vkey}"'
    facts = {
        "file": None if output is None else str(output),
        "checkpoint": head.note,
        "vkey": vkey,
        "verify": command,
        "ledger": quoted(head),
    }

    def draw(screen: Screen) -> None:
        if output is None:
            for line in head.note.splitlines():
                screen.line(line)
        else:
            screen.line(f"{output}: the signed head of {head.size:,} entries")

    emit("anchor", facts, as_json=as_json, human=draw)
    remember(chosen.state, head.note)
    look = appearance(ctx)
    note(
        "Keep it where whoever runs this ledger cannot change it: with an auditor, in a ticket.",
        appearance=look,
    )
    note(f"It is held against the ledger by: {command}", appearance=look)
