"""`suppress init`: a ledger, its keys, and settings to edit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from suppress.cli.console import Screen, emit
from suppress.cli.options import AsJson, quoted, root, settings


def init(
    ctx: typer.Context,
    organisation: Annotated[
        str | None, typer.Option(help="Named in the ledger's public key and in reports.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create the ledger with its keys, and a commented suppress.toml. Safe to repeat.

    What is there already is left as it is:

        suppress init
        suppress --ledger /srv/acme/suppress.db init --organisation "Acme Outdoor"
    """
    from suppress.ledger import Ledger

    chosen = settings(ctx)
    created = Ledger.create(chosen.ledger, keys=chosen.keys, organisation=organisation or chosen.organisation)
    written = None if root(ctx).config is not None else _example()
    with Ledger.open(chosen.ledger, keys=chosen.keys) as ledger:
        head, vkey = ledger.head(), ledger.vkey
    facts = {
        "created": created,
        "file": str(ledger.place),
        "keys": str(chosen.keys),
        "vkey": vkey,
        "config": None if written is None else str(written),
        "ledger": quoted(head),
    }

    def draw(screen: Screen) -> None:
        screen.fields(
            [
                (
                    "Ledger",
                    f"{ledger.place} ({'created' if created else f'was there, {head.size:,} entries'})",
                ),
                ("Keys", str(chosen.keys)),
                ("Public key", vkey),
                ("Settings", str(written or chosen.file or "none")),
            ]
        )
        if created:
            screen.line("Back the keys up, apart from the ledger: without them nobody can be recognised.")
            screen.line("Give the public key to your auditor: it is what suppress verify pins.")
        screen.line("Next: " + ("suppress sync --full" if chosen.sources else _first_step(written)))

    emit("init", facts, as_json=as_json, human=draw)


def _first_step(written: Path | None) -> str:
    where = "suppress.toml" if written is None else str(written)
    return f"name your source in {where}, then: suppress sync --full"


def _example() -> Path | None:
    """Write the commented settings into the working directory, unless there are some."""
    from suppress.config import FILE, TEMPLATE
    from suppress.errors import OutputRefused
    from suppress.ledger.keys import replace_file

    file = Path(FILE)
    if file.exists():
        return None
    try:
        replace_file(file, TEMPLATE.encode())
    except OSError as refused:
        raise OutputRefused(
            f"the ledger is there, but {file.absolute()} cannot be written: {refused.strerror}"
        ) from refused
    return file
