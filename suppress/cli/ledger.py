"""`suppress ledger …`: the database itself. Schema now; each further command is one function here."""

from __future__ import annotations

import typer

from suppress.cli.console import Screen, emit
from suppress.cli.options import AsJson, settings

ledger_app = typer.Typer(no_args_is_help=True, help="The ledger's database: its schema, and upgrading it.")


@ledger_app.command("current")
def current(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Say which schema the ledger has, and which one this program needs.

    suppress ledger current
    """
    from suppress.ledger import schema
    from suppress.ledger.place import sqlite_file

    file = sqlite_file(settings(ctx).ledger)
    revision = schema.read_revision(file)
    facts = {
        "file": str(file),
        "revision": revision,
        "needed": schema.HEAD,
        "up_to_date": revision == schema.HEAD,
    }

    def draw(screen: Screen) -> None:
        screen.fields([("Ledger", str(file)), ("Schema", revision), ("Needed", schema.HEAD)])
        if revision in schema.OLDER:
            screen.line(f"Next: {schema.UPGRADE}")

    emit("ledger-current", facts, as_json=as_json, human=draw)


@ledger_app.command("upgrade")
def upgrade(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Bring the ledger to this program's schema. The file is copied first; entries are never touched.

    suppress ledger upgrade
    """
    from suppress.ledger import Keys, schema
    from suppress.ledger.place import sqlite_file

    chosen = settings(ctx)
    file = sqlite_file(chosen.ledger)
    before = schema.read_revision(file)
    copy = schema.upgrade(file, Keys.load(chosen.keys))
    facts = {
        "file": str(file),
        "before": before,
        "revision": schema.HEAD,
        "copy": None if copy is None else str(copy),
    }

    def draw(screen: Screen) -> None:
        if copy is None:
            screen.line(f"{file} has schema {schema.HEAD} already; nothing was changed.")
            return
        screen.line(f"{file} was brought from schema {before} to {schema.HEAD}.")
        screen.line(f"The ledger as it was before: {copy}")
        screen.line("Next: suppress verify")

    emit("ledger-upgrade", facts, as_json=as_json, human=draw)
