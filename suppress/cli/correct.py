"""`suppress correct`: strike out an entry that staff made and that was wrong."""

from __future__ import annotations

from typing import Annotated

import typer

from suppress.cli.console import Screen, emit
from suppress.cli.options import AsJson, DryRun, actor, quoted, settings


def correct(
    ctx: typer.Context,
    seq: Annotated[int, typer.Argument(metavar="ENTRY", help="Its number, as `suppress show` has it.")],
    approver: Annotated[str, typer.Option(metavar="NAME", help="Who answers for it.")],
    reason: Annotated[str, typer.Option(help="Why it was wrong, without an address.")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Strike out an entry that staff made and that was wrong. It stays, and no longer counts.

    What people did themselves, or a platform reported, is refused: only their later consent lifts it.

        suppress correct 12 --approver "Kim Lee" --reason "the other Pat had rung"
    """
    from suppress.intake.correcting import correct as run
    from suppress.ledger import Ledger

    chosen = settings(ctx)
    with Ledger.open(chosen.ledger, keys=chosen.keys, read_only=dry_run) as ledger:
        struck = run(ledger, seq, approver=approver, reason=reason, actor=actor(), dry_run=dry_run)
        head = ledger.head()
    facts = {
        "entry": seq,
        "type": struck.entry.body.type,
        "seq": struck.seq,
        "new": struck.new,
        "approver": approver,
        "reason": reason,
        "dry_run": dry_run,
        "ledger": quoted(head),
    }

    def draw(screen: Screen) -> None:
        if not struck.new:
            screen.heading(f"entry {seq} was already struck out, by entry {struck.seq}")
        elif struck.seq is None:
            screen.heading(f"entry {seq} would be struck out (dry run: nothing was written)")
        else:
            screen.heading(f"entry {seq} is struck out by entry {struck.seq}; it stays on record")
        screen.line("Next: suppress show ADDRESS")

    emit("correct", facts, as_json=as_json, human=draw)
